//! Starts and ends the recording of one session. Its threads: `recorder` owns the database connection, `checkpoint` forces
//! commits to the disk, `video` owns the video file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendError, Sender, bounded};
use rusqlite::Connection;

use super::commit::{Commits, Committed, Committer, Opened};
use super::counts::Counts;
use super::folders::force_to_disk;
use super::header_rows::Closed;
use super::numbering::Numbering;
use super::reserve::disk_free_bytes;
use super::stored_copy::{Stored, StoredCopy};
use super::stream_writer::{Alarm, Barrier, Entry, Port, StreamWriter};
use super::thread::{join, spawn};
use super::video::VideoSink;
use super::{
    Film, FrameRow, ReportedNetwork, SessionEnd, SessionHeader, SessionLock, StoreCounters, StoreError, film,
    header_rows, record_rows, reserve, schema, video,
};
use session::{FilmPacket, HEALTH, Numbers, StreamInfo, VIDEO};

/// Size of the queue from the sources to the recorder: minutes at usual rates, 0.33 s at 100,000 records per second.
const QUEUE_ENTRIES: usize = 32_768;
/// Longest time of commits that a power cut may lose. A kill of the process loses none of them.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);
/// Longest wait for the lock of a session that is resumed.
const LOCK_PATIENCE: Duration = Duration::from_secs(2);

pub struct Recorder {
    folder: PathBuf,
    ports: Vec<Arc<Port>>,
    queue: Sender<Entry>,
    counts: Arc<Counts>,
    recorder: Option<JoinHandle<Result<(), StoreError>>>,
    /// Dropping the sender stops the thread.
    checkpoint: Option<(Sender<()>, JoinHandle<()>)>,
    video: Option<video::Running>,
}

impl Recorder {
    /// Creates `folder` if it does not exist. A folder with a session is refused.
    ///
    /// `committed` gets every record once it is in the file. The recorder does not wait for a full receiver: it sends the
    /// records later, in order.
    pub fn create(
        folder: &Path,
        header: SessionHeader,
        streams: Vec<StreamInfo>,
        committed: Sender<Committed>,
    ) -> Result<Recorder, StoreError> {
        Self::create_with(folder, &header, &streams, committed, (Commits::Steadily, Numbering::default()))
    }

    /// For a session that is made from `film`, which is in its folder or at its path. [`Recorder::frames`] takes its frames.
    pub fn create_from_film(
        folder: &Path,
        header: SessionHeader,
        streams: Vec<StreamInfo>,
        committed: Sender<Committed>,
        film: (&Film, &[FilmPacket]),
    ) -> Result<Recorder, StoreError> {
        Self::create_from(folder, (&header, &streams), Some(film), committed, (Commits::Steadily, Numbering::default()))
    }

    /// For a remote source that numbers its records and sends again what was not acknowledged. Commits when
    /// [`Recorder::when_stored`] is called. Acknowledged records survive a power cut.
    pub fn create_remote(
        folder: &Path,
        header: SessionHeader,
        streams: Vec<StreamInfo>,
        committed: Sender<Committed>,
    ) -> Result<Recorder, StoreError> {
        // The source may number any of the streams, also after the recorder's first own record.
        let numbering = Numbering::after(0);
        let recorder = Self::create_with(folder, &header, &streams, committed, (Commits::WhenAsked, numbering))?;
        // Commits force the file's content to the disk. The entry of the file in its folder must be forced, too.
        for folder in folder.ancestors().take(3) {
            force_to_disk(folder)?;
        }
        Ok(recorder)
    }

