//! The samples of one stream in memory.

use std::ops::Range;

use super::block_sums::BlockSums;
use super::{Bucket, Pyramid, StreamInfo, Timestamp};

/// One sample stream, stored by column.
#[derive(Clone, Debug)]
pub struct SampleSeries {
    pub info: StreamInfo,
    at: Vec<Timestamp>,
    frame: Vec<Option<u64>>,
    seq: Vec<u64>,
    /// `columns[field][row]`
    columns: Vec<Vec<f32>>,
    pyramids: Vec<Pyramid>,
    sums: Vec<BlockSums>,
}

impl SampleSeries {
    pub(crate) fn new(info: StreamInfo) -> Self {
        let n = info.fields.len();
        SampleSeries {
            info,
            at: Vec::new(),
            frame: Vec::new(),
            seq: Vec::new(),
            columns: vec![Vec::new(); n],
            pyramids: vec![Pyramid::default(); n],
            sums: vec![BlockSums::default(); n],
        }
    }

    /// Rows in the order of their times. `columns` has one column for each field.
    pub(crate) fn from_columns(
        info: StreamInfo,
        at: Vec<Timestamp>,
        frame: Vec<Option<u64>>,
        seq: Vec<u64>,
        columns: Vec<Vec<f32>>,
    ) -> Self {
        let pyramids = columns.iter().map(|column| Pyramid::of(column)).collect();
        let sums = columns.iter().map(|column| BlockSums::of(column)).collect();
        SampleSeries { info, at, frame, seq, columns, pyramids, sums }
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

    /// Mean of the finite values of one field over `rows`, in O(log n). `None` if there are none.
    pub fn mean(&self, field: usize, rows: Range<usize>) -> Option<f64> {
        self.sums[field].over(&self.columns[field], rows).mean()
    }

    pub(crate) fn insert(&mut self, seq: u64, at: Timestamp, frame: Option<u64>, values: &[f32]) {
        let row = self.at.partition_point(|t| *t <= at);
        let is_last = row == self.at.len();
        self.at.insert(row, at);
        self.frame.insert(row, frame);
        self.seq.insert(row, seq);
        for (field, column) in self.columns.iter_mut().enumerate() {
            column.insert(row, values[field]);
            if is_last {
                self.pyramids[field].push(values[field]);
                self.sums[field].grow(column);
            } else {
                // Rare: the sample arrives after a later one (scored after the session).
                self.pyramids[field] = Pyramid::of(column);
                self.sums[field] = BlockSums::of(column);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::affect_stream;

    #[test]
    fn ranges_include_their_start_and_not_their_end() {
        let at = Timestamp::from_ns;
        let mut series = SampleSeries::new(affect_stream(30.0, "m"));
        // The last one arrives late.
        for (seq, ns) in [(0, 10), (1, 20), (2, 40), (3, 30)] {
            series.insert(seq, at(ns), Some(seq), &[ns as f32; crate::affect::FIELDS]);
        }
        assert!(!series.is_empty() && SampleSeries::new(affect_stream(30.0, "m")).is_empty());
        assert_eq!((series.times(), series.seqs()), (&[10, 20, 30, 40].map(at)[..], &[0, 1, 3, 2][..]));
        assert_eq!(series.column(0), [10.0, 20.0, 30.0, 40.0]);
        assert_eq!(series.extent(0, 1..3), Some(Bucket { min: 20.0, max: 30.0 }));
        assert_eq!((series.mean(0, 1..3), series.mean(0, 2..2)), (Some(25.0), None));
        assert_eq!((series.rows(at(20), at(40)), series.rows(at(21), at(41))), (1..3, 2..4));
        assert_eq!(series.rows(at(40), at(20)), 3..3);
        assert_eq!([9, 10, 39, 50].map(|ns| series.row_at(at(ns))), [None, Some(0), Some(2), Some(3)]);
    }
}
