//! The cluster-based permutation test of Maris & Oostenveld (2007), *Nonparametric statistical testing of EEG- and
//! MEG-data*, J. Neurosci. Methods 164, 177–190, over time alone.
//!
//! Neighbouring points whose t exceeds the threshold (two-sided, 5 %) with one sign form a cluster; its mass is the sum
//! of its t. A cluster's p is the share of permutations whose largest absolute mass is at least its own. The original
//! data count as one permutation. The whole course is thus one test with an error rate of 5 %.

use std::ops::Range;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use statrs::distribution::{Beta, ContinuousCDF};

use super::numbers::t_quantile;

/// Two-sided, pointwise. It forms clusters and does not determine their significance.
const FORMING_P: f64 = 0.05;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Tested {
    pub t: Vec<f64>,
    pub threshold_t: f64,
    pub clusters: Vec<Mass>,
    /// Drawn permutations, or all different ones. The original data are one of them.
    pub permutations: u64,
    pub is_exact: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mass {
    pub points: Range<usize>,
    pub mass: f64,
    pub p: f64,
    pub p_high: f64,
}

/// Whether the mean of `rows` differs from 0: each row's sign is flipped. `None` for fewer than two rows.
pub(super) fn one_sample(rows: &[Vec<f64>], permutations: u64, seed: u64) -> Option<Tested> {
    let n = rows.len();
    let threshold_t = threshold(n as f64 - 1.0)?;
    let points = rows.first()?.len();
    let squares: Vec<f64> = (0..points).map(|k| rows.iter().map(|row| row[k] * row[k]).sum()).collect();
    let t_of = |sums: &[f64], t: &mut Vec<f64>| {
        t.clear();
        t.extend(sums.iter().zip(&squares).map(|(sum, squares)| {
            let mean = sum / n as f64;
            let variance = (squares - mean * sum).max(0.0) / (n as f64 - 1.0);
            quotient(mean, (variance / n as f64).sqrt())
        }));
    };
    let mut sums = vec![0.0; points];
    let signed_sums = |sums: &mut Vec<f64>, is_flipped: &dyn Fn(usize) -> bool| {
        sums.fill(0.0);
        for (k, row) in rows.iter().enumerate() {
            let sign = if is_flipped(k) { -1.0 } else { 1.0 };
            sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += sign * v);
        }
    };
    let mut t = Vec::with_capacity(points);
    signed_sums(&mut sums, &|_| false);
    t_of(&sums, &mut t);
    let observed = t.clone();

    // A pattern of signs and its opposite have the same largest absolute mass. Half of the patterns are therefore sufficient.
    let all = if n <= 32 { Some(1u64 << (n - 1)) } else { None };
    let exact = all.filter(|all| *all <= permutations);
    let mut random = StdRng::seed_from_u64(seed);
    let mut flips = vec![false; n];
    let others = (1..exact.unwrap_or(permutations)).map(|k| {
        match exact {
            Some(_) => flips.iter_mut().enumerate().for_each(|(row, flip)| *flip = k >> row & 1 == 1),
            None => flips.iter_mut().for_each(|flip| *flip = random.random()),
        }
        signed_sums(&mut sums, &|row| flips[row]);
        t_of(&sums, &mut t);
        largest_mass(&t, threshold_t)
    });
    let others: Vec<f64> = others.collect();
    Some(tested(observed, threshold_t, others, exact.is_some()))
}

/// Whether the means of two groups of rows differ: rows change groups. `None` for fewer than two rows in a group.
pub(super) fn two_sample(a: &[Vec<f64>], b: &[Vec<f64>], permutations: u64, seed: u64) -> Option<Tested> {
    if a.len() < 2 || b.len() < 2 {
        return None;
    }
    let (na, nb) = (a.len() as f64, b.len() as f64);
    let threshold_t = threshold(na + nb - 2.0)?;
    let rows: Vec<&Vec<f64>> = a.iter().chain(b).collect();
    let points = rows.first()?.len();
    let add = |sums: &mut Vec<f64>, row: &[f64]| sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
    let mut total = vec![0.0; points];
    let mut squares = vec![0.0; points];
    for row in &rows {
        add(&mut total, row);
        squares.iter_mut().zip(row.iter()).for_each(|(sum, v)| *sum += v * v);
    }
    let mut in_a = vec![0.0; points];
    let mut t_of = |first: &[usize]| -> Vec<f64> {
        in_a.fill(0.0);
        first.iter().for_each(|row| add(&mut in_a, rows[*row]));
        let point = |k: usize| {
            let (sum_a, sum_b) = (in_a[k], total[k] - in_a[k]);
            let (mean_a, mean_b) = (sum_a / na, sum_b / nb);
            let within = (squares[k] - mean_a * sum_a - mean_b * sum_b).max(0.0) / (na + nb - 2.0);
            quotient(mean_a - mean_b, (within * (1.0 / na + 1.0 / nb)).sqrt())
        };
        (0..points).map(point).collect()
    };
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let observed = t_of(&order[..a.len()]);
    let mut random = StdRng::seed_from_u64(seed);
    let others = (1..permutations).map(|_| {
        order.shuffle(&mut random);
        largest_mass(&t_of(&order[..a.len()]), threshold_t)
    });
    let others: Vec<f64> = others.collect();
    Some(tested(observed, threshold_t, others, false))
}

