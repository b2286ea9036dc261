//! Lists the installed networks with their cards, for `affectograph models` and the set-up screen.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::VisionError;
use super::model::{CARD_FILE, ModelCard};

/// The variable with the folder of the networks. If it is set, no other folder is searched.
pub const MODELS_VARIABLE: &str = "AFFECTOGRAPH_MODELS";

/// The folder that has one folder per network: `$AFFECTOGRAPH_MODELS`, or `models` beside the executable or in any folder
/// above it or above the current one.
pub fn models_folder() -> Result<PathBuf, VisionError> {
    if let Some(folder) = std::env::var_os(MODELS_VARIABLE).filter(|v| !v.is_empty()) {
        let folder = PathBuf::from(folder);
        return if folder.is_dir() { Ok(folder) } else { Err(VisionError::ModelsFolderNotAtVariable { path: folder }) };
    }
    let executable = std::env::current_exe().ok();
    let beside = executable.as_deref().and_then(Path::parent).map(Path::to_owned);
    let starts: Vec<PathBuf> = beside.into_iter().chain(std::env::current_dir().ok()).collect();
    let folders = starts.iter().flat_map(|start| start.ancestors()).map(|above| above.join("models"));
    let found = folders.into_iter().find(|folder| contains_card(folder));
    found.ok_or(VisionError::ModelsFolderMissing { searched: starts })
}

/// Other programs have folders with the name `models`, too.
fn contains_card(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|e| e.path().join(CARD_FILE)).any(|card| card.is_file())
}

/// One folder with a network, with its card or with the reason why it cannot be used.
#[derive(Clone, Debug, Serialize)]
pub struct InstalledModel {
    /// The value of `affect_model` in a study that uses it.
    pub folder: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<ModelCard>,
    /// Size of the ONNX file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// All networks in a folder, ordered by name. Checksums are checked. Shapes are checked only when a network is loaded.
pub fn installed_models(folder: &Path) -> Result<Vec<InstalledModel>, VisionError> {
    let unreadable = |e: std::io::Error| VisionError::ModelUnreadable { path: folder.to_owned(), why: e.to_string() };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.join(CARD_FILE).is_file() {
            folders.push(path);
        }
    }
    folders.sort();
    Ok(folders.iter().map(|path| inspect(path)).collect())
}

fn inspect(path: &Path) -> InstalledModel {
    let folder = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let card = match ModelCard::read(path) {
        Ok(card) => card,
        Err(e) => return InstalledModel { folder, card: None, bytes: None, problem: Some(e.to_string()) },
    };
    let (bytes, problem) = match card.read_file(path) {
        Ok(bytes) => (Some(bytes.len() as u64), None),
        Err(e) => (None, Some(e.to_string())),
    };
    InstalledModel { folder, card: Some(card), bytes, problem }
}
