//! All committed records of one session in memory, ordered by time, for drawing and analysis.
//!
//! [`Timeline::ingest`] is the only way to add records, live or stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    Body, Gap, MARKER, MARKER_KIND, Numbers, Record, SampleSeries, StreamInfo, StreamName, TAKEN_BACK, Timestamp,
    marker_taken_back,
};

/// One event or gap, as a row of the event list.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow<T> {
    pub stream: Arc<StreamName>,
    pub seq: u64,
    pub at: Timestamp,
    pub what: T,
}

#[derive(Clone, Debug, PartialEq)]
pub struct EventData {
    pub kind: String,
    pub data: Map<String, Value>,
}

#[derive(Clone, Debug, Default)]
pub struct Timeline {
    series: BTreeMap<StreamName, SampleSeries>,
    infos: BTreeMap<StreamName, StreamInfo>,
    /// Streams that were added after the recording.
    added: BTreeSet<StreamName>,
    events: Vec<EventRow<EventData>>,
    /// The times of the markers that the operator has taken back.
    taken_back_at: BTreeSet<Timestamp>,
    /// These markers, and the events that took them back. They are not in `events`.
    taken_back: Vec<EventRow<EventData>>,
    gaps: Vec<EventRow<Gap>>,
    seen: BTreeMap<StreamName, Numbers>,
    span: Option<(Timestamp, Timestamp)>,
    refused: u64,
}

impl Timeline {
    /// Declares a stream. Records of undeclared streams are refused and counted.
    pub fn declare(&mut self, info: StreamInfo) {
        if info.kind == super::StreamKind::Samples && !self.series.contains_key(&info.name) {
            self.series.insert(info.name.clone(), SampleSeries::new(info.clone()));
        }
        self.infos.insert(info.name.clone(), info);
    }

    /// Declares a stream that was added after the recording (imported events, annotations, ratings, frames scored
    /// again). Its records do not change the span of the recording.
    pub fn declare_added(&mut self, info: StreamInfo) {
        self.added.insert(info.name.clone());
        self.declare(info);
    }

    /// Adds one committed record. A record with a known number is ignored. A record that does not fit its stream is refused
    /// and counted in [`Timeline::refused`].
    pub fn ingest(&mut self, record: &Record) {
        if !self.infos.contains_key(record.stream.as_ref()) {
            self.refused += 1;
            return;
        }
        // The name is copied once per stream and not once per record. This shortens the opening of a long session.
        let is_new = match self.seen.get_mut(record.stream.as_ref()) {
            Some(seen) => seen.insert(record.seq),
            None => self.seen.entry(record.stream.as_ref().clone()).or_default().insert(record.seq),
        };
        if !is_new {
            return;
        }
        let mut end = record.at;
        match &record.body {
            Body::Sample { frame, values } => match self.series.get_mut(record.stream.as_ref()) {
                Some(series) if series.info.fields.len() == values.len() => {
                    series.insert(record.seq, record.at, *frame, values);
                }
                _ => {
                    self.refused += 1;
                    return;
                }
            },
            Body::Event { kind, data } => {
                let what = EventData { kind: kind.clone(), data: data.clone() };
                if record.stream.as_str() == MARKER {
                    self.ingest_marker(record, what);
                } else {
                    insert_by_time(&mut self.events, record, what);
                }
            }
            Body::Gap(gap) => {
                end = end.max(gap.until);
                insert_by_time(&mut self.gaps, record, gap.clone());
            }
        }
        if self.added.contains(record.stream.as_ref()) {
            return;
        }
        self.span = Some(match self.span {
            None => (record.at, end),
            Some((a, b)) => (a.min(record.at), b.max(end)),
        });
    }

    /// Keeps a marker that is taken back apart, whether its record or the record that takes it back arrives first.
    fn ingest_marker(&mut self, record: &Record, what: EventData) {
        if what.kind == TAKEN_BACK {
            if let Some(at) = marker_taken_back(&what.data) {
                self.taken_back_at.insert(at);
                let is_it = |e: &mut EventRow<EventData>| e.at == at && is_marker(e);
                self.taken_back.extend(self.events.extract_if(.., is_it));
                self.taken_back.sort_by_key(|e| e.at);
            }
            insert_by_time(&mut self.taken_back, record, what);
        } else if what.kind == MARKER_KIND && self.taken_back_at.contains(&record.at) {
            insert_by_time(&mut self.taken_back, record, what);
        } else {
            insert_by_time(&mut self.events, record, what);
        }
    }

