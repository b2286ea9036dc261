//! Parses numbers in the formats of different programs. The decimal mark is determined from a whole column, not from a cell.

/// The number format of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberStyle {
    decimal: char,
    /// The mark between groups of thousands. `None`: no mark, or only spaces and apostrophes.
    grouping: Option<char>,
}

impl NumberStyle {
    pub const PLAIN: NumberStyle = NumberStyle { decimal: '.', grouping: None };

    /// The format that fits all cells of a column.
    pub fn of<'a>(cells: impl Iterator<Item = &'a str> + Clone) -> NumberStyle {
        let style = |decimal, grouping| NumberStyle { decimal, grouping: Some(grouping) };
        let count = |cell: &str, mark: char| cell.chars().filter(|c| *c == mark).count();
        for cell in cells.clone() {
            match (cell.rfind('.'), cell.rfind(',')) {
                (Some(dot), Some(comma)) if dot > comma => return style('.', ','),
                (Some(_), Some(_)) => return style(',', '.'),
                _ if count(cell, ',') > 1 => return style('.', ','),
                _ if count(cell, '.') > 1 => return style(',', '.'),
                _ => {}
            }
        }
        let has = |mark: char| cells.clone().any(|cell| cell.contains(mark));
        match (has('.'), has(',')) {
            (_, false) => NumberStyle::PLAIN,
            // If a comma cannot group thousands, it is the decimal mark. A point then groups thousands.
            (true, true) if cells.clone().any(|c| c.contains(',') && ungrouped(c, ',').is_none()) => style(',', '.'),
            (true, true) => style('.', ','),
            (false, true) => NumberStyle { decimal: ',', grouping: None },
        }
    }

    pub fn has_decimal_commas(self) -> bool {
        self.decimal == ','
    }

    /// A finite number, or `None`.
    pub fn parse(self, cell: &str) -> Option<f64> {
        let plain = self.plain(cell)?;
        // Rust's parser also accepts `inf`, `nan` and `infinity`.
        let is_number = plain.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
        plain.parse::<f64>().ok().filter(|v| is_number && v.is_finite())
    }

    /// A whole number without loss of digits.
    pub fn parse_whole(self, cell: &str) -> Option<i128> {
        self.plain(cell)?.parse().ok()
    }

    /// The number in Rust's format.
    fn plain(self, cell: &str) -> Option<String> {
        let cell = cell.replace('\u{2212}', "-");
        let whole_end = cell.find(self.decimal).unwrap_or(cell.len());
        let (whole, decimals) = cell.split_at(whole_end);
        let mut whole = whole.to_owned();
        for mark in self.grouping.into_iter().chain(['\u{a0}', '\u{202f}', '\u{2009}', ' ', '\'', '\u{2019}']) {
            if whole.contains(mark) {
                whole = ungrouped(&whole, mark)?;
            }
        }
        Some(whole + &decimals.replacen(self.decimal, ".", 1))
    }
}

/// `1.234.567` without its marks. `None`: a mark is not followed by exactly three digits.
fn ungrouped(number: &str, mark: char) -> Option<String> {
    let digits = number.strip_prefix(['-', '+']).unwrap_or(number);
    let mut groups = digits.split(mark);
    let first = groups.next()?;
    let is_digits = |g: &str| g.bytes().all(|b| b.is_ascii_digit());
    let is_grouped = (1..=3).contains(&first.len()) && is_digits(first) && !(first.starts_with('0'));
    let fits = is_grouped && groups.all(|g| g.len() == 3 && is_digits(g));
    fits.then(|| number.replace(mark, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(cells: &[&str]) -> Vec<Option<f64>> {
        let style = NumberStyle::of(cells.iter().copied());
        cells.iter().map(|c| style.parse(c)).collect()
    }

    #[test]
    fn numbers_are_read_as_a_column_writes_them() {
        assert_eq!(read(&["1", "+5", "-0.5", "1e3", ".5", "−2"]), [1.0, 5.0, -0.5, 1000.0, 0.5, -2.0].map(Some));
        assert_eq!(read(&["0,5", "1,234", "-7"]), [0.5, 1.234, -7.0].map(Some));
        assert_eq!(read(&["1.234,5", "12"]), [1234.5, 12.0].map(Some));
        assert_eq!(read(&["1,234.5", "1,500", "999.25"]), [1234.5, 1500.0, 999.25].map(Some));
        assert_eq!(read(&["1,234,567"]), [Some(1_234_567.0)]);
        assert_eq!(read(&["1.234", "0,5"]), [1234.0, 0.5].map(Some));
        assert_eq!(read(&["1 234,5", "1\u{202f}234,5", "1'234,5"]), [Some(1234.5); 3]);
    }

    #[test]
    fn what_is_no_number_is_none() {
        for bad in [
            "soon", "inf", "NaN", "1e999", "٣", "0x10", "1..2", "12,34.5", "1.2.3", "--5", "5 s", "", "1_000", "e",
            "1 2",
        ] {
            assert_eq!(read(&[bad]), [None], "{bad}");
        }
        assert_eq!(read(&["0.5", "0,7"])[0], None, "two decimal marks in one column are no style");
    }

    #[test]
    fn whole_numbers_lose_nothing() {
        assert_eq!(NumberStyle::PLAIN.parse_whole("1764287562123456789"), Some(1_764_287_562_123_456_789));
        assert_eq!(NumberStyle::PLAIN.parse_whole("1.5"), None);
    }

    proptest! {
        #[test]
        fn what_a_program_writes_is_read(values in prop::collection::vec(-1e9f64..1e9, 1..20), has_comma in any::<bool>()) {
            let written = |v: &f64| if has_comma { v.to_string().replace('.', ",") } else { v.to_string() };
            let cells: Vec<String> = values.iter().map(written).collect();
            let style = NumberStyle::of(cells.iter().map(String::as_str));
            for (cell, value) in cells.iter().zip(values) {
                prop_assert_eq!(style.parse(cell), Some(value));
            }
        }

        #[test]
        fn no_cell_makes_it_panic(cell in "\\PC{0,12}") {
            let style = NumberStyle::of(std::iter::once(cell.as_str()));
            style.parse(&cell);
            style.parse_whole(&cell);
        }
    }
}
