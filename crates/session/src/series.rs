//! The samples of one stream in memory.

use std::ops::Range;

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
        SampleSeries { info, at, frame, seq, columns, pyramids }
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
            } else {
                // Rare: the sample arrives after a later one (scored after the session).
                self.pyramids[field] = Pyramid::of(column);
            }
        }
    }
}
