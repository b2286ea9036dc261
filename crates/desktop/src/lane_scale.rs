//! The scale of a lane, and its numbers as text.

use session::Field;

use super::decimate::Run;
use super::lane_choice::LaneScale;

/// The low and the high end of a scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ends {
    pub low: f64,
    pub high: f64,
}

impl Ends {
    /// The position of a value from 0 at the low end to 1 at the high end.
    pub fn share(self, value: f64) -> f64 {
        (value - self.low) / (self.high - self.low)
    }
}

/// The scale for curves of a field. A scale that the description states is left if a value lies outside: nothing is cut.
pub fn ends(field: &Field, scale: LaneScale, runs: &[Run]) -> Ends {
    let values = || runs.iter().flatten().map(|point| point[1]);
    let visible =
        Ends { low: values().fold(f64::INFINITY, f64::min), high: values().fold(f64::NEG_INFINITY, f64::max) };
    let whole = whole_scale(field);
    match whole.filter(|_| scale == LaneScale::Whole) {
        Some(whole) if visible.low >= whole.low && visible.high <= whole.high => whole,
        _ if visible.low <= visible.high => rounded(visible),
        // Nothing is in view.
        _ => whole.unwrap_or(Ends { low: 0.0, high: 1.0 }),
    }
}

/// From 0 to 1 or from −1 to 1, if the description of the field states it: `0 open … 1 closed`.
pub fn whole_scale(field: &Field) -> Option<Ends> {
    if field.unit != "1" {
        return None;
    }
    if field.description.starts_with("probability of ") {
        return Some(Ends { low: 0.0, high: 1.0 });
    }
    let (before, after) = field.description.split_once('…')?;
    let number = |word: &str| {
        let word = word.trim_matches(|c: char| !c.is_ascii_digit() && c != '−' && c != '.').trim_end_matches('.');
        word.replace('−', "-").parse::<f64>().ok()
    };
    let low = before.split_whitespace().rev().find_map(number)?;
    let high = after.split_whitespace().find_map(number)?;
    ((low == 0.0 || low == -1.0) && high == 1.0).then_some(Ends { low, high })
}

/// Ends at round numbers, so that they do not change with each new value.
fn rounded(of: Ends) -> Ends {
    let range = of.high - of.low;
    let widened = if range > 0.0 { range } else { (of.low.abs() * 0.1).max(1e-6) };
    let step = round_step(widened / 4.0);
    let low = (of.low / step).floor() * step;
    let high = (of.high / step).ceil() * step;
    if high > low { Ends { low, high } } else { Ends { low: low - step, high: high + step } }
}

/// The next number of the form 1, 2 or 5 times a power of ten.
fn round_step(at_least: f64) -> f64 {
    let power = 10f64.powf(at_least.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|k| k * power).into_iter().find(|step| *step >= at_least * 0.999_999).unwrap_or(power)
}

/// `72`, `−0.05`, `1.2e6`: the end of a scale, with the decimals that it needs.
pub fn end_text(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-3..1e5).contains(&size) {
        return with_minus(format!("{value:.1e}"));
    }
    let decimals = if size < 10.0 {
        3
    } else if size < 1000.0 {
        2
    } else {
        1
    };
    let text = format!("{value:.decimals$}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    with_minus(if text == "-0" { "0".to_owned() } else { text.to_owned() })
}

/// `72.4 /min`, `0.312`, `−12.1 deg`: a value with its unit.
pub fn value_text(value: f64, unit: &str) -> String {
    let size = value.abs();
    let number = if size != 0.0 && !(1e-3..1e5).contains(&size) {
        format!("{value:.2e}")
    } else {
        let decimals = if size >= 1000.0 {
            0
        } else if size >= 10.0 {
            1
        } else if size >= 1.0 {
            2
        } else {
            3
        };
        format!("{value:.decimals$}")
    };
    let unit = unit_text(unit);
    with_minus(if unit.is_empty() { number } else { format!("{number} {unit}") })
}

