//! A straight line through points with outliers.

/// Theil–Sen looks at every pair of at most this many points; the repeated reweighting after it takes all.
const MOST_PAIRED: usize = 300;
const MOST_ROUNDS: usize = 500;
/// The rounds end when the line moves less than this, in the unit of `y`.
const STILL: f64 = 1e-9;

/// y = y of the centre + slope · (x − x of the centre): exact also where x is the seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    centre_x: f64,
    centre_y: f64,
    pub slope: f64,
}

impl Line {
    pub fn flat(y: f64) -> Line {
        Line { centre_x: 0.0, centre_y: y, slope: 0.0 }
    }

    pub fn at(&self, x: f64) -> f64 {
        self.centre_y + self.slope * (x - self.centre_x)
    }
}

/// The line with the smallest sum of Huber's losses: residuals below `bend` count squared, beyond it in proportion, so
/// that a tenth of the points cannot draw it away, wherever they lie. Level where all points have one x; `None` without points.
pub fn robust_line(points: &[(f64, f64)], bend: f64) -> Option<Line> {
    let (x0, y0) = *points.first()?;
    let centred: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x - x0, y - y0)).collect();
    let (mut centre, mut slope) = theil_sen(&centred)?;
    let reach = centred.iter().map(|p| p.0.abs()).fold(0.0, f64::max);
    for _ in 0..MOST_ROUNDS {
        let weighed = centred.iter().map(|(x, y)| {
            let residual = (y - centre.1 - slope * (x - centre.0)).abs();
            (if residual <= bend { 1.0 } else { bend / residual }, *x, *y)
        });
        let Some((next_centre, next_slope)) = least_squares(weighed) else { break };
        let ends = |c: (f64, f64), s: f64| [-reach, reach].map(|x| c.1 + s * (x - c.0));
        let (before, after) = (ends(centre, slope), ends(next_centre, next_slope));
        (centre, slope) = (next_centre, next_slope);
        if before.iter().zip(after).all(|(a, b)| (a - b).abs() < STILL) {
            break;
        }
    }
    Some(Line { centre_x: x0 + centre.0, centre_y: y0 + centre.1, slope })
}

/// A point on the line, and its slope. The median of the slopes of all pairs stands up to 29 % wild points.
fn theil_sen(points: &[(f64, f64)]) -> Option<((f64, f64), f64)> {
    let every = points.len().div_ceil(MOST_PAIRED).max(1);
    let some: Vec<_> = points.iter().step_by(every).copied().collect();
    let pairs = some.iter().enumerate().flat_map(|(k, a)| some[k + 1..].iter().map(move |b| (a, b)));
    let slopes = pairs.filter(|(a, b)| a.0 != b.0).map(|(a, b)| (b.1 - a.1) / (b.0 - a.0)).collect();
    let slope = median(slopes).unwrap_or(0.0);
    let level = median(points.iter().map(|(x, y)| y - slope * x).collect())?;
    Some(((0.0, level), slope))
}

/// The centre of gravity and the slope; `None` where the points have no width.
fn least_squares(points: impl Iterator<Item = (f64, f64, f64)> + Clone) -> Option<((f64, f64), f64)> {
    let (weight, x, y) =
        points.clone().fold((0.0, 0.0, 0.0), |(sw, sx, sy), (w, x, y)| (sw + w, sx + w * x, sy + w * y));
    let centre = (x / weight, y / weight);
    let (xx, xy) = points.fold((0.0, 0.0), |(xx, xy), (w, x, y)| {
        let (dx, dy) = (x - centre.0, y - centre.1);
        (xx + w * dx * dx, xy + w * dx * dy)
    });
    (xx > 0.0).then(|| (centre, xy / xx))
}

/// Of an even number the mean of the middle two; `None` of nothing.
pub(super) fn median(values: Vec<f64>) -> Option<f64> {
    weighted_median(values.into_iter().map(|v| (v, 1.0)).collect())
}

pub(super) fn weighted_median(mut values: Vec<(f64, f64)>) -> Option<f64> {
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    let half = values.iter().map(|(_, w)| w).sum::<f64>() / 2.0;
    let mut sum = 0.0;
    for (k, (value, weight)) in values.iter().enumerate() {
        sum += weight;
        if sum > half {
            return Some(*value);
        }
        if sum == half {
            let next = values.get(k + 1).map_or(*value, |(v, _)| *v);
            return Some((value + next) / 2.0);
        }
    }
    values.last().map(|(v, _)| *v)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_tenth_of_wild_points_does_not_move_it(
            base in -2e9f64..2e9, level in -1e6f64..1e6, ppm in -9000f64..9000.0, n in 10usize..200,
            wild in prop::collection::vec((any::<prop::sample::Index>(), -1e6f64..1e6), 0..50),
        ) {
            let truth = |x: f64| level + (x - base) * ppm * 1e-6;
            let mut points: Vec<(f64, f64)> = (0..n).map(|k| base + 5.0 * k as f64).map(|x| (x, truth(x))).collect();
            wild.iter().take(n / 10).for_each(|(k, y)| points[k.index(n)].1 = *y);
            let line = robust_line(&points, 1e-4).unwrap();
            for (x, _) in &points {
                // The last bits of such an x are worth 0.2 µs.
                prop_assert!((line.at(*x) - truth(*x)).abs() < 1e-3, "{} for {}", line.at(*x), truth(*x));
            }
        }
    }

    #[test]
    fn few_points_and_points_without_width_have_a_line_too() {
        assert_eq!(robust_line(&[], 1.0), None);
        assert_eq!(robust_line(&[(5.0, 3.0)], 1.0).unwrap().at(100.0), 3.0);
        assert_eq!(robust_line(&[(5.0, 3.0), (5.0, 4.0), (5.0, 4.0)], 0.1).unwrap().slope, 0.0);
        assert!((robust_line(&[(0.0, 0.0), (2.0, 1.0)], 1e-4).unwrap().at(4.0) - 2.0).abs() < 1e-9);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between_the_middle_two() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 9.0]), Some(3.0));
        assert_eq!(weighted_median(vec![(1.0, 1.0), (2.0, 5.0), (9.0, 1.0)]), Some(2.0));
    }
}
