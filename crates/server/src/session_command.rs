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

pub enum SessionCommand {
    Records(Batch, Answer<BatchResult>),
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
    /// Nothing has arrived for a long time: close the session as it is.
    Abandon,
    /// Release the session's files and leave it open. It continues after a restart, or is erased.
    Release(oneshot::Sender<()>),
}
