//! Finds the times in which a clock ran without a step, from measurements with outliers.

use super::robust_line::weighted_median;

/// The largest difference in rate of two clocks that both count seconds.
pub const MOST_DRIFT: f64 = 0.01;
/// Smaller deviations from the line are noise: network delays, the screen's refresh.
const SMALLEST_STEP_S: f64 = 0.01;
/// A neighbour may be off by this many standard deviations of what neighbours usually are.
const STEP_IN_SD: f64 = 8.0;
/// Quartz drifts by less than 200 ppm, a clock that is being set by at most 500 ppm (NTP's limit).
const DRIFT_SLACK: f64 = 5e-4;
/// From the lower third of absolute values to a normal distribution's standard deviation.
const SD_OF_LOWER_THIRD: f64 = 2.322;
/// At most this number of points that leave a line are outliers if the line continues after them. More points mean that the
/// clock was changed.
pub const MOST_WILD: usize = 2;
/// A busy network delays so many measurements in a row, by less than [`MOST_DELAY_S`].
const MOST_DELAYED: usize = 12;
/// Recorders discard answers with a longer delay.
pub const MOST_DELAY_S: f64 = 0.25;
/// A run is looked for behind at most so many others.
const MOST_BETWEEN: usize = 64;

/// A time in which a clock ran without a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClockRuns {
    /// Positions of the points that lie on one line, in their order.
    pub runs: Vec<Vec<usize>>,
    /// Points between two ends of the same run that do not lie on it.
    pub wild: Vec<usize>,
}

/// `points` in the order in which they were measured: time on the one clock, and what the other clock had more. All
/// finite.
pub fn clock_runs(points: &[(f64, f64)]) -> ClockRuns {
    let Neighbours { drift, tolerance_s } = Neighbours::of(points);
    let step = |a: usize, b: usize| {
        let (dt, dv) = (points[b].0 - points[a].0, points[b].1 - points[a].1);
        ((dv - drift * dt).abs(), tolerance_s + DRIFT_SLACK * dt.abs())
    };
    let agree = |a: usize, b: usize| step(a, b).0 <= step(a, b).1;
    let mut found = ClockRuns::default();
    for k in 0..points.len() {
        let goes_on = |run: &Vec<usize>| run.last().is_some_and(|last| agree(*last, k));
        let is_passing = |run: &&Vec<usize>| {
            let is_delayed = || run[0] > 0 && step(run[0] - 1, run[0]).0 < MOST_DELAY_S;
            run.len() <= MOST_WILD || (run.len() <= MOST_DELAYED && is_delayed())
        };
        // The run that it continues, behind nothing but a few wild points; the oldest, for one late point may agree with
        // the next.
        let few = found.runs.iter().rev().take(MOST_BETWEEN).take_while(is_passing).count();
        let mut within_reach = found.runs.len().saturating_sub(few + 1)..found.runs.len();
        match within_reach.find(|r| goes_on(&found.runs[*r])) {
            Some(r) => {
                found.wild.extend(found.runs.drain(r + 1..).flatten());
                found.runs[r].push(k);
            }
            None => found.runs.push(vec![k]),
        }
    }
    found.wild.sort_unstable();
    // Between two wild ones that agreed by chance a good one was taken for wild.
    found.wild.retain(|k| match found.runs.iter_mut().find(|run| run.len() > MOST_WILD && lies_on(run, *k, agree)) {
        Some(run) => {
            run.insert(run.partition_point(|other| other < k), *k);
            false
        }
        None => true,
    });
    found
}

/// Whether a point agrees with its neighbours on a run.
fn lies_on(run: &[usize], point: usize, agree: impl Fn(usize, usize) -> bool) -> bool {
    let after = run.partition_point(|k| *k < point);
    let neighbours = [after.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|k| run.get(k));
    neighbours.into_iter().all(|k| agree(*k, point))
}

