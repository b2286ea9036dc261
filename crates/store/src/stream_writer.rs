//! Writes records of one stream into the recorder's queue.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crossbeam_channel::{Sender, TrySendError};
use serde_json::Value;
use thiserror::Error;

use super::{FrameRow, StorageFailure, StoreError};
use session::{Body, Gap, GapReason, StreamInfo, StreamKind, StreamName, Timestamp};

/// An entry of the recorder's queue.
#[derive(Debug)]
pub(super) enum Entry {
    Record {
        stream: usize,
        seq: Option<u64>,
        at: Timestamp,
        body: Body,
    },
    Frame(FrameRow),
    /// Networks to add to the header.
    Networks(Vec<super::ReportedNetwork>),
    /// An alarm of another storing thread, to be forwarded.
    Failed(Alarm),
    /// From now on, this receiver also gets what is stored.
    CopyTo(super::stored_copy::StoredCopy),
    /// A caller waits until all earlier entries are in the file.
    Barrier(Barrier),
    /// The last entry.
    Stop(Option<super::SessionEnd>),
}

/// Data is not being stored, or not safely.
#[derive(Clone, Debug)]
pub(super) struct Alarm {
    /// A sentence for the operator.
    pub sentence: String,
    /// Why storing ends; `None` if it continues.
    pub ends: Option<StorageFailure>,
}

/// Called once, by the recorder's thread.
pub(super) struct Barrier(pub Box<dyn FnOnce(Result<(), StoreError>) + Send>);

impl std::fmt::Debug for Barrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Barrier")
    }
}

/// Why a record was not accepted.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum NotStored {
    /// [`StreamWriter::append`] counts the record as lost, and the recorder stores a gap as soon as there is room.
    #[error("a record of `{0}` was not stored: the recorder's queue is full")]
    QueueFull(StreamName),
    #[error("a record of `{0}` was not stored: the recording has ended")]
    Ended(StreamName),
    #[error("a record of `{stream}` was not stored: {problem}")]
    DoesNotFit { stream: StreamName, problem: String },
}

/// State that the writers of one stream share with the recorder.
#[derive(Debug)]
pub(super) struct Port {
    pub name: Arc<StreamName>,
    kind: StreamKind,
    fields: usize,
    lost: AtomicU64,
    lost_first_ns: AtomicI64,
    lost_last_ns: AtomicI64,
}

impl Port {
    pub(super) fn new(info: &StreamInfo) -> Self {
        Port {
            name: Arc::new(info.name.clone()),
            kind: info.kind,
            fields: info.fields.len(),
            lost: AtomicU64::new(0),
            lost_first_ns: AtomicI64::new(i64::MAX),
            lost_last_ns: AtomicI64::new(i64::MIN),
        }
    }

    /// Counts a lost record. The span is updated before the count, so that a count always has a span.
    pub(super) fn lose(&self, at: Timestamp, until: Timestamp) {
        self.lost_first_ns.fetch_min(at.as_ns(), Ordering::Relaxed);
        self.lost_last_ns.fetch_max(until.as_ns(), Ordering::Relaxed);
        self.lost.fetch_add(1, Ordering::Release);
    }

    /// The losses since the last call, as a gap and its start.
    pub(super) fn take_losses(&self) -> Option<(Timestamp, Gap)> {
        let lost = self.lost.swap(0, Ordering::Acquire);
        if lost == 0 {
            return None;
        }
        let first = self.lost_first_ns.swap(i64::MAX, Ordering::Relaxed);
        let last = self.lost_last_ns.swap(i64::MIN, Ordering::Relaxed);
        // A concurrent loss may have had its span taken with the previous one. Then the known end is used for both.
        let (first, last) = match (first, last) {
            (i64::MAX, i64::MIN) => (0, 0),
            (i64::MAX, last) => (last, last),
            (first, i64::MIN) => (first, first),
            both => both,
        };
        let gap = Gap { until: Timestamp::from_ns(last), reason: GapReason::QueueFull, lost, note: String::new() };
        Some((Timestamp::from_ns(first), gap))
    }
}

/// Writes records of one stream. Never waits.
#[derive(Clone, Debug)]
pub struct StreamWriter {
    pub(super) stream: usize,
    pub(super) port: Arc<Port>,
    pub(super) queue: Sender<Entry>,
    pub(super) records_lost: Arc<AtomicU64>,
}

impl StreamWriter {
    pub fn name(&self) -> &StreamName {
        &self.port.name
    }

    /// Stores a record that the recorder numbers. A record that finds no room is counted as lost.
    pub fn append(&self, at: Timestamp, body: Body) -> Result<(), NotStored> {
        let until = if let Body::Gap(gap) = &body { gap.until } else { at };
        let sent = self.send(None, at, body);
        if let Err(NotStored::QueueFull(_) | NotStored::Ended(_)) = &sent {
            self.port.lose(at, until);
            self.records_lost.fetch_add(1, Ordering::Relaxed);
        }
        sent
    }

    /// Stores a record that its source numbers and sends again after an error. A record that finds no room is not
    /// counted as lost.
    ///
    /// Either the source or the recorder numbers a stream. Gaps that the recorder adds to a numbered stream count from
    /// [`RECORDER_SEQ_0`](super::RECORDER_SEQ_0).
    pub fn put(&self, seq: u64, at: Timestamp, body: Body) -> Result<(), NotStored> {
        self.send(Some(seq), at, body)
    }

    /// `values` has one value for each field. `frame` is the number of the video frame that they were read from.
    pub fn sample(&self, at: Timestamp, frame: Option<u64>, values: &[f32]) -> Result<(), NotStored> {
        self.append(at, Body::sample(frame, values))
    }

    pub fn event(&self, at: Timestamp, kind: &str, data: Value) -> Result<(), NotStored> {
        self.append(at, Body::event(kind, data))
    }

    pub fn gap(
        &self,
        at: Timestamp,
        until: Timestamp,
        reason: GapReason,
        lost: u64,
        note: &str,
    ) -> Result<(), NotStored> {
        self.append(at, Body::Gap(Gap { until, reason, lost, note: note.to_owned() }))
    }

    fn send(&self, seq: Option<u64>, at: Timestamp, body: Body) -> Result<(), NotStored> {
        self.check(&body)?;
        self.queue.try_send(Entry::Record { stream: self.stream, seq, at, body }).map_err(|e| match e {
            TrySendError::Full(_) => NotStored::QueueFull(self.name().clone()),
            TrySendError::Disconnected(_) => NotStored::Ended(self.name().clone()),
        })
    }

    fn check(&self, body: &Body) -> Result<(), NotStored> {
        let problem = match (body, self.port.kind) {
            (Body::Sample { values, .. }, StreamKind::Samples) if values.len() == self.port.fields => return Ok(()),
            (Body::Sample { values, .. }, StreamKind::Samples) => {
                format!("it has {} values and the stream {} fields", values.len(), self.port.fields)
            }
            (Body::Sample { .. }, StreamKind::Events) => "it is a sample and the stream holds events".to_owned(),
            (Body::Event { .. } | Body::Gap(_), _) => return Ok(()),
        };
        Err(NotStored::DoesNotFit { stream: self.name().clone(), problem })
    }
}
