//! What can be asked of a session's task, and what it is started with.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use axum::body::Bytes;
use crossbeam_channel::Receiver;
use tokio::sync::{Semaphore, broadcast, oneshot};

use super::clock::ServerClock;
use super::hub_client::HubClient;
use super::live::LiveNews;
use super::pool::VisionPool;
use super::problem::Problem;
use super::video_ingest::FilmNews;
use super::wire::{Batch, CameraMode, Finish, Finished, RefusedRecord};
use session::{Numbers, SharedFrame, StreamInfo};
use store::{Committed, Recorder, RemoteState, SessionHeader, StoreError};

const COMMITTED_QUEUE: usize = 1024;

pub type Answer<T> = oneshot::Sender<Result<T, Problem>>;

/// What became of a batch: all below these numbers is on the disk, and these records say nothing.
pub type Stored = (BTreeMap<String, u64>, Vec<RefusedRecord>);

/// What can be asked of a session.
pub enum Order {
    Records(Batch, Answer<Stored>),
    Chunk(u64, Bytes, Answer<u64>),
    Finish(Finish, Answer<Finished>),
    Watch(oneshot::Sender<broadcast::Receiver<Arc<LiveNews>>>),
    /// The video's first picture has come: its file is to be made.
    FilmFrames {
        width_px: u32,
        height_px: u32,
        to: oneshot::Sender<Result<crossbeam_channel::Sender<SharedFrame>, String>>,
    },
    /// All of the video was looked at, or could not be.
    FilmDone(Result<FilmNews, String>),
    /// Nothing has come for long: close it as it is.
    Abandon,
    /// Leave it open, to go on after a restart, or to be erased.
    Leave(oneshot::Sender<()>),
}

/// What the task is told when it starts.
pub struct RemotePlan {
    pub id: String,
    pub folder: PathBuf,
    pub zero_utc_ns: i64,
    pub camera: CameraMode,
    /// Of the study.
    pub affect_model: String,
    pub clock: ServerClock,
    pub hub: HubClient,
    pub pool: VisionPool,
    pub min_free_bytes: u64,
    /// Few sessions are opened, closed or judged at the same time.
    pub turns: Arc<Semaphore>,
    pub state: RemoteState,
    pub finish: Option<Finish>,
}

/// A recorder with what belongs to it.
pub struct Opened {
    pub recorder: Recorder,
    pub committed: Receiver<Committed>,
    pub streams: Vec<(StreamInfo, Numbers)>,
}

impl Opened {
    pub fn resume(folder: &Path) -> Result<Opened, StoreError> {
        let (to, committed) = crossbeam_channel::bounded(COMMITTED_QUEUE);
        let (recorder, streams) = Recorder::resume_remote(folder, to)?;
        Ok(Opened { recorder, committed, streams })
    }

    pub fn create(folder: &Path, header: SessionHeader, streams: Vec<StreamInfo>) -> Result<Opened, StoreError> {
        let (to, committed) = crossbeam_channel::bounded(COMMITTED_QUEUE);
        let recorder = Recorder::create_remote(folder, header, streams.clone(), to)?;
        Ok(Opened { recorder, committed, streams: streams.into_iter().map(|s| (s, Numbers::default())).collect() })
    }
}
