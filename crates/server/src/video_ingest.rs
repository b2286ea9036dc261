//! Converts a browser's video into the session's own video. FFmpeg decodes it while it arrives, or later from what is
//! stored. Each frame gets its time of capture and is scored by the same vision step as in every other session.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Sender;
use tokio::sync::{mpsc, oneshot};

use super::chunk_bytes::{ChunkBytes, POLL_INTERVAL, Progress, head};
use super::chunks;
use super::container::Container;
use super::frame_pace::{check_pace, kept};
use super::frame_times::FrameTimes;
use super::pool::{VisionPool, VisionThread};
use super::session_command::SessionCommand;
use super::video_result::VideoIngestResult;
use capture::{Camera, CameraError, Captured, CapturedFrame, Decoder, FileCamera};
use session::{
    AFFECT, Body, Clock, Frame, FrameMeta, Gap, GapReason, Numbers, SharedFrame, TimeSource, Timestamp, VIDEO,
};
use store::{RECORDER_SEQ_0, Recorder, StoreError, StreamWriter, disk_free_bytes};
use vision::{RecordBuilder, VISION_EVENTS, VISION_STREAMS, Vision, decode_picture};

/// Number of frames from which the zero of the video's time is determined.
const ALIGN_FRAMES: usize = 45;
/// Frames between two looks at the free space of the disk.
const DISK_CHECK_FRAMES: u64 = 64;

/// The session's handle of the conversion. Dropping it cancels the conversion.
pub struct VideoIngest(Arc<Progress>);

impl VideoIngest {
    /// Queues the conversion in the pool. It sends [`SessionCommand::OpenVideo`] and, at the end,
    /// [`SessionCommand::VideoIngestDone`] to `session`.
    pub fn start(
        plan: VideoIngestPlan,
        recorder: &Recorder,
        pool: &VisionPool,
        session: mpsc::Sender<SessionCommand>,
    ) -> Result<VideoIngest, StoreError> {
        let progress = Arc::new(Progress::default());
        let job = Job {
            affect: recorder.stream(AFFECT)?,
            samples: VISION_STREAMS.map(|name| recorder.stream(name).ok()),
            blinks: recorder.stream(VISION_EVENTS).ok(),
            video: recorder.stream(VIDEO)?,
            progress: progress.clone(),
            session,
            plan,
        };
        if pool.add(Box::new(move |vision_thread| job.run(vision_thread))) {
            Ok(VideoIngest(progress))
        } else {
            Err(StoreError::ThreadDied("vision"))
        }
    }

    /// All chunks below this number are on the disk. `age` is the time since the session began.
    pub fn set_chunks(&self, chunks: u64, age: Timestamp) {
        self.0.age_ns.store(age.as_ns(), Ordering::Release);
        self.0.chunks.store(chunks, Ordering::Release);
    }

    /// Whether work would be lost if the conversion were cancelled now, before it has read all chunks that have arrived.
    pub fn is_behind(&self) -> bool {
        self.0.is_behind()
    }

    /// No more chunks will arrive.
    pub fn end(&self) {
        self.0.is_ended.store(true, Ordering::Release);
    }
}

impl Drop for VideoIngest {
    fn drop(&mut self) {
        self.0.is_cancelled.store(true, Ordering::Release);
    }
}

#[derive(Clone, Debug)]
pub struct VideoIngestPlan {
    pub folder: PathBuf,
    pub affect_model: String,
    /// While less disk space is free, no frame is stored.
    pub min_free_bytes: u64,
    /// Frames that were scored before a restart of the server.
    pub scored: Numbers,
}

struct Job {
    plan: VideoIngestPlan,
    progress: Arc<Progress>,
    affect: StreamWriter,
    /// In the order of [`VISION_STREAMS`]. A session that an older program began lacks some of them.
    samples: [Option<StreamWriter>; VISION_STREAMS.len()],
    blinks: Option<StreamWriter>,
    video: StreamWriter,
    session: mpsc::Sender<SessionCommand>,
}

impl Job {
    fn run(self, vision_thread: &mut VisionThread) {
        if self.is_cancelled() {
            return;
        }
        let result = self.convert(vision_thread);
        if !self.is_cancelled() {
            // Sending fails only if the session has ended. It does not need the result then.
            self.session.blocking_send(SessionCommand::VideoIngestDone(result)).ok();
        }
    }

