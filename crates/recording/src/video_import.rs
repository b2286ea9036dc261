//! Makes a session from a video file, as fast as possible, for `affectograph analyze`.
//!
//! FFmpeg decodes in its own process. The threads of the [`FilmNetworks`] score and compress each frame. The calling thread
//! passes the results to the store, whose threads write. Each waits for the next one, so no frame is skipped and memory
//! use is small.
//!
//! The session keeps the film. If its pictures cannot be found in it, they are stored as Motion JPEG.
//! The session clock is the file's time: the first frame is at zero.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use crossbeam_channel::{Sender, bounded};
use serde::{Deserialize, Serialize};

use super::affect_sink::{AffectSink, InferenceMean, VisionStreams};
use super::description::{Description, import_streams};
use super::film_pipeline::{FilmItem, FilmNetworks, FilmScored, InFilm, Pictures};
use super::kept_film::{FramePlaces, KeptFilm, check_pictures};
use super::rig_event::event_channel;
use super::{RigError, RigEvent, SessionPlan};
use capture::{Camera, CameraError, CameraInfo, Captured, CapturedFrame, Decoder, FileCamera, FilmDate, PixelFormat};
use session::{
    CameraSettings, Clock, FrameMeta, GapReason, HEALTH, HealthKind, Latest, SharedFrame, Timestamp, VIDEO, path_text,
};
use store::{FilmKeeping, FrameWriter, Recorder, SessionEnd, StoreError, StreamWriter, discard_session};
use vision::{FaceNetworks, Models, Runtime, Vision, VisionError};

/// Longest wait for the decoder before the cancel flag is checked again.
const LOOK: Duration = Duration::from_millis(200);
/// A decoder without output for this time has failed.
const DECODER_LIMIT: Duration = Duration::from_secs(60);
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
    networks: FilmNetworks,
    keeping: FilmKeeping,
}

/// Why the frames ended.
enum Over {
    Ended,
    Broken(String),
    /// A frame has no place in the film that is kept.
    PicturesNotFound(String),
    Cancelled,
}

impl VideoImporter {
    /// `threads` read faces and compress frames. The results do not depend on their number.
    pub fn load(models: &Path, affect_model: &str, threads: NonZeroUsize) -> Result<VideoImporter, VisionError> {
        let vision = Vision::new(Models::load(models, affect_model)?);
        let runtime = Runtime::get()?;
        let face = (0..threads.get()).map(|_| FaceNetworks::load(&runtime, models, affect_model));
        let face = face.collect::<Result<Vec<_>, _>>()?;
        let networks = FilmNetworks { vision, face, decoder: Decoder::default() };
        Ok(VideoImporter { networks, keeping: FilmKeeping::default() })
    }

    pub fn keeping(self, keeping: FilmKeeping) -> VideoImporter {
        VideoImporter { keeping, ..self }
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
        let mut opened = OpenedFilm::open(path, file)?;
        let is_jpeg = opened.info.mode.format == PixelFormat::Mjpeg;
        let why_not = match KeptFilm::place(path, &session.folder, self.keeping, is_jpeg)? {
            Ok(kept) => match self.attempt(opened, Some(kept), session, cancelled, &mut progress)? {
                Attempt::Done(outcome) => return Ok(Some(outcome)),
                Attempt::Cancelled => return Ok(None),
                Attempt::PicturesNotFound(why) => {
                    // What was made so far. Nobody knows the session yet.
                    discard_session(&session.folder)?;
                    opened = OpenedFilm::open(path, file)?;
                    why
                }
            },
            Err(why) => why,
        };
        if self.keeping == FilmKeeping::ByReference {
            return Err(RigError::NoReference(why_not));
        }
        opened.info.notes.push(format!("its pictures are stored as Motion JPEG: {why_not}"));
        match self.attempt(opened, None, session, cancelled, &mut progress)? {
            Attempt::Done(outcome) => Ok(Some(outcome)),
            Attempt::Cancelled | Attempt::PicturesNotFound(_) => Ok(None),
        }
    }

