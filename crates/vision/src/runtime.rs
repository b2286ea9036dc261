//! Finds ONNX Runtime and loads it once per process. Only this file has the names of its library.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ort::environment::Environment;
use ort::logging::LogLevel;
use ort::session::Session;
use ort::session::builder::GraphOptimizationLevel;

use super::VisionError;
use native_library::{NativeLibrary, NotLoaded};

/// The variable with the path of ONNX Runtime's library or of its folder. If it is set, nothing else is searched.
pub const RUNTIME_VARIABLE: &str = "AFFECTOGRAPH_ONNXRUNTIME";

const LIBRARY: NativeLibrary = NativeLibrary {
    variable: RUNTIME_VARIABLE,
    folder: "onnxruntime",
    windows: &["onnxruntime.dll"],
    stem: "libonnxruntime",
    system: if cfg!(target_os = "windows") {
        &["onnxruntime.dll"]
    } else if cfg!(target_os = "macos") {
        &["libonnxruntime.dylib"]
    } else {
        &["libonnxruntime.so", "libonnxruntime.so.1"]
    },
};

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
        let is_unusable = |e: &VisionError| matches!(e, VisionError::RuntimeUnusable { .. });
        LIBRARY.find_and_load(Runtime::load, is_unusable).map_err(|e| match e {
            NotLoaded::NotAtVariable { path } => VisionError::RuntimeNotAtVariable { path },
            NotLoaded::Missing { searched } => VisionError::RuntimeMissing { searched },
            NotLoaded::Failed(e) => e,
        })
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