    fn is_cancelled(&self) -> bool {
        self.progress.is_cancelled.load(Ordering::Acquire)
    }

    fn convert(&self, vision_thread: &mut VisionThread) -> Result<VideoIngestResult, String> {
        let mut result = VideoIngestResult::default();
        let mut vision = vision_thread.open(&self.plan.affect_model);
        if let Err(why) = &vision {
            result.notes.push(format!("no frame was scored: {why}"));
        }
        let mut conversion = Conversion {
            job: self,
            vision: vision.as_deref_mut().ok(),
            decoder: Decoder::default(),
            records: RecordBuilder::default(),
            frames: None,
            times: FrameTimes::open(&self.plan.folder, self.progress.clone()).map_err(|e| e.to_string())?,
            span: None,
            video_gaps: 0,
            affect_gaps: 0,
            blinks: 0,
        };
        let mut start = 0;
        while let Some(next) = conversion.convert_recording(start, &mut result)? {
            start = next;
        }
        let open = conversion.records.finish();
        conversion.write_gaps(open);
        if let Some((first, last)) = conversion.span
            && result.frames > 1
        {
            result.rate_hz = (result.frames - 1) as f64 / (last.since_ns(first) as f64 * 1e-9).max(1e-3);
        }
        Ok(result)
    }
}

/// A camera that reads chunks. When it is dropped, the bytes end before the camera is dropped, because the camera waits
/// for them.
struct ChunkCamera {
    is_stopped: Arc<AtomicBool>,
    camera: FileCamera,
}

impl Drop for ChunkCamera {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
    }
}

struct Conversion<'a> {
    job: &'a Job,
    vision: Option<&'a mut Vision>,
    decoder: Decoder,
    records: RecordBuilder,
    /// Frames for `video.mkv`.
    frames: Option<Sender<SharedFrame>>,
    times: FrameTimes,
    /// Time of the first and the last stored frame.
    span: Option<(Timestamp, Timestamp)>,
    /// Gaps written to the streams `video` and `affect` so far. The number of a gap makes it unique: work that is repeated
    /// after a restart stores no gap twice.
    video_gaps: u64,
    affect_gaps: u64,
    /// Events written to the stream `blink`, for the same reason.
    blinks: u64,
}

/// An output of the decoder whose time is not yet determined.
enum Item {
    Frame(CapturedFrame),
    /// Damaged or missing frames.
    Lost {
        frames: u64,
        seconds: f64,
        why: String,
    },
}

