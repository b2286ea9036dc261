//! The door through which every record goes into the recorder.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crossbeam_channel::{Sender, TrySendError};
use serde_json::Value;
use thiserror::Error;

use super::{FrameRow, LastWords, StoreError};
use session::{Body, Gap, GapReason, StreamInfo, StreamKind, StreamName, Timestamp};

/// What travels to the recorder's thread.
#[derive(Debug)]
pub(super) enum Entry {
    Record {
        stream: usize,
        seq: Option<u64>,
        at: Timestamp,
        body: Body,
    },
    Frame(FrameRow),
    /// For the header.
    Networks(Vec<super::ReportedNetwork>),
    /// An alarm of another storing thread, to be forwarded.
    Failed(Alarm),
    /// Somebody waits until all before it is in the file.
    Barrier(Barrier),
    /// Nothing comes after it.
    Stop(Option<super::SessionEnd>),
}

/// Something is not being stored, or not safely.
#[derive(Clone, Debug)]
pub(super) struct Alarm {
    /// A sentence for the operator.
    pub sentence: String,
    /// What ends here; `None` where storing goes on.
    pub ends: Option<LastWords>,
}

/// Called once, by the recorder's thread.
pub(super) struct Barrier(pub Box<dyn FnOnce(Result<(), StoreError>) + Send>);

impl std::fmt::Debug for Barrier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Barrier")
    }
}

/// Why a record was not taken.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum NotStored {
    /// Counted, and stored as a gap as soon as there is room, unless its source numbered it and sends it again.
    #[error("a record of `{0}` was not stored: the recorder's queue is full")]
    QueueFull(StreamName),
    #[error("a record of `{0}` was not stored: the recording has ended")]
    Ended(StreamName),
    #[error("a record of `{stream}` was not stored: {problem}")]
    DoesNotFit { stream: StreamName, problem: String },
}

/// What the writers of one stream and the recorder share.
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

    /// Counts what no queue had room for. The span is noted before the count, so that a count always has a span.
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
        // A loss counted now may have had its span taken with the one before: then the other end stands for both.
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

/// Writes records of one stream; never waits.
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

    /// `frame` is the number of the video frame from which `values` were read, one value a field.
    pub fn sample(&self, at: Timestamp, frame: Option<u64>, values: &[f32]) -> Result<(), NotStored> {
        self.send_or_lose(at, at, Body::Sample { frame, values: values.into() })
    }

    pub fn event(&self, at: Timestamp, kind: &str, data: Value) -> Result<(), NotStored> {
        self.send_or_lose(at, at, Body::event(kind, data))
    }

    pub fn gap(
        &self,
        at: Timestamp,
        until: Timestamp,
        reason: GapReason,
        lost: u64,
        note: &str,
    ) -> Result<(), NotStored> {
        self.send_or_lose(at, until, Body::Gap(Gap { until, reason, lost, note: note.to_owned() }))
    }

    /// For a source that numbers its records and repeats those that were not taken: what finds no room is not lost.
    /// A stream is numbered by its source or by the recorder; gaps that the recorder adds to a numbered stream count
    /// from [`RECORDER_SEQ_0`](super::RECORDER_SEQ_0).
    pub fn sample_numbered(
        &self,
        seq: u64,
        at: Timestamp,
        frame: Option<u64>,
        values: &[f32],
    ) -> Result<(), NotStored> {
        self.send(Some(seq), at, Body::Sample { frame, values: values.into() })
    }

    /// See [`StreamWriter::sample_numbered`].
    pub fn event_numbered(&self, seq: u64, at: Timestamp, kind: &str, data: Value) -> Result<(), NotStored> {
        self.send(Some(seq), at, Body::event(kind, data))
    }

    /// See [`StreamWriter::sample_numbered`].
    pub fn gap_numbered(
        &self,
        seq: u64,
        at: Timestamp,
        until: Timestamp,
        reason: GapReason,
        lost: u64,
        note: &str,
    ) -> Result<(), NotStored> {
        self.send(Some(seq), at, Body::Gap(Gap { until, reason, lost, note: note.to_owned() }))
    }

    fn send_or_lose(&self, at: Timestamp, until: Timestamp, body: Body) -> Result<(), NotStored> {
        let sent = self.send(None, at, body);
        if let Err(NotStored::QueueFull(_) | NotStored::Ended(_)) = &sent {
            self.port.lose(at, until);
            self.records_lost.fetch_add(1, Ordering::Relaxed);
        }
        sent
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
