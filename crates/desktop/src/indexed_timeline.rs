//! A timeline with indices for drawing: the shown events, and the stretches without a face or with losses. The indices
//! are updated when records arrive. The time of a frame then depends on the width of the screen, not on the length of
//! the session.

use std::ops::Range;

use session::{
    ANNOTATION, Body, GapReason, HEALTH, HealthKind, LSL_CLOCK, MARKER, PAGE, PAGE_CLOCK, PHASE, REPLAY, Record,
    StreamInfo, Timeline, Timestamp, VIDEO_FRAME,
};

use super::event_text;

/// Three groups of events with different marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Actions of the participant on the page.
    Page,
    /// Markers of the operator, phases, and markers of the page (`affectograph.mark`).
    Marker,
    /// Warnings of the recording itself: gaps and health.
    Warning,
}

impl Lane {
    pub const ALL: [Lane; 3] = [Lane::Page, Lane::Marker, Lane::Warning];

    pub fn label(self) -> &'static str {
        match self {
            Lane::Page => "Page",
            Lane::Marker => "Markers",
            Lane::Warning => "Warnings",
        }
    }

    pub fn of(stream: &str, kind: &str) -> Lane {
        match (stream, kind) {
            (MARKER | PHASE, _) | (PAGE, "mark") => Lane::Marker,
            // Start and end of a recording are markers. Other events of this stream are warnings.
            (HEALTH, kind) if HealthKind::from_stored(kind).is_some_and(HealthKind::is_marker) => Lane::Marker,
            (HEALTH, _) => Lane::Warning,
            _ => Lane::Page,
        }
    }
}

/// Selects the events in the list and on the time axis.
#[derive(Clone, Debug, PartialEq)]
pub struct EventFilter {
    /// Text that an event's description must contain. Case is ignored. An empty text shows all events.
    pub text: String,
    /// Whether each lane is shown, in the order of [`Lane::ALL`].
    pub lanes: [bool; 3],
}

impl Default for EventFilter {
    fn default() -> Self {
        EventFilter { text: String::new(), lanes: [true; 3] }
    }
}

/// A stretch of time in which data is missing.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stretch {
    pub from: Timestamp,
    pub until: Timestamp,
}

/// An event on the time axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    pub at: Timestamp,
    /// Index in `timeline.events()`.
    pub row: u32,
}

/// Stretches closer than this are merged. The eye would not separate them.
const MERGE_NS: i64 = 50_000_000;

#[derive(Default)]
pub struct IndexedTimeline {
    timeline: Timeline,
    filter: EventFilter,
    /// Indices in `timeline.events()` of the events that pass the filter, by time.
    shown: Vec<u32>,
    /// The number of events without a filter.
    all: usize,
    /// The shown events of each lane, with their times.
    lanes: [Vec<Mark>; 3],
    absent: Vec<Stretch>,
    lost: Vec<Stretch>,
    indexed_gaps: usize,
}

impl IndexedTimeline {
    pub fn new(timeline: Timeline) -> Self {
        let mut indexed = IndexedTimeline { timeline, ..IndexedTimeline::default() };
        indexed.index_events(0);
        indexed.index_gaps();
        indexed
    }

    pub fn declare(&mut self, info: StreamInfo) {
        self.timeline.declare(info);
    }

    /// See [`Timeline::declare_added`].
    pub fn declare_added(&mut self, info: StreamInfo) {
        self.timeline.declare_added(info);
    }

