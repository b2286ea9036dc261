//! The thread `router`: turns events of camera and page into records of the session and into events of the rig.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, never, select};
use serde_json::{Value, json};

use super::answers::{Answers, MARK, Sorted};
use super::guide::ScreenEvent;
use super::rig_event::EventSender;
use super::serial_ports::Triggers;
use super::{MarkerText, RigEvent, RigPlan};
use capture::CaptureEvent;
use page::{OperatorKey, PageEvent, Refusal, is_fixation, is_host_page};
use session::{
    Body, GapReason, HEALTH, HealthKind, MARKER, Marker, PAGE, PAGE_CLOCK, QUESTIONNAIRE, Timestamp, VIDEO,
    marker_of_digit,
};
use store::{Recorder, StoreError, StreamWriter};

/// The streams that the router fills.
pub(super) struct RouterStreams {
    /// `None`: no camera is recorded.
    video: Option<StreamWriter>,
    health: StreamWriter,
    page: StreamWriter,
    page_clock: StreamWriter,
    questionnaire: StreamWriter,
    marker: StreamWriter,
    /// Of the study.
    markers: Vec<Marker>,
    triggers: Triggers,
}

impl RouterStreams {
    pub(super) fn of(recorder: &Recorder, plan: &RigPlan, triggers: Triggers) -> Result<Self, StoreError> {
        Ok(RouterStreams {
            video: plan.camera.as_ref().map(|_| recorder.stream(VIDEO)).transpose()?,
            health: recorder.stream(HEALTH)?,
            page: recorder.stream(PAGE)?,
            page_clock: recorder.stream(PAGE_CLOCK)?,
            questionnaire: recorder.stream(QUESTIONNAIRE)?,
            marker: recorder.stream(MARKER)?,
            markers: plan.markers.clone(),
            triggers,
        })
    }
}

/// Runs until both sources have ended.
pub(super) fn start(
    streams: Option<RouterStreams>,
    camera: Receiver<CaptureEvent>,
    page: Option<Receiver<PageEvent>>,
    window: Option<Sender<ScreenEvent>>,
    events: EventSender,
) -> std::io::Result<JoinHandle<()>> {
    let router = Router { streams, window, events, answers: Answers::default() };
    std::thread::Builder::new().name("router".into()).spawn(move || router.run(camera, page))
}

struct Router {
    streams: Option<RouterStreams>,
    /// What the guide waits for.
    window: Option<Sender<ScreenEvent>>,
    events: EventSender,
    answers: Answers,
}

// The results of the stream writers are ignored: the recorder counts each record that it could not take, reports it and
// stores a gap.
impl Router {
    fn run(mut self, mut camera: Receiver<CaptureEvent>, page: Option<Receiver<PageEvent>>) {
        let (mut has_camera, mut has_page) = (true, page.is_some());
        let mut page = page.unwrap_or_else(never);
        while has_camera || has_page {
            select! {
                recv(camera) -> event => match event {
                    Ok(event) => self.camera(event),
                    Err(_) => (has_camera, camera) = (false, never()),
                },
                recv(page) -> event => match event {
                    Ok(PageEvent::Closed) | Err(_) => {
                        self.send(RigEvent::PageClosed);
                        (has_page, page) = (false, never());
                    }
                    Ok(event) => self.page(event),
                },
            }
        }
    }

    fn send(&self, event: RigEvent) {
        self.events.send(event);
    }

    fn send_to_guide(&self, event: ScreenEvent) {
        if let Some(window) = &self.window {
            // If the channel is full or closed, the guide does not wait for an event.
            window.try_send(event).ok();
        }
    }

    fn camera(&self, event: CaptureEvent) {
        let streams = self.streams.as_ref();
        match event {
            CaptureEvent::Opened(info) | CaptureEvent::Adjusted(info) => self.send(RigEvent::CameraOpened(info)),
            CaptureEvent::Missing { from, until, lost, reason, note } => {
                if let Some(video) = streams.and_then(|s| s.video.as_ref()) {
                    video.gap(from, until, reason, lost, &note).ok();
                }
                self.send(RigEvent::FramesMissing { at: from, lost, reason });
            }
            CaptureEvent::Lost { at, why } => {
                if let Some(s) = streams {
                    s.health.event(at, HealthKind::CameraLost.as_str(), json!({ "why": why })).ok();
                }
                self.send(RigEvent::CameraLost { at, why });
            }
            CaptureEvent::Reconnected { at, info } => {
                if let Some(s) = streams {
                    let data = json!({ "name": info.name, "mode": info.mode.to_string() });
                    s.health.event(at, HealthKind::CameraBack.as_str(), data).ok();
                }
                self.send(RigEvent::CameraBack { at, info });
            }
            CaptureEvent::Ended { at } => self.send(RigEvent::CameraEnded { at }),
            CaptureEvent::Failed { at, why } => {
                if let Some(s) = streams {
                    s.health.event(at, HealthKind::CameraFailed.as_str(), json!({ "why": why })).ok();
                }
                self.send(RigEvent::CameraFailed { at, why });
            }
        }
    }

