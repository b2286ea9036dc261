//! Where the samples of a stream do not continue: after a pause, and after a gap that the stream states. Curves and means
//! do not cross these places.

use std::ops::Range;

use session::{SampleSeries, Timestamp};

use super::decimate::longest_step_s;

/// The first rows after pauses and gaps, in order. Kept up to date as samples arrive, so that drawing does not search for
/// them.
#[derive(Debug, Default)]
pub struct RunBreaks {
    rows: Vec<usize>,
    /// The number of rows that were read.
    read: usize,
    /// The number of the last record that was read.
    last: Option<u64>,
}

impl RunBreaks {
    /// `gaps` are the starts of the stream's gaps.
    pub fn of(series: &SampleSeries, gaps: impl Iterator<Item = Timestamp>) -> RunBreaks {
        let mut breaks = RunBreaks::default();
        breaks.read(series);
        gaps.for_each(|at| breaks.add_gap(series, at));
        breaks
    }

    /// Whether the samples that were read are still in their rows. A sample that arrived late has moved those after it.
    pub fn is_of(&self, series: &SampleSeries) -> bool {
        let last = self.read.checked_sub(1).and_then(|row| series.seqs().get(row).copied());
        last == self.last
    }

    /// Reads the samples that have been added after the others.
    pub fn read(&mut self, series: &SampleSeries) {
        let (times, pause_s) = (series.times(), longest_step_s(series));
        for row in self.read.max(1)..times.len() {
            if times[row].since_ns(times[row - 1]) as f64 * 1e-9 > pause_s {
                self.insert(row);
            }
        }
        self.read = times.len();
        self.last = series.seqs().last().copied();
    }

    /// Adds a gap that begins at `at`. The first row after it may not have arrived yet.
    pub fn add_gap(&mut self, series: &SampleSeries, at: Timestamp) {
        self.insert(series.row_at(at).map_or(0, |row| row + 1));
    }

    /// Whether a pause or a gap is before this row.
    pub fn is_before(&self, row: usize) -> bool {
        self.rows.binary_search(&row).is_ok()
    }

    /// The rows that continue each other around `row`. The end may be after the last row.
    pub fn run(&self, row: usize) -> Range<usize> {
        let next = self.rows.partition_point(|first| *first <= row);
        let start = next.checked_sub(1).map_or(0, |k| self.rows[k]);
        start..self.rows.get(next).copied().unwrap_or(usize::MAX)
    }

    fn insert(&mut self, row: usize) {
        if let Err(place) = self.rows.binary_search(&row) {
            self.rows.insert(place, row);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{Body, Record, Timeline, pulse_stream};
    use std::sync::Arc;

    fn at(seconds: f64) -> Timestamp {
        Timestamp::from_secs_f64(seconds)
    }

    /// One sample at each of these seconds. The stream has one sample per second, and 4 s are a pause.
    fn timeline(seconds: &[f64]) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.declare(pulse_stream("test"));
        let stream = Arc::new("pulse".parse().unwrap());
        for (seq, second) in seconds.iter().enumerate() {
            let body = Body::sample(None, &[60.0, 1.0, 0.9]);
            timeline.ingest(&Record { stream: Arc::clone(&stream), seq: seq as u64, at: at(*second), body });
        }
        timeline
    }

    #[test]
    fn pauses_and_gaps_divide_the_samples() {
        let timeline = timeline(&[0.0, 1.0, 2.0, 4.0, 5.0, 11.0, 12.0]);
        let series = timeline.series("pulse").unwrap();
        // The gap states that there is no value at 3 s. The last one begins after the last sample.
        let breaks = RunBreaks::of(series, [at(3.0), at(12.5)].into_iter());
        let runs = [0, 2, 3, 4, 5, 6].map(|row| breaks.run(row));
        assert_eq!(runs, [0..3, 0..3, 3..5, 3..5, 5..7, 5..7]);
        assert!(breaks.is_before(3) && breaks.is_before(5) && breaks.is_before(7) && !breaks.is_before(4));
        let without = RunBreaks::of(series, std::iter::empty());
        assert_eq!((without.run(0), without.run(6)), (0..5, 5..usize::MAX));
    }

    #[test]
    fn what_arrives_in_pieces_has_the_same_breaks() {
        let seconds = [0.0, 1.0, 9.0, 10.0, 30.0, 31.0];
        let mut breaks = RunBreaks::default();
        for n in 0..=seconds.len() {
            let timeline = timeline(&seconds[..n]);
            let series = timeline.series("pulse").unwrap();
            assert!(breaks.is_of(series));
            breaks.read(series);
        }
        assert_eq!(breaks.rows, [2, 4]);
        // A sample that arrives late moves the rows.
        let timeline = timeline(&[0.0, 1.0, 9.0, 10.0, 30.0, 31.0, 5.0]);
        assert!(!breaks.is_of(timeline.series("pulse").unwrap()));
    }
}
