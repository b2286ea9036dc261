//! Runs camera, networks and page together: as a recording with a session, or as a rehearsal without one.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use serde_json::{Value, json};
use thiserror::Error;

use super::affect_sink::{AffectSink, InferenceMean, VisionStreams};
use super::description::{Description, live_streams};
use super::guide::{self, Guide, GuideOutput, Guided, ScreenEvent, Shown};
use super::lsl_inputs::{LslInputs, RunningInputs};
use super::lsl_output::{LslOutput, Outlets};
use super::rig_event::{EventSender, event_channel};
use super::rig_page::RigPage;
use super::router::{self, RouterStreams};
use super::serial_ports::{RunningPorts, SerialPorts};
use super::source_watch::SourceWatch;
use super::stored_view::StoredView;
use super::{
    Counters, FrameReading, MarkerText, RemoteCommandNote, RigEvent, RigPlan, SessionPlan, SetUpSources, SourceError,
    SourceState,
};
use analysis::PLANNED;
use capture::{CameraError, CameraInfo, Capture, Sinks};
use page::{PageError, PageStage};
use session::{
    CAPTURED_IN_PAUSE, CameraSettings, CheckId, Clock, Frame, HEALTH, HealthKind, Latest, MARKER, PHASE, QUESTIONNAIRE,
    SharedFrame, StreamInfo, Timestamp,
};
use store::{Committed, Recorder, SessionEnd, StoreError, StreamWriter};
use vision::{Models, Vision, VisionError, VisionWorker};

/// The guide reads its events within milliseconds. What does not fit is not what it waits for.
const WINDOW_EVENTS: usize = 16;

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
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("the items of the questionnaire `{name}` could not be read from {path}: {why}")]
    Items { name: String, path: PathBuf, why: String },
    #[error("the session cannot refer to the film: {0}. Import it without `--by-reference`")]
    NoReference(String),
    #[error("could not start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

/// The window offers [`session::UNDO_LIMIT`]. A command may wait for a moment.
const TAKE_BACK_LIMIT: Duration = session::UNDO_LIMIT.saturating_add(Duration::from_secs(2));

/// A running rig. [`Rig::stop`] closes the session. If the rig is dropped instead, the session must be recovered.
pub struct Rig {
    clock: Clock,
    capture: Option<Capture>,
    /// `None`: the study records no camera.
    camera_info: Option<CameraInfo>,
    worker: Option<VisionWorker>,
    vision_trouble: Option<String>,
    /// Stopped before the page, because the guide may start the page.
    guide: Option<Guide>,
    page: Option<RigPage>,
    router: JoinHandle<()>,
    inputs: RunningInputs,
    /// Of a recording.
    ports: RunningPorts,
    /// In a rehearsal with sources.
    watch: Option<SourceWatch>,
    output: Option<LslOutput>,
    inference: Arc<InferenceMean>,
    events: Receiver<RigEvent>,
    /// The sender of `events`.
    news: EventSender,
    preview: Latest<SharedFrame>,
    readings: Latest<FrameReading>,
    session: Option<RigSession>,
    /// The participant's condition. `None` in a rehearsal.
    condition: Option<String>,
}

/// A session whose file exists, before anything is recorded.
struct NewSession {
    recorder: Recorder,
    streams: Vec<StreamInfo>,
    ports: SerialPorts,
}

struct RigSession {
    recorder: Recorder,
    streams: Vec<StreamInfo>,
    marker: StreamWriter,
    health: StreamWriter,
}

// The results of the stream writers are ignored here and in `Rig`: the recorder counts each record that it could not
// take, reports it and stores a gap.
impl RigSession {
    fn new(recorder: Recorder, streams: Vec<StreamInfo>) -> Result<RigSession, StoreError> {
        let (marker, health) = (recorder.stream(MARKER)?, recorder.stream(HEALTH)?);
        Ok(RigSession { recorder, streams, marker, health })
    }

    fn started(&self, at: Timestamp, planned: Option<Duration>) {
        let data = planned.map_or(Value::Null, |p| json!({ PLANNED: p.as_secs_f64() }));
        self.health.event(at, HealthKind::RecordingStarted.as_str(), data).ok();
    }

    fn stopped(&self, at: Timestamp) {
        self.health.event(at, HealthKind::RecordingStopped.as_str(), Value::Null).ok();
    }
}

