//! What a remote session is started with.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crossbeam_channel::Receiver;
use serde_json::{Value, json};

use super::clock::ServerClock;
use super::file_permits::FilePermits;
use super::pool::VisionPool;
use super::quota::SessionQuota;
use super::wire::{CameraMode, Finish};
use session::{Body, Numbers, PAGE_CLOCK, SERVER, StreamInfo, StudyExcerpt, Timestamp};
use store::{Committed, Recorder, RemoteState, SessionFile, SessionHeader, StoreError};

const COMMITTED_QUEUE: usize = 1024;

#[derive(Clone)]
pub struct RemotePlan {
    pub id: String,
    pub folder: PathBuf,
    pub camera: CameraMode,
    pub clock: ServerClock,
    pub pool: VisionPool,
    pub min_free_bytes: u64,
    pub file_permits: FilePermits,
    pub state: RemoteState,
    pub finish: Option<Finish>,
    pub quota: SessionQuota,
    pub video_end: Option<VideoEnd>,
    /// The session falls silent after this time without requests.
    pub silent_after: Duration,
    /// The session's file is closed and has to be opened again first.
    pub is_closed: bool,
    /// The session's task was started to close the session, so no browser waits for it.
    pub is_woken_to_close: bool,
    /// Why the session's task starts with stored files.
    pub resumed_because: &'static str,
}

/// Where the video of a session ends, because a quota is used up. No chunk from this one on is accepted.
#[derive(Clone, Debug, PartialEq)]
pub struct VideoEnd {
    pub chunk: u64,
    /// The refusal, as a sentence.
    pub why: String,
}

impl VideoEnd {
    /// The event that stores the end.
    pub const EVENT: &str = "video_refused";

    pub fn to_data(&self) -> Value {
        json!({ "chunk": self.chunk, "why": self.why })
    }

    /// The stored end with the smallest chunk.
    fn stored(file: &SessionFile) -> Result<Option<VideoEnd>, StoreError> {
        if !file.streams().iter().any(|s| s.name.as_str() == SERVER) {
            return Ok(None);
        }
        let ends = file.records_from(SERVER, 0)?.into_iter().filter_map(|record| {
            let Body::Event { kind, data } = record.body else { return None };
            let (chunk, why) = (data.get("chunk")?.as_u64()?, data.get("why")?.as_str()?.to_owned());
            (kind == Self::EVENT).then_some(VideoEnd { chunk, why })
        });
        Ok(ends.min_by_key(|end| end.chunk))
    }
}

pub const SERVER_RESTARTED: &str = "the server was restarted";
pub const WAS_CLOSED: &str = "the session had been closed because no request arrived for a long time";
pub const WAS_SILENT: &str = "no request had arrived for some time, and the server had released the session's files";

/// A recorder, its committed records, its streams with the numbers of their stored records, and what the task needs of the
/// session's header.
pub struct OpenedRecorder {
    pub zero_utc_ns: i64,
    /// The network that the study selects.
    pub affect_model: String,
    pub recorder: Recorder,
    pub committed: Receiver<Committed>,
    pub streams: Vec<(StreamInfo, Numbers)>,
    /// The stored readings of the clocks of the browser's documents.
    pub readings: Vec<StoredReading>,
    pub video_end: Option<VideoEnd>,
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

fn stored_readings(file: &SessionFile) -> Result<Vec<StoredReading>, StoreError> {
    let records = file.records_from(PAGE_CLOCK, 0)?;
    let readings = records.into_iter().filter_map(|record| {
        let Body::Event { kind, data } = record.body else { return None };
        let number = |name: &str| data.get(name).and_then(Value::as_f64);
        let document = data.get("document").and_then(Value::as_u64)?.try_into().ok()?;
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
        let file = SessionFile::open(folder)?;
        let (readings, video_end) = (stored_readings(&file)?, VideoEnd::stored(&file)?);
        Ok(OpenedRecorder { readings, video_end, ..Self::new(folder, file.header(), recorder, committed, streams)? })
    }

    pub fn create(
        folder: &Path,
        header: SessionHeader,
        streams: Vec<StreamInfo>,
    ) -> Result<OpenedRecorder, StoreError> {
        let (to, committed) = crossbeam_channel::bounded(COMMITTED_QUEUE);
        let recorder = Recorder::create_remote(folder, header.clone(), streams.clone(), to)?;
        let streams = streams.into_iter().map(|s| (s, Numbers::default())).collect();
        Self::new(folder, &header, recorder, committed, streams)
    }

    fn new(
        folder: &Path,
        header: &SessionHeader,
        recorder: Recorder,
        committed: Receiver<Committed>,
        streams: Vec<(StreamInfo, Numbers)>,
    ) -> Result<OpenedRecorder, StoreError> {
        let StudyExcerpt { affect_model, .. } = header
            .study
            .excerpt()
            .map_err(|e| StoreError::StoredStudy { folder: folder.to_owned(), why: e.to_string() })?;
        let zero_utc_ns = header.zero_utc.timestamp_nanos_opt().unwrap_or(0);
        Ok(OpenedRecorder {
            zero_utc_ns,
            affect_model,
            recorder,
            committed,
            streams,
            readings: Vec::new(),
            video_end: None,
        })
    }
}
