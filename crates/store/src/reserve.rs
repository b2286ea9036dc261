//! Disk space that a recording keeps, so that its files can be closed after the disk has become full.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// More than ten seconds of records and the video's seek table need. Commits of that time are in the write-ahead log
/// only, and closing the session copies them.
const RESERVED_BYTES: u64 = 8 << 20;
/// On a small disk, at most this share of the free space.
const SHARE: u64 = 8;

fn path(folder: &Path) -> PathBuf {
    folder.join("recording.reserve")
}

/// A recording also starts without the reserve. Then a session that fills the disk is closed at the next start.
pub(super) fn take(folder: &Path) {
    let bytes = RESERVED_BYTES.min(disk_free_bytes(folder).map_or(RESERVED_BYTES, |free| free / SHARE));
    if let Err(e) = fill(&path(folder), bytes) {
        release(folder);
        tracing::warn!("no disk space was reserved in {}: {e}", folder.display());
    }
}

pub(super) fn release(folder: &Path) {
    // Without a reserve there is nothing to remove.
    std::fs::remove_file(path(folder)).ok();
}

fn fill(path: &Path, bytes: u64) -> std::io::Result<()> {
    let mut file = File::create(path)?;
    #[cfg(target_os = "linux")]
    if rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes).is_ok() {
        return Ok(());
    }
    // Not every file system can reserve space without writing.
    let zeros = vec![0; 1 << 16];
    let mut left = bytes as usize;
    while left > 0 {
        let n = left.min(zeros.len());
        file.write_all(&zeros[..n])?;
        left -= n;
    }
    Ok(())
}

#[cfg(unix)]
pub fn disk_free_bytes(folder: &Path) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|s| s.f_bavail.saturating_mul(s.f_frsize))
}

#[cfg(not(unix))]
pub fn disk_free_bytes(_folder: &Path) -> Option<u64> {
    None
}
