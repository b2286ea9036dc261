//! The lock of a session. It distinguishes a session that is being recorded from one that a crash left open.
//!
//! The kernel releases the lock when its process ends for any reason. No process ids are compared.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::StoreError;

const LOCK_FILE: &str = "recording.lock";
/// How often a waiting process tries again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const ROOM_BYTES: usize = 1024;

/// Why storing stopped before the end of the recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StorageFailure {
    pub is_disk_full: bool,
    /// A sentence.
    pub why: String,
    /// Frames and records that came afterwards.
    #[serde(default)]
    pub frames_lost: u64,
    #[serde(default)]
    pub records_lost: u64,
}

/// A held lock. Dropping it releases the lock.
#[derive(Debug)]
pub(super) struct SessionLock {
    path: PathBuf,
    file: File,
}

impl SessionLock {
    /// `None` if another process holds the lock.
    pub(super) fn take(folder: &Path) -> Result<Option<SessionLock>, StoreError> {
        let path = folder.join(LOCK_FILE);
        loop {
            let file = File::options()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(&path)
                .map_err(StoreError::io("create the lock file", &path))?;
            match file.try_lock() {
                // The previous holder may have removed the file between opening and locking. The lock on a removed file
                // has no effect.
                Ok(()) if !is_still_there(&file, &path) => {}
                Ok(()) => return Ok(Some(SessionLock { path, file })),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(StoreError::io("lock", &path)(e)),
            }
        }
    }

    /// Waits at most `most` for a lock that another process holds.
    pub(super) fn wait(folder: &Path, most: Duration) -> Result<Option<SessionLock>, StoreError> {
        let until = Instant::now() + most;
        loop {
            match SessionLock::take(folder)? {
                Some(lock) => return Ok(Some(lock)),
                None if Instant::now() >= until => return Ok(None),
                None => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }

    /// Reserves space for [`SessionLock::write_failure`], because the disk may be full then.
    pub(super) fn make_room(&self) -> Result<(), StoreError> {
        (&self.file).write_all(&[b' '; ROOM_BYTES]).map_err(StoreError::io("write into", &self.path))
    }

    /// Stores why storing stops, for the recovery of the session. If this fails, the session is recovered as after a crash.
    pub(super) fn write_failure(&self, failure: &StorageFailure) {
        let Ok(mut text) = serde_json::to_vec(failure) else { return };
        if text.len() > ROOM_BYTES {
            let short = StorageFailure { why: String::new(), ..failure.clone() };
            text = serde_json::to_vec(&short).unwrap_or_default();
        }
        text.resize(ROOM_BYTES, b' ');
        let write = || (&self.file).seek(SeekFrom::Start(0)).and_then(|_| (&self.file).write_all(&text));
        if let Err(e) = write() {
            tracing::error!("could not write the reason of the failure into {}: {e}", self.path.display());
        }
    }

    /// The stored failure of a session that was not closed since.
    pub(super) fn storage_failure(folder: &Path) -> Option<StorageFailure> {
        let mut text = Vec::new();
        File::open(folder.join(LOCK_FILE)).ok()?.take(ROOM_BYTES as u64).read_to_end(&mut text).ok()?;
        serde_json::from_slice(text.trim_ascii()).ok()
    }

    /// The same lock after its session's folder was renamed.
    pub(super) fn moved(self, folder: &Path) -> SessionLock {
        SessionLock { path: folder.join(LOCK_FILE), ..self }
    }

    /// Ends a use of the session that did not close it. The file stays if it states why storing stopped: the recovery of the
    /// session reads it.
    pub(super) fn release(self) {
        let folder = self.path.parent().unwrap_or(&self.path);
        if SessionLock::storage_failure(folder).is_none() {
            // If the file stays, it is unlocked, and the next process takes it.
            self.remove().ok();
        }
    }

    /// Removes the lock file, then releases the lock. For a closed session.
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

/// Whether `path` is still the path of `file`.
#[cfg(unix)]
fn is_still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |of: std::io::Result<std::fs::Metadata>| of.ok().map(|m| (m.dev(), m.ino()));
    let held = id(file.metadata());
    held.is_some() && held == id(std::fs::metadata(path))
}

/// On these systems an open file cannot be removed.
#[cfg(not(unix))]
fn is_still_there(_file: &File, _path: &Path) -> bool {
    true
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

    /// A refused use of a session that a full disk ended does not remove the reason.
    #[test]
    fn a_reason_outlives_a_use_of_the_session() {
        let dir = tempfile::tempdir().unwrap();
        let take = || SessionLock::take(dir.path()).unwrap().unwrap();
        take().release();
        assert!(!dir.path().join(LOCK_FILE).exists());
        let failure = StorageFailure { is_disk_full: true, why: "full".into(), ..StorageFailure::default() };
        let lock = take();
        lock.write_failure(&failure);
        lock.release();
        assert!(SessionLock::storage_failure(dir.path()).is_some_and(|found| found.is_disk_full));
    }

    /// Each thread removes the file when it releases the lock. Two threads must never hold it at the same time.
    #[test]
    fn those_who_wait_hold_it_one_after_the_other() {
        use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
        let dir = tempfile::tempdir().unwrap();
        let (is_held, turns) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..50 {
                        let lock = SessionLock::wait(dir.path(), Duration::from_secs(60)).unwrap().unwrap();
                        assert!(!is_held.swap(true, Ordering::SeqCst));
                        turns.fetch_add(1, Ordering::SeqCst);
                        is_held.store(false, Ordering::SeqCst);
                        lock.remove().unwrap();
                    }
                });
            }
        });
        assert_eq!(turns.into_inner(), 200);
        let held = SessionLock::take(dir.path()).unwrap();
        assert!(SessionLock::wait(dir.path(), Duration::from_millis(50)).unwrap().is_none());
        drop(held);
    }

    #[test]
    fn a_storage_failure_is_kept_until_the_session_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let lock = SessionLock::take(dir.path()).unwrap().unwrap();
        lock.make_room().unwrap();
        assert_eq!(SessionLock::storage_failure(dir.path()), None);
        let failure =
            |why: &str| StorageFailure { is_disk_full: true, why: why.to_owned(), ..StorageFailure::default() };
        lock.write_failure(&failure(&"long ".repeat(1000)));
        assert_eq!(SessionLock::storage_failure(dir.path()), Some(failure("")));
        lock.write_failure(&failure("the disk is full"));
        drop(lock);
        assert_eq!(SessionLock::storage_failure(dir.path()), Some(failure("the disk is full")));
        assert_eq!(std::fs::metadata(dir.path().join(LOCK_FILE)).unwrap().len(), ROOM_BYTES as u64);
    }
}
