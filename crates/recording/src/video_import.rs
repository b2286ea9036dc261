//! Makes a session from a video file, as fast as possible, for `affectograph analyze`.
//!
//! FFmpeg decodes in its own process. The calling thread scores each frame. The thread `film encoder` compresses it, and
//! the store's threads write. Each waits for the next one, so no frame is skipped and memory use is small.
//! The session clock is the file's time: the first frame is at zero.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use crossbeam_channel::{Receiver, Sender, bounded};
use serde::{Deserialize, Serialize};

use super::affect_sink::{AffectSink, InferenceMean, VisionStreams};
use super::description::{Description, import_streams};
use super::rig_event::event_channel;
use super::{RigError, RigEvent, SessionPlan};
use capture::{CameraError, CameraInfo, CameraSpec, Captured, CapturedFrame, Decoder};
use session::{
    CameraSettings, Clock, Frame, GapReason, HEALTH, HealthKind, Latest, Pixels, SharedFrame, Timestamp, VIDEO,
    path_text,
};
use store::{JpegEncoder, Recorder, SessionEnd, StoreError, StreamWriter};
use vision::{Models, Scored, Vision, VisionError, decode_picture};

/// Longest wait for the decoder before the cancel flag is checked again.
const LOOK: Duration = Duration::from_millis(200);
/// A decoder without output for this time has failed.
const DECODER_LIMIT: Duration = Duration::from_secs(60);
/// Raw frames that may wait for the encoder. A 4K frame has 25 MB.
const RAW_AHEAD: usize = 4;
/// How often the fill of the recorder's queue is checked, and its limit. The import waits above the limit, so no record
/// is lost.
const FRAMES_PER_CHECK: u64 = 64;
const MAX_QUEUE_FILL: f64 = 0.25;

/// The file that a session was made from, with the data to recognise it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ImportedFile {
    /// Absolute path. Bytes that are not text are written as `\xE9`.
    pub file: String,
    pub bytes: u64,
    pub modified_utc: Option<DateTime<Utc>>,
}

impl ImportedFile {
    /// `path` is absolute.
    pub fn of(path: &Path) -> std::io::Result<ImportedFile> {
        let meta = path.metadata()?;
        // Not every file system stores it.
        let modified_utc = meta.modified().ok().map(DateTime::from);
        Ok(ImportedFile { file: path_text(path), bytes: meta.len(), modified_utc })
    }
}

#[derive(Clone, Copy, Debug)]
pub struct ImportProgress {
    pub frames: u64,
    /// Estimated from the file; `None` if unknown.
    pub expected: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ImportOutcome {
    pub frames: u64,
    pub with_face: u64,
    /// Number of damaged or missing frames, as far as known.
    pub lost: u64,
    /// From the first frame to the end of the last.
    pub film_s: f64,
    /// Remarks for the user.
    pub notes: Vec<String>,
    /// Problems of the file or of the networks. The readable part is in the session.
    pub trouble: Option<String>,
}

/// The networks that score one video file after another. Each thread has its own.
pub struct VideoImporter {
    vision: Vision,
    decoder: Decoder,
}

/// Why the frames ended.
enum Over {
    Ended,
    Broken(String),
    Cancelled,
}

impl VideoImporter {
    pub fn load(models: &Path, affect_model: &str) -> Result<VideoImporter, VisionError> {
        Ok(VideoImporter { vision: Vision::new(Models::load(models, affect_model)?), decoder: Decoder::default() })
    }

    /// Makes the session in `session.folder`. `None` if it was cancelled: the content of the folder is then useless.
    pub fn record(
        &mut self,
        path: &Path,
        file: &ImportedFile,
        session: &SessionPlan,
        cancelled: &AtomicBool,
        mut progress: impl FnMut(ImportProgress),
    ) -> Result<Option<ImportOutcome>, RigError> {
        let settings = CameraSettings::default();
        let camera = capture::open(&CameraSpec::File(path.to_owned()), &settings, &Clock::start())?;
        let info = camera.info().clone();
        let recorded = capture::recorded_at(path);
        let description = Description {
            spec: file.file.clone(),
            settings: &settings,
            camera: &info,
            models: Some(self.vision.models()),
            zero_utc: recorded.map_or_else(Utc::now, |date| date.at),
        };
        let header = description.header(session);
        let streams = import_streams(&info, Some(self.vision.models()));
        // Nobody reads the committed records.
        let (committed, _) = bounded(0);
        let mut recorder = Recorder::create(&session.folder, header, streams, committed)?;
        let zero_is = recorded.map_or("time of the analysis".to_owned(), |date| format!("{} in the file", date.source));
        store_origin(&recorder, file, zero_is, &info)?;

        let encoder = Encoder::start(recorder.video(info.mode.width_px, info.mode.height_px)?.sender())?;
        let (events_in, events) = event_channel();
        let streams = Some(VisionStreams::of(&recorder)?);
        let sink = AffectSink::new(streams, Latest::default(), Arc::new(InferenceMean::default()), events_in);
        let gaps = recorder.stream(VIDEO)?;
        let mut run = Run::new(camera, info);
        self.vision.reset();
        let over = self.play(&mut run, &recorder, &encoder, sink, &gaps, cancelled, &mut progress);
        // All frames must pass the encoder before the session is closed.
        encoder.finish()?;
        let over = over?;
        let end = run.end;
        let store = recorder.counters();
        recorder.finish(SessionEnd { at: end, quality: None })?;
        let lost = store.records_lost + store.frames_lost;
        if lost > 0 {
            return Err(StoreError::Poisoned(format!("{lost} records or frames could not be stored")).into());
        }
        let broken = match over {
            Over::Cancelled => return Ok(None),
            Over::Broken(why) => Some(why),
            Over::Ended => None,
        };
        let unseen = events.try_iter().find_map(|n| match n {
            RigEvent::VisionFailed(why) => Some(why),
            _ => None,
        });
        Ok(Some(run.outcome(path, broken, unseen)?))
    }

