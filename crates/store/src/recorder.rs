//! Starts, watches and ends the recording of one session. The threads behind it: `recorder` owns the connection,
//! `checkpoint` forces to the disk what was committed, `video` owns the video file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendError, Sender, bounded};
use rusqlite::Connection;
use serde_json::Value;

use super::commit::{Commits, Committed, Committer, Numbering, Opened};
use super::header_rows::Closed;
use super::stream_writer::{Alarm, Barrier, Entry, Port, StreamWriter};
use super::video::VideoSink;
use super::{ReportedNetwork, SessionHeader, SessionLock, StoreError, header_rows, record_rows, schema, video};
use session::{HEALTH, Numbers, StreamInfo, Timestamp, VIDEO};

/// Entries between the sources and the recorder: minutes at the usual rates, a third of a second at 100,000 a second.
const QUEUE_ENTRIES: usize = 32_768;
/// What a power cut may cost; a kill costs nothing of it.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

/// Known when recording is stopped.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionEnd {
    pub at: Timestamp,
    /// The quality report where it is known already; [`store_quality`](super::store_quality) adds it later.
    pub quality: Option<Value>,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct StoreCounters {
    pub records_committed: u64,
    /// Found no room or came after a failure. Not zero is an alarm.
    pub records_lost: u64,
    /// Refused because another record has their stream and number.
    pub conflicts: u64,
    /// Committed, but not forwarded because the receiver fell minutes behind: open the session to see them.
    pub records_not_forwarded: u64,
    pub frames_stored: u64,
    /// Taken from the queue and not written, because they could not be compressed or the disk refused them.
    pub frames_lost: u64,
    pub video_bytes: u64,
    /// 0 … 1
    pub record_queue_fill: f64,
    /// 0 … 1; 0 without video.
    pub video_queue_fill: f64,
    /// `None` where the system does not say.
    pub disk_free_bytes: Option<u64>,
    /// Why nothing is stored any more.
    pub failure: Option<String>,
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
}

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
    /// `folder` is made where it does not exist; one that holds a session is refused.
    ///
    /// `committed` gets every record once it is in the file. A receiver that is full is never waited for: what it
    /// could not take comes later, in order.
    pub fn create(
        folder: &Path,
        header: SessionHeader,
        streams: Vec<StreamInfo>,
        committed: Sender<Committed>,
    ) -> Result<Recorder, StoreError> {
        Self::create_with(folder, &header, &streams, committed, Commits::Steadily)
    }

    /// For a source far away that numbers its records and repeats what was not acknowledged: commits when asked by
    /// [`Recorder::when_stored`], and what is then said to be stored survives a power cut.
    pub fn create_remote(
        folder: &Path,
        header: SessionHeader,
        streams: Vec<StreamInfo>,
        committed: Sender<Committed>,
    ) -> Result<Recorder, StoreError> {
        let recorder = Self::create_with(folder, &header, &streams, committed, Commits::WhenAsked)?;
        // The file's bytes are forced to the disk by its commits; its name is the folder's matter.
        for folder in folder.ancestors().take(3) {
            File::open(folder).and_then(|f| f.sync_all()).map_err(StoreError::io("force to the disk", folder))?;
        }
        Ok(recorder)
    }

    /// Goes on with a session that [`Recorder::create_remote`] began and whose program ended. Says which numbers of
    /// each stream are there. Its video is given up, to be made again from what the browser sent.
    pub fn resume_remote(
        folder: &Path,
        committed: Sender<Committed>,
    ) -> Result<(Recorder, Vec<(StreamInfo, Numbers)>), StoreError> {
        let Some(lock) = SessionLock::take(folder)? else { return Err(StoreError::Recording(folder.to_owned())) };
        // Whatever ended it before is over.
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

    fn create_with(
        folder: &Path,
        header: &SessionHeader,
        streams: &[StreamInfo],
        committed: Sender<Committed>,
        commits: Commits,
    ) -> Result<Recorder, StoreError> {
        std::fs::create_dir_all(folder).map_err(StoreError::io("create the folder", folder))?;
        let Some(lock) = SessionLock::take(folder)? else { return Err(StoreError::Recording(folder.to_owned())) };
        if schema::session_file(folder).exists() || schema::video_file(folder).exists() {
            return Err(StoreError::Exists(folder.to_owned()));
        }
        let conn = schema::create(folder, |conn| header_rows::put_header(conn, header, streams))?;
        lock.make_room()?;
        let ports: Vec<_> = streams.iter().map(|s| Arc::new(Port::new(s))).collect();
        let numbering = vec![Numbering::default(); ports.len()];
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

    /// Calls `tell` when all that was handed over before is in the file, or with why it is not. `tell` runs on the
    /// recorder's thread and must not wait; where the recorder is gone already, it runs here.
    pub fn when_stored(&self, tell: impl FnOnce(Result<(), StoreError>) + Send + 'static) {
        // `send` may wait for room, as long as the recorder takes for one commit.
        if let Err(SendError(Entry::Barrier(Barrier(tell)))) = self.queue.send(Entry::Barrier(Barrier(Box::new(tell))))
        {
            tell(Err(StoreError::ThreadDied("recorder")));
        }
    }

    /// Adds to the header which networks somebody else ran; stored in order with the records.
    pub fn networks(&self, networks: Vec<ReportedNetwork>) {
        // A recorder that is gone has said why; `send` may wait for room, as long as the recorder takes for one commit.
        let _gone = self.queue.send(Entry::Networks(networks));
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

    /// Makes `video.mkv` and starts storing the frames sent into the sink. Once a session.
    ///
    /// Frames that cannot be stored become gaps in the stream `video`, or `health` where the session has no `video`.
    pub fn video(&mut self, width_px: u32, height_px: u32) -> Result<VideoSink, StoreError> {
        let gaps = [VIDEO, HEALTH].into_iter().find_map(|name| self.stream_index(name));
        let gaps = gaps.map(|stream| (stream, self.ports[stream].clone()));
        let path = schema::video_file(&self.folder);
        let (sink, running) = video::start(&path, width_px, height_px, gaps, self.queue.clone(), self.counts.clone())?;
        self.video = Some(running);
        Ok(sink)
    }

    /// Costs a system call; meant for once a second or a screen.
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
        }
    }

    /// Stores what is still queued, closes the video and then the session. Stop the sources first: what they send
    /// from now on is refused.
    pub fn finish(mut self, end: SessionEnd) -> Result<(), StoreError> {
        self.shut(Some(end))
    }

    fn shut(&mut self, end: Option<SessionEnd>) -> Result<(), StoreError> {
        let Some(recorder) = self.recorder.take() else { return Ok(()) };
        // A session is closed when its video is; until then a kill leaves it open, to be recovered.
        let video = self.video.take().map_or(Ok(()), video::Running::finish);
        let checkpoint = self.checkpoint.take().map_or(Ok(()), |(stop, thread)| {
            drop(stop);
            join("checkpoint", thread)
        });
        let end = if video.is_ok() && checkpoint.is_ok() { end } else { None };
        // A recorder that is gone has said why to whoever joins it: here.
        let sent = self.queue.send(Entry::Stop(end));
        // If the records could not be stored, that failure came first. The video's end can fail as a consequence of it.
        join("recorder", recorder)??;
        video?;
        checkpoint?;
        sent.map_err(|_| StoreError::ThreadDied("recorder"))
    }
}

