//! Converts numbers, times and text to cells of a table, in the same way for all formats.

use analysis::escaped_cell;
use session::{Field, Timestamp};

/// BIDS's cell for an unknown value.
pub(super) const UNKNOWN: &str = "n/a";

/// Seconds on the session's clock with nine decimals, exactly.
pub(super) fn seconds(at: Timestamp) -> String {
    seconds_of_ns(at.as_ns())
}

pub(super) fn seconds_of_ns(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    format!("{sign}{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000)
}

/// `yaw_deg`, but `valence`: a plain number needs no unit, and some instruments state none.
pub(super) fn column_name(field: &Field) -> String {
    if has_unit(field) { format!("{}_{}", field.name, field.unit) } else { field.name.clone() }
}

pub(super) fn has_unit(field: &Field) -> bool {
    !["1", "n/a"].contains(&field.unit.as_str())
}

/// The shortest text that is parsed to the same number; `unknown` for NaN.
pub(super) fn number(value: f32, unknown: &str) -> String {
    if value.is_nan() { unknown.to_owned() } else { value.to_string() }
}

pub(super) fn flag(is_set: bool) -> &'static str {
    if is_set { "1" } else { "0" }
}

/// Text as a cell of a tab-separated table, which has no quotes. A spreadsheet does not run it.
pub(super) fn tsv_cell(text: &str) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let clean = clean.trim();
    if clean.is_empty() { UNKNOWN.to_owned() } else { escaped_cell(clean).into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_column_without_a_unit_has_the_plain_name_of_its_field() {
        let name = |unit: &str| column_name(&Field::new("C1", unit, ""));
        assert_eq!([name("1"), name("n/a"), name("microvolts")], ["C1", "C1", "C1_microvolts"]);
    }

    proptest! {
        #[test]
        fn a_time_reads_back_to_the_nanosecond(ns in any::<i64>()) {
            let text = seconds_of_ns(ns);
            let digits: String = text.chars().filter(|c| *c != '.').collect();
            prop_assert_eq!(digits.parse::<i128>().unwrap(), i128::from(ns));
        }

        #[test]
        fn a_word_never_breaks_its_row(text in "\\PC{0,5}[\t\n\r]{0,2}\\PC{0,5}") {
            prop_assert!(!tsv_cell(&text).contains(['\t', '\n', '\r']) && !tsv_cell(&text).is_empty());
        }

        #[test]
        fn a_number_reads_back_bit_by_bit(v in any::<f32>().prop_filter("finite", |v| v.is_finite())) {
            prop_assert_eq!(number(v, "").parse::<f32>().unwrap().to_bits(), v.to_bits());
        }
    }
}