fn start_worker(
    vision: Vision,
    frames: Latest<SharedFrame>,
    recorder: Option<&Recorder>,
    sink: impl FnOnce(Option<VisionStreams>) -> AffectSink,
) -> Result<VisionWorker, RigError> {
    let mut sink = sink(recorder.map(VisionStreams::of).transpose()?);
    let mut view = StoredView::new(recorder.is_some()).map_err(|e| StoreError::Compressor(e.to_string()))?;
    let decode = move |frame: &Frame, colour| view.picture(frame, colour);
    Ok(VisionWorker::start(vision, frames, decode, move |scored| sink.take(scored))?)
}

fn opened_camera(plan: &RigPlan, clock: Clock) -> Result<Option<Box<dyn capture::Camera>>, CameraError> {
    plan.camera.as_ref().map(|spec| capture::open(spec, &plan.camera_settings, &clock)).transpose()
}

/// `None`: there are no pictures to score.
fn models_of(plan: &RigPlan) -> Result<Option<Models>, VisionError> {
    plan.camera.as_ref().map(|_| Models::load(&plan.models, &plan.affect_model)).transpose()
}

fn guide_output(
    clock: Clock,
    recorder: &Recorder,
    events: EventSender,
    stage: Option<PageStage>,
) -> Result<GuideOutput, StoreError> {
    let (phases, questionnaires) = (recorder.stream(PHASE)?, recorder.stream(QUESTIONNAIRE)?);
    Ok(GuideOutput {
        clock,
        store: Box::new(move |stream, at, kind, data| {
            let writer = if stream == PHASE { &phases } else { &questionnaires };
            writer.event(at, kind, data).ok();
        }),
        events,
        show: Box::new(move |what| {
            stage.iter().for_each(|stage| match what {
                Shown::Page => stage.begin(),
                Shown::Questionnaire(number) => stage.show_questionnaire(number),
                Shown::Calm => stage.calm(),
                Shown::Closing => stage.close(),
            });
        }),
    })
}

impl Rig {
    /// Starts a rig that stores nothing. It also starts if the networks do not load: [`Rig::vision_trouble`] has the
    /// reason.
    pub fn rehearse(plan: &RigPlan) -> Result<Rig, RigError> {
        let clock = Clock::start();
        let camera = opened_camera(plan, clock)?;
        let vision = models_of(plan).map(|models| models.map(Vision::new));
        let rig = Rig::start(plan, clock, camera, vision, None, (Guided::default(), None))?;
        let watch = SourceWatch::start(&plan.sources, clock, rig.news.clone())?;
        Ok(Rig { watch, ..rig })
    }

    /// Starts a recording. `committed` gets every record once it is in the file. If the networks do not load, the recording
    /// starts only if the operator has overridden a failing check. Such a session can be scored later.
    pub fn record(plan: &RigPlan, session: SessionPlan, committed: Sender<Committed>) -> Result<Rig, RigError> {
        Rig::record_after(None, plan, session, committed)
    }

    /// `set_up`: what a rehearsal has received since a marker started the recording.
    pub(super) fn record_after(
        set_up: Option<SetUpSources>,
        plan: &RigPlan,
        session: SessionPlan,
        committed: Sender<Committed>,
    ) -> Result<Rig, RigError> {
        let may_miss = session.overridden_checks.contains(&CheckId::Source);
        let inputs = LslInputs::find(&plan.sources, may_miss)?;
        let ports = SerialPorts::open(&plan.sources, may_miss)?;
        let clock = Clock::start();
        let models = models_of(plan);
        let models = if session.overridden_checks.is_empty() { Ok(models?) } else { models };
        let camera = opened_camera(plan, clock)?;
        let info = camera.as_ref().map(|camera| camera.info());
        let loaded = models.as_ref().ok().and_then(Option::as_ref);
        let mut streams = live_streams(info, loaded);
        streams.extend(inputs.streams());
        streams.extend(ports.streams());
        let shown = Description {
            spec: plan.camera.as_ref().map(ToString::to_string).unwrap_or_default(),
            settings: &plan.camera_settings,
            camera: info,
            models: loaded,
            zero_utc: clock.zero_utc(),
        };
        let header = shown.header(&session);
        // Before the session's file exists: without liblsl, no empty session is left.
        let outlets = plan.lsl_out.then(|| Outlets::open(clock, &streams)).transpose().map_err(SourceError::from)?;
        let recorder = Recorder::create(&session.folder, header, streams.clone(), committed)?;
        let condition = session.condition.map(|condition| condition.name);
        let course = (session.guided, session.planned);
        let output = outlets.map(|outlets| outlets.start(&recorder)).transpose()?;
        let new = NewSession { recorder, streams, ports };
        let rig = Rig::start(plan, clock, camera, models.map(|models| models.map(Vision::new)), Some(new), course)?;
        let inputs = match &rig.session {
            Some(session) => inputs.start(&session.recorder, clock, &rig.news, set_up)?,
            None => RunningInputs::default(),
        };
        Ok(Rig { condition, inputs, output, ..rig })
    }

