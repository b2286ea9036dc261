//! Studies: `study.toml` files that people write.

use std::path::{Path, PathBuf};

use thiserror::Error;

use super::StoredStudy;
use session::{Study, StudyError};

pub(super) const STUDY_FILE: &str = "study.toml";

/// A study with the file that it was read from.
#[derive(Clone, Debug, PartialEq)]
pub struct StudyFile {
    pub path: PathBuf,
    pub text: String,
    pub study: Study,
}

#[derive(Debug, Error)]
pub enum StudyFileError {
    #[error("could not read the study {path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path}, {source}")]
    Wrong { path: PathBuf, source: StudyError },
    #[error("there is no study `{name}`: {}", known(.names))]
    Unknown { name: String, names: Vec<String> },
}

fn known(names: &[String]) -> String {
    match names {
        [] => "there are no studies here. Give the path of a study.toml".to_owned(),
        names => format!("choose one of {}, or give the path of a study.toml", names.join(", ")),
    }
}

impl StudyFile {
    pub fn read(path: &Path) -> Result<StudyFile, StudyFileError> {
        let path = if path.is_dir() { path.join(STUDY_FILE) } else { path.to_owned() };
        match std::fs::read_to_string(&path) {
            Err(source) => Err(StudyFileError::Unreadable { path, source }),
            Ok(text) => match Study::parse(&text) {
                Ok(study) => Ok(StudyFile { path, text, study }),
                Err(source) => Err(StudyFileError::Wrong { path, source }),
            },
        }
    }

    /// The part that a session stores.
    pub fn stored(&self) -> StoredStudy {
        StoredStudy::new(&self.study, &self.text)
    }
}

/// One study of the library. It may be unreadable.
#[derive(Debug)]
pub struct StudyEntry {
    pub path: PathBuf,
    /// The study's name, or the name of its folder if the file cannot be read.
    pub name: String,
    pub study: Result<StudyFile, StudyFileError>,
}

/// The name of the study in a folder: its own, or the folder's name if the study cannot be read.
pub(super) fn name_of(folder: &Path, study: Option<&Study>) -> String {
    let folder_name = || folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    study.map_or_else(folder_name, |study| study.name.clone())
}

/// Whether the name begins with a dot, as drafts and the extra files of some systems do.
pub(super) fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
}

/// All `study.toml` in subfolders of `folder`, by name. Empty if the folder does not exist. Hidden folders are left out.
pub(super) fn studies_in(folder: &Path) -> std::io::Result<Vec<StudyEntry>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(e),
    };
    let mut studies = Vec::new();
    for entry in entries {
        let folder = entry?.path();
        let path = folder.join(STUDY_FILE);
        if !is_hidden(&folder) && path.is_file() {
            let study = StudyFile::read(&path);
            let name = name_of(&folder, study.as_ref().ok().map(|file| &file.study));
            studies.push(StudyEntry { path, name, study });
        }
    }
    studies.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(studies)
}
