//! Times in which the visitor had paused the recording. Nothing is expected of them.

use session::{HEALTH, HealthKind, Timeline, Timestamp};

/// After a pause the camera and the networks start again. No frame is expected before they have, for at most this time.
const MAX_START_S: f64 = 15.0;

/// The pauses of a session, ascending. They do not overlap.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pauses(Vec<Pause>);

#[derive(Clone, Copy, Debug, PartialEq)]
struct Pause {
    from: Timestamp,
    until: Timestamp,
    /// Frames are expected again from here, when the camera and the networks have started.
    frames_from: Timestamp,
}

impl Pauses {
    /// A pause that did not end lasts until the session's last record.
    pub fn of(timeline: &Timeline) -> Pauses {
        let mut found: Vec<Pause> = Vec::new();
        let mut begun = None;
        for event in timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH) {
            match HealthKind::from_stored(&event.what.kind) {
                Some(HealthKind::Paused) => {
                    begun.get_or_insert(event.at);
                }
                Some(HealthKind::Resumed) => found.extend(begun.take().map(|from| Pause::new(from, event.at))),
                // During the next pause, a late start belongs to nothing.
                Some(HealthKind::CameraStarted | HealthKind::ScoresStarted) if begun.is_none() => {
                    if let Some(last) = found.last_mut().filter(|p| event.at.seconds_since(p.until) <= MAX_START_S) {
                        last.frames_from = event.at;
                    }
                }
                _ => {}
            }
        }
        if let (Some(from), Some((_, last))) = (begun, timeline.span()) {
            found.push(Pause::new(from, last.max(from)));
        }
        Pauses(found)
    }

    /// All of them.
    pub fn seconds(&self) -> f64 {
        self.0.iter().map(|pause| pause.until.seconds_since(pause.from)).sum()
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
    fn new(from: Timestamp, until: Timestamp) -> Pause {
        Pause { from, until, frames_from: until }
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
    fn a_start_during_the_next_pause_is_not_counted_twice() {
        let pauses = Pauses::of(&timeline(&[
            (10, "paused"),
            (20, "resumed"),
            (21, "paused"),
            (24, "scores_started"),
            (30, "resumed"),
        ]));
        assert_eq!(pauses.expected_s(at(9), at(31)).round(), 3.0);
    }

    #[test]
    fn a_pause_without_an_end_lasts_until_the_last_record() {
        let pauses = Pauses::of(&timeline(&[(10, "paused"), (30, "camera_lost")]));
        assert_eq!([pauses.seconds(), pauses.expected_s(at(0), at(30))].map(f64::round), [20.0, 10.0]);
        assert_eq!(Pauses::of(&timeline(&[(5, "resumed")])), Pauses::default());
    }
}
