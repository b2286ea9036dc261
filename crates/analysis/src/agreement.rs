//! Agreement of two series or of two people: self-report with the network, one coder with another.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::plan::ns;
use super::signal::bridge_s;
use super::{AnalysisError, Signal};

const FEWEST_PAIRS: usize = 3;

/// Lin's concordance correlation coefficient, with the divisor n, as in the benchmarks of the field.
pub fn ccc(a: &[f64], b: &[f64]) -> Result<f64, AnalysisError> {
    let m = Moments::of(a, b)?;
    Ok(2.0 * m.covariance / (m.variance_a + m.variance_b + (m.mean_a - m.mean_b).powi(2)))
}

/// Pearson's.
pub fn correlation(a: &[f64], b: &[f64]) -> Result<f64, AnalysisError> {
    let m = Moments::of(a, b)?;
    Ok(m.covariance / (m.variance_a * m.variance_b).sqrt())
}

struct Moments {
    mean_a: f64,
    mean_b: f64,
    variance_a: f64,
    variance_b: f64,
    covariance: f64,
}

impl Moments {
    /// Pairs with a value that is no finite number are left out.
    fn of(a: &[f64], b: &[f64]) -> Result<Moments, AnalysisError> {
        if a.len() != b.len() {
            return Err(AnalysisError::Unequal(a.len(), b.len()));
        }
        let pairs: Vec<(f64, f64)> =
            a.iter().copied().zip(b.iter().copied()).filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
        let n = pairs.len() as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
        let (mean_a, mean_b) = (mean(&|p| p.0), mean(&|p| p.1));
        let moments = Moments {
            mean_a,
            mean_b,
            variance_a: mean(&|p| (p.0 - mean_a).powi(2)),
            variance_b: mean(&|p| (p.1 - mean_b).powi(2)),
            covariance: mean(&|p| (p.0 - mean_a) * (p.1 - mean_b)),
        };
        let varies = moments.variance_a > 0.0 && moments.variance_b > 0.0;
        if pairs.len() < FEWEST_PAIRS || !varies {
            return Err(AnalysisError::TooFewPairsOfValues { found: pairs.len(), needed: FEWEST_PAIRS });
        }
        Ok(moments)
    }
}

/// Agreement of a rating with the network, and the delay of the rating.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Agreement {
    pub ccc: f64,
    pub correlation: f64,
    /// `None`: rating and network do not overlap long enough to compare delays.
    pub delay: Option<Delay>,
    /// Pairs compared without a delay.
    pub pairs: u64,
}

/// The delay with the greatest correlation.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Delay {
    /// Positive: the rating is later than the network.
    pub lag_s: f64,
    pub ccc: f64,
    pub correlation: f64,
}

/// A delay is compared only where this much of both signals overlaps. A short stretch correlates by chance.
pub const SHORTEST_OVERLAP_S: f64 = 20.0;
/// And only where at least this share of the pairs without a delay is left.
const SMALLEST_SHARE: f64 = 0.5;

/// Both are resampled to a grid of `rate_hz`. Gaps longer than `longest_bridge_s` (or 1.5 nominal intervals) are left out. People rate with a delay of
/// some seconds. Delays up to `longest_lag_s` in both directions are tested.
pub fn agreement(
    rating: &Signal,
    network: &Signal,
    rate_hz: f64,
    longest_bridge_s: f64,
    longest_lag_s: f64,
) -> Result<Agreement, AnalysisError> {
    if !(rate_hz.is_finite() && rate_hz > 0.0 && longest_bridge_s >= 0.0 && longest_lag_s >= 0.0) {
        return Err(AnalysisError::Plan("rate, bridge and lag of an agreement must not be negative".to_owned()));
    }
    let none = AnalysisError::TooFewPairsOfValues { found: 0, needed: FEWEST_PAIRS };
    let (Some(first), Some(last)) = (network.at_ns.first(), network.at_ns.last()) else { return Err(none) };
    let step_ns = (1e9 / rate_hz).round().max(1.0) as i64;
    let points = (last - first) / step_ns + 1;
    let offsets: Vec<i64> = (0..points).map(|k| k * step_ns).collect();
    let on_grid = |signal: &Signal| -> Vec<f64> {
        let bridge_ns = ns(bridge_s(longest_bridge_s, signal.nominal_rate_hz));
        signal.on_grid(&offsets, *first, step_ns, bridge_ns).into_iter().map(f64::from).collect()
    };
    let (rating, network) = (on_grid(rating), on_grid(network));
    let pairs = pairs(&rating, &network);
    let fewest = ((pairs as f64 * SMALLEST_SHARE).ceil()).max(SHORTEST_OVERLAP_S * rate_hz) as usize;
    let longest = (longest_lag_s * rate_hz).round() as usize;
    let delay = best_lag(&rating, &network, longest, fewest).and_then(|lag| {
        let (late, early) = shifted(&rating, &network, lag);
        let (ccc, correlation) = (ccc(late, early).ok()?, correlation(late, early).ok()?);
        Some(Delay { lag_s: lag as f64 / rate_hz, ccc, correlation })
    });
    Ok(Agreement {
        ccc: ccc(&rating, &network)?,
        correlation: correlation(&rating, &network)?,
        delay,
        pairs: pairs as u64,
    })
}

