//! A timeline with indices for drawing: the shown events, the stretches without a face or with losses, and where the
//! samples of a stream do not continue. The indices are updated when records arrive. The time of a frame then depends on the width of the screen, not on the length of
//! the session.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use session::{
    ANNOTATION, BLINK, Body, COMPACTION, EventData, EventRow, Gap, GapReason, HEALTH, HealthKind, LSL_CLOCK, MARKER,
    PAGE, PAGE_CLOCK, PHASE, REPLAY, Record, SERIAL, StreamInfo, StreamKind, StreamName, Timeline, Timestamp,
    VIDEO_FRAME,
};

use super::event_text;
use super::run_breaks::RunBreaks;

/// Four groups of events with different marks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// Actions of the participant on the page.
    Page,
    /// Markers of the operator, phases, markers of the page (`affectograph.mark`), and bytes of serial ports.
    Marker,
    /// Warnings of the recording itself: gaps and health.
    Warning,
    /// Blinks and closed eyes. There are many of them, so the list shows them only if they are wanted. The time axis always
    /// shows them.
    Blink,
}

impl Lane {
    pub const ALL: [Lane; 4] = [Lane::Page, Lane::Marker, Lane::Warning, Lane::Blink];

    pub fn label(self) -> &'static str {
        match self {
            Lane::Page => "Page",
            Lane::Marker => "Markers",
            Lane::Warning => "Warnings",
            Lane::Blink => "Blinks",
        }
    }

    pub fn of(stream: &str, kind: &str) -> Lane {
        match (stream, kind) {
            (MARKER | PHASE, _) | (PAGE, "mark") => Lane::Marker,
            (stream, _) if stream.starts_with(SERIAL) => Lane::Marker,
            // Start and end of a recording are markers. Other events of this stream are warnings.
            (HEALTH, kind) if HealthKind::from_stored(kind).is_some_and(HealthKind::is_marker) => Lane::Marker,
            (HEALTH, _) => Lane::Warning,
            // Also the blinks of frames that were scored later.
            (stream, _) if stream.strip_prefix(BLINK).is_some_and(|rest| rest.is_empty() || rest.starts_with('_')) => {
                Lane::Blink
            }
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
    pub lanes: [bool; 4],
}

impl Default for EventFilter {
    fn default() -> Self {
        EventFilter { text: String::new(), lanes: [true, true, true, false] }
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
    /// The number of events without a filter. Blinks count if they are wanted.
    all: usize,
    /// The shown events of each lane and all blinks, with their times.
    lanes: [Vec<Mark>; 4],
    absent: Vec<Stretch>,
    lost: Vec<Stretch>,
    /// Stretches in which a stream gives no value because it would not be reliable.
    unreliable: BTreeMap<StreamName, Vec<Stretch>>,
    indexed_gaps: usize,
    /// Where the samples of each sample stream do not continue.
    breaks: BTreeMap<StreamName, RunBreaks>,
}

impl IndexedTimeline {
    pub fn new(timeline: Timeline) -> Self {
        let mut indexed = IndexedTimeline { timeline, ..IndexedTimeline::default() };
        indexed.index_events(0);
        indexed.index_gaps();
        let infos = indexed.timeline.streams().filter(|info| info.kind == StreamKind::Samples);
        let streams: Vec<StreamName> = infos.map(|info| info.name.clone()).collect();
        streams.iter().for_each(|stream| indexed.index_breaks(stream));
        indexed
    }

    pub fn declare(&mut self, info: StreamInfo) {
        let name = info.name.clone();
        self.timeline.declare(info);
        self.index_breaks(&name);
    }

    /// See [`Timeline::declare_added`].
    pub fn declare_added(&mut self, info: StreamInfo) {
        let name = info.name.clone();
        self.timeline.declare_added(info);
        self.index_breaks(&name);
    }

    pub fn ingest(&mut self, records: &[Record]) {
        let (known, taken_back) = (self.timeline.events().len(), self.timeline.taken_back().len());
        let earliest = records.iter().filter(|r| matches!(r.body, Body::Event { .. })).map(|r| r.at).min();
        // The indices of the events from here on may change: a blink is known when it is over.
        let from = earliest.map_or(known, |at| self.timeline.events().partition_point(|e| e.at < at));
        let counted_later = self.timeline.events()[from..].iter().filter(|e| self.is_counted(e)).count();
        records.iter().for_each(|r| self.timeline.ingest(r));
        if self.timeline.taken_back().len() != taken_back {
            // A marker may have left the events, so the indices of later events have changed.
            self.index_events(0);
        } else if self.timeline.events().len() != known {
            self.all -= counted_later;
            self.index_events(from);
        }
        if self.timeline.gaps().len() != self.indexed_gaps {
            self.index_gaps();
        }
        self.follow_breaks(records);
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

    /// The number of events without a filter. Blinks count if they are wanted.
    pub fn all(&self) -> usize {
        self.all
    }

    /// Indices in `timeline().events()` of the shown events, by time.
    pub fn shown(&self) -> &[u32] {
        &self.shown
    }

    /// Whether the lane has an event that is shown, or a blink.
    pub fn has(&self, lane: Lane) -> bool {
        !self.lanes[lane as usize].is_empty()
    }

    /// Shown events of one lane with `from <= time < until`. All blinks.
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

    /// Stretches in which a stream gives no value because it would not be reliable.
    pub fn unreliable_between(&self, stream: &StreamName, from: Timestamp, until: Timestamp) -> &[Stretch] {
        self.unreliable.get(stream).map_or(&[], |stretches| between(stretches, from, until))
    }

    /// Where the samples of a stream do not continue. `None` if the session has no such sample stream.
    pub fn breaks(&self, stream: &StreamName) -> Option<&RunBreaks> {
        self.breaks.get(stream)
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

    /// Indexes the events from `from` on. Earlier events are already indexed, and counted in `all`.
    fn index_events(&mut self, from: usize) {
        if from == 0 {
            self.all = 0;
        }
        self.shown.truncate(self.shown.partition_point(|row| (*row as usize) < from));
        for marks in &mut self.lanes {
            marks.truncate(marks.partition_point(|m| (m.row as usize) < from));
        }
        let needle = self.filter.text.trim().to_lowercase();
        for (row, event) in self.timeline.events().iter().enumerate().skip(from) {
            let Some(lane) = lane_of(event) else { continue };
            let mark = Mark { at: event.at, row: row as u32 };
            if lane == Lane::Blink {
                self.lanes[lane as usize].push(mark);
            }
            if !self.is_counted(event) {
                continue;
            }
            self.all += 1;
            let passes =
                self.filter.lanes[lane as usize] && (needle.is_empty() || event_text::matches(&event.what, &needle));
            if passes {
                self.shown.push(row as u32);
                if lane != Lane::Blink {
                    self.lanes[lane as usize].push(mark);
                }
            }
        }
    }

    /// Whether an event counts in the list. Blinks count if they are wanted.
    fn is_counted(&self, event: &EventRow<EventData>) -> bool {
        lane_of(event).is_some_and(|lane| lane != Lane::Blink || self.filter.lanes[lane as usize])
    }

    fn index_gaps(&mut self) {
        self.indexed_gaps = self.timeline.gaps().len();
        self.absent.clear();
        self.lost.clear();
        self.unreliable.clear();
        for gap in self.timeline.gaps() {
            let Gap { until, reason, .. } = gap.what;
            let stretches = match reason {
                GapReason::NoFace => &mut self.absent,
                GapReason::Unreliable => self.unreliable.entry(gap.stream.as_ref().clone()).or_default(),
                _ if reason.is_loss() => &mut self.lost,
                _ => continue,
            };
            match stretches.last_mut() {
                Some(last) if gap.at.since_ns(last.until) <= MERGE_NS => last.until = last.until.max(until),
                _ => stretches.push(Stretch { from: gap.at, until }),
            }
        }
    }

    /// Reads the breaks of a stream from its start.
    fn index_breaks(&mut self, stream: &StreamName) {
        if let Some(series) = self.timeline.series(stream.as_str()) {
            let gaps = self.timeline.gaps().iter().filter(|gap| *gap.stream == *stream && is_break(&gap.what));
            self.breaks.insert(stream.clone(), RunBreaks::of(series, gaps.map(|gap| gap.at)));
        }
    }

    /// Reads the breaks of the streams to which these records have added something.
    fn follow_breaks(&mut self, records: &[Record]) {
        let with_samples = records.iter().filter(|r| matches!(r.body, Body::Sample { .. }));
        let streams: BTreeSet<&StreamName> = with_samples.map(|r| r.stream.as_ref()).collect();
        for stream in streams {
            let (Some(breaks), Some(series)) = (self.breaks.get_mut(stream), self.timeline.series(stream.as_str()))
            else {
                continue;
            };
            match breaks.is_of(series) {
                true => breaks.read(series),
                false => self.index_breaks(stream),
            }
        }
        for record in records {
            if let Body::Gap(gap) = &record.body
                && is_break(gap)
                && let Some(breaks) = self.breaks.get_mut(record.stream.as_ref())
                && let Some(series) = self.timeline.series(record.stream.as_str())
            {
                breaks.add_gap(series, record.at);
            }
        }
    }
}

/// `None`: records of the clock and of the video are not actions. Annotations and replay records are shown elsewhere.
fn lane_of(event: &EventRow<EventData>) -> Option<Lane> {
    let is_hidden =
        [PAGE_CLOCK, LSL_CLOCK, VIDEO_FRAME, REPLAY, ANNOTATION, COMPACTION].contains(&event.stream.as_str());
    (!is_hidden).then(|| Lane::of(event.stream.as_str(), &event.what.kind))
}

/// A frame that was skipped leaves no more than a longer step between two samples.
fn is_break(gap: &Gap) -> bool {
    gap.reason != GapReason::Skipped
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
    use session::{Body, Gap, blink_stream, health_stream, marker_stream, page_stream, pulse_stream};
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
        it.set_filter(EventFilter { lanes: [false, true, true, false], ..EventFilter::default() });
        assert_eq!(it.shown(), [1, 3]);
    }

    #[test]
    fn blinks_are_on_the_axis_and_only_if_wanted_in_the_list() {
        let mut it = IndexedTimeline::default();
        [page_stream(), blink_stream("m")].into_iter().for_each(|s| it.declare(s));
        it.ingest(&[
            record("page", 0, 10, Body::event("click", json!({"target": "button#buy"}))),
            record("blink", 0, 20, Body::event("blink", json!({"duration_ms": 120}))),
            record("blink", 1, 30, Body::event("eyes_closed", json!({"duration_ms": 1400}))),
            record("page", 1, 40, Body::event("click", json!({"target": "button#buy"}))),
        ]);
        let at = |ms: i64| Timestamp::from_ns(ms * 1_000_000);
        assert_eq!((it.shown(), it.all()), (&[0, 3][..], 2));
        assert_eq!(it.event_beside(at(10), true), Some(at(40)));
        assert_eq!(it.lane_between(Lane::Blink, at(0), at(100)).len(), 2);
        // It is known when it is over: after the click that follows its beginning.
        it.ingest(&[record("blink", 2, 35, Body::event("blink", json!({"duration_ms": 90})))]);
        assert_eq!((it.shown(), it.all()), (&[0, 4][..], 2));
        it.ingest(&[record("page", 2, 5, Body::event("click", json!({"target": "a"})))]);
        assert_eq!((it.shown(), it.all()), (&[0, 1, 5][..], 3));
        let marks = it.lane_between(Lane::Blink, at(0), at(100)).iter().map(|m| m.row).collect::<Vec<_>>();
        assert_eq!(marks, [2, 3, 4]);
        it.set_filter(EventFilter { text: "buy".into(), lanes: [true; 4] });
        assert_eq!((it.shown(), it.all()), (&[1, 5][..], 6));
        it.set_filter(EventFilter { lanes: [false, false, false, true], ..EventFilter::default() });
        assert_eq!((it.shown(), it.all()), (&[2, 3, 4][..], 6));
        assert_eq!(it.lane_between(Lane::Blink, at(0), at(100)).len(), 3);
    }

    #[test]
    fn breaks_are_the_same_however_the_records_arrive() {
        let sample = |seq: u64, ms: i64| record("pulse", seq, ms, Body::sample(None, &[60.0, 1.0, 0.9]));
        let unreliable = |seq: u64, from_ms: i64, until_ms: i64| {
            let mut gap = gap(seq, from_ms, until_ms, GapReason::Unreliable);
            gap.stream = Arc::new("pulse".parse().unwrap());
            gap
        };
        let records = [
            sample(0, 0),
            sample(1, 1000),
            unreliable(2, 2000, 3000),
            sample(3, 3000),
            sample(4, 4000),
            sample(5, 9000),
            unreliable(6, 10_000, 11_000),
        ];
        let mut stored = Timeline::default();
        stored.declare(pulse_stream("m"));
        records.iter().for_each(|r| stored.ingest(r));
        let stream: StreamName = "pulse".parse().unwrap();
        let runs = |it: &IndexedTimeline| (0..5).map(|row| it.breaks(&stream).unwrap().run(row)).collect::<Vec<_>>();
        let expected = runs(&IndexedTimeline::new(stored));
        assert_eq!(expected, [0..2, 0..2, 2..4, 2..4, 4..5]);
        for order in [[0, 1, 2, 3, 4, 5, 6], [0, 1, 3, 4, 5, 6, 2], [0, 3, 1, 2, 6, 5, 4]] {
            let mut it = IndexedTimeline::default();
            it.declare(pulse_stream("m"));
            order.iter().for_each(|k| it.ingest(std::slice::from_ref(&records[*k])));
            assert_eq!(runs(&it), expected, "{order:?}");
            let at = |ms: i64| Timestamp::from_ns(ms * 1_000_000);
            assert_eq!(it.unreliable_between(&stream, at(0), at(20_000)).len(), 2);
        }
        assert!(IndexedTimeline::default().breaks(&stream).is_none());
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
