//! Tells a session that is being recorded from one that a crash left open.
//!
//! The kernel drops the lock when its process ends in whatever way, so no process number is ever compared.

use std::fs::{File, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::StoreError;

const LOCK_FILE: &str = "recording.lock";
/// How soon one who waits tries again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const ROOM_BYTES: usize = 1024;

/// Why storing ended, where it ended before the recording did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LastWords {
    pub is_disk_full: bool,
    /// A sentence.
    pub why: String,
}

/// Held for as long as the value lives.
#[derive(Debug)]
pub(super) struct SessionLock {
    path: PathBuf,
    file: File,
}

impl SessionLock {
    /// `None` where a living process holds it.
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
                // Whoever held it may have removed the file between our opening and our locking: what we hold then
                // keeps nobody out.
                Ok(()) if !is_still_there(&file, &path) => {}
                Ok(()) => return Ok(Some(SessionLock { path, file })),
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(e)) => return Err(StoreError::io("lock", &path)(e)),
            }
        }
    }

    /// The same, but a lock that is held is waited for, no longer than `most`.
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

    /// Makes room for [`SessionLock::say`], which must not need any: it is said when the disk is full.
    pub(super) fn make_room(&self) -> Result<(), StoreError> {
        (&self.file).write_all(&[b' '; ROOM_BYTES]).map_err(StoreError::io("write into", &self.path))
    }

    /// Says why storing ends, to whoever closes the session. It can do without: the session is then closed as after a
    /// crash.
    pub(super) fn say(&self, words: &LastWords) {
        let Ok(mut text) = serde_json::to_vec(words) else { return };
        if text.len() > ROOM_BYTES {
            let short = LastWords { why: String::new(), ..words.clone() };
            text = serde_json::to_vec(&short).unwrap_or_default();
        }
        text.resize(ROOM_BYTES, b' ');
        let write = || (&self.file).seek(SeekFrom::Start(0)).and_then(|_| (&self.file).write_all(&text));
        if let Err(e) = write() {
            tracing::error!("{}: {e}", self.path.display());
        }
    }

    /// What was said, of a session that nobody has closed since.
    pub(super) fn last_words(folder: &Path) -> Option<LastWords> {
        let mut text = Vec::new();
        File::open(folder.join(LOCK_FILE)).ok()?.take(ROOM_BYTES as u64).read_to_end(&mut text).ok()?;
        serde_json::from_slice(text.trim_ascii()).ok()
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

/// Whether `path` still leads to `file`.
#[cfg(unix)]
fn is_still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |of: std::io::Result<std::fs::Metadata>| of.ok().map(|m| (m.dev(), m.ino()));
    let held = id(file.metadata());
    held.is_some() && held == id(std::fs::metadata(path))
}

/// Where an open file cannot be removed.
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

    /// Each removes the file as it lets go, and still no two ever hold it at the same time.
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
    fn last_words_are_kept_until_the_session_is_closed() {
        let dir = tempfile::tempdir().unwrap();
        let lock = SessionLock::take(dir.path()).unwrap().unwrap();
        lock.make_room().unwrap();
        assert_eq!(SessionLock::last_words(dir.path()), None);
        let words = |why: &str| LastWords { is_disk_full: true, why: why.to_owned() };
        lock.say(&words(&"long ".repeat(1000)));
        assert_eq!(SessionLock::last_words(dir.path()), Some(words("")));
        lock.say(&words("the disk is full"));
        drop(lock);
        assert_eq!(SessionLock::last_words(dir.path()), Some(words("the disk is full")));
        assert_eq!(std::fs::metadata(dir.path().join(LOCK_FILE)).unwrap().len(), ROOM_BYTES as u64);
    }
}
