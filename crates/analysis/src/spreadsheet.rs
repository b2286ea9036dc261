//! Text in cells of tables that a spreadsheet opens.
//!
//! Spreadsheets run a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula. A visitor can type
//! such a text. An apostrophe before it prevents this. A cell that has apostrophes before such a character gets one more,
//! so that one is always to be removed.

use std::borrow::Cow;

const RUN: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

fn begins_formula(text: &str) -> bool {
    text.trim_start_matches('\'').starts_with(RUN)
}

/// A plain number, such as `-0.5` or `+1e3`.
fn is_number(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) && text.parse::<f64>().is_ok()
}

/// The text as a spreadsheet shows it and does not run it. Numbers do not change.
pub fn escaped_cell(text: &str) -> Cow<'_, str> {
    if begins_formula(text) && !is_number(text) { Cow::Owned(format!("'{text}")) } else { Cow::Borrowed(text) }
}

/// The text of a cell of [`escaped_cell`].
pub fn unescaped_cell(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|text| begins_formula(text)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn formulas_are_text_and_numbers_stay() {
        for (text, cell) in [
            ("=HYPERLINK(\"http://x\")", "'=HYPERLINK(\"http://x\")"),
            ("+1 555", "'+1 555"),
            ("-2+3", "'-2+3"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("'=1", "''=1"),
            ("-", "'-"),
            ("-0.5", "-0.5"),
            ("+1e-3", "+1e-3"),
            ("'tis", "'tis"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!((escaped_cell(text).as_ref(), unescaped_cell(cell)), (cell, text));
        }
    }

    proptest! {
        #[test]
        fn every_text_comes_back_and_none_is_run(text in "'{0,3}[-=+@\t\r0-9.e]{0,4}\\PC{0,4}") {
            let cell = escaped_cell(&text);
            prop_assert_eq!(unescaped_cell(&cell), &text);
            prop_assert!(!cell.starts_with(RUN) || is_number(&cell));
        }
    }
}
