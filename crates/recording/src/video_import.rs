//! A video file made into a session as fast as it goes, for `affectograph analyze`.
//!
//! FFmpeg decodes in a process of its own, the calling thread looks at each frame, the thread `film encoder` compresses
//! it, and the store's threads write. Each waits for the next one, so nothing is skipped and little is held in memory.
//! The session's clock is the file's own: its first frame is at zero.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use crossbeam_channel::{Receiver, Sender, bounded};
use serde::{Deserialize, Serialize};

use super::affect_sink::{AffectSink, InferenceMean, VisionStreams, picture_of};
use super::description::{Description, film_streams};
use super::news::news_channel;
use super::{News, RigError, SessionPlan};
use capture::{CameraError, CameraInfo, CameraSpec, Captured, Decoder};
use session::{
    CameraSettings, Clock, Frame, GapReason, HEALTH, HealthKind, Latest, Pixels, SharedFrame, Timestamp, VIDEO,
    path_text,
};
use store::{JpegEncoder, Recorder, SessionEnd, StoreError, StreamWriter};
use vision::{Models, Scored, Vision, VisionError};

/// How long one look at the decoder lasts: a cancelling is noticed after this at the latest.
const LOOK: Duration = Duration::from_millis(200);
/// A decoder that gives nothing for so long has hung itself up.
const DECODER_LIMIT: Duration = Duration::from_secs(60);
/// Raw frames that wait for the encoder: a film in 4K has 25 MB a frame.
const RAW_AHEAD: usize = 4;
/// How often the recorder's queue is looked at, and how full it may be: a file can wait, so no record is lost.
const FRAMES_A_LOOK: u64 = 64;
const FULL_ENOUGH: f64 = 0.25;

/// The file a session was made from, and whether it is still the same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilmFile {
    /// Absolute. Bytes of a name that are no text are written as `\xE9`.
    pub file: String,
    pub bytes: u64,
    pub modified_utc: Option<DateTime<Utc>>,
}

impl FilmFile {
    /// `path` is absolute.
    pub fn of(path: &Path) -> std::io::Result<FilmFile> {
        let meta = path.metadata()?;
        // Not every file system knows it.
        let modified_utc = meta.modified().ok().map(DateTime::from);
        Ok(FilmFile { file: path_text(path), bytes: meta.len(), modified_utc })
    }
}

#[derive(Clone, Copy, Debug)]
pub struct FilmProgress {
    pub frames: u64,
    /// As far as the file tells.
    pub expected: Option<u64>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FilmOutcome {
    pub frames: u64,
    pub with_face: u64,
    /// Damaged or missing, as far as the file tells.
    pub lost: u64,
    /// From the first frame to the end of the last.
    pub film_s: f64,
    /// What was chosen or done that a person should know.
    pub notes: Vec<String>,
    /// What is wrong with the file or was with the networks; what could be read is in the session all the same.
    pub trouble: Option<String>,
}

/// Networks that look at one film after another; each thread has its own.
pub struct Films {
    vision: Vision,
    decoder: Decoder,
}

/// Why no frame comes any more.
enum Over {
    Ended,
    Broken(String),
    Cancelled,
}

impl Films {
    pub fn load(models: &Path, affect_model: &str) -> Result<Films, VisionError> {
        Ok(Films { vision: Vision::new(Models::load(models, affect_model)?), decoder: Decoder::default() })
    }

    /// Makes the session in `session.folder`. `None` where it was cancelled: the folder then holds nothing of use.
    pub fn record(
        &mut self,
        path: &Path,
        file: &FilmFile,
        session: &SessionPlan,
        cancelled: &AtomicBool,
        mut progress: impl FnMut(FilmProgress),
    ) -> Result<Option<FilmOutcome>, RigError> {
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
        let streams = film_streams(&info, Some(self.vision.models()));
        // Nobody watches.
        let (committed, _) = bounded(0);
        let mut recorder = Recorder::create(&session.folder, header, streams, committed)?;
        let zero_is = recorded.map_or("time of the analysis".to_owned(), |date| format!("{} in the file", date.source));
        let mut told = serde_json::to_value(file).map_err(std::io::Error::other)?;
        told["zero_utc_is"] = zero_is.into();
        if !info.notes.is_empty() {
            told["notes"] = info.notes.clone().into();
        }
        // The results of the stream writers are left alone: the store counts what it could not take, and shows it.
        let _ = recorder.stream(HEALTH)?.event(Timestamp::ZERO, HealthKind::Film.as_str(), told);

        let encoder = Encoder::start(recorder.video(info.mode.width_px, info.mode.height_px)?.sender())?;
        let (news_in, news) = news_channel();
        let streams = Some(VisionStreams::of(&recorder)?);
        let sink = AffectSink::new(streams, Latest::default(), Arc::new(InferenceMean::default()), news_in);
        let gaps = recorder.stream(VIDEO)?;
        let mut run = Run::new(camera, info);
        self.vision.reset();
        let over = self.play(&mut run, &recorder, &encoder, sink, &gaps, cancelled, &mut progress);
        // Frames behind the encoder belong to the session before it is closed.
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
        let unseen = news.try_iter().find_map(|n| match n {
            News::VisionTrouble(why) => Some(why),
            _ => None,
        });
        let Run { frames, with_face, lost, info, .. } = &run;
        if *frames == 0 {
            let why = run.damage().map(|why| format!("none of its frames is whole: {why}"));
            let why = why.or(broken).unwrap_or_else(|| "it holds no picture".to_owned());
            return Err(CameraError::NotAVideo { path: path.to_owned(), why }.into());
        }
        let trouble: Vec<String> = run.damage().into_iter().chain(broken).chain(unseen).collect();
        Ok(Some(FilmOutcome {
            frames: *frames,
            with_face: *with_face,
            lost: *lost,
            film_s: end.as_secs_f64(),
            notes: info.notes.clone(),
            trouble: (!trouble.is_empty()).then(|| trouble.join("; ")),
        }))
    }

