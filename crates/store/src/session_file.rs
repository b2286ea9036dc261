//! Reads the committed data of a session, finished or being recorded.

use std::cell::OnceCell;
use std::fs::File;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde_json::Value;

use super::film::{self, Film};
use super::header_rows::{self, Closed};
use super::lock::StorageFailure;
use super::mkv_scan::{is_matroska, read_at};
use super::{
    Addition, CameraDescription, FrameIndex, FrameRow, SessionHeader, SessionLock, SessionState, StoreError, Summary,
    record_rows, schema,
};
use session::{FilmPacket, Frame, Pixels, Record, StreamInfo, Timeline, Timestamp, VideoLoss, VideoTrouble};

const READER: &str = "timeline reader";
/// Records per batch, and batches that may be ready.
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
    /// Read on first use, because lists and exports of records do not need it.
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

    /// The streams that were added after the recording.
    pub fn additions(&self) -> &[Addition] {
        &self.added
    }

    /// The state at the time of opening.
    pub fn state(&self) -> Result<SessionState, StoreError> {
        Ok(self.closed.state(self.closed == Closed::Not && SessionLock::is_held(&self.folder)?))
    }

    /// The counts written when the session was closed; `None` while it is open.
    pub fn summary(&self) -> Option<&Summary> {
        (self.closed != Closed::Not).then_some(&self.summary)
    }

    /// Declares all streams of the session in `timeline`.
    pub fn declare_streams(&self, timeline: &mut Timeline) {
        for stream in &self.streams {
            match self.added.iter().any(|a| a.stream == stream.name) {
                true => timeline.declare_added(stream.clone()),
                false => timeline.declare(stream.clone()),
            }
        }
    }

    /// All committed records, in memory. One thread reads and this thread sorts, which halves the time for a long session.
    pub fn timeline(&self) -> Result<Timeline, StoreError> {
        let mut timeline = Timeline::default();
        self.declare_streams(&mut timeline);
        let (to, batches) = crossbeam_channel::bounded::<Vec<Record>>(READ_AHEAD);
        let folder = &self.folder;
        std::thread::scope(|scope| {
            let read = move || {
                let mut batch = Vec::with_capacity(READ_BATCH);
                // A database connection must stay on one thread, so the reader opens its own.
                SessionFile::open(folder)?.each_record(|record| {
                    batch.push(record);
                    if batch.len() == READ_BATCH && to.send(std::mem::take(&mut batch)).is_err() {
                        batch = Vec::new(); // the receiver is gone
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

    /// All committed records in the order of storing, one at a time, without a timeline.
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

    /// The records of one stream with numbers from `from` on, in the order of their numbers. Used to follow a stream.
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

    /// The JPEG of one frame. Fails if the picture is damaged.
    pub fn picture(&self, number: u64) -> Result<Vec<u8>, StoreError> {
        self.picture_of(&self.row(number)?)
    }

    fn row(&self, number: u64) -> Result<FrameRow, StoreError> {
        self.frames()?.get(number).copied().ok_or_else(|| self.no_frame(number))
    }

    fn no_frame(&self, number: u64) -> StoreError {
        StoreError::NoFrame { number, path: self.folder.clone() }
    }

    /// Whether the video has pictures.
    pub fn has_frames(&self) -> Result<bool, StoreError> {
        record_rows::has_frames(&self.conn, &schema::session_file(&self.folder))
    }

    /// The last frame captured at or before `at`. Keeps only this frame in memory.
    pub fn frame_before(&self, at: Timestamp) -> Result<Option<FrameRow>, StoreError> {
        record_rows::frame_before(&self.conn, &schema::session_file(&self.folder), at)
    }

    /// The film that contains the pictures; `None` if they are in `video.mkv`.
    pub fn film(&self) -> Result<Option<Film>, StoreError> {
        film::get(&self.conn).map_err(StoreError::sql("read the film of", schema::session_file(&self.folder)))
    }

    /// The packets of the film, in the order of decoding.
    pub fn film_packets(&self) -> Result<Vec<FilmPacket>, StoreError> {
        film::get_packets(&self.conn).map_err(StoreError::sql("read the film of", schema::session_file(&self.folder)))
    }

    /// The JPEG of a frame. Fails if the picture is damaged, or part of a film that is no sequence of JPEGs.
    pub fn picture_of(&self, frame: &FrameRow) -> Result<Vec<u8>, StoreError> {
        let number = frame.meta.number;
        let path = match self.film()? {
            None => schema::video_file(&self.folder),
            Some(film) if film.decoding.is_none() => film.path(&self.folder),
            Some(film) => return Err(StoreError::FilmFrame { number, path: film.path(&self.folder) }),
        };
        let mut file = File::open(&path).map_err(StoreError::io("open", &path))?;
        let bytes_there = file.metadata().map_err(StoreError::io("look at", &path))?.len();
        if frame.offset.saturating_add(frame.length) > bytes_there {
            return Err(self.no_frame(number));
        }
        let mut jpeg = vec![0; frame.length as usize];
        let read = read_at(&mut file, frame.offset, &mut jpeg).map_err(StoreError::io("read", &path))?;
        if read < jpeg.len() {
            return Err(self.no_frame(number));
        }
        if !frame.is_same_picture(&jpeg) {
            return Err(StoreError::DamagedFrame { number, at: frame.meta.at, path });
        }
        Ok(jpeg)
    }

    /// One stored frame with its JPEG. `stored_frames::FrameReader` reads the frames of every session.
    pub fn frame(&self, number: u64) -> Result<Frame, StoreError> {
        let CameraDescription { width_px, height_px, .. } = self.header.camera;
        let row = self.row(number)?;
        Ok(Frame { meta: row.meta, width_px, height_px, pixels: Pixels::Jpeg(self.picture_of(&row)?) })
    }

    /// Stored pictures that are lost; `None` if there are none. Does not read the pictures.
    pub fn video_loss(&self) -> Result<Option<VideoLoss>, StoreError> {
        let film = self.film()?;
        let path = film.as_ref().map_or_else(|| schema::video_file(&self.folder), |film| film.path(&self.folder));
        let there = match File::open(&path) {
            Ok(mut file) => {
                let mut start = [0; 4];
                let n = read_at(&mut file, 0, &mut start).map_err(StoreError::io("read", &path))?;
                let bytes = file.metadata().map_err(StoreError::io("look at", &path))?.len();
                Some((bytes, film.is_some() || is_matroska(&start[..n])))
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
        let lost = record_rows::frames_behind(&self.conn, bytes, film.is_some());
        let lost = lost.map_err(StoreError::sql("read the frames of", schema::session_file(&self.folder)))?;
        let file = film.map_or_else(|| schema::VIDEO_FILE.to_owned(), |film| film.shown());
        Ok(lost.map(|(frames, of, from)| VideoLoss { file, trouble, frames, of, from }))
    }

    /// Why storing stopped before the end of the recording, if this was stored and the session was not closed since.
    pub fn storage_failure(&self) -> Option<StorageFailure> {
        SessionLock::storage_failure(&self.folder)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.conn
    }
}

/// Stores the camera in the header after the recording, if it was unknown before.
pub fn store_camera(folder: &Path, camera: &CameraDescription) -> Result<(), StoreError> {
    change(folder, |conn| header_rows::put_camera(conn, camera))
}

/// Stores or replaces the quality report of a closed session.
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
