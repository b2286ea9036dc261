//! The pauses of a recording. The planned time stands still meanwhile.
//!
//! While the visitor of a website pauses, nothing is captured, so nothing is expected of this time. While the operator
//! pauses, camera and page are captured as before.

use serde::Serialize;

use session::{CAPTURED_IN_PAUSE, HEALTH, HealthKind, Timeline, Timestamp};

/// After a pause the camera and the networks start again. No frame is expected before they have, for at most this time.
const MAX_START_S: f64 = 15.0;

/// The pauses of a session, ascending. They do not overlap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pauses(Vec<Pause>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Pause {
    from: Timestamp,
    until: Timestamp,
    /// Frames are expected again from here, when the camera and the networks have started. `from` if everything is
    /// recorded in the pause.
    frames_from: Timestamp,
}

/// The number of the pauses, and their time in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct PausesInAll {
    pub count: u64,
    pub seconds: f64,
}

impl Pauses {
    /// A pause that has no end lasts until `end`, the end of the recording. `None`: until the session's last record.
    pub fn of(timeline: &Timeline, end: Option<Timestamp>) -> Pauses {
        let mut found: Vec<Pause> = Vec::new();
        let mut begun = None;
        for event in timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH) {
            match HealthKind::from_stored(&event.what.kind) {
                Some(HealthKind::Paused) => {
                    let is_captured = event.what.data.get(CAPTURED_IN_PAUSE).and_then(|v| v.as_bool()) == Some(true);
                    begun.get_or_insert((event.at, is_captured));
                }
                Some(HealthKind::Resumed | HealthKind::RecordingStopped) => {
                    found.extend(begun.take().map(|begun| Pause::new(begun, event.at)));
                }
                // During the next pause, a late start belongs to nothing.
                Some(HealthKind::CameraStarted | HealthKind::ScoresStarted) if begun.is_none() => {
                    let is_start = |p: &&mut Pause| !p.is_captured() && event.at.seconds_since(p.until) <= MAX_START_S;
                    if let Some(last) = found.last_mut().filter(is_start) {
                        last.frames_from = event.at;
                    }
                }
                _ => {}
            }
        }
        let end = end.or(timeline.span().map(|(_, last)| last));
        found.extend(begun.zip(end).map(|(begun, end)| Pause::new(begun, end)));
        Pauses(found)
    }

    pub fn in_all(&self) -> PausesInAll {
        let seconds = self.0.iter().map(|pause| pause.until.seconds_since(pause.from)).sum();
        PausesInAll { count: self.0.len() as u64, seconds }
    }

    /// The time between two moments in which frames were expected, in seconds.
    pub fn expected_s(&self, from: Timestamp, until: Timestamp) -> f64 {
        let first = self.0.partition_point(|pause| pause.frames_from <= from);
        let between = self.0[first..].iter().take_while(|pause| pause.from < until);
        let overlap = between.map(|pause| pause.frames_from.min(until).seconds_since(pause.from.max(from)));
        until.seconds_since(from) - overlap.sum::<f64>()
    }
}

impl Pause {
    fn new((from, is_captured): (Timestamp, bool), until: Timestamp) -> Pause {
        let until = until.max(from);
        Pause { from, until, frames_from: if is_captured { from } else { until } }
    }

    /// Everything was recorded in the pause.
    fn is_captured(&self) -> bool {
        self.frames_from < self.until
    }
}

impl PausesInAll {
    /// A sentence for the report. `None` without a pause.
    pub fn sentence(&self) -> Option<String> {
        let times = if self.count == 1 { "once".to_owned() } else { format!("{} times", self.count) };
        (self.count > 0).then(|| format!("The recording was paused {times}, {:.1} s in all.", self.seconds))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::json;

    use super::*;
    use session::{Body, Record, health_stream};

    fn timeline_of(events: &[(i64, &str, serde_json::Value)]) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.declare(health_stream());
        for (seq, (s, kind, data)) in events.iter().enumerate() {
            let body = Body::event(kind, data.clone());
            timeline.ingest(&Record { stream: Arc::new(HEALTH.parse().unwrap()), seq: seq as u64, at: at(*s), body });
        }
        timeline
    }

    fn timeline(events: &[(i64, &str)]) -> Timeline {
        timeline_of(&events.iter().map(|(s, kind)| (*s, *kind, json!({}))).collect::<Vec<_>>())
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ns(s * 1_000_000_000)
    }

    fn in_all(events: &[(i64, &str)]) -> PausesInAll {
        Pauses::of(&timeline(events), Some(at(100))).in_all()
    }

    #[test]
    fn a_pause_and_the_start_of_the_camera_after_it_are_not_expected() {
        let timeline = timeline(&[
            (1, "camera_started"),
            (10, "paused"),
            (12, "paused"),
            (20, "resumed"),
            (21, "camera_started"),
            (24, "scores_started"),
            (50, "camera_started"),
        ]);
        let pauses = Pauses::of(&timeline, None);
        let expected =
            [(0, 9), (9, 25), (11, 12), (40, 60)].map(|(from, until)| pauses.expected_s(at(from), at(until)));
        assert_eq!(expected.map(f64::round), [9.0, 2.0, 0.0, 20.0]);
        assert_eq!(pauses.in_all().seconds.round(), 10.0);
    }

    #[test]
    fn frames_are_expected_while_the_operator_pauses() {
        let pause = [(10, "paused", json!({ CAPTURED_IN_PAUSE: true })), (20, "resumed", json!({}))];
        let pauses = Pauses::of(&timeline_of(&pause), None);
        assert_eq!(pauses.expected_s(at(0), at(30)).round(), 30.0);
        assert_eq!(pauses.in_all(), PausesInAll { count: 1, seconds: 10.0 });
    }

    #[test]
    fn a_start_during_the_next_pause_is_not_counted_twice() {
        let pauses = Pauses::of(
            &timeline(&[(10, "paused"), (20, "resumed"), (21, "paused"), (24, "scores_started"), (30, "resumed")]),
            None,
        );
        assert_eq!(pauses.expected_s(at(9), at(31)).round(), 3.0);
    }

    #[test]
    fn a_pause_without_an_end_lasts_until_the_last_record() {
        let pauses = Pauses::of(&timeline(&[(10, "paused"), (30, "camera_lost")]), None);
        assert_eq!([pauses.in_all().seconds, pauses.expected_s(at(0), at(30))].map(f64::round), [20.0, 10.0]);
        assert_eq!(Pauses::of(&timeline(&[(5, "resumed")]), None), Pauses::default());
    }

    #[test]
    fn pauses_are_counted_and_a_pause_without_an_end_lasts_to_the_end() {
        assert_eq!(in_all(&[]), PausesInAll::default());
        assert_eq!(in_all(&[(10, "paused"), (25, "resumed")]), PausesInAll { count: 1, seconds: 15.0 });
        assert_eq!(in_all(&[(10, "paused"), (12, "paused"), (25, "resumed"), (30, "resumed")]).seconds, 15.0);
        assert_eq!(in_all(&[(10, "paused"), (40, "recording_stopped")]).seconds, 30.0);
        let two = in_all(&[(10, "paused"), (20, "resumed"), (90, "paused")]);
        assert_eq!(two, PausesInAll { count: 2, seconds: 20.0 });
        assert!(in_all(&[(10, "paused"), (20, "resumed")]).sentence().unwrap().contains("once, 10.0 s"));
    }
}
