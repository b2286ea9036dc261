//! Parses the time of a cell: a number with a unit, a clock time (`00:01:02.500`), or a date with its time of day.

use chrono::{DateTime, FixedOffset, NaiveDateTime};

const NS_PER_SECOND: i128 = 1_000_000_000;

/// All cells of a column have one form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Number,
    Clock,
    Date,
}

impl Form {
    /// The form that the first characters suggest. The cell may still be invalid.
    pub fn of(cell: &str) -> Form {
        let digits_first = cell.bytes().take_while(u8::is_ascii_digit).count();
        let has_year = digits_first == 4 && matches!(cell.as_bytes().get(4), Some(b'-' | b'/'));
        let is_compact = digits_first == 8 && matches!(cell.as_bytes().get(8), Some(b'T'));
        let colon = cell.find(':');
        let has_day = colon.is_some_and(|at| cell[..at].trim().contains([' ', 'T']));
        match () {
            () if (has_year && cell.len() >= 10) || is_compact || has_day => Form::Date,
            () if colon.is_some() => Form::Clock,
            () => Form::Number,
        }
    }

    /// For error messages.
    pub fn description(self) -> &'static str {
        match self {
            Form::Number => "number",
            Form::Clock => "clock time such as 00:01:02.500 or 1:02.5",
            Form::Date => "date and time such as 2025-03-01T10:00:00.250Z",
        }
    }
}

/// The seconds of a clock time: `hh:mm:ss` or `mm:ss`, with or without decimals, also negative, or with AM and PM.
pub(super) fn clock_seconds(cell: &str) -> Option<f64> {
    let lower = cell.trim().to_ascii_lowercase();
    let (rest, half) = match () {
        () if lower.ends_with("am") => (&lower[..lower.len() - 2], Some(0.0)),
        () if lower.ends_with("pm") => (&lower[..lower.len() - 2], Some(12.0)),
        () => (&lower[..], None),
    };
    let rest = rest.trim();
    let (sign, rest) = match rest.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (-1.0, rest),
        None => (1.0, rest.strip_prefix('+').unwrap_or(rest)),
    };
    let parts: Vec<&str> = rest.split(':').collect();
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes, seconds] => (whole(hours)?, below_60(whole(minutes)?)?, decimal(seconds)?),
        [minutes, seconds] => (0.0, whole(minutes)?, decimal(seconds)?),
        _ => return None,
    };
    let hours = match half {
        Some(_) if parts.len() != 3 || !(1.0..=12.0).contains(&hours) => return None,
        Some(half) => hours % 12.0 + half,
        None => hours,
    };
    Some(sign * (hours * 3600.0 + minutes * 60.0 + below_60(seconds)?))
}

/// Nanoseconds since 1970 in UTC. `zone` is used for cells without a time zone. If it is `None`, they are
/// [`DateError::NoZone`].
pub(super) fn utc_ns(cell: &str, zone: Option<FixedOffset>) -> Result<i128, DateError> {
    let text = cell.trim();
    let (text, is_utc) = match text.strip_suffix("UTC").or_else(|| text.strip_suffix("GMT")) {
        Some(rest) => (rest.trim_end(), true),
        None => (text, false),
    };
    let mut text = text.replace(',', ".");
    // The formats below have `T` between date and time, and `-` between year, month and day.
    if let Some(at) = text.find(' ') {
        text.replace_range(at..=at, "T");
    }
    if text.as_bytes().get(4) == Some(&b'/') {
        text = text.replacen('/', "-", 2);
    }
    text.retain(|c| c != ' ');
    let zoned = ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y%m%dT%H%M%S%.f%#z"];
    let text = if text.ends_with(['Z', 'z']) { format!("{}+0000", &text[..text.len() - 1]) } else { text };
    let ns = |at: DateTime<FixedOffset>| {
        i128::from(at.timestamp()) * NS_PER_SECOND + i128::from(at.timestamp_subsec_nanos())
    };
    if let Some(at) = zoned.iter().find_map(|form| DateTime::parse_from_str(&text, form).ok()) {
        return Ok(ns(at));
    }
    let naive = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y%m%dT%H%M%S%.f"];
    let at =
        naive.iter().find_map(|form| NaiveDateTime::parse_from_str(&text, form).ok()).ok_or(DateError::Unreadable)?;
    let zone = if is_utc { FixedOffset::east_opt(0) } else { zone }.ok_or(DateError::NoZone)?;
    at.and_local_timezone(zone).single().map(ns).ok_or(DateError::Unreadable)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DateError {
    Unreadable,
    /// A valid date without a time zone.
    NoZone,
}

/// Parses a time zone: `Z`, `+02:00`, `-0500`, `+2`.
pub(super) fn zone(text: &str) -> Option<FixedOffset> {
    if ["z", "utc", "gmt"].contains(&text.to_ascii_lowercase().as_str()) {
        return FixedOffset::east_opt(0);
    }
    let (sign, rest) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+')?),
    };
    let digits: String = rest.replacen(':', "", 1);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse::<i32>().ok()?, 0),
        3 | 4 => (digits[..digits.len() - 2].parse().ok()?, digits[digits.len() - 2..].parse::<i32>().ok()?),
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then(|| FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60)))?
}

