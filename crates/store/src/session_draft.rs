//! A session that is made from a file and not from a person: it comes into the library when it is complete, and what a
//! kill leaves behind is no session.
//!
//! ```text
//! sub-01/.draft_ses-01_20261123T100000Z_demo/recording.lock   held while it is made
//!                                            session/         what is made
//! ```

use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::library::subfolders;
use super::{Library, SessionLock, StoreError};
use session::{ParticipantId, SessionNumber};

pub(super) const DRAFT: &str = ".draft_";
const INNER: &str = "session";

/// Dropped without [`SessionDraft::publish`] it goes away with all that is in it.
#[derive(Debug)]
pub struct SessionDraft {
    library: Library,
    outer: PathBuf,
    folder: PathBuf,
    /// The name that the session will have.
    target: PathBuf,
    participant: ParticipantId,
    session: SessionNumber,
    started: DateTime<Utc>,
    _lock: SessionLock,
}

impl Library {
    /// Reserves a number (`None`: the participant's next) and makes a folder that is not yet a session of the library.
    pub fn draft_session(
        &self,
        participant: &ParticipantId,
        session: Option<SessionNumber>,
        study: &str,
        started: DateTime<Utc>,
    ) -> Result<SessionDraft, StoreError> {
        let _turn = self.take_turn()?;
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

    /// Removes the drafts of programs that were killed, and returns what they were.
    pub fn clear_drafts(&self) -> Result<Vec<PathBuf>, StoreError> {
        let _turn = self.take_turn()?;
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
    /// Where to record into.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn session(&self) -> SessionNumber {
        self.session
    }

    /// Makes it a session of the library, which it is wholly or not at all. Returns its folder.
    pub fn publish(self) -> Result<PathBuf, StoreError> {
        let _turn = self.library.take_turn()?;
        self.library.know(&self.participant, self.started)?;
        std::fs::rename(&self.folder, &self.target).map_err(StoreError::io("create the folder", &self.target))?;
        Ok(self.target.clone())
    }
}

impl Drop for SessionDraft {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next `clear_drafts`: nobody holds it any more.
        let _left_behind = std::fs::remove_dir_all(&self.outer);
    }
}
