//! Reads a session, finished or being recorded: what was committed, and nothing else.

use std::cell::OnceCell;
use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use super::header_rows::{self, Closed};
use super::lock::LastWords;
use super::mkv_scan::{is_matroska, read_at};
use super::{
    Addition, CameraDescription, FrameIndex, SessionHeader, SessionLock, SessionState, StoreError, Summary,
    record_rows, schema,
};
use session::{Record, StreamInfo, Timeline, VideoLoss, VideoTrouble};

const READER: &str = "timeline reader";
/// Records handed over together, and how many such batches may lie ready.
const READ_BATCH: usize = 2048;
const READ_AHEAD: usize = 8;

pub struct SessionFile {
    folder: PathBuf,
    conn: Connection,
    header: SessionHeader,
    streams: Vec<StreamInfo>,
    added: Vec<Addition>,
    summary: Summary,
    closed: Closed,
    /// Read when first asked for: lists and exports of records do without.
    frames: OnceCell<FrameIndex>,
}

impl SessionFile {
    pub fn open(folder: &Path) -> Result<SessionFile, StoreError> {
        let path = schema::session_file(folder);
        let conn = schema::open_read(folder)?;
        let (header, closed, summary) = header_rows::get_header(&conn, &path)?;
        let streams = header_rows::get_streams(&conn, &path)?;
        let added = header_rows::get_additions(&conn, &path)?;
        let frames = OnceCell::new();
        Ok(SessionFile { folder: folder.to_owned(), conn, header, streams, added, summary, closed, frames })
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn header(&self) -> &SessionHeader {
        &self.header
    }

    pub fn streams(&self) -> &[StreamInfo] {
        &self.streams
    }

    /// Which of the streams were added after the recording. All others are raw.
    pub fn additions(&self) -> &[Addition] {
        &self.added
    }

    /// As it was when the file was opened.
    pub fn state(&self) -> Result<SessionState, StoreError> {
        Ok(self.closed.state(self.closed == Closed::Not && SessionLock::is_held(&self.folder)?))
    }

    /// The figures written when the session was closed; `None` while it is open.
    pub fn summary(&self) -> Option<&Summary> {
        (self.closed != Closed::Not).then_some(&self.summary)
    }

    /// Makes all of the session's streams known to `timeline`, and which of them came after the recording.
    pub fn declare_streams(&self, timeline: &mut Timeline) {
        for stream in &self.streams {
            match self.added.iter().any(|a| a.stream == stream.name) {
                true => timeline.declare_added(stream.clone()),
                false => timeline.declare(stream.clone()),
            }
        }
    }

    /// All committed records, in memory. Read on one thread and put in order on this one, so that a long session is
    /// on the screen in half the time.
    pub fn timeline(&self) -> Result<Timeline, StoreError> {
        let mut timeline = Timeline::default();
        self.declare_streams(&mut timeline);
        let (to, batches) = crossbeam_channel::bounded::<Vec<Record>>(READ_AHEAD);
        let folder = &self.folder;
        std::thread::scope(|scope| {
            let read = move || {
                let mut batch = Vec::with_capacity(READ_BATCH);
                // A connection belongs to one thread, so the reader opens its own.
                SessionFile::open(folder)?.each_record(|record| {
                    batch.push(record);
                    if batch.len() == READ_BATCH && to.send(std::mem::take(&mut batch)).is_err() {
                        batch = Vec::new(); // nobody waits for them any more
                    }
                })?;
                to.send(batch).map_err(|_| StoreError::ThreadDied(READER))
            };
            let reader = std::thread::Builder::new().name(READER.to_owned()).spawn_scoped(scope, read);
            let reader = reader.map_err(StoreError::io("start the thread", READER))?;
            batches.iter().flatten().for_each(|record| timeline.ingest(&record));
            reader.join().map_err(|_| StoreError::ThreadDied(READER))?
        })?;
        Ok(timeline)
    }

    /// All committed records in the order of storing, one at a time: for what needs no timeline.
    pub fn each_record(&self, mut take: impl FnMut(Record)) -> Result<(), StoreError> {
        let path = schema::session_file(&self.folder);
        let mut unreadable = None;
        record_rows::each_record(&self.conn, &path, &self.streams, |record| match record {
            Ok(record) => take(record),
            Err(problem) => {
                unreadable.get_or_insert(problem);
            }
        })?;
        unreadable.map_or(Ok(()), |problem| Err(StoreError::damaged(&path, problem)))
    }

    /// The records of one stream with numbers from `from` on, in the order of their numbers: for following a stream.
    pub fn records_from(&self, stream: &str, from: u64) -> Result<Vec<Record>, StoreError> {
        let path = schema::session_file(&self.folder);
        let found = self.streams.iter().position(|s| s.name.as_str() == stream);
        let stream = found.ok_or_else(|| StoreError::NoStream(stream.to_owned()))?;
        record_rows::records_from(&self.conn, &path, &self.streams, stream, from)
    }

    pub fn frames(&self) -> Result<&FrameIndex, StoreError> {
        if let Some(frames) = self.frames.get() {
            return Ok(frames);
        }
        let frames = record_rows::get_frames(&self.conn, &schema::session_file(&self.folder))?;
        Ok(self.frames.get_or_init(|| FrameIndex::new(frames)))
    }

    /// The JPEG of one frame. A picture that is not the one that was stored is not handed out.
    pub fn picture(&self, number: u64) -> Result<Vec<u8>, StoreError> {
        let missing = || StoreError::NoFrame { number, path: self.folder.clone() };
        let frame = *self.frames()?.get(number).ok_or_else(missing)?;
        let path = schema::video_file(&self.folder);
        let mut file = File::open(&path).map_err(StoreError::io("open", &path))?;
        let bytes_there = file.metadata().map_err(StoreError::io("look at", &path))?.len();
        if frame.offset.saturating_add(frame.length) > bytes_there {
            return Err(missing());
        }
        let mut jpeg = vec![0; frame.length as usize];
        let read = read_at(&mut file, frame.offset, &mut jpeg).map_err(StoreError::io("read", &path))?;
        if read < jpeg.len() {
            return Err(missing());
        }
        if !frame.is_same_picture(&jpeg) {
            return Err(StoreError::DamagedFrame { number, at: frame.at, path });
        }
        Ok(jpeg)
    }

    /// Pictures that were stored and are gone; `None` where all of them are there. Looks at no picture.
    pub fn video_loss(&self) -> Result<Option<VideoLoss>, StoreError> {
        let path = schema::video_file(&self.folder);
        let there = match File::open(&path) {
            Ok(mut file) => {
                let mut start = [0; 4];
                let n = read_at(&mut file, 0, &mut start).map_err(StoreError::io("read", &path))?;
                let bytes = file.metadata().map_err(StoreError::io("look at", &path))?.len();
                Some((bytes, is_matroska(&start[..n])))
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
            Err(e) => return Err(StoreError::io("open", &path)(e)),
        };
        let (trouble, bytes) = match there {
            None => (VideoTrouble::Missing, 0),
            Some((0, _)) => (VideoTrouble::Empty, 0),
            Some((_, false)) => (VideoTrouble::Foreign, 0),
            Some((bytes, true)) => (VideoTrouble::Short, bytes),
        };
        let lost = record_rows::frames_behind(&self.conn, bytes);
        let lost = lost.map_err(StoreError::sql("read the frames of", schema::session_file(&self.folder)))?;
        Ok(lost.map(|(frames, of, from)| VideoLoss { trouble, frames, of, from }))
    }

    /// Why storing ended, where the program could still say it and nobody has closed the session since.
    pub fn last_words(&self) -> Option<LastWords> {
        SessionLock::last_words(&self.folder)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.conn
    }
}

/// Says what camera the pictures came from, where that was known only when they had come.
pub fn store_camera(folder: &Path, camera: &CameraDescription) -> Result<(), StoreError> {
    change(folder, |conn| header_rows::put_camera(conn, camera))
}

/// Adds the quality report, or replaces it, once the session is closed.
pub fn store_quality(folder: &Path, quality: &Value) -> Result<(), StoreError> {
    change(folder, |conn| header_rows::put_quality(conn, Some(quality)))
}

fn change(folder: &Path, write: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<(), StoreError> {
    let Some(lock) = SessionLock::take(folder)? else { return Err(StoreError::Recording(folder.to_owned())) };
    let path = schema::session_file(folder);
    let conn = schema::open_write(folder)?;
    write(&conn).map_err(StoreError::sql("write into", &path))?;
    conn.close().map_err(|(_, e)| StoreError::sql("close", &path)(e))?;
    lock.remove()
}
