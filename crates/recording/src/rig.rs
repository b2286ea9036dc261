//! Camera, networks and page running together; with a session to write, or without one for a rehearsal.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::json;
use thiserror::Error;

use super::affect_sink::{AffectSink, InferenceMean, VisionStreams, picture_of};
use super::description::{Description, live_streams};
use super::guide::{self, Guide, Guided};
use super::news::news_channel;
use super::router::{self, RouterStreams};
use super::{Counters, MarkerText, News, Seen};
use analysis::PLANNED;
use capture::{CameraError, CameraInfo, CameraSpec, Capture, Decoder, Pace, Sinks};
use page::{PageError, PageHost, PageSpec};
use session::{
    Body, CameraSettings, Clock, HEALTH, HealthKind, Latest, MARKER, PHASE, SharedFrame, StreamInfo, Timestamp,
};
use store::{Committed, Consent, Recorder, SessionEnd, StoreError, StoredStudy, StreamWriter};
use vision::{Models, Vision, VisionError, VisionWorker};

/// What runs.
#[derive(Clone, Debug)]
pub struct RigPlan {
    pub camera: CameraSpec,
    pub camera_settings: CameraSettings,
    pub pace: Pace,
    /// Folder with one folder a network.
    pub models: PathBuf,
    /// Which of them reads affect.
    pub affect_model: String,
    pub page: Option<PageSpec>,
}

/// Where a recording goes, and what its header says that the rig does not know.
#[derive(Clone, Debug)]
pub struct SessionPlan {
    /// New, made by the library.
    pub folder: PathBuf,
    pub participant: session::ParticipantId,
    pub session: session::SessionNumber,
    pub study: StoredStudy,
    /// The git revision of the program, for the header. `None`: not known.
    pub revision: Option<String>,
    /// What the participant is guided through before the page begins; it needs a page.
    pub guided: Guided,
    pub consent: Option<Consent>,
    pub overridden_checks: Vec<session::CheckId>,
    /// How long it is to be, where somebody said it.
    pub planned: Option<Duration>,
}

