//! Lays the tree that all packages contain. It is relocatable: the program finds everything beside itself.
//!
//! `lib/affectograph/` has the program, ONNX Runtime, liblsl, and links to `share/affectograph/` with networks and studies.

use std::fmt::Write as _;
use std::path::Path;

use super::libraries::Needs;
use super::release::Release;
use super::{archive, sbom};
use crate::files::{copy, copy_folder, failed, make_folder_of, recreate, write};
use crate::{manual, notices, repository};

/// Folders of the repository in `share/affectograph/`.
const DATA: [&str; 2] = ["models", "assets/studies"];

pub fn lay(release: &Release, needs: &Needs) -> Result<(), String> {
    let tree = release.tree();
    recreate(&tree)?;
    let library = tree.join("lib/affectograph");
    copy(&release.program, &library.join("affectograph"))?;
    copy(&release.root.join("build/onnxruntime/libonnxruntime.so"), &library.join("libonnxruntime.so"))?;
    copy(&release.liblsl.file, &library.join("liblsl.so"))?;
    link("../lib/affectograph/affectograph", &tree.join("bin/affectograph"))?;

    let share = tree.join("share/affectograph");
    for folder in DATA {
        copy_committed(&release.root, folder, &share)?;
    }
    link("../../share/affectograph/models", &library.join("models"))?;
    link("../../share/affectograph/assets", &library.join("assets"))?;
    write(&share.join("libraries.tsv"), &needs.table)?;

    let packaging = release.root.join("packaging");
    copy(&packaging.join("affectograph.desktop"), &tree.join("share/applications/affectograph.desktop"))?;
    copy(&packaging.join("affectograph-mime.xml"), &tree.join("share/mime/packages/affectograph.xml"))?;
    let icons = tree.join("share/icons/hicolor");
    copy(&release.root.join("assets/icon.svg"), &icons.join("scalable/apps/affectograph.svg"))?;
    copy(&release.root.join("assets/icon.png"), &icons.join("256x256/apps/affectograph.png"))?;
    documents(release, &tree.join("share/doc/affectograph"))?;
    man_page(release, &tree)?;
    modes_and_times(release, &tree)
}

fn documents(release: &Release, folder: &Path) -> Result<(), String> {
    let root = &release.root;
    for (from, to) in [
        ("packaging/copyright", "copyright"),
        ("CITATION.cff", "CITATION.cff"),
        (notices::FILE, "third-party/crates.txt"),
        ("build/web/THIRD_PARTY_LICENSES.txt", "third-party/web-parts.txt"),
        ("build/onnxruntime/LICENSE", "third-party/onnxruntime.txt"),
        ("build/onnxruntime/ThirdPartyNotices.txt", "third-party/onnxruntime-libraries.txt"),
        ("packaging/liblsl-licence.txt", "third-party/liblsl.txt"),
        (sbom::FILE, "affectograph.cdx.json"),
    ] {
        copy(&root.join(from), &folder.join(to))?;
    }
    copy_folder(&root.join(manual::HTML), &folder.join("manual"))?;
    // The form that Debian's tools read. The changes are in CHANGELOG.md.
    let date = release.date("--rfc-email")?;
    let changes = format!(
        "affectograph ({}-1) unstable; urgency=medium\n\n  * CHANGELOG.html in the manual lists the changes.\n\n -- {}  {}\n",
        release.version,
        archive::maintainer(),
        date
    );
    let file = folder.join("changelog.Debian");
    write(&file, &changes)?;
    compress(&file)
}

/// The program's own help as a manual page.
fn man_page(release: &Release, tree: &Path) -> Result<(), String> {
    let help = repository::output(repository::command(&release.program)?.arg("--help"))?;
    let mut page = format!(".TH AFFECTOGRAPH 1 \"\" \"affectograph {}\"\n", release.version);
    page.push_str(
        ".SH NAME\naffectograph \\- records a face, affect and page events on one clock\n.SH DESCRIPTION\n.nf\n",
    );
    for line in help.lines() {
        // A backslash, and a point at the beginning of a line, are commands of troff.
        writeln!(page, "\\&{}", line.replace('\\', "\\e").replace('-', "\\-"))
            .expect("writing to a String does not fail");
    }
    page.push_str(".fi\n.SH SEE ALSO\nThe manual: /usr/share/doc/affectograph/manual/index.html\n");
    let file = tree.join("share/man/man1/affectograph.1");
    write(&file, &page)?;
    compress(&file)
}

/// Without a name and a time inside, so that two builds are the same.
fn compress(file: &Path) -> Result<(), String> {
    repository::run(repository::command("gzip")?.args(["-9", "--no-name"]).arg(file))
}

/// The files that git knows, so that nothing is packed that happens to lie there.
fn copy_committed(root: &Path, folder: &str, to: &Path) -> Result<(), String> {
    let listed = repository::output(repository::command("git")?.args(["ls-files", "--cached", folder]))?;
    for file in listed.lines() {
        copy(&root.join(file), &to.join(file))?;
    }
    if listed.is_empty() { Err(format!("{folder} has no committed file")) } else { Ok(()) }
}

#[cfg(unix)]
fn link(target: &str, path: &Path) -> Result<(), String> {
    make_folder_of(path)?;
    std::os::unix::fs::symlink(target, path).map_err(|e| failed(path, &e))
}

#[cfg(not(unix))]
fn link(_: &str, path: &Path) -> Result<(), String> {
    Err(format!("{}: the packages of Linux are built on Linux", path.display()))
}

/// Modes and times do not depend on the umask, on the checkout and on the hour of the build.
fn modes_and_times(release: &Release, tree: &Path) -> Result<(), String> {
    repository::run(repository::command("chmod")?.args(["--recursive", "u=rwX,go=rX"]).arg(tree))?;
    let plain = ["-type", "f", "!", "-path", "*/lib/affectograph/affectograph", "-exec", "chmod", "0644", "{}", "+"];
    repository::run(repository::command("find")?.arg(tree).args(plain))?;
    let time = format!("@{}", release.time_s);
    let touch = ["-exec", "touch", "--no-dereference", "--date", &time, "{}", "+"];
    repository::run(repository::command("find")?.arg(tree).args(touch))
}
