//! `cargo xtask dist [--program FILE]`: builds the packages of Linux into dist/. Without `--program`, the release program is built
//! first. With it, a program that was built before is packed.
//!
//! All packages contain the same tree, so that one test of the tree holds for all. Files have the time of the newest commit.

mod archive;
mod libraries;
mod release;
mod sbom;
mod tree;

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::files::{failed, read, recreate};
use crate::{manual, notices, repository};
use libraries::Needs;
use release::{Liblsl, Release};

pub fn run(arguments: &[String]) -> Result<(), String> {
    let given = match arguments {
        [] => None,
        [option, file] if option == "--program" => Some(PathBuf::from(file)),
        _ => return Err("cargo xtask dist [--program FILE]".to_owned()),
    };
    let root = repository::root()?;
    repository::run(&mut repository::command("scripts/prepare-dist")?)?;
    let built = match given {
        Some(file) => std::path::absolute(&file).map_err(|e| failed(&file, &e))?,
        None => build(&root)?,
    };
    let version = version_of(&built)?;
    let time_s = newest_commit_s()?;
    recreate(&root.join("build/dist"))?;
    let program = stripped(&built, &root.join("build/dist/affectograph"))?;
    let liblsl = liblsl(&root)?;
    let release = Release { root, version, time_s, program, liblsl };

    notices::run(&[])?;
    manual::run(&[])?;
    let needs = Needs::of(&release)?;
    sbom::create(&release)?;
    tree::lay(&release, &needs)?;

    recreate(&release.root.join("dist"))?;
    let mut made = vec![archive::tar_gz(&release)?];
    made.extend(archive::packages(&release, &needs)?);
    made.push(archive::bill_of_materials(&release)?);
    archive::checksums(&release, &made)?;
    println!("glibc {} or newer, measured with objdump -T", needs.glibc);
    println!("Depends: {}", needs.debian.join(", "));
    Ok(())
}

fn build(root: &Path) -> Result<PathBuf, String> {
    repository::run(repository::cargo()?.args(["build", "--release", "--locked"]))?;
    let folder = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
    Ok(root.join(folder).join("release/affectograph"))
}

/// The version that the program states. It must be the version of the sources.
fn version_of(program: &Path) -> Result<String, String> {
    let text = repository::output(repository::command(program)?.args(["--version", "--json"]))?;
    let stated: Value = serde_json::from_str(&text).map_err(|e| format!("{}: {e}", program.display()))?;
    let stated = stated["version"].as_str().ok_or_else(|| format!("{} states no version", program.display()))?;
    let text = repository::output(repository::cargo()?.args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|e| format!("cargo metadata: {e}"))?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let ours = packages.iter().find(|package| package["name"] == "affectograph");
    let ours = ours.and_then(|package| package["version"].as_str()).unwrap_or_default();
    if stated == ours {
        Ok(stated.to_owned())
    } else {
        Err(format!("{} is version {stated}, and the sources are version {ours}", program.display()))
    }
}

fn newest_commit_s() -> Result<u64, String> {
    let text = repository::output(repository::command("git")?.args(["log", "-1", "--format=%ct"]))?;
    text.trim().parse().map_err(|e| format!("git log: {e}"))
}

/// A copy without symbols. They are most of an unstripped program, and Debian's rules forbid them.
fn stripped(built: &Path, copy: &Path) -> Result<PathBuf, String> {
    std::fs::copy(built, copy).map_err(|e| failed(built, &e))?;
    repository::run(repository::command("strip")?.arg(copy))?;
    Ok(copy.to_owned())
}

/// The wheel's library without symbols and without its search path. The path's entries are empty, and the loader takes an empty
/// entry as the current folder: a library there would be run.
fn liblsl(root: &Path) -> Result<Liblsl, String> {
    let folder = root.join("build/liblsl");
    let entries = std::fs::read_dir(&folder).map_err(|e| failed(&folder, &e))?;
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let version = names.filter_map(|name| name.strip_prefix("liblsl.so.").map(str::to_owned)).max();
    let version = version.ok_or_else(|| format!("{} has no liblsl.so with a version", folder.display()))?;
    let built = folder.join(format!("liblsl.so.{version}"));
    let file = stripped(&built, &root.join("build/dist/liblsl.so"))?;
    repository::run(repository::command("chrpath")?.arg("--delete").arg(&file))?;
    let wheel = read(&folder.join("VERSION"))?.trim().to_owned();
    Ok(Liblsl { file, version, wheel })
}

#[cfg(test)]
mod tests {
    use crate::files::read;
    use crate::repository;

    #[test]
    fn the_citation_names_this_version() {
        let root = repository::root().unwrap();
        let manifest = read(&root.join("Cargo.toml")).unwrap();
        let version = manifest.lines().find_map(|line| line.strip_prefix("version = ")).unwrap().trim_matches('"');
        for (file, line) in
            [("CITATION.cff", format!("version: {version}")), ("docs/citing.md", format!("version = {{{version}}}"))]
        {
            assert!(read(&root.join(file)).unwrap().contains(&line), "{file} names another version than {version}");
        }
    }
}