    #[allow(clippy::too_many_arguments)] // each is one part of the pipeline
    fn play(
        &mut self,
        run: &mut Run,
        recorder: &Recorder,
        encoder: &Encoder,
        mut sink: AffectSink,
        gaps: &StreamWriter,
        cancelled: &AtomicBool,
        progress: &mut impl FnMut(ImportProgress),
    ) -> Result<Over, RigError> {
        let mut last_sign = Instant::now();
        loop {
            if cancelled.load(Ordering::Relaxed) {
                return Ok(Over::Cancelled);
            }
            let frame = match run.next() {
                Ok(Next::Frame(frame)) => frame,
                Ok(Next::Lost { at, until, frames, why }) => {
                    last_sign = Instant::now();
                    gaps.gap(at, until, GapReason::Corrupt, frames, &why).ok();
                    // A heavily damaged file has as many gaps as frames.
                    wait_for_room(recorder, cancelled)?;
                    continue;
                }
                Ok(Next::End) => return Ok(Over::Ended),
                Err(CameraError::Silent { .. }) if last_sign.elapsed() < DECODER_LIMIT => continue,
                Err(CameraError::Silent { .. }) => {
                    return Ok(Over::Broken(format!("FFmpeg delivered no frame for {} s", DECODER_LIMIT.as_secs())));
                }
                Err(e) => return Ok(Over::Broken(e.to_string())),
            };
            last_sign = Instant::now();
            if !encoder.take(frame.clone()) {
                // The video thread reports its error when the session is closed.
                return Ok(Over::Broken("the video could not be written".to_owned()));
            }
            let reading = self.score(&frame);
            run.with_face += u64::from(reading.as_ref().is_ok_and(|r| r.face.is_some()));
            sink.take(Scored { frame, reading, skipped_before: 0 });
            progress(ImportProgress { frames: run.frames, expected: run.info.expected_frames });
            if run.frames.is_multiple_of(FRAMES_PER_CHECK) {
                wait_for_room(recorder, cancelled)?;
            }
        }
    }

