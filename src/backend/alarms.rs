//! Raises and clears alarms. An alarm means that data is being lost.

use std::time::{Duration, Instant};

use desktop::port::{Alarm, BackendEvent, HealthFigures};
use recording::{RigEvent, SourceNews};
use session::GapReason;
use store::StoreCounters;

/// The duration of an alarm about a momentary loss.
const ALARM_DURATION: Duration = Duration::from_secs(6);
/// Less recording time than this on the disk is an alarm.
const DISK_ALARM: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
pub struct Alarms {
    /// Alarms about momentary losses, with their end times.
    passing: Vec<(&'static str, Instant)>,
    records_lost: u64,
    /// The text of the alarm about the disk.
    disk: Option<String>,
}

impl Alarms {
    pub fn rig_event(&mut self, event: &RigEvent) -> Vec<BackendEvent> {
        match event {
            RigEvent::CameraLost { at, why } => vec![raise(
                "camera",
                format!("No pictures since {at}: {why}."),
                "Check the camera's cable. The camera reconnects automatically. Page and markers are still recorded.",
            )],
            RigEvent::CameraFailed { at, why } => vec![raise(
                "camera",
                format!("No pictures since {at}: {why}."),
                "Page and markers are still recorded. To use the camera again, stop and start a new session.",
            )],
            RigEvent::CameraBack { .. } => vec![clear("camera")],
            RigEvent::FramesMissing { lost, reason, .. } => {
                let remedy = match reason {
                    GapReason::DroppedByDriver => "Connect the camera to another USB port, or choose a smaller mode.",
                    GapReason::Corrupt => "The cable or the USB port damages pictures. Replace it.",
                    GapReason::QueueFull => "The disk is too slow. Close other programs.",
                    _ => return Vec::new(),
                };
                let frames = if *lost == 1 { "1 frame".to_owned() } else { format!("{lost} frames") };
                vec![self.pass("frames", format!("{frames} lost: {reason}."), remedy)]
            }
            RigEvent::PageFailed(why) | RigEvent::PageDied { why, .. } => {
                vec![raise(
                    "page",
                    why.clone(),
                    "The participant's actions are not recorded until the page is loaded again.",
                )]
            }
            RigEvent::PageClosed => vec![raise(
                "page",
                "The participant window was closed.".to_owned(),
                "The participant's actions are no longer recorded.",
            )],
            RigEvent::PageLoaded { .. } | RigEvent::WindowReady => vec![clear("page")],
            RigEvent::PageRefused { count, reason } => {
                vec![self.pass(
                    "page-refused",
                    format!("{count} messages of the page were refused: {reason}."),
                    "Ask the author of the page.",
                )]
            }
            RigEvent::Source { name, news, .. } => source(name, news),
            RigEvent::CameraOpened(_)
            | RigEvent::CameraEnded { .. }
            | RigEvent::VisionFailed(_)
            | RigEvent::Unread { .. }
            | RigEvent::MarkerCommand(_)
            | RigEvent::PageKeyboard(_)
            | RigEvent::KeyboardReturned
            | RigEvent::PhaseStarted { .. }
            | RigEvent::PhaseMoved { .. }
            | RigEvent::PhaseEnded { .. }
            | RigEvent::PartStarted { .. }
            | RigEvent::PartsOver => Vec::new(),
        }
    }

    pub fn store_failed(&mut self, why: &str) -> Vec<BackendEvent> {
        vec![raise("store", format!("{why}."), "Stop the recording. The data that was stored so far is safe.")]
    }

    /// Called once a second.
    pub fn figures(&mut self, health: &HealthFigures, store: &StoreCounters) -> Vec<BackendEvent> {
        let now = Instant::now();
        let mut updates: Vec<_> =
            self.passing.iter().filter(|(_, until)| *until <= now).map(|(key, _)| clear(key)).collect();
        self.passing.retain(|(_, until)| *until > now);
        let n = store.records_lost.saturating_sub(self.records_lost);
        self.records_lost = store.records_lost;
        // After a failure, records are not lost because of a queue. The failure has its own alarm.
        if n > 0 && store.ended_by.is_none() {
            updates.push(self.pass(
                "records",
                format!("{n} records were lost because the queue was full."),
                "The disk is too slow. Close other programs.",
            ));
        }
        let disk = disk_sentence(health, store);
        if disk != self.disk {
            updates.push(match &disk {
                Some(losing) => raise("disk", losing.clone(), "Free disk space now."),
                None => clear("disk"),
            });
            self.disk = disk;
        }
        updates
    }

