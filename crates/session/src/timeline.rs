//! All committed records of one session in memory, ordered by time, for drawing and analysis.
//!
//! [`Timeline::ingest`] is the only way to add records, live or stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Body, Gap, Numbers, Record, SampleSeries, StreamInfo, StreamName, Timestamp};

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

    /// Earliest and latest time of the records of the recording. Added streams are not included.
    pub fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }

    /// Replaces the samples of one stream.
    pub(crate) fn replace_series(&mut self, series: SampleSeries) {
        self.series.insert(series.info.name.clone(), series);
    }

    pub(crate) fn retain_gaps(&mut self, keep: impl Fn(&EventRow<Gap>) -> bool) {
        self.gaps.retain(keep);
    }

    /// Number of records that fitted no stream. A value above 0 indicates a damaged file or a program error: display it.
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
