//! The thread `video`: writes every captured frame into `video.mkv`, and its position into the session file.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded, select};

use super::counts::Counts;
use super::frame_index::checksum_of;
use super::jpeg::{CompressError, JpegEncoder};
use super::mkv::{FrameStamp, MkvWriter};
use super::stream_writer::{Alarm, Entry};
use super::thread::{join, spawn};
use super::{FrameRow, StorageFailure, StoreError};
use session::{Body, Frame, Gap, GapReason, SharedFrame, Timestamp};

/// One second at 30 Hz. A kill may lose this much of the video.
const QUEUE_FRAMES: usize = 30;

/// Receives every frame from the capturing thread. A full queue means that the disk is too slow. The sender then counts
/// the frame as lost and raises an alarm, or waits if its source can wait.
#[derive(Clone, Debug)]
pub struct VideoSink {
    frames: Sender<SharedFrame>,
}

impl VideoSink {
    pub fn sender(&self) -> Sender<SharedFrame> {
        self.frames.clone()
    }

    /// 0 … 1
    pub fn queue_fill(&self) -> f64 {
        self.frames.len() as f64 / QUEUE_FRAMES as f64
    }
}

/// The recorder's handle of the thread.
pub(super) struct Running {
    sink: VideoSink,
    /// Dropping it makes the thread store the queued frames and end.
    stop: Sender<()>,
    thread: JoinHandle<Result<(), StoreError>>,
}

impl Running {
    pub(super) fn queue_fill(&self) -> f64 {
        self.sink.queue_fill()
    }

    pub(super) fn finish(self) -> Result<(), StoreError> {
        drop(self.stop);
        join("video", self.thread)?
    }
}

/// `gap_stream` is the number of the stream for gaps of frames that could not be stored.
pub(super) fn start(
    path: &Path,
    width_px: u32,
    height_px: u32,
    gap_stream: Option<usize>,
    queue: Sender<Entry>,
    counts: Arc<Counts>,
) -> Result<(VideoSink, Running), StoreError> {
    let file = MkvWriter::create(path, width_px, height_px).map_err(StoreError::io("create", path))?;
    let encoder = JpegEncoder::new().map_err(|e| StoreError::Compressor(e.to_string()))?;
    let (frames, taken) = bounded(QUEUE_FRAMES);
    let (stop, stopped) = bounded(0);
    let video = Video { path: path.to_owned(), file, encoder, gap_stream, queue, counts, failure: None, lost: None };
    let thread = spawn("video", move || video.run(&taken, &stopped))?;
    let sink = VideoSink { frames };
    Ok((sink.clone(), Running { sink, stop, thread }))
}

struct Video {
    path: PathBuf,
    file: MkvWriter,
    encoder: JpegEncoder,
    gap_stream: Option<usize>,
    queue: Sender<Entry>,
    counts: Arc<Counts>,
    /// The frames after a failed write: the first time and the gap.
    lost: Option<(Timestamp, Gap)>,
    /// After a failed write, nothing more is written, so that the video has no damaged middle.
    failure: Option<String>,
}

impl Video {
    fn run(mut self, frames: &Receiver<SharedFrame>, stopped: &Receiver<()>) -> Result<(), StoreError> {
        loop {
            select! {
                recv(frames) -> frame => match frame {
                    Ok(frame) => self.store(&frame)?,
                    Err(_) => break,
                },
                recv(stopped) -> _ => {
                    for frame in frames.try_iter() {
                        self.store(&frame)?;
                    }
                    break;
                }
            }
        }
        if let (Some(stream), Some((at, gap))) = (self.gap_stream, self.lost.take()) {
            self.send(Entry::Record { stream, seq: None, at, body: Body::Gap(gap) })?;
        }
        match self.failure {
            Some(why) => Err(StoreError::Poisoned(why)),
            None => self.file.finish().map_err(StoreError::io("close", &self.path)),
        }
    }

    /// An error means that the recorder has ended. This thread then ends, too.
    fn store(&mut self, frame: &Frame) -> Result<(), StoreError> {
        if self.failure.is_some() {
            self.lose_to_failure(frame);
            return Ok(());
        }
        let jpeg = match self.encoder.encode(frame) {
            Ok(jpeg) => jpeg,
            Err(e) => return self.lose_damaged(frame, &e),
        };
        let mut row = FrameRow {
            meta: frame.meta,
            offset: 0, // known when it is stored
            length: jpeg.len() as u64,
            checksum: Some(checksum_of(jpeg)),
        };
        match self.file.append(FrameStamp::of(&row), jpeg) {
            Ok(offset) => {
                row.offset = offset;
                self.counts.frames_stored.fetch_add(1, Ordering::Relaxed);
                self.counts.video_bytes.store(self.file.bytes(), Ordering::Relaxed);
                self.send(Entry::Frame(row))
            }
            Err(e) => {
                let is_disk_full = e.kind() == std::io::ErrorKind::StorageFull;
                let why = StoreError::io("write into", &self.path)(e).to_string();
                let ends = Some(StorageFailure { is_disk_full, why: why.clone(), ..StorageFailure::default() });
                let why = format!(
                    "{why}. No video is stored any more: stop, make room or change the disk, and start a new session"
                );
                self.failure = Some(why.clone());
                self.send(Entry::Failed(Alarm { sentence: why, ends }))?;
                self.lose_to_failure(frame);
                Ok(())
            }
        }
    }

    fn lose_to_failure(&mut self, frame: &Frame) {
        self.counts.frames_lost.fetch_add(1, Ordering::Relaxed);
        let at = frame.meta.at;
        let (_, gap) = self.lost.get_or_insert_with(|| {
            let note = self.failure.clone().unwrap_or_default();
            (at, Gap { until: at, reason: GapReason::Crash, lost: 0, note })
        });
        (gap.until, gap.lost) = (at, gap.lost + 1);
    }

    fn lose_damaged(&mut self, frame: &Frame, why: &CompressError) -> Result<(), StoreError> {
        self.counts.frames_lost.fetch_add(1, Ordering::Relaxed);
        let Some(stream) = self.gap_stream else { return Ok(()) };
        let note = format!("frame {} could not be compressed: {why}", frame.meta.number);
        let gap = Gap { until: frame.meta.at, reason: GapReason::Corrupt, lost: 1, note };
        self.send(Entry::Record { stream, seq: None, at: frame.meta.at, body: Body::Gap(gap) })
    }

    /// Waits for room. Meanwhile frames wait in their own queue, where losses are counted.
    fn send(&self, entry: Entry) -> Result<(), StoreError> {
        self.queue.send(entry).map_err(|_| StoreError::ThreadDied("recorder"))
    }
}
