//! Small dense systems of linear equations.

/// Solves `a · x = b` for a symmetric, positive definite `a` (row by row) by Cholesky's decomposition. `None` if `a` is not
/// positive definite.
pub(crate) fn solve(mut a: Vec<f64>, mut b: Vec<f64>) -> Option<Vec<f64>> {
    let n = b.len();
    for i in 0..n {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| a[i * n + k] * a[j * n + k]).sum();
            let rest = a[i * n + j] - sum;
            if i == j {
                if !(rest.is_finite() && rest > 0.0) {
                    return None;
                }
                a[i * n + i] = rest.sqrt();
            } else {
                a[i * n + j] = rest / a[j * n + j];
            }
        }
    }
    for i in 0..n {
        let sum: f64 = (0..i).map(|k| a[i * n + k] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i * n + i];
    }
    for i in (0..n).rev() {
        let sum: f64 = (i + 1..n).map(|k| a[k * n + i] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i * n + i];
    }
    Some(b)
}

pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Inner products of all pairs, with `loading` times their mean power added to the diagonal.
pub(crate) fn products(signals: &[&[f64]], loading: f64) -> Vec<f64> {
    let n = signals.len();
    let mut a: Vec<f64> = (0..n * n).map(|k| dot(signals[k / n], signals[k % n])).collect();
    let power = (0..n).map(|k| a[k * n + k]).sum::<f64>() / n as f64;
    for k in 0..n {
        a[k * n + k] += loading * power;
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_solution_fulfils_the_equations(
            signals in prop::collection::vec(prop::collection::vec(-1.0f64..1.0, 12), 1..6), seed in -3.0f64..3.0,
        ) {
            let signals: Vec<&[f64]> = signals.iter().map(Vec::as_slice).collect();
            let a = products(&signals, 0.1);
            let n = signals.len();
            prop_assume!((0..n).any(|k| a[k * n + k] > 1e-3));
            let b: Vec<f64> = (0..n).map(|k| seed + k as f64).collect();
            let x = solve(a.clone(), b.clone()).unwrap();
            for (row, b) in a.chunks(n).zip(b) {
                prop_assert!((dot(row, &x) - b).abs() < 1e-6, "{row:?} · {x:?} is not {b}");
            }
        }
    }

    #[test]
    fn equations_without_one_solution_are_refused() {
        assert_eq!(solve(vec![1.0, 1.0, 1.0, 1.0], vec![1.0, 2.0]), None);
        assert_eq!(solve(vec![f64::NAN], vec![1.0]), None);
    }
}
