//! The samples of a stream as rows, together with the samples that were scored after the recording.

use std::collections::HashSet;

use super::{EventRow, Gap, GapReason, SampleSeries, StreamInfo, StreamKind, Timeline, Timestamp};

/// Suffix of the stream with the frames that the live worker skipped and that were scored after the recording.
pub const LATER: &str = "_later";

/// Rows of a stream and of its `_later` stream, by time. If a frame was scored twice, the live row is used.
pub struct Rows<'a> {
    series: Vec<&'a SampleSeries>,
    /// Index of the series, and row in it.
    order: Vec<(usize, usize)>,
}

impl<'a> Rows<'a> {
    /// `None` if the session has no sample stream of this name.
    pub fn of(timeline: &'a Timeline, stream: &str) -> Option<Rows<'a>> {
        let live = timeline.series(stream)?;
        let later =
            timeline.series(&format!("{stream}{LATER}")).filter(|l| l.info.fields.len() == live.info.fields.len());
        let mut order: Vec<_> = (0..live.len()).map(|row| (0, row)).collect();
        if let Some(later) = later {
            let scored: HashSet<u64> = live.frames().iter().flatten().copied().collect();
            let is_new = |row: &usize| later.frames()[*row].is_none_or(|frame| !scored.contains(&frame));
            order.extend((0..later.len()).filter(is_new).map(|row| (1, row)));
        }
        let series: Vec<_> = std::iter::once(live).chain(later).collect();
        order.sort_by_key(|(which, row)| series[*which].times()[*row]);
        Some(Rows { series, order })
    }

    /// The sample streams of a session, without the `_later` streams that complete them.
    pub fn streams(timeline: &Timeline) -> impl Iterator<Item = &StreamInfo> {
        timeline.streams().filter(|s| {
            let completes = s.name.as_str().strip_suffix(LATER).is_some_and(|live| timeline.series(live).is_some());
            s.kind == StreamKind::Samples && !completes
        })
    }

    pub fn info(&self) -> &'a StreamInfo {
        &self.series[0].info
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn time(&self, k: usize) -> Timestamp {
        let (which, row) = self.order[k];
        self.series[which].times()[row]
    }

    pub fn frame(&self, k: usize) -> Option<u64> {
        let (which, row) = self.order[k];
        self.series[which].frames()[row]
    }

    pub fn value(&self, k: usize, field: usize) -> f32 {
        let (which, row) = self.order[k];
        self.series[which].column(field)[row]
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub fn seq(&self, k: usize) -> u64 {
        let (which, row) = self.order[k];
        self.series[which].seqs()[row]
    }

    pub fn times(&self) -> Vec<Timestamp> {
        (0..self.len()).map(|k| self.time(k)).collect()
    }

    pub fn column(&self, field: usize) -> Vec<f32> {
        (0..self.len()).map(|k| self.value(k, field)).collect()
    }

    fn to_series(&self) -> SampleSeries {
        let frames = (0..self.len()).map(|k| self.frame(k)).collect();
        let seqs = (0..self.len()).map(|k| self.seq(k)).collect();
        let columns = (0..self.info().fields.len()).map(|field| self.column(field)).collect();
        SampleSeries::from_columns(self.info().clone(), self.times(), frames, seqs, columns)
    }
}

impl Timeline {
    /// The timeline for display: samples that were scored after the recording are in the stream whose live scoring
    /// skipped them, without the gaps that they fill.
    pub fn completed(&self) -> Timeline {
        let mut whole = self.clone();
        for info in Rows::streams(self) {
            let Some(later) = self.series(&format!("{}{LATER}", info.name)).filter(|s| !s.is_empty()) else { continue };
            let Some(rows) = Rows::of(self, info.name.as_str()) else { continue };
            whole.replace_series(rows.to_series());
            whole.replace_series(SampleSeries::new(later.info.clone()));
            let is_filled = |gap: &EventRow<Gap>| {
                gap.what.reason == GapReason::Skipped
                    && *gap.stream == info.name
                    && !later.rows(gap.at, gap.what.until).is_empty()
            };
            whole.retain_gaps(|gap| !is_filled(gap));
        }
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, Record, affect_stream};
    use std::sync::Arc;

    #[test]
    fn what_was_scored_later_stands_in_its_place_and_once() {
        let mut t = Timeline::default();
        t.declare(affect_stream(30.0, "m"));
        t.declare(StreamInfo { name: "affect_later".parse().unwrap(), ..affect_stream(30.0, "m") });
        for (stream, seq, frame) in [("affect", 0, 0), ("affect", 1, 2), ("affect_later", 0, 1), ("affect_later", 1, 2)]
        {
            t.ingest(&Record {
                stream: Arc::new(stream.parse().unwrap()),
                seq,
                at: Timestamp::from_ns(frame * 10),
                body: Body::Sample { frame: Some(frame as u64), values: vec![seq as f32; 12].into() },
            });
        }
        let rows = Rows::of(&t, "affect").unwrap();
        assert_eq!((0..rows.len()).map(|k| rows.frame(k)).collect::<Vec<_>>(), [Some(0), Some(1), Some(2)]);
        assert_eq!(rows.column(0), [0.0, 0.0, 1.0]);
        assert_eq!(((0..rows.len()).map(|k| rows.seq(k)).collect::<Vec<_>>(), rows.is_empty()), (vec![0, 0, 1], false));
        assert_eq!(Rows::streams(&t).count(), 1);

        let gap = |reason| {
            let gap = Gap { until: Timestamp::from_ns(20), reason, lost: 1, note: String::new() };
            let stream = Arc::new("affect".parse().unwrap());
            Record { stream, seq: 10 + reason as u64, at: Timestamp::ZERO, body: Body::Gap(gap) }
        };
        t.ingest(&gap(GapReason::Skipped));
        t.ingest(&gap(GapReason::CameraLost));
        let whole = t.completed();
        let affect = whole.series("affect").unwrap();
        assert_eq!(affect.frames(), [Some(0), Some(1), Some(2)]);
        assert_eq!(affect.extent(0, 0..3).unwrap().max, 1.0);
        assert!(whole.series("affect_later").unwrap().is_empty());
        assert_eq!(whole.gaps().iter().map(|g| g.what.reason).collect::<Vec<_>>(), [GapReason::CameraLost]);
        assert_eq!(t.gaps().len(), 2, "what is stored stays as it is");
    }
}
