//! Places the times of streams with a nominal rate on a regular grid, as other readers do.

use super::header::Header;

/// A pause is longer than this time and than the time of so many samples.
const PAUSE_S: f64 = 1.0;
const PAUSE_SAMPLES: f64 = 500.0;
/// The largest relative difference between the measured and the nominal rate of a regular stream.
const MOST_OFF_RATE: f64 = 0.1;
/// The samples of a regular stream are closer to the grid than this, or than two of its steps.
const MOST_JITTER_S: f64 = 0.1;

/// `None`: the stream has no nominal rate, or does not keep it.
pub(super) fn on_grid(header: &Header, times: &[f64]) -> Option<Vec<f64>> {
    if header.rate_hz <= 0.0 || header.may_drop_samples || times.len() < 2 {
        return None;
    }
    let step_s = 1.0 / header.rate_hz;
    let pause_s = (PAUSE_SAMPLES * step_s).max(PAUSE_S);
    let mut grid = Vec::with_capacity(times.len());
    let (mut steps, mut lasted_s) = (0.0, 0.0);
    for stretch in times.chunk_by(|a, b| (b - a).abs() <= pause_s) {
        let begin = grid.len();
        grid.extend(line(stretch));
        steps += stretch.len() as f64 - 1.0;
        lasted_s += grid[grid.len() - 1] - grid[begin];
    }
    let keeps_rate = lasted_s > 0.0 && (steps / lasted_s - header.rate_hz).abs() <= MOST_OFF_RATE * header.rate_hz;
    let jitter_s = times.iter().zip(&grid).map(|(t, g)| (t - g).abs()).fold(0.0, f64::max);
    (keeps_rate && jitter_s <= MOST_JITTER_S.max(2.0 * step_s)).then_some(grid)
}

/// The least-squares line of the times over the sample number.
fn line(times: &[f64]) -> impl Iterator<Item = f64> {
    let n = times.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let (first, offsets) = (times[0], || times.iter().map(|t| t - times[0]));
    let mean = offsets().sum::<f64>() / n;
    let spread: f64 = (0..times.len()).map(|k| (k as f64 - middle).powi(2)).sum();
    let slope = if spread > 0.0 {
        offsets().enumerate().map(|(k, t)| (k as f64 - middle) * (t - mean)).sum::<f64>() / spread
    } else {
        0.0
    };
    (0..times.len()).map(move |k| first + mean + slope * (k as f64 - middle))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at_rate(rate_hz: f64) -> Header {
        Header { rate_hz, ..Header::default() }
    }

    #[test]
    fn jitter_is_taken_out_and_pauses_stay() {
        let jitter = |k: usize| 0.004 * (k as f64 * 12.9898).sin();
        let truth = |k: usize| 100.0 + 0.1 * k as f64 + if k < 50 { 0.0 } else { 60.0 };
        let times: Vec<f64> = (0..100).map(|k| truth(k) + jitter(k)).collect();
        let grid = on_grid(&at_rate(10.0), &times).unwrap();
        assert!((0..100).all(|k| (grid[k] - truth(k)).abs() < 0.002));
        assert_eq!(on_grid(&Header { may_drop_samples: true, ..at_rate(10.0) }, &times), None);
    }

    #[test]
    fn events_that_only_promise_a_rate_stay_where_they_are() {
        assert_eq!(on_grid(&at_rate(0.0), &[1.0, 2.0]), None);
        assert_eq!(on_grid(&at_rate(500.0), &[1.0, 1.7, 2.1, 9.0, 9.4]), None);
        // The mean rate is right by chance.
        assert_eq!(on_grid(&at_rate(1.0), &[0.0, 0.1, 0.2, 0.3, 4.9, 4.95, 6.0, 7.0, 8.0]), None);
        assert_eq!(on_grid(&at_rate(1.0), &[5.0]), None);
    }
}
