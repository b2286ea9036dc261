//! Writes the library's own studies: a new one from a text or a template, and changes of a `study.toml`.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use super::folders::{force_to_disk, replace_file, subfolders};
use super::ledger::Ledger;
use super::studies::{STUDY_FILE, name_of};
use super::study_templates::{NewStudy, copy_template};
use super::study_write_error::StudyWriteError;
use super::{Library, StoreError, StudyEntry, StudyFile};
use session::{Study, check_study_name, edited_text};

/// Begins the name of a folder in which a study is being made. Such a folder is not listed.
const DRAFT: &str = ".draft-";

impl Library {
    /// Adds a study. `text` is its `study.toml`.
    pub fn create_study(&self, text: &str) -> Result<StudyFile, StudyWriteError> {
        self.create(text, |_| Ok(()))
    }

    /// Adds a study under the person's own name: a copy of a template or of another study.
    pub fn create_from_template(&self, new: &NewStudy) -> Result<StudyFile, StudyWriteError> {
        check_study_name(&new.name).map_err(StudyWriteError::Name)?;
        let source = StudyFile::read(&new.template)?;
        let study = Study { name: new.name.clone(), title: new.title.clone(), ..source.study.clone() };
        let text = edited_text(&source.text, &source.study, &study)?;
        self.create(&text, |draft| copy_template(new, draft))
    }

    /// Makes a study in a draft and then gives the draft its name. After a kill the study is complete or absent. `fill`
    /// writes what is beside `study.toml`. It may take minutes, so the library is not locked meanwhile.
    fn create(
        &self,
        text: &str,
        fill: impl FnOnce(&Path) -> Result<(), StudyWriteError>,
    ) -> Result<StudyFile, StudyWriteError> {
        let study = Study::parse(text)?;
        let _drafts = self.lock_drafts()?;
        self.remove_drafts()?;
        self.check_is_free(&study.name)?;
        let draft = self.own_studies().join(format!("{DRAFT}{}", study.name));
        let made = fill_draft(&draft, text, fill).and_then(|()| self.publish(&draft, &study.name));
        if made.is_err() {
            // The first error is reported. What stays is not listed, and the next new study removes it.
            fs::remove_dir_all(&draft).ok();
        }
        Ok(StudyFile { path: made?.join(STUDY_FILE), text: text.to_owned(), study })
    }

    fn publish(&self, draft: &Path, name: &str) -> Result<PathBuf, StudyWriteError> {
        let _lock = self.lock_folders()?;
        self.check_is_free(name)?;
        let folder = self.own_studies().join(name);
        fs::rename(draft, &folder).map_err(StoreError::io("create the folder", &folder))?;
        force_to_disk(&self.own_studies())?;
        Ok(folder)
    }

    /// Two names that differ only in case are one: `participants.tsv` would give both studies the same column.
    fn check_is_free(&self, name: &str) -> Result<(), StudyWriteError> {
        let is_used = self.studies()?.iter().any(|s| s.name.eq_ignore_ascii_case(name));
        if is_used || self.own_studies().join(name).exists() {
            return Err(StudyWriteError::Exists(name.to_owned()));
        }
        Ok(())
    }

    /// One program at a time has a draft.
    fn lock_drafts(&self) -> Result<File, StudyWriteError> {
        let path = self.root().join(".studies.lock");
        let open = File::options().create(true).truncate(false).write(true).open(&path);
        let file = open.map_err(StoreError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(StudyWriteError::Making),
            Err(TryLockError::Error(e)) => Err(StoreError::io("lock", &path)(e).into()),
        }
    }

    /// What a killed program has left. The caller must hold the lock of [`Library::lock_drafts`].
    fn remove_drafts(&self) -> Result<(), StoreError> {
        for (folder, name) in subfolders(&self.own_studies())? {
            if name.starts_with(DRAFT) {
                fs::remove_dir_all(&folder).map_err(StoreError::io("remove the folder", &folder))?;
            }
        }
        Ok(())
    }

    /// Replaces the text of an own study by a valid one of the same name. `was` is the text that the change began with.
    pub fn change_study(&self, name: &str, was: &str, text: &str) -> Result<StudyFile, StudyWriteError> {
        let study = Study::parse(text)?;
        if study.name != name {
            return Err(StudyWriteError::Renamed(name.to_owned()));
        }
        let path = self.study_entry(name)?.path;
        if !self.is_own_study(&path) {
            return Err(StudyWriteError::Shipped(name.to_owned()));
        }
        self.save_study(&path, was, text)?;
        Ok(StudyFile { path, text: text.to_owned(), study })
    }

