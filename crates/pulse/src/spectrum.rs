//! Power of a wave at each rate that a heart can have, and at its second harmonic.

use std::f64::consts::TAU;
use std::sync::LazyLock;

use super::grid::{GRID_HZ, GRID_LEN};

pub const LOWEST_BPM: usize = 39;
pub const HIGHEST_BPM: usize = 210;
/// One value for each beat per minute from [`LOWEST_BPM`] to twice [`HIGHEST_BPM`].
const BINS: usize = 2 * HIGHEST_BPM - LOWEST_BPM + 1;
/// How much the power at the second harmonic counts for a rate. Below 1, so that half of the rate gains less from the
/// rate's own power than the rate does.
const HARMONIC_WEIGHT: f64 = 0.5;

/// Cosines and sines of all rates, with Hann's window.
static WAVES: LazyLock<Vec<[f32; 2 * GRID_LEN]>> = LazyLock::new(|| {
    let wave = |bin: usize| {
        let mut wave = [0.0; 2 * GRID_LEN];
        for k in 0..GRID_LEN {
            let hann = 0.5 * (1.0 - (TAU * (k as f64 + 0.5) / GRID_LEN as f64).cos());
            let turn = TAU * (LOWEST_BPM + bin) as f64 / 60.0 * (k as f64 + 0.5) / GRID_HZ;
            wave[k] = (hann * turn.cos()) as f32;
            wave[GRID_LEN + k] = (hann * turn.sin()) as f32;
        }
        wave
    };
    (0..BINS).map(wave).collect()
});

#[derive(Clone, Debug)]
pub(crate) struct Spectrum(Vec<f64>);

impl Spectrum {
    /// The shares of the power sum to 1. A wave without power has the same share everywhere.
    pub fn of(wave: &[f64]) -> Spectrum {
        let largest = wave.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        let scaled: Vec<f32> = wave.iter().map(|v| (v / largest.max(1e-30)) as f32).collect();
        let power = |w: &[f32; 2 * GRID_LEN]| {
            let (cos, sin) = w.split_at(GRID_LEN);
            f64::from(dot(cos, &scaled)).powi(2) + f64::from(dot(sin, &scaled)).powi(2)
        };
        Spectrum(WAVES.iter().map(power).collect()).normalised()
    }

    fn normalised(mut self) -> Spectrum {
        let sum: f64 = self.0.iter().sum();
        let is_known = sum.is_finite() && sum > 1e-20;
        let flat = 1.0 / BINS as f64;
        self.0.iter_mut().for_each(|p| *p = if is_known { *p / sum } else { flat });
        self
    }

    /// The weighted mean.
    pub fn mean(spectra: &[(Spectrum, f64)]) -> Spectrum {
        let mut mean = vec![0.0; BINS];
        for (spectrum, weight) in spectra {
            mean.iter_mut().zip(&spectrum.0).for_each(|(m, p)| *m += weight * p);
        }
        Spectrum(mean).normalised()
    }

    fn at(&self, bpm: usize) -> f64 {
        self.0[bpm - LOWEST_BPM]
    }

    /// How well a rate explains the wave: its power, and a part of the power at its second harmonic.
    pub fn score(&self, bpm: usize) -> f64 {
        self.at(bpm) + HARMONIC_WEIGHT * self.at(2 * bpm)
    }

    /// The rate with the highest score that is at least `apart_bpm` from `not`.
    pub fn best_apart_from(&self, not: Option<f64>, apart_bpm: f64) -> usize {
        let is_allowed = |bpm: &usize| not.is_none_or(|not| (*bpm as f64 - not).abs() >= apart_bpm);
        let best =
            (LOWEST_BPM..=HIGHEST_BPM).filter(is_allowed).max_by(|a, b| self.score(*a).total_cmp(&self.score(*b)));
        best.unwrap_or(LOWEST_BPM)
    }

    /// The rate with the highest score, to a fraction of a beat per minute.
    pub fn best(&self) -> f64 {
        let bpm = self.best_apart_from(None, 0.0);
        if !(LOWEST_BPM + 1..HIGHEST_BPM).contains(&bpm) {
            return bpm as f64;
        }
        let [a, b, c] = [bpm - 1, bpm, bpm + 1].map(|bpm| self.score(bpm));
        let bend = a - 2.0 * b + c;
        let shift = if bend < 0.0 { (0.5 * (a - c) / bend).clamp(-0.5, 0.5) } else { 0.0 };
        bpm as f64 + shift
    }

    /// The share of power within `reach_bpm` of a rate.
    pub fn share_near(&self, bpm: f64, reach_bpm: f64) -> f64 {
        let is_near = |bin: usize| ((LOWEST_BPM + bin) as f64 - bpm).abs() <= reach_bpm;
        self.0.iter().enumerate().filter(|(bin, _)| is_near(*bin)).map(|(_, p)| p).sum()
    }
}

/// Eight sums side by side, so that the compiler can use vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    for (a, b) in a.chunks(8).zip(b.chunks(8)) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn wave(bpm: f64, second: f64) -> Vec<f64> {
        let at = |k: usize| {
            let turn = TAU * bpm / 60.0 * k as f64 / GRID_HZ;
            turn.sin() + second * (2.0 * turn + 0.7).sin()
        };
        (0..GRID_LEN).map(at).collect()
    }

    proptest! {
        /// Also with a second harmonic that is as strong as the pulse itself.
        #[test]
        fn the_rate_is_found_and_no_harmonic(bpm in 42.0f64..205.0, second in 0.0f64..1.0) {
            let found = Spectrum::of(&wave(bpm, second)).best();
            prop_assert!((found - bpm).abs() < 1.5, "{found} for {bpm}");
        }
    }

    #[test]
    fn a_wave_without_power_is_flat() {
        for nothing in [vec![0.0; GRID_LEN], vec![f64::NAN; GRID_LEN]] {
            let spectrum = Spectrum::of(&nothing);
            assert!((spectrum.share_near(100.0, 10.0) - 21.0 / BINS as f64).abs() < 1e-9);
        }
    }
}