/// Without [`Recorder::finish`] the session stays open, to be recovered, but nothing that was handed over is lost.
impl Drop for Recorder {
    fn drop(&mut self) {
        if let Err(e) = self.shut(None) {
            // Nobody is left to hand it to, and the session says for itself that it was not closed.
            tracing::error!("{e}");
        }
    }
}

pub(super) fn spawn<T: Send + 'static>(
    name: &'static str,
    run: impl FnOnce() -> T + Send + 'static,
) -> Result<JoinHandle<T>, StoreError> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).map_err(StoreError::io("start the thread", name))
}

pub(super) fn join<T>(name: &'static str, thread: JoinHandle<T>) -> Result<T, StoreError> {
    thread.join().map_err(|_| StoreError::ThreadDied(name))
}

/// Runs beside the recorder, because forcing bytes to a busy disk takes as long as it takes, and commits must not wait.
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
            // The recorder has ended before us, and with it the need for checkpoints.
        }
    }
}

#[cfg(unix)]
pub fn disk_free_bytes(folder: &Path) -> Option<u64> {
    rustix::fs::statvfs(folder).ok().map(|s| s.f_bavail.saturating_mul(s.f_frsize))
}

#[cfg(not(unix))]
pub fn disk_free_bytes(_folder: &Path) -> Option<u64> {
    None
}
