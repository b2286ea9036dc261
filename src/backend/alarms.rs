//! Raises and clears alarms. An alarm means that data is being lost.

use std::time::{Duration, Instant};

use desktop::port::{Alarm, BackendEvent, HealthFigures};
use recording::RigEvent;
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
    is_disk_low: bool,
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
            RigEvent::PageFailed(why) => {
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
            RigEvent::PageLoaded { .. } => vec![clear("page")],
            RigEvent::PageRefused { count, reason } => {
                vec![self.pass(
                    "page-refused",
                    format!("{count} messages of the page were refused: {reason}."),
                    "Ask the author of the page.",
                )]
            }
            RigEvent::CameraOpened(_)
            | RigEvent::CameraEnded { .. }
            | RigEvent::VisionFailed(_)
            | RigEvent::Unread { .. }
            | RigEvent::PageKeyboard(_)
            | RigEvent::KeyboardReturned
            | RigEvent::PhaseStarted { .. }
            | RigEvent::PhaseEnded { .. } => Vec::new(),
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
        if store.records_lost > self.records_lost {
            let n = store.records_lost - self.records_lost;
            self.records_lost = store.records_lost;
            updates.push(self.pass(
                "records",
                format!("{n} records were lost because the queue was full."),
                "The disk is too slow. Close other programs.",
            ));
        }
        let is_low = health.disk_left.is_some_and(|left| left < DISK_ALARM);
        if is_low != self.is_disk_low {
            self.is_disk_low = is_low;
            let left = health.disk_left.unwrap_or_default().as_secs();
            updates.push(if is_low {
                raise("disk", format!("The disk will be full in {left} s."), "Free disk space now.")
            } else {
                clear("disk")
            });
        }
        updates
    }

    fn pass(&mut self, key: &'static str, losing: String, remedy: &str) -> BackendEvent {
        self.passing.retain(|(k, _)| *k != key);
        self.passing.push((key, Instant::now() + ALARM_DURATION));
        raise(key, losing, remedy)
    }
}

fn raise(key: &str, losing: String, remedy: &str) -> BackendEvent {
    BackendEvent::Alarm(Alarm { key: key.to_owned(), losing, remedy: remedy.to_owned() })
}

fn clear(key: &str) -> BackendEvent {
    BackendEvent::AlarmCleared { key: key.to_owned() }
}