    /// Replaces the text of an own study. `was` is the text that the change began with. The new text need not be a valid
    /// study, so that a person can save half of a change.
    pub fn save_study(&self, file: &Path, was: &str, text: &str) -> Result<(), StudyWriteError> {
        if !self.is_own_study(file) {
            return Err(StudyWriteError::NotOwn(file.to_owned()));
        }
        let _lock = self.lock_folders()?;
        let present = fs::read_to_string(file).map_err(StoreError::io("read", file))?;
        if present != was && present != text {
            return Err(StudyWriteError::Changed);
        }
        if let Ok(study) = Study::unchecked(text) {
            self.check_name(file, &present, &study.name)?;
        }
        Ok(replace_file(file, text.as_bytes())?)
    }

    /// Whether the study in `file` may have this name from now on. `present` is the text of the file.
    pub fn check_name(&self, file: &Path, present: &str, name: &str) -> Result<(), StudyWriteError> {
        let folder = file.parent().unwrap_or(file);
        let old = name_of(folder, Study::unchecked(present).ok().as_ref());
        if old == name {
            return Ok(());
        }
        if self.is_in_use(&old)? {
            return Err(StudyWriteError::Renamed(old));
        }
        if self.studies()?.iter().any(|s| s.path != file && s.name.eq_ignore_ascii_case(name)) {
            return Err(StudyWriteError::Exists(name.to_owned()));
        }
        Ok(())
    }

    /// Whether sessions, participants or write keys belong to the name.
    fn is_in_use(&self, name: &str) -> Result<bool, StoreError> {
        if self.session_names()?.iter().any(|s| s.study.as_deref() == Some(name)) {
            return Ok(true);
        }
        let Some(ledger) = Ledger::open_existing(self.root())? else { return Ok(false) };
        Ok(ledger.enrolled(name)? > 0 || ledger.keys()?.iter().any(|key| key.study == name))
    }

    pub fn is_own_study(&self, file: &Path) -> bool {
        file.starts_with(self.own_studies())
    }

    /// The study with this name. Its file may be unreadable.
    pub fn study_entry(&self, name: &str) -> Result<StudyEntry, StudyWriteError> {
        let found = self.studies()?.into_iter().find(|s| s.name == name);
        found.ok_or_else(|| StudyWriteError::Unknown(name.to_owned()))
    }
}

