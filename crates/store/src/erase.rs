//! Erases sessions and participants.
//!
//! A folder is first renamed to a hidden name, and from then on it is no session of the library. Then its files are
//! removed. After a kill, the next start of the program finishes.
//!
//! ```text
//! .erasing-sub-01_ses-01_20261123T100000Z_demo   a session
//! .erasing-sub-01                                a participant; the row in participants.tsv may still exist
//! .erasing-sub-01_rest                           a participant whose row is gone
//! ```

use std::path::{Path, PathBuf};

use super::folders::{ERASING, FolderName, force_to_disk, subfolders};
use super::header_rows::{self, Closed};
use super::participants::{self, PARTICIPANTS_FILE};
use super::{Library, SessionLock, StoreError, schema};
use session::ParticipantId;

const REST: &str = "_rest";

/// A session's folder, and the two names of its path in the library.
pub(super) struct Place {
    /// Without links.
    pub folder: PathBuf,
    pub participant: ParticipantId,
    pub name: String,
}

impl Library {
    /// Permanently removes a session's folder, damaged or not. A session that another program uses is refused. The
    /// participant stays in `participants.tsv`, so that the pseudonym is not used again.
    pub fn erase(&self, folder: &Path) -> Result<(), StoreError> {
        let _lock = self.lock_folders()?;
        let Place { folder: found, participant, name } = self.place_of(folder)?;
        // Held until the folder is hidden, so that no program begins to add data.
        let _session = in_use(&found)?;
        self.hide(&found, &format!("{participant}_{name}"))?;
        self.forget_exports(|label| label == format!("{participant}/{name}"))?;
        remove_if_empty(&self.root().join(participant.as_str()));
        self.remove_hidden().into_iter().next().map_or(Ok(()), Err)
    }

    /// Removes a session's folder. The participant is removed, too, if no other session is left and the row in
    /// `participants.tsv` has only what this program wrote.
    pub fn erase_visit(&self, folder: &Path) -> Result<(), StoreError> {
        let participant = self.place_of(folder)?.participant;
        self.erase(folder)?;
        let _lock = self.lock_folders()?;
        self.drop_if_unused(&participant).map(drop)
    }

    /// Removes all data of a participant: the folder with every session, and the row in `participants.tsv`. Refused while
    /// another program uses a session or a draft of the participant.
    pub fn erase_participant(&self, participant: &ParticipantId) -> Result<(), StoreError> {
        let _lock = self.lock_folders()?;
        self.check_list()?;
        let folder = self.root().join(participant.as_str());
        let sessions = self.numbered_folders(&folder)?;
        let _sessions = sessions.iter().map(|(folder, _)| in_use(folder)).collect::<Result<Vec<_>, _>>()?;
        let hidden = if folder.exists() { Some(self.hide(&folder, participant.as_str())?) } else { None };
        participants::remove(&self.root().join(PARTICIPANTS_FILE), participant)?;
        if let Some(hidden) = hidden {
            self.mark_row_gone(&hidden, participant)?;
        }
        self.forget_exports(|label| label.split('/').next() == Some(participant.as_str()))?;
        self.remove_hidden().into_iter().next().map_or(Ok(()), Err)
    }

    /// Finishes erasures that a kill interrupted. Returns what could not be finished. The caller holds the lock of
    /// [`Library::lock_folders`].
    pub(super) fn finish_erasing(&self) -> Vec<StoreError> {
        let mut problems = Vec::new();
        let hidden = match subfolders(self.root()) {
            Ok(folders) => folders,
            Err(e) => return vec![e],
        };
        for (path, name) in hidden {
            let Some(participant) = name.strip_prefix(ERASING).and_then(|rest| rest.parse::<ParticipantId>().ok())
            else {
                continue;
            };
            let removed = participants::remove(&self.root().join(PARTICIPANTS_FILE), &participant);
            problems.extend(removed.and_then(|_| self.mark_row_gone(&path, &participant)).err());
        }
        // A kill may leave the draft of the list, with a row that is to be erased.
        std::fs::remove_file(participants::draft_of(&self.root().join(PARTICIPANTS_FILE))).ok();
        problems.extend(self.remove_hidden());
        problems
    }

    /// Only a session of this library is found. Links are followed.
    pub(super) fn place_of(&self, folder: &Path) -> Result<Place, StoreError> {
        let outside = || StoreError::OutsideLibrary(folder.to_owned(), self.root().to_owned());
        let real = |path: &Path| path.canonicalize().map_err(StoreError::io("find", path));
        let (root, found) = (real(self.root())?, real(folder)?);
        let inside = found.strip_prefix(&root).map_err(|_| outside())?;
        let parts: Vec<_> = inside.iter().filter_map(|p| p.to_str()).collect();
        let [participant, name] = parts[..] else { return Err(outside()) };
        let (participant, name) = (participant.parse().map_err(|_| outside())?, name.to_owned());
        if FolderName::parse(&name).session.is_none() {
            return Err(outside());
        }
        Ok(Place { folder: found, participant, name })
    }

    /// Renames a folder to a hidden name. From now on it is erased.
    fn hide(&self, folder: &Path, name: &str) -> Result<PathBuf, StoreError> {
        let plain = self.root().join(format!("{ERASING}{name}"));
        // An earlier erasure may have left a folder that could not be removed.
        let numbered = (2..).map(|n| self.root().join(format!("{ERASING}{name}_again{n}")));
        let hidden = std::iter::once(plain.clone()).chain(numbered).find(|path| !path.exists()).unwrap_or(plain);
        std::fs::rename(folder, &hidden).map_err(StoreError::io("erase", folder))?;
        force_to_disk(self.root())?;
        Ok(hidden)
    }

    /// A participant with the same pseudonym may be added later. That row is not to be removed by a repeated erasure.
    fn mark_row_gone(&self, hidden: &Path, participant: &ParticipantId) -> Result<(), StoreError> {
        let plain = self.root().join(format!("{ERASING}{participant}{REST}"));
        let numbered = (2..).map(|n| self.root().join(format!("{ERASING}{participant}{REST}{n}")));
        let rest = std::iter::once(plain.clone()).chain(numbered).find(|path| !path.exists()).unwrap_or(plain);
        std::fs::rename(hidden, &rest).map_err(StoreError::io("erase", hidden))
    }

    /// Removes the files of all hidden folders. One that cannot be removed does not stop the others.
    fn remove_hidden(&self) -> Vec<StoreError> {
        let folders = match subfolders(self.root()) {
            Ok(folders) => folders,
            Err(e) => return vec![e],
        };
        let hidden = folders.into_iter().filter(|(_, name)| name.starts_with(ERASING));
        hidden
            .filter_map(|(path, _)| std::fs::remove_dir_all(&path).map_err(StoreError::io("erase", &path)).err())
            .collect()
    }
}

/// The lock of a session or a draft, or an error if another program holds it.
pub(super) fn in_use(folder: &Path) -> Result<SessionLock, StoreError> {
    if let Some(lock) = SessionLock::take(folder)? {
        return Ok(lock);
    }
    let closed = schema::open_read(folder)
        .and_then(|conn| header_rows::get_header(&conn, &schema::session_file(folder)))
        .is_ok_and(|(_, closed, _)| closed != Closed::Not);
    Err(if closed { StoreError::BeingAddedTo(folder.to_owned()) } else { StoreError::Recording(folder.to_owned()) })
}

/// Does nothing if the folder has content.
pub(super) fn remove_if_empty(folder: &Path) -> bool {
    std::fs::remove_dir(folder).is_ok()
}
