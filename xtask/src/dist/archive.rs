//! Packs the tree: tar.gz, .deb and .rpm, and their checksums.

use std::path::{Path, PathBuf};

use super::libraries::Needs;
use super::release::Release;
use super::sbom;
use crate::files::{copy, read, write};
use crate::repository;

/// Who answers for a package. A laboratory that gives packages to others sets its own name and address.
const MAINTAINER_VARIABLE: &str = "AFFECTOGRAPH_MAINTAINER";

pub fn maintainer() -> String {
    let named = std::env::var(MAINTAINER_VARIABLE).ok().filter(|name| !name.is_empty());
    named.unwrap_or_else(|| "The affectograph authors <maintainers@affectograph.invalid>".to_owned())
}

/// The tree below a folder with the version's name, so that several versions lie side by side.
pub fn tar_gz(release: &Release) -> Result<PathBuf, String> {
    let name = format!("affectograph-{}-linux-x86_64", release.version);
    let folder = release.root.join("build/dist").join(&name);
    repository::run(repository::command("cp")?.arg("--archive").arg(release.tree()).arg(&folder))?;
    let packaging = release.root.join("packaging");
    for (file, mode) in [("install.sh", "0755"), ("README.txt", "0644")] {
        repository::run(repository::command("install")?.args(["-m", mode]).arg(packaging.join(file)).arg(&folder))?;
    }
    let file = release.root.join("dist").join(format!("{name}.tar.gz"));
    let mut tar = repository::command("tar")?;
    tar.args(["--create", "--use-compress-program", "gzip -9 --no-name", "--sort=name", "--owner=0", "--group=0"]);
    tar.args(["--numeric-owner", "--format=gnu", &format!("--mtime=@{}", release.time_s)]);
    tar.arg("--file").arg(&file).arg("--directory").arg(release.root.join("build/dist")).arg(&name);
    repository::run(&mut tar)?;
    Ok(file)
}

pub fn packages(release: &Release, needs: &Needs) -> Result<Vec<PathBuf>, String> {
    let template = read(&release.root.join("packaging/nfpm.yaml"))?;
    let time = release.date("+%Y-%m-%dT%H:%M:%SZ")?;
    let text = fill(
        &template,
        &[
            ("VERSION", &[release.version.as_str()]),
            ("MAINTAINER", &[maintainer().as_str()]),
            ("TIME", &[time.as_str()]),
            ("DEB_DEPENDS", &needs.debian.iter().map(String::as_str).collect::<Vec<_>>()),
            ("RPM_DEPENDS", &needs.rpm.iter().map(String::as_str).collect::<Vec<_>>()),
        ],
    )?;
    let configuration = release.root.join("build/dist/nfpm.yaml");
    write(&configuration, &text)?;
    let files = [
        ("deb", format!("affectograph_{}_amd64.deb", release.version)),
        ("rpm", format!("affectograph-{}-1.x86_64.rpm", release.version)),
    ];
    let mut made = Vec::new();
    for (packager, name) in files {
        let file = release.root.join("dist").join(name);
        let mut nfpm = repository::command(release.root.join("build/tools/nfpm"))?;
        nfpm.arg("package")
            .arg("--config")
            .arg(&configuration)
            .args(["--packager", packager])
            .arg("--target")
            .arg(&file);
        // nfpm takes the times inside the packages from this variable.
        nfpm.env("SOURCE_DATE_EPOCH", release.time_s.to_string());
        repository::run(&mut nfpm)?;
        made.push(file);
    }
    Ok(made)
}

/// Replaces each line with `@NAME@` by one line for each value.
fn fill(template: &str, values: &[(&str, &[&str])]) -> Result<String, String> {
    let mut text = String::new();
    for line in template.lines() {
        let named = values.iter().find(|(name, _)| line.contains(&format!("\"@{name}@\"")));
        match named {
            None if line.contains("\"@") => {
                return Err(format!("packaging/nfpm.yaml: no value is known for {}", line.trim()));
            }
            None => text.extend([line, "\n"]),
            Some((name, all)) => {
                for value in *all {
                    text.push_str(&line.replace(&format!("@{name}@"), value));
                    text.push('\n');
                }
            }
        }
    }
    Ok(text)
}

pub fn bill_of_materials(release: &Release) -> Result<PathBuf, String> {
    let file = release.root.join("dist").join(format!("affectograph-{}.cdx.json", release.version));
    copy(&release.root.join(sbom::FILE), &file)?;
    Ok(file)
}

/// In the form that `sha256sum --check` reads, in the folder of the files.
pub fn checksums(release: &Release, files: &[PathBuf]) -> Result<(), String> {
    let folder = release.root.join("dist");
    let mut command = repository::command("sha256sum")?;
    command.current_dir(&folder).args(files.iter().filter_map(|file| Path::new(file).file_name()));
    let text = repository::output(&mut command)?;
    print!("{text}");
    write(&folder.join("SHA256SUMS"), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_becomes_one_line_for_each_value() {
        let template = "version: \"@VERSION@\"\ndepends:\n  - \"@DEPENDS@\"\n";
        let filled = fill(template, &[("VERSION", &["1.0"]), ("DEPENDS", &["libc6 (>= 2.34)", "libx11-6"])]).unwrap();
        assert_eq!(filled, "version: \"1.0\"\ndepends:\n  - \"libc6 (>= 2.34)\"\n  - \"libx11-6\"\n");
        assert!(fill(template, &[("VERSION", &["1.0"])]).is_err(), "a value is missing");
    }
}