    pub fn series(&self, stream: &str) -> Option<&SampleSeries> {
        let name: StreamName = stream.parse().ok()?;
        self.series.get(&name)
    }

    pub fn streams(&self) -> impl Iterator<Item = &StreamInfo> {
        self.infos.values()
    }

    /// Events of all streams, by time, without the markers that were taken back.
    pub fn events(&self) -> &[EventRow<EventData>] {
        &self.events
    }

    /// The markers that the operator has taken back and the events that took them back, by time. They are in no other
    /// list.
    pub fn taken_back(&self) -> &[EventRow<EventData>] {
        &self.taken_back
    }

    /// Puts the markers that were taken back, and the events that took them back, among the other events.
    pub fn with_taken_back(mut self) -> Timeline {
        self.events.append(&mut self.taken_back);
        self.events.sort_by_key(|e| e.at);
        self.taken_back_at.clear();
        self
    }

    /// Events with `from <= time < until`.
    pub fn events_between(&self, from: Timestamp, until: Timestamp) -> &[EventRow<EventData>] {
        between(&self.events, from, until)
    }

    /// Gaps of all streams, by their start.
    pub fn gaps(&self) -> &[EventRow<Gap>] {
        &self.gaps
    }

    /// Earliest and latest time of the records of the recording. Added streams are not included.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// Replaces the samples of one stream.
    pub(crate) fn replace_series(&mut self, series: SampleSeries) {
        self.series.insert(series.info.name.clone(), series);
    }

    /// Gives the events of one stream other times. `times` computes them from the stored times and the record numbers.
    pub(crate) fn move_events(&mut self, stream: &str, times: impl FnOnce(&[Timestamp], &[u64]) -> Vec<Timestamp>) {
        let rows: Vec<usize> =
            (0..self.events.len()).filter(|row| self.events[*row].stream.as_str() == stream).collect();
        let (at, seqs): (Vec<_>, Vec<_>) = rows.iter().map(|row| (self.events[*row].at, self.events[*row].seq)).unzip();
        for (row, at) in rows.into_iter().zip(times(&at, &seqs)) {
            self.events[row].at = at;
        }
        self.events.sort_by_key(|e| e.at);
    }

    pub(crate) fn retain_gaps(&mut self, keep: impl Fn(&EventRow<Gap>) -> bool) {
        self.gaps.retain(keep);
    }

    /// Number of records that fitted no stream. A value above 0 indicates a damaged file or a program error: display it.
    pub fn refused(&self) -> u64 {
        self.refused
    }
}

fn is_marker(event: &EventRow<EventData>) -> bool {
    event.stream.as_str() == MARKER && event.what.kind == MARKER_KIND
}

fn insert_by_time<T>(rows: &mut Vec<EventRow<T>>, record: &Record, what: T) {
    let row = rows.partition_point(|r| r.at <= record.at);
    rows.insert(row, EventRow { stream: record.stream.clone(), seq: record.seq, at: record.at, what });
}

