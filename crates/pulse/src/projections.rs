//! From three colours to one pulse wave.
//!
//! - POS: Wang, den Brinker, Stuijk, de Haan, "Algorithmic principles of remote PPG", IEEE Trans. Biomed. Eng. 64(7), 2017.
//! - CHROM: de Haan, Jeanne, "Robust pulse rate from chrominance-based rPPG", IEEE Trans. Biomed. Eng. 60(10), 2013.
//! - Green: Verkruysse, Svaasand, Nelson, "Remote plethysmographic imaging using ambient light", Optics Express 16(26), 2008.
//! - PBV: de Haan, van Leest, "Improved motion robustness of remote-PPG by using the blood volume pulse signature",
//!   Physiol. Meas. 35(9), 2014. [`joint`] is the same equation over the channels of all regions at once.

use super::grid::{GRID_HZ, GRID_LEN};
use super::linear::{dot, products, solve};

/// Sliding window of POS and CHROM: 1.6 s, as published for POS.
const SLIDE_LEN: usize = (1.6 * GRID_HZ) as usize;
/// The moving mean that is taken as the colour without pulse: 2 s, longer than a beat at 39 bpm.
const MEAN_HALF_LEN: usize = GRID_HZ as usize;
/// The direction of the pulse in normalised red, green and blue.
pub(crate) const PULSE_DIRECTION: [f64; 3] = [0.33, 0.77, 0.53];
/// Without loading, an error of the direction cancels a strong pulse.
const LOADING: f64 = 0.03;

/// Relative changes of a channel in the band of the pulse: divided by its moving mean, then smoothed.
pub(crate) fn relative(levels: &[f64]) -> Vec<f64> {
    let moving = moving_mean(levels);
    smooth(&levels.iter().zip(&moving).map(|(level, mean)| level / mean.max(1e-3) - 1.0).collect::<Vec<_>>())
}

/// Changes of a signal in the same band, in its own unit.
pub(crate) fn changes(values: &[f64]) -> Vec<f64> {
    let moving = moving_mean(values);
    smooth(&values.iter().zip(&moving).map(|(value, mean)| value - mean).collect::<Vec<_>>())
}

/// Near the ends the mean is that of a straight line through the values around, so that a slope is not taken for a change.
fn moving_mean(values: &[f64]) -> Vec<f64> {
    let line = |k: usize| {
        let (start, end) = (k.saturating_sub(MEAN_HALF_LEN), (k + MEAN_HALF_LEN + 1).min(values.len()));
        let part = &values[start..end];
        let count = part.len() as f64;
        let middle = (count - 1.0) / 2.0;
        let mean = part.iter().sum::<f64>() / count;
        let slope = part.iter().enumerate().map(|(j, v)| (j as f64 - middle) * (v - mean)).sum::<f64>()
            / (count * (count * count - 1.0) / 12.0).max(1.0);
        mean + slope * ((k - start) as f64 - middle)
    };
    (0..values.len()).map(line).collect()
}

/// Binomial weights over five points: 0.76 of the amplitude at 3.5 Hz, 0.3 at 7 Hz.
fn smooth(values: &[f64]) -> Vec<f64> {
    let at = |k: usize, by: isize| values[(k as isize + by).clamp(0, values.len() as isize - 1) as usize];
    let smoothed = |k| (at(k, -2) + at(k, 2) + 4.0 * (at(k, -1) + at(k, 1)) + 6.0 * at(k, 0)) / 16.0;
    (0..values.len()).map(smoothed).collect()
}

/// Removes what `nuisances` explain of `signal` by least squares. Returns the removed share of its power.
pub(crate) fn remove(signal: &mut [f64], nuisances: &[Vec<f64>]) -> f64 {
    let refs: Vec<&[f64]> = nuisances.iter().map(Vec::as_slice).collect();
    let before = dot(signal, signal);
    let right: Vec<f64> = refs.iter().map(|n| dot(n, signal)).collect();
    let Some(weights) = solve(products(&refs, 1e-6), right) else { return 0.0 };
    for (nuisance, weight) in refs.iter().zip(weights) {
        signal.iter_mut().zip(*nuisance).for_each(|(s, n)| *s -= weight * n);
    }
    if before > 0.0 { (1.0 - dot(signal, signal) / before).clamp(0.0, 1.0) } else { 0.0 }
}

pub(crate) type Colour = [Vec<f64>; 3];

pub(crate) fn pos(colour: &Colour) -> Vec<f64> {
    sliding(colour, |[r, g, b]| (g - b, g + b - 2.0 * r), 1.0)
}

pub(crate) fn chrom(colour: &Colour) -> Vec<f64> {
    sliding(colour, |[r, g, b]| (3.0 * r - 2.0 * g, 1.5 * r + g - 1.5 * b), -1.0)
}

