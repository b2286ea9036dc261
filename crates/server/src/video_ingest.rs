//! A browser's video becomes the session's own: decoded by FFmpeg as it comes or from what is stored, each frame with
//! the time at which it was captured, and looked at by the same vision step as every other session's.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;
use tokio::sync::{mpsc, oneshot};

use super::chunk_bytes::{ChunkBytes, POLL_INTERVAL, Progress};
use super::chunks;
use super::frame_clock::Told;
use super::orders::Order;
use super::pool::{VisionPool, VisionThread};
use capture::{Camera, CameraError, Captured, CapturedFrame, Decoder, FileCamera};
use session::{
    Body, Clock, Frame, FrameMeta, Gap, GapReason, Numbers, SharedFrame, TimeSource, Timestamp, VIDEO, VIDEO_FRAME,
};
use store::{RECORDER_SEQ_0, Recorder, SessionFile, StoreError, StreamWriter};
use vision::{RecordBuilder, VISION_STREAMS, Vision, decode_picture};

/// Frames from which the video's zero is found.
const ALIGN_FRAMES: usize = 45;
/// A frame whose time was not told by then was not told at all.
const TOLD_WITHIN: Duration = Duration::from_secs(20);

/// What came out of a video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilmNews {
    pub frames: u64,
    pub scored: u64,
    /// Not stored, since nobody knows when they were captured.
    pub untimed: u64,
    /// Damaged or missing in what the browser sent.
    pub damaged: u64,
    pub width_px: u32,
    pub height_px: u32,
    /// Mean, over all of it.
    pub rate_hz: f64,
    /// Chunks with which a recording of the browser begins.
    pub starts: Vec<u64>,
    /// Sentences for the analyst.
    pub notes: Vec<String>,
}

/// The session's hold on the work; dropping it leaves the work undone.
pub struct Film(Arc<Progress>);

impl Film {
    /// Hands the work to the pool. `own` hears [`Order::FilmFrames`] and, at the end, [`Order::FilmDone`].
    pub fn begin(
        plan: FilmPlan,
        recorder: &Recorder,
        pool: &VisionPool,
        own: mpsc::Sender<Order>,
    ) -> Result<Film, StoreError> {
        let progress = Arc::new(Progress::default());
        let work = Work {
            writers: VISION_STREAMS.map(|name| recorder.stream(name)).into_iter().collect::<Result<_, _>>()?,
            video: recorder.stream(VIDEO)?,
            progress: progress.clone(),
            own,
            plan,
        };
        if pool.add(Box::new(move |vision_thread| work.run(vision_thread))) {
            Ok(Film(progress))
        } else {
            Err(StoreError::ThreadDied("vision"))
        }
    }

    /// All chunks below this number are on the disk.
    pub fn chunks(&self, chunks: u64) {
        self.0.chunks.store(chunks, Ordering::Release);
    }

    /// No more chunks come.
    pub fn end(&self) {
        self.0.is_ended.store(true, Ordering::Release);
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        self.0.is_left.store(true, Ordering::Release);
    }
}

#[derive(Clone, Debug)]
pub struct FilmPlan {
    pub folder: PathBuf,
    pub affect_model: String,
    /// Frames that were scored before a restart.
    pub scored: Numbers,
}

struct Work {
    plan: FilmPlan,
    progress: Arc<Progress>,
    writers: Vec<StreamWriter>,
    video: StreamWriter,
    own: mpsc::Sender<Order>,
}

impl Work {
    fn run(self, vision_thread: &mut VisionThread) {
        if self.is_left() {
            return;
        }
        let done = self.work(vision_thread);
        if !self.is_left() {
            // A session that has ended meanwhile needs to hear nothing.
            let _ = self.own.blocking_send(Order::FilmDone(done));
        }
    }

    fn is_left(&self) -> bool {
        self.progress.is_left.load(Ordering::Acquire)
    }

    fn work(&self, vision_thread: &mut VisionThread) -> Result<FilmNews, String> {
        let mut news = FilmNews::default();
        let mut vision = vision_thread.open(&self.plan.affect_model);
        if let Err(why) = &vision {
            news.notes.push(format!("no frame was scored: {why}"));
        }
        let mut scene = Scene {
            work: self,
            vision: vision.as_deref_mut().ok(),
            decoder: Decoder::default(),
            records: RecordBuilder::default(),
            frames: None,
            file: SessionFile::open(&self.plan.folder).map_err(|e| e.to_string())?,
            told: Told::default(),
            began: Vec::new(),
            next_seq: 0,
            span: None,
            video_gaps: 0,
        };
        let mut start = 0;
        while let Some(next) = scene.recording(start, &mut news)? {
            start = next;
        }
        let open = scene.records.finish();
        scene.write_gaps(open, news.frames);
        if let Some((first, last)) = scene.span
            && news.frames > 1
        {
            news.rate_hz = (news.frames - 1) as f64 / (last.since_ns(first) as f64 * 1e-9).max(1e-3);
        }
        Ok(news)
    }
}