fn whole(digits: &str) -> Option<f64> {
    let is_whole = (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_whole.then(|| digits.parse().ok())?
}

fn decimal(digits: &str) -> Option<f64> {
    let (seconds, fraction) = digits.split_once(['.', ',']).unwrap_or((digits, "0"));
    whole(seconds)?;
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|b| b.is_ascii_digit());
    is_fraction.then(|| format!("{seconds}.{fraction}").parse().ok())?
}

fn below_60(value: f64) -> Option<f64> {
    (value < 60.0).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn clock_times_are_seconds() {
        for (cell, seconds) in [
            ("00:00:01.250", 1.25),
            ("00:00:01,250", 1.25),
            ("1:02:03", 3723.0),
            ("75:10.5", 4510.5),
            ("-0:01.5", -1.5),
            ("−00:00:02", -2.0),
            ("+0:05", 5.0),
            ("12:03:04 PM", 43384.0),
            ("12:00:01 am", 1.0),
            ("1:00:00PM", 46800.0),
            ("120:00:00", 432_000.0),
        ] {
            assert_eq!(clock_seconds(cell), Some(seconds), "{cell}");
        }
        for bad in
            ["1:60", "0:61:00", "1:2:3:4", "1:", ":1", "1:2.", "a:b", "13:00:00 PM", "1:-2", "1:٣", "12:03 PM", "::"]
        {
            assert_eq!(clock_seconds(bad), None, "{bad}");
        }
    }

    #[test]
    fn dates_are_utc() {
        let second = 1_740_823_200 * NS_PER_SECOND;
        let half = NS_PER_SECOND / 2;
        for (cell, ns) in [
            ("2025-03-01T10:00:00Z", second),
            ("2025-03-01 10:00:00.5Z", second + half),
            ("2025-03-01T12:00:00,5+02:00", second + half),
            ("2025-03-01 05:00:00-0500", second),
            ("2025/03/01 10:00:00 UTC", second),
            ("2025-03-01T10:00Z", second),
            ("20250301T100000Z", second),
            ("2025-03-01T10:00:00.123456789Z", second + 123_456_789),
        ] {
            assert_eq!((Form::of(cell), utc_ns(cell, None)), (Form::Date, Ok(ns)), "{cell}");
        }
        assert_eq!(utc_ns("2025-03-01 10:00:00", None), Err(DateError::NoZone));
        assert_eq!(utc_ns("2025-03-01 12:00:00", zone("+02:00")), Ok(second));
        for bad in
            ["01.03.2025 10:00:00", "03/01/2025 10:00", "2025-13-01T10:00:00Z", "2025-03-01T25:00:00Z", "2025-03-01"]
        {
            assert_eq!(utc_ns(bad, zone("Z")), Err(DateError::Unreadable), "{bad}");
            assert_eq!(Form::of(bad), Form::Date, "{bad}");
        }
        assert_eq!(
            [Form::of("1.5"), Form::of("-2025.5"), Form::of("0:01"), Form::of("12:03:04 PM")],
            [Form::Number, Form::Number, Form::Clock, Form::Clock]
        );
    }

    #[test]
    fn zones_are_read_as_people_write_them() {
        let seconds = |text: &str| zone(text).map(|z| z.local_minus_utc());
        assert_eq!(["Z", "+02:00", "-0530", "+2"].map(seconds), [Some(0), Some(7200), Some(-19_800), Some(7200)]);
        assert_eq!(["", "+", "2", "+25:00", "CET", "+1:2:3"].map(seconds), [None; 6]);
    }

    proptest! {
        #[test]
        fn clock_times_come_back(ms in 0u32..360_000_000) {
            let (h, m, s, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
            let seconds = f64::from(ms) / 1000.0;
            let read = clock_seconds(&format!("{h:02}:{m:02}:{s:02}.{rest:03}")).unwrap();
            prop_assert!((read - seconds).abs() < 1e-9);
        }

        #[test]
        fn no_cell_makes_it_panic(cell in "[0-9:., TZ+/äAaPpMm\u{2212}-]{0,24}") {
            Form::of(&cell);
            clock_seconds(&cell);
            utc_ns(&cell, None).ok();
            utc_ns(&cell, zone("Z")).ok();
            zone(&cell);
        }
    }
}
