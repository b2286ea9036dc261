//! Streams folders as one tar archive.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use axum::body::Bytes;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendTimeoutError;

const PART_BYTES: usize = 256 * 1024;
/// A reader that takes no part in this time is given up, because it holds a permit or a temporary folder.
const SLOWEST_PART: Duration = Duration::from_secs(60);

/// Blocks while the reader is slow. After an error the archive has no end mark, so the reader detects the error.
///
/// Each folder has its path in the archive.
pub fn write(folders: &[(PathBuf, PathBuf)], to: mpsc::Sender<io::Result<Bytes>>) {
    let parts = Parts::new(to.clone());
    if let Err(e) = archive(folders, parts) {
        // Sending fails only if the reader is gone. It does not need the error then.
        to.blocking_send(Err(e)).ok();
    }
}

fn archive(folders: &[(PathBuf, PathBuf)], parts: Parts) -> io::Result<()> {
    let mut archive = tar::Builder::new(parts);
    archive.follow_symlinks(false);
    archive.mode(tar::HeaderMode::Deterministic);
    for (folder, name) in folders {
        archive.append_dir_all(name, folder)?;
    }
    archive.into_inner()?.flush()
}

/// Sends what is written to it in parts. Writing blocks while the reader is slow, at most [`SLOWEST_PART`].
pub struct Parts {
    to: mpsc::Sender<io::Result<Bytes>>,
    part: Vec<u8>,
}

impl Parts {
    pub fn new(to: mpsc::Sender<io::Result<Bytes>>) -> Parts {
        Parts { to, part: Vec::with_capacity(PART_BYTES) }
    }
}

impl Write for Parts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.part.extend_from_slice(bytes);
        if self.part.len() >= PART_BYTES {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let part = std::mem::replace(&mut self.part, Vec::with_capacity(PART_BYTES));
        if part.is_empty() {
            return Ok(());
        }
        // The thread is one of tokio's blocking threads.
        let sent = self.to.send_timeout(Ok(part.into()), SLOWEST_PART);
        match Handle::current().block_on(sent) {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Closed(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(SendTimeoutError::Timeout(_)) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}
