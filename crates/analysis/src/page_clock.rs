//! How well the page's clock is known, from the stream `page_clock`.

use std::collections::BTreeMap;

use serde::Serialize;

use session::{CLOCK_DRIFT, EventData, PAGE, PAGE_CLOCK, Timeline};

/// Jumps of the page's clock, for example because it stood still while the computer slept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ClockJumps {
    pub count: u64,
    /// Events of the page between the last reading before a jump and the first one after it.
    pub events: u64,
    /// The times of these events may be wrong by so much.
    pub largest_step_s: f64,
}

impl ClockJumps {
    pub fn finding(self) -> String {
        let (jumps, events) = (plural(self.count, "time"), plural(self.events, "event"));
        let step_s = self.largest_step_s;
        format!(
            "The page's clock jumped {jumps} (a computer that slept): the times of {events} may be wrong by up to {step_s:.2} s."
        )
    }
}

fn plural(n: u64, word: &str) -> String {
    if n == 1 { format!("1 {word}") } else { format!("{n} {word}s") }
}

fn number(data: &EventData, key: &str) -> Option<f64> {
    data.data.get(key)?.as_f64()
}

fn readings(timeline: &Timeline) -> impl Iterator<Item = &EventData> {
    timeline.events().iter().filter(|e| e.stream.as_str() == PAGE_CLOCK).map(|e| &e.what)
}

/// The largest uncertainty of the readings in use, in ms. As the recorders do, a reading is used until a later one is better
/// or contradicts it. An assumption was always used. `None` if no clock was read.
pub fn clock_uncertainty_ms(timeline: &Timeline) -> Option<f64> {
    struct InUse {
        at_ms: f64,
        offset_ms: f64,
        uncertainty_ms: f64,
    }
    let mut documents = BTreeMap::<u64, InUse>::new();
    let mut worst_ms: Option<f64> = None;
    let readings = timeline.events().iter().filter(|e| e.stream.as_str() == PAGE_CLOCK);
    for event in readings {
        let (Some(offset_ms), Some(uncertainty_ms)) =
            (number(&event.what, "offset_ms"), number(&event.what, "uncertainty_ms"))
        else {
            continue;
        };
        let fresh = InUse { at_ms: event.at.as_ns() as f64 * 1e-6, offset_ms, uncertainty_ms };
        if event.what.kind == "measured" {
            let document = event.what.data.get("document").and_then(serde_json::Value::as_u64).unwrap_or(0);
            let is_worse = documents.get(&document).is_some_and(|old| {
                let aged_ms = old.uncertainty_ms + (fresh.at_ms - old.at_ms).max(0.0) * CLOCK_DRIFT;
                aged_ms < uncertainty_ms && (offset_ms - old.offset_ms).abs() <= aged_ms + uncertainty_ms
            });
            if is_worse {
                continue;
            }
            documents.insert(document, fresh);
        }
        worst_ms = Some(worst_ms.map_or(uncertainty_ms, |worst| worst.max(uncertainty_ms)));
    }
    worst_ms
}

/// `None` if the clock never jumped.
pub fn clock_jumps(timeline: &Timeline) -> Option<ClockJumps> {
    let mut jumps = ClockJumps::default();
    let mut spans = UncertainSpans::default();
    for jump in readings(timeline).filter(|e| e.kind == "jumped") {
        let (Some(from_ms), Some(until_ms), Some(step_ms)) =
            (number(jump, "from_ms"), number(jump, "until_ms"), number(jump, "step_ms"))
        else {
            continue;
        };
        spans.add(document(jump), from_ms, until_ms);
        jumps.count += 1;
        jumps.largest_step_s = jumps.largest_step_s.max(step_ms.abs() * 1e-3);
    }
    spans.merge();
    let events = timeline.events().iter().filter(|e| e.stream.as_str() == PAGE);
    let is_uncertain = |e: &EventData| number(e, "page_ms").is_some_and(|ms| spans.contain(document(e), ms));
    jumps.events = events.filter(|e| is_uncertain(&e.what)).count() as u64;
    (jumps.count > 0).then_some(jumps)
}

fn document(event: &EventData) -> Option<u64> {
    event.data.get("document")?.as_u64()
}

