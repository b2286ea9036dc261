//! The commands of a remote session's task.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Bytes;
use tokio::sync::{broadcast, oneshot};

use super::live::LiveBatch;
use super::problem::Problem;
use super::video_result::VideoIngestResult;
use super::wire::{Batch, Finish, Finished, RefusedRecord};
use session::SharedFrame;

pub type Answer<T> = oneshot::Sender<Result<T, Problem>>;

/// The result of a batch: the end of what each stream has on the disk, and the invalid records.
pub type BatchResult = (BTreeMap<String, u64>, Vec<RefusedRecord>);

/// Why a session is closed that its browser has not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    Silence,
    Owner,
}

pub enum SessionCommand {
    /// A batch, and the size of its JSON in bytes.
    Records(Batch, u64, Answer<BatchResult>),
    Chunk(u64, Bytes, Answer<u64>),
    Finish(Finish, Answer<Finished>),
    Watch(oneshot::Sender<broadcast::Receiver<Arc<LiveBatch>>>),
    /// The first frame of the browser's video was decoded: create the session's video file.
    OpenVideo {
        width_px: u32,
        height_px: u32,
        to: oneshot::Sender<Result<crossbeam_channel::Sender<SharedFrame>, String>>,
    },
    /// The conversion of the video has ended.
    VideoIngestDone(Result<VideoIngestResult, String>),
    /// Close the session as it is. The answer comes when that is certain, before the file is closed.
    Close(CloseReason, Answer<()>),
    /// No request has arrived for some time: release the files and end the task. The session goes on with the next request.
    FallSilent,
    /// Release the session's files and leave it open. It continues after a restart, or is erased.
    Release(oneshot::Sender<()>),
}
