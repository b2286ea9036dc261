//! Streams that are added to a session after its recording: imported events, annotations, ratings, frames scored later.
//!
//! Live streams are not changed: records can only be added to added streams. Each addition is one transaction, so a kill
//! leaves all of it or nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use rusqlite::{Connection, Transaction};

use super::header_rows::{self, Closed};
use super::record_rows::{self, Inserter};
use super::{Addition, SessionLock, StoreError, schema};
use session::{Body, Record, StreamInfo, StreamKind, StreamName, Timestamp};

/// Exclusive right to add streams to a session. Held until it is dropped. `added_streams` passes it on.
pub struct AdditionLock {
    folder: PathBuf,
    /// Passed to `AddedStreams`.
    lock: Option<SessionLock>,
}

impl AdditionLock {
    /// Waits at most `most` for another addition. Does not wait for a recording.
    pub fn take(folder: &Path, most: Duration) -> Result<AdditionLock, StoreError> {
        // Do not create a lock file in a folder without a session.
        if !schema::session_file(folder).exists() {
            return Err(StoreError::NoSession(folder.to_owned()));
        }
        let locked = |lock| AdditionLock { folder: folder.to_owned(), lock: Some(lock) };
        if let Some(lock) = SessionLock::take(folder)? {
            return Ok(locked(lock));
        }
        // The holder of the lock may be writing the file. If the file is unreadable now, that is not an error.
        if matches!(closed(folder), Ok(Closed::Not)) {
            return Err(StoreError::Recording(folder.to_owned()));
        }
        let lock = SessionLock::wait(folder, most)?;
        lock.map(locked).ok_or_else(|| StoreError::BeingAddedTo(folder.to_owned()))
    }

    /// Refuses a session that a crash left open. Migrates a session of an older file version.
    pub fn added_streams(mut self) -> Result<AddedStreams, StoreError> {
        let path = schema::session_file(&self.folder);
        // First checks with a read-only connection.
        if closed(&self.folder)? == Closed::Not {
            return Err(StoreError::LeftOpen(self.folder.clone()));
        }
        let conn = schema::open_annex(&self.folder)?;
        let streams = header_rows::get_streams(&conn, &path)?;
        let added = header_rows::get_additions(&conn, &path)?;
        let lock = self.lock.take().ok_or_else(|| StoreError::BeingAddedTo(self.folder.clone()))?;
        Ok(AddedStreams { path, conn, lock, streams, added })
    }
}

impl Drop for AdditionLock {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.take() {
            lock.release();
        }
    }
}

pub(super) fn closed(folder: &Path) -> Result<Closed, StoreError> {
    let conn = schema::open_read(folder)?;
    let (_, closed, _) = header_rows::get_header(&conn, &schema::session_file(folder))?;
    Ok(closed)
}

/// A closed session that is locked for additions. Readers are not blocked and see the committed data.
pub struct AddedStreams {
    path: PathBuf,
    conn: Connection,
    lock: SessionLock,
    streams: Vec<StreamInfo>,
    added: Vec<Addition>,
}

impl AddedStreams {
    /// Does not wait for other additions; see [`AdditionLock`].
    pub fn open(folder: &Path) -> Result<AddedStreams, StoreError> {
        AdditionLock::take(folder, Duration::ZERO)?.added_streams()
    }

    /// A commit reaches the disk before it returns, also at a power cut. For additions after which other data is removed.
    pub fn force_commits(&self) -> Result<(), StoreError> {
        self.conn.pragma_update(None, "synchronous", "full").map_err(StoreError::sql("open", &self.path))
    }

    /// All streams of the session.
    pub fn streams(&self) -> &[StreamInfo] {
        &self.streams
    }

    /// Adds a stream. Does nothing if it was added before with the same description.
    pub fn add_stream(&mut self, info: &StreamInfo, author: &str) -> Result<(), StoreError> {
        let mut draft = self.draft()?;
        draft.add_stream(info, author)?;
        draft.commit()
    }

    /// Appends records to an added stream, all or none, and returns them as stored.
    pub fn append(&mut self, stream: &str, bodies: Vec<(Timestamp, Body)>) -> Result<Vec<Record>, StoreError> {
        let mut draft = self.draft()?;
        let records = draft.append(stream, bodies)?;
        draft.commit()?;
        Ok(records)
    }