impl Conversion<'_> {
    /// Converts one recording of the browser, which begins with the chunk `start`. Returns the first chunk of the next
    /// recording.
    fn convert_recording(&mut self, start: u64, result: &mut VideoIngestResult) -> Result<Option<u64>, String> {
        let progress = &self.job.progress;
        let Some(head) = self.wait_for_head(start)? else { return Ok(None) };
        if result.starts.is_empty() {
            let container = Container::of(&head).map_err(|e| format!("the video's chunks cannot be read: {e}"))?;
            result.format = container.extension();
        }
        result.starts.push(start);
        let is_stopped = Arc::new(AtomicBool::new(false));
        let folder = self.job.plan.folder.clone();
        let bytes =
            ChunkBytes { folder, progress: progress.clone(), is_stopped: is_stopped.clone(), start, open: None };
        let mut opened = match FileCamera::follow(&head, bytes, &Clock::start()) {
            Ok(camera) => ChunkCamera { is_stopped, camera },
            Err(e) => {
                // The thread that reads the bytes may still wait for chunks. This ends it.
                is_stopped.store(true, Ordering::Release);
                return Err(e.to_string());
            }
        };
        let mode = opened.camera.info().mode;
        if self.frames.is_none() {
            self.frames = Some(self.open_video(mode.width_px, mode.height_px)?);
            (result.width_px, result.height_px) = (mode.width_px, mode.height_px);
        }
        self.convert_frames(&mut opened.camera, start, result)?;
        drop(opened);
        let next = self.job.progress.next.load(Ordering::Acquire);
        Ok((!self.job.is_cancelled()).then_some(next))
    }

    /// Waits until the beginning of a recording has arrived. FFmpeg must see all of it: a browser whose encoder starts late
    /// sends a first chunk of one byte. `None` if the session ends before.
    fn wait_for_head(&self, start: u64) -> Result<Option<PathBuf>, String> {
        let progress = &self.job.progress;
        loop {
            // Read before `chunks`, so that a chunk that arrives between the two reads is not missed.
            let is_ended = progress.is_ended.load(Ordering::Acquire);
            let (folder, arrived) = (&self.job.plan.folder, progress.chunks.load(Ordering::Acquire));
            let found = head(folder, start, arrived);
            let found = found.map_err(|e| format!("the video's chunks cannot be read: {e}"))?;
            if found.is_some() || self.job.is_cancelled() {
                return Ok(found);
            }
            if is_ended {
                // FFmpeg reports what is wrong with an incomplete one.
                return Ok((start < arrived).then(|| chunks::path(folder, start)));
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// The session's task owns the recorder, so the task creates the video file.
    fn open_video(&self, width_px: u32, height_px: u32) -> Result<Sender<SharedFrame>, String> {
        let (to, sink) = oneshot::channel();
        let ended = "the session has ended";
        self.job.session.blocking_send(SessionCommand::OpenVideo { width_px, height_px, to }).map_err(|_| ended)?;
        sink.blocking_recv().map_err(|_| ended)?
    }

    fn convert_frames(
        &mut self,
        camera: &mut FileCamera,
        start: u64,
        result: &mut VideoIngestResult,
    ) -> Result<(), String> {
        let mut waiting: Vec<(f64, Item)> = Vec::new();
        let mut timing = None;
        let mut zero = None;
        let mut untimed = 0;
        let interval_s = camera.info().mode.interval().as_secs_f64();
        loop {
            let captured = camera.next(POLL_INTERVAL);
            if self.job.is_cancelled() {
                return Ok(());
            }
            let (item, is_end) = item_of(captured, interval_s, &mut result.notes);
            waiting.extend(item.map(|(at, item)| (at.since_ns(*zero.get_or_insert(at)) as f64 * 1e-9, item)));
            if timing.is_none() && (is_end || waiting.len() >= ALIGN_FRAMES) {
                let frames = waiting.iter().filter(|(_, item)| matches!(item, Item::Frame(_)));
                let video_s: Vec<f64> = frames.map(|w| w.0).collect();
                let (chosen, note) = self.times.timing(&video_s, start)?;
                timing = Some(chosen);
                result.notes.extend(note);
            }
            if let Some(timing) = timing {
                for (video_s, item) in waiting.drain(..) {
                    let Some(at) = self.times.time_of(video_s, timing)? else {
                        untimed += if let Item::Lost { frames, .. } = item { frames } else { 1 };
                        continue;
                    };
                    match item {
                        Item::Frame(frame) => self.store(at, frame, result)?,
                        Item::Lost { frames, seconds, why } => self.store_loss(at, frames, seconds, why, result),
                    }
                }
            }
            if is_end {
                self.store_untimed_loss(start, untimed, result);
                return Ok(());
            }
        }
    }

    /// Whether one more frame can be stored after `stored` ones. The error is a sentence.
    fn check_room(&self, at: Timestamp, stored: u64) -> Result<(), String> {
        let (first, last) = self.span.unwrap_or((at, at));
        let age = Timestamp::from_ns(self.job.progress.age_ns.load(Ordering::Acquire));
        check_pace(at, (first, last.max(at)), stored, age)?;
        let VideoIngestPlan { folder, min_free_bytes, .. } = &self.job.plan;
        if stored.is_multiple_of(DISK_CHECK_FRAMES)
            && disk_free_bytes(folder).is_some_and(|free| free < *min_free_bytes)
        {
            return Err(format!("the server's disk is nearly full. {}", kept(stored)));
        }
        Ok(())
    }

    fn store(&mut self, at: Timestamp, frame: CapturedFrame, result: &mut VideoIngestResult) -> Result<(), String> {
        let number = result.frames;
        self.check_room(at, number)?;
        let frame = CapturedFrame { at, time_source: TimeSource::File, ..frame };
        let frame = Arc::new(frame.numbered(number));
        if let Some(frames) = &self.frames {
            // This blocks while the disk is slow. No frame is lost, because the source is a stored video.
            frames.send(frame.clone()).map_err(|_| "the session's video cannot be written".to_owned())?;
        }
        result.frames += 1;
        self.span = Some((self.span.map_or(at, |s| s.0.min(at)), self.span.map_or(at, |s| s.1.max(at))));
        if self.score(&frame, result).is_err() && !result.notes.iter().any(|n| n.starts_with("a frame")) {
            result.notes.push(format!("a frame could not be scored, the first is {number}"));
        }
        Ok(())
    }

    fn store_loss(&mut self, at: Timestamp, frames: u64, seconds: f64, why: String, result: &mut VideoIngestResult) {
        result.damaged += frames;
        let until = Timestamp::from_ns(at.as_ns().saturating_add((seconds * 1e9) as i64));
        self.video_gap(at, until, GapReason::Corrupt, frames, &why);
        if !result.notes.contains(&why) {
            result.notes.push(why);
        }
    }

    /// Frames without a time come after the stored ones. Their exact place is unknown.
    fn store_untimed_loss(&mut self, start: u64, frames: u64, result: &mut VideoIngestResult) {
        if frames == 0 {
            return;
        }
        result.untimed += frames;
        let why = format!("the browser sent no times of capture for {frames} frames: they are not stored");
        let at = self.span.map(|s| s.1).or(self.times.start_at_or_before(start)).unwrap_or(Timestamp::ZERO);
        self.video_gap(at, at, GapReason::TimeUnknown, frames, &why);
        result.notes.push(why);
    }

    fn video_gap(&mut self, at: Timestamp, until: Timestamp, reason: GapReason, lost: u64, note: &str) {
        let seq = self.video_gaps;
        self.video_gaps += 1;
        let gap = Body::Gap(Gap { until, reason, lost, note: note.to_owned() });
        self.write(&self.job.video, seq, at, &gap);
    }

    fn score(&mut self, frame: &Frame, result: &mut VideoIngestResult) -> Result<(), String> {
        let Some(vision) = self.vision.as_deref_mut() else { return Ok(()) };
        let picture = decode_picture(frame, vision.colour(), &mut self.decoder)?;
        let picture = picture.as_picture().map_err(|e| e.to_string())?;
        let reading = vision.step(picture, frame.meta.at).map_err(|e| e.to_string())?;
        result.scored += 1;
        let FrameMeta { number, at, .. } = frame.meta;
        let records = self.records.add(&frame.meta, &reading, 0);
        self.write_gaps(records.gaps);
        self.write_blink(records.blink);
        if self.job.plan.scored.contains(number) {
            return Ok(());
        }
        for (writer, sample) in self.job.samples.iter().zip(records.samples) {
            if let (Some(writer), Some(sample)) = (writer, sample) {
                self.write(writer, number, at, &sample);
            }
        }
        Ok(())
    }

    /// Waits while the recorder's queue is full. No record is lost, because the source is a stored video.
    fn write(&self, writer: &StreamWriter, seq: u64, at: Timestamp, body: &Body) {
        while let Err(store::NotStored::QueueFull(_)) = writer.put(seq, at, body.clone()) {
            if self.job.is_cancelled() {
                return;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    /// The events of a session are numbered without holes. A conversion that is repeated after a restart finds the same ones.
    fn write_blink(&mut self, blink: Option<(Timestamp, Body)>) {
        if let (Some(writer), Some((onset, blink))) = (&self.job.blinks, blink) {
            self.write(writer, self.blinks, onset, &blink);
            self.blinks += 1;
        }
    }

    fn write_gaps(&mut self, gaps: impl IntoIterator<Item = (Timestamp, Body)>) {
        for (from, gap) in gaps {
            let seq = RECORDER_SEQ_0 + self.affect_gaps;
            self.affect_gaps += 1;
            self.write(&self.job.affect, seq, from, &gap);
        }
    }
}

/// The decoder's output with its time in the file, and whether the recording ends with it.
fn item_of(
    captured: Result<Captured, CameraError>,
    interval_s: f64,
    notes: &mut Vec<String>,
) -> (Option<(Timestamp, Item)>, bool) {
    match captured {
        Ok(Captured::Frame(frame)) => (Some((frame.at, Item::Frame(frame))), false),
        Ok(Captured::Corrupt { at, why, .. }) => {
            (Some((at, Item::Lost { frames: 1, seconds: interval_s, why })), false)
        }
        Ok(Captured::Missing { from, until, frames, why }) => {
            let seconds = until.since_ns(from) as f64 * 1e-9;
            (Some((from, Item::Lost { frames, seconds, why })), false)
        }
        Ok(Captured::End) => (None, true),
        Err(CameraError::Silent { .. }) => (None, false),
        // The frames that were decoded before the error are kept.
        Err(e) => {
            notes.push(e.to_string());
            (None, true)
        }
    }
}
