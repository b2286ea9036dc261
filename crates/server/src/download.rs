//! Sends an answer while it is made: folders as one tar archive, or another document.

use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use axum::body::{Body, Bytes};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::SendTimeoutError;
use tokio_stream::wrappers::ReceiverStream;

const PART_BYTES: usize = 256 * 1024;
/// Parts that wait for a slow reader.
const QUEUE: usize = 8;
/// A reader that takes no part in this time is given up, because it holds a permit or a temporary folder.
const SLOWEST_PART: Duration = Duration::from_secs(60);

type Part = io::Result<Bytes>;

/// The sending end of the body of an answer.
pub struct Outgoing {
    to: mpsc::Sender<Part>,
    /// The place of an error in the queue, so that a full queue does not delay the error.
    error_place: Option<mpsc::OwnedPermit<Part>>,
    slowest_part: Duration,
}

/// The two ends of an answer that is sent while it is made.
pub fn channel() -> (Outgoing, Body) {
    channel_for(SLOWEST_PART)
}

fn channel_for(slowest_part: Duration) -> (Outgoing, Body) {
    let (to, parts) = mpsc::channel(QUEUE + 1);
    // The queue is empty, so there is a place.
    let error_place = to.clone().try_reserve_owned().ok();
    (Outgoing { to, error_place, slowest_part }, Body::from_stream(ReceiverStream::new(parts)))
}

impl Outgoing {
    /// Runs `work`, which writes the answer. It blocks while the reader is slow. After an error the answer has no end, so the
    /// reader detects the error.
    pub fn write(self, work: impl FnOnce(Parts) -> io::Result<()>) {
        let Outgoing { to, error_place, slowest_part } = self;
        let parts = Parts { to, part: Vec::with_capacity(PART_BYTES), slowest_part };
        if let Err(e) = work(parts)
            && let Some(place) = error_place
        {
            place.send(Err(e));
        }
    }

    /// Returns when the reader is gone.
    pub async fn closed(&self) {
        self.to.closed().await;
    }
}

/// Writes folders as one tar archive. Each folder has its path in the archive.
pub fn archive(folders: &[(PathBuf, PathBuf)], parts: Parts) -> io::Result<()> {
    let mut archive = tar::Builder::new(parts);
    archive.follow_symlinks(false);
    archive.mode(tar::HeaderMode::Deterministic);
    for (folder, name) in folders {
        archive.append_dir_all(name, folder)?;
    }
    archive.into_inner()?.flush()
}

/// Sends what is written to it in parts. Writing blocks while the reader is slow, for each part at most `slowest_part`.
pub struct Parts {
    to: mpsc::Sender<Part>,
    part: Vec<u8>,
    slowest_part: Duration,
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
        let sent = self.to.send_timeout(Ok(part.into()), self.slowest_part);
        match Handle::current().block_on(sent) {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Closed(_)) => Err(io::ErrorKind::BrokenPipe.into()),
            Err(SendTimeoutError::Timeout(_)) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio_stream::StreamExt;

    #[tokio::test(flavor = "multi_thread")]
    async fn a_reader_that_reads_nothing_is_given_up() {
        let (outgoing, body) = channel_for(Duration::from_millis(50));
        let written = tokio::task::spawn_blocking(move || {
            outgoing.write(|mut parts| {
                loop {
                    parts.write_all(&[7; PART_BYTES])?;
                }
            });
        });
        let given_up = tokio::time::timeout(Duration::from_secs(20), written).await;
        given_up.expect("the thread waits for ever").unwrap();
        let mut parts: Vec<_> = body.into_data_stream().collect().await;
        let last = parts.pop().unwrap();
        assert!(last.is_err(), "the reader detects that the answer is cut");
        assert_eq!(parts.len(), QUEUE);
        assert!(parts.iter().all(|part| part.as_ref().is_ok_and(|bytes| bytes.len() == PART_BYTES)));
    }
}
