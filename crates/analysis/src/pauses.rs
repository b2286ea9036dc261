//! Times in which the visitor had paused the recording. Nothing is expected of them.

use session::{HEALTH, HealthKind, Timeline, Timestamp};

/// After a pause the camera and the networks start again. No frame is expected before they have, for at most this time.
const MAX_START_S: f64 = 15.0;

/// The pauses of a session, ascending.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pauses {
    /// From the pause to its end.
    pauses: Vec<(Timestamp, Timestamp)>,
    /// From the pause to the start of the camera and the networks after it.
    without_frames: Vec<(Timestamp, Timestamp)>,
}

fn seconds_between(from: Timestamp, until: Timestamp) -> f64 {
    until.since_ns(from) as f64 * 1e-9
}

impl Pauses {
    /// A pause that did not end lasts until the session's last record.
    pub fn of(timeline: &Timeline) -> Pauses {
        let mut found = Pauses::default();
        let mut begun = None;
        for event in timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH) {
            match HealthKind::from_stored(&event.what.kind) {
                Some(HealthKind::Paused) => {
                    begun.get_or_insert(event.at);
                }
                Some(HealthKind::Resumed) => {
                    if let Some(from) = begun.take() {
                        found.pauses.push((from, event.at));
                        found.without_frames.push((from, event.at));
                    }
                }
                Some(HealthKind::CameraStarted | HealthKind::ScoresStarted) => {
                    let resumed = found.pauses.last().map(|p| p.1);
                    let is_start = resumed.is_some_and(|at| seconds_between(at, event.at) <= MAX_START_S);
                    if let (true, Some(last)) = (is_start, found.without_frames.last_mut()) {
                        last.1 = event.at;
                    }
                }
                _ => {}
            }
        }
        if let (Some(from), Some((_, last))) = (begun, timeline.span()) {
            found.pauses.push((from, last.max(from)));
            found.without_frames.push((from, last.max(from)));
        }
        found
    }

    /// All of them.
    pub fn seconds(&self) -> f64 {
        self.pauses.iter().map(|(from, until)| seconds_between(*from, *until)).sum()
    }

    /// The time between two moments in which frames were expected, in seconds.
    pub fn expected_s(&self, from: Timestamp, until: Timestamp) -> f64 {
        let overlap = |pause: &(Timestamp, Timestamp)| seconds_between(pause.0.max(from), pause.1.min(until)).max(0.0);
        seconds_between(from, until) - self.without_frames.iter().map(overlap).sum::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use session::{Body, Record, health_stream};

    fn timeline(events: &[(i64, &str)]) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.declare(health_stream());
        for (seq, (s, kind)) in events.iter().enumerate() {
            let body = Body::event(kind, serde_json::json!({}));
            let stream = Arc::new(HEALTH.parse().unwrap());
            timeline.ingest(&Record { stream, seq: seq as u64, at: Timestamp::from_ns(s * 1_000_000_000), body });
        }
        timeline
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ns(s * 1_000_000_000)
    }

    #[test]
    fn a_pause_and_the_start_of_the_camera_after_it_are_not_expected() {
        let pauses = Pauses::of(&timeline(&[
            (1, "camera_started"),
            (10, "paused"),
            (12, "paused"),
            (20, "resumed"),
            (21, "camera_started"),
            (24, "scores_started"),
            (50, "camera_started"),
        ]));
        let expected =
            [(0, 9), (9, 25), (11, 12), (40, 60)].map(|(from, until)| pauses.expected_s(at(from), at(until)));
        assert_eq!(expected.map(f64::round), [9.0, 2.0, 0.0, 20.0]);
        assert_eq!(pauses.seconds().round(), 10.0);
    }

    #[test]
    fn a_pause_without_an_end_lasts_until_the_last_record() {
        let pauses = Pauses::of(&timeline(&[(10, "paused"), (30, "camera_lost")]));
        assert_eq!([pauses.seconds(), pauses.expected_s(at(0), at(30))].map(f64::round), [20.0, 10.0]);
        assert_eq!(Pauses::of(&timeline(&[(5, "resumed")])), Pauses::default());
    }
}
