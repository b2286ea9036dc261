//! A session that is made from a file. It is added to the library when it is complete. After a kill, the remaining folder
//! is not a session of the library.
//!
//! ```text
//! sub-01/.draft_ses-01_20261123T100000Z_demo/recording.lock   held while the session is made
//!                                            session/         the session
//! ```

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::folders::{DRAFT, subfolders};
use super::{Library, SessionLock, StoreError};
use session::{ParticipantId, SessionNumber};

const INNER: &str = "session";

/// If it is dropped without [`SessionDraft::publish`], its folder is removed.
#[derive(Debug)]
pub struct SessionDraft {
    library: Library,
    outer: PathBuf,
    folder: PathBuf,
    /// The path that the session will have.
    target: PathBuf,
    participant: ParticipantId,
    session: SessionNumber,
    started: DateTime<Utc>,
    _lock: SessionLock,
}

impl Library {
    /// Reserves a session number (`None`: the participant's next) and creates a draft folder.
    pub fn draft_session(
        &self,
        participant: &ParticipantId,
        session: Option<SessionNumber>,
        study: &str,
        started: DateTime<Utc>,
    ) -> Result<SessionDraft, StoreError> {
        let _lock = self.lock_folders()?;
        self.check_list()?;
        let session = match session {
            Some(session) => session,
            None => self.next_session(participant)?,
        };
        let target = self.free_folder(participant, session, study, started)?;
        let name = target.file_name().unwrap_or_default().to_string_lossy();
        let outer = target.with_file_name(format!("{DRAFT}{name}"));
        let folder = outer.join(INNER);
        std::fs::create_dir_all(&folder).map_err(StoreError::io("create the folder", &folder))?;
        let lock = SessionLock::take(&outer)?.ok_or_else(|| StoreError::Recording(outer.clone()))?;
        let (library, participant) = (self.clone(), participant.clone());
        Ok(SessionDraft { library, outer, folder, target, participant, session, started, _lock: lock })
    }

    /// Removes the drafts of killed programs, and returns their paths.
    pub fn clear_drafts(&self) -> Result<Vec<PathBuf>, StoreError> {
        let _lock = self.lock_folders()?;
        let mut cleared = Vec::new();
        for (participant, _) in self.participant_folders()? {
            for (draft, name) in subfolders(&participant)? {
                if name.starts_with(DRAFT) && !SessionLock::is_held(&draft)? {
                    std::fs::remove_dir_all(&draft).map_err(StoreError::io("remove", &draft))?;
                    cleared.push(draft);
                }
            }
        }
        Ok(cleared)
    }
}

impl SessionDraft {
    /// The folder to record into.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn session(&self) -> SessionNumber {
        self.session
    }

    /// Moves the session into the library in one step. Returns its folder.
    pub fn publish(self) -> Result<PathBuf, StoreError> {
        let _lock = self.library.lock_folders()?;
        self.library.list_participant(&self.participant, self.started)?;
        std::fs::rename(&self.folder, &self.target).map_err(StoreError::io("create the folder", &self.target))?;
        Ok(self.target.clone())
    }
}

impl Drop for SessionDraft {
    fn drop(&mut self) {
        // The next `clear_drafts` removes what cannot be removed now, because its lock is free.
        std::fs::remove_dir_all(&self.outer).ok();
        // The participant's folder goes, too, if nothing else is in it: removing a folder with content fails.
        self.outer.parent().map(std::fs::remove_dir);
    }
}
