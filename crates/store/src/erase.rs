//! Erases sessions and participants.
//!
//! A folder is first renamed to a hidden name, and from then on it is no session of the library. The name states what is
//! erased, because a full disk may have no space for a file. Then the files are removed, and the empty folder stays until
//! the rows of the lists are removed, too. After a kill, the next start of the program repeats all steps.
//!
//! ```text
//! .erasing-sub-01_ses-01_20261123T100000Z_demo         a session
//! .erasing-visit_sub-w01_ses-01_20261123T100000Z_demo  a session that its visitor withdrew
//! .erasing-sub-01                                      a participant
//! .erasing-again2_sub-01                               the same, beside an older one
//! .erasing-rest_sub-01                                 only files are left, which could not be removed
//! ```

use std::fmt;
use std::path::{Path, PathBuf};

use super::folders::{ERASING, FolderName, draft_of, first_link, force_to_disk, subfolders};
use super::participants::{self, PARTICIPANTS_FILE};
use super::place::{Place, in_use, remove_if_empty};
use super::{Ledger, Library, StoreError};
use session::ParticipantId;

/// What is erased. The name of the hidden folder.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Erased {
    Session(ParticipantId, String),
    Visit(ParticipantId, String),
    Participant(ParticipantId),
    Rest(String),
}

const VISIT: &str = "visit_";
const REST: &str = "rest_";

impl fmt::Display for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Erased::Session(participant, name) => write!(f, "{participant}_{name}"),
            Erased::Visit(participant, name) => write!(f, "{VISIT}{participant}_{name}"),
            Erased::Participant(participant) => write!(f, "{participant}"),
            Erased::Rest(of) => write!(f, "{REST}{of}"),
        }
    }
}

impl Erased {
    /// `None` if the name is none of a hidden folder. A name of unknown form is a rest.
    fn parse(name: &str) -> Option<Erased> {
        let stated = name.strip_prefix(ERASING)?;
        let numbered = stated.strip_prefix("again").and_then(|rest| rest.split_once('_'));
        let stated = numbered.filter(|(n, _)| n.parse::<u32>().is_ok()).map_or(stated, |(_, stated)| stated);
        let session = |text: &str| -> Option<(ParticipantId, String)> {
            let (participant, name) = text.split_once('_')?;
            FolderName::parse(name).session?;
            Some((participant.parse().ok()?, name.to_owned()))
        };
        let visit = stated.strip_prefix(VISIT).and_then(session).map(|(who, name)| Erased::Visit(who, name));
        let session = || session(stated).map(|(who, name)| Erased::Session(who, name));
        let participant = || stated.parse().ok().map(Erased::Participant);
        let rest = || Erased::Rest(stated.strip_prefix(REST).unwrap_or(stated).to_owned());
        Some(visit.or_else(session).or_else(participant).unwrap_or_else(rest))
    }
}

impl Library {
    /// Permanently removes a session's folder, damaged or not, and what a server's ledger contains of it. A session that
    /// another program uses is refused. The participant stays in `participants.tsv`, so that the pseudonym is not used again.
    pub fn erase(&self, folder: &Path) -> Result<(), StoreError> {
        self.erase_session(folder, Erased::Session)
    }

    /// Removes a session's folder. The participant is removed, too, if no other session is left and the row in
    /// `participants.tsv` has only what this program wrote. If no other session of the study is left, the participant's place
    /// in the order of its conditions is free again. The server itself changes its ledger.
    pub fn erase_visit(&self, folder: &Path) -> Result<(), StoreError> {
        self.erase_session(folder, Erased::Visit)
    }

    fn erase_session(&self, folder: &Path, erased: fn(ParticipantId, String) -> Erased) -> Result<(), StoreError> {
        let _lock = self.lock_folders()?;
        let Place { folder, participant, name } = self.place_of(folder)?;
        refuse_links(&folder)?;
        // Held until the folder is hidden, so that no program begins to add data.
        let _session = in_use(&folder)?;
        self.hide_and_remove(&folder, &erased(participant, name))
    }