/// What is usual from one point to the next.
struct Neighbours {
    drift: f64,
    tolerance_s: f64,
}

impl Neighbours {
    fn of(points: &[(f64, f64)]) -> Neighbours {
        let steps = || points.windows(2).map(|w| (w[1].0 - w[0].0, w[1].1 - w[0].1));
        let slopes = steps().filter(|(dt, _)| *dt > 0.0).map(|(dt, dv)| (dv / dt, dt)).collect();
        let drift = weighted_median(slopes).filter(|d| d.abs() <= MOST_DRIFT).unwrap_or(0.0);
        let mut off: Vec<f64> = steps().map(|(dt, dv)| (dv - drift * dt).abs()).collect();
        off.sort_by(f64::total_cmp);
        // The lower third and not the median: each wild point spoils two of them. Of a single one nothing is usual.
        let usual_s = if off.len() < 2 { 0.0 } else { off[(off.len() - 1) / 3] };
        let sd_s = SD_OF_LOWER_THIRD * usual_s / std::f64::consts::SQRT_2;
        Neighbours { drift, tolerance_s: SMALLEST_STEP_S + STEP_IN_SD * sd_s }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(offsets: &[f64]) -> (Vec<usize>, Vec<usize>) {
        let points: Vec<_> = offsets.iter().enumerate().map(|(k, v)| (5.0 * k as f64, *v)).collect();
        let found = clock_runs(&points);
        (found.runs.iter().map(Vec::len).collect(), found.wild)
    }

    #[test]
    fn wild_points_end_no_run_and_steps_do() {
        let level = |n: usize, v: f64| vec![v; n];
        assert_eq!(runs(&[]), (vec![], vec![]));
        assert_eq!(runs(&[1.0]), (vec![1], vec![]));
        assert_eq!(runs(&[1.0, 1.001]), (vec![2], vec![]));
        assert_eq!(runs(&level(40, 0.2)), (vec![40], vec![]));
        assert_eq!(runs(&[level(20, 0.0), level(1, 14.0), level(20, 0.0)].concat()), (vec![40], vec![20]));
        assert_eq!(runs(&[level(20, 0.0), vec![14.0, -3.0], level(20, 0.0)].concat()), (vec![40], vec![20, 21]));
        assert_eq!(runs(&[level(20, 0.0), level(20, 0.05)].concat()), (vec![20, 20], vec![]));
        assert_eq!(runs(&[level(20, 0.0), level(5, 50.0), level(20, 0.0)].concat()), (vec![20, 5, 20], vec![]));
        // Late, later, and on the way back.
        assert_eq!(runs(&[level(20, 0.0), vec![0.015, 0.009], level(20, 0.0)].concat()).0, [41]);
        // A network that was busy for half a minute, and a wild last one.
        assert_eq!(runs(&[level(20, 0.0), level(6, 0.05), level(20, 0.0)].concat()), (vec![40], (20..26).collect()));
        assert_eq!(runs(&[level(20, 0.0), level(1, 9.0)].concat()), (vec![20, 1], vec![]));
    }

    #[test]
    fn drift_and_noise_are_no_steps() {
        let noise = |k: usize, size: f64| size * (k as f64 * 12.9898).sin();
        let drifting: Vec<f64> = (0..500).map(|k| -1e4 + k as f64 * 5.0 * 0.009 + noise(k, 1e-3)).collect();
        assert_eq!(runs(&drifting), (vec![500], vec![]));
        let noisy: Vec<f64> = (0..500).map(|k| noise(k, 0.03)).collect();
        assert_eq!(runs(&noisy), (vec![500], vec![]));
        // Measured again after ten minutes.
        let times = (0..20).map(|k| if k < 10 { 5.0 * f64::from(k) } else { 600.0 + 5.0 * f64::from(k) });
        let points: Vec<_> = times.map(|t| (t, t * 1e-4)).collect();
        assert_eq!(clock_runs(&points).runs.len(), 1);
    }
}