/// Makes the bytes end before the camera is dropped, which waits for them.
struct Followed {
    is_stopped: Arc<AtomicBool>,
    camera: FileCamera,
}

impl Drop for Followed {
    fn drop(&mut self) {
        self.is_stopped.store(true, Ordering::Release);
    }
}

struct Scene<'a> {
    work: &'a Work,
    vision: Option<&'a mut Vision>,
    decoder: Decoder,
    records: RecordBuilder,
    /// Into `video.mkv`.
    frames: Option<Sender<SharedFrame>>,
    file: SessionFile,
    told: Told,
    /// Chunk with which a recording of the browser begins, and when it was begun.
    began: Vec<(u64, Timestamp)>,
    /// Of the stream that tells of frames.
    next_seq: u64,
    span: Option<(Timestamp, Timestamp)>,
    /// Written so far into the stream `video`.
    video_gaps: u64,
}

/// How a recording's frames find their times.
#[derive(Clone, Copy, Debug)]
enum Timing {
    /// The browser told when frames were captured; this is to be added to the video's own seconds to find them.
    Told { add_s: f64 },
    /// It told only when the recording began.
    Began(Timestamp),
    /// It told nothing.
    Unknown,
}

/// What came out of the decoder and waits for its time.
enum Item {
    Frame(CapturedFrame),
    /// Damaged or missing.
    Lost {
        frames: u64,
        seconds: f64,
        why: String,
    },
}

