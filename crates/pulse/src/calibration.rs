//! How probable an error is, learned from the simulation alone.
//!
//! A logistic regression turns the features of a window into one score. A table over ranges of that score holds what happened
//! in other simulated windows. `cargo run --release -p pulse --example calibrate` writes both.

use serde::{Deserialize, Serialize};

use super::features::{FEATURES, Features};
use super::linear::solve;

/// A larger error is a wrong rate.
pub const MAX_ERROR_BPM: f64 = 5.0;
/// A rate is shown if the probability of an error is below this.
const MAX_ERROR_PROBABILITY: f64 = 0.05;
/// Ranges of the score with the same number of windows.
const RANGES: usize = 25;
/// 97.5 % of a normal distribution.
const Z: f64 = 1.96;

const STORED: &str = include_str!("calibration.toml");

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    pub rate_bpm: f64,
    /// Of the errors up to 5 bpm in the simulation, at this quality.
    pub rate_sd_bpm: f64,
    /// The probability in the simulation that the error is at most 5 bpm: the lower end of its 95 % interval.
    pub quality: f64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// What was simulated, for the reader of the file.
    pub source: String,
    pub means: [f64; FEATURES],
    pub sds: [f64; FEATURES],
    /// Of the standardised features and of their squares. The last one is the constant.
    pub weights: Vec<f64>,
    /// In order of the score.
    pub ranges: Vec<Range>,
}

/// Windows of the simulation with a score from `from` to the next range.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Range {
    pub from: f64,
    pub windows: usize,
    /// The upper end of the 95 % confidence interval of the share of errors, never below that of a higher range.
    pub error_probability: f64,
    /// Of the errors of at most [`MAX_ERROR_BPM`].
    pub sd_bpm: f64,
}

/// A simulated window.
#[derive(Clone, Copy, Debug)]
pub struct Example {
    pub features: Features,
    /// `None`: there is no pulse, so every rate is wrong.
    pub true_bpm: Option<f64>,
}

impl Example {
    pub fn error_bpm(&self) -> f64 {
        self.true_bpm.map_or(f64::INFINITY, |bpm| (self.features.rate_bpm - bpm).abs())
    }

    fn is_right(&self) -> bool {
        self.error_bpm() <= MAX_ERROR_BPM
    }
}

impl Calibration {
    /// The one that is part of the program.
    pub fn stored() -> Result<Calibration, toml::de::Error> {
        toml::from_str(STORED)
    }

    /// Fits the weights to one set of windows and fills the table from another. `None` if there are too few windows, or all
    /// or none are right.
    pub fn fit(to_fit: &[Example], to_count: &[Example], source: String) -> Option<Calibration> {
        let n = to_fit.len() as f64;
        let mean = |k: usize| to_fit.iter().map(|e| e.features.values[k]).sum::<f64>() / n;
        let means: [f64; FEATURES] = std::array::from_fn(mean);
        let sd = |k: usize| (to_fit.iter().map(|e| (e.features.values[k] - means[k]).powi(2)).sum::<f64>() / n).sqrt();
        let sds: [f64; FEATURES] = std::array::from_fn(|k| sd(k).max(1e-6));
        let mut calibration =
            Calibration { source, means, sds, weights: vec![0.0; 2 * FEATURES + 1], ranges: Vec::new() };
        calibration.weights = calibration.logistic_weights(to_fit)?;
        calibration.ranges = calibration.count(to_count)?;
        Some(calibration)
    }

    fn terms(&self, features: &Features) -> Vec<f64> {
        let standard = |k: usize| ((features.values[k] - self.means[k]) / self.sds[k]).clamp(-3.0, 3.0);
        let standard: Vec<f64> = (0..FEATURES).map(standard).collect();
        standard.iter().copied().chain(standard.iter().map(|v| v * v)).chain([1.0]).collect()
    }

    /// Newton's method on the logarithm of the likelihood, with a small quadratic penalty.
    fn logistic_weights(&self, examples: &[Example]) -> Option<Vec<f64>> {
        const STEPS: usize = 25;
        const PENALTY: f64 = 1.0;
        let terms: Vec<Vec<f64>> = examples.iter().map(|e| self.terms(&e.features)).collect();
        let count = 2 * FEATURES + 1;
        let mut weights = vec![0.0; count];
        for _ in 0..STEPS {
            let mut hessian = vec![0.0; count * count];
            let mut gradient: Vec<f64> = weights.iter().map(|w| -PENALTY * w).collect();
            (0..count).for_each(|k| hessian[k * count + k] = PENALTY);
            for (terms, example) in terms.iter().zip(examples) {
                let p = logistic(super::linear::dot(terms, &weights));
                let rest = f64::from(u8::from(example.is_right())) - p;
                for i in 0..count {
                    gradient[i] += rest * terms[i];
                    for j in 0..count {
                        hessian[i * count + j] += p * (1.0 - p) * terms[i] * terms[j];
                    }
                }
            }
            let step = solve(hessian, gradient)?;
            weights.iter_mut().zip(&step).for_each(|(w, s)| *w += s);
            if step.iter().all(|s| s.abs() < 1e-6) {
                break;
            }
        }
        Some(weights)
    }

