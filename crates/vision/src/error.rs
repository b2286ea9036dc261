//! The errors of this crate. Each message contains what failed, where, and what to do.

use std::path::PathBuf;

use thiserror::Error;

#[derive(Clone, Debug, PartialEq, Error)]
pub enum VisionError {
    #[error(
        "ONNX Runtime's shared library was not found in {}. Install affectograph again (in a checkout, start ./run, which \
         installs it), or set AFFECTOGRAPH_ONNXRUNTIME to the path of the library",
        list(searched)
    )]
    RuntimeMissing { searched: Vec<PathBuf> },
    #[error(
        "AFFECTOGRAPH_ONNXRUNTIME is {}, but no ONNX Runtime library is there. Correct the variable, or unset it so that \
         affectograph searches for the library",
        path.display()
    )]
    RuntimeNotAtVariable { path: PathBuf },
    #[error(
        "ONNX Runtime at {} is version {found}. affectograph needs 1.{needed_minor} or newer. Run ./run again to install \
         it, or set AFFECTOGRAPH_ONNXRUNTIME to a newer library",
        path.display()
    )]
    RuntimeTooOld { path: PathBuf, found: String, needed_minor: u32 },
    #[error(
        "{} could not be loaded as ONNX Runtime: {why}. Run ./run again to reinstall it, or set \
         AFFECTOGRAPH_ONNXRUNTIME to an intact copy",
        path.display()
    )]
    RuntimeUnusable { path: PathBuf, why: String },

    #[error(
        "no folder `models` with networks was found in {} or above. Install affectograph again (in a checkout, start it there), \
         or set AFFECTOGRAPH_MODELS to the folder `models`",
        list(searched)
    )]
    ModelsFolderMissing { searched: Vec<PathBuf> },
    #[error("AFFECTOGRAPH_MODELS is {}, but this folder does not exist. Correct the variable, or unset it", path.display())]
    ModelsFolderNotAtVariable { path: PathBuf },
    #[error("{} cannot be read: {why}. A network is a folder with model.toml and an ONNX file", path.display())]
    ModelUnreadable { path: PathBuf, why: String },
    #[error("{}, line {line}, column {column}: {why}", path.display())]
    Card { path: PathBuf, line: usize, column: usize, why: String },
    #[error(
        "{} does not have the checksum in its model.toml: expected sha256 {expected}, found {found}. \
         Copy the network's folder again, or correct `sha256` if the file was replaced on purpose",
        path.display()
    )]
    WrongHash { path: PathBuf, expected: String, found: String },
    #[error("the network in {} is of kind `{found}`, expected `{expected}`", folder.display())]
    WrongKind { folder: PathBuf, expected: &'static str, found: String },
    /// The network or its card has a property that this program does not support.
    #[error(
        "the network `{model}` cannot be used: {what} – expected {expected}, found {found}. Correct its model.toml or export it again"
    )]
    DoesNotFit { model: String, what: String, expected: String, found: String },
    #[error("the network `{model}` could not be loaded or run: {why}")]
    Network { model: String, why: String },

    #[error("{} cannot be read as a picture: {why}. PNG and JPEG are supported", path.display())]
    PictureUnreadable { path: PathBuf, why: String },
    #[error("a picture of {width_px}×{height_px} px cannot have {bytes} bytes of pixels")]
    PictureSize { width_px: u32, height_px: u32, bytes: usize },
    #[error(
        "the network `{model}` needs colours, but the picture is grey: choose a colour mode of the camera, or another network"
    )]
    NeedsColour { model: String },
    /// `why` is the decoder's message. It contains the frame number.
    #[error("{why}")]
    Decode { frame: u64, why: String },
    #[error("the thread `vision` could not be started or failed: {why}. Stop the session. The recorded data is safe")]
    Worker { why: String },
}

fn list(paths: &[PathBuf]) -> String {
    let shown: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    shown.join(", ")
}