    fn score(&mut self, frame: &Frame) -> Result<vision::Reading, VisionError> {
        let picture = decode_picture(frame, self.vision.colour(), &mut self.decoder)
            .map_err(|why| VisionError::Decode { frame: frame.meta.number, why })?;
        let reading = self.vision.step(picture.as_picture()?, frame.meta.at);
        self.decoder.reuse(picture.pixels);
        reading
    }
}

/// Stores which file the session was made from. The recorder counts the record if it cannot take it.
fn store_origin(recorder: &Recorder, file: &ImportedFile, zero_is: String, info: &CameraInfo) -> Result<(), RigError> {
    let mut data = serde_json::to_value(file).map_err(std::io::Error::other)?;
    data["zero_utc_is"] = zero_is.into();
    if !info.notes.is_empty() {
        data["notes"] = info.notes.clone().into();
    }
    recorder.stream(HEALTH)?.event(Timestamp::ZERO, HealthKind::Film.as_str(), data).ok();
    Ok(())
}

fn wait_for_room(recorder: &Recorder, cancelled: &AtomicBool) -> Result<(), RigError> {
    loop {
        let counters = recorder.counters();
        if let Some(why) = counters.failure {
            return Err(StoreError::Poisoned(why).into());
        }
        if counters.record_queue_fill < MAX_QUEUE_FILL || cancelled.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A video file during the import.
struct Run {
    camera: Box<dyn capture::Camera>,
    info: CameraInfo,
    /// Time of the first frame on the camera's clock.
    first_at: Option<Timestamp>,
    /// End of the last frame so far, including lost frames.
    end: Timestamp,
    frames: u64,
    with_face: u64,
    lost: u64,
    /// Time and description of the first fault of the file.
    first_fault: Option<(Timestamp, String)>,
}

enum Next {
    Frame(SharedFrame),
    /// Lost frames; 0 if their number is unknown.
    Lost {
        at: Timestamp,
        until: Timestamp,
        frames: u64,
        why: String,
    },
    End,
}

impl Run {
    fn new(camera: Box<dyn capture::Camera>, info: CameraInfo) -> Run {
        let (first_at, end, frames, with_face, lost, first_fault) = (None, Timestamp::ZERO, 0, 0, 0, None);
        Run { camera, info, first_at, end, frames, with_face, lost, first_fault }
    }

    fn next(&mut self) -> Result<Next, CameraError> {
        let interval = self.info.mode.interval();
        Ok(match self.camera.next(LOOK)? {
            Captured::End => Next::End,
            Captured::Corrupt { at, why, .. } => {
                let at = self.since_first(at);
                self.lose(at, at + interval, 1, why)
            }
            Captured::Missing { from, until, frames, why } => {
                let (from, until) = (self.since_first(from), self.since_first(until));
                self.lose(from, until, frames, why)
            }
            Captured::Frame(frame) => {
                let (number, at) = (self.frames, self.since_first(frame.at));
                self.frames += 1;
                self.end = self.end.max(at + interval);
                Next::Frame(Arc::new(CapturedFrame { at, ..frame }.numbered(number)))
            }
        })
    }

    fn lose(&mut self, at: Timestamp, until: Timestamp, frames: u64, why: String) -> Next {
        self.lost += frames;
        self.end = self.end.max(until);
        self.first_fault.get_or_insert_with(|| (at, why.clone()));
        Next::Lost { at, until, frames, why }
    }

    /// `broken` is why decoding ended early, `unseen` why the networks failed.
    fn outcome(
        &self,
        path: &Path,
        broken: Option<String>,
        unseen: Option<String>,
    ) -> Result<ImportOutcome, CameraError> {
        if self.frames == 0 {
            let why = self.damage().map(|why| format!("all of its frames are damaged: {why}"));
            let why = why.or(broken).unwrap_or_else(|| "it has no picture".to_owned());
            return Err(CameraError::NotAVideo { path: path.to_owned(), why });
        }
        let trouble: Vec<String> = self.damage().into_iter().chain(broken).chain(unseen).collect();
        Ok(ImportOutcome {
            frames: self.frames,
            with_face: self.with_face,
            lost: self.lost,
            film_s: self.end.as_secs_f64(),
            notes: self.info.notes.clone(),
            trouble: (!trouble.is_empty()).then(|| trouble.join("; ")),
        })
    }

    /// What is wrong with the file, in a sentence.
    fn damage(&self) -> Option<String> {
        let (at, why) = self.first_fault.as_ref()?;
        let what = match self.lost {
            0 => "the file is damaged".to_owned(),
            1 => "1 frame is damaged or missing".to_owned(),
            n => format!("{n} frames are damaged or missing"),
        };
        Some(format!("{what}, from {:.2} s on: {why}", at.as_secs_f64()))
    }

    fn since_first(&mut self, at: Timestamp) -> Timestamp {
        Timestamp::from_ns(at.since_ns(*self.first_at.get_or_insert(at)))
    }
}

/// The thread `film encoder`.
struct Encoder {
    frames: Sender<SharedFrame>,
    thread: JoinHandle<()>,
}

impl Encoder {
    fn start(to: Sender<SharedFrame>) -> Result<Encoder, RigError> {
        let (frames, raw) = bounded(RAW_AHEAD);
        let encoder = JpegEncoder::new().map_err(|e| StoreError::Compressor(e.to_string()))?;
        let thread =
            std::thread::Builder::new().name("film encoder".into()).spawn(move || encode(&raw, encoder, &to))?;
        Ok(Encoder { frames, thread })
    }

    /// `false` if the encoder thread has ended.
    fn take(&self, frame: SharedFrame) -> bool {
        self.frames.send(frame).is_ok()
    }

    fn finish(self) -> Result<(), RigError> {
        drop(self.frames);
        self.thread.join().map_err(|_| StoreError::ThreadDied("film encoder").into())
    }
}

fn encode(raw: &Receiver<SharedFrame>, mut encoder: JpegEncoder, to: &Sender<SharedFrame>) {
    for frame in raw {
        let encoded = match (&frame.pixels, encoder.encode(&frame)) {
            (Pixels::Jpeg(_), _) => frame,
            (_, Ok(jpeg)) => Arc::new(frame.with_pixels(Pixels::Jpeg(jpeg.to_vec()))),
            // The video thread gets the same error, counts the frame and stores the gap.
            (_, Err(_)) => frame,
        };
        if to.send(encoded).is_err() {
            return;
        }
    }
}