    /// Stores the marker here and not in the owner of the rig, because the owner may miss events.
    fn operator_key(&self, at: Timestamp, key: OperatorKey) {
        let markers = || self.streams.iter().flat_map(|s| &s.markers);
        let marker = match key {
            OperatorKey::Return => {
                self.send(RigEvent::KeyboardReturned);
                None
            }
            OperatorKey::Digit(digit) => self.streams.as_ref().and_then(|s| marker_of_digit(&s.markers, digit)),
            OperatorKey::Unused(key) => markers().find(|m| m.key.eq_ignore_ascii_case(&key)),
        };
        if let (Some(marker), Some(streams)) = (marker, &self.streams) {
            streams.triggers.send(MARKER, &marker.label, at);
            streams.marker.append(at, MarkerText::of_page(marker).body()).ok();
        }
    }

    fn page(&mut self, event: PageEvent) {
        let streams = self.streams.as_ref();
        match event {
            PageEvent::Record(r) => {
                let Sorted { is_answer, kind, data, news } = self.answers.sort(r.kind, r.data);
                if let Some(s) = streams {
                    if let (false, MARK, Some(name)) =
                        (is_answer, kind.as_str(), data.get("name").and_then(Value::as_str))
                    {
                        // First, because each moment counts.
                        s.triggers.send(PAGE, name, r.at);
                    }
                    let stream = if is_answer { &s.questionnaire } else { &s.page };
                    stream.append(r.at, Body::Event { kind, data }).ok();
                }
                news.into_iter().for_each(|event| self.send_to_guide(event));
            }
            PageEvent::Loaded { url, .. } if is_fixation(&url) || is_host_page(&url) => {
                self.send(RigEvent::WindowReady);
            }
            PageEvent::Loaded { url, .. } => self.send(RigEvent::PageLoaded { address: url }),
            PageEvent::Shown { at, url } if is_fixation(&url) => self.send_to_guide(ScreenEvent::CrossShown(at)),
            // The record of it is stored.
            PageEvent::Shown { .. } => {}
            PageEvent::LoadFailed { at, url, why } => {
                if let Some(s) = streams {
                    s.health.event(at, HealthKind::PageNotLoaded.as_str(), json!({ "url": url, "why": why })).ok();
                }
                self.send_to_guide(ScreenEvent::Failed { url, why: why.clone() });
                self.send(RigEvent::PageFailed(why));
            }
            PageEvent::ProcessDied { at, what, why, is_restarted } => {
                if let Some(s) = streams {
                    let data = json!({ "what": what.to_string(), "why": why, "is_restarted": is_restarted });
                    s.health.event(at, HealthKind::PageProcessDied.as_str(), data).ok();
                }
                let next = if is_restarted { "It is being loaded again." } else { "It does not come back by itself." };
                if !is_restarted {
                    self.send_to_guide(ScreenEvent::Died(at));
                }
                self.send(RigEvent::PageDied { why: format!("{what} died ({why}). {next}"), is_restarted });
            }
            PageEvent::Refused { count, reason, example, from, until } => {
                if let Some(s) = streams {
                    if reason.is_loss() {
                        let note = example.as_deref().unwrap_or(reason.as_str());
                        let why =
                            if reason == Refusal::QueueFull { GapReason::QueueFull } else { GapReason::PageFlood };
                        s.page.gap(from, until, why, count, note).ok();
                    }
                    let data = json!({ "count": count, "reason": reason.as_str(), "example": example });
                    s.health.event(from, HealthKind::PageRefused.as_str(), data).ok();
                }
                self.send(RigEvent::PageRefused { count, reason: reason.to_string() });
            }
            PageEvent::ClockMeasured { at, offset_ms, uncertainty_ms, document } => {
                if let Some(s) = streams {
                    let data =
                        json!({ "offset_ms": offset_ms, "uncertainty_ms": uncertainty_ms, "document": document });
                    s.page_clock.event(at, "measured", data).ok();
                }
            }
            PageEvent::OperatorKey { at, key } => self.operator_key(at, key),
            PageEvent::Keyboard { has_page } => self.send(RigEvent::PageKeyboard(has_page)),
            PageEvent::Closed => {}
        }
    }
}