fn fill_draft(
    draft: &Path,
    text: &str,
    fill: impl FnOnce(&Path) -> Result<(), StudyWriteError>,
) -> Result<(), StudyWriteError> {
    fs::create_dir_all(draft).map_err(StoreError::io("create the folder", draft))?;
    fill(draft)?;
    Ok(replace_file(&draft.join(STUDY_FILE), text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WriteKey;
    use chrono::Utc;
    use session::{ParticipantId, SessionNumber};

    const TEXT: &str = "# mine\nname = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"https://a.example\"\n";

    fn library() -> (tempfile::TempDir, Library) {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        (dir, library)
    }

    #[test]
    fn a_study_is_changed_only_if_nobody_else_changed_it() {
        let (_dir, library) = library();
        let made = library.create_study(TEXT).unwrap();
        let new = TEXT.replace("Demo", "New");
        library.change_study("demo", &made.text, &new).unwrap();
        assert_eq!(fs::read_to_string(&made.path).unwrap(), new);
        assert!(matches!(library.change_study("demo", TEXT, TEXT), Err(StudyWriteError::Changed)));
        assert!(matches!(library.save_study(&made.path, TEXT, "other"), Err(StudyWriteError::Changed)));
        library.save_study(&made.path, TEXT, &new).unwrap();
        let renamed = new.replace("\"demo\"", "\"other\"");
        assert!(matches!(library.change_study("demo", &new, &renamed), Err(StudyWriteError::Renamed(_))));
        assert!(matches!(library.change_study("demo", &new, "title = 1"), Err(StudyWriteError::Wrong(_))));
        assert!(matches!(
            library.change_study("none", TEXT, &TEXT.replace("demo", "none")),
            Err(StudyWriteError::Unknown(_))
        ));
        library.save_study(&made.path, &new, "title = 1").unwrap();
        assert_eq!(fs::read_dir(made.path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    }

    #[test]
    fn a_study_of_the_program_is_not_changed() {
        let (_dir, library) = library();
        let shipped = tempfile::tempdir().unwrap();
        let file = shipped.path().join("demo/study.toml");
        fs::create_dir(shipped.path().join("demo")).unwrap();
        fs::write(&file, TEXT).unwrap();
        let library = library.with_studies(shipped.path());
        assert!(matches!(library.change_study("demo", TEXT, TEXT), Err(StudyWriteError::Shipped(_))));
        assert!(matches!(library.save_study(&file, TEXT, TEXT), Err(StudyWriteError::NotOwn(_))));
        assert!(matches!(library.create_study(TEXT), Err(StudyWriteError::Exists(_))));
    }

    #[test]
    fn names_that_differ_only_in_case_are_one() {
        let (_dir, library) = library();
        library.create_study(TEXT).unwrap();
        for name in ["demo", "Demo"] {
            let text = TEXT.replace("\"demo\"", &format!("\"{name}\""));
            assert!(matches!(library.create_study(&text), Err(StudyWriteError::Exists(_))), "{name}");
        }
        let other = library.create_study(&TEXT.replace("\"demo\"", "\"other\"")).unwrap();
        let taken = other.text.replace("\"other\"", "\"DEMO\"");
        assert!(matches!(library.save_study(&other.path, &other.text, &taken), Err(StudyWriteError::Exists(_))));
    }

    #[test]
    fn a_study_with_sessions_or_keys_keeps_its_name() {
        let (_dir, library) = library();
        let made = library.create_study(TEXT).unwrap();
        let second = TEXT.replace("\"demo\"", "\"second\"");
        library.save_study(&made.path, TEXT, &second).unwrap();
        library.create_session(&ParticipantId::numbered(1), SessionNumber(1), "second", Utc::now()).unwrap();
        let third = TEXT.replace("\"demo\"", "\"third\"");
        let refused = library.save_study(&made.path, &second, &third).unwrap_err();
        assert!(matches!(&refused, StudyWriteError::Renamed(name) if name == "second"), "{refused}");
        assert_eq!(fs::read_to_string(&made.path).unwrap(), second);
        library.save_study(&made.path, &second, &second.replace("Demo", "Title")).unwrap();

        let shop = TEXT.replace("\"demo\"", "\"shop\"");
        let online = library.create_study(&shop).unwrap();
        let key = WriteKey { key: "k".into(), study: "shop".into(), origins: Vec::new(), is_revoked: false };
        Ledger::open(library.root()).unwrap().add_key(&key, Utc::now()).unwrap();
        assert!(matches!(library.save_study(&online.path, &shop, &third), Err(StudyWriteError::Renamed(_))));
        // Nor by way of a text that is no study.
        library.save_study(&online.path, &shop, "title = ").unwrap();
        assert!(matches!(library.save_study(&online.path, "title = ", &third), Err(StudyWriteError::Renamed(_))));
        library.save_study(&online.path, "title = ", &shop).unwrap();
    }

    #[test]
    fn what_a_kill_left_is_not_listed_and_does_not_block_its_name() {
        let (_dir, library) = library();
        let left = library.own_studies().join(".draft-demo");
        fs::create_dir_all(&left).unwrap();
        fs::write(left.join("study.toml"), TEXT).unwrap();
        fs::write(left.join("film.mp4"), "half").unwrap();
        assert!(library.studies().unwrap().is_empty());
        let made = library.create_study(TEXT).unwrap();
        assert_eq!(fs::read_dir(made.path.parent().unwrap()).unwrap().count(), 1, "nothing of the draft is used");
        // Also what was to have another name.
        fs::create_dir_all(&left).unwrap();
        library.create_study(&TEXT.replace("\"demo\"", "\"other\"")).unwrap();
        assert!(!left.exists());
    }

    #[test]
    fn one_study_is_made_at_a_time() {
        let (_dir, library) = library();
        let lock = library.lock_drafts().unwrap();
        assert!(matches!(library.create_study(TEXT), Err(StudyWriteError::Making)));
        drop(lock);
        library.create_study(TEXT).unwrap();
    }
}
