//! Times in which the page was unresponsive: its main thread was busy and handled no input. The true times of the input are
//! recorded. The report contains these times because they affect what the participant saw and did.

use std::collections::BTreeMap;

use serde::Serialize;

use session::{PAGE, Timeline};

/// Unresponsive times from the page's events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Busy {
    /// Share of the recording, 0 … 1.
    pub share: f64,
    pub longest_s: f64,
}

/// The limits of each grade, in the order of the grades: share of the time, longest unresponsive time in seconds.
const LIMITS: [(f64, f64); 4] = [(0.02, 0.5), (0.05, 1.0), (0.10, 5.0), (0.25, 20.0)];

impl Busy {
    /// By how many grades it lowers the grade: 0 … 4.
    pub(super) fn grades_lost(self) -> usize {
        LIMITS.iter().take_while(|(share, longest_s)| self.share > *share || self.longest_s > *longest_s).count()
    }

    /// A message, if it lowers the grade.
    pub(super) fn finding(self) -> Option<String> {
        (self.grades_lost() > 0).then(|| {
            format!(
                "The page was unresponsive for at most {:.1} s at a time and {:.1} % of the time: it handled no input meanwhile.",
                self.longest_s,
                100.0 * self.share
            )
        })
    }
}

/// A document whose recording script reports unresponsive times and frames. Older versions did not report them.
fn is_observed(timeline: &Timeline) -> bool {
    let says_so = |data: &serde_json::Map<String, serde_json::Value>| data.get("tells_busy").is_some_and(|v| v == true);
    timeline.events().iter().any(|e| e.stream.as_str() == PAGE && e.what.kind == "document" && says_so(&e.what.data))
}

/// `None` if no page was recorded, or if its recording script did not report it.
pub(super) fn busy(timeline: &Timeline, seconds: f64) -> Option<Busy> {
    if !is_observed(timeline) {
        return None;
    }
    let (mut sum_ms, mut longest_ms) = (0.0, 0.0f64);
    for event in timeline.events().iter().filter(|e| e.stream.as_str() == PAGE && e.what.kind == "busy") {
        let number = |field: &str| event.what.data.get(field).and_then(serde_json::Value::as_f64);
        let Some(length_ms) = number("length_ms") else { continue };
        sum_ms += number("total_ms").unwrap_or(length_ms);
        longest_ms = longest_ms.max(length_ms);
    }
    let share = if seconds > 0.0 { (sum_ms * 1e-3 / seconds).min(1.0) } else { 0.0 };
    Some(Busy { share, longest_s: longest_ms * 1e-3 })
}

/// Number of frames of other origins, which are not recorded, over all documents. `None` as above.
pub(super) fn frames_unseen(timeline: &Timeline) -> Option<u64> {
    if !is_observed(timeline) {
        return None;
    }
    // A document reports its count again each time that it increases.
    let mut by_document = BTreeMap::<u64, u64>::new();
    for event in timeline.events().iter().filter(|e| e.stream.as_str() == PAGE && e.what.kind == "frames") {
        let number = |field: &str| event.what.data.get(field).and_then(serde_json::Value::as_u64);
        let unseen = by_document.entry(number("document").unwrap_or(0)).or_default();
        *unseen = number("unseen").unwrap_or(0).max(*unseen);
    }
    Some(by_document.into_values().sum())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_json::{Value, json};

    use super::*;
    use session::{Body, Record, Timestamp, page_stream};

    fn page(events: &[(&str, Value)]) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.declare(page_stream());
        let stream = Arc::new(PAGE.parse().unwrap());
        for (seq, (kind, data)) in events.iter().enumerate() {
            let at = Timestamp::from_ns(seq as i64 * 1_000_000_000);
            let body = Body::event(kind, data.clone());
            timeline.ingest(&Record { stream: Arc::clone(&stream), seq: seq as u64, at, body });
        }
        timeline
    }

    #[test]
    fn single_and_summed_blocks_are_added() {
        let timeline = page(&[
            ("document", json!({"tells_busy": true})),
            ("busy", json!({"length_ms": 3000.0})),
            ("busy", json!({"length_ms": 400.0, "count": 5, "total_ms": 1000.0})),
            ("click", json!({"length_ms": 9000.0})),
        ]);
        let busy = busy(&timeline, 100.0).unwrap();
        assert!((busy.share - 0.04).abs() < 1e-9 && (busy.longest_s - 3.0).abs() < 1e-9, "{busy:?}");
        assert_eq!(busy.grades_lost(), 2, "3 s at once");
        assert!(busy.finding().is_some_and(|f| f.contains("3.0 s") && f.contains("4.0 %")));
    }

    #[test]
    fn an_older_recording_says_nothing_and_not_that_all_was_well() {
        let old = page(&[("document", json!({})), ("click", json!({}))]);
        assert_eq!((busy(&old, 10.0), frames_unseen(&old)), (None, None));
        assert_eq!(busy(&Timeline::default(), 10.0), None);
        let quiet = page(&[("document", json!({"tells_busy": true}))]);
        assert_eq!((busy(&quiet, 10.0), frames_unseen(&quiet)), (Some(Busy::default()), Some(0)));
        assert_eq!(busy(&quiet, 10.0).unwrap().finding(), None);
    }

    #[test]
    fn each_limit_costs_its_grade() {
        let lost = |share, longest_s| Busy { share, longest_s }.grades_lost();
        assert_eq!([lost(0.0, 0.5), lost(0.0, 0.51), lost(0.0, 1.1), lost(0.0, 5.1), lost(0.0, 20.1)], [0, 1, 2, 3, 4]);
        assert_eq!(
            [lost(0.02, 0.0), lost(0.03, 0.0), lost(0.06, 0.0), lost(0.2, 0.0), lost(0.9, 0.0)],
            [0, 1, 2, 3, 4]
        );
    }

    #[test]
    fn frames_are_counted_once_a_document() {
        let timeline = page(&[
            ("document", json!({"tells_busy": true})),
            ("frames", json!({"count": 1, "unseen": 0, "document": 1})),
            ("frames", json!({"count": 3, "unseen": 2, "document": 1})),
            ("frames", json!({"count": 1, "unseen": 1, "document": 2})),
        ]);
        assert_eq!(frames_unseen(&timeline), Some(3));
    }
}
