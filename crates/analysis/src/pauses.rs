//! The pauses of a recording. The operator begins and ends them. Camera and page are recorded meanwhile, but the planned
//! time stands still.

use serde::Serialize;

use session::{HEALTH, HealthKind, Timeline, Timestamp};

#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Pauses {
    pub count: u64,
    pub seconds: f64,
}

impl Pauses {
    /// A pause that has no end lasts until `end`, the end of the recording.
    pub fn of(timeline: &Timeline, end: Option<Timestamp>) -> Pauses {
        let mut pauses = Pauses::default();
        let mut since: Option<Timestamp> = None;
        for event in timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH) {
            match HealthKind::from_stored(&event.what.kind) {
                Some(HealthKind::Paused) if since.is_none() => since = Some(event.at),
                Some(HealthKind::Resumed | HealthKind::RecordingStopped) => pauses.end(since.take(), event.at),
                _ => {}
            }
        }
        end.into_iter().for_each(|end| pauses.end(since.take(), end));
        pauses
    }

    fn end(&mut self, since: Option<Timestamp>, at: Timestamp) {
        if let Some(since) = since {
            self.count += 1;
            self.seconds += (at.since_ns(since) as f64 * 1e-9).max(0.0);
        }
    }

    /// A sentence for the report. `None` without a pause.
    pub fn sentence(&self) -> Option<String> {
        let times = if self.count == 1 { "once".to_owned() } else { format!("{} times", self.count) };
        (self.count > 0).then(|| format!("The recording was paused {times}, {:.1} s in all.", self.seconds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use session::{Body, Record, health_stream};
    use std::sync::Arc;

    fn pauses(events: &[(HealthKind, i64)]) -> Pauses {
        let mut timeline = Timeline::default();
        timeline.declare(health_stream());
        for (seq, (kind, s)) in events.iter().enumerate() {
            let at = Timestamp::from_ns(s * 1_000_000_000);
            let body = Body::event(kind.as_str(), Value::Null);
            timeline.ingest(&Record { stream: Arc::new(HEALTH.parse().unwrap()), seq: seq as u64, at, body });
        }
        Pauses::of(&timeline, Some(Timestamp::from_ns(100_000_000_000)))
    }

    #[test]
    fn pauses_are_counted_and_a_pause_without_an_end_lasts_to_the_end() {
        use HealthKind::{Paused, RecordingStopped, Resumed};
        assert_eq!(pauses(&[]), Pauses::default());
        assert_eq!(pauses(&[(Paused, 10), (Resumed, 25)]), Pauses { count: 1, seconds: 15.0 });
        assert_eq!(pauses(&[(Paused, 10), (Paused, 12), (Resumed, 25), (Resumed, 30)]).seconds, 15.0);
        assert_eq!(pauses(&[(Paused, 10), (RecordingStopped, 40)]).seconds, 30.0);
        assert_eq!(pauses(&[(Paused, 10), (Resumed, 20), (Paused, 90)]), Pauses { count: 2, seconds: 20.0 });
        assert!(pauses(&[(Paused, 10), (Resumed, 20)]).sentence().unwrap().contains("once, 10.0 s"));
    }
}
