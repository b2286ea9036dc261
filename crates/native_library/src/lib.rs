//! Finds the shared libraries that the program loads while it runs. Without such a library the rest of the program works.

use std::path::{Path, PathBuf};

/// The names of a library and its places.
pub struct NativeLibrary {
    /// The variable with the path of the library or of its folder. If it is set, nothing else is searched.
    pub variable: &'static str,
    /// The folder below `build/` into which `./run` installs it.
    pub folder: &'static str,
    /// Its file names on Windows, in lower case.
    pub windows: &'static [&'static str],
    /// Its name elsewhere, without the ending: `liblsl`.
    pub stem: &'static str,
    /// The names that the system's loader is asked for.
    pub system: &'static [&'static str],
}

/// Why a library was not loaded.
#[derive(Debug, PartialEq)]
pub enum NotLoaded<E> {
    /// The variable is set, and the library is not at this path.
    NotAtVariable { path: PathBuf },
    /// It is in none of these places.
    Missing { searched: Vec<PathBuf> },
    /// It was found. Loading it failed.
    Failed(E),
}

impl NativeLibrary {
    /// Searches the library and loads it with `load`. `is_unusable` tells whether an error of `load` may mean that the system's loader
    /// does not know the name.
    ///
    /// The search order is the variable, the folder of the executable, `build/FOLDER/` in any folder above the executable or the
    /// current folder, and the paths of the system's loader.
    pub fn find_and_load<T, E>(
        &self,
        load: impl Fn(PathBuf) -> Result<T, E>,
        is_unusable: impl Fn(&E) -> bool,
    ) -> Result<T, NotLoaded<E>> {
        if let Some(named) = std::env::var_os(self.variable).filter(|v| !v.is_empty()) {
            let named = std::path::absolute(&named).unwrap_or_else(|_| PathBuf::from(&named));
            let path = if named.is_dir() { self.within(&named) } else { Some(named.clone()).filter(|p| p.is_file()) };
            return load(path.ok_or(NotLoaded::NotAtVariable { path: named })?).map_err(NotLoaded::Failed);
        }
        let mut searched = self.folders_to_search();
        if let Some(path) = searched.iter().find_map(|folder| self.within(folder)) {
            return load(path).map_err(NotLoaded::Failed);
        }
        for name in self.system {
            match load(PathBuf::from(name)) {
                Err(e) if is_unusable(&e) => searched.push(PathBuf::from(name)),
                other => return other.map_err(NotLoaded::Failed),
            }
        }
        Err(NotLoaded::Missing { searched })
    }

    fn folders_to_search(&self) -> Vec<PathBuf> {
        let executable = std::env::current_exe().ok();
        let beside = executable.as_deref().and_then(Path::parent).map(Path::to_owned);
        let current = std::env::current_dir().ok();
        let built = |above: &Path| above.join("build").join(self.folder);
        let starts = beside.iter().chain(&current);
        let above = starts.flat_map(|start| start.ancestors()).map(built).filter(|folder| folder.is_dir());
        let mut folders: Vec<PathBuf> = beside.iter().cloned().chain(above).collect();
        // Listed even if it does not exist: ./run installs the library there.
        folders.extend(current.as_deref().map(built));
        folders.dedup();
        folders
    }

    /// The library in a folder, with any version in its name. If there are several, the last name in order.
    fn within(&self, folder: &Path) -> Option<PathBuf> {
        let entries = std::fs::read_dir(folder).ok()?;
        let found = entries.flatten().map(|e| e.path());
        found
            .filter(|p| p.is_file() && p.file_name().is_some_and(|n| n.to_str().is_some_and(|n| self.is_name(n))))
            .max()
    }

    fn is_name(&self, name: &str) -> bool {
        if cfg!(target_os = "windows") {
            return self.windows.iter().any(|own| name.eq_ignore_ascii_case(own));
        }
        let Some(ending) = name.strip_prefix(self.stem) else { return false };
        if cfg!(target_os = "macos") {
            ending.starts_with('.') && ending.ends_with(".dylib")
        } else {
            ending == ".so" || ending.starts_with(".so.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: NativeLibrary = NativeLibrary {
        variable: "AFFECTOGRAPH_TEST_OF_A_LIBRARY",
        folder: "onnxruntime",
        windows: &["onnxruntime.dll"],
        stem: "libonnxruntime",
        system: &[],
    };

    #[test]
    fn the_library_is_told_from_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(LIBRARY.within(folder.path()), None);
        for name in ["libonnxruntime_providers_shared.so", "onnxruntime.txt", "libonnxruntime.so.1.32.0"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        if cfg!(target_os = "linux") {
            assert_eq!(LIBRARY.within(folder.path()), Some(folder.path().join("libonnxruntime.so.1.32.0")));
        }
    }

    #[test]
    fn a_name_that_the_system_does_not_know_is_a_place_that_was_searched() {
        let library = NativeLibrary { folder: "no such folder", stem: "libnone", system: &["one", "two"], ..LIBRARY };
        let load = |path: PathBuf| if path == Path::new("two") { Ok("two") } else { Err("unknown") };
        assert_eq!(library.find_and_load(load, |_| true), Ok("two"));
        assert_eq!(library.find_and_load(load, |_| false), Err(NotLoaded::Failed("unknown")));
        let missing = library.find_and_load(|_| Err::<(), _>("unknown"), |_| true);
        let Err(NotLoaded::Missing { searched }) = missing else { panic!("{missing:?}") };
        assert!(searched.ends_with(&[PathBuf::from("one"), PathBuf::from("two")]), "{searched:?}");
    }
}
