//! Another device's clock against the session's, from events that both recorded.

use serde::Serialize;

use super::AnalysisError;
use crate::session::Timestamp;

/// Farther from 1 than this, two clocks do not both count seconds.
const MOST_DRIFT: f64 = 0.01;

/// session = at + (1 + drift) · (other − other's mean), the least-squares line through the shared markers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DriftFit {
    /// Session time minus other time at the other clock's zero, in seconds.
    pub offset_s: f64,
    /// How much faster the session's clock runs: 1e-6 is 86 ms a day. 0 where one marker is shared.
    pub drift: f64,
    pub markers: u64,
    /// Of the shared markers, after the fit; `None` with fewer than three, where the line goes through all.
    pub largest_residual_s: Option<f64>,
    centre_other_s: f64,
    centre_session_s: f64,
}

impl DriftFit {
    pub fn to_session(&self, other_s: f64) -> Timestamp {
        Timestamp::from_secs_f64(self.centre_session_s + (1.0 + self.drift) * (other_s - self.centre_other_s))
    }
}

/// `pairs` of a shared marker's time: on the other clock in seconds, and on the session's.
pub fn fit_drift(pairs: &[(f64, Timestamp)]) -> Result<DriftFit, AnalysisError> {
    if let Some((bad, _)) = pairs.iter().find(|(other, _)| !other.is_finite()) {
        return Err(AnalysisError::Drift(format!("`{bad}` is no time")));
    }
    let n = pairs.len() as f64;
    if pairs.is_empty() {
        return Err(AnalysisError::NoSharedMarker);
    }
    let centre_other_s = pairs.iter().map(|p| p.0).sum::<f64>() / n;
    let centre_session_s = pairs.iter().map(|p| p.1.as_secs_f64()).sum::<f64>() / n;
    let deviations = || pairs.iter().map(|(o, s)| (o - centre_other_s, s.as_secs_f64() - centre_session_s));
    let spread: f64 = deviations().map(|(o, _)| o * o).sum();
    let drift = if spread > 0.0 { deviations().map(|(o, s)| o * (s - o)).sum::<f64>() / spread } else { 0.0 };
    if pairs.len() > 1 && spread == 0.0 {
        return Err(AnalysisError::Drift("they all have one time on the other clock".to_owned()));
    }
    if drift.abs() > MOST_DRIFT {
        let sentence =
            format!("one clock would run {:.1} % faster, so they are not the same events", 100.0 * drift.abs());
        return Err(AnalysisError::Drift(sentence));
    }
    let residual = |(o, s): (f64, f64)| (s - (1.0 + drift) * o).abs();
    Ok(DriftFit {
        offset_s: centre_session_s - (1.0 + drift) * centre_other_s,
        drift,
        markers: pairs.len() as u64,
        largest_residual_s: (pairs.len() > 2).then(|| deviations().map(residual).fold(0.0, f64::max)),
        centre_other_s,
        centre_session_s,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_linear_clock_is_recovered(
            offset in -1e6f64..1e6, ppm in -200f64..200.0, other in prop::collection::vec(0f64..10_000.0, 2..20),
            asked in 0f64..10_000.0,
        ) {
            prop_assume!(other.iter().any(|o| (o - other[0]).abs() > 60.0));
            let session = |o: f64| offset + o * (1.0 + ppm * 1e-6);
            let pairs: Vec<_> = other.iter().map(|o| (*o, Timestamp::from_secs_f64(session(*o)))).collect();
            let fit = fit_drift(&pairs).unwrap();
            prop_assert!((fit.to_session(asked).as_secs_f64() - session(asked)).abs() < 1e-5);
            prop_assert!((fit.drift - ppm * 1e-6).abs() < 1e-8);
            prop_assert!(fit.largest_residual_s.is_none_or(|r| r < 1e-6));
        }
    }

    #[test]
    fn one_marker_gives_an_offset_and_nonsense_a_sentence() {
        let at = Timestamp::from_secs_f64;
        let fit = fit_drift(&[(100.0, at(3.0))]).unwrap();
        assert_eq!((fit.offset_s, fit.drift, fit.to_session(101.0)), (-97.0, 0.0, at(4.0)));
        let says = |pairs: &[(f64, Timestamp)]| fit_drift(pairs).unwrap_err().to_string();
        assert!(says(&[]).contains("no marker is shared"));
        assert!(says(&[(1.0, at(1.0)), (1.0, at(2.0))]).contains("one time"));
        assert!(says(&[(0.0, at(0.0)), (1.0, at(60.0))]).contains("not the same events"));
        assert!(says(&[(f64::NAN, at(0.0))]).contains("no time"));
        let fit = fit_drift(&[(0.0, at(0.0)), (100.0, at(100.0)), (200.0, at(200.03))]).unwrap();
        assert!((fit.largest_residual_s.unwrap() - 0.01).abs() < 1e-6, "{fit:?}");
    }
}
