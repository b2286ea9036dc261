//! Where a session is in a library.

use std::path::{Path, PathBuf};

use super::added_streams::closed;
use super::folders::FolderName;
use super::header_rows::Closed;
use super::{Library, SessionLock, StoreError};
use session::ParticipantId;

/// A session's folder, and the two names of its path in the library.
pub(super) struct Place {
    /// Without links.
    pub folder: PathBuf,
    pub participant: ParticipantId,
    pub name: String,
}

impl Place {
    /// `sub-01/ses-01_20261123T100000Z_demo`
    pub fn label(&self) -> String {
        format!("{}/{}", self.participant, self.name)
    }

    /// The name without the session's number, `_20261123T100000Z_demo`.
    pub fn after_number(&self) -> &str {
        self.name.find('_').map_or("", |at| &self.name[at..])
    }
}

impl Library {
    /// The name of a session's folder in the library, `sub-01/ses-01_20261123T100000Z_demo`. Links are followed.
    pub fn label_of(&self, folder: &Path) -> Result<String, StoreError> {
        self.place_of(folder).map(|place| place.label())
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
}

/// The lock of a session or a draft, or an error if another program holds it.
pub(super) fn in_use(folder: &Path) -> Result<SessionLock, StoreError> {
    if let Some(lock) = SessionLock::take(folder)? {
        return Ok(lock);
    }
    let is_closed = closed(folder).is_ok_and(|closed| closed != Closed::Not);
    Err(if is_closed { StoreError::BeingAddedTo(folder.to_owned()) } else { StoreError::Recording(folder.to_owned()) })
}

/// Does nothing if the folder has content.
pub(super) fn remove_if_empty(folder: &Path) -> bool {
    std::fs::remove_dir(folder).is_ok()
}
