//! Finds liblsl and loads it once per process. Only this file has the paths of the library.

use std::ffi::{CStr, c_char};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use libloading::Library;

use super::LslError;
use super::api::Api;

/// The variable with the path of liblsl or of its folder. If it is set, nothing else is searched.
pub const LIBRARY_VARIABLE: &str = "AFFECTOGRAPH_LIBLSL";

pub(crate) struct Loaded {
    pub api: Api,
    pub path: PathBuf,
}

/// Finds and loads the library at the first call. Later calls return the same result or error. The library stays loaded until
/// the process ends, because its threads may run as long.
///
/// The search order is `$AFFECTOGRAPH_LIBLSL`, the folder of the executable, `build/liblsl/` in any folder above the executable
/// or the current folder, and the paths of the system's loader.
pub(crate) fn library() -> Result<&'static Loaded, LslError> {
    static LOADED: OnceLock<Result<Loaded, LslError>> = OnceLock::new();
    LOADED.get_or_init(find_and_load).as_ref().map_err(Clone::clone)
}

fn find_and_load() -> Result<Loaded, LslError> {
    if let Some(named) = std::env::var_os(LIBRARY_VARIABLE).filter(|v| !v.is_empty()) {
        let named = std::path::absolute(&named).unwrap_or_else(|_| PathBuf::from(&named));
        let path = if named.is_dir() { library_in(&named) } else { Some(named.clone()).filter(|p| p.is_file()) };
        return load(path.ok_or(LslError::LibraryNotAtVariable { path: named })?);
    }
    let mut searched = folders_to_search();
    if let Some(path) = searched.iter().find_map(|folder| library_in(folder)) {
        return load(path);
    }
    for name in SYSTEM_NAMES {
        match load(PathBuf::from(name)) {
            Err(LslError::LibraryUnusable { .. }) => searched.push(PathBuf::from(name)),
            other => return other,
        }
    }
    Err(LslError::LibraryMissing { searched })
}

fn load(path: PathBuf) -> Result<Loaded, LslError> {
    let unusable = |e: libloading::Error| LslError::LibraryUnusable { path: path.clone(), why: e.to_string() };
    // SAFETY: liblsl's initialisers only prepare its own state. A file with its name that is another library lacks its
    // functions, and `Api::of` reports that.
    let api = unsafe { Api::of(Library::new(&path).map_err(unusable)?) }.map_err(unusable)?;
    // SAFETY: the function takes nothing and returns a string that lives as long as the library.
    let info = unsafe { text((api.lsl_library_info)()) };
    tracing::debug!("liblsl at {}: {info}", path.display());
    Ok(Loaded { api, path })
}

/// Invalid UTF-8 becomes U+FFFD. A null pointer becomes an empty text.
///
/// # Safety
/// `from` is null or points to a string that ends with NUL.
pub(crate) unsafe fn text(from: *const c_char) -> String {
    if from.is_null() {
        return String::new();
    }
    // SAFETY: promised by the caller.
    unsafe { CStr::from_ptr(from) }.to_string_lossy().into_owned()
}

#[cfg(target_os = "windows")]
const SYSTEM_NAMES: [&str; 1] = ["lsl.dll"];
#[cfg(target_os = "macos")]
const SYSTEM_NAMES: [&str; 1] = ["liblsl.dylib"];
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const SYSTEM_NAMES: [&str; 2] = ["liblsl.so", "liblsl.so.2"];

fn folders_to_search() -> Vec<PathBuf> {
    let executable = std::env::current_exe().ok();
    let beside = executable.as_deref().and_then(Path::parent).map(Path::to_owned);
    let current = std::env::current_dir().ok();
    let built = |above: &Path| above.join("build").join("liblsl");
    let starts = beside.iter().chain(&current);
    let above = starts.flat_map(|start| start.ancestors()).map(built).filter(|folder| folder.is_dir());
    let mut folders: Vec<PathBuf> = beside.iter().cloned().chain(above).collect();
    // Listed even if it does not exist: ./run installs the library there.
    folders.extend(current.as_deref().map(built));
    folders.dedup();
    folders
}

/// The library in a folder, with any version in its name. If there are several, the last name in order.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let is_library = |name: &str| {
        if cfg!(target_os = "windows") {
            name.eq_ignore_ascii_case("lsl.dll") || name.eq_ignore_ascii_case("liblsl.dll")
        } else if cfg!(target_os = "macos") {
            name.starts_with("liblsl.") && name.ends_with(".dylib")
        } else {
            name == "liblsl.so" || name.starts_with("liblsl.so.")
        }
    };
    let entries = std::fs::read_dir(folder).ok()?;
    let found = entries.flatten().map(|e| e.path());
    found.filter(|p| p.is_file() && p.file_name().is_some_and(|n| n.to_str().is_some_and(is_library))).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_library_is_refused_with_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("liblsl.so");
        std::fs::write(&path, b"no library").unwrap();
        assert_eq!(library_in(folder.path()), Some(path.clone()));
        let refused = load(path).err().unwrap().to_string();
        assert!(refused.contains("could not be loaded as liblsl"), "{refused}");
        if cfg!(target_os = "linux") {
            let refused = load(PathBuf::from("libc.so.6")).err().unwrap().to_string();
            assert!(refused.contains("lsl_library_info"), "{refused}");
        }
    }
}