impl Scene<'_> {
    /// One recording of the browser, which begins with chunk `start`. Returns the chunk with which the next begins.
    fn recording(&mut self, start: u64, news: &mut FilmNews) -> Result<Option<u64>, String> {
        let progress = &self.work.progress;
        while start >= progress.chunks.load(Ordering::Acquire) {
            if self.work.is_left() || progress.is_ended.load(Ordering::Acquire) {
                return Ok(None);
            }
            std::thread::sleep(POLL_INTERVAL);
        }
        news.starts.push(start);
        let (is_stopped, next) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(start)));
        let folder = self.work.plan.folder.clone();
        let head = chunks::path(&folder, start);
        let bytes = ChunkBytes {
            folder,
            progress: progress.clone(),
            is_stopped: is_stopped.clone(),
            start,
            next: next.clone(),
            open: None,
        };
        // The bytes wait for chunks to come, so a camera that fails must find them stopped.
        let followed = FileCamera::follow(&head, bytes, &Clock::start());
        let mut followed = match followed {
            Ok(camera) => Followed { is_stopped, camera },
            Err(e) => {
                is_stopped.store(true, Ordering::Release);
                return Err(e.to_string());
            }
        };
        let mode = followed.camera.info().mode;
        if self.frames.is_none() {
            self.frames = Some(self.open_video(mode.width_px, mode.height_px)?);
            (news.width_px, news.height_px) = (mode.width_px, mode.height_px);
        }
        self.frames_of(&mut followed.camera, start, news)?;
        drop(followed);
        let next = next.load(Ordering::Acquire);
        Ok((!self.work.is_left()).then_some(next))
    }

    /// The recorder belongs to the session's task.
    fn open_video(&self, width_px: u32, height_px: u32) -> Result<Sender<SharedFrame>, String> {
        let (to, sink) = oneshot::channel();
        let gone = "the session has ended";
        self.work.own.blocking_send(Order::FilmFrames { width_px, height_px, to }).map_err(|_| gone)?;
        sink.blocking_recv().map_err(|_| gone)?
    }

    fn frames_of(&mut self, camera: &mut FileCamera, start: u64, news: &mut FilmNews) -> Result<(), String> {
        let mut waiting: Vec<(f64, Item)> = Vec::new();
        let mut timing = None;
        let mut zero = None;
        let mut untimed = 0;
        let interval_s = camera.info().mode.interval().as_secs_f64();
        loop {
            let captured = camera.next(POLL_INTERVAL);
            if self.work.is_left() {
                return Ok(());
            }
            let mut seconds = |at: Timestamp| at.since_ns(*zero.get_or_insert(at)) as f64 * 1e-9;
            let is_end = match captured {
                Ok(Captured::Frame(frame)) => {
                    waiting.push((seconds(frame.at), Item::Frame(frame)));
                    false
                }
                Ok(Captured::Corrupt { at, why, .. }) => {
                    waiting.push((seconds(at), Item::Lost { frames: 1, seconds: interval_s, why }));
                    false
                }
                Ok(Captured::Missing { from, until, frames, why }) => {
                    let long_s = until.since_ns(from) as f64 * 1e-9;
                    waiting.push((seconds(from), Item::Lost { frames, seconds: long_s, why }));
                    false
                }
                Ok(Captured::End) => true,
                Err(CameraError::Silent { .. }) => false,
                // What was decoded until then stays.
                Err(e) => {
                    news.notes.push(e.to_string());
                    true
                }
            };
            if timing.is_none() && (is_end || waiting.len() >= ALIGN_FRAMES) {
                let frames = waiting.iter().filter(|(_, item)| matches!(item, Item::Frame(_)));
                let video_s: Vec<f64> = frames.map(|w| w.0).collect();
                timing = Some(self.timing(&video_s, start, news)?);
            }
            if let Some(timing) = timing {
                for (video_s, item) in waiting.drain(..) {
                    let Some(at) = self.time_of(video_s, timing)? else {
                        untimed += if let Item::Lost { frames, .. } = item { frames } else { 1 };
                        continue;
                    };
                    match item {
                        Item::Frame(frame) => self.store(at, frame, news)?,
                        Item::Lost { frames, seconds, why } => self.lose(at, frames, seconds, why, news),
                    }
                }
            }
            if is_end {
                self.lose_untimed(start, untimed, news);
                return Ok(());
            }
        }
    }

    fn timing(&mut self, video_s: &[f64], start: u64, news: &mut FilmNews) -> Result<Timing, String> {
        let aligned = self.align(video_s, start)?;
        let began = self.began.iter().find(|b| b.0 == start).map(|b| b.1);
        Ok(match (aligned, began) {
            (Some((add_s, share)), _) if share > 0.5 => Timing::Told { add_s },
            (Some((add_s, share)), Some(_)) => {
                news.notes.push(format!(
                    "only {:.0} % of the frames are at times that the browser told: the times of this recording are less \
                     exact",
                    100.0 * share
                ));
                Timing::Told { add_s }
            }
            (None, Some(began)) => {
                let told = "the browser told no times of frames: they count from when it began, which is less exact";
                news.notes.push(told.to_owned());
                Timing::Began(began)
            }
            (_, None) => Timing::Unknown,
        })
    }

    /// What to add to this recording's times to find those told, and which share of frames then meets one.
    fn align(&mut self, video_s: &[f64], start: u64) -> Result<Option<(f64, f64)>, String> {
        let end_s = video_s.last().copied().unwrap_or(0.0);
        let mut last_share = None;
        let mut waited = Duration::ZERO;
        loop {
            self.read_told()?;
            let began = self.began.iter().find(|b| b.0 == start).map(|b| b.1);
            if let Some((add_s, share)) = self.told.align(video_s, began) {
                last_share = Some((add_s, share));
                let is_told_to_the_end = self.told.last_media_s().is_some_and(|s| s >= end_s + add_s);
                if is_told_to_the_end && share > 0.5 {
                    return Ok(last_share);
                }
            }
            if self.is_too_late(&mut waited) {
                return Ok(last_share);
            }
        }
    }

    /// When what lies at `video_s` was captured; `None` where nobody knows.
    fn time_of(&mut self, video_s: f64, timing: Timing) -> Result<Option<Timestamp>, String> {
        let add_s = match timing {
            Timing::Unknown => return Ok(None),
            Timing::Began(began) => {
                return Ok(Some(Timestamp::from_ns(began.as_ns().saturating_add((video_s * 1e9) as i64))));
            }
            Timing::Told { add_s } => add_s,
        };
        let media_s = video_s + add_s;
        let mut waited = Duration::ZERO;
        while self.told.last_media_s().is_none_or(|s| s < media_s) {
            self.read_told()?;
            if self.told.last_media_s().is_some_and(|s| s >= media_s) || self.is_too_late(&mut waited) {
                break;
            }
        }
        Ok(self.told.at(media_s))
    }

    fn is_too_late(&self, waited: &mut Duration) -> bool {
        if self.work.is_left() || self.work.progress.is_ended.load(Ordering::Acquire) || *waited >= TOLD_WITHIN {
            return true;
        }
        std::thread::sleep(POLL_INTERVAL);
        *waited += POLL_INTERVAL;
        false
    }

    fn read_told(&mut self) -> Result<(), String> {
        let records = self.file.records_from(VIDEO_FRAME, self.next_seq).map_err(|e| e.to_string())?;
        for record in records {
            self.next_seq = self.next_seq.max(record.seq.saturating_add(1));
            let Body::Event { kind, data } = record.body else { continue };
            let numbers =
                |name: &str| data.get(name).and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
            if let ("started", Some(chunk)) = (kind.as_str(), data.get("chunk").and_then(serde_json::Value::as_u64)) {
                self.began.push((chunk, record.at));
            }
            if kind == "frames" {
                for (at, media) in numbers("at_ns").iter().zip(numbers("media_s")) {
                    if let (Some(ns), Some(s)) = (at.as_i64(), media.as_f64()) {
                        self.told.add(s, Timestamp::from_ns(ns));
                    }
                }
            }
        }
        Ok(())
    }

    fn store(&mut self, at: Timestamp, frame: CapturedFrame, news: &mut FilmNews) -> Result<(), String> {
        let number = news.frames;
        let frame = CapturedFrame { at, time_source: TimeSource::File, ..frame };
        let frame = Arc::new(frame.numbered(number));
        if let Some(frames) = &self.frames {
            // Waits where the disk is slow: a stored video can wait.
            frames.send(frame.clone()).map_err(|_| "the session's video cannot be written".to_owned())?;
        }
        news.frames += 1;
        self.span = Some((self.span.map_or(at, |s| s.0.min(at)), self.span.map_or(at, |s| s.1.max(at))));
        if self.score(&frame, news).is_err() && !news.notes.iter().any(|n| n.starts_with("a frame")) {
            news.notes.push(format!("a frame could not be scored, the first is {number}"));
        }
        Ok(())
    }

    fn lose(&mut self, at: Timestamp, frames: u64, seconds: f64, why: String, news: &mut FilmNews) {
        news.damaged += frames;
        let until = Timestamp::from_ns(at.as_ns().saturating_add((seconds * 1e9) as i64));
        self.video_gap(at, until, GapReason::Corrupt, frames, &why);
        if !news.notes.contains(&why) {
            news.notes.push(why);
        }
    }

    /// Frames without a time lie behind what was stored of the session so far; where, nobody knows.
    fn lose_untimed(&mut self, start: u64, frames: u64, news: &mut FilmNews) {
        if frames == 0 {
            return;
        }
        news.untimed += frames;
        let why = format!("the browser did not tell when it captured {frames} frames: they are not stored");
        let began = self.began.iter().rev().find(|b| b.0 <= start).map(|b| b.1);
        let at = self.span.map(|s| s.1).or(began).unwrap_or(Timestamp::ZERO);
        self.video_gap(at, at, GapReason::TimeUnknown, frames, &why);
        news.notes.push(why);
    }

    /// Numbered, so that work that is done again after a restart says nothing twice.
    fn video_gap(&mut self, at: Timestamp, until: Timestamp, reason: GapReason, lost: u64, note: &str) {
        let seq = self.video_gaps;
        self.video_gaps += 1;
        let gap = Body::Gap(Gap { until, reason, lost, note: note.to_owned() });
        self.write(&self.work.video, seq, at, &gap);
    }

    fn score(&mut self, frame: &Frame, news: &mut FilmNews) -> Result<(), String> {
        let Some(vision) = self.vision.as_deref_mut() else { return Ok(()) };
        let picture = decode_picture(frame, vision.colour(), &mut self.decoder)?;
        let picture = picture.as_picture().map_err(|e| e.to_string())?;
        let reading = vision.step(picture, frame.meta.at).map_err(|e| e.to_string())?;
        news.scored += 1;
        let FrameMeta { number, at, .. } = frame.meta;
        let records = self.records.add(&frame.meta, &reading, 0);
        self.write_gaps(records.gaps, number);
        if self.work.plan.scored.contains(number) {
            return Ok(());
        }
        for (writer, sample) in self.work.writers.iter().zip(records.samples.into_iter().flatten()) {
            self.write(writer, number, at, &sample);
        }
        Ok(())
    }

    /// A full queue is waited for: a stored video can wait.
    fn write(&self, writer: &StreamWriter, seq: u64, at: Timestamp, body: &Body) {
        while let Err(store::NotStored::QueueFull(_)) = writer.put(seq, at, body.clone()) {
            if self.work.is_left() {
                return;
            }
            std::thread::sleep(POLL_INTERVAL);
        }
    }

    fn write_gaps(&self, gaps: impl IntoIterator<Item = (Timestamp, Body)>, number: u64) {
        let Some(affect) = self.work.writers.first() else { return };
        for (from, gap) in gaps {
            self.write(affect, RECORDER_SEQ_0 + number, from, &gap);
        }
    }
}
