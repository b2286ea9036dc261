//! One field of a stream over time, with its original times and on a regular grid.

use session::{Rows, Timeline};

/// From this many samples a grid step on, a grid point is their mean; below, it is interpolated between two.
const SAMPLES_TO_AVERAGE: f64 = 1.5;

/// Two samples of a stream with a nominal rate may always be this many intervals apart. Above 1, because samples are not
/// exactly regular; below 2, because then one is missing.
const BRIDGED_INTERVALS: f64 = 1.5;

/// The longest time between two samples of a stream that is interpolated: `longest_s`, or 1.5 nominal intervals.
pub(super) fn bridge_s(longest_s: f64, nominal_rate_hz: Option<f64>) -> f64 {
    let intervals_s = nominal_rate_hz.filter(|hz| *hz > 0.0).map_or(0.0, |hz| BRIDGED_INTERVALS / hz);
    longest_s.max(intervals_s)
}

/// Finite values by time.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signal {
    pub at_ns: Vec<i64>,
    pub values: Vec<f32>,
    /// What the stream says of itself; `None` where samples come when they come.
    pub nominal_rate_hz: Option<f64>,
}

/// A field of a stream together with what was scored later for the frames that were skipped live. A frame that has
/// both counts once, as it was read live. Values that are no finite numbers are left out. `None`: no such stream or
/// field.
pub fn signal(timeline: &Timeline, stream: &str, field: &str) -> Option<Signal> {
    let rows = Rows::of(timeline, stream)?;
    let field = rows.info().field_index(field)?;
    Some(Signal::of(&rows, field))
}

impl Signal {
    /// The finite values of one field of a stream.
    pub(super) fn of(rows: &Rows<'_>, field: usize) -> Signal {
        let mut signal = Signal { nominal_rate_hz: rows.info().nominal_rate_hz, ..Signal::default() };
        for k in 0..rows.len() {
            let value = rows.value(k, field);
            if value.is_finite() {
                signal.at_ns.push(rows.time(k).as_ns());
                signal.values.push(value);
            }
        }
        signal
    }

    pub fn len(&self) -> usize {
        self.at_ns.len()
    }

    pub fn is_empty(&self) -> bool {
        self.at_ns.is_empty()
    }

    /// The values at `from_ns`, `from_ns + step_ns`, …, `n` of them; NaN where the samples on both sides lie further
    /// apart than `longest_bridge_ns`, and before the first and after the last.
    ///
    /// Interpolated linearly; where the grid is coarser than the samples, the mean of those nearest to each point.
    pub fn on_grid(&self, offsets_ns: &[i64], origin_ns: i64, step_ns: i64, longest_bridge_ns: i64) -> Vec<f32> {
        let averages = self.nominal_rate_hz.is_some_and(|hz| step_ns as f64 * 1e-9 * hz >= SAMPLES_TO_AVERAGE);
        let at = |offset: &i64| {
            let t = origin_ns.saturating_add(*offset);
            let mean = if averages { self.mean(t.saturating_sub(step_ns / 2), step_ns) } else { None };
            mean.or_else(|| self.between(t, longest_bridge_ns)).unwrap_or(f32::NAN)
        };
        offsets_ns.iter().map(at).collect()
    }

    fn mean(&self, from_ns: i64, length_ns: i64) -> Option<f32> {
        let start = self.at_ns.partition_point(|at| *at < from_ns);
        let inside = self.at_ns[start..].iter().take_while(|at| **at < from_ns.saturating_add(length_ns)).count();
        let values = &self.values[start..start + inside];
        (inside > 0).then(|| (values.iter().map(|v| f64::from(*v)).sum::<f64>() / inside as f64) as f32)
    }

