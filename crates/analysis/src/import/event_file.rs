//! The events of an imported file and the decisions that were made to read them.

use serde_json::{Map, Value};

use super::table::TimeUnit;

/// Names of the data that the import adds to an event. Columns of a file never have these names.
pub const IMPORTED_S: &str = "imported_s";
pub const IMPORTED_TIME: &str = "imported_time";
pub const UNTIL_NS: &str = "until_ns";
pub(super) const OWN_DATA: [&str; 3] = [IMPORTED_S, IMPORTED_TIME, UNTIL_NS];

#[derive(Clone, Debug, PartialEq)]
pub struct ForeignEvent {
    /// On the file's clock.
    pub at_s: f64,
    /// `None` for a momentary event.
    pub duration_s: Option<f64>,
    pub kind: String,
    /// All other data of the file.
    pub data: Map<String, Value>,
}

/// The events of a file, and the decisions that were made to read it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventFile {
    /// By time.
    pub events: Vec<ForeignEvent>,
    /// Decisions and omissions, each a sentence without its full stop. They are shown to the user and stored in the session.
    pub notes: Vec<String>,
    /// Number of damaged places, at which events may be missing. The notes list them.
    pub damaged_places: u64,
    /// Events that were left out because their time is unknown.
    pub unplaced_events: u64,
    /// Rows of a table without a time, which were left out.
    pub rows_without_time: u64,
    pub clock: FileClock,
    /// The unit of a table's times, if it is ambiguous.
    pub unit: Option<TimeUnit>,
}

/// The clock of a file's times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileClock {
    /// The other program's clock, with an unknown zero.
    #[default]
    Own,
    /// Wall-clock time, already relative to the session's zero. Its error is the difference of the two computers' clocks.
    Wall,
}
