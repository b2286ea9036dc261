//! The samples of a stream as rows, with those that were scored after the recording in their places.

use std::collections::HashSet;

use super::{SampleSeries, StreamInfo, StreamKind, Timeline, Timestamp};

/// What is added to a stream's name for the frames that the live worker skipped and that were scored afterwards.
pub const LATER: &str = "_later";

/// Rows of a stream and of the one that completes it, by time. A frame scored twice counts once, as it was live.
pub struct Rows<'a> {
    series: Vec<&'a SampleSeries>,
    /// Which series, and which row of it.
    order: Vec<(usize, usize)>,
}

impl<'a> Rows<'a> {
    /// `None` where the session has no such stream of samples.
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

    /// The sample streams of a session, each with what completes it; the completing ones are not named again.
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Body, Gap, GapReason, Record, affect_stream};
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