    pub fn ingest(&mut self, records: &[Record]) {
        let (known, taken_back) = (self.timeline.events().len(), self.timeline.taken_back().len());
        let last = self.timeline.events().last().map(|e| e.at);
        let earliest = records.iter().filter(|r| matches!(r.body, Body::Event { .. })).map(|r| r.at).min();
        records.iter().for_each(|r| self.timeline.ingest(r));
        if self.timeline.taken_back().len() != taken_back {
            // A marker may have left the events, so the indices of later events have changed.
            self.index_events(0);
        } else if self.timeline.events().len() != known {
            // If the new events are the last ones, as they nearly always are, the existing index stays valid.
            let is_in_order = last.is_none_or(|last| earliest.is_none_or(|at| at >= last));
            self.index_events(if is_in_order { known } else { 0 });
        }
        if self.timeline.gaps().len() != self.indexed_gaps {
            self.index_gaps();
        }
    }

    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    pub fn filter(&self) -> &EventFilter {
        &self.filter
    }

    pub fn set_filter(&mut self, filter: EventFilter) {
        if filter != self.filter {
            self.filter = filter;
            self.index_events(0);
        }
    }

    /// The number of events without a filter.
    pub fn all(&self) -> usize {
        self.all
    }

    /// Indices in `timeline().events()` of the shown events, by time.
    pub fn shown(&self) -> &[u32] {
        &self.shown
    }

    /// Shown events of one lane with `from <= time < until`.
    pub fn lane_between(&self, lane: Lane, from: Timestamp, until: Timestamp) -> &[Mark] {
        let marks = &self.lanes[lane as usize];
        let start = marks.partition_point(|m| m.at < from);
        &marks[start..marks.partition_point(|m| m.at < until).max(start)]
    }

    /// The last shown event at or before `at`, as an index in [`IndexedTimeline::shown`].
    pub fn last_shown(&self, at: Timestamp) -> Option<usize> {
        let events = self.timeline.events();
        self.shown.partition_point(|row| events[*row as usize].at <= at).checked_sub(1)
    }

    /// Stretches without a face.
    pub fn absent_between(&self, from: Timestamp, until: Timestamp) -> &[Stretch] {
        between(&self.absent, from, until)
    }

    /// Stretches in which captured data was lost.
    pub fn lost_between(&self, from: Timestamp, until: Timestamp) -> &[Stretch] {
        between(&self.lost, from, until)
    }

    /// The shown event next to `at`: the first after it, or the last before it.
    pub fn event_beside(&self, at: Timestamp, forward: bool) -> Option<Timestamp> {
        let events = self.timeline.events();
        let row = if forward {
            self.shown.get(self.shown.partition_point(|row| events[*row as usize].at <= at))
        } else {
            self.shown
                .partition_point(|row| events[*row as usize].at < at)
                .checked_sub(1)
                .and_then(|k| self.shown.get(k))
        };
        row.map(|row| events[*row as usize].at)
    }

    /// Indexes the events from `from` on. Earlier events are already indexed.
    fn index_events(&mut self, from: usize) {
        if from == 0 {
            self.shown.clear();
            self.all = 0;
            self.lanes.iter_mut().for_each(Vec::clear);
        }
        let needle = self.filter.text.trim().to_lowercase();
        for (row, event) in self.timeline.events().iter().enumerate().skip(from) {
            // Records of the clock and of the video are not actions. Annotations and replay records are shown
            // elsewhere.
            if [PAGE_CLOCK, LSL_CLOCK, VIDEO_FRAME, REPLAY, ANNOTATION].contains(&event.stream.as_str()) {
                continue;
            }
            self.all += 1;
            let lane = Lane::of(event.stream.as_str(), &event.what.kind);
            let passes = self.filter.lanes[lane as usize]
                && (needle.is_empty() || event_text::event(&event.what).to_lowercase().contains(&needle));
            if passes {
                self.shown.push(row as u32);
                self.lanes[lane as usize].push(Mark { at: event.at, row: row as u32 });
            }
        }
    }

    fn index_gaps(&mut self) {
        self.indexed_gaps = self.timeline.gaps().len();
        let stretches = |wanted: &dyn Fn(GapReason) -> bool| {
            let mut merged: Vec<Stretch> = Vec::new();
            for gap in self.timeline.gaps().iter().filter(|g| wanted(g.what.reason)) {
                match merged.last_mut() {
                    Some(last) if gap.at.since_ns(last.until) <= MERGE_NS => {
                        last.until = last.until.max(gap.what.until);
                    }
                    _ => merged.push(Stretch { from: gap.at, until: gap.what.until }),
                }
            }
            merged
        };
        self.absent = stretches(&|reason| reason == GapReason::NoFace);
        self.lost = stretches(&GapReason::is_loss);
    }
}

