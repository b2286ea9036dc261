//! The thread `router`: what camera and page report becomes records of the session, and news for whoever watches.

use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, never, select};
use serde_json::json;

use super::News;
use super::guide::Cross;
use super::news::NewsSender;
use capture::CaptureEvent;
use page::{PageEvent, Refusal, is_fixation};
use session::{GapReason, HEALTH, HealthKind, PAGE, PAGE_CLOCK, VIDEO};
use store::{Recorder, StoreError, StreamWriter};

/// The streams that the router feeds. `None` in a rehearsal.
pub(super) struct RouterStreams {
    video: StreamWriter,
    health: StreamWriter,
    page: StreamWriter,
    page_clock: StreamWriter,
}

impl RouterStreams {
    pub(super) fn of(recorder: &Recorder) -> Result<Self, StoreError> {
        Ok(RouterStreams {
            video: recorder.stream(VIDEO)?,
            health: recorder.stream(HEALTH)?,
            page: recorder.stream(PAGE)?,
            page_clock: recorder.stream(PAGE_CLOCK)?,
        })
    }
}

/// Runs until both sources have ended.
pub(super) fn start(
    streams: Option<RouterStreams>,
    camera: Receiver<CaptureEvent>,
    page: Option<Receiver<PageEvent>>,
    cross: Option<Sender<Cross>>,
    news: NewsSender,
) -> std::io::Result<JoinHandle<()>> {
    let router = Router { streams, cross, news };
    std::thread::Builder::new().name("router".into()).spawn(move || router.run(camera, page))
}

struct Router {
    streams: Option<RouterStreams>,
    /// The guide waits for the cross's first word; what comes later it need not know.
    cross: Option<Sender<Cross>>,
    news: NewsSender,
}

// The results of the stream writers are left alone on purpose: the store counts what it could not take, shows it and
// stores it as a gap.
impl Router {
    fn run(self, mut camera: Receiver<CaptureEvent>, page: Option<Receiver<PageEvent>>) {
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
                        self.tell(News::PageClosed);
                        (has_page, page) = (false, never());
                    }
                    Ok(event) => self.page(event),
                },
            }
        }
    }

    fn tell(&self, news: News) {
        self.news.tell(news);
    }

    fn tell_guide(&self, word: Cross) {
        if let Some(cross) = &self.cross {
            // Full or gone: it has heard what it waits for.
            let _ = cross.try_send(word);
        }
    }

    fn camera(&self, event: CaptureEvent) {
        let streams = self.streams.as_ref();
        match event {
            CaptureEvent::Opened(info) | CaptureEvent::Adjusted(info) => self.tell(News::CameraOpened(info)),
            CaptureEvent::Missing { from, until, lost, reason, note } => {
                if let Some(s) = streams {
                    let _ = s.video.gap(from, until, reason, lost, &note);
                }
                self.tell(News::FramesMissing { at: from, lost, reason });
            }
            CaptureEvent::Lost { at, why } => {
                if let Some(s) = streams {
                    let _ = s.health.event(at, HealthKind::CameraLost.as_str(), json!({ "why": why }));
                }
                self.tell(News::CameraLost { at, why });
            }
            CaptureEvent::Reconnected { at, info } => {
                if let Some(s) = streams {
                    let _ = s.health.event(
                        at,
                        HealthKind::CameraBack.as_str(),
                        json!({ "name": info.name, "mode": info.mode.to_string() }),
                    );
                }
                self.tell(News::CameraBack { at, info });
            }
            CaptureEvent::Ended { at } => self.tell(News::CameraEnded { at }),
            CaptureEvent::Failed { at, why } => {
                if let Some(s) = streams {
                    let _ = s.health.event(at, HealthKind::CameraFailed.as_str(), json!({ "why": why }));
                }
                self.tell(News::CameraFailed { at, why });
            }
        }
    }

    fn page(&self, event: PageEvent) {
        let streams = self.streams.as_ref();
        match event {
            PageEvent::Record(r) => {
                if let Some(s) = streams {
                    let _ = s.page.event(r.at, &r.kind, serde_json::Value::Object(r.data));
                }
            }
            PageEvent::Loaded { at, url } if is_fixation(&url) => self.tell_guide(Cross::Shown(at)),
            PageEvent::Loaded { url, .. } => self.tell(News::PageLoaded { address: url }),
            PageEvent::LoadFailed { at, url, why } => {
                if let Some(s) = streams {
                    let _ = s.health.event(at, HealthKind::PageNotLoaded.as_str(), json!({ "url": url, "why": why }));
                }
                self.tell_guide(Cross::Failed(why.clone()));
                self.tell(News::PageTrouble(why));
            }
            PageEvent::ProcessDied { at, what, why, is_restarted } => {
                if let Some(s) = streams {
                    let data = json!({ "what": what.to_string(), "why": why, "is_restarted": is_restarted });
                    let _ = s.health.event(at, HealthKind::PageProcessDied.as_str(), data);
                }
                let next = if is_restarted { "It is being loaded again." } else { "It does not come back by itself." };
                self.tell(News::PageTrouble(format!("{what} died ({why}). {next}")));
            }
            PageEvent::Refused { count, reason, example, from, until } => {
                if let Some(s) = streams {
                    if reason.is_loss() {
                        let note = example.as_deref().unwrap_or(reason.as_str());
                        let why =
                            if reason == Refusal::QueueFull { GapReason::QueueFull } else { GapReason::PageFlood };
                        let _ = s.page.gap(from, until, why, count, note);
                    }
                    let data = json!({ "count": count, "reason": reason.as_str(), "example": example });
                    let _ = s.health.event(from, HealthKind::PageRefused.as_str(), data);
                }
                self.tell(News::PageRefused { count, reason: reason.to_string() });
            }
            PageEvent::ClockMeasured { at, offset_ms, uncertainty_ms, document } => {
                if let Some(s) = streams {
                    let data =
                        json!({ "offset_ms": offset_ms, "uncertainty_ms": uncertainty_ms, "document": document });
                    let _ = s.page_clock.event(at, "measured", data);
                }
            }
            PageEvent::Closed => {}
        }
    }
}