    fn count(&self, examples: &[Example]) -> Option<Vec<Range>> {
        let mut scored: Vec<(f64, &Example)> = examples.iter().map(|e| (self.score(&e.features), e)).collect();
        scored.sort_by(|a, b| a.0.total_cmp(&b.0));
        let size = scored.len() / RANGES;
        if size == 0 {
            return None;
        }
        let mut ranges: Vec<Range> = scored
            .chunks(size)
            .take(RANGES)
            .map(|part| {
                let right: Vec<f64> = part.iter().filter(|(_, e)| e.is_right()).map(|(_, e)| e.error_bpm()).collect();
                let wrong = part.len() - right.len();
                let sd_bpm = (right.iter().map(|e| e * e).sum::<f64>() / right.len().max(1) as f64).sqrt();
                Range {
                    from: part[0].0,
                    windows: part.len(),
                    error_probability: upper_share(wrong, part.len()),
                    sd_bpm,
                }
            })
            .collect();
        // A higher score is never worse: otherwise chance would make holes in what is shown.
        let mut worst_above = 0.0;
        for range in ranges.iter_mut().rev() {
            worst_above = f64::max(worst_above, range.error_probability);
            range.error_probability = worst_above;
        }
        Some(ranges)
    }

    pub fn score(&self, features: &Features) -> f64 {
        super::linear::dot(&self.terms(features), &self.weights)
    }

    /// The most probable rate, with its quality.
    pub fn rate(&self, features: &Features) -> Rate {
        let score = self.score(features);
        let at = self.ranges.partition_point(|r| r.from <= score).saturating_sub(1);
        let range = self.ranges.get(at);
        Rate {
            rate_bpm: features.rate_bpm,
            rate_sd_bpm: range.map_or(f64::NAN, |r| r.sd_bpm),
            quality: range.map_or(0.0, |r| 1.0 - r.error_probability),
        }
    }

    pub fn may_show(&self, rate: &Rate) -> bool {
        rate.quality > 1.0 - MAX_ERROR_PROBABILITY
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The upper end of Wilson's interval of `count` of `of`.
pub fn upper_share(count: usize, of: usize) -> f64 {
    let (n, p) = (of as f64, count as f64 / of as f64);
    let middle = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    ((middle + half) / (1.0 + Z * Z / n)).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::Scene;
    use crate::{SkinRow, rates};
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    fn examples(count: u64, seed: u64) -> Vec<Example> {
        let stored = Calibration::stored().unwrap();
        let one = |k: u64| {
            let (rows, true_bpm): (Vec<SkinRow>, _) =
                Scene::random(&mut StdRng::seed_from_u64(seed + k)).rows(seed + k);
            let features = rates(&rows, &stored).next()?.outcome.ok()?.features;
            Some(Example { features, true_bpm })
        };
        (0..count).filter_map(one).collect()
    }

    #[test]
    fn the_stored_calibration_keeps_its_promise_in_scenes_that_it_never_saw() {
        let stored = Calibration::stored().unwrap();
        let new = examples(800, 1_000_000);
        let shown: Vec<&Example> = new.iter().filter(|e| stored.may_show(&stored.rate(&e.features))).collect();
        let wrong = shown.iter().filter(|e| !e.is_right()).count();
        assert!(shown.len() > new.len() / 5, "{} of {} are shown", shown.len(), new.len());
        assert!(upper_share(wrong, shown.len()) < MAX_ERROR_PROBABILITY, "{wrong} of {} are wrong", shown.len());
    }

    #[test]
    fn a_higher_score_is_never_less_probable_and_ranges_are_in_order() {
        let stored = Calibration::stored().unwrap();
        assert_eq!(stored.ranges.len(), RANGES);
        assert!(stored.ranges.windows(2).all(|w| w[0].from <= w[1].from));
        assert!(stored.ranges.windows(2).all(|w| w[0].error_probability >= w[1].error_probability));
        assert!(stored.ranges.iter().all(|r| (0.0..=1.0).contains(&r.error_probability) && r.sd_bpm < MAX_ERROR_BPM));
    }

    #[test]
    fn a_calibration_separates_right_from_wrong_and_needs_examples() {
        let set = examples(200, 5_000_000);
        let fitted = Calibration::fit(&set, &set, "test".to_owned()).unwrap();
        let mean = |is_right: bool| {
            let scores: Vec<f64> =
                set.iter().filter(|e| e.is_right() == is_right).map(|e| fitted.score(&e.features)).collect();
            scores.iter().sum::<f64>() / scores.len() as f64
        };
        assert!(mean(true) > mean(false) + 1.0, "{} {}", mean(true), mean(false));
        assert_eq!(Calibration::fit(&[], &[], String::new()), None);
    }

    #[test]
    fn the_interval_is_wider_with_fewer_windows() {
        assert!(upper_share(0, 10) > 0.2 && upper_share(0, 1000) < 0.004);
        assert!((upper_share(50, 100) - 0.596).abs() < 1e-3);
    }
}
