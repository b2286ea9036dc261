//! What a remote session is started with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use tokio::sync::Semaphore;

use super::clock::ServerClock;
use super::pool::VisionPool;
use super::quota::SessionQuota;
use super::wire::{CameraMode, Finish};
use session::{Body, Numbers, PAGE_CLOCK, StreamInfo, Timestamp};
use store::{Committed, Recorder, RemoteState, SessionFile, SessionHeader, StoreError};

const COMMITTED_QUEUE: usize = 1024;

#[derive(Clone)]
pub struct RemotePlan {
    pub id: String,
    pub folder: PathBuf,
    pub zero_utc_ns: i64,
    pub camera: CameraMode,
    /// The network that the study selects.
    pub affect_model: String,
    pub clock: ServerClock,
    pub pool: VisionPool,
    pub min_free_bytes: u64,
    /// Limits how many sessions are opened, closed or graded at the same time.
    pub file_permits: Arc<Semaphore>,
    pub state: RemoteState,
    pub finish: Option<Finish>,
    pub quota: SessionQuota,
    /// The session falls silent after this time without requests.
    pub silent_after: Duration,
    /// The session's file is closed and has to be opened again first.
    pub is_closed: bool,
    /// Why the session's task starts with stored files.
    pub resumed_because: &'static str,
}

pub const SERVER_RESTARTED: &str = "the server was restarted";
pub const WAS_CLOSED: &str = "the session had been closed because no request arrived for a long time";
pub const WAS_SILENT: &str = "no request had arrived for some time, and the server had released the session's files";

/// A recorder, its committed records, and its streams with the numbers of their stored records.
pub struct OpenedRecorder {
    pub recorder: Recorder,
    pub committed: Receiver<Committed>,
    pub streams: Vec<(StreamInfo, Numbers)>,
    /// The stored readings of the clocks of the browser's documents.
    pub readings: Vec<StoredReading>,
}

/// A stored reading of a document's clock, in the session's time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoredReading {
    pub document: u32,
    pub at: Timestamp,
    /// Session time minus `performance.now()`.
    pub offset_ms: f64,
    pub uncertainty_ms: f64,
}

fn stored_readings(folder: &Path) -> Result<Vec<StoredReading>, StoreError> {
    let records = SessionFile::open(folder)?.records_from(PAGE_CLOCK, 0)?;
    let readings = records.into_iter().filter_map(|record| {
        let Body::Event { kind, data } = record.body else { return None };
        let number = |name: &str| data.get(name).and_then(serde_json::Value::as_f64);
        let document = data.get("document").and_then(serde_json::Value::as_u64)?.try_into().ok()?;
        let (offset_ms, uncertainty_ms) = (number("offset_ms")?, number("uncertainty_ms")?);
        (kind == "measured").then_some(StoredReading { document, at: record.at, offset_ms, uncertainty_ms })
    });
    Ok(readings.collect())
}

impl OpenedRecorder {
    pub fn resume(folder: &Path, is_closed: bool) -> Result<OpenedRecorder, StoreError> {
        if is_closed {
            Recorder::reopen_remote(folder)?;
        }
        let (to, committed) = crossbeam_channel::bounded(COMMITTED_QUEUE);
        let (recorder, streams) = Recorder::resume_remote(folder, to)?;
        let readings = stored_readings(folder)?;
        Ok(OpenedRecorder { recorder, committed, streams, readings })
    }

    pub fn create(
        folder: &Path,
        header: SessionHeader,
        streams: Vec<StreamInfo>,
    ) -> Result<OpenedRecorder, StoreError> {
        let (to, committed) = crossbeam_channel::bounded(COMMITTED_QUEUE);
        let recorder = Recorder::create_remote(folder, header, streams.clone(), to)?;
        let streams = streams.into_iter().map(|s| (s, Numbers::default())).collect();
        Ok(OpenedRecorder { recorder, committed, streams, readings: Vec::new() })
    }
}
