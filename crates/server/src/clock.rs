//! The server's clock: wall time, read once at the start, plus monotonic time. It never steps while sessions run.

use chrono::{DateTime, Utc};

use session::Clock;

#[derive(Clone, Copy, Debug)]
pub struct ServerClock(Clock);

impl ServerClock {
    pub fn start() -> ServerClock {
        ServerClock(Clock::start())
    }

    pub fn utc_ns(&self) -> i64 {
        self.0.zero_utc().timestamp_nanos_opt().unwrap_or(i64::MAX).saturating_add(self.0.now().as_ns())
    }

    pub fn utc_ms(&self) -> f64 {
        self.utc_ns() as f64 * 1e-6
    }

    pub fn utc(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.utc_ns())
    }
}