fn threshold(degrees_of_freedom: f64) -> Option<f64> {
    t_quantile(1.0 - FORMING_P / 2.0, degrees_of_freedom)
}

/// Without variance there is no evidence.
fn quotient(difference: f64, error: f64) -> f64 {
    if error > 0.0 { difference / error } else { 0.0 }
}

fn tested(t: Vec<f64>, threshold_t: f64, others: Vec<f64>, is_exact: bool) -> Tested {
    let permutations = others.len() as u64 + 1;
    // Sums in another order differ in the last digits. A permutation that equals the data must be counted.
    let cluster = |(points, mass): (Range<usize>, f64)| {
        let at_least = others.iter().filter(|m| **m >= mass.abs() * (1.0 - 1e-9)).count();
        let p = (at_least + 1) as f64 / permutations as f64;
        let p_high = if is_exact { p } else { p.max(share_at_most(at_least, others.len())) };
        Mass { points, mass, p, p_high }
    };
    let clusters = runs(&t, threshold_t).map(cluster).collect();
    Tested { t, threshold_t, clusters, permutations, is_exact }
}

/// Upper end of the 95 % interval (Clopper & Pearson 1934) of a share of which `hits` of `draws` are known.
fn share_at_most(hits: usize, draws: usize) -> f64 {
    if hits >= draws {
        return 1.0;
    }
    // Both parameters are at least 1, for which the distribution exists; 1 claims nothing.
    Beta::new((hits + 1) as f64, (draws - hits) as f64).map_or(1.0, |share| share.inverse_cdf(0.975))
}

fn largest_mass(t: &[f64], threshold: f64) -> f64 {
    runs(t, threshold).map(|(_, mass)| mass.abs()).fold(0.0, f64::max)
}

/// Ranges beyond the threshold with one sign, and their masses.
fn runs(t: &[f64], threshold: f64) -> impl Iterator<Item = (Range<usize>, f64)> {
    let side = move |v: f64| {
        if v > threshold {
            1
        } else if v < -threshold {
            -1
        } else {
            0
        }
    };
    let mut start = 0;
    std::iter::from_fn(move || {
        while start < t.len() && side(t[start]) == 0 {
            start += 1;
        }
        let first = start;
        let sign = side(*t.get(first)?);
        while start < t.len() && side(t[start]) == sign {
            start += 1;
        }
        Some((first..start, t[first..start].iter().sum()))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::Rng;

    use super::*;

    fn noise(rows: usize, points: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut random = StdRng::seed_from_u64(seed);
        (0..rows).map(|_| (0..points).map(|_| random.random_range(-1.0..1.0)).collect()).collect()
    }

    #[test]
    fn neighbours_of_one_sign_are_one_cluster() {
        let found: Vec<_> = runs(&[0.0, 3.0, 4.0, -3.0, 0.0, -2.5, 2.0], 2.0).collect();
        assert_eq!(found, [(1..3, 7.0), (3..4, -3.0), (5..6, -2.5)]);
    }

    #[test]
    fn a_strong_effect_has_the_smallest_p_there_is() {
        let mut rows = noise(10, 40, 1);
        rows.iter_mut().for_each(|row| row[10..20].iter_mut().for_each(|v| *v += 3.0));
        let exact = one_sample(&rows, 1000, 1).unwrap();
        assert!(exact.is_exact);
        assert_eq!(exact.permutations, 512);
        let best = exact.clusters.iter().min_by(|a, b| a.p.total_cmp(&b.p)).unwrap();
        assert_eq!(best.points, 10..20);
        assert_eq!(best.p, 1.0 / 512.0);
        let drawn = one_sample(&rows, 200, 1).unwrap();
        assert_eq!((drawn.permutations, drawn.is_exact), (200, false));
        let groups = two_sample(&rows, &noise(12, 40, 2), 500, 1).unwrap();
        let best = groups.clusters.iter().max_by(|a, b| a.mass.total_cmp(&b.mass)).unwrap();
        assert!(best.p <= 0.01 && best.points.start <= 10 && best.points.end >= 20, "{best:?}");
    }

    #[test]
    fn one_row_and_constant_rows_are_no_evidence() {
        assert_eq!(one_sample(&noise(1, 5, 1), 100, 1), None);
        assert_eq!(two_sample(&noise(1, 5, 1), &noise(5, 5, 2), 100, 1), None);
        assert_eq!(one_sample(&vec![vec![0.0; 5]; 4], 100, 1).unwrap().clusters, []);
    }

    proptest! {
        #[test]
        fn the_sign_of_everything_changes_nothing_but_the_sign(seed in any::<u64>()) {
            let rows = noise(7, 20, seed);
            let turned: Vec<Vec<f64>> = rows.iter().map(|r| r.iter().map(|v| -v).collect()).collect();
            let (a, b) = (one_sample(&rows, 100, 1).unwrap(), one_sample(&turned, 100, 1).unwrap());
            prop_assert_eq!(a.clusters.len(), b.clusters.len());
            for (a, b) in a.clusters.iter().zip(&b.clusters) {
                prop_assert!((a.mass + b.mass).abs() < 1e-9 && a.p == b.p);
            }
        }
    }
}