    fn start(
        plan: &RigPlan,
        clock: Clock,
        camera: Option<Box<dyn capture::Camera>>,
        vision: Result<Option<Vision>, VisionError>,
        new: Option<NewSession>,
        (guided, planned): (Guided, Option<Duration>),
    ) -> Result<Rig, RigError> {
        let camera_info = camera.as_ref().map(|camera| camera.info().clone());
        let (events_tx, events) = event_channel();
        let (camera_events_tx, camera_events) = bounded(256);
        let (frames, preview, readings) = (Latest::default(), Latest::default(), Latest::default());
        let inference = Arc::new(InferenceMean::default());

        let sentence = guided.begins_with_cross().then(|| guided.sentence.clone());
        let first = guided.first_questionnaire();
        let (page, page_events) = RigPage::start(plan, sentence, first, clock, new.is_none())?.unzip();
        let (mut recorder, ports) = match new {
            Some(NewSession { recorder, streams, ports }) => {
                let ports = ports.start(&recorder, clock, &events_tx)?;
                (Some((recorder, streams)), ports)
            }
            None => (None, RunningPorts::default()),
        };
        let streams_of = |(r, _): &(Recorder, _)| RouterStreams::of(r, plan, ports.triggers().clone());
        let router_streams = recorder.as_ref().map(streams_of).transpose()?;
        // The guide starts last. Until then the first events of its window wait in this channel.
        let (window_tx, window) = bounded::<ScreenEvent>(WINDOW_EVENTS);
        let router = router::start(router_streams, camera_events, page_events, Some(window_tx), events_tx.clone())?;
        let (guide_events, news) = (events_tx.clone(), events_tx.clone());

        let (worker, vision_trouble) = match vision {
            Ok(None) => (None, None),
            Ok(Some(vision)) => {
                let sink = |streams| AffectSink::new(streams, readings.clone(), inference.clone(), events_tx);
                let recorder = recorder.as_ref().map(|(recorder, _)| recorder);
                (Some(start_worker(vision, frames.clone(), recorder, sink)?), None)
            }
            Err(e) => (None, Some(e.to_string())),
        };

        let store = match (&mut recorder, &camera_info) {
            (Some((recorder, _)), Some(CameraInfo { mode, .. })) => {
                Some(recorder.video(mode.width_px, mode.height_px)?.sender())
            }
            _ => None,
        };
        let session = recorder.map(|(recorder, streams)| RigSession::new(recorder, streams)).transpose()?;
        let sinks =
            Sinks { store, vision: frames, preview: preview.clone(), events: camera_events_tx, pace: plan.pace };
        let capture = match (camera, &plan.camera) {
            (Some(camera), Some(spec)) => {
                Some(Capture::with_camera(camera, spec.clone(), plan.camera_settings.clone(), clock, sinks)?)
            }
            // Without the senders in `sinks`, the router does not wait for a camera.
            _ => None,
        };
        if let Some(session) = &session {
            session.started(clock.now(), planned);
        }
        let guided = if page.is_some() { guided } else { guided.without_window() };
        let guide = match &session {
            Some(session) if guided.is_needed() => {
                let stage = page.as_ref().and_then(|page| page.host().stage());
                let output = guide_output(clock, &session.recorder, guide_events, stage)?;
                Some(guide::start(guided, window, output)?)
            }
            _ => None,
        };
        Ok(Rig {
            clock,
            capture,
            camera_info,
            worker,
            vision_trouble,
            guide,
            page,
            router,
            inputs: RunningInputs::default(),
            ports,
            watch: None,
            output: None,
            inference,
            events,
            news,
            preview,
            readings,
            session,
            condition: None,
        })
    }

    pub fn clock(&self) -> Clock {
        self.clock
    }

    /// `None`: the study records no camera.
    pub fn camera_info(&self) -> Option<&CameraInfo> {
        self.camera_info.as_ref()
    }

    /// Why no network scores the frames.
    pub fn vision_trouble(&self) -> Option<&str> {
        self.vision_trouble.as_deref()
    }

    pub fn events(&self) -> &Receiver<RigEvent> {
        &self.events
    }

    /// The newest frame, for display.
    pub fn preview(&self) -> &Latest<SharedFrame> {
        &self.preview
    }

    /// The newest scored frame, with its reading.
    pub fn readings(&self) -> &Latest<FrameReading> {
        &self.readings
    }