    fn pass(&mut self, key: &'static str, losing: String, remedy: &str) -> BackendEvent {
        self.passing.retain(|(k, _)| *k != key);
        self.passing.push((key, Instant::now() + ALARM_DURATION));
        raise(key, losing, remedy)
    }
}

/// Each source has its own alarm.
fn source(name: &str, news: &SourceNews) -> Vec<BackendEvent> {
    let key = format!("source {name}");
    let remedy = match news {
        SourceNews::Found(_) | SourceNews::Back => return vec![clear(&key)],
        SourceNews::Missing(_) => "To record it, stop, start its program, and start a new session.",
        SourceNews::Lost(_) => "Start its program again. Everything else is still recorded.",
        SourceNews::Silent => "Everything else is still recorded.",
        SourceNews::Awaited(_) | SourceNews::Unplugged(_) => "Connect its device. Everything else is recorded.",
        SourceNews::NotSent(_) => "Check its device. The session states each byte that was not sent.",
        SourceNews::Clock(_) => "The session states it. Correct the clock of the sender's program for the next one.",
    };
    vec![raise(&key, format!("The source {name} {news}."), remedy)]
}

/// What is lost because of the disk. The remaining time is in steps, so that the text does not change each second.
fn disk_sentence(health: &HealthFigures, store: &StoreCounters) -> Option<String> {
    let is_full = store.ended_by.as_ref().is_some_and(|failure| failure.is_disk_full);
    let left = health.disk_left.filter(|left| *left < DISK_ALARM);
    match left.map(|left| left.as_secs() / 10 * 10) {
        _ if is_full => Some("The disk is full. Nothing more is stored.".to_owned()),
        Some(0) => Some("The disk is full, or will be full in some seconds.".to_owned()),
        Some(left) => Some(format!("The disk will be full in about {left} s.")),
        None => None,
    }
}

fn raise(key: &str, losing: String, remedy: &str) -> BackendEvent {
    BackendEvent::Alarm(Alarm { key: key.to_owned(), losing, remedy: remedy.to_owned() })
}

fn clear(key: &str) -> BackendEvent {
    BackendEvent::AlarmCleared { key: key.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::StorageFailure;

    fn losing(updates: &[BackendEvent]) -> Vec<&str> {
        let alarms = updates.iter().filter_map(|u| match u {
            BackendEvent::Alarm(alarm) => Some(alarm.losing.as_str()),
            _ => None,
        });
        alarms.collect()
    }

    #[test]
    fn news_of_a_source_are_sentences() {
        let said = |news| losing(&source("lsl_amp", &news)).concat();
        assert_eq!(
            said(SourceNews::Clock("the sender's clock was changed".into())),
            "The source lsl_amp has a problem with its times: the sender's clock was changed."
        );
        assert_eq!(
            said(SourceNews::Missing("no stream is there".into())),
            "The source lsl_amp is not recorded: no stream is there."
        );
    }

    #[test]
    fn a_page_that_crashed_is_an_alarm_until_it_is_loaded_again() {
        let mut alarms = Alarms::default();
        let died = RigEvent::PageDied { why: "The page's process died.".into(), is_restarted: false };
        let raised = alarms.rig_event(&died);
        assert!(matches!(&raised[..], [BackendEvent::Alarm(alarm)] if alarm.key == "page"));
        assert_eq!(losing(&raised), ["The page's process died."]);
        let cleared = alarms.rig_event(&RigEvent::PageLoaded { address: "study://localhost/".into() });
        assert!(matches!(&cleared[..], [BackendEvent::AlarmCleared { key }] if key == "page"));
    }

    #[test]
    fn a_full_disk_is_called_full_and_blames_no_queue() {
        let mut alarms = Alarms::default();
        let health =
            |left_s| HealthFigures { disk_left: Some(Duration::from_secs(left_s)), ..HealthFigures::default() };
        let store = StoreCounters::default();
        assert_eq!(losing(&alarms.figures(&health(600), &store)), [""; 0]);
        assert_eq!(losing(&alarms.figures(&health(95), &store)), ["The disk will be full in about 90 s."]);
        assert_eq!(losing(&alarms.figures(&health(91), &store)), [""; 0]);
        assert_eq!(losing(&alarms.figures(&health(31), &store)), ["The disk will be full in about 30 s."]);
        let failure = StorageFailure { is_disk_full: true, why: "full".into(), ..StorageFailure::default() };
        let full = StoreCounters { records_lost: 500, ended_by: Some(failure), ..StoreCounters::default() };
        assert_eq!(losing(&alarms.figures(&health(0), &full)), ["The disk is full. Nothing more is stored."]);
        let cleared = alarms.figures(&health(600), &store);
        assert!(matches!(&cleared[..], [BackendEvent::AlarmCleared { key }] if key == "disk"));
        let slow = StoreCounters { records_lost: 3, ..StoreCounters::default() };
        assert_eq!(losing(&alarms.figures(&health(600), &slow)), ["3 records were lost because the queue was full."]);
    }
}