    /// Removes all data of a participant: the folder with every session, the row in `participants.tsv`, and what a server's
    /// ledger and the list of exports contain. Refused while another program uses a session or a draft of the participant.
    pub fn erase_participant(&self, participant: &ParticipantId) -> Result<(), StoreError> {
        let _lock = self.lock_folders()?;
        self.check_list()?;
        let (folder, erased) = (self.root().join(participant.as_str()), Erased::Participant(participant.clone()));
        if folder.symlink_metadata().is_err() {
            self.remove_rows(&erased)?;
            return self.forget_exports_of(&erased);
        }
        refuse_links(&folder)?;
        let sessions = self.numbered_folders(&folder)?;
        let _sessions = sessions.iter().map(|(folder, _)| in_use(folder)).collect::<Result<Vec<_>, _>>()?;
        self.hide_and_remove(&folder, &erased)
    }

    /// An older erasure that cannot be finished is reported in the program's log. It is no failure of this one.
    fn hide_and_remove(&self, folder: &Path, erased: &Erased) -> Result<(), StoreError> {
        let older = self.hidden()?;
        let hidden = self.free_name(erased);
        std::fs::rename(folder, &hidden).map_err(StoreError::io("erase", folder))?;
        force_to_disk(self.root())?;
        let done = self.finish(&hidden, erased);
        for (hidden, erased) in older {
            if let Err(e) = self.finish(&hidden, &erased) {
                tracing::error!("an older erasure could not be completed: {e}");
            }
        }
        done
    }

    /// Finishes erasures that a kill interrupted. Returns what could not be finished. The caller holds the lock of
    /// [`Library::lock_folders`].
    pub(super) fn finish_erasing(&self) -> Vec<StoreError> {
        let hidden = match self.hidden() {
            Ok(hidden) => hidden,
            Err(e) => return vec![e],
        };
        let problems = hidden.iter().filter_map(|(hidden, erased)| self.finish(hidden, erased).err()).collect();
        // A kill may leave the draft of the list, with a row that is to be erased.
        std::fs::remove_file(draft_of(&self.root().join(PARTICIPANTS_FILE))).ok();
        problems
    }

    /// All steps after the renaming. Each can be repeated.
    fn finish(&self, hidden: &Path, erased: &Erased) -> Result<(), StoreError> {
        // The files first: on a full disk, the other steps need their space.
        let emptied = empty(hidden);
        // If this fails, the folder stays, and the next start repeats it.
        self.remove_rows(erased)?;
        if let Err(e) = emptied {
            // The pseudonym may be used again. The new row is not to be removed.
            if !matches!(erased, Erased::Rest(_)) {
                let rest = self.free_name(&Erased::Rest(erased.to_string()));
                std::fs::rename(hidden, &rest).map_err(StoreError::io("erase", hidden))?;
            }
            return Err(e);
        }
        self.forget_exports_of(erased)?;
        std::fs::remove_dir(hidden).map_err(StoreError::io("erase", hidden))
    }

    /// What the lists of the library contain, except the exports.
    fn remove_rows(&self, erased: &Erased) -> Result<(), StoreError> {
        match erased {
            Erased::Session(participant, name) => {
                remove_if_empty(&self.root().join(participant.as_str()));
                let ledger = Ledger::open_existing(self.root())?;
                ledger.map_or(Ok(()), |ledger| ledger.forget_session(&format!("{participant}/{name}")))
            }
            Erased::Visit(participant, name) => {
                let study = FolderName::parse(name).study;
                study.map_or(Ok(()), |study| self.free_condition(participant, &study))?;
                self.drop_if_unused(participant).map(drop)
            }
            Erased::Participant(participant) => {
                // A session that was made after a kill uses the pseudonym again.
                if !self.root().join(participant.as_str()).exists() {
                    participants::remove(&self.root().join(PARTICIPANTS_FILE), participant)?;
                }
                let ledger = Ledger::open_existing(self.root())?;
                ledger.map_or(Ok(()), |ledger| ledger.forget_participant(participant.as_str()).map(drop))
            }
            Erased::Rest(_) => Ok(()),
        }
    }

    /// Only a participant's erasure forgets exports: an export of a session that is gone still contains its data, and a
    /// later withdrawal must list it.
    fn forget_exports_of(&self, erased: &Erased) -> Result<(), StoreError> {
        let Erased::Participant(participant) = erased else { return Ok(()) };
        self.forget_exports(|label| label.split('/').next() == Some(participant.as_str()))
    }

