//! The events of an imported file and the decisions that were made to read them.

use serde_json::{Map, Value};

use super::table::TimeUnit;

/// What the session adds to an event's data: a file's own columns never have these names.
pub const IMPORTED_S: &str = "imported_s";
pub const IMPORTED_TIME: &str = "imported_time";
pub const UNTIL_NS: &str = "until_ns";
pub(super) const OWN_DATA: [&str; 3] = [IMPORTED_S, IMPORTED_TIME, UNTIL_NS];

#[derive(Clone, Debug, PartialEq)]
pub struct ForeignEvent {
    /// On the file's clock.
    pub at_s: f64,
    /// `None` where it was over at once.
    pub duration_s: Option<f64>,
    pub kind: String,
    /// Everything else the file says of it.
    pub data: Map<String, Value>,
}

/// What a file says, and what had to be decided to read it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventFile {
    /// By time.
    pub events: Vec<ForeignEvent>,
    /// What was decided and what was left out, each a sentence without its full stop: for the person who imports, and
    /// kept in the session.
    pub notes: Vec<String>,
    /// Places at which the file is damaged, so that events may be missing; each is told in the notes.
    pub damaged_places: u64,
    /// Events that were left out because nobody can tell when they were.
    pub unplaced_events: u64,
    /// Rows of a table that name no time and were left out.
    pub rows_without_time: u64,
    pub clock: FileClock,
    /// How a table's numbers were read, where another unit could be meant.
    pub unit: Option<TimeUnit>,
}

/// On which clock a file's times are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileClock {
    /// Its zero is known to the other program alone.
    #[default]
    Own,
    /// Wall-clock time, counted from the session's zero already: right as far as the two computers' clocks agree.
    Wall,
}
