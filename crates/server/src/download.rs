//! Streams folders as one tar archive.

use std::io::{self, Write};
use std::path::PathBuf;

use axum::body::Bytes;
use tokio::sync::mpsc;

const PART_BYTES: usize = 256 * 1024;

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

/// Sends what is written to it in parts. Writing blocks while the reader is slow.
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
        self.to.blocking_send(Ok(part.into())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}