    /// Resumes a session of [`Recorder::create_remote`] after a restart of the program. Returns the stored numbers of each
    /// stream. Removes its video, which is made again from the data that the browser sent.
    pub fn resume_remote(
        folder: &Path,
        committed: Sender<Committed>,
    ) -> Result<(Recorder, Vec<(StreamInfo, Numbers)>), StoreError> {
        // Who only tests whether the lock is held has it for a moment.
        let lock = SessionLock::wait(folder, LOCK_PATIENCE)?;
        let Some(lock) = lock else { return Err(StoreError::Recording(folder.to_owned())) };
        // Clears a failure that an earlier process stored.
        lock.make_room()?;
        let (path, video) = (schema::session_file(folder), schema::video_file(folder));
        let conn = schema::open_write(folder)?;
        let (_, closed, _) = header_rows::get_header(&conn, &path)?;
        if closed != Closed::Not {
            return Err(StoreError::Ended(folder.to_owned()));
        }
        let streams = header_rows::get_streams(&conn, &path)?;
        let failed = |e| StoreError::sql("read the records of", &path)(e);
        let numbers = record_rows::source_numbers(&conn, streams.len()).map_err(failed)?;
        let next: rusqlite::Result<Vec<u64>> = (0..streams.len()).map(|k| record_rows::next_seq(&conn, k)).collect();
        let next = next.map_err(failed)?;
        conn.execute("DELETE FROM frame", []).map_err(StoreError::sql("write into", &path))?;
        match std::fs::remove_file(&video) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => return Err(StoreError::io("remove", &video)(e)),
            _ => {}
        }
        let ports = streams.iter().map(|s| Arc::new(Port::new(s))).collect();
        let numbering = next.into_iter().map(Numbering::after).collect();
        let opened = Opened { conn, lock, ports, numbering, commits: Commits::WhenAsked };
        Ok((Self::start(folder, opened, committed)?, streams.into_iter().zip(numbers).collect()))
    }

    /// Opens a session of [`Recorder::create_remote`] again that was closed because its source was silent. Resume it with
    /// [`Recorder::resume_remote`]. A session that a crash closed or to which streams were added is refused. The video of a
    /// closed session cannot go on, so the session must have none. An open session is not changed.
    pub fn reopen_remote(folder: &Path) -> Result<(), StoreError> {
        let lock = SessionLock::wait(folder, LOCK_PATIENCE)?;
        let Some(_lock) = lock else { return Err(StoreError::Recording(folder.to_owned())) };
        let path = schema::session_file(folder);
        let mut conn = schema::open_annex(folder)?;
        let (_, closed, _) = header_rows::get_header(&conn, &path)?;
        let has_additions = header_rows::has_additions(&conn).map_err(StoreError::sql("read", &path))?;
        match closed {
            Closed::Not => return Ok(()),
            Closed::Properly if !has_additions && !schema::video_file(folder).exists() => {}
            _ => return Err(StoreError::Ended(folder.to_owned())),
        }
        let reopen = |conn: &mut Connection| -> rusqlite::Result<()> {
            let tx = conn.transaction()?;
            header_rows::reopen(&tx)?;
            tx.commit()
        };
        reopen(&mut conn).map_err(StoreError::sql("write into", &path))
    }

    fn create_with(
        folder: &Path,
        header: &SessionHeader,
        streams: &[StreamInfo],
        committed: Sender<Committed>,
        how: (Commits, Numbering),
    ) -> Result<Recorder, StoreError> {
        Self::create_from(folder, (header, streams), None, committed, how)
    }

    fn create_from(
        folder: &Path,
        (header, streams): (&SessionHeader, &[StreamInfo]),
        film: Option<(&Film, &[FilmPacket])>,
        committed: Sender<Committed>,
        (commits, numbering): (Commits, Numbering),
    ) -> Result<Recorder, StoreError> {
        std::fs::create_dir_all(folder).map_err(StoreError::io("create the folder", folder))?;
        let Some(lock) = SessionLock::take(folder)? else { return Err(StoreError::Recording(folder.to_owned())) };
        if schema::session_file(folder).exists() || schema::video_file(folder).exists() {
            return Err(StoreError::Exists(folder.to_owned()));
        }
        let conn = schema::create(folder, |conn| {
            header_rows::put_header(conn, header, streams)?;
            film.map_or(Ok(()), |(film, packets)| film::put(conn, film, packets))
        })?;
        lock.make_room()?;
        // A remote source sends again what was not stored.
        if commits == Commits::Steadily {
            reserve::take(folder);
        }
        let ports: Vec<_> = streams.iter().map(|s| Arc::new(Port::new(s))).collect();
        let numbering = vec![numbering; ports.len()];
        Self::start(folder, Opened { conn, lock, ports, numbering, commits }, committed)
    }

    fn start(folder: &Path, opened: Opened, committed: Sender<Committed>) -> Result<Recorder, StoreError> {
        if opened.commits == Commits::WhenAsked {
            let full = opened.conn.pragma_update(None, "synchronous", "full");
            full.map_err(StoreError::sql("open", schema::session_file(folder)))?;
        }
        let ports = opened.ports.clone();
        let counts = Arc::new(Counts::default());
        let (queue, entries) = bounded(QUEUE_ENTRIES);
        let committer = Committer::new(folder, opened, entries, committed, counts.clone());
        let recorder = spawn("recorder", move || committer.run())?;
        let (stop, stopped) = bounded(0);
        let second = schema::open_write(folder)?;
        let thread = {
            let (path, queue) = (schema::session_file(folder), queue.clone());
            spawn("checkpoint", move || checkpoint(&path, &second, &stopped, &queue))
        };
        let mut this = Recorder {
            folder: folder.to_owned(),
            ports,
            queue,
            counts,
            recorder: Some(recorder),
            checkpoint: None,
            video: None,
        };
        this.checkpoint = Some((stop, thread?));
        Ok(this)
    }

    /// Calls `callback` when all earlier records are in the file, or with the error. `callback` runs on the recorder's thread and
    /// must not wait. If the recorder has ended, it runs on this thread.
    pub fn when_stored(&self, callback: impl FnOnce(Result<(), StoreError>) + Send + 'static) {
        // `send` may wait for room, as long as the recorder takes for one commit.
        if let Err(SendError(Entry::Barrier(Barrier(callback)))) =
            self.queue.send(Entry::Barrier(Barrier(Box::new(callback))))
        {
            callback(Err(StoreError::ThreadDied("recorder")));
        }
    }

    /// Adds networks that a remote source ran to the header. Stored in order with the records.
    pub fn networks(&self, networks: Vec<ReportedNetwork>) {
        // `send` may wait for room, as long as one commit takes. If the recorder has ended, it has reported the reason.
        self.queue.send(Entry::Networks(networks)).ok();
    }

    /// Sends what is stored from now on also to `to`. The recorder never waits for it: what does not fit is added to
    /// `missed`.
    pub fn copy_to(&self, to: Sender<Stored>, missed: Arc<AtomicU64>) {
        // `send` may wait for room, as long as one commit takes. If the recorder has ended, it has reported the reason.
        self.queue.send(Entry::CopyTo(StoredCopy { to, missed })).ok();
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn stream(&self, name: &str) -> Result<StreamWriter, StoreError> {
        let stream = self.stream_index(name).ok_or_else(|| StoreError::NoStream(name.to_owned()))?;
        Ok(StreamWriter {
            stream,
            port: self.ports[stream].clone(),
            queue: self.queue.clone(),
            records_lost: self.counts.records_lost.clone(),
        })
    }

    fn stream_index(&self, name: &str) -> Option<usize> {
        self.ports.iter().position(|p| p.name.as_str() == name)
    }

    /// Creates `video.mkv` and starts to store the frames of the sink. Called once per session.
    ///
    /// Frames that cannot be stored become gaps in the stream `video`, or in `health` if the session has no `video`.
    pub fn video(&mut self, width_px: u32, height_px: u32) -> Result<VideoSink, StoreError> {
        let gaps = [VIDEO, HEALTH].into_iter().find_map(|name| self.stream_index(name));
        let path = schema::video_file(&self.folder);
        let (sink, running) = video::start(&path, width_px, height_px, gaps, self.queue.clone(), self.counts.clone())?;
        self.video = Some(running);
        Ok(sink)
    }

    /// Stores the places of frames in a film.
    pub fn frames(&self) -> FrameWriter {
        FrameWriter { queue: self.queue.clone(), counts: self.counts.clone() }
    }

    /// Nothing is stored any more.
    pub fn has_ended(&self) -> bool {
        self.counts.ended_by.get().is_some()
    }

    /// Makes a system call. Call it about once per second.
    pub fn counters(&self) -> StoreCounters {
        let read = |n: &AtomicU64| n.load(Ordering::Relaxed);
        let c = &self.counts;
        StoreCounters {
            records_committed: read(&c.records_committed),
            records_lost: read(&c.records_lost),
            conflicts: read(&c.conflicts),
            records_not_forwarded: read(&c.records_not_forwarded),
            frames_stored: read(&c.frames_stored),
            frames_lost: read(&c.frames_lost),
            video_bytes: read(&c.video_bytes),
            record_queue_fill: self.queue.len() as f64 / QUEUE_ENTRIES as f64,
            video_queue_fill: self.video.as_ref().map_or(0.0, video::Running::queue_fill),
            disk_free_bytes: disk_free_bytes(&self.folder),
            failure: c.failure.get().cloned(),
            ended_by: c.ended_by.get().cloned(),
        }
    }

    /// Stores the queued entries, closes the video and then the session. Stop the sources first: later records are refused.
    pub fn finish(mut self, end: SessionEnd) -> Result<(), StoreError> {
        self.shut(Some(end))
    }

    fn shut(&mut self, end: Option<SessionEnd>) -> Result<(), StoreError> {
        let Some(recorder) = self.recorder.take() else { return Ok(()) };
        // Closing the files may need the space.
        reserve::release(&self.folder);
        // The session is closed after its video. A kill before that leaves it open, to be recovered.
        let video = self.video.take().map_or(Ok(()), video::Running::finish);
        let checkpoint = self.checkpoint.take().map_or(Ok(()), |(stop, thread)| {
            drop(stop);
            join("checkpoint", thread)
        });
        let end = if video.is_ok() && checkpoint.is_ok() { end } else { None };
        // If the recorder has ended, `join` below returns the reason.
        let sent = self.queue.send(Entry::Stop(end));
        // If the records could not be stored, that failure came first. The video's end can fail as a consequence of it.
        join("recorder", recorder)??;
        video?;
        checkpoint?;
        sent.map_err(|_| StoreError::ThreadDied("recorder"))
    }
}

