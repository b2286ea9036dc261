//! The shared libraries that the program needs, and the packages that have them. All of it is read from the program.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::release::Release;
use crate::files::{read, write};
use crate::repository;

pub struct Needs {
    /// The oldest version of glibc with all functions that the program calls.
    pub glibc: String,
    /// Entries of `Depends` of the .deb.
    pub debian: Vec<String>,
    /// Entries of `Requires` of the .rpm.
    pub rpm: Vec<String>,
    /// One line per library, for install.sh: its name, and Debian's package.
    pub table: String,
}

impl Needs {
    pub fn of(release: &Release) -> Result<Needs, String> {
        let onnxruntime = release.root.join("build/onnxruntime/libonnxruntime.so");
        let binaries = [release.program.as_path(), onnxruntime.as_path(), release.liblsl.file.as_path()];
        let mut linked = BTreeSet::new();
        let mut glibc = Vec::new();
        for binary in binaries {
            linked.extend(linked_libraries(binary)?);
            glibc.extend(glibc_versions(binary)?);
        }
        let listed = read(&release.root.join("packaging/opened-libraries.txt"))?;
        let opened: Vec<&str> = listed.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();

        let mut debian = linked_packages(release, &binaries)?;
        let mut table = String::new();
        let all: BTreeSet<&str> = linked.iter().map(String::as_str).chain(opened.iter().copied()).collect();
        for library in &all {
            let package = debian_package(library)?;
            writeln!(table, "{library}\t{package}").expect("writing to a String does not fail");
            if opened.contains(library) && !debian.iter().any(|entry| entry.split(' ').next() == Some(&package)) {
                debian.push(package);
            }
        }
        debian.sort();
        Ok(Needs {
            glibc: glibc.into_iter().max().map(|(major, minor)| format!("{major}.{minor}")).unwrap_or_default(),
            debian,
            // A package of RPM provides its libraries by these names, whatever the distribution calls it.
            rpm: all
                .iter()
                .filter(|name| !name.starts_with("ld-linux"))
                .map(|name| format!("{name}()(64bit)"))
                .collect(),
            table,
        })
    }
}

fn linked_libraries(binary: &Path) -> Result<Vec<String>, String> {
    let text = repository::output(repository::command("objdump")?.arg("-p").arg(binary))?;
    Ok(text.lines().filter_map(|line| line.trim().strip_prefix("NEEDED")).map(|name| name.trim().to_owned()).collect())
}

/// Versions of glibc in the list of imported functions, as numbers.
fn glibc_versions(binary: &Path) -> Result<Vec<(u32, u32)>, String> {
    let text = repository::output(repository::command("objdump")?.arg("-T").arg(binary))?;
    Ok(text.lines().filter_map(glibc_version).collect())
}

fn glibc_version(line: &str) -> Option<(u32, u32)> {
    let (_, rest) = line.split_once("GLIBC_")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit() && c != '.').next()?;
    let mut parts = digits.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

/// What dpkg-shlibdeps reads from the programs' symbols: packages with their least versions.
fn linked_packages(release: &Release, binaries: &[&Path]) -> Result<Vec<String>, String> {
    let folder = release.root.join("build/dist/shlibdeps");
    // dpkg-shlibdeps reads the name of a package from this file and nothing else.
    write(&folder.join("debian/control"), "Source: affectograph\n\nPackage: affectograph\nArchitecture: amd64\n")?;
    let mut command = repository::command("dpkg-shlibdeps")?;
    command
        .current_dir(&folder)
        .args(["-O", "--warnings=0"])
        .args(binaries.iter().map(|binary| format!("-e{}", binary.display())));
    let text = repository::output(&mut command)?;
    let list = text.lines().find_map(|line| line.strip_prefix("shlibs:Depends="));
    let list = list.ok_or("dpkg-shlibdeps printed no shlibs:Depends")?;
    Ok(list.split(',').map(|entry| entry.trim().to_owned()).collect())
}

/// Debian's package with a library, without the architecture.
fn debian_package(library: &str) -> Result<String, String> {
    let text = repository::output(repository::command("dpkg-query")?.args(["--search", &format!("*/{library}")]))?;
    let package = text.lines().filter_map(|line| line.split_once(':')).map(|(package, _)| package.to_owned()).next();
    package.ok_or_else(|| format!("no installed package has {library}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_of_glibc_is_read_and_compared_as_numbers() {
        let lines = [
            "0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.2.5) free",
            "0000000000000000      DF *UND*\t0000000000000000 (GLIBC_2.34) dlopen",
            "0000000000000000      DF *UND*\t0000000000000000 (GLIBCXX_3.4.30) other",
            "0000000000000000      DF *UND*\t0000000000000000  Base        own",
        ];
        assert_eq!(lines.iter().filter_map(|line| glibc_version(line)).max(), Some((2, 34)));
        assert_eq!(lines.iter().filter_map(|line| glibc_version(line)).count(), 2);
    }
}
