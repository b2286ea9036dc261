//! The thread `recorder`: commits the queued entries many times per second, then forwards the committed records.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TryRecvError, TrySendError};
use rusqlite::Connection;

use super::counts::Counts;
use super::header_rows::{self, Closed};
use super::numbering::Numbering;
use super::record_rows::{Inserter, Put};
use super::stored_copy::StoredCopy;
use super::stream_writer::{Barrier, Entry, Port};
use super::{SessionEnd, SessionLock, StorageFailure, StoreError, schema};
use session::{Body, FrameMeta, Record, VIDEO};

/// A quarter of the promised 100 ms. The rest is reserve for a busy disk and processor.
const COMMIT_EVERY: Duration = Duration::from_millis(25);
/// Limits the size of one transaction, so that it does not take longer than promised.
const COMMIT_ENTRIES: usize = 8_192;
/// Entries that no caller waits for are committed after this time.
const ASKED_WITHIN: Duration = Duration::from_millis(100);
/// Commits that a receiver may lag behind: ten minutes.
const BACKLOG: usize = 24_000;
/// How long the recorder waits at the end for a full receiver.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// Messages of the recorder to the views.
#[derive(Clone, Debug, PartialEq)]
pub enum Committed {
    /// Records that are now in the file, in the order of storing.
    Records(Arc<[Record]>),
    /// Data is not being stored, or not safely. A sentence for the operator.
    Failed(String),
}

/// When the recorder commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Commits {
    /// Many times per second. Checkpoints force the commits to the disk. For local sources, which cannot send again.
    Steadily,
    /// When a caller waits ([`Recorder::when_stored`](super::Recorder::when_stored)). Each commit is forced to the disk. For
    /// remote sources, which send again what was not acknowledged.
    WhenAsked,
}

pub(super) struct Committer {
    path: PathBuf,
    conn: Connection,
    lock: SessionLock,
    ports: Vec<Arc<Port>>,
    numbering: Vec<Numbering>,
    entries: Receiver<Entry>,
    counts: Arc<Counts>,
    forward: Forward,
    copies: Vec<StoredCopy>,
    commits: Commits,
    /// Frames and records that came after a failure.
    refused: Refused,
}

/// What could not be stored.
#[derive(Debug, Default)]
struct Refused {
    /// What was lost, also before it came here: a gap stands for more.
    frames: u64,
    records: u64,
    /// Records that came here.
    handed_over: u64,
}

impl Refused {
    fn add(&mut self, entry: &Entry, ports: &[Arc<Port>]) {
        let Entry::Record { stream, body, .. } = entry else { return };
        self.handed_over += 1;
        match body {
            Body::Gap(gap) if gap.reason.is_loss() => {
                let is_video = ports.get(*stream).is_some_and(|port| port.name.as_str() == VIDEO);
                let lost = if is_video { &mut self.frames } else { &mut self.records };
                *lost = lost.saturating_add(gap.lost);
            }
            _ => self.records = self.records.saturating_add(1),
        }
    }
}

/// An open session file, ready for recording.
pub(super) struct Opened {
    pub conn: Connection,
    pub lock: SessionLock,
    pub ports: Vec<Arc<Port>>,
    pub numbering: Vec<Numbering>,
    pub commits: Commits,
}

impl Committer {
    pub(super) fn new(
        folder: &Path,
        opened: Opened,
        entries: Receiver<Entry>,
        committed: Sender<Committed>,
        counts: Arc<Counts>,
    ) -> Self {
        let Opened { conn, lock, ports, numbering, commits } = opened;
        let forward = Forward { to: Some(committed), backlog: VecDeque::new(), counts: counts.clone() };
        Committer {
            path: schema::session_file(folder),
            conn,
            lock,
            ports,
            numbering,
            entries,
            counts,
            forward,
            copies: Vec::new(),
            commits,
            refused: Refused::default(),
        }
    }

