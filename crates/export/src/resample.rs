//! Resamples to a regular grid, for formats that need one. The original times are always exported beside it.

use session::Timestamp;

/// Between two samples with a larger distance, the grid has unknown values instead of interpolated ones. In a slow stream, one
/// sample may be missing.
const LONGEST_BRIDGE_S: f64 = 0.25;
const LONGEST_BRIDGE_SAMPLES: f64 = 2.5;
/// Plausible rates of a stream: from a question every few hours to fast amplifiers.
const RATES_HZ: std::ops::RangeInclusive<f64> = 1e-4..=100_000.0;
/// If a grid has more points per sample than this, the file is damaged.
const POINTS_PER_SAMPLE: f64 = 10_000.0;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Grid {
    pub start: Timestamp,
    pub rate_hz: f64,
    /// The stream states no plausible rate, and its samples show none.
    pub is_rate_assumed: bool,
    pub points: usize,
}

impl Grid {
    /// The grid from the first of `times` to the last. `None` if there are no times. `Err` contains the length in seconds if
    /// it is not plausible. If the stream has no rate, it is computed from the median interval of the samples.
    pub(super) fn over(times: &[Timestamp], nominal_rate_hz: Option<f64>) -> Result<Option<Grid>, f64> {
        let (Some(first), Some(last)) = (times.first(), times.last()) else { return Ok(None) };
        let seconds = last.since_ns(*first) as f64 * 1e-9;
        let known_hz = nominal_rate_hz.filter(|r| RATES_HZ.contains(r)).or_else(|| middle_rate_hz(times));
        let (rate_hz, is_rate_assumed) = (known_hz.unwrap_or(1.0), known_hz.is_none());
        let points = (seconds * rate_hz + 1e-6).floor() + 1.0;
        if points > POINTS_PER_SAMPLE * times.len() as f64 + 1e6 {
            return Err(seconds);
        }
        Ok(Some(Grid { start: *first, rate_hz, is_rate_assumed, points: points as usize }))
    }

    pub(super) fn longest_bridge_s(&self) -> f64 {
        LONGEST_BRIDGE_S.max(LONGEST_BRIDGE_SAMPLES / self.rate_hz)
    }

    pub(super) fn time(&self, point: usize) -> Timestamp {
        let ns = (point as f64 * 1e9 / self.rate_hz).round() as i64;
        Timestamp::from_ns(self.start.as_ns().saturating_add(ns))
    }
}

fn middle_rate_hz(times: &[Timestamp]) -> Option<f64> {
    let mut intervals: Vec<i64> = times.windows(2).map(|w| w[1].since_ns(w[0])).filter(|ns| *ns > 0).collect();
    intervals.sort_unstable();
    let middle = *intervals.get(intervals.len() / 2)?;
    let hz = 1e9 / middle as f64;
    // A computed rate is rounded to two digits, a slow one to six.
    let digits = if hz < 1.0 { 1e6 } else { 100.0 };
    Some((hz * digits).round() / digits).filter(|r| RATES_HZ.contains(r))
}

/// Interpolates linearly. NaN if the neighbours are farther apart than [`Grid::longest_bridge_s`] or one of them is NaN.
/// `times` ascend.
pub(super) fn resample(grid: &Grid, times: &[Timestamp], values: &[f32]) -> Vec<f32> {
    let longest_ns = (grid.longest_bridge_s() * 1e9) as i64;
    let mut after = 0;
    let point = |k| {
        let at = grid.time(k);
        while after < times.len() && times[after] <= at {
            after += 1;
        }
        let before = after.checked_sub(1)?;
        let since_ns = at.since_ns(times[before]);
        if since_ns == 0 {
            return Some(values[before]);
        }
        let interval_ns = times.get(after)?.since_ns(times[before]);
        if interval_ns > longest_ns {
            return None;
        }
        let share = since_ns as f64 / interval_ns as f64;
        let (a, b) = (f64::from(values[before]), f64::from(values[after]));
        Some((a + (b - a) * share) as f32)
    };
    (0..grid.points).map(point).map(|v| v.unwrap_or(f32::NAN)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(n: i64) -> Timestamp {
        Timestamp::from_ns(n * 1_000_000)
    }

    #[test]
    fn a_hole_stays_a_hole_and_its_edges_are_kept() {
        let times = [ms(0), ms(100), ms(200), ms(600), ms(700)];
        let grid = Grid::over(&times, Some(10.0)).unwrap().unwrap();
        let got = resample(&grid, &times, &[0.0, 1.0, 2.0, 3.0, f32::NAN]);
        assert_eq!(grid.points, 8);
        assert_eq!(got[..3], [0.0, 1.0, 2.0]);
        assert!(got[3..6].iter().all(|v| v.is_nan()), "{got:?}");
        assert_eq!(got[6], 3.0);
        assert!(got[7].is_nan());
    }

    #[test]
    fn slow_and_fast_instruments_keep_their_rates_and_their_values() {
        for (rate_hz, is_stated) in
            [(5000.0, true), (250.0, true), (4.0, true), (1.0, true), (1.0, false), (0.005, false)]
        {
            // The sender's quartz is 20 ppm slow.
            let interval_ns = (1e9 / rate_hz * 1.000_02) as i64;
            let times: Vec<_> = (0..500).map(|k| Timestamp::from_ns(k * interval_ns)).collect();
            let grid = Grid::over(&times, Some(rate_hz).filter(|_| is_stated)).unwrap().unwrap();
            assert!((grid.rate_hz - rate_hz).abs() < 1e-4 * rate_hz && !grid.is_rate_assumed, "{grid:?}");
            let got = resample(&grid, &times, &vec![1.0; times.len()]);
            let unknown = got.iter().filter(|v| v.is_nan()).count();
            assert!(got.len() >= 500 && unknown <= 1, "{unknown} of {} at {rate_hz} Hz", got.len());
        }
    }

    #[test]
    fn a_rate_that_nothing_shows_is_said_to_be_assumed() {
        let grid = Grid::over(&[ms(5), ms(5)], None).unwrap().unwrap();
        assert_eq!((grid.rate_hz, grid.is_rate_assumed, grid.points), (1.0, true, 1));
    }

    #[test]
    fn a_damaged_file_cannot_ask_for_an_endless_grid() {
        assert!(Grid::over(&[ms(0), Timestamp::from_ns(i64::MAX)], Some(1000.0)).is_err());
        for rate in [f64::NAN, 0.0, -1.0, 1e300] {
            let grid = Grid::over(&[ms(0), ms(50), ms(100)], Some(rate)).unwrap().unwrap();
            assert_eq!((grid.rate_hz, grid.points), (20.0, 3));
        }
        assert_eq!(Grid::over(&[], Some(30.0)), Ok(None));
    }

    proptest! {
        #[test]
        fn never_beyond_what_was_measured(steps in prop::collection::vec((1i64..400, -1f32..1.0), 1..100), rate in 1.0f64..100.0) {
            let mut at = 0;
            let times: Vec<_> = steps.iter().map(|(step, _)| { at += step; ms(at) }).collect();
            let values: Vec<_> = steps.iter().map(|(_, v)| *v).collect();
            let grid = Grid::over(&times, Some(rate)).unwrap().unwrap();
            let got = resample(&grid, &times, &values);
            prop_assert_eq!(got.len(), grid.points);
            prop_assert!(grid.time(grid.points - 1) <= times[times.len() - 1] + std::time::Duration::from_nanos(1));
            for v in got {
                prop_assert!(v.is_nan() || v.abs() <= 1.0);
            }
        }
    }
}