    fn attempt(
        &mut self,
        opened: OpenedFilm<'_>,
        kept: Option<KeptFilm>,
        session: &SessionPlan,
        cancelled: &AtomicBool,
        progress: &mut impl FnMut(ImportProgress),
    ) -> Result<Attempt, RigError> {
        let OpenedFilm { path, file, camera, info, recorded } = opened;
        let description = Description {
            spec: file.file.clone(),
            settings: &CameraSettings::default(),
            camera: Some(&info),
            models: Some(self.networks.vision.models()),
            zero_utc: recorded.map_or_else(Utc::now, |date| date.at),
        };
        let header = description.header(session);
        let streams = import_streams(&info, Some(self.networks.vision.models()));
        // Nobody reads the committed records.
        let (committed, _) = bounded(0);
        let mut recorder = match &kept {
            Some(kept) => Recorder::create_from_film(&session.folder, header, streams, committed, kept.rows())?,
            None => Recorder::create(&session.folder, header, streams, committed)?,
        };
        let zero_is = recorded.map_or("time of the analysis".to_owned(), |date| format!("{} in the file", date.source));
        store_origin(&recorder, file, zero_is, &info, kept.as_ref())?;

        let (events_in, events) = event_channel();
        let streams = Some(VisionStreams::of(&recorder)?);
        let destination = match kept {
            Some(kept) => Destination::Film {
                frames: recorder.frames(),
                places: kept.places(camera.first_ns()),
                checksums: Vec::new(),
            },
            None => Destination::Video(recorder.video(info.mode.width_px, info.mode.height_px)?.sender()),
        };
        let mut collector = Collector {
            recorder: &recorder,
            destination,
            ended_by: None,
            sink: AffectSink::new(streams, Latest::default(), Arc::new(InferenceMean::default()), events_in),
            gaps: recorder.stream(VIDEO)?,
            cancelled,
            expected: info.expected_frames,
            frames: 0,
            with_face: 0,
        };
        let mut run = Run::new(camera, info);
        let over = play(&mut self.networks, &mut run, &mut collector, progress)?;
        run.with_face = collector.with_face;
        let checksums = match &mut collector.destination {
            Destination::Film { checksums, .. } => std::mem::take(checksums),
            Destination::Video(_) => Vec::new(),
        };
        // The video ends when nobody can send frames any more.
        drop(collector);
        let end = run.end;
        let store = recorder.counters();
        recorder.finish(SessionEnd { at: end, quality: None })?;
        let lost = store.records_lost + store.frames_lost;
        if lost > 0 {
            return Err(StoreError::Poisoned(format!("{lost} records or frames could not be stored")).into());
        }
        let broken = match over {
            Over::Cancelled => return Ok(Attempt::Cancelled),
            Over::PicturesNotFound(why) => return Ok(Attempt::PicturesNotFound(why)),
            Over::Broken(why) => Some(why),
            Over::Ended => None,
        };
        if let Err(why) = check_pictures(&session.folder, &checksums) {
            return Ok(Attempt::PicturesNotFound(why));
        }
        let unseen = events.try_iter().find_map(|n| match n {
            RigEvent::VisionFailed(why) => Some(why),
            _ => None,
        });
        Ok(Attempt::Done(run.outcome(path, broken, unseen)?))
    }
}

/// A film whose first picture was decoded.
struct OpenedFilm<'a> {
    path: &'a Path,
    file: &'a ImportedFile,
    camera: FileCamera,
    info: CameraInfo,
    recorded: Option<FilmDate>,
}

impl OpenedFilm<'_> {
    fn open<'a>(path: &'a Path, file: &'a ImportedFile) -> Result<OpenedFilm<'a>, CameraError> {
        let camera = FileCamera::open(path, &Clock::start())?;
        let info = camera.info().clone();
        Ok(OpenedFilm { path, file, camera, info, recorded: capture::recorded_at(path) })
    }
}

/// The result of one reading of a film.
enum Attempt {
    Done(ImportOutcome),
    Cancelled,
    /// The film cannot be kept. The reason continues a sentence.
    PicturesNotFound(String),
}

/// Reads, scores and stores all frames.
fn play(
    networks: &mut FilmNetworks,
    run: &mut Run,
    collector: &mut Collector<'_>,
    progress: &mut impl FnMut(ImportProgress),
) -> Result<Over, RigError> {
    let cancelled = collector.cancelled;
    let mut over = Over::Ended;
    let next = || match run.next(cancelled) {
        Ok(item) => Some(item),
        Err(why) => {
            over = why;
            None
        }
    };
    let pictures = match collector.destination {
        Destination::Video(_) => Pictures::Compressed,
        Destination::Film { .. } => Pictures::InFilm,
    };
    let ended = networks.run(pictures, next, |item| collector.take(item, progress));
    match (ended, collector.ended_by.take()) {
        (Err(_), Some(why)) => Ok(why),
        (ended, _) => ended.map(|()| over),
    }
}

/// Where the frames are stored.
enum Destination {
    Video(Sender<SharedFrame>),
    Film {
        frames: FrameWriter,
        places: FramePlaces,
        /// Of each picture, by the number of its frame.
        checksums: Vec<u32>,
    },
}

/// Passes scored frames and losses to the store.
struct Collector<'a> {
    recorder: &'a Recorder,
    destination: Destination,
    /// Why this object stopped the import.
    ended_by: Option<Over>,
    sink: AffectSink,
    gaps: StreamWriter,
    cancelled: &'a AtomicBool,
    expected: Option<u64>,
    frames: u64,
    with_face: u64,
}