#[derive(Debug, Error)]
pub enum RigError {
    #[error(transparent)]
    Camera(#[from] CameraError),
    #[error(transparent)]
    Vision(#[from] VisionError),
    #[error(transparent)]
    Page(#[from] PageError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the system gives no further thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// Everything that runs. [`Rig::stop`] ends it properly; dropping it leaves a session to be recovered.
pub struct Rig {
    clock: Clock,
    capture: Option<Capture>,
    camera_info: CameraInfo,
    worker: Option<VisionWorker>,
    vision_trouble: Option<String>,
    /// Goes before the page, which it may still want to begin.
    guide: Option<Guide>,
    page: Option<PageHost>,
    router: JoinHandle<()>,
    inference: Arc<InferenceMean>,
    news: Receiver<News>,
    preview: Latest<SharedFrame>,
    seen: Latest<Seen>,
    session: Option<RigSession>,
}

struct RigSession {
    recorder: Recorder,
    streams: Vec<StreamInfo>,
    marker: StreamWriter,
    health: StreamWriter,
}

impl Rig {
    /// Everything runs and nothing is stored. Networks that do not load are no reason not to rehearse: what is wrong
    /// with them is told by [`Rig::vision_trouble`].
    pub fn rehearse(plan: &RigPlan) -> Result<Rig, RigError> {
        let clock = Clock::start();
        let camera = capture::open(&plan.camera, &plan.camera_settings, &clock)?;
        let vision = Models::load(&plan.models, &plan.affect_model).map(Vision::new);
        Rig::start(plan, clock, camera, vision, None, (Guided::default(), None))
    }

    /// Records. `committed` gets every record once it is in the file. Networks that do not load end it here unless
    /// the operator has overridden a failing check: a session can be scored later, a participant cannot come again.
    pub fn record(plan: &RigPlan, session: SessionPlan, committed: Sender<Committed>) -> Result<Rig, RigError> {
        let clock = Clock::start();
        let models = Models::load(&plan.models, &plan.affect_model);
        let models = if session.overridden_checks.is_empty() { Ok(models?) } else { models };
        let camera = capture::open(&plan.camera, &plan.camera_settings, &clock)?;
        let streams = live_streams(camera.info(), models.as_ref().ok());
        let shown = Description {
            spec: plan.camera.to_string(),
            settings: &plan.camera_settings,
            camera: camera.info(),
            models: models.as_ref().ok(),
            zero_utc: clock.zero_utc(),
        };
        let header = shown.header(&session);
        let recorder = Recorder::create(&session.folder, header, streams.clone(), committed)?;
        let course = (session.guided, session.planned);
        Rig::start(plan, clock, camera, models.map(Vision::new), Some((recorder, streams)), course)
    }

    fn start(
        plan: &RigPlan,
        clock: Clock,
        camera: Box<dyn capture::Camera>,
        vision: Result<Vision, VisionError>,
        mut recorder: Option<(Recorder, Vec<StreamInfo>)>,
        (guided, planned): (Guided, Option<Duration>),
    ) -> Result<Rig, RigError> {
        let camera_info = camera.info().clone();
        let (news_tx, news) = news_channel();
        let (camera_events_tx, camera_events) = bounded(256);
        let (frames, preview, seen) = (Latest::default(), Latest::default(), Latest::default());
        let inference = Arc::new(InferenceMean::default());

        let (page, page_events) = match &plan.page {
            Some(spec) => {
                let (tx, rx) = bounded(8192);
                let sentence = (!guided.phases.is_empty()).then_some(guided.sentence);
                (Some(PageHost::start_behind(sentence, spec.clone(), clock, tx)?), Some(rx))
            }
            None => (None, None),
        };
        let router_streams = recorder.as_ref().map(|(r, _)| RouterStreams::of(r)).transpose()?;
        // The guide begins when everything else runs; until then the first word of its cross waits.
        let (cross_tx, cross) = bounded(1);
        let router = router::start(router_streams, camera_events, page_events, Some(cross_tx), news_tx.clone())?;
        let guide_news = news_tx.clone();

        let (worker, vision_trouble) = match vision {
            Ok(vision) => {
                let streams = recorder.as_ref().map(|(r, _)| VisionStreams::of(r)).transpose()?;
                let mut sink = AffectSink::new(streams, seen.clone(), inference.clone(), news_tx);
                let mut decoder = Decoder::default();
                let decode = move |frame: &session::Frame, colour| picture_of(frame, colour, &mut decoder);
                let worker = VisionWorker::start(vision, frames.clone(), decode, move |scored| sink.take(scored))?;
                (Some(worker), None)
            }
            Err(e) => (None, Some(e.to_string())),
        };

        let mode = &camera_info.mode;
        let store = match &mut recorder {
            Some((recorder, _)) => Some(recorder.video(mode.width_px, mode.height_px)?.sender()),
            None => None,
        };
        let session = match recorder {
            Some((recorder, streams)) => {
                let (marker, health) = (recorder.stream(MARKER)?, recorder.stream(HEALTH)?);
                Some(RigSession { recorder, streams, marker, health })
            }
            None => None,
        };
        let sinks =
            Sinks { store, vision: frames, preview: preview.clone(), events: camera_events_tx, pace: plan.pace };
        let capture = Capture::with_camera(camera, plan.camera.clone(), plan.camera_settings.clone(), clock, sinks)?;
        if let Some(session) = &session {
            let started = planned.map_or(serde_json::Value::Null, |p| json!({ PLANNED: p.as_secs_f64() }));
            // The store counts what it cannot take, shows it and stores it as a gap; so it is everywhere below.
            let _ = session.health.event(clock.now(), HealthKind::RecordingStarted.as_str(), started);
        }
        let guide = match (&session, page.as_ref().and_then(PageHost::beginner)) {
            (Some(session), Some(beginner)) if !guided.phases.is_empty() => {
                let stream = session.recorder.stream(PHASE)?;
                let told = guide::Told { clock, stream, news: guide_news };
                Some(guide::start(guided.phases, beginner, cross, told)?)
            }
            _ => None,
        };
        Ok(Rig {
            clock,
            capture: Some(capture),
            camera_info,
            worker,
            vision_trouble,
            guide,
            page,
            router,
            inference,
            news,
            preview,
            seen,
            session,
        })
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    pub fn camera_info(&self) -> &CameraInfo {
        &self.camera_info
    }

    /// Why no network looks at the pictures.
    pub fn vision_trouble(&self) -> Option<&str> {
        self.vision_trouble.as_deref()
    }

    pub fn news(&self) -> &Receiver<News> {
        &self.news
    }

    /// The newest frame, for looking at.
    pub fn preview(&self) -> &Latest<SharedFrame> {
        &self.preview
    }

    /// The newest frame that the networks have looked at, with what they saw.
    pub fn seen(&self) -> &Latest<Seen> {
        &self.seen
    }

    pub fn page(&self) -> Option<&PageHost> {
        self.page.as_ref()
    }

    pub fn folder(&self) -> Option<&Path> {
        self.session.as_ref().map(|s| s.recorder.folder())
    }

    /// What the session holds; empty in a rehearsal.
    pub fn streams(&self) -> &[StreamInfo] {
        self.session.as_ref().map_or(&[], |s| &s.streams)
    }

    pub fn adjust_camera(&self, settings: CameraSettings) {
        if let Some(capture) = &self.capture {
            capture.adjust(settings);
        }
    }

    /// Stores a marker at `at`, the moment of the key press. In a rehearsal there is nothing to store it in.
    pub fn mark(&self, at: Timestamp, text: &MarkerText) {
        if let (Some(session), Body::Event { kind, data }) = (&self.session, text.body()) {
            let _ = session.marker.event(at, &kind, serde_json::Value::Object(data));
        }
    }

    pub fn counters(&self) -> Counters {
        let vision = self.worker.as_ref().map(VisionWorker::counters).unwrap_or_default();
        Counters {
            capture: self.capture.as_ref().map(Capture::counters).unwrap_or_default(),
            store: self.session.as_ref().map(|s| s.recorder.counters()),
            frames_scored: vision.scored,
            frames_skipped: vision.skipped,
            vision_failures: vision.failed,
            inference_ms: self.inference.get_ms(),
        }
    }

    /// Stops the sources, lets the networks finish their frame, and closes the files. The order matters: each part is
    /// stopped before what it feeds.
    pub fn stop(mut self) -> Result<Counters, RigError> {
        if let Some(session) = &self.session {
            let _ =
                session.health.event(self.clock.now(), HealthKind::RecordingStopped.as_str(), serde_json::Value::Null);
        }
        self.guide = None;
        let capture = self.capture.take().map(Capture::stop).unwrap_or_default();
        let vision = self.worker.take().map(VisionWorker::stop).transpose();
        let page = self.page.take().map_or(Ok(()), PageHost::close);
        let counters = Counters { capture, ..self.counters() };
        let Rig { router, session, clock, .. } = self;
        // A panic there was printed already; the session is closed all the same.
        let router = router.join();
        if let Some(session) = session {
            let RigSession { recorder, marker, health, .. } = session;
            drop((marker, health));
            recorder.finish(SessionEnd { at: clock.now(), quality: None })?;
        }
        page?;
        let (_, vision) = match vision? {
            Some((vision, counts)) => (Some(vision), counts),
            None => (None, Default::default()),
        };
        router.map_err(|_| std::io::Error::other("the thread `router` failed"))?;
        Ok(Counters {
            frames_scored: vision.scored,
            frames_skipped: vision.skipped,
            vision_failures: vision.failed,
            ..counters
        })
    }
}
