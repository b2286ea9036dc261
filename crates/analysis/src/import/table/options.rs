//! The options for a table that the user sets, and their text forms.

use chrono::{DateTime, FixedOffset, Utc};
use encoding_rs::Encoding;

use super::moment;
use super::unit::TimeUnit;

/// The user's options for a table. `None`: determined automatically and reported.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TableOptions {
    /// The column with the times.
    pub time: Option<String>,
    /// The column with the date of each row. The times are then times of day.
    pub date: Option<String>,
    /// The column with the kinds of events.
    pub kind: Option<String>,
    /// The unit of the times, and of durations whose column name has no unit.
    pub unit: Option<TimeUnit>,
    /// The times are counts of samples or frames, with this rate.
    pub rate_hz: Option<f64>,
    /// The time zone of dates without one.
    pub zone: Option<FixedOffset>,
    pub encoding: Option<TextEncoding>,
    /// The time of the session clock's zero. Dates and Unix times are relative to it.
    pub zero_utc: DateTime<Utc>,
}

/// The encoding of a text.
pub type TextEncoding = &'static Encoding;

/// Parses the name of an encoding as in browsers: `utf-8`, `windows-1251`, `shift_jis`.
pub fn parse_encoding(name: &str) -> Option<TextEncoding> {
    Encoding::for_label(name.as_bytes())
}

/// Parses a time zone: `Z`, `+02:00`, `-0500`.
pub fn parse_zone(text: &str) -> Option<FixedOffset> {
    moment::zone(text)
}
