//! Units of times and durations, as in the headers of different programs.

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeUnit {
    H,
    Min,
    S,
    Ms,
    Us,
    Ns,
}

impl TimeUnit {
    pub const ALL: [TimeUnit; 6] = [TimeUnit::S, TimeUnit::Ms, TimeUnit::Us, TimeUnit::Ns, TimeUnit::Min, TimeUnit::H];

    pub const fn ns(self) -> i64 {
        match self {
            TimeUnit::H => 3_600_000_000_000,
            TimeUnit::Min => 60_000_000_000,
            TimeUnit::S => 1_000_000_000,
            TimeUnit::Ms => 1_000_000,
            TimeUnit::Us => 1_000,
            TimeUnit::Ns => 1,
        }
    }

    /// Converts `value` to seconds. Division by a power of ten is correctly rounded. Multiplication by 0.001 may not be.
    pub fn to_seconds(self, value: f64) -> f64 {
        match self {
            TimeUnit::H | TimeUnit::Min | TimeUnit::S => value * (self.ns() / TimeUnit::S.ns()) as f64,
            TimeUnit::Ms | TimeUnit::Us | TimeUnit::Ns => value / (TimeUnit::S.ns() / self.ns()) as f64,
        }
    }

    /// Parses the abbreviations in headers, in upper or lower case.
    fn named(word: &str) -> Option<TimeUnit> {
        Some(match word.trim().trim_end_matches('.').to_lowercase().as_str() {
            "h" | "hr" | "hrs" | "hour" | "hours" => TimeUnit::H,
            "min" | "mins" | "minute" | "minutes" => TimeUnit::Min,
            "s" | "sec" | "secs" | "second" | "seconds" => TimeUnit::S,
            "ms" | "msec" | "msecs" | "millis" | "millisecond" | "milliseconds" => TimeUnit::Ms,
            "us" | "\u{b5}s" | "\u{3bc}s" | "usec" | "usecs" | "micros" | "microsecond" | "microseconds" => {
                TimeUnit::Us
            }
            "ns" | "nsec" | "nsecs" | "nanos" | "nanosecond" | "nanoseconds" => TimeUnit::Ns,
            _ => return None,
        })
    }
}

impl FromStr for TimeUnit {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        TimeUnit::named(text).ok_or_else(|| format!("`{text}` is not a unit of time: write s, ms, us, ns, min or h"))
    }
}

impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TimeUnit::H => "h",
            TimeUnit::Min => "min",
            TimeUnit::S => "s",
            TimeUnit::Ms => "ms",
            TimeUnit::Us => "us",
            TimeUnit::Ns => "ns",
        })
    }
}

/// The parts of a column's name: `Onset Time (ms)` is `onset_time` in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ColumnName {
    /// In lower case, with words joined by `_`.
    pub stem: String,
    /// The unit in the name.
    pub unit: Option<TimeUnit>,
}

impl ColumnName {
    pub fn parse(name: &str) -> ColumnName {
        let name = name.trim();
        let (rest, unit) = in_brackets(name).or_else(|| elan(name)).or_else(|| last_word(name)).unwrap_or((name, None));
        let words = rest.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty());
        let stem = words.map(str::to_lowercase).collect::<Vec<_>>().join("_");
        // The whole name can be a unit: `seconds`.
        let unit = unit.or_else(|| TimeUnit::named(&stem).filter(|_| stem.len() > 1));
        ColumnName { stem, unit }
    }
}

/// `Time (ms)`, `Time [s]`. `Time (hh:mm:ss)` has no unit, because its cells are clock times.
fn in_brackets(name: &str) -> Option<(&str, Option<TimeUnit>)> {
    let open = if name.ends_with(')') {
        name.rfind('(')
    } else if name.ends_with(']') {
        name.rfind('[')
    } else {
        None
    }?;
    let (rest, inside) = (&name[..open], &name[open + 1..name.len() - 1]);
    let unit = TimeUnit::named(inside);
    (!rest.trim().is_empty() && (unit.is_some() || inside.contains(':'))).then_some((rest, unit))
}

/// ELAN's `Begin Time - hh:mm:ss.ms`, `Begin Time - ss.msec` and `Begin Time - msec`.
fn elan(name: &str) -> Option<(&str, Option<TimeUnit>)> {
    let (rest, form) = name.rsplit_once(" - ")?;
    match form.trim().to_lowercase().as_str() {
        form if form.contains(':') => Some((rest, None)),
        "ss.msec" | "ss.ms" => Some((rest, Some(TimeUnit::S))),
        form => TimeUnit::named(form).map(|unit| (rest, Some(unit))),
    }
}

/// `onset_ms`, `time.ms`, `Time in ms`, `timeMs`.
fn last_word(name: &str) -> Option<(&str, Option<TimeUnit>)> {
    let humped = ["Ms", "Us", "Ns", "Sec", "Msec", "Seconds", "Millis"].into_iter().find_map(|end| {
        let rest = name.strip_suffix(end)?;
        rest.ends_with(|c: char| c.is_lowercase()).then_some((rest, Some(TimeUnit::named(end)?)))
    });
    if humped.is_some() {
        return humped;
    }
    let at = name.rfind([' ', '_', '.', '-', '/'])?;
    let unit = TimeUnit::named(&name[at + 1..])?;
    let rest = name[..at].trim_end_matches([' ', '_', '.', '-', '/']);
    let rest = rest.strip_suffix(" in").or_else(|| rest.strip_suffix("_in")).unwrap_or(rest);
    (!rest.is_empty()).then_some((rest, Some(unit)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_name_their_units() {
        use TimeUnit::{Min, Ms, Ns, S, Us};
        for (name, stem, unit) in [
            ("onset", "onset", None),
            ("onset_ms", "onset", Some(Ms)),
            ("Time (ms)", "time", Some(Ms)),
            ("Time [s]", "time", Some(S)),
            ("latency(us)", "latency", Some(Us)),
            ("Recording timestamp [μs]", "recording_timestamp", Some(Us)),
            ("timestamp [ns]", "timestamp", Some(Ns)),
            ("Onset Time (sec.)", "onset_time", Some(S)),
            ("Time in ms", "time", Some(Ms)),
            ("onsetMs", "onset", Some(Ms)),
            ("time.ms", "time", Some(Ms)),
            ("Time (min)", "time", Some(Min)),
            ("milliseconds", "milliseconds", Some(Ms)),
            ("s", "s", None),
            ("t", "t", None),
            ("Begin Time - hh:mm:ss.ms", "begin_time", None),
            ("Begin Time - ss.msec", "begin_time", Some(S)),
            ("Begin Time - msec", "begin_time", Some(Ms)),
            ("Time (hh:mm:ss.ms)", "time", None),
            ("Time (corrected)", "time_corrected", None),
            ("stim.started", "stim_started", None),
            ("items", "items", None),
            ("", "", None),
        ] {
            assert_eq!(ColumnName::parse(name), ColumnName { stem: stem.to_owned(), unit }, "{name}");
        }
    }

    #[test]
    fn decimals_of_thousandths_stay_what_they_are() {
        assert_eq!(TimeUnit::Ms.to_seconds(1500.0), 1.5);
        assert_eq!(TimeUnit::Us.to_seconds(0.3e6), 0.3);
        assert_eq!(TimeUnit::Min.to_seconds(1.5), 90.0);
    }
}