    /// Begins an addition of several streams or many records. `commit` stores all of it. Dropping it stores nothing.
    pub fn draft(&mut self) -> Result<Draft<'_>, StoreError> {
        let AddedStreams { path, conn, streams, added, .. } = self;
        let tx = conn.transaction().map_err(StoreError::sql("write into", &path))?;
        let (next_streams, next_added) = (streams.clone(), added.clone());
        Ok(Draft { path, tx, streams, added, next_streams, next_added })
    }

    /// Merges the write-ahead log into the session file and unlocks the session.
    pub fn close(self) -> Result<(), StoreError> {
        header_rows::settle(&self.conn).map_err(StoreError::sql("close", &self.path))?;
        self.conn.close().map_err(|(_, e)| StoreError::sql("close", &self.path)(e))?;
        self.lock.remove()
    }
}

/// An addition in progress.
pub struct Draft<'a> {
    path: &'a Path,
    tx: Transaction<'a>,
    streams: &'a mut Vec<StreamInfo>,
    added: &'a mut Vec<Addition>,
    next_streams: Vec<StreamInfo>,
    next_added: Vec<Addition>,
}

impl Draft<'_> {
    /// See [`AddedStreams::add_stream`].
    pub fn add_stream(&mut self, info: &StreamInfo, author: &str) -> Result<(), StoreError> {
        if let Some(there) = self.next_streams.iter().find(|s| s.name == info.name) {
            return if there == info && self.is_added(&info.name) {
                Ok(())
            } else {
                Err(StoreError::StreamTaken { stream: info.name.clone(), software: there.software.clone() })
            };
        }
        let addition = Addition { stream: info.name.clone(), added: Utc::now(), author: author.to_owned() };
        let id = self.next_streams.len();
        header_rows::put_stream(&self.tx, id, info)
            .and_then(|()| header_rows::put_addition(&self.tx, id, &addition))
            .map_err(StoreError::sql("add a stream to", self.path))?;
        self.next_streams.push(info.clone());
        self.next_added.push(addition);
        Ok(())
    }

    /// See [`AddedStreams::append`].
    pub fn append(&mut self, stream: &str, bodies: Vec<(Timestamp, Body)>) -> Result<Vec<Record>, StoreError> {
        let id = self.next_streams.iter().position(|s| s.name.as_str() == stream);
        let id = id.ok_or_else(|| StoreError::NoStream(stream.to_owned()))?;
        let info = &self.next_streams[id];
        if !self.is_added(&info.name) {
            return Err(StoreError::Raw(info.name.clone()));
        }
        let misfit = bodies.iter().find(|(_, body)| !fits(body, info));
        if let Some((at, _)) = misfit {
            return Err(StoreError::DoesNotFit { stream: info.name.clone(), at: *at });
        }
        let name = Arc::new(info.name.clone());
        let write = || -> rusqlite::Result<Vec<Record>> {
            let first = record_rows::next_seq(&self.tx, id)?;
            let mut inserter = Inserter::new(&self.tx)?;
            let mut records = Vec::with_capacity(bodies.len());
            for (seq, (at, body)) in (first..).zip(bodies) {
                let record = Record { stream: name.clone(), seq, at, body };
                inserter.record(id, &record)?;
                records.push(record);
            }
            Ok(records)
        };
        write().map_err(StoreError::sql("write into", self.path))
    }

    pub fn commit(self) -> Result<(), StoreError> {
        let Draft { path, tx, streams, added, next_streams, next_added } = self;
        tx.commit().map_err(StoreError::sql("write into", path))?;
        (*streams, *added) = (next_streams, next_added);
        Ok(())
    }

    pub(super) fn transaction(&self) -> (&Path, &Transaction<'_>) {
        (self.path, &self.tx)
    }

    fn is_added(&self, stream: &StreamName) -> bool {
        self.next_added.iter().any(|a| a.stream == *stream)
    }
}

fn fits(body: &Body, info: &StreamInfo) -> bool {
    match body {
        Body::Sample { values, .. } => info.kind == StreamKind::Samples && values.len() == info.fields.len(),
        Body::Event { .. } | Body::Gap(_) => true,
    }
}