impl Collector<'_> {
    fn take(&mut self, item: FilmItem<FilmScored>, progress: &mut impl FnMut(ImportProgress)) -> Result<(), RigError> {
        let FilmScored { scored, skin, in_film } = match item {
            FilmItem::Frame(scored) => scored,
            FilmItem::Lost { at, until, frames, why } => {
                self.gaps.gap(at, until, GapReason::Corrupt, frames, &why).ok();
                // A heavily damaged file has as many gaps as frames.
                return wait_for_room(self.recorder, self.cancelled);
            }
        };
        self.store(&scored.frame, in_film)?;
        self.frames += 1;
        self.with_face += u64::from(scored.reading.as_ref().is_ok_and(|r| r.face.is_some()));
        self.sink.take_with_skin(scored, skin);
        progress(ImportProgress { frames: self.frames, expected: self.expected });
        if self.frames.is_multiple_of(FRAMES_PER_CHECK) {
            wait_for_room(self.recorder, self.cancelled)?;
        }
        Ok(())
    }
}

impl Collector<'_> {
    fn store(&mut self, frame: &SharedFrame, in_film: Option<InFilm>) -> Result<(), RigError> {
        match (&mut self.destination, in_film) {
            (Destination::Film { frames, places, checksums }, Some(picture)) => {
                let FrameMeta { at, .. } = frame.meta;
                let Some(row) = places.row_of(frame.meta, picture) else {
                    let why = format!("FFmpeg lists no packet for the frame at {at}");
                    self.ended_by = Some(Over::PicturesNotFound(why.clone()));
                    return Err(RigError::NoReference(why));
                };
                checksums.push(picture.checksum);
                Ok(frames.put(row)?)
            }
            (Destination::Video(video), _) if video.send(frame.clone()).is_ok() => Ok(()),
            _ => {
                // The video thread reports its error when the session is closed.
                self.ended_by = Some(Over::Broken("the video could not be written".to_owned()));
                Err(StoreError::ThreadDied("video").into())
            }
        }
    }
}

/// Stores which file the session was made from. The recorder counts the record if it cannot take it.
fn store_origin(
    recorder: &Recorder,
    file: &ImportedFile,
    zero_is: String,
    info: &CameraInfo,
    kept: Option<&KeptFilm>,
) -> Result<(), RigError> {
    let mut data = serde_json::to_value(file).map_err(std::io::Error::other)?;
    if let Some(kept) = kept {
        data["kept"] = kept.how().into();
    }
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
    camera: FileCamera,
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

impl Run {
    fn new(camera: FileCamera, info: CameraInfo) -> Run {
        let (first_at, end, frames, with_face, lost, first_fault) = (None, Timestamp::ZERO, 0, 0, 0, None);
        Run { camera, info, first_at, end, frames, with_face, lost, first_fault }
    }

    /// The next frame or loss, or why there is none.
    fn next(&mut self, cancelled: &AtomicBool) -> Result<FilmItem<SharedFrame>, Over> {
        let asked = Instant::now();
        loop {
            if cancelled.load(Ordering::Relaxed) {
                return Err(Over::Cancelled);
            }
            match self.camera.next(LOOK) {
                Ok(Captured::End) => return Err(Over::Ended),
                Ok(Captured::Corrupt { at, why, .. }) => {
                    let at = self.since_first(at);
                    return Ok(self.lose(at, at + self.info.mode.interval(), 1, why));
                }
                Ok(Captured::Missing { from, until, frames, why }) => {
                    let (from, until) = (self.since_first(from), self.since_first(until));
                    return Ok(self.lose(from, until, frames, why));
                }
                Ok(Captured::Frame(frame)) => return Ok(FilmItem::Frame(self.frame(frame))),
                Err(CameraError::Silent { .. }) if asked.elapsed() < DECODER_LIMIT => {}
                Err(CameraError::Silent { .. }) => {
                    let why = format!("FFmpeg delivered no frame for {} s", DECODER_LIMIT.as_secs());
                    return Err(Over::Broken(why));
                }
                Err(e) => return Err(Over::Broken(e.to_string())),
            }
        }
    }

    fn frame(&mut self, frame: CapturedFrame) -> SharedFrame {
        let (number, at) = (self.frames, self.since_first(frame.at));
        self.frames += 1;
        self.end = self.end.max(at + self.info.mode.interval());
        Arc::new(CapturedFrame { at, ..frame }.numbered(number))
    }

    fn lose(&mut self, at: Timestamp, until: Timestamp, frames: u64, why: String) -> FilmItem<SharedFrame> {
        self.lost += frames;
        self.end = self.end.max(until);
        self.first_fault.get_or_insert_with(|| (at, why.clone()));
        FilmItem::Lost { at, until, frames, why }
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
