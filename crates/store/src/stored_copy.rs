//! A second receiver of what the recorder stores, such as the outlets of Lab Streaming Layer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::Sender;

use session::{FrameMeta, Record};

/// The records and frames of one commit.
#[derive(Clone, Debug)]
pub struct Stored {
    pub records: Arc<[Record]>,
    pub frames: Vec<FrameMeta>,
}

#[derive(Debug)]
pub(super) struct StoredCopy {
    pub to: Sender<Stored>,
    /// Records and frames that did not fit.
    pub missed: Arc<AtomicU64>,
}

impl StoredCopy {
    pub(super) fn send(&self, records: &Arc<[Record]>, frames: &[FrameMeta]) {
        let count = (records.len() + frames.len()) as u64;
        let stored = Stored { records: records.clone(), frames: frames.to_vec() };
        if count > 0 && self.to.try_send(stored).is_err() {
            self.missed.fetch_add(count, Ordering::Relaxed);
        }
    }
}
