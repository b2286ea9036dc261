//! The place of the installed manual.

use std::path::{Path, PathBuf};

/// The manual's first page in each place where a package, or `cargo xtask manual`, puts it.
pub fn find() -> Option<PathBuf> {
    // The command in PATH is a link to the program.
    let program = std::env::current_exe().and_then(std::fs::canonicalize).ok();
    let folder = program.as_deref().and_then(Path::parent);
    places(folder, Path::new(env!("CARGO_MANIFEST_DIR"))).into_iter().find(|page| page.is_file())
}

/// `program_folder` contains the program. `sources` is where it was built.
fn places(program_folder: Option<&Path>, sources: &Path) -> Vec<PathBuf> {
    let installed = program_folder.into_iter().flat_map(|folder| {
        // Packages of Linux have lib/affectograph/affectograph and share/doc. An archive of Windows has one folder.
        [folder.join("../../share/doc/affectograph/manual/index.html"), folder.join("manual/index.html")]
    });
    installed.chain([sources.join("build/manual/html/index.html")]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_of_a_package_comes_before_that_of_the_sources() {
        let folder = tempfile::tempdir().unwrap();
        let page = |path: &str| {
            let page = folder.path().join(path);
            std::fs::create_dir_all(page.parent().unwrap()).unwrap();
            std::fs::write(&page, "<!DOCTYPE html>").unwrap();
            page.canonicalize().unwrap()
        };
        let program_folder = folder.path().join("usr/lib/affectograph");
        std::fs::create_dir_all(&program_folder).unwrap();
        let sources = folder.path().join("sources");
        let found = || {
            let page = places(Some(&program_folder), &sources).into_iter().find(|page| page.is_file());
            page.map(|page| page.canonicalize().unwrap())
        };
        assert_eq!(found(), None);
        let of_sources = page("sources/build/manual/html/index.html");
        assert_eq!(found(), Some(of_sources));
        let of_package = page("usr/share/doc/affectograph/manual/index.html");
        assert_eq!(found(), Some(of_package));
    }
}
