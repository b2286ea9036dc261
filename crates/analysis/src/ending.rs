//! How a recording ended, and how much of its planned length is missing.

use serde::{Deserialize, Serialize};

use super::pauses::{Pauses, PausesInAll};
use session::{GapReason, HEALTH, HealthKind, Timeline, Timestamp};

/// Why a recording ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// As intended: by the operator, after the requested time, or at the end of a file.
    #[default]
    Stopped,
    DiskFull,
    /// Storing failed for a reason other than a full disk.
    StoringFailed,
    /// The program died.
    Crashed,
    CameraFailed,
}

/// A recording that goes on longer after its camera has failed was not ended by that.
const STOPPED_BY_CAMERA_WITHIN_S: f64 = 5.0;

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct End {
    pub how: Ending,
    /// The planned length, if known.
    pub planned_s: Option<f64>,
    /// From its start to its end, with the pauses.
    pub recorded_s: f64,
    pub pauses: PausesInAll,
}

impl End {
    /// `found` is what is known beside the records: a session that is still open after a crash says nothing of it.
    pub(super) fn of(timeline: &Timeline, found: Option<Ending>) -> End {
        let health = || timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH);
        let last = |kind: HealthKind| health().rfind(|e| e.what.kind == kind.as_str());
        let started = health().find(|e| e.what.kind == HealthKind::RecordingStarted.as_str());
        let stopped = last(HealthKind::RecordingStopped).map(|e| e.at);
        let is_crash = timeline.gaps().iter().any(|g| g.what.reason == GapReason::Crash);
        let storing = last(HealthKind::StoringFailed).map(|e| e.what.data.get("is_disk_full"));
        let how = match (found, storing) {
            (Some(found), _) => found,
            (None, Some(Some(serde_json::Value::Bool(true)))) => Ending::DiskFull,
            (None, Some(_)) => Ending::StoringFailed,
            (None, None) if is_crash => Ending::Crashed,
            (None, None) if has_camera_ended_it(timeline, stopped) => Ending::CameraFailed,
            (None, None) => Ending::Stopped,
        };
        let end = stopped.into_iter().chain(timeline.span().map(|(_, end)| end)).max();
        let begin = started.map(|e| e.at).or(timeline.span().map(|(begin, _)| begin));
        let recorded_s = match (begin, end) {
            (Some(begin), Some(end)) => (end.since_ns(begin) as f64 * 1e-9).max(0.0),
            _ => 0.0,
        };
        let planned_s = started.and_then(|e| e.what.data.get(PLANNED)?.as_f64()).filter(|s| s.is_finite());
        End { how, planned_s, recorded_s, pauses: Pauses::of(timeline, end).in_all() }
    }

    /// What was planned and never recorded, because something else than a person ended it; `None`: unknown.
    pub fn missing_s(&self) -> Option<f64> {
        match self.how {
            Ending::Stopped => Some(0.0),
            _ => self.planned_s.map(|planned| (planned - self.active_s()).max(0.0)),
        }
    }

    /// The recorded time without the pauses. The planned time does not include them.
    fn active_s(&self) -> f64 {
        (self.recorded_s - self.pauses.seconds).max(0.0)
    }

    /// A message, if it did not end as intended.
    pub fn finding(&self) -> Option<String> {
        let why = match self.how {
            Ending::Stopped => return None,
            Ending::DiskFull => "because the disk was full",
            Ending::StoringFailed => "because storing failed",
            Ending::Crashed => "because the program died",
            Ending::CameraFailed => "because the camera failed",
        };
        let recorded = self.active_s();
        Some(match self.planned_s {
            Some(planned) => {
                format!("The recording ended after {recorded:.1} s of {planned:.1} s planned, {why}.")
            }
            None => format!("The recording ended after {recorded:.1} s, {why}. The missing length is unknown."),
        })
    }
}

/// Name of the planned length among the data of the event `recording_started`.
pub const PLANNED: &str = "planned_s";

fn has_camera_ended_it(timeline: &Timeline, stopped: Option<Timestamp>) -> bool {
    let of_camera = [HealthKind::CameraFailed, HealthKind::CameraBack];
    let is_of_camera = |kind: &str| of_camera.iter().any(|k| k.as_str() == kind);
    let last = timeline.events().iter().rfind(|e| e.stream.as_str() == HEALTH && is_of_camera(&e.what.kind));
    let Some(failed) = last.filter(|e| e.what.kind == HealthKind::CameraFailed.as_str()) else { return false };
    stopped.is_none_or(|at| at.since_ns(failed.at) as f64 * 1e-9 <= STOPPED_BY_CAMERA_WITHIN_S)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use session::{Body, Gap, Record, health_stream};
    use std::sync::Arc;

    /// Kind, second and data of each event; and whether the session was closed after a crash at 8 s.
    fn end(events: &[(HealthKind, i64, Value)], is_crash: bool) -> End {
        let mut timeline = Timeline::default();
        timeline.declare(health_stream());
        let mut ingest = |seq: usize, s: i64, body: Body| {
            let at = Timestamp::from_ns(s * 1_000_000_000);
            timeline.ingest(&Record { stream: Arc::new(HEALTH.parse().unwrap()), seq: seq as u64, at, body });
        };
        for (seq, (kind, s, data)) in events.iter().enumerate() {
            ingest(seq, *s, Body::event(kind.as_str(), data.clone()));
        }
        if is_crash {
            let until = Timestamp::from_ns(8_000_000_000);
            ingest(99, 8, Body::Gap(Gap { until, reason: GapReason::Crash, lost: 0, note: String::new() }));
        }
        End::of(&timeline, None)
    }

    #[test]
    fn each_ending_is_told_from_the_others() {
        use HealthKind::*;
        let started = (RecordingStarted, 0, json!({"planned_s": 60.0}));
        let stopped = |s| (RecordingStopped, s, Value::Null);
        let full = |is_full: bool| (StoringFailed, 7, json!({"is_disk_full": is_full, "why": "x"}));
        type Case = (Vec<(HealthKind, i64, Value)>, bool, Ending, Option<f64>);
        let cases: [Case; 9] = [
            (vec![started.clone(), stopped(10)], false, Ending::Stopped, Some(0.0)),
            (vec![started.clone()], true, Ending::Crashed, Some(52.0)),
            // The planned time stands still in a pause.
            (
                vec![started.clone(), (Paused, 2, Value::Null), (Resumed, 5, Value::Null)],
                true,
                Ending::Crashed,
                Some(55.0),
            ),
            (vec![started.clone(), full(true)], true, Ending::DiskFull, Some(52.0)),
            (vec![started.clone(), full(false)], true, Ending::StoringFailed, Some(52.0)),
            (vec![started.clone(), (CameraFailed, 9, json!({})), stopped(10)], false, Ending::CameraFailed, Some(50.0)),
            (
                vec![started.clone(), (CameraFailed, 3, json!({})), (CameraBack, 5, json!({})), stopped(6)],
                false,
                Ending::Stopped,
                Some(0.0),
            ),
            // The operator went on without it.
            (vec![started, (CameraFailed, 3, json!({})), stopped(40)], false, Ending::Stopped, Some(0.0)),
            (vec![(RecordingStarted, 0, Value::Null)], true, Ending::Crashed, None),
        ];
        for (events, is_crash, how, missing_s) in cases {
            let end = end(&events, is_crash);
            assert_eq!((end.how, end.missing_s()), (how, missing_s), "{events:?}");
            assert_eq!(end.finding().is_some(), how != Ending::Stopped);
        }
    }
}