    pub(super) fn run(mut self) -> Result<(), StoreError> {
        let mut batch = Vec::new();
        let mut woken = Instant::now();
        let end = loop {
            let end = match self.commits {
                Commits::Steadily => self.collect(&mut batch),
                Commits::WhenAsked => self.collect_asked(&mut batch),
            };
            let is_flooded = batch.len() == COMMIT_ENTRIES;
            self.collect_losses(&mut batch);
            let waiting: Vec<_> = batch.extract_if(.., |e| matches!(e, Entry::Barrier(_))).collect();
            self.commit(&mut batch);
            self.forward.flush();
            self.answer(waiting);
            if let Some(end) = end {
                break end;
            }
            if !is_flooded && self.commits == Commits::Steadily {
                // Sleeps instead of waiting for the queue. A wait yields the processor several times per record, and on a
                // busy machine each yield may last longer than the promised 100 ms.
                std::thread::sleep((woken + COMMIT_EVERY).saturating_duration_since(Instant::now()));
            }
            woken = Instant::now();
        };
        self.forward.flush_within(FLUSH_TIMEOUT);
        if let Some(failure) = self.counts.ended_by.get() {
            let Refused { frames, records, .. } = self.refused;
            let lost = StorageFailure { frames_lost: frames, records_lost: records, ..failure.clone() };
            self.lock.write_failure(&lost);
        }
        match (self.counts.failure.get(), end) {
            (Some(why), _) => Err(StoreError::Poisoned(why.clone())),
            (None, Some(end)) => self.close(&end),
            (None, None) => Ok(()),
        }
    }

    /// Takes the queued entries. `Some` if the recording ends.
    fn collect(&self, batch: &mut Vec<Entry>) -> Option<Option<SessionEnd>> {
        while batch.len() < COMMIT_ENTRIES {
            match self.entries.try_recv() {
                Ok(Entry::Stop(end)) => return Some(end),
                Ok(entry) => batch.push(entry),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Some(None),
            }
        }
        None
    }

    /// Waits for an entry, then takes all entries up to the next barrier.
    fn collect_asked(&self, batch: &mut Vec<Entry>) -> Option<Option<SessionEnd>> {
        let Ok(mut entry) = self.entries.recv() else { return Some(None) };
        let deadline = Instant::now() + ASKED_WITHIN;
        loop {
            let is_asked = matches!(entry, Entry::Barrier(_));
            match entry {
                Entry::Stop(end) => return Some(end),
                entry => batch.push(entry),
            }
            if is_asked || batch.len() == COMMIT_ENTRIES {
                return None;
            }
            entry = match self.entries.recv_deadline(deadline) {
                Ok(entry) => entry,
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => return Some(None),
            };
        }
    }

    fn answer(&self, waiting: Vec<Entry>) {
        for entry in waiting {
            if let Entry::Barrier(Barrier(callback)) = entry {
                callback(match self.counts.failure.get() {
                    None => Ok(()),
                    Some(why) => Err(StoreError::Poisoned(why.clone())),
                });
            }
        }
    }

    fn collect_losses(&self, batch: &mut Vec<Entry>) {
        for (stream, port) in self.ports.iter().enumerate() {
            if let Some((at, gap)) = port.take_losses() {
                batch.push(Entry::Record { stream, seq: None, at, body: Body::Gap(gap) });
            }
        }
    }