/// A unit for people. A plain number has none.
pub fn unit_text(unit: &str) -> &str {
    if unit == "1" { "" } else { unit.strip_prefix('1').filter(|rest| rest.starts_with('/')).unwrap_or(unit) }
}

/// With the minus sign U+2212 at the start.
fn with_minus(text: String) -> String {
    text.strip_prefix('-').map_or_else(|| text.clone(), |rest| format!("−{rest}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::{action_stream, affect_stream, eyes_stream, face_stream, pulse_stream, skin_stream};

    fn scale_of(info: &session::StreamInfo, field: &str) -> Option<(f64, f64)> {
        whole_scale(&info.fields[info.field_index(field).unwrap()]).map(|e| (e.low, e.high))
    }

    #[test]
    fn fields_from_0_to_1_have_that_scale() {
        for (info, field, expected) in [
            (action_stream(30.0, "m"), "au12", Some((0.0, 1.0))),
            (eyes_stream(30.0, "m"), "closure_left", Some((0.0, 1.0))),
            (eyes_stream(30.0, "m"), "gaze_yaw", None),
            (affect_stream(30.0, "m"), "valence", Some((-1.0, 1.0))),
            (affect_stream(30.0, "m"), "happiness", Some((0.0, 1.0))),
            (affect_stream(30.0, "m"), "valence_sd", None),
            (face_stream(30.0, "m"), "brightness", Some((0.0, 1.0))),
            (face_stream(30.0, "m"), "sharpness", None),
            (pulse_stream("m"), "quality", Some((0.0, 1.0))),
            (pulse_stream("m"), "rate_bpm", None),
            (skin_stream(30.0, "m"), "forehead_r", None),
            (skin_stream(30.0, "m"), "forehead_clipped", Some((0.0, 1.0))),
        ] {
            assert_eq!(scale_of(&info, field), expected, "{} {field}", info.name);
        }
    }

    #[test]
    fn a_stated_scale_is_left_rather_than_a_value_cut() {
        let info = action_stream(30.0, "m");
        let field = &info.fields[0];
        let of = |scale, values: &[f64]| {
            let run: Run = values.iter().map(|v| [0.0, *v]).collect();
            let e = ends(field, scale, &[run]);
            (e.low, e.high)
        };
        assert_eq!(of(LaneScale::Whole, &[0.1, 0.2]), (0.0, 1.0));
        assert_eq!(of(LaneScale::Whole, &[]), (0.0, 1.0));
        assert_eq!(of(LaneScale::Whole, &[0.1, 1.3]), (0.0, 1.5));
        let (low, high) = of(LaneScale::Fitted, &[0.11, 0.29]);
        assert!((low - 0.1).abs() < 1e-9 && (high - 0.3).abs() < 1e-9, "{low} {high}");
    }

    #[test]
    fn numbers_are_short() {
        let ends = [0.0, 72.0, -0.05, 0.125, 1234.0, 1.2e6, -2e-5].map(end_text);
        assert_eq!(ends, ["0", "72", "−0.05", "0.125", "1234", "1.2e6", "−2.0e-5"]);
        let values = [(72.44, "1/min"), (0.3124, "1"), (-12.14, "deg"), (2345.6, "µS"), (0.0, "1")];
        let values = values.map(|(v, unit)| value_text(v, unit));
        assert_eq!(values, ["72.4 /min", "0.312", "−12.1 deg", "2346 µS", "0.000"]);
        assert_eq!(value_text(1.5e9, "V"), "1.50e9 V");
    }

    proptest! {
        #[test]
        fn all_values_are_inside_and_the_scale_is_not_far_wider(low in -1e6f64..1e6, range in 0f64..1e6) {
            let e = rounded(Ends { low, high: low + range });
            prop_assert!(e.low < e.high && e.share(low) >= -1e-6 && e.share(low + range) <= 1.0 + 1e-6);
            prop_assert!(range < 1e-3 || e.high - e.low <= 3.0 * range);
        }
    }
}