    fn between(&self, t: i64, longest_ns: i64) -> Option<f32> {
        let next = self.at_ns.partition_point(|at| *at < t);
        let after = *self.at_ns.get(next)?;
        if after == t {
            return Some(self.values[next]);
        }
        let before = self.at_ns[next.checked_sub(1)?];
        let apart = after.saturating_sub(before);
        let share = t.saturating_sub(before) as f64 / apart as f64;
        let (a, b) = (f64::from(self.values[next - 1]), f64::from(self.values[next]));
        (apart <= longest_ns).then_some((a + (b - a) * share) as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::{Body, Record, StreamInfo, Timestamp, affect_stream};
    use std::sync::Arc;

    fn series(pairs: &[(i64, f32)], rate_hz: f64) -> Signal {
        let (at_ns, values) = pairs.iter().copied().unzip();
        Signal { at_ns, values, nominal_rate_hz: Some(rate_hz) }
    }

    #[test]
    fn a_hole_is_bridged_up_to_its_limit_and_nothing_is_made_up_outside() {
        let s = series(&[(0, 0.0), (100, 1.0), (500, 5.0)], 1e7);
        let grid = |bridge| s.on_grid(&[-1, 0, 50, 100, 300, 500, 501], 0, 50, bridge);
        let same = |a: Vec<f32>, b: [f32; 7]| a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits());
        let n = f32::NAN;
        assert!(same(grid(400), [n, 0.0, 0.5, 1.0, 3.0, 5.0, n]));
        assert!(same(grid(399), [n, 0.0, 0.5, 1.0, n, 5.0, n]));
    }

    #[test]
    fn a_coarser_grid_averages() {
        let s = series(&[(0, 0.0), (10, 1.0), (20, 2.0), (30, 3.0), (40, 40.0)], 1e8);
        assert_eq!(s.on_grid(&[10, 40], 0, 30, 100), [1.0, 21.5]);
    }

    #[test]
    fn frames_scored_later_fill_the_holes_and_change_nothing() {
        let mut t = Timeline::default();
        let live = affect_stream(30.0, "m");
        t.declare(StreamInfo { name: "affect_later".parse().unwrap(), ..live.clone() });
        t.declare(live);
        let mut put = |stream: &str, seq: u64, frame: u64, valence: f32| {
            let mut values = vec![0.0; 12];
            values[0] = valence;
            let at = Timestamp::from_ns(frame as i64 * 10);
            let body = Body::Sample { frame: Some(frame), values: values.into() };
            t.ingest(&Record { stream: Arc::new(stream.parse().unwrap()), seq, at, body });
        };
        [(0, 0.1), (2, 0.2), (3, f32::NAN)].iter().enumerate().for_each(|(k, (f, v))| put("affect", k as u64, *f, *v));
        [(1, 0.5), (2, 0.9), (4, 0.6)].iter().enumerate().for_each(|(k, (f, v))| put("affect_later", k as u64, *f, *v));
        let s = signal(&t, "affect", "valence").unwrap();
        assert_eq!(s.at_ns, [0, 10, 20, 40]);
        assert_eq!(s.values, [0.1, 0.5, 0.2, 0.6]);
        assert_eq!(signal(&t, "affect", "joy"), None);
        assert_eq!(signal(&t, "pulse", "bpm"), None);
    }

    proptest! {
        #[test]
        fn a_grid_value_lies_between_its_neighbours(
            mut at in prop::collection::vec(0i64..10_000, 1..80), step in 1i64..400, bridge in 1i64..1000,
        ) {
            at.sort_unstable();
            at.dedup();
            let s = series(&at.iter().map(|t| (*t, (*t as f32 * 0.01).sin())).collect::<Vec<_>>(), 1e6);
            let offsets: Vec<i64> = (0..50).map(|k| k * step).collect();
            for (t, v) in offsets.iter().zip(s.on_grid(&offsets, 0, step, bridge)) {
                let (before, after) = (at.iter().rev().find(|a| *a <= t), at.iter().find(|a| *a >= t));
                match (before, after) {
                    (Some(a), Some(b)) if b - a <= bridge => {
                        let (a, b) = ((*a as f32 * 0.01).sin(), (*b as f32 * 0.01).sin());
                        prop_assert!(v >= a.min(b) - 1e-6 && v <= a.max(b) + 1e-6);
                    }
                    _ => prop_assert!(v.is_nan()),
                }
            }
        }
    }
}
