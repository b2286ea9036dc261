//! The phasic response of the skin conductance to an event.
//!
//! The limits are those of Boucsein et al. (2012), Publication recommendations for electrodermal measurements,
//! *Psychophysiology* 49, 1017–1034: a response begins 1 to 4 s after its event, and the smallest amplitude that counts
//! is 0.01 to 0.05 µS. The lower limit of the amplitude is used here.

/// Beginning of a response, in seconds after the event.
const LATENCY_S: (f64, f64) = (1.0, 4.0);
const SMALLEST_US: f64 = 0.01;
/// Spellings of microsiemens: with u, with the micro sign, with the Greek letter, and the name.
const MICROSIEMENS: [&str; 4] = ["uS", "\u{b5}S", "\u{3bc}S", "microsiemens"];

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SkinResponse {
    /// From the beginning of the rise to its peak, in microsiemens.
    pub amplitude: f64,
    /// From the event to the beginning of the rise.
    pub latency_s: f64,
}

/// Whether values of this unit are conductances that the limits apply to.
pub(super) fn is_microsiemens(unit: &str) -> bool {
    MICROSIEMENS.contains(&unit)
}

/// The largest rise that begins 1 to 4 s after the event. A rise begins at a point from which the conductance rises and to
/// which it did not rise. It ends at its highest point before the conductance falls by 0.01 µS. If several points lead to
/// the same peak and differ by less than 0.01 µS, the rise begins at the last one, because noise before a response is not
/// a part of it. `None`: no rise has 0.01 µS.
pub fn skin_response(times_s: &[f64], values_us: &[f64]) -> Option<SkinResponse> {
    let points = times_s.len().min(values_us.len());
    let is_beginning = |k: &usize| {
        let is_trough = values_us[k - 1] >= values_us[*k] && values_us[*k] < values_us[k + 1];
        is_trough && (LATENCY_S.0..=LATENCY_S.1).contains(&times_s[*k])
    };
    let rises: Vec<Rise> =
        (1..points.saturating_sub(1)).filter(is_beginning).map(|k| Rise::from(k, &values_us[..points])).collect();
    let larger = |best: Rise, next: Rise| if next.amplitude > best.amplitude { next } else { best };
    let largest = rises.iter().copied().reduce(larger).filter(|rise| rise.amplitude >= SMALLEST_US)?;
    let is_the_same = |rise: &&Rise| rise.peak == largest.peak && largest.amplitude - rise.amplitude < SMALLEST_US;
    let last = rises.iter().rev().find(is_the_same)?;
    Some(SkinResponse { amplitude: last.amplitude, latency_s: times_s[last.beginning] })
}

/// Positions on the grid, and the difference of their values.
#[derive(Clone, Copy)]
struct Rise {
    beginning: usize,
    peak: usize,
    amplitude: f64,
}

impl Rise {
    fn from(beginning: usize, values: &[f64]) -> Rise {
        let mut peak = beginning;
        for k in beginning..values.len() {
            if values[k] <= values[peak] - SMALLEST_US {
                break;
            }
            if values[k] > values[peak] {
                peak = k;
            }
        }
        Rise { beginning, peak, amplitude: values[peak] - values[beginning] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// From 1 s before to 9 s after the event, at 25 Hz.
    fn times_s() -> Vec<f64> {
        (-25..=225).map(|k| f64::from(k) / 25.0).collect()
    }

    /// A response that begins `latency_s` after the event, rises for 1.5 s and falls slowly.
    fn response(at_s: f64, latency_s: f64, amplitude: f64) -> f64 {
        let share = (at_s - latency_s) / 1.5;
        if share <= 0.0 { 0.0 } else { amplitude * share * (1.0 - share).exp() }
    }

    fn found(course: impl Fn(f64) -> f64) -> Option<SkinResponse> {
        let times_s = times_s();
        let values: Vec<f64> = times_s.iter().map(|at_s| course(*at_s)).collect();
        skin_response(&times_s, &values)
    }

    #[test]
    fn the_largest_response_that_begins_in_time_is_found() {
        let one = found(|s| 5.0 + response(s, 2.0, 0.3)).unwrap();
        assert!((one.amplitude - 0.3).abs() < 1e-4 && (one.latency_s - 2.0).abs() < 1e-9, "{one:?}");
        // The tonic level falls. The second response is larger, and the first does not last until its peak.
        let two = found(|s| 5.0 - 0.1 * s + response(s, 1.2, 0.2) + response(s, 3.8, 0.6)).unwrap();
        assert!((two.latency_s - 3.8).abs() < 0.05 && two.amplitude > 0.3 && two.amplitude < 0.6, "{two:?}");
    }

    #[test]
    fn a_response_that_begins_too_early_or_too_late_or_is_too_small_is_none() {
        assert_eq!(found(|s| response(s, 0.4, 0.3)), None);
        assert_eq!(found(|s| response(s, 4.4, 0.3)), None);
        assert_eq!(found(|s| response(s, 2.0, 0.009)), None);
        assert_eq!(found(|s| 5.0 - s), None);
        assert_eq!(skin_response(&[], &[]), None);
        assert_eq!(skin_response(&[1.5], &[1.0]), None);
    }

    #[test]
    fn a_ripple_below_the_smallest_amplitude_does_not_end_a_rise() {
        let rippled = found(|s| response(s, 2.0, 0.3) + 0.003 * (s * 40.0).sin()).unwrap();
        assert!((rippled.amplitude - 0.3).abs() < 0.01 && (rippled.latency_s - 2.0).abs() < 0.2, "{rippled:?}");
    }

    #[test]
    fn units_are_recognised_however_they_are_written() {
        assert!(["uS", "µS", "μS", "microsiemens"].into_iter().all(is_microsiemens));
        assert!(!["nS", "kOhm", "1", "microvolts", ""].into_iter().any(is_microsiemens));
    }

    proptest! {
        #[test]
        fn a_response_is_never_larger_than_the_range_and_begins_in_time(values in prop::collection::vec(-1f64..1.0, 0..251)) {
            if let Some(found) = skin_response(&times_s(), &values) {
                let (low, high) = values.iter().fold((1.0f64, -1.0f64), |(l, h), v| (l.min(*v), h.max(*v)));
                prop_assert!(found.amplitude > 0.0 && found.amplitude <= high - low);
                prop_assert!((1.0..=4.0).contains(&found.latency_s));
            }
        }
    }
}