    /// The hidden folders, and what they state.
    fn hidden(&self) -> Result<Vec<(PathBuf, Erased)>, StoreError> {
        let folders = subfolders(self.root())?.into_iter().filter(|(path, _)| !path.is_symlink());
        Ok(folders.filter_map(|(path, name)| Some((path, Erased::parse(&name)?))).collect())
    }

    /// An older erasure may have left a folder that could not be removed.
    fn free_name(&self, erased: &Erased) -> PathBuf {
        let plain = self.root().join(format!("{ERASING}{erased}"));
        let numbered = (2..=u32::MAX).map(|n| self.root().join(format!("{ERASING}again{n}_{erased}")));
        std::iter::once(plain.clone()).chain(numbered).find(|path| !path.exists()).unwrap_or(plain)
    }
}

/// Removes the files of a folder, and keeps the folder. What cannot be removed does not stop the rest. Returns the first
/// error.
fn empty(folder: &Path) -> Result<(), StoreError> {
    let entries = std::fs::read_dir(folder).map_err(StoreError::io("erase", folder))?;
    let remove = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.map_err(StoreError::io("erase", folder))?;
        let is_folder = entry.file_type().is_ok_and(|t| t.is_dir());
        let path = entry.path();
        let removed = if is_folder { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
        removed.map_err(StoreError::io("erase", &path))
    };
    let mut problems: Vec<StoreError> = entries.filter_map(|entry| remove(entry).err()).collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.swap_remove(0)) }
}