fn between<T>(rows: &[EventRow<T>], from: Timestamp, until: Timestamp) -> &[EventRow<T>] {
    let start = rows.partition_point(|r| r.at < from);
    &rows[start..rows.partition_point(|r| r.at < until).max(start)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{affect_stream, page_stream};
    use proptest::prelude::*;

    fn sample(seq: u64, ns: i64) -> Record {
        Record {
            stream: Arc::new("affect".parse().unwrap()),
            seq,
            at: Timestamp::from_ns(ns),
            body: Body::Sample { frame: Some(seq), values: vec![seq as f32; 12].into() },
        }
    }

    fn empty() -> Timeline {
        let mut t = Timeline::default();
        t.declare(affect_stream(30.0, "test"));
        t.declare(page_stream());
        t
    }

    proptest! {
        #[test]
        fn order_and_repetition_of_arrival_do_not_matter(
            (times, order) in prop::collection::vec(0i64..1000, 1..60)
                .prop_flat_map(|t| { let n = t.len(); (Just(t), prop::collection::vec(0..n, 0..200)) })
        ) {
            let mut straight = empty();
            times.iter().enumerate().for_each(|(k, ns)| straight.ingest(&sample(k as u64, *ns)));
            let mut shuffled = empty();
            order.iter().chain((0..times.len()).collect::<Vec<_>>().iter())
                .for_each(|k| shuffled.ingest(&sample(*k as u64, times[*k])));
            let (a, b) = (straight.series("affect").unwrap(), shuffled.series("affect").unwrap());
            prop_assert_eq!(a.times(), b.times());
            prop_assert!(b.times().is_sorted());
            prop_assert_eq!(straight.span(), shuffled.span());
            let sum = |s: &SampleSeries| s.column(0).iter().sum::<f32>();
            prop_assert_eq!(sum(a), sum(b));
            prop_assert_eq!(a.extent(0, 0..a.len()), b.extent(0, 0..b.len()));
        }
    }

    fn marker(seq: u64, ns: i64, body: Body) -> Record {
        Record { stream: Arc::new(MARKER.parse().unwrap()), seq, at: Timestamp::from_ns(ns), body }
    }

    fn press(label: &str) -> Body {
        Body::event(MARKER_KIND, serde_json::json!({ "label": label }))
    }

    #[test]
    fn a_marker_that_was_taken_back_is_in_no_list_but_its_own() {
        let records = [
            marker(0, 10, press("a")),
            marker(1, 20, press("b")),
            marker(2, 25, crate::taken_back(Timestamp::from_ns(20))),
            marker(3, 30, press("c")),
            marker(4, 35, crate::taken_back(Timestamp::from_ns(31))),
            // A note at the same time is no marker.
            marker(5, 20, Body::event("note", serde_json::json!({ "label": "note" }))),
        ];
        for order in [[0, 1, 2, 3, 4, 5], [2, 5, 4, 3, 1, 0], [5, 4, 3, 2, 1, 0]] {
            let mut t = empty();
            t.declare(crate::marker_stream());
            order.iter().for_each(|k| t.ingest(&records[*k as usize]));
            let seqs = |events: &[EventRow<EventData>]| events.iter().map(|e| e.seq).collect::<Vec<_>>();
            assert_eq!(seqs(t.events()), [0, 5, 3], "{order:?}");
            assert_eq!(seqs(t.taken_back()), [1, 2, 4], "{order:?}");
            let all = t.with_taken_back();
            assert_eq!((all.events().len(), all.taken_back().len()), (6, 0));
            assert!(all.events().is_sorted_by_key(|e| e.at));
        }
    }

    #[test]
    fn events_of_one_time_keep_their_order_and_ranges_do_not_include_their_end() {
        let mut t = empty();
        let page = Arc::new("page".parse().unwrap());
        for (seq, ns) in [(0, 10), (1, 20), (2, 20), (3, 30)] {
            let (at, body) = (Timestamp::from_ns(ns), Body::event("click", serde_json::json!({})));
            t.ingest(&Record { stream: Arc::clone(&page), seq, at, body });
        }
        let seqs = |from, until| {
            let events = t.events_between(Timestamp::from_ns(from), Timestamp::from_ns(until));
            events.iter().map(|e| e.seq).collect::<Vec<_>>()
        };
        assert_eq!(seqs(0, 100), [0, 1, 2, 3]);
        assert_eq!((seqs(10, 30), seqs(11, 20), seqs(30, 10)), (vec![0, 1, 2], vec![], vec![]));
        // A gap lasts until its end.
        let until = Timestamp::from_ns(90);
        let gap = Gap { until, reason: crate::GapReason::CameraLost, lost: 1, note: String::new() };
        t.ingest(&Record { body: Body::Gap(gap), ..sample(0, 40) });
        assert_eq!((t.gaps().len(), t.span()), (1, Some((Timestamp::from_ns(10), until))));
    }

    #[test]
    fn what_is_added_later_makes_no_recording_longer() {
        let mut t = empty();
        t.declare_added(crate::imported_stream("other"));
        [0, 1_000_000_000].into_iter().enumerate().for_each(|(k, ns)| t.ingest(&sample(k as u64, ns)));
        let span = t.span();
        let imported = Arc::new("import_other".parse().unwrap());
        for (seq, ns) in [-300_000_000_000, 500_000_000, i64::MAX].into_iter().enumerate() {
            let (at, body) = (Timestamp::from_ns(ns), Body::event("smile", serde_json::json!({})));
            t.ingest(&Record { stream: Arc::clone(&imported), seq: seq as u64, at, body });
        }
        assert_eq!(t.events().len(), 3);
        assert_eq!((t.span(), t.completed().span()), (span, span));
    }

    #[test]
    fn what_fits_no_stream_is_refused_and_counted() {
        let mut t = empty();
        t.ingest(&Record { stream: Arc::new("pulse".parse().unwrap()), ..sample(0, 0) });
        t.ingest(&Record { body: Body::Sample { frame: None, values: vec![1.0; 3].into() }, ..sample(0, 0) });
        assert_eq!(t.refused(), 2);
        assert_eq!(t.span(), None);
    }
}