fn pairs(a: &[f64], b: &[f64]) -> usize {
    a.iter().zip(b).filter(|(a, b)| a.is_finite() && b.is_finite()).count()
}

/// The number of steps by which `a` is later than `b`: the delay with the greatest correlation, the smallest if several.
pub fn lag(a: &[f64], b: &[f64], longest: usize) -> Result<i64, AnalysisError> {
    if a.len() != b.len() {
        return Err(AnalysisError::Unequal(a.len(), b.len()));
    }
    best_lag(a, b, longest, FEWEST_PAIRS).ok_or(AnalysisError::TooFewPairsOfValues { found: 0, needed: FEWEST_PAIRS })
}

/// Of the delays with at least `fewest` pairs. `None`: no delay has them, or nothing varies.
fn best_lag(a: &[f64], b: &[f64], longest: usize, fewest: usize) -> Option<i64> {
    let longest = longest.min(a.len() / 2) as i64;
    let at = |lag: i64| {
        let (late, early) = shifted(a, b, lag);
        if pairs(late, early) < fewest {
            return None;
        }
        Some((lag, correlation(late, early).ok()?))
    };
    let best = (-longest..=longest)
        .filter_map(at)
        .max_by(|(lag_x, x), (lag_y, y)| x.total_cmp(y).then_with(|| lag_y.abs().cmp(&lag_x.abs())));
    best.map(|(lag, _)| lag)
}

fn shifted<'v>(a: &'v [f64], b: &'v [f64], lag: i64) -> (&'v [f64], &'v [f64]) {
    let by = (lag.unsigned_abs() as usize).min(a.len());
    if lag >= 0 { (&a[by..], &b[..b.len() - by]) } else { (&a[..a.len() - by], &b[by..]) }
}