/// An erasure would remove a link and leave the data to which it leads.
fn refuse_links(folder: &Path) -> Result<(), StoreError> {
    match first_link(folder)? {
        Some(link) => {
            let target = std::fs::read_link(&link).unwrap_or_default();
            Err(StoreError::Link { link, target })
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;

    use super::*;
    use crate::{Enrolment, RemoteSession, RemoteState, WriteKey};
    use session::SessionNumber;

    fn sub(n: u32) -> ParticipantId {
        ParticipantId::numbered(n)
    }

    fn library() -> (tempfile::TempDir, Library) {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        (dir, library)
    }

    /// An erasure does not read the session.
    fn session(library: &Library, participant: u32, session: u32) -> PathBuf {
        let folder = library.create_session(&sub(participant), SessionNumber(session), "demo", Utc::now()).unwrap();
        std::fs::write(folder.join("session.sqlite"), "data").unwrap();
        folder
    }

    fn hidden(library: &Library) -> Vec<String> {
        let folders = subfolders(library.root()).unwrap().into_iter().map(|(_, name)| name);
        folders.filter(|name| name.starts_with(ERASING)).collect()
    }

    fn remote(id: &str, label: &str) -> RemoteSession {
        RemoteSession {
            id: id.into(),
            token_sha256: [7; 32],
            key: "agk_x".into(),
            study: "demo".into(),
            participant: label.split('/').next().unwrap().into(),
            folder: label.into(),
            origin: "https://a.example".into(),
            camera: "off".into(),
            created_utc: Utc::now(),
            seen_utc: Utc::now(),
            state: RemoteState::Closed,
            finish: None,
            received_bytes: 0,
            may_go_on: false,
        }
    }

    /// Two sessions of `sub-01` that a server received, with notes.
    fn received(library: &Library) -> (Ledger, [PathBuf; 2], [String; 2]) {
        let ledger = Ledger::open(library.root()).unwrap();
        let key = WriteKey { key: "agk_x".into(), study: "demo".into(), origins: vec![], is_revoked: false };
        ledger.add_key(&key, Utc::now()).unwrap();
        let folders = [1, 2].map(|n| session(library, 1, n));
        let labels = folders.each_ref().map(|folder| library.label_of(folder).unwrap());
        for (id, label) in ["a", "b"].iter().zip(&labels) {
            ledger.add_session(&remote(id, label)).unwrap();
            ledger.set_session_note(label, "slept", Utc::now()).unwrap();
        }
        let one = Enrolment { study: "demo".into(), participant: "sub-01".into(), link: None, condition: None };
        ledger.enrol(&one, Utc::now()).unwrap();
        (ledger, folders, labels)
    }

    #[test]
    fn an_erasure_reaches_the_ledger_of_a_server_in_the_same_folder() {
        let (_dir, library) = library();
        let (ledger, folders, labels) = received(&library);
        library.erase(&folders[0]).unwrap();
        assert_eq!((ledger.session("a").unwrap(), ledger.session_note(&labels[0]).unwrap()), (None, None));
        assert!(ledger.session("b").unwrap().is_some() && ledger.session_note(&labels[1]).unwrap().is_some());
        assert_eq!(ledger.enrolled("demo").unwrap(), 1, "the participant stays");
        library.erase_participant(&sub(1)).unwrap();
        assert_eq!((ledger.session("b").unwrap(), ledger.session_note(&labels[1]).unwrap()), (None, None));
        assert_eq!(ledger.enrolled("demo").unwrap(), 0);
    }

    #[test]
    fn the_server_keeps_the_token_of_a_visitor_who_withdrew() {
        let (_dir, library) = library();
        let (ledger, folders, _) = received(&library);
        library.erase_visit(&folders[0]).unwrap();
        assert!(!folders[0].exists() && ledger.session("a").unwrap().is_some());
    }

    #[test]
    fn an_export_of_a_session_erased_before_is_listed_for_the_participant() {
        let (_dir, library) = library();
        let folders = [1, 2].map(|n| session(&library, 1, n));
        let labels = folders.each_ref().map(|folder| library.label_of(folder).unwrap());
        let to = library.root().join("not attached/export");
        library.note_export("csv", &to, &folders).unwrap();
        library.erase(&folders[0]).unwrap();
        let known = library.exports().unwrap();
        assert!(known.len() == 1 && known[0].has("sub-01") && known[0].has(&labels[0]), "{known:?}");
        assert!(!known[0].is_reachable());
        std::fs::create_dir_all(&to).unwrap();
        assert!(library.exports().unwrap()[0].is_reachable());
        library.erase(&folders[1]).unwrap();
        assert_eq!(library.exports().unwrap(), known);
        library.erase_participant(&sub(1)).unwrap();
        assert_eq!(library.exports().unwrap(), []);
    }

    /// As on a full disk: the lists cannot be written.
    #[test]
    fn the_space_is_free_although_a_list_cannot_be_written() {
        for list in ["participants.tsv.new", "exports.jsonl.new"] {
            let (dir, library) = library();
            let folder = session(&library, 1, 1);
            library.note_export("csv", &dir.path().join("export"), &[folder]).unwrap();
            std::fs::create_dir(dir.path().join(list)).unwrap();
            library.erase_participant(&sub(1)).unwrap_err();
            assert_eq!(hidden(&library), [".erasing-sub-01"], "{list}");
            assert_eq!(std::fs::read_dir(dir.path().join(".erasing-sub-01")).unwrap().count(), 0, "{list}");
            assert_eq!(library.exports().unwrap().len(), 1, "{list}");
            assert_eq!(library.finish_interrupted().unwrap().len(), 1, "{list}");
            std::fs::remove_dir(dir.path().join(list)).unwrap();
            assert!(library.finish_interrupted().unwrap().is_empty());
            assert_eq!((hidden(&library), library.participants().unwrap()), (vec![], vec![]));
            assert_eq!(library.exports().unwrap(), []);
        }
    }

    #[test]
    fn a_killed_erasure_repeats_all_its_steps() {
        let (_dir, library) = library();
        let (ledger, folders, labels) = received(&library);
        let (root, to) = (library.root().to_owned(), library.root().join("export"));
        library.note_export("csv", &to, &folders).unwrap();
        let visits = [5, 6].map(|n| session(&library, n, 1));
        // Killed just after the folder was hidden.
        std::fs::rename(&folders[0], root.join(format!("{ERASING}{}", labels[0].replace('/', "_")))).unwrap();
        for visit in &visits {
            let label = library.label_of(visit).unwrap().replace('/', "_");
            let parent = visit.parent().unwrap();
            std::fs::rename(visit, root.join(format!("{ERASING}visit_{label}"))).unwrap();
            assert!(parent.exists());
        }
        assert!(library.finish_interrupted().unwrap().is_empty());
        assert_eq!(hidden(&library), Vec::<String>::new());
        assert_eq!(library.participants().unwrap(), [sub(1)], "the visitors have no other session");
        assert!(!root.join("sub-05").exists());
        assert_eq!(ledger.session("a").unwrap(), None);
        assert_eq!(library.exports().unwrap().len(), 1);

        std::fs::rename(root.join("sub-01"), root.join(".erasing-again2_sub-01")).unwrap();
        assert!(library.finish_interrupted().unwrap().is_empty());
        assert_eq!((library.participants().unwrap(), library.exports().unwrap()), (vec![], vec![]));
        assert_eq!((ledger.session("b").unwrap(), ledger.enrolled("demo").unwrap()), (None, 0));
    }

    #[test]
    fn the_name_of_a_hidden_folder_states_what_is_erased() {
        let name = || "ses-01_20261123T100000Z_demo_again2".to_owned();
        for erased in [
            Erased::Session(sub(1), name()),
            Erased::Visit(sub(1), name()),
            Erased::Participant(sub(1)),
            Erased::Rest("sub-01".into()),
        ] {
            assert_eq!(Erased::parse(&format!("{ERASING}{erased}")).as_ref(), Some(&erased));
            assert_eq!(Erased::parse(&format!("{ERASING}again12_{erased}")), Some(erased));
        }
        assert_eq!(Erased::parse(".erasing-sub-01_rest"), Some(Erased::Rest("sub-01_rest".into())));
        assert_eq!(Erased::parse("sub-01"), None);
    }

    #[test]
    fn an_older_erasure_that_cannot_be_completed_is_no_failure_of_the_next() {
        let (dir, library) = library();
        let (folder, _) = (session(&library, 1, 1), session(&library, 5, 1));
        std::fs::rename(dir.path().join("sub-05"), dir.path().join(".erasing-sub-05")).unwrap();
        std::fs::create_dir(dir.path().join("participants.tsv.new")).unwrap();
        library.erase(&folder).unwrap();
        assert_eq!(hidden(&library), [".erasing-sub-05"], "its row is still to be removed");
        std::fs::remove_dir(dir.path().join("participants.tsv.new")).unwrap();
        assert!(library.finish_interrupted().unwrap().is_empty());
        assert_eq!(library.participants().unwrap(), [sub(1)]);
    }

    #[cfg(unix)]
    #[test]
    fn data_behind_a_link_are_not_reported_as_erased() {
        use std::os::unix::fs::symlink;
        let (dir, library) = library();
        let elsewhere = tempfile::tempdir().unwrap();
        let folder = session(&library, 1, 1);
        let (of_participant, moved) = (dir.path().join("sub-01"), elsewhere.path().join("sub-01"));
        std::fs::rename(&of_participant, &moved).unwrap();
        symlink(&moved, &of_participant).unwrap();
        let refused = |result: Result<(), StoreError>| {
            let text = result.unwrap_err().to_string();
            assert!(text.contains("is a link to") && text.contains(&moved.display().to_string()), "{text}");
        };
        refused(library.erase_participant(&sub(1)));
        assert!(matches!(library.erase(&folder), Err(StoreError::OutsideLibrary(..))));
        // A disk that is not attached.
        std::fs::rename(&moved, elsewhere.path().join("away")).unwrap();
        refused(library.erase_participant(&sub(1)));
        std::fs::rename(elsewhere.path().join("away"), &moved).unwrap();
        // The folder of a session, and one of its files.
        std::fs::remove_file(&of_participant).unwrap();
        std::fs::create_dir(&of_participant).unwrap();
        let name = folder.file_name().unwrap();
        symlink(moved.join(name), &folder).unwrap();
        refused(library.erase_participant(&sub(1)));
        std::fs::remove_file(&folder).unwrap();
        let folder = session(&library, 1, 2);
        symlink(moved.join("video.mkv"), folder.join("video.mkv")).unwrap();
        refused(library.erase(&folder));
        refused(library.erase_participant(&sub(1)));
        assert_eq!(library.participants().unwrap(), [sub(1)]);
        std::fs::remove_file(folder.join("video.mkv")).unwrap();
        library.erase_participant(&sub(1)).unwrap();
        assert!(!of_participant.exists() && moved.exists());
    }
}
