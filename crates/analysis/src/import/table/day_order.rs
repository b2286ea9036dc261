//! Dates that begin with the day or with the month: `01.03.2025 10:00:00`, `3/1/2025 10:00 AM`.
//!
//! Dots separate day, month and year in this order. With slashes or hyphens, both orders are in use. A number above 12 is a
//! day and decides for the whole column. Otherwise the date of the session decides. Otherwise the column is refused.

use super::moment::clock_seconds;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DayOrder {
    DayFirst,
    MonthFirst,
}

impl DayOrder {
    pub fn description(self) -> &'static str {
        match self {
            DayOrder::DayFirst => "day before month",
            DayOrder::MonthFirst => "month before day",
        }
    }
}

/// `first`, `second` and year of a date, with the time of day behind it.
struct Parts<'a> {
    first: &'a str,
    second: &'a str,
    year: &'a str,
    separator: char,
    time: &'a str,
}

fn parts(cell: &str) -> Option<Parts<'_>> {
    let cell = cell.trim();
    let separator = cell.chars().find(|c| !c.is_ascii_digit()).filter(|c| ['.', '/', '-'].contains(c))?;
    let (first, rest) = cell.split_once(separator)?;
    let (second, rest) = rest.split_once(separator)?;
    let year_len = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (year, rest) = rest.split_at(year_len);
    let is_short = |digits: &str| (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    let is_date = is_short(first) && is_short(second) && year_len == 4 && rest.starts_with([' ', ',', 'T']);
    is_date.then(|| Parts { first, second, year, separator, time: rest.trim_start_matches([' ', ',', 'T']) })
}

/// The same date as `2025-03-01T10:00:00`. `None`: the cell does not begin with a day and a month.
pub(super) fn year_first(cell: &str, order: DayOrder) -> Option<String> {
    let Parts { first, second, year, time, .. } = parts(cell)?;
    let (day, month) = match order {
        DayOrder::DayFirst => (first, second),
        DayOrder::MonthFirst => (second, first),
    };
    Some(format!("{year}-{month:0>2}-{day:0>2}T{}", on_24_hours(time)))
}

/// A time of day with AM or PM, on 24 hours. Other text is returned as it is.
fn on_24_hours(time: &str) -> String {
    let lower = time.trim_end().to_ascii_lowercase();
    let Some(clock) = lower.strip_suffix("am").or_else(|| lower.strip_suffix("pm")) else { return time.to_owned() };
    let half = &lower[clock.len()..];
    let clock = clock.trim_end();
    let seconds = if clock.matches(':').count() == 1 { ":00" } else { "" };
    let Some(s) = clock_seconds(&format!("{clock}{seconds} {half}")) else { return time.to_owned() };
    format!("{:02}:{:02}:{:012.9}", (s / 3600.0) as u32, (s / 60.0) as u32 % 60, s % 60.0)
}

/// The order of a column. `None`: none of its dates begins with a day or a month. `is_near` tells whether a date that begins
/// with the year is near the session. The error is a sentence about one cell.
pub(super) fn day_order<'a>(
    cells: impl Iterator<Item = &'a str> + Clone,
    is_near: impl Fn(&str) -> bool,
) -> Result<Option<DayOrder>, String> {
    let dates = || cells.clone().filter_map(|cell| Some((cell, parts(cell)?)));
    let Some((example, _)) = dates().find(|(_, date)| date.first != date.second).or_else(|| dates().next()) else {
        return Ok(None);
    };
    let is_day = |digits: &str| digits.parse::<u8>().is_ok_and(|number| number > 12);
    let says_day_first = |(_, date): (&str, Parts<'_>)| date.separator == '.' || is_day(date.first);
    if dates().any(says_day_first) {
        return Ok(Some(DayOrder::DayFirst));
    }
    if dates().any(|(_, date)| is_day(date.second)) {
        return Ok(Some(DayOrder::MonthFirst));
    }
    let fits = |order: &DayOrder| dates().all(|(cell, _)| year_first(cell, *order).is_some_and(|date| is_near(&date)));
    let fitting: Vec<DayOrder> = [DayOrder::DayFirst, DayOrder::MonthFirst].into_iter().filter(fits).collect();
    match fitting[..] {
        [order] => Ok(Some(order)),
        // Day and month are the same number in every row.
        [order, _] if dates().all(|(_, date)| date.first == date.second) => Ok(Some(order)),
        _ => Err(format!(
            "in `{}` it is not known which number is the day: write the dates as year, month and day (2025-03-01)",
            example.escape_debug()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use DayOrder::{DayFirst, MonthFirst};

    #[test]
    fn dates_are_turned_around() {
        for (cell, order, date) in [
            ("01.03.2025 10:00:00", DayFirst, "2025-03-01T10:00:00"),
            ("1.3.2025, 10:00", DayFirst, "2025-03-01T10:00"),
            ("01/03/2025T10:00:00.250Z", DayFirst, "2025-03-01T10:00:00.250Z"),
            ("3/1/2025 10:00:00 PM", MonthFirst, "2025-03-01T22:00:00.000000000"),
            ("03-01-2025 12:30 am", MonthFirst, "2025-03-01T00:30:00.000000000"),
            ("3/1/2025 1:00:00.25pm", MonthFirst, "2025-03-01T13:00:00.250000000"),
        ] {
            assert_eq!(year_first(cell, order).as_deref(), Some(date), "{cell}");
        }
        for other in
            ["2025-03-01 10:00:00", "01.03.25 10:00", "01.03.2025", "01.03/2025 10:00", "1.5", "-1.3.2025 10:00", ""]
        {
            assert_eq!(year_first(other, DayFirst), None, "{other}");
        }
    }

    #[test]
    fn a_column_or_the_session_tells_the_order() {
        let near = |date: &str| date.starts_with("2025-03-04");
        let order = |cells: &[&'static str]| day_order(cells.iter().copied(), near);
        assert_eq!(order(&["03/04/2025 10:00", "25/04/2025 10:00"]), Ok(Some(DayFirst)));
        assert_eq!(order(&["03/04/2025 10:00", "04/25/2025 10:00"]), Ok(Some(MonthFirst)));
        assert_eq!(order(&["03.04.2025 10:00"]), Ok(Some(DayFirst)), "dots are never used otherwise");
        assert_eq!(order(&["03/04/2025 10:00", "03/04/2025 10:05"]), Ok(Some(MonthFirst)), "the session's day");
        assert_eq!(order(&["04/03/2025 10:00"]), Ok(Some(DayFirst)), "the session's day");
        assert_eq!(order(&["2025-03-04 10:00", "soon"]), Ok(None));
        let refused = order(&["05/05/2025 10:00", "05/06/2025 10:00"]).unwrap_err();
        assert!(refused.contains("`05/06/2025 10:00`") && refused.contains("which number is the day"), "{refused}");
        let both = day_order(["05/05/2025 10:00"].into_iter(), |_| true);
        assert_eq!(both, Ok(Some(DayFirst)), "both orders are one date");
    }
}
