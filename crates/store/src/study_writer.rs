//! Writes the `study.toml` of the library's own studies.

use std::path::PathBuf;

use thiserror::Error;

use super::folders::replace_file;
use super::studies::STUDY_FILE;
use super::{Library, StoreError, StudyEntry, StudyFile, StudyFileError};
use session::{Study, StudyError};

#[derive(Debug, Error)]
pub enum StudyWriteError {
    #[error("there is already a study `{0}`. Choose another name.")]
    Exists(String),
    #[error("there is no study `{0}`.")]
    Unknown(String),
    /// Its page may be a folder beside the file, so a copy of the file alone would not work.
    #[error("the study `{0}` comes with the program and cannot be changed here. Make a study of your own.")]
    Shipped(String),
    #[error("the name of a study cannot be changed, because it is in the names of its sessions.")]
    Renamed,
    #[error("the study was changed elsewhere since it was read. Load it again.")]
    Changed,
    #[error("{0}.")]
    Wrong(#[from] StudyError),
    #[error(transparent)]
    Unreadable(#[from] StudyFileError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Library {
    /// Adds a study. `text` is its `study.toml`.
    pub fn create_study(&self, text: &str) -> Result<StudyFile, StudyWriteError> {
        let study = Study::parse(text)?;
        let _lock = self.lock_folders()?;
        let folder = self.own_studies().join(&study.name);
        let is_used = |s: &StudyEntry| s.name == study.name;
        if folder.exists() || self.studies()?.iter().any(is_used) {
            return Err(StudyWriteError::Exists(study.name));
        }
        std::fs::create_dir_all(&folder).map_err(StoreError::io("create the folder", &folder))?;
        let path = folder.join(STUDY_FILE);
        if let Err(e) = replace_file(&path, text.as_bytes()) {
            // The first error is reported. Without the folder, the name can be used again.
            std::fs::remove_dir(&folder).ok();
            return Err(e.into());
        }
        Ok(StudyFile { path, text: text.to_owned(), study })
    }

    /// Replaces the text of an own study. `before` is the text that the change began with.
    pub fn change_study(&self, name: &str, before: &str, text: &str) -> Result<StudyFile, StudyWriteError> {
        let study = Study::parse(text)?;
        if study.name != name {
            return Err(StudyWriteError::Renamed);
        }
        let _lock = self.lock_folders()?;
        let path = self.own_study_path(name)?;
        let now = std::fs::read_to_string(&path).map_err(StoreError::io("read", &path))?;
        if now != before {
            return Err(StudyWriteError::Changed);
        }
        replace_file(&path, text.as_bytes())?;
        Ok(StudyFile { path, text: text.to_owned(), study })
    }

    /// The study with this name. Its file may be unreadable.
    pub fn study_entry(&self, name: &str) -> Result<StudyEntry, StudyWriteError> {
        let found = self.studies()?.into_iter().find(|s| s.name == name);
        found.ok_or_else(|| StudyWriteError::Unknown(name.to_owned()))
    }

    fn own_study_path(&self, name: &str) -> Result<PathBuf, StudyWriteError> {
        let entry = self.study_entry(name)?;
        if entry.path.starts_with(self.own_studies()) {
            Ok(entry.path)
        } else {
            Err(StudyWriteError::Shipped(name.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# mine\nname = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"https://a.example\"\n";

    #[test]
    fn a_study_is_changed_only_if_nobody_else_changed_it() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let made = library.create_study(TEXT).unwrap();
        assert!(matches!(library.create_study(TEXT), Err(StudyWriteError::Exists(_))));
        let new = TEXT.replace("Demo", "New");
        library.change_study("demo", &made.text, &new).unwrap();
        assert_eq!(std::fs::read_to_string(&made.path).unwrap(), new);
        assert!(matches!(library.change_study("demo", TEXT, TEXT), Err(StudyWriteError::Changed)));
        let renamed = new.replace("\"demo\"", "\"other\"");
        assert!(matches!(library.change_study("demo", &new, &renamed), Err(StudyWriteError::Renamed)));
        assert!(matches!(library.change_study("demo", &new, "title = 1"), Err(StudyWriteError::Wrong(_))));
        assert!(matches!(
            library.change_study("none", TEXT, &TEXT.replace("demo", "none")),
            Err(StudyWriteError::Unknown(_))
        ));
        assert_eq!(std::fs::read_dir(made.path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_study_of_the_program_is_not_changed() {
        let (dir, shipped) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::create_dir(shipped.path().join("demo")).unwrap();
        std::fs::write(shipped.path().join("demo/study.toml"), TEXT).unwrap();
        let library = Library::open(dir.path()).unwrap().with_studies(shipped.path());
        assert!(matches!(library.change_study("demo", TEXT, TEXT), Err(StudyWriteError::Shipped(_))));
        assert!(matches!(library.create_study(TEXT), Err(StudyWriteError::Exists(_))));
    }
}