/// In each sliding window, two combinations of the colours are scaled to the same deviation and added with `sign`.
fn sliding(colour: &Colour, combine: impl Fn([f64; 3]) -> (f64, f64), sign: f64) -> Vec<f64> {
    let mut wave = vec![0.0; GRID_LEN];
    let [red, green, blue] = colour;
    let (first, second): (Vec<f64>, Vec<f64>) = (0..GRID_LEN).map(|k| combine([red[k], green[k], blue[k]])).unzip();
    for start in (0..=GRID_LEN - SLIDE_LEN).step_by(SLIDE_LEN / 8) {
        let part = start..start + SLIDE_LEN;
        let (a, b) = (centred(&first[part.clone()]), centred(&second[part.clone()]));
        let ratio = (dot(&a, &a) / dot(&b, &b).max(1e-30)).sqrt();
        let sum = a.iter().zip(&b).map(|(a, b)| a + sign * ratio * b);
        for (j, (to, value)) in wave[part].iter_mut().zip(sum).enumerate() {
            let turn = std::f64::consts::TAU * (j as f64 + 0.5) / SLIDE_LEN as f64;
            *to += value * (1.0 - turn.cos());
        }
    }
    wave
}

fn centred(values: &[f64]) -> Vec<f64> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|v| v - mean).collect()
}

/// The combination of all channels of all regions with the least power that keeps a pulse of [`PULSE_DIRECTION`].
pub(crate) fn joint(regions: &[Colour]) -> Vec<f64> {
    let channels: Vec<&[f64]> = regions.iter().flatten().map(Vec::as_slice).collect();
    let steering = PULSE_DIRECTION.repeat(regions.len());
    let Some(weights) = solve(products(&channels, LOADING), steering) else { return vec![0.0; GRID_LEN] };
    (0..GRID_LEN).map(|k| channels.iter().zip(&weights).map(|(c, w)| c[k] * w).sum()).collect()
}

/// The mean of several regions, channel by channel.
pub(crate) fn mean_of(regions: &[Colour]) -> Colour {
    let count = regions.len() as f64;
    std::array::from_fn(|c| (0..GRID_LEN).map(|k| regions.iter().map(|r| r[c][k]).sum::<f64>() / count).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sine(hz: f64, amplitude: f64) -> Vec<f64> {
        (0..GRID_LEN).map(|k| amplitude * (std::f64::consts::TAU * hz * k as f64 / GRID_HZ).sin()).collect()
    }

    fn power(values: &[f64]) -> f64 {
        dot(values, values) / values.len() as f64
    }

    fn colour(pulse: f64, light: f64) -> Colour {
        let (wave, change) = (sine(1.3, pulse), sine(1.9, light));
        PULSE_DIRECTION.map(|p| wave.iter().zip(&change).map(|(w, c)| p * w + c).collect())
    }

    #[test]
    fn every_projection_keeps_the_pulse_and_rejects_a_change_of_the_light() {
        for (name, project) in [
            ("POS", &pos as &dyn Fn(&Colour) -> Vec<f64>),
            ("CHROM", &chrom),
            ("PBV", &|c: &Colour| joint(std::slice::from_ref(c))),
        ] {
            let (pulse, light) = (project(&colour(1e-3, 0.0)), project(&colour(1e-6, 1e-2)));
            assert!(power(&pulse) > 100.0 * power(&light), "{name}: {} {}", power(&pulse), power(&light));
        }
    }

    #[test]
    fn what_the_landmarks_explain_is_removed_and_the_pulse_stays() {
        let motion = vec![sine(0.9, 0.2), sine(1.7, 0.1)];
        let pulse = sine(1.3, 1e-3);
        let mut signal: Vec<f64> = (0..GRID_LEN).map(|k| pulse[k] + 0.5 * motion[0][k] - 0.3 * motion[1][k]).collect();
        assert!(remove(&mut signal, &motion) > 0.99);
        let error: Vec<f64> = signal.iter().zip(&pulse).map(|(s, p)| s - p).collect();
        assert!(power(&error) < 0.01 * power(&pulse));
        // A landmark that does not move explains nothing.
        assert_eq!(remove(&mut signal, &[vec![0.0; GRID_LEN]]), 0.0);
    }

    #[test]
    fn a_slope_is_no_change_and_a_slow_beat_is() {
        let slope: Vec<f64> = (0..GRID_LEN).map(|k| 100.0 + 0.1 * k as f64).collect();
        assert!(changes(&slope).iter().skip(2).take(GRID_LEN - 4).all(|c| c.abs() < 1e-9));
        let beat = sine(0.65, 1.0);
        assert!(power(&changes(&beat)) > 0.6 * power(&beat));
    }
}