/// Stretches are disjoint and sorted, so their starts and their ends are sorted.
fn between(stretches: &[Stretch], from: Timestamp, until: Timestamp) -> &[Stretch] {
    let Range { start, end } =
        stretches.partition_point(|s| s.until <= from)..stretches.partition_point(|s| s.from < until);
    &stretches[start..end.max(start)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use session::{Body, Gap, health_stream, marker_stream, page_stream};
    use std::sync::Arc;

    fn record(stream: &str, seq: u64, ms: i64, body: Body) -> Record {
        Record { stream: Arc::new(stream.parse().unwrap()), seq, at: Timestamp::from_ns(ms * 1_000_000), body }
    }

    fn gap(seq: u64, from_ms: i64, until_ms: i64, reason: GapReason) -> Record {
        let until = Timestamp::from_ns(until_ms * 1_000_000);
        record("page", seq, from_ms, Body::Gap(Gap { until, reason, lost: 0, note: String::new() }))
    }

    fn indexed(records: &[Record]) -> IndexedTimeline {
        let mut it = IndexedTimeline::default();
        [page_stream(), marker_stream(), health_stream()].into_iter().for_each(|s| it.declare(s));
        it.ingest(records);
        it
    }

    #[test]
    fn events_are_filtered_by_lane_and_by_word() {
        let mut it = indexed(&[
            record("page", 0, 10, Body::event("click", json!({"target": "button#buy"}))),
            record("page", 1, 20, Body::event("input", json!({"target": "#comment"}))),
            record("marker", 0, 15, Body::event("marker", json!({"label": "looked away"}))),
            record("page", 2, 30, Body::event("mark", json!({"name": "task done"}))),
        ]);
        assert_eq!(it.shown(), [0, 1, 2, 3]);
        let at = |ms: i64| Timestamp::from_ns(ms * 1_000_000);
        assert_eq!(it.lane_between(Lane::Marker, at(0), at(100)).len(), 2);
        assert_eq!(it.event_beside(at(10), true), Some(at(15)));
        assert_eq!(it.event_beside(at(10), false), None);
        it.set_filter(EventFilter { text: "BUY".into(), ..EventFilter::default() });
        assert_eq!(it.shown(), [0]);
        assert_eq!(it.event_beside(at(10), true), None);
        it.set_filter(EventFilter { lanes: [false, true, true], ..EventFilter::default() });
        assert_eq!(it.shown(), [1, 3]);
    }

    proptest! {
        #[test]
        fn every_moment_in_a_gap_is_in_a_stretch(
            gaps in prop::collection::vec((0i64..5000, 0i64..400, any::<bool>()), 0..40), probe in 0i64..6000,
        ) {
            let records: Vec<Record> = gaps.iter().enumerate().map(|(k, (from, len, is_loss))| {
                gap(k as u64, *from, from + len, if *is_loss { GapReason::CameraLost } else { GapReason::NoFace })
            }).collect();
            let it = indexed(&records);
            let at = Timestamp::from_ns(probe * 1_000_000);
            let after = Timestamp::from_ns(probe * 1_000_000 + 1);
            let inside = |loss: bool| gaps.iter().any(|(f, l, is)| *is == loss && *f <= probe && probe < f + l);
            prop_assert!(!inside(true) || !it.lost_between(at, after).is_empty());
            prop_assert!(!inside(false) || !it.absent_between(at, after).is_empty());
            for stretches in [&it.absent, &it.lost] {
                prop_assert!(stretches.windows(2).all(|w| w[0].until < w[1].from));
            }
        }
    }
}
