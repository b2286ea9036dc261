//! Fits another device's clock to the session clock, from events that both recorded.

use serde::Serialize;

use super::AnalysisError;
use super::clock_runs::{MOST_DRIFT, MOST_WILD, clock_runs};
use super::robust_line::{Line, median, robust_line};
use session::Timestamp;

/// Of so many shared markers one may be left out; more than a quarter never.
const LEAVE_ONE_OUT_OF: usize = 4;
/// Closer to the line than this all markers count alike: screens and keyboards are no better.
const SMALLEST_BEND_S: f64 = 0.01;
/// Huber's: 95 % as precise as least squares where nothing is wild.
const BEND_IN_SD: f64 = 1.345;
const SD_OF_MEDIAN: f64 = 1.4826;

/// session = other + offset + drift · other, the robust line through the shared markers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DriftFit {
    /// Session time minus other time at the other clock's zero, in seconds.
    pub offset_s: f64,
    /// How much faster the session's clock runs: 1e-6 is 86 ms a day. 0 where one marker is shared.
    pub drift: f64,
    /// That the line was laid through.
    pub markers: u64,
    /// Of those, after the fit; `None` with fewer than three, where the line goes through all.
    pub largest_residual_s: Option<f64>,
    /// Shared markers that are too far from all others to be the same event.
    pub left_out: Vec<LeftOut>,
    #[serde(skip)]
    line: Line,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct LeftOut {
    pub other_s: f64,
    pub residual_s: f64,
}

impl DriftFit {
    pub fn to_session(&self, other_s: f64) -> Timestamp {
        Timestamp::from_secs_f64(other_s + self.line.at(other_s))
    }
}

/// `pairs` of a shared marker's time: on the other clock in seconds, and on the session's.
pub fn fit_drift(pairs: &[(f64, Timestamp)]) -> Result<DriftFit, AnalysisError> {
    if let Some((bad, _)) = pairs.iter().find(|(other, _)| !other.is_finite()) {
        return Err(AnalysisError::Drift(format!("`{bad}` is not a time")));
    }
    let mut points: Vec<(f64, f64)> = pairs.iter().map(|(o, s)| (*o, s.as_secs_f64() - o)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return Err(AnalysisError::NoSharedMarker) };
    if points.len() > 1 && first.0 == last.0 {
        return Err(AnalysisError::Drift("they all have one time on the other clock".to_owned()));
    }
    let (good, wild) = sorted_out(&points)?;
    let Some(line) = line_through(&good) else { return Err(AnalysisError::NoSharedMarker) };
    if line.slope.abs() > MOST_DRIFT {
        let faster = 100.0 * line.slope.abs();
        let sentence =
            format!("one clock would run {faster:.1} % faster. The markers are therefore not the same events");
        return Err(AnalysisError::Drift(sentence));
    }
    let residual = |(o, v): &(f64, f64)| v - line.at(*o);
    Ok(DriftFit {
        offset_s: line.at(0.0),
        drift: line.slope,
        markers: good.len() as u64,
        largest_residual_s: (good.len() > 2).then(|| good.iter().map(|p| residual(p).abs()).fold(0.0, f64::max)),
        left_out: wild.iter().map(|p| LeftOut { other_s: p.0, residual_s: residual(p) }).collect(),
        line,
    })
}

type Points = Vec<(f64, f64)>;

/// The markers that lie on one line, and those that do not. A clock that stepped has more than one line. The
/// time of the step between two markers is unknown.
fn sorted_out(points: &[(f64, f64)]) -> Result<(Points, Points), AnalysisError> {
    let runs = clock_runs(points).runs;
    let mut long = runs.iter().filter(|run| run.len() > MOST_WILD);
    let (one, another) = (long.next(), long.next());
    if let (Some(one), Some(another)) = (one, another) {
        let (before, after) = (points[one[one.len() - 1]], points[another[0]]);
        return Err(AnalysisError::Drift(format!(
            "against the session's, the other clock was changed by {:.3} s between {:.3} s and {:.3} s of its own time, so no single line holds \
             for all: split the file there and import each part with the markers that it shares",
            before.1 - after.1,
            before.0,
            after.0
        )));
    }
    let may_leave = points.len() / LEAVE_ONE_OUT_OF;
    match one {
        Some(run) if points.len() - run.len() <= may_leave => {
            let is_good = |k: &usize| run.binary_search(k).is_ok();
            let (good, wild): (Vec<usize>, Vec<usize>) = (0..points.len()).partition(is_good);
            let at = |which: Vec<usize>| which.into_iter().map(|k| points[k]).collect();
            Ok((at(good), at(wild)))
        }
        // They scatter: the caller sees by how much.
        _ => Ok((points.to_vec(), Vec::new())),
    }
}

/// Bends where the markers' own scatter says that a residual is unusual.
fn line_through(points: &[(f64, f64)]) -> Option<Line> {
    let first = robust_line(points, SMALLEST_BEND_S)?;
    let sd_s = SD_OF_MEDIAN * median(points.iter().map(|(x, y)| (y - first.at(*x)).abs()).collect())?;
    robust_line(points, (BEND_IN_SD * sd_s).max(SMALLEST_BEND_S))
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

        #[test]
        fn wild_pairs_move_nothing_and_are_told(
            offset in -1e6f64..1e6, ppm in -200f64..200.0, n in 8usize..60, first in any::<prop::sample::Index>(),
            second in any::<prop::sample::Index>(), by in prop_oneof![-1e4f64..-0.2, 0.2f64..1e4], asked in 0f64..600.0,
        ) {
            let session = |o: f64| offset + o * (1.0 + ppm * 1e-6);
            let mut wild = [first.index(n), second.index(n)].to_vec();
            wild.sort_unstable();
            wild.dedup();
            let pair = |k: usize| {
                let other = 10.0 * k as f64;
                (other, Timestamp::from_secs_f64(session(other) + if wild.contains(&k) { by } else { 0.0 }))
            };
            let fit = fit_drift(&(0..n).map(pair).collect::<Vec<_>>()).unwrap();
            prop_assert!((fit.to_session(asked).as_secs_f64() - session(asked)).abs() < 1e-4);
            let left_out: Vec<f64> = fit.left_out.iter().map(|l| l.other_s / 10.0).collect();
            prop_assert_eq!(left_out, wild.iter().map(|k| *k as f64).collect::<Vec<_>>());
            prop_assert!(fit.left_out.iter().all(|l| (l.residual_s - by).abs() < 1e-3));
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
        assert!(says(&[(f64::NAN, at(0.0))]).contains("is not a time"));
        let fit = fit_drift(&[(0.0, at(0.0)), (100.0, at(100.0)), (200.0, at(200.03))]).unwrap();
        assert!((fit.largest_residual_s.unwrap() - 0.01).abs() < 1e-6, "{fit:?}");
    }

    #[test]
    fn a_clock_that_stepped_is_refused_with_the_place() {
        let pair = |k: u32| {
            let other = 10.0 * f64::from(k);
            (other, Timestamp::from_secs_f64(other + if k < 8 { 0.0 } else { 0.15 }))
        };
        let refused = fit_drift(&(0..16).map(pair).collect::<Vec<_>>()).unwrap_err().to_string();
        assert!(refused.contains("changed by -0.150 s between 70.000 s and 80.000 s"), "{refused}");
    }
}
