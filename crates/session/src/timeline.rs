//! All committed records of one session in memory, ordered by time, ready to be drawn and asked.
//!
//! There is one way in, [`Timeline::ingest`], for live and stored records alike.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Body, Bucket, Gap, GapReason, LATER, Numbers, Pyramid, Record, Rows, StreamInfo, StreamName, Timestamp};

/// One sample stream, column by column.
#[derive(Clone, Debug)]
pub struct SampleSeries {
    pub info: StreamInfo,
    at: Vec<Timestamp>,
    frame: Vec<Option<u64>>,
    seq: Vec<u64>,
    /// `columns[field][row]`
    columns: Vec<Vec<f32>>,
    pyramids: Vec<Pyramid>,
}

impl SampleSeries {
    fn new(info: StreamInfo) -> Self {
        let n = info.fields.len();
        SampleSeries {
            info,
            at: Vec::new(),
            frame: Vec::new(),
            seq: Vec::new(),
            columns: vec![Vec::new(); n],
            pyramids: vec![Pyramid::default(); n],
        }
    }

    fn of(rows: &Rows<'_>) -> Self {
        let mut series = SampleSeries::new(rows.info().clone());
        series.at = rows.times();
        series.frame = (0..rows.len()).map(|k| rows.frame(k)).collect();
        series.seq = (0..rows.len()).map(|k| rows.seq(k)).collect();
        for (field, column) in series.columns.iter_mut().enumerate() {
            *column = rows.column(field);
            column.iter().for_each(|v| series.pyramids[field].push(*v));
        }
        series
    }

    pub fn len(&self) -> usize {
        self.at.len()
    }

    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    pub fn times(&self) -> &[Timestamp] {
        &self.at
    }

    pub fn frames(&self) -> &[Option<u64>] {
        &self.frame
    }

    pub fn seqs(&self) -> &[u64] {
        &self.seq
    }

    /// All values of one field.
    pub fn column(&self, field: usize) -> &[f32] {
        &self.columns[field]
    }

    /// Rows with `from <= time < until`.
    pub fn rows(&self, from: Timestamp, until: Timestamp) -> Range<usize> {
        let start = self.at.partition_point(|t| *t < from);
        start..self.at.partition_point(|t| *t < until).max(start)
    }

    /// The last row at or before `at`.
    pub fn row_at(&self, at: Timestamp) -> Option<usize> {
        self.at.partition_point(|t| *t <= at).checked_sub(1)
    }

    /// Minimum and maximum of one field over `rows`, in O(log n).
    pub fn extent(&self, field: usize, rows: Range<usize>) -> Option<Bucket> {
        self.pyramids[field].over(|i| self.columns[field][i], rows)
    }

    fn insert(&mut self, seq: u64, at: Timestamp, frame: Option<u64>, values: &[f32]) {
        let row = self.at.partition_point(|t| *t <= at);
        let is_last = row == self.at.len();
        self.at.insert(row, at);
        self.frame.insert(row, frame);
        self.seq.insert(row, seq);
        for (field, column) in self.columns.iter_mut().enumerate() {
            column.insert(row, values[field]);
            if is_last {
                self.pyramids[field].push(values[field]);
            } else {
                // Rare: a sample later than its successor (scored after the session).
                let mut rebuilt = Pyramid::default();
                column.iter().for_each(|v| rebuilt.push(*v));
                self.pyramids[field] = rebuilt;
            }
        }
    }
}

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
    /// Streams that came after the recording.
    added: BTreeSet<StreamName>,
    events: Vec<EventRow<EventData>>,
    gaps: Vec<EventRow<Gap>>,
    seen: BTreeMap<StreamName, Numbers>,
    span: Option<(Timestamp, Timestamp)>,
    refused: u64,
}

impl Timeline {
    /// Makes a stream known. Records of unknown streams are refused and counted.
    pub fn declare(&mut self, info: StreamInfo) {
        if info.kind == super::StreamKind::Samples && !self.series.contains_key(&info.name) {
            self.series.insert(info.name.clone(), SampleSeries::new(info.clone()));
        }
        self.infos.insert(info.name.clone(), info);
    }

    /// Makes a stream known that was added after the recording (imported events, annotations, ratings, frames scored
    /// again): whatever stands in it, the recording is as long as it was.
    pub fn declare_added(&mut self, info: StreamInfo) {
        self.added.insert(info.name.clone());
        self.declare(info);
    }

    /// Takes in one committed record. A record already there is ignored; one that does not fit its stream is refused
    /// and counted in [`Timeline::refused`].
    pub fn ingest(&mut self, record: &Record) {
        if !self.infos.contains_key(record.stream.as_ref()) {
            self.refused += 1;
            return;
        }
        // The name is copied once a stream and not once a record: reopening a long session shows the difference.
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
                insert_by_time(&mut self.events, record, what);
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

    pub fn series(&self, stream: &str) -> Option<&SampleSeries> {
        let name: StreamName = stream.parse().ok()?;
        self.series.get(&name)
    }

    pub fn streams(&self) -> impl Iterator<Item = &StreamInfo> {
        self.infos.values()
    }

    /// Events of all streams, by time.
    pub fn events(&self) -> &[EventRow<EventData>] {
        &self.events
    }

    /// Events with `from <= time < until`.
    pub fn events_between(&self, from: Timestamp, until: Timestamp) -> &[EventRow<EventData>] {
        between(&self.events, from, until)
    }

    /// Gaps of all streams, by their start.
    pub fn gaps(&self) -> &[EventRow<Gap>] {
        &self.gaps
    }

    /// Earliest and latest time of any record of the recording itself; what was added later changes neither.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// As it is looked at: what was scored after the recording stands in the stream that skipped it, which then says no
    /// more that it was skipped.
    pub fn completed(&self) -> Timeline {
        let mut whole = self.clone();
        for info in Rows::streams(self) {
            let Some(later) = self.series(&format!("{}{LATER}", info.name)).filter(|s| !s.is_empty()) else { continue };
            let Some(rows) = Rows::of(self, info.name.as_str()) else { continue };
            whole.series.insert(info.name.clone(), SampleSeries::of(&rows));
            whole.series.insert(later.info.name.clone(), SampleSeries::new(later.info.clone()));
            let is_filled = |gap: &EventRow<Gap>| {
                gap.what.reason == GapReason::Skipped
                    && *gap.stream == info.name
                    && !later.rows(gap.at, gap.what.until).is_empty()
            };
            whole.gaps.retain(|gap| !is_filled(gap));
        }
        whole
    }

    /// Records that fitted no stream. Not zero means that a file or a program is wrong: show it.
    pub fn refused(&self) -> u64 {
        self.refused
    }
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
