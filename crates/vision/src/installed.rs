//! Which networks are there, with what their cards say: for `affectograph models` and the set-up screen.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::VisionError;
use super::model::{CARD_FILE, ModelCard};

/// Names the folder with the networks, and ends the search.
pub const MODELS_VARIABLE: &str = "AFFECTOGRAPH_MODELS";

/// The folder with one folder a network: `$AFFECTOGRAPH_MODELS`, or `models` beside the executable or in any folder
/// above it or above the current one.
pub fn models_folder() -> Result<PathBuf, VisionError> {
    if let Some(said) = std::env::var_os(MODELS_VARIABLE).filter(|v| !v.is_empty()) {
        let said = PathBuf::from(said);
        return if said.is_dir() { Ok(said) } else { Err(VisionError::ModelsFolderNotWhereSaid { path: said }) };
    }
    let executable = std::env::current_exe().ok();
    let beside = executable.as_deref().and_then(Path::parent).map(Path::to_owned);
    let starts: Vec<PathBuf> = beside.into_iter().chain(std::env::current_dir().ok()).collect();
    let folders = starts.iter().flat_map(|start| start.ancestors()).map(|above| above.join("models"));
    let found = folders.into_iter().find(|folder| holds_a_card(folder));
    found.ok_or(VisionError::ModelsFolderMissing { looked_above: starts })
}

/// Other programs have folders called `models` too.
fn holds_a_card(folder: &Path) -> bool {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|e| e.path().join(CARD_FILE)).any(|card| card.is_file())
}

/// One folder with a network. Either its card, or the sentence that says what is wrong with it.
#[derive(Clone, Debug, Serialize)]
pub struct InstalledModel {
    /// What a study writes to choose it.
    pub folder: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<ModelCard>,
    /// Of the ONNX file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// Every network in a folder, by name, its sum checked. Whether the shapes fit is found out by loading it.
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
    Ok(folders.iter().map(|path| look_at(path)).collect())
}

fn look_at(path: &Path) -> InstalledModel {
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
