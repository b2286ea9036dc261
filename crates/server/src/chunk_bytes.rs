//! One recording of a browser as a stream of bytes, while its chunks still arrive.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::chunks;

/// Interval at which a reader that waits for a chunk checks for it.
pub const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// The first bytes of every Matroska and WebM file.
const EBML: [u8; 4] = [0x1A, 0x45, 0xDF, 0xA3];

/// The progress of a session's chunks. The session's task writes it, and the reader of the chunks reads it.
#[derive(Debug, Default)]
pub struct Progress {
    /// All chunks below this number are on the disk.
    pub chunks: AtomicU64,
    /// No more chunks will arrive.
    pub is_ended: AtomicBool,
    /// The conversion was cancelled.
    pub is_cancelled: AtomicBool,
}

/// The chunks of one recording of the browser as a stream of bytes. Reading waits for chunks that have not arrived.
pub struct ChunkBytes {
    pub folder: PathBuf,
    pub progress: Arc<Progress>,
    pub is_stopped: Arc<AtomicBool>,
    pub start: u64,
    pub next: Arc<AtomicU64>,
    pub open: Option<File>,
}

impl Read for ChunkBytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(file) = &mut self.open {
                let n = file.read(buffer)?;
                if n > 0 {
                    return Ok(n);
                }
                self.open = None;
            }
            let next = self.next.load(Ordering::Acquire);
            // Read before `chunks`, so that a chunk that arrives between the two reads is not missed.
            let is_ended = self.progress.is_ended.load(Ordering::Acquire);
            if next < self.progress.chunks.load(Ordering::Acquire) {
                let path = chunks::path(&self.folder, next);
                if next > self.start && begins_a_file(&path)? {
                    return Ok(0);
                }
                self.open = Some(File::open(&path)?);
                self.next.store(next + 1, Ordering::Release);
            } else if is_ended
                || self.progress.is_cancelled.load(Ordering::Acquire)
                || self.is_stopped.load(Ordering::Acquire)
            {
                return Ok(0);
            } else {
                std::thread::sleep(POLL_INTERVAL);
            }
        }
    }
}

fn begins_a_file(chunk: &Path) -> io::Result<bool> {
    let mut head = [0; 4];
    Ok(File::open(chunk)?.read(&mut head)? == 4 && head == EBML)
}
