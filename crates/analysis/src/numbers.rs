//! Formulas that the whole crate uses.

use statrs::distribution::{ContinuousCDF, StudentsT};

/// Mean, and standard deviation with n − 1 where there are two values or more; `None` of nothing.
pub(super) fn mean_sd(values: &[f64]) -> Option<(f64, Option<f64>)> {
    let n = values.len() as f64;
    if values.is_empty() {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    Some((mean, (values.len() > 1).then(|| (squares / (n - 1.0)).sqrt())))
}

/// The value that a t-distributed number stays below with probability `p`; `None` where there is no such distribution.
pub(super) fn t_quantile(p: f64, degrees_of_freedom: f64) -> Option<f64> {
    let t = StudentsT::new(0.0, 1.0, degrees_of_freedom).ok()?;
    (0.0..=1.0).contains(&p).then(|| t.inverse_cdf(p))
}

/// Half the width of the mean's 95 % interval by Student's t; `None` for less than two values.
pub fn half_interval_95(values: &[f64]) -> Option<f64> {
    let (_, sd) = mean_sd(values)?;
    let n = values.len() as f64;
    Some(t_quantile(0.975, n - 1.0)? * sd? / n.sqrt())
}

/// Interpolated linearly between the two nearest ranks, as NumPy does; `sorted` must not be empty.
pub(super) fn percentile(sorted: &[f64], share: f64) -> f64 {
    let rank = share.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let (below, above) = (rank.floor() as usize, rank.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * (rank - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agree_with_the_tables() {
        assert_eq!(mean_sd(&[]), None);
        assert_eq!(mean_sd(&[3.0]), Some((3.0, None)));
        assert_eq!(mean_sd(&[1.0, 2.0, 3.0]), Some((2.0, Some(1.0))));
        assert!((t_quantile(0.975, 29.0).unwrap() - 2.045_229_642).abs() < 1e-8);
        assert!((t_quantile(0.975, 1.0).unwrap() - 12.706_204_736).abs() < 1e-6);
        assert_eq!(t_quantile(0.975, 0.0), None);
        assert_eq!(percentile(&[1.0, 2.0, 3.0, 4.0], 0.5), 2.5);
    }
}
