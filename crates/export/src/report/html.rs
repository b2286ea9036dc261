//! Formats numbers, durations and tables for the report.

use crate::markup::escaped;

/// `22,830`
pub(super) fn count(n: u64) -> String {
    let digits = n.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap_or_default()).collect();
    groups.join(",")
}

/// `1 session`, `12 sessions`
pub(super) fn plural(n: u64, what: &str) -> String {
    format!("{} {what}{}", count(n), if n == 1 { "" } else { "s" })
}

/// `0.03 %`
pub(super) fn percent(share: f64) -> String {
    let percent = 100.0 * share;
    let decimals = if percent == percent.round() {
        0
    } else if percent.abs() < 1.0 {
        2
    } else {
        1
    };
    format!("{percent:.decimals$} %")
}

/// `1 h 02 min`, `12 min 41 s`, `20.1 s`
pub(super) fn length(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.1} s"),
        s if s < 3600.0 => format!("{} min {:02} s", s as u64 / 60, s as u64 % 60),
        s => format!("{} h {:02} min", s as u64 / 3600, s as u64 / 60 % 60),
    }
}

/// A table. Its cells are escaped here.
pub(super) fn table(head: &[&str], rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |tag: &str, cells: &mut dyn Iterator<Item = &str>| {
        let cells: String = cells.map(|cell| format!("<{tag}>{}</{tag}>", escaped(cell))).collect();
        format!("<tr>{cells}</tr>\n")
    };
    let mut out = format!("<table>\n<thead>{}</thead>\n<tbody>\n", line("th", &mut head.iter().copied()));
    for row in rows {
        out.push_str(&line("td", &mut row.iter().map(String::as_str)));
    }
    out.push_str("</tbody>\n</table>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!([0, 999, 1000, 22_830, 1_000_000].map(count), ["0", "999", "1,000", "22,830", "1,000,000"]);
        assert_eq!([0.0, 0.0003, 0.125, 1.0].map(percent), ["0 %", "0.03 %", "12.5 %", "100 %"]);
        assert_eq!([20.1, 761.0, 3723.0].map(length), ["20.1 s", "12 min 41 s", "1 h 02 min"]);
        assert_eq!((plural(1, "session"), plural(0, "event")), ("1 session".into(), "0 events".into()));
    }

    proptest! {
        #[test]
        fn no_word_becomes_markup(text in "\\PC{0,40}") {
            let cell = table(&["a"], [vec![text]]);
            prop_assert_eq!(cell.matches('<').count(), 14);
        }
    }
}