/// Stores the places of the frames of a film.
pub struct FrameWriter {
    queue: Sender<Entry>,
    counts: Arc<Counts>,
}

impl FrameWriter {
    /// Waits for room in the recorder's queue.
    pub fn put(&self, row: FrameRow) -> Result<(), StoreError> {
        self.queue.send(Entry::Frame(row)).map_err(|_| StoreError::ThreadDied("recorder"))?;
        self.counts.frames_stored.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// Without [`Recorder::finish`] the session stays open, to be recovered. Queued entries are still stored.
impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(e) = self.shut(None) {
            // There is no caller to return the error to. The session is marked as not closed.
            tracing::error!("the session was not closed: {e}");
        }
    }
}

/// Runs on its own thread, because a busy disk may take long and commits must not wait.
fn checkpoint(path: &Path, conn: &Connection, stopped: &Receiver<()>, queue: &Sender<Entry>) {
    let run = || -> Result<(), StoreError> {
        while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(CHECKPOINT_EVERY) {
            conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
                .map_err(StoreError::sql("force to the disk", path))?;
        }
        Ok(())
    };
    if let Err(e) = run() {
        let alarm = format!("{e}. Records are still stored, but a power cut would lose them: check the disk");
        if queue.send(Entry::Failed(Alarm { sentence: alarm, ends: None })).is_err() {
            // The recorder has ended, so no checkpoint is needed.
        }
    }
}
