//! Tells a session that is being recorded from one that a crash left open.
//!
//! The kernel drops the lock when its process ends in whatever way, so no process number is ever compared.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use super::StoreError;

const LOCK_FILE: &str = "recording.lock";

/// Held for as long as the value lives.
#[derive(Debug)]
pub(super) struct SessionLock {
    path: PathBuf,
    _file: File,
}

impl SessionLock {
    /// `None` where a living process holds it.
    pub(super) fn take(folder: &Path) -> Result<Option<SessionLock>, StoreError> {
        let path = folder.join(LOCK_FILE);
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(StoreError::io("create the lock file", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(SessionLock { path, _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(StoreError::io("lock", &path)(e)),
        }
    }

    /// For a session that is closed for good: takes the file away, then lets go.
    pub(super) fn remove(self) -> Result<(), StoreError> {
        std::fs::remove_file(&self.path).map_err(StoreError::io("remove", &self.path))
    }

    pub(super) fn is_held(folder: &Path) -> Result<bool, StoreError> {
        let path = folder.join(LOCK_FILE);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(StoreError::io("open", &path)(e)),
        };
        match file.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(e)) => Err(StoreError::io("test the lock of", &path)(e)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_until_dropped_and_gone_after_removal() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!SessionLock::is_held(dir.path()).unwrap());
        let lock = SessionLock::take(dir.path()).unwrap().unwrap();
        assert!(SessionLock::is_held(dir.path()).unwrap());
        assert!(SessionLock::take(dir.path()).unwrap().is_none());
        drop(lock);
        assert!(!SessionLock::is_held(dir.path()).unwrap());
        SessionLock::take(dir.path()).unwrap().unwrap().remove().unwrap();
        assert!(!dir.path().join(LOCK_FILE).exists());
    }
}
