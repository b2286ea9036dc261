//! Sends the rig's data to the window: committed records, events, pictures and figures.

use std::time::{Duration, Instant};

use super::RecordingController;
use crate::backend::alarms::Alarms;
use crate::backend::checks::{CameraLook, checks};
use crate::backend::participant_window::ParticipantWindow;
use crate::backend::rows;
use crate::backend::source_lamp::SourceLamp;
use crate::backend::video_size::DiskUse;
use capture::{CameraInfo, Mode, to_rgb};
use desktop::port::{BackendEvent, HealthFigures, PageStatus, Preview, SessionPart};
use recording::RigEvent;
use session::PhaseKind;
use store::disk_free_bytes;

/// Decoding pictures takes time. Half the camera's rate is smooth enough.
const BETWEEN_PREVIEWS: Duration = Duration::from_millis(60);

/// Instead of an address, for the program's own screens.
const WINDOW_READY: &str = "The participant's window is open.";

/// The part of the session that runs after the event. The outer `None`: the event does not change it.
fn part(event: &RigEvent) -> Option<Option<SessionPart>> {
    match event {
        RigEvent::PhaseStarted { number, phase, until, .. } => {
            let (number, name, until) = (*number, phase.name.clone(), Some(*until));
            Some(Some(SessionPart { number, name, until, is_last: false }))
        }
        RigEvent::PhaseMoved { number, phase, until } => {
            let (number, name, until) = (*number, phase.name.clone(), *until);
            Some(Some(SessionPart { number, name, until, is_last: false }))
        }
        RigEvent::PartStarted { number, name, is_last } => {
            Some(Some(SessionPart { number: *number, name: name.clone(), until: None, is_last: *is_last }))
        }
        RigEvent::PartsOver => Some(None),
        _ => None,
    }
}

impl RecordingController {
    pub(super) fn poll_rig(&mut self) {
        self.poll_participant();
        let Some(running) = &mut self.running else { return };
        let Some(rig) = &running.active.rig else { return };
        let events: Vec<RigEvent> = rig.events().try_iter().collect();
        for failure in self.send_committed() {
            self.alarm(|alarms| alarms.store_failed(&failure));
        }
        for event in events {
            match event {
                RigEvent::MarkerCommand(command) => self.command_by_marker(&command),
                other => self.handle_event(other),
            }
        }
        self.send_preview();
        let Some(running) = &mut self.running else { return };
        if running.last_second.elapsed() >= Duration::from_secs(1) {
            running.last_second = Instant::now();
            self.every_second();
        }
        if self.running.as_ref().is_some_and(|t| t.has_ended) && self.is_recording() {
            self.window.send(BackendEvent::RecordingStopping);
            self.stop();
        }
    }

    pub(super) fn alarm(&mut self, raise: impl FnOnce(&mut Alarms) -> Vec<BackendEvent>) {
        let Some(running) = &mut self.running else { return };
        for update in raise(&mut running.alarms) {
            running.phone.note(&update);
            self.window.send(update);
        }
    }

    fn handle_event(&mut self, event: RigEvent) {
        let Some(running) = &mut self.running else { return };
        match &event {
            RigEvent::PageLoaded { address } => running.known.page = Some(Ok(address.clone())),
            RigEvent::WindowReady => running.known.page = Some(Ok(WINDOW_READY.to_owned())),
            RigEvent::PageFailed(why) | RigEvent::PageDied { why, .. } => {
                running.known.page = Some(Err(why.clone()));
            }
            RigEvent::PageClosed => {
                running.known.page = Some(Err("The participant window was closed. Place the page again.".into()))
            }
            RigEvent::CameraFailed { why, .. } | RigEvent::CameraLost { why, .. } => {
                running.known.camera = Some(Err(why.clone()))
            }
            RigEvent::CameraEnded { .. } => running.has_ended = true,
            RigEvent::Source { name, news, .. } => SourceLamp::note(&mut running.known.sources, name, news),
            _ => {}
        }
        if let Some(plan) = &self.plan {
            let status = match &event {
                RigEvent::PageLoaded { address } => Some(PageStatus::Loaded { title: address.clone() }),
                RigEvent::WindowReady => Some(PageStatus::Loaded { title: WINDOW_READY.to_owned() }),
                RigEvent::PageFailed(why) | RigEvent::PageDied { why, .. } => Some(PageStatus::Failed(why.clone())),
                RigEvent::PhaseStarted { phase, until, .. }
                | RigEvent::PhaseMoved { phase, until: Some(until), .. }
                    if phase.kind == PhaseKind::Baseline =>
                {
                    Some(PageStatus::Guided { phase: phase.name.clone(), until: *until })
                }
                RigEvent::PhaseEnded { .. } => Some(PageStatus::Loading),
                _ => None,
            };
            let window = self.participant.as_ref();
            if let Some(page) = status.and_then(|status| plan.page_state(status, self.parent_xid, window)) {
                self.window.send(BackendEvent::Page(page));
            }
            if let RigEvent::CameraOpened(info) = &event {
                self.window.send(BackendEvent::Camera(rows::camera_state(&plan.camera, info)));
            }
        }
        if let Some(part) = part(&event) {
            self.window.send(BackendEvent::Part(part));
        }
        match &event {
            RigEvent::PageKeyboard(has_page) => self.window.send(BackendEvent::PageKeyboard(*has_page)),
            RigEvent::KeyboardReturned => self.window.send(BackendEvent::KeyboardReturned),
            // As at the end of the recording: with the operator's hint, if the window covers the operator's view.
            RigEvent::PartsOver => self.participant.iter().for_each(ParticipantWindow::close_session),
            RigEvent::VisionFailed(why) => self.window.send(BackendEvent::Notice(why.clone())),
            RigEvent::Unread { count } => self.window.send(BackendEvent::Notice(format!(
                "{count} events of camera and page were not shown, because the program was blocked. The session contains their data."
            ))),
            _ => {}
        }
        if self.is_recording() {
            self.alarm(|alarms| alarms.rig_event(&event));
            self.wait_after_crash(&event);
        }
        self.send_checks();
    }

