//! A part of the time axis of a session.

use session::Timestamp;

/// A stretch of the session clock, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeWindow {
    pub from_s: f64,
    pub until_s: f64,
}

impl TimeWindow {
    pub fn width_s(&self) -> f64 {
        self.until_s - self.from_s
    }

    pub fn from(&self) -> Timestamp {
        Timestamp::from_secs_f64(self.from_s)
    }

    pub fn until(&self) -> Timestamp {
        Timestamp::from_secs_f64(self.until_s)
    }
}