/// Cohen's kappa of two coders who each gave every item one label; `None` without items, and if both coders gave the
/// same single label to all items.
pub fn cohen_kappa<L: Ord>(a: &[L], b: &[L]) -> Result<Option<f64>, AnalysisError> {
    if a.len() != b.len() {
        return Err(AnalysisError::Unequal(a.len(), b.len()));
    }
    let n = a.len() as f64;
    let count = |labels: &'_ [L]| -> BTreeMap<usize, f64> {
        let known: BTreeSet<&L> = a.iter().chain(b).collect();
        let number: BTreeMap<&L, usize> = known.into_iter().enumerate().map(|(k, l)| (l, k)).collect();
        let mut counts = BTreeMap::new();
        labels.iter().for_each(|l| *counts.entry(number[l]).or_insert(0.0) += 1.0);
        counts
    };
    let (in_a, in_b) = (count(a), count(b));
    let observed = a.iter().zip(b).filter(|(a, b)| a == b).count() as f64 / n;
    let expected = in_a.iter().map(|(label, k)| k * in_b.get(label).unwrap_or(&0.0)).sum::<f64>() / (n * n);
    Ok((n > 0.0 && expected < 1.0).then(|| (observed - expected) / (1.0 - expected)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn concordance_asks_for_the_same_values_and_correlation_for_the_same_course() {
        let a: Vec<f64> = (0..100).map(|k| (f64::from(k) * 0.1).sin()).collect();
        let b: Vec<f64> = a.iter().map(|v| 0.5 * v + 0.3).collect();
        assert!((ccc(&a, &a).unwrap() - 1.0).abs() < 1e-12);
        assert!((correlation(&a, &b).unwrap() - 1.0).abs() < 1e-12);
        assert!(ccc(&a, &b).unwrap() < 0.8);
        let mut holes = b.clone();
        (holes[3], holes[60]) = (f64::NAN, f64::INFINITY);
        assert!((correlation(&a, &holes).unwrap() - 1.0).abs() < 1e-12, "pairs with a NaN do not count");
    }

    #[test]
    fn the_lag_of_a_rating_is_found() {
        let course = |at: f64| ((at * 0.9).sin() + (at * 0.37).cos()) as f32;
        let signal = |shift: f64, hz: f64| {
            let at = (0..(60.0 * hz) as i64).map(|k| k as f64 / hz);
            let (at_ns, values) = at.map(|s| (ns(s), course(s - shift) * 0.5)).unzip();
            Signal { at_ns, values, nominal_rate_hz: Some(hz) }
        };
        let found = agreement(&signal(1.4, 20.0), &signal(0.0, 30.0), 10.0, 0.5, 5.0).unwrap();
        let delay = found.delay.unwrap();
        assert!((delay.lag_s - 1.4).abs() < 1e-9, "{found:?}");
        assert!(delay.correlation > 0.99 && found.correlation < 0.8, "{found:?}");
        let early = agreement(&signal(-0.5, 20.0), &signal(0.0, 30.0), 10.0, 0.5, 5.0).unwrap();
        assert!((early.delay.unwrap().lag_s + 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_short_rating_has_no_delay_that_chance_has_found() {
        let course = |at: f64| ((at * 0.9).sin() + (at * 0.37).cos()) as f32;
        let signal = |from: f64, until: f64, hz: f64| {
            let at = ((from * hz) as i64..(until * hz) as i64).map(|k| k as f64 / hz);
            let (at_ns, values) = at.map(|s| (ns(s), course(s))).unzip();
            Signal { at_ns, values, nominal_rate_hz: Some(hz) }
        };
        let network = signal(0.0, 60.0, 30.0);
        let short = agreement(&signal(0.0, 8.0, 20.0), &network, 10.0, 0.5, 5.0).unwrap();
        assert_eq!(short.delay, None, "8 s are too short");
        assert!(short.correlation > 0.99, "without a delay it is compared all the same");
        // At the end of the recording, a delay of 5 s would leave a part of the rating only.
        let late = agreement(&signal(30.0, 60.0, 20.0), &network, 10.0, 0.5, 25.0).unwrap();
        assert!(late.delay.is_some_and(|d| d.lag_s.abs() < 1e-9), "{late:?}");
    }

    #[test]
    fn a_pulse_at_1_hz_is_compared_with_a_fast_signal() {
        let course = |at: f64| ((at * 0.4).sin() + (at * 0.17).cos()) as f32;
        let signal = |shift: f64, hz: f64| {
            let at = (0..(120.0 * hz) as i64).map(|k| k as f64 / hz);
            let (at_ns, values) = at.map(|s| (ns(s), course(s - shift))).unzip();
            Signal { at_ns, values, nominal_rate_hz: Some(hz) }
        };
        let found = agreement(&signal(2.0, 1.0), &signal(0.0, 250.0), 10.0, 0.5, 8.0).unwrap();
        assert!((found.delay.unwrap().lag_s - 2.0).abs() < 0.11, "{found:?}");
    }

    #[test]
    fn kappa_is_chance_corrected() {
        let (a, b) = (["x", "x", "y", "y"], ["x", "y", "y", "y"]);
        assert!((cohen_kappa(&a, &b).unwrap().unwrap() - 0.5).abs() < 1e-12);
        assert_eq!(cohen_kappa(&["x"; 3], &["x"; 3]), Ok(None));
        assert_eq!(cohen_kappa::<u8>(&[], &[]), Ok(None));
        assert_eq!(cohen_kappa(&[1, 2], &[1]), Err(AnalysisError::Unequal(2, 1)));
    }

    #[test]
    fn too_little_is_refused_with_a_sentence() {
        for (a, b) in [(vec![], vec![]), (vec![1.0, 2.0], vec![1.0, 2.0]), (vec![1.0; 9], vec![2.0; 9])] {
            assert!(ccc(&a, &b).unwrap_err().to_string().contains("rate longer"));
        }
        assert!(agreement(&Signal::default(), &Signal::default(), 10.0, 1.0, 5.0).is_err());
        assert!(agreement(&Signal::default(), &Signal::default(), f64::NAN, 1.0, 5.0).is_err());
    }

    proptest! {
        #[test]
        fn concordance_never_exceeds_correlation(pairs in prop::collection::vec((-1f64..1.0, -1f64..1.0), 3..50)) {
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            if let (Ok(ccc), Ok(r)) = (ccc(&a, &b), correlation(&a, &b)) {
                prop_assert!(ccc.abs() <= r.abs() + 1e-9 && r.abs() <= 1.0 + 1e-9);
            }
        }
    }
}
