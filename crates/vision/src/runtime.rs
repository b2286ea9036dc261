//! Finds ONNX Runtime and loads it once per process. Only this file has the paths of its library.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::VisionError;

/// The variable with the path of ONNX Runtime's library or of its folder. If it is set, nothing else is searched.
pub const RUNTIME_VARIABLE: &str = "AFFECTOGRAPH_ONNXRUNTIME";

/// The loaded library. Cheap to clone; it stays loaded until the process ends.
#[derive(Clone)]
pub struct Runtime {
    environment: Environment,
    path: PathBuf,
}

impl std::fmt::Debug for Runtime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Runtime").field("path", &self.path).finish()
    }
}

impl Runtime {
    /// Finds and loads the library at the first call. Later calls return the same result or error.
    ///
    /// The search order is `$AFFECTOGRAPH_ONNXRUNTIME`, the folder of the executable, `build/onnxruntime/` in any folder
    /// above the executable or the current folder, and the paths of the system's loader.
    pub fn get() -> Result<Runtime, VisionError> {
        static LOADED: OnceLock<Result<Runtime, VisionError>> = OnceLock::new();
        LOADED.get_or_init(Runtime::find_and_load).clone()
    }

    /// The path of the library, or only its name if the system's loader found it.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Builds a network from its ONNX bytes: one thread, no spinning, all optimisations. The error is ONNX Runtime's message.
    pub fn session(&self, onnx: &[u8]) -> Result<Session, String> {
        fn text<T>(e: ort::Error<T>) -> String {
            e.message().to_owned()
        }
        Session::builder(&self.environment)
            .map_err(text)?
            .with_optimization_level(GraphOptimizationLevel::All)
            .map_err(text)?
            // For these small networks, a second thread does not shorten the latency but uses a second core in each frame.
            .with_intra_threads(1)
            .map_err(text)?
            .with_inter_threads(1)
            .map_err(text)?
            .with_intra_op_spinning(false)
            .map_err(text)?
            .commit_from_memory(onnx)
            .map_err(text)
    }

    fn find_and_load() -> Result<Runtime, VisionError> {
        if let Some(named) = std::env::var_os(RUNTIME_VARIABLE).filter(|v| !v.is_empty()) {
            let named = std::path::absolute(&named).unwrap_or_else(|_| PathBuf::from(&named));
            let path = if named.is_dir() { library_in(&named) } else { Some(named.clone()).filter(|p| p.is_file()) };
            return Runtime::load(path.ok_or(VisionError::RuntimeNotAtVariable { path: named })?);
        }
        let mut searched = folders_to_search();
        if let Some(path) = searched.iter().find_map(|folder| library_in(folder)) {
            return Runtime::load(path);
        }
        for name in SYSTEM_NAMES {
            match Runtime::load(PathBuf::from(name)) {
                Err(VisionError::RuntimeUnusable { .. }) => searched.push(PathBuf::from(name)),
                other => return other,
            }
        }
        Err(VisionError::RuntimeMissing { searched })
    }

    fn load(path: PathBuf) -> Result<Runtime, VisionError> {
        let unusable = |why: String| VisionError::RuntimeUnusable { path: path.clone(), why };
        let builder = ort::init_from(&path).map_err(|e| match e {
            ort::LoadDynamicError::BadVersion { version_str, .. } => {
                VisionError::RuntimeTooOld { path: path.clone(), found: version_str, needed_minor: ort::MINOR_VERSION }
            }
            ort::LoadDynamicError::Dlopen { error, .. } => unusable(error.to_string()),
            ort::LoadDynamicError::MissingApi { .. } => unusable("it is another library".to_owned()),
            other => unusable(other.to_string()),
        })?;
        let environment = builder
            .with_name("affectograph")
            .with_telemetry(false)
            .build()
            .map_err(|e| unusable(e.message().to_owned()))?;
        // Formatting messages below the level of warnings costs time in each run.
        environment.set_log_level(LogLevel::Warning);
        Ok(Runtime { environment, path })
    }
}

#[cfg(target_os = "windows")]
const SYSTEM_NAMES: [&str; 1] = ["onnxruntime.dll"];
#[cfg(target_os = "macos")]
const SYSTEM_NAMES: [&str; 1] = ["libonnxruntime.dylib"];
#[cfg(not(any(target_os = "windows", target_os = "macos")))]
const SYSTEM_NAMES: [&str; 2] = ["libonnxruntime.so", "libonnxruntime.so.1"];

fn folders_to_search() -> Vec<PathBuf> {
    let executable = std::env::current_exe().ok();
    let beside = executable.as_deref().and_then(Path::parent).map(Path::to_owned);
    let current = std::env::current_dir().ok();
    let built = |above: &Path| above.join("build").join("onnxruntime");
    let starts = beside.iter().chain(&current);
    let above = starts.flat_map(|start| start.ancestors()).map(built).filter(|folder| folder.is_dir());
    let mut folders: Vec<PathBuf> = beside.iter().cloned().chain(above).collect();
    // Listed even if it does not exist: ./run installs the library there.
    folders.extend(current.as_deref().map(built));
    folders.dedup();
    folders
}

/// The runtime's library in a folder, with any version in its name. If there are several, the last name in order.
fn library_in(folder: &Path) -> Option<PathBuf> {
    let is_library = |name: &str| {
        if cfg!(target_os = "windows") {
            name.eq_ignore_ascii_case("onnxruntime.dll")
        } else if cfg!(target_os = "macos") {
            name.starts_with("libonnxruntime.") && name.ends_with(".dylib")
        } else {
            name == "libonnxruntime.so" || name.starts_with("libonnxruntime.so.")
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
    fn the_library_is_told_from_its_neighbours() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(library_in(folder.path()), None);
        for name in ["libonnxruntime_providers_shared.so", "onnxruntime.txt", "libonnxruntime.so.1.32.0"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        if cfg!(target_os = "linux") {
            assert_eq!(library_in(folder.path()), Some(folder.path().join("libonnxruntime.so.1.32.0")));
        }
    }
}