/// The page's times around the jumps of its clock, for each document. Ends are not inside.
#[derive(Default)]
struct UncertainSpans(BTreeMap<Option<u64>, Vec<(f64, f64)>>);

impl UncertainSpans {
    fn add(&mut self, document: Option<u64>, from_ms: f64, until_ms: f64) {
        self.0.entry(document).or_default().push((from_ms, until_ms));
    }

    /// Sorts the spans and unites those that overlap, so that an event is counted once.
    fn merge(&mut self) {
        for spans in self.0.values_mut() {
            spans.sort_by(|a, b| a.0.total_cmp(&b.0));
            spans.dedup_by(|next, last| {
                let is_one = next.0 < last.1;
                if is_one {
                    last.1 = last.1.max(next.1);
                }
                is_one
            });
        }
    }

    fn contain(&self, document: Option<u64>, ms: f64) -> bool {
        let Some(spans) = self.0.get(&document) else { return false };
        let begun = spans.partition_point(|(from_ms, _)| *from_ms < ms);
        begun > 0 && ms < spans[begun - 1].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};
    use session::{Body, Record, Timestamp, page_clock_stream, page_stream};
    use std::sync::Arc;

    fn timeline(events: &[(&str, i64, &str, Value)]) -> Timeline {
        let mut timeline = Timeline::default();
        [page_stream(), page_clock_stream()].into_iter().for_each(|s| timeline.declare(s));
        for (seq, (stream, ms, kind, data)) in events.iter().enumerate() {
            let (stream, at) = (Arc::new(stream.parse().unwrap()), Timestamp::from_ns(ms * 1_000_000));
            timeline.ingest(&Record { stream, seq: seq as u64, at, body: Body::event(kind, data.clone()) });
        }
        timeline
    }

    fn reading(
        document: u32,
        ms: i64,
        offset_ms: f64,
        uncertainty_ms: f64,
    ) -> (&'static str, i64, &'static str, Value) {
        let data = json!({ "offset_ms": offset_ms, "uncertainty_ms": uncertainty_ms, "document": document });
        ("page_clock", ms, "measured", data)
    }

    #[test]
    fn only_readings_in_use_count() {
        let two = [reading(1, 0, 100.0, 1.0), reading(1, 5_000, 110.0, 30.0), reading(2, 6_000, 900.0, 1.4)];
        assert_eq!(clock_uncertainty_ms(&timeline(&two)), Some(1.4));
        let jumped = [reading(1, 0, 100.0, 1.0), reading(1, 5_000, 20_100.0, 30.0)];
        assert_eq!(clock_uncertainty_ms(&timeline(&jumped)), Some(30.0));
        let (_, ms, _, data) = reading(3, 7_000, 100.0, 251.0);
        let mut assumed = two.to_vec();
        assumed.push(("page_clock", ms, "assumed", data));
        assert_eq!(clock_uncertainty_ms(&timeline(&assumed)), Some(251.0));
        assert_eq!(clock_uncertainty_ms(&timeline(&[])), None);
    }

    #[test]
    fn events_around_a_jump_are_counted() {
        let click = |document, ms: i64| ("page", ms, "click", json!({ "page_ms": ms as f64, "document": document }));
        let jump = json!({ "document": 1, "from_ms": 1_000.0, "until_ms": 6_000.0, "step_ms": -20_070.0 });
        let mut events = vec![click(1, 500), click(1, 1_500), click(2, 2_000), click(1, 5_999), click(1, 6_500)];
        assert_eq!(clock_jumps(&timeline(&events)), None);
        events.push(("page_clock", 6_000, "jumped", jump));
        let found = clock_jumps(&timeline(&events)).unwrap();
        assert_eq!(found, ClockJumps { count: 1, events: 2, largest_step_s: 20.07 });
        // An event inside two jumps is one uncertain event.
        let again = json!({ "document": 1, "from_ms": 5_000.0, "until_ms": 7_000.0, "step_ms": 50.0 });
        events.push(("page_clock", 7_000, "jumped", again));
        let two = clock_jumps(&timeline(&events)).unwrap();
        assert_eq!(two, ClockJumps { count: 2, events: 3, largest_step_s: 20.07 });
        assert!(found.finding().contains("1 time ") && found.finding().contains("2 events"), "{}", found.finding());
    }
}