    fn commit(&mut self, batch: &mut Vec<Entry>) {
        let mut alarms = Vec::new();
        batch.retain_mut(|entry| match entry {
            Entry::Failed(alarm) => {
                alarms.push(std::mem::take(&mut alarm.sentence));
                if let Some(failure) = &alarm.ends {
                    self.end_by(failure.clone());
                }
                false
            }
            _ => true,
        });
        let refused_before = self.refused.handed_over;
        if self.counts.failure.get().is_none() && !batch.is_empty() {
            let mut refused = Refused::default();
            batch.iter().for_each(|entry| refused.add(entry, &self.ports));
            match self.store(batch.drain(..)) {
                Ok((records, frames)) => {
                    let records: Arc<[Record]> = records.into();
                    self.copies.iter().for_each(|copy| copy.send(&records, &frames));
                    self.forward.push_records(records);
                }
                Err(e) => {
                    let is_disk_full = e.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull);
                    let why = StoreError::sql("write into", &self.path)(e).to_string();
                    let failure = StorageFailure { is_disk_full, why: why.clone(), ..StorageFailure::default() };
                    self.end_by(failure);
                    self.refused = refused;
                    let why = format!(
                        "{why}. Nothing is stored any more: stop, make room or change the disk, and start a new session"
                    );
                    if self.counts.failure.set(why.clone()).is_ok() {
                        alarms.push(why);
                    }
                }
            }
        }
        // After a failure, further records are refused and counted.
        batch.drain(..).for_each(|entry| self.refused.add(&entry, &self.ports));
        self.counts.records_lost.fetch_add(self.refused.handed_over - refused_before, Ordering::Relaxed);
        alarms.into_iter().for_each(|alarm| self.forward.push(Committed::Failed(alarm)));
    }

    /// The first failure is the reason why storing ended.
    fn end_by(&self, failure: StorageFailure) {
        if self.counts.ended_by.set(failure.clone()).is_ok() {
            self.lock.write_failure(&failure);
        }
    }

    /// Stores the batch in one transaction. Returns the records and frames that are new in the file.
    fn store(&mut self, batch: impl Iterator<Item = Entry>) -> rusqlite::Result<(Vec<Record>, Vec<FrameMeta>)> {
        let (mut records, mut frames) = (Vec::new(), Vec::new());
        let mut conflicts = 0;
        let tx = self.conn.transaction()?;
        {
            let mut inserter = Inserter::new(&tx)?;
            for entry in batch {
                match entry {
                    Entry::Record { stream, seq, at, body } => {
                        let seq = self.numbering[stream].take(seq);
                        let record = Record { stream: self.ports[stream].name.clone(), seq, at, body };
                        match inserter.record(stream, &record)? {
                            Put::New => records.push(record),
                            Put::Repeated => {}
                            Put::Conflict => conflicts += 1,
                        }
                    }
                    Entry::Frame(frame) => {
                        if inserter.frame(&frame)? {
                            frames.push(frame.meta);
                        } else {
                            conflicts += 1;
                        }
                    }
                    Entry::Networks(networks) => header_rows::put_reported(&tx, &networks)?,
                    Entry::CopyTo(copy) => self.copies.push(copy),
                    Entry::Failed(_) | Entry::Stop(_) | Entry::Barrier(_) => {}
                }
            }
        }
        tx.commit()?;
        self.counts.records_committed.fetch_add(records.len() as u64, Ordering::Relaxed);
        self.counts.conflicts.fetch_add(conflicts, Ordering::Relaxed);
        Ok((records, frames))
    }

    fn close(self, end: &SessionEnd) -> Result<(), StoreError> {
        let conflicts = self.counts.conflicts.load(Ordering::Relaxed);
        header_rows::close(&self.conn, Closed::Properly, end.at, conflicts)
            .and_then(|()| header_rows::put_quality(&self.conn, end.quality.as_ref()))
            .and_then(|()| header_rows::settle(&self.conn))
            .map_err(StoreError::sql("close", &self.path))?;
        self.conn.close().map_err(|(_, e)| StoreError::sql("close", &self.path)(e))?;
        self.lock.remove()
    }
}

/// Forwards committed records without waiting for the receiver.
struct Forward {
    /// `None` after the receiver is gone.
    to: Option<Sender<Committed>>,
    backlog: VecDeque<Committed>,
    counts: Arc<Counts>,
}

impl Forward {
    fn push_records(&mut self, records: Arc<[Record]>) {
        if !records.is_empty() {
            self.push(Committed::Records(records));
        }
    }

    fn push(&mut self, committed: Committed) {
        if self.to.is_none() {
            return;
        }
        if self.backlog.len() == BACKLOG
            && let Some(Committed::Records(records)) = self.backlog.pop_front()
        {
            self.counts.records_not_forwarded.fetch_add(records.len() as u64, Ordering::Relaxed);
        }
        self.backlog.push_back(committed);
    }

    fn flush(&mut self) {
        let Some(to) = &self.to else { return };
        while let Some(next) = self.backlog.pop_front() {
            match to.try_send(next) {
                Ok(()) => {}
                Err(TrySendError::Full(next)) => return self.backlog.push_front(next),
                Err(TrySendError::Disconnected(_)) => {
                    self.backlog.clear();
                    self.to = None;
                    return;
                }
            }
        }
    }

    fn flush_within(&mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        let Some(to) = &self.to else { return };
        while let Some(next) = self.backlog.pop_front() {
            if let Err(e) = to.send_deadline(next, deadline)
                && let Committed::Records(records) = e.into_inner()
            {
                self.counts.records_not_forwarded.fetch_add(records.len() as u64, Ordering::Relaxed);
            }
        }
    }
}
