//! What can go wrong in this room, each as a sentence that says what failed, where, and what to do now.

use std::path::PathBuf;

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Error)]
pub enum VisionError {
    #[error(
        "ONNX Runtime's shared library was not found (looked at {}). Start affectograph with ./run, which installs it, \
         or set AFFECTOGRAPH_ONNXRUNTIME to the library's path",
        list(looked_at)
    )]
    RuntimeMissing { looked_at: Vec<PathBuf> },
    #[error(
        "AFFECTOGRAPH_ONNXRUNTIME says {}, but there is no ONNX Runtime library there. Correct it, or unset it to let \
         affectograph look for itself",
        path.display()
    )]
    RuntimeNotWhereSaid { path: PathBuf },
    #[error(
        "ONNX Runtime at {} is version {found}, and affectograph needs 1.{needed_minor} or newer. Run ./run again to \
         install the right one, or point AFFECTOGRAPH_ONNXRUNTIME to a newer one",
        path.display()
    )]
    RuntimeTooOld { path: PathBuf, found: String, needed_minor: u32 },
    #[error(
        "{} could not be loaded as ONNX Runtime: {why}. Run ./run again to install it anew, or point \
         AFFECTOGRAPH_ONNXRUNTIME to a good copy",
        path.display()
    )]
    RuntimeUnusable { path: PathBuf, why: String },

    #[error(
        "no folder `models` with networks was found in or above {}. Start affectograph from its own folder, or set \
         AFFECTOGRAPH_MODELS to the folder `models`",
        list(looked_above)
    )]
    ModelsFolderMissing { looked_above: Vec<PathBuf> },
    #[error("AFFECTOGRAPH_MODELS says {}, but there is no such folder. Correct it, or unset it", path.display())]
    ModelsFolderNotWhereSaid { path: PathBuf },
    #[error("{} cannot be read: {why}. A network is a folder with model.toml and its ONNX file", path.display())]
    ModelUnreadable { path: PathBuf, why: String },
    #[error("{}, line {line}, column {column}: {why}", path.display())]
    Card { path: PathBuf, line: usize, column: usize, why: String },
    #[error(
        "{} is not the file its model.toml describes: expected sha256 {expected}, found {found}. \
         Copy the network's folder again, or correct the sum if the file was replaced on purpose",
        path.display()
    )]
    WrongHash { path: PathBuf, expected: String, found: String },
    #[error("the network in {} is of kind `{found}`, expected `{expected}`", folder.display())]
    WrongKind { folder: PathBuf, expected: &'static str, found: String },
    /// Something in the network or its card that this program cannot use.
    #[error("the network `{model}` does not fit: {what} – expected {expected}, found {found}")]
    DoesNotFit { model: String, what: String, expected: String, found: String },
    #[error("the network `{model}` could not be loaded or run: {why}")]
    Network { model: String, why: String },

    #[error("{} cannot be read as a picture: {why}. PNG and JPEG are understood", path.display())]
    PictureUnreadable { path: PathBuf, why: String },
    #[error("a picture of {width_px}×{height_px} px does not fit {bytes} bytes of pixels")]
    PictureSize { width_px: u32, height_px: u32, bytes: usize },
    #[error(
        "the network `{model}` reads colours, and the picture is grey: choose a colour mode of the camera or another network"
    )]
    NeedsColour { model: String },
    /// `why` is the decoder's own sentence, which names the frame.
    #[error("{why}")]
    Decode { frame: u64, why: String },
    #[error(
        "the thread `vision` could not be started or ended badly: {why}. Stop the session; what was recorded is safe"
    )]
    Worker { why: String },
}

fn list(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    shown.join(", ")
}
