//! What the storing threads count.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use super::StorageFailure;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreCounters {
    pub records_committed: u64,
    /// Records that found no room or came after a failure. A value above 0 is an alarm.
    pub records_lost: u64,
    /// Records that were refused because another record has their stream and number.
    pub conflicts: u64,
    /// Records that were committed but not forwarded, because the receiver fell minutes behind.
    pub records_not_forwarded: u64,
    pub frames_stored: u64,
    /// Frames that were taken from the queue but not written: they could not be compressed, or the disk failed.
    pub frames_lost: u64,
    pub video_bytes: u64,
    /// 0 … 1
    pub record_queue_fill: f64,
    /// 0 … 1; 0 without video.
    pub video_queue_fill: f64,
    /// `None` if the system does not provide it.
    pub disk_free_bytes: Option<u64>,
    /// Why storing has stopped.
    pub failure: Option<String>,
    /// Why records or video are no longer stored. The recording is to be ended.
    pub ended_by: Option<StorageFailure>,
}

/// Counted by the storing threads.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub records_committed: AtomicU64,
    pub records_lost: Arc<AtomicU64>,
    pub conflicts: AtomicU64,
    pub records_not_forwarded: AtomicU64,
    pub frames_stored: AtomicU64,
    pub frames_lost: AtomicU64,
    pub video_bytes: AtomicU64,
    pub failure: OnceLock<String>,
    pub ended_by: OnceLock<StorageFailure>,
}