    /// The sources of a rehearsal in the order of the study, if something may have changed since the last call.
    pub fn new_source_states(&self) -> Option<Vec<SourceState>> {
        self.watch.as_ref()?.new_states()
    }

    /// Takes the inlets whose markers are commands out of a rehearsal, so that they go on when it is stopped.
    pub fn keep_markers(&mut self) -> Option<SetUpSources> {
        self.watch.take().map(SourceWatch::keep_markers)
    }

    pub fn page(&self) -> Option<&page::PageHost> {
        self.page.as_ref().map(RigPage::host)
    }

    pub fn folder(&self) -> Option<&Path> {
        self.session.as_ref().map(|s| s.recorder.folder())
    }

    /// The condition that the participant got. `None` in a rehearsal, and if the study has no conditions.
    pub fn condition(&self) -> Option<&str> {
        self.condition.as_deref()
    }

    /// The streams of the session; empty in a rehearsal.
    pub fn streams(&self) -> &[StreamInfo] {
        self.session.as_ref().map_or(&[], |s| &s.streams)
    }

    pub fn adjust_camera(&self, settings: CameraSettings) {
        if let Some(capture) = &self.capture {
            capture.adjust(settings);
        }
    }

    /// Stores a marker at `at`, the time of the key press, and sends its trigger. A rehearsal does neither.
    pub fn mark(&self, at: Timestamp, text: &MarkerText) {
        if let Some(session) = &self.session {
            // A typed note is no trigger.
            if text.key.is_some() {
                self.ports.triggers().send(MARKER, &text.label, at);
            }
            session.marker.append(at, text.body()).ok();
        }
    }

    /// Ends the part with this number, and goes on with the next one. Does nothing if the part is over.
    pub fn go_on(&self, part: usize) {
        self.guide.iter().for_each(|guide| guide.go_on(part));
    }

    /// Takes the marker at `at` back. The marker stays in the file. Returns `false` if it is too late, or `at` is in the future.
    pub fn take_marker_back(&self, at: Timestamp) -> bool {
        let now = self.clock.now();
        let is_in_time = session::can_be_taken_back(at, now, TAKE_BACK_LIMIT);
        let Some(session) = self.session.as_ref().filter(|_| is_in_time) else {
            return false;
        };
        session.marker.append(now, session::taken_back(at)).ok();
        true
    }

    /// Stores that a pause begins or ends. Everything is still recorded. The time of the phases stands still.
    pub fn pause(&self, at: Timestamp, is_paused: bool) {
        self.guide.iter().for_each(|guide| guide.pause(at, is_paused));
        if let Some(session) = &self.session {
            let (kind, data) = if is_paused {
                (HealthKind::Paused, json!({ CAPTURED_IN_PAUSE: true }))
            } else {
                (HealthKind::Resumed, Value::Null)
            };
            session.health.event(at, kind.as_str(), data).ok();
        }
    }

    /// Stores a command of another program, with the answer that it got.
    pub fn note_remote_command(&self, at: Timestamp, note: &RemoteCommandNote) {
        if let Some(session) = &self.session {
            session.health.event(at, HealthKind::RemoteCommand.as_str(), note.data()).ok();
        }
    }

    /// The participant pressed the button to stop. The owner stops the recording.
    pub fn participant_withdrew(&self) {
        if let Some(session) = &self.session {
            session.health.event(self.clock.now(), HealthKind::ParticipantWithdrew.as_str(), Value::Null).ok();
        }
    }

    /// Storing ended by itself, for example because the disk is full.
    pub fn has_storing_ended(&self) -> bool {
        self.session.as_ref().is_some_and(|s| s.recorder.has_ended())
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

    /// Stops the sources, lets the networks finish their frame, and closes the files. Each part is stopped before the part
    /// that receives its data.
    pub fn stop(mut self) -> Result<Counters, RigError> {
        if let Some(session) = &self.session {
            session.stopped(self.clock.now());
        }
        self.guide = None;
        self.inputs.stop();
        let capture = self.capture.take().map(Capture::stop).unwrap_or_default();
        let vision = self.worker.take().map(VisionWorker::stop).transpose();
        let page = self.page.take().map_or(Ok(()), RigPage::end);
        let counters = Counters { capture, ..self.counters() };
        let Rig { router, session, clock, output, ports, .. } = self;
        // If the router panicked, the panic has been reported. The session is closed anyway.
        let router = router.join();
        // After the marks of the page, and before the recorder.
        drop(ports);
        if let Some(session) = session {
            let RigSession { recorder, marker, health, .. } = session;
            drop((marker, health));
            recorder.finish(SessionEnd { at: clock.now(), quality: None })?;
        }
        output.into_iter().for_each(LslOutput::finish);
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