    fn send_preview(&mut self) {
        let Some(running) = &mut self.running else { return };
        let Some(rig) = &running.active.rig else { return };
        if running.last_preview.elapsed() < BETWEEN_PREVIEWS {
            return;
        }
        // The overlay is drawn on the picture that was scored.
        let (frame, reading) = match rig.readings().try_take() {
            Some(seen) => (seen.frame, Some(seen.reading)),
            None if rig.vision_trouble().is_some() => match rig.preview().try_take() {
                Some(frame) => (frame, None),
                None => return,
            },
            None => return,
        };
        running.last_preview = Instant::now();
        running.picture_size.take(&frame);
        running.known.picture_bytes = running.picture_size.mean_bytes();
        let face = reading.as_ref().and_then(rows::face_overlay);
        if let Some(reading) = &reading {
            running.known.faces = Some(reading.faces);
            running.known.face = face.clone();
        }
        match to_rgb(&frame, &mut self.decoder) {
            Ok(rgb) => self.window.send(BackendEvent::Preview(Preview {
                at: frame.meta.at,
                picture: rows::picture(rgb),
                face,
                faces: reading.as_ref().map_or(0, |r| r.faces),
                affect: reading.as_ref().and_then(vision::Reading::affect_values),
            })),
            Err(e) => self.window.send(BackendEvent::Notice(format!("A picture could not be shown: {e}"))),
        }
    }

    fn every_second(&mut self) {
        let Some(running) = &mut self.running else { return };
        let Some(rig) = &running.active.rig else { return };
        let (counters, info) = (rig.counters(), rig.camera_info());
        let asked_hz = info.map_or(0.0, |info| info.mode.rate_hz);
        if let Some(CameraInfo { name, mode: Mode { width_px, height_px, rate_hz, .. }, .. }) = info
            && (!matches!(running.known.camera, Some(Err(_))) || counters.capture.fps > 1.0)
        {
            running.known.camera = Some(Ok(CameraLook {
                name: name.clone(),
                asked_hz: *rate_hz,
                measured_hz: (running.started.elapsed() > Duration::from_secs(2)).then_some(counters.capture.fps),
                width_px: *width_px,
                height_px: *height_px,
            }));
        }
        let disk = disk_free_bytes(rig.folder().unwrap_or(&self.places.sessions))
            .or_else(|| disk_free_bytes(std::path::Path::new(".")));
        running.known.disk_left_bytes = disk;
        if let Some(states) = rig.new_source_states() {
            running.known.sources = states.into_iter().map(SourceLamp::of_state).collect();
        }
        let store = counters.store.clone().unwrap_or_default();
        // Nothing is stored any more. The session is closed with what was stored before.
        running.has_ended |= store.ended_by.is_some();
        running.tail.not_forwarded(store.records_not_forwarded);
        let needed = info.map_or_else(DiskUse::without_video, |info| {
            DiskUse::of(info.mode.width_px, info.mode.height_px, asked_hz, running.known.picture_bytes)
        });
        let health = HealthFigures {
            camera_hz: counters.capture.fps,
            asked_hz,
            frames_stored: store.frames_stored,
            frames_scored: counters.frames_scored,
            frames_skipped: counters.frames_skipped,
            lost: counters.capture.lost() + store.frames_lost + store.records_lost,
            inference_ms: counters.inference_ms,
            queue_fill: store.record_queue_fill.max(store.video_queue_fill),
            disk_left_bytes: disk.unwrap_or(0),
            disk_left: disk.map(|bytes| needed.lasts(bytes)),
        };
        if self.is_recording() {
            let figures = health.clone();
            self.alarm(|alarms| alarms.figures(&figures, &store));
        }
        self.window.send(BackendEvent::Health(health));
        self.send_checks();
    }

    pub(super) fn send_checks(&mut self) {
        let (Some(plan), Some(running)) = (&self.plan, &mut self.running) else { return };
        running.known.misplaced = self.participant.as_ref().and_then(|window| window.place().problem.clone());
        let now = checks(&plan.study, &running.known);
        if now != running.sent_checks {
            running.sent_checks = now.clone();
            self.window.send(BackendEvent::Checks(now));
        }
    }
}
