//! Finds liblsl and loads it once per process. Only this file has the names of the library.

use std::ffi::{CStr, c_char};
use std::path::PathBuf;
use std::sync::OnceLock;

use libloading::Library;

use super::LslError;
use super::api::Api;
use native_library::{NativeLibrary, NotLoaded};

/// The variable with the path of liblsl or of its folder. If it is set, nothing else is searched.
pub const LIBRARY_VARIABLE: &str = "AFFECTOGRAPH_LIBLSL";

const LIBRARY: NativeLibrary = NativeLibrary {
    variable: LIBRARY_VARIABLE,
    folder: "liblsl",
    windows: &["lsl.dll", "liblsl.dll"],
    stem: "liblsl",
    system: if cfg!(target_os = "windows") {
        &["lsl.dll"]
    } else if cfg!(target_os = "macos") {
        &["liblsl.dylib"]
    } else {
        &["liblsl.so", "liblsl.so.2"]
    },
};

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
    let is_unusable = |e: &LslError| matches!(e, LslError::LibraryUnusable { .. });
    LIBRARY.find_and_load(load, is_unusable).map_err(|e| match e {
        NotLoaded::NotAtVariable { path } => LslError::LibraryNotAtVariable { path },
        NotLoaded::Missing { searched } => LslError::LibraryMissing { searched },
        NotLoaded::Failed(e) => e,
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_library_is_refused_with_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("liblsl.so");
        std::fs::write(&path, b"no library").unwrap();
        let refused = load(path).err().unwrap().to_string();
        assert!(refused.contains("could not be loaded as liblsl"), "{refused}");
        if cfg!(target_os = "linux") {
            let refused = load(PathBuf::from("libc.so.6")).err().unwrap().to_string();
            assert!(refused.contains("lsl_library_info"), "{refused}");
        }
    }
}
