//! One recording of a browser as a stream of bytes, while its chunks still arrive.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use super::chunks;
use super::container::{FIRST_BYTES, begins_recording, has_head};

/// Interval at which a reader that waits for a chunk checks for it.
pub const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// Larger than the beginning of any recording.
const MAX_HEAD_BYTES: usize = 1 << 20;

/// The progress of a session's chunks. The session's task writes it, and the reader of the chunks reads it.
#[derive(Debug, Default)]
pub struct Progress {
    /// All chunks below this number are on the disk.
    pub chunks: AtomicU64,
    /// Age of the session in ns when the newest chunk arrived.
    pub age_ns: AtomicI64,
    /// The next chunk that the conversion reads.
    pub next: AtomicU64,
    /// No more chunks will arrive.
    pub is_ended: AtomicBool,
    /// The conversion was cancelled.
    pub is_cancelled: AtomicBool,
}

impl Progress {
    /// Whether the conversion has begun and has not read all chunks that have arrived.
    pub fn is_behind(&self) -> bool {
        let next = self.next.load(Ordering::Acquire);
        next > 0 && next < self.chunks.load(Ordering::Acquire)
    }
}

/// The chunks of one recording of the browser as a stream of bytes. Reading waits for chunks that have not arrived.
pub struct ChunkBytes {
    pub folder: PathBuf,
    pub progress: Arc<Progress>,
    pub is_stopped: Arc<AtomicBool>,
    /// The first chunk of the recording.
    pub start: u64,
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
            let next = self.progress.next.load(Ordering::Acquire);
            // Read before `chunks`, so that a chunk that arrives between the two reads is not missed.
            let is_ended = self.progress.is_ended.load(Ordering::Acquire);
            if next < self.progress.chunks.load(Ordering::Acquire) {
                match self.begins_a_recording(next)? {
                    Some(true) => return Ok(0),
                    None if !is_ended && !self.is_over() => std::thread::sleep(POLL_INTERVAL),
                    Some(false) | None => {
                        self.open = Some(File::open(chunks::path(&self.folder, next))?);
                        self.progress.next.store(next + 1, Ordering::Release);
                    }
                }
            } else if is_ended || self.is_over() {
                return Ok(0);
            } else {
                std::thread::sleep(POLL_INTERVAL);
            }
        }
    }
}

impl ChunkBytes {
    fn is_over(&self) -> bool {
        self.progress.is_cancelled.load(Ordering::Acquire) || self.is_stopped.load(Ordering::Acquire)
    }

    /// Whether a new recording of the browser begins with this chunk. `None` if too few bytes have arrived: a browser whose
    /// encoder starts late sends a first chunk of one byte.
    fn begins_a_recording(&self, chunk: u64) -> io::Result<Option<bool>> {
        if chunk <= self.start {
            return Ok(Some(false));
        }
        let mut first = Vec::new();
        for n in chunk..self.progress.chunks.load(Ordering::Acquire) {
            File::open(chunks::path(&self.folder, n))?
                .take((FIRST_BYTES - first.len()) as u64)
                .read_to_end(&mut first)?;
            if let Some(begins) = begins_recording(&first) {
                return Ok(Some(begins));
            }
        }
        Ok(None)
    }
}

/// A file with the beginning of the recording that starts with the chunk `start`. Normally it is that chunk. `None` if more
/// bytes must arrive.
pub fn head(folder: &Path, start: u64, chunks: u64) -> io::Result<Option<PathBuf>> {
    let mut bytes = Vec::new();
    for n in start..chunks {
        File::open(chunks::path(folder, n))?.read_to_end(&mut bytes)?;
        if has_head(&bytes) || bytes.len() > MAX_HEAD_BYTES {
            if n == start {
                return Ok(Some(chunks::path(folder, start)));
            }
            // It is deleted with the chunks.
            let head = chunks::path(folder, start).with_extension("head");
            std::fs::write(&head, &bytes)?;
            return Ok(Some(head));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EBML: [u8; 4] = [0x1A, 0x45, 0xDF, 0xA3];
    const CLUSTER: [u8; 4] = [0x1F, 0x43, 0xB6, 0x75];

    fn reader(folder: &Path, chunks: u64, start: u64) -> (Arc<Progress>, ChunkBytes) {
        let progress = Arc::new(Progress::default());
        progress.chunks.store(chunks, Ordering::Release);
        progress.next.store(start, Ordering::Release);
        progress.is_ended.store(true, Ordering::Release);
        let bytes = ChunkBytes {
            folder: folder.to_owned(),
            progress: progress.clone(),
            is_stopped: Arc::default(),
            start,
            open: None,
        };
        (progress, bytes)
    }

    #[test]
    fn a_recording_may_begin_with_a_chunk_of_one_byte() {
        let dir = tempfile::tempdir().unwrap();
        let whole = [&EBML[..], b"head", &CLUSTER, b"frames"].concat();
        let again = [&EBML[..], b"next"].concat();
        let cut = [&whole[..1], &whole[1..6], &whole[6..], b"more", &[0x1A], b"x", &again[..1], &again[1..]];
        for (n, bytes) in cut.iter().enumerate() {
            chunks::store(dir.path(), n as u64, bytes).unwrap();
        }
        assert_eq!((head(dir.path(), 0, 1).unwrap(), head(dir.path(), 0, 2).unwrap()), (None, None));
        let found = head(dir.path(), 0, 8).unwrap().unwrap();
        assert_eq!(std::fs::read(found).unwrap(), whole);
        assert_eq!(chunks::stored(dir.path()).unwrap().next(), 8, "the head is no chunk");
        assert_eq!(head(dir.path(), 2, 3).unwrap(), Some(chunks::path(dir.path(), 2)));

        let (_, mut first) = reader(dir.path(), 8, 0);
        let mut read = Vec::new();
        first.read_to_end(&mut read).unwrap();
        assert_eq!(read, [&whole[..], b"more\x1Ax"].concat());
        assert_eq!(first.progress.next.load(Ordering::Acquire), 6);
        let (_, mut second) = reader(dir.path(), 8, 6);
        read.clear();
        second.read_to_end(&mut read).unwrap();
        assert_eq!(read, again);
    }

    #[test]
    fn a_conversion_is_behind_once_it_has_begun_until_it_has_read_what_arrived() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..2 {
            chunks::store(dir.path(), n, b"a").unwrap();
        }
        let (progress, mut bytes) = reader(dir.path(), 2, 0);
        assert!(!progress.is_behind(), "it waits for a vision thread");
        assert_eq!(bytes.read(&mut [0; 1]).unwrap(), 1);
        assert!(progress.is_behind());
        bytes.read_to_end(&mut Vec::new()).unwrap();
        assert!(!progress.is_behind());
        progress.chunks.store(3, Ordering::Release);
        assert!(progress.is_behind());
    }

    #[test]
    fn the_end_of_the_session_ends_a_short_last_chunk() {
        let dir = tempfile::tempdir().unwrap();
        chunks::store(dir.path(), 0, b"a").unwrap();
        chunks::store(dir.path(), 1, &EBML[..1]).unwrap();
        let (_, mut bytes) = reader(dir.path(), 2, 0);
        let mut read = Vec::new();
        bytes.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"a\x1A");
    }
}