    #[allow(clippy::too_many_arguments)] // each is one end of the line that runs here
    fn play(
        &mut self,
        run: &mut Run,
        recorder: &Recorder,
        encoder: &Encoder,
        mut sink: AffectSink,
        gaps: &StreamWriter,
        cancelled: &AtomicBool,
        progress: &mut impl FnMut(FilmProgress),
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
                    let _ = gaps.gap(at, until, GapReason::Corrupt, frames, &why);
                    // A film that is damaged all over has as many gaps as frames.
                    wait_for_room(recorder, cancelled)?;
                    continue;
                }
                Ok(Next::End) => return Ok(Over::Ended),
                Err(CameraError::Silent { .. }) if last_sign.elapsed() < DECODER_LIMIT => continue,
                Err(e) => return Ok(Over::Broken(e.to_string())),
            };
            last_sign = Instant::now();
            if !encoder.take(frame.clone()) {
                // Why the video's thread has ended it says itself when the session is closed.
                return Ok(Over::Broken("the video could not be written".to_owned()));
            }
            let reading = self.look(&frame);
            run.with_face += u64::from(reading.as_ref().is_ok_and(|r| r.face.is_some()));
            sink.take(Scored { frame, reading, skipped_before: 0 });
            progress(FilmProgress { frames: run.frames, expected: run.info.expected_frames });
            if run.frames.is_multiple_of(FRAMES_A_LOOK) {
                wait_for_room(recorder, cancelled)?;
            }
        }
    }

    fn look(&mut self, frame: &Frame) -> Result<vision::Reading, VisionError> {
        let picture = picture_of(frame, self.vision.colour(), &mut self.decoder)
            .map_err(|why| VisionError::Decode { frame: frame.number, why })?;
        let reading = self.vision.step(picture.as_picture()?, frame.at);
        self.decoder.reuse(picture.pixels);
        reading
    }
}

fn wait_for_room(recorder: &Recorder, cancelled: &AtomicBool) -> Result<(), RigError> {
    loop {
        let counters = recorder.counters();
        if let Some(why) = counters.failure {
            return Err(StoreError::Poisoned(why).into());
        }
        if counters.record_queue_fill < FULL_ENOUGH || cancelled.load(Ordering::Relaxed) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A file being played.
struct Run {
    camera: Box<dyn capture::Camera>,
    info: CameraInfo,
    /// The camera lays the file onto a clock of its own.
    first_at: Option<Timestamp>,
    /// Of the film so far, what is lost included.
    end: Timestamp,
    frames: u64,
    with_face: u64,
    lost: u64,
    /// The first thing that is wrong with the file, and where.
    first_fault: Option<(Timestamp, String)>,
}

enum Next {
    Frame(SharedFrame),
    /// One frame or several; 0 where nobody knows whether any.
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
            Captured::Frame { at, time_source, device_sequence, width_px, height_px, pixels } => {
                let (number, at) = (self.frames, self.since_first(at));
                self.frames += 1;
                self.end = self.end.max(at + interval);
                let frame = Frame { number, at, time_source, device_sequence, width_px, height_px, pixels };
                Next::Frame(Arc::new(frame))
            }
        })
    }

    fn lose(&mut self, at: Timestamp, until: Timestamp, frames: u64, why: String) -> Next {
        self.lost += frames;
        self.end = self.end.max(until);
        self.first_fault.get_or_insert_with(|| (at, why.clone()));
        Next::Lost { at, until, frames, why }
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

    /// `false` where the other end is gone.
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
            (_, Ok(jpeg)) => Arc::new(Frame { pixels: Pixels::Jpeg(jpeg.to_vec()), ..frame_without_pixels(&frame) }),
            // The video's thread finds out the same, counts it and stores the gap.
            (_, Err(_)) => frame,
        };
        if to.send(encoded).is_err() {
            return;
        }
    }
}

fn frame_without_pixels(frame: &Frame) -> Frame {
    Frame {
        number: frame.number,
        at: frame.at,
        time_source: frame.time_source,
        device_sequence: frame.device_sequence,
        width_px: frame.width_px,
        height_px: frame.height_px,
        pixels: Pixels::Jpeg(Vec::new()),
    }
}
