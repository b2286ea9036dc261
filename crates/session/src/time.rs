//! The session clock. Every record has a [`Timestamp`] that its source took. Wall-clock time is stored once: the session's
//! header has the UTC time of the clock's zero.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// How much the clocks of a page and of a recorder are assumed to drift apart at most. The browsers' library
/// (`client/src/transport/clock.ts`) has the same value.
pub const CLOCK_DRIFT: f64 = 50e-6;

/// Nanoseconds since the zero of the session clock. Negative before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const ZERO: Timestamp = Timestamp(0);

    pub const fn from_ns(ns: i64) -> Self {
        Timestamp(ns)
    }

    pub fn from_secs_f64(seconds: f64) -> Self {
        // `as` saturates, so a large number cannot wrap around.
        Timestamp((seconds * 1e9).round() as i64)
    }

    /// `None` if the value is NaN or beyond the range of a timestamp (292 years).
    pub fn checked_from_secs_f64(seconds: f64) -> Option<Self> {
        let ns = (seconds * 1e9).round();
        // `i64::MAX as f64` is the first `f64` above the range.
        (ns >= i64::MIN as f64 && ns < i64::MAX as f64).then_some(Timestamp(ns as i64))
    }

    pub const fn as_ns(self) -> i64 {
        self.0
    }

    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 * 1e-9
    }

    /// `self − earlier` in seconds. Negative if `earlier` is later than `self`.
    pub fn seconds_since(self, earlier: Timestamp) -> f64 {
        self.since_ns(earlier) as f64 / 1e9
    }

    /// `self − earlier` in nanoseconds. Negative if `earlier` is later than `self`.
    pub const fn since_ns(self, earlier: Timestamp) -> i64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for Timestamp {
    type Output = Timestamp;
    fn add(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_add(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Timestamp;
    fn sub(self, span: Duration) -> Timestamp {
        Timestamp(self.0.saturating_sub(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)))
    }
}

/// `00:12:41.203`, with a leading minus before zero.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let ms = self.0.unsigned_abs() / 1_000_000;
        let (h, m, s, ms) = (ms / 3_600_000, ms / 60_000 % 60, ms / 1000 % 60, ms % 1000);
        write!(f, "{sign}{h:02}:{m:02}:{s:02}.{ms:03}")
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ns", self.0)
    }
}

/// A monotonic clock with a known zero in UTC. [`Clock::start`] reads both clocks together, once.
///
/// On Linux it is `CLOCK_MONOTONIC`, which V4L2 drivers also use. A subtraction converts a driver's timestamp.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    zero_monotonic_ns: i64,
    zero_utc: DateTime<Utc>,
}

impl Clock {
    pub fn start() -> Self {
        // The wall clock is read between two readings of the monotonic clock and matched with their mean.
        let before = monotonic_ns();
        let zero_utc = Utc::now();
        let after = monotonic_ns();
        Clock { zero_monotonic_ns: before + (after - before) / 2, zero_utc }
    }

    pub fn now(&self) -> Timestamp {
        self.from_monotonic_ns(monotonic_ns())
    }

    /// Converts a reading of the system's monotonic clock, such as the timestamp of a V4L2 buffer.
    #[allow(clippy::wrong_self_convention)] // reads as "this clock's timestamp from that reading"
    pub fn from_monotonic_ns(&self, ns: i64) -> Timestamp {
        Timestamp(ns.saturating_sub(self.zero_monotonic_ns))
    }

    pub fn zero_utc(&self) -> DateTime<Utc> {
        self.zero_utc
    }
}

/// A raw reading for [`Clock::from_monotonic_ns`]. On Unix all processes share this clock.
#[cfg(unix)]
pub fn monotonic_ns() -> i64 {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
    t.tv_sec * 1_000_000_000 + t.tv_nsec
}

#[cfg(not(unix))]
pub fn monotonic_ns() -> i64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_as_a_stopwatch() {
        assert_eq!(Timestamp::from_ns(761_203_900_000).to_string(), "00:12:41.203");
        assert_eq!(Timestamp::from_ns(-1_500_000_000).to_string(), "-00:00:01.500");
    }

    #[test]
    fn what_no_timestamp_can_hold_is_none() {
        let checked = |s: f64| Timestamp::checked_from_secs_f64(s);
        assert_eq!(checked(-1.5), Some(Timestamp::from_ns(-1_500_000_000)));
        assert_eq!(checked(-9.223_372_036_854_776e9), Some(Timestamp::from_ns(i64::MIN)));
        for bad in [1e10, -1e10, 9.223_372_036_854_776e9, f64::NAN, f64::INFINITY] {
            assert_eq!(checked(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_zero_lies_between_the_readings_before_and_after() {
        let (before, utc_before) = (monotonic_ns(), Utc::now());
        let clock = Clock::start();
        let (after, utc_after) = (monotonic_ns(), Utc::now());
        assert!(
            clock.from_monotonic_ns(before) <= Timestamp::ZERO && Timestamp::ZERO <= clock.from_monotonic_ns(after)
        );
        assert!(utc_before <= clock.zero_utc() && clock.zero_utc() <= utc_after);
        let second = clock.from_monotonic_ns(after + 1_000_000_000).seconds_since(clock.from_monotonic_ns(after));
        assert_eq!(second, 1.0);
    }

    #[test]
    fn the_clock_never_goes_back() {
        let clock = Clock::start();
        let mut last = clock.now();
        for _ in 0..10_000 {
            let now = clock.now();
            assert!(now >= last);
            last = now;
        }
    }

    proptest! {
        #[test]
        fn arithmetic_saturates(ns in any::<i64>(), span in any::<u64>()) {
            let (t, span) = (Timestamp::from_ns(ns), Duration::from_nanos(span));
            prop_assert!(t + span >= t);
            prop_assert!(t - span <= t);
        }

        #[test]
        fn seconds_round_trip_to_the_nanosecond_over_a_week(ns in -604_800_000_000_000i64..604_800_000_000_000) {
            // f64 holds a week in ns to better than 0.1 µs
            let back = Timestamp::from_secs_f64(Timestamp::from_ns(ns).as_secs_f64()).as_ns();
            prop_assert!((back - ns).abs() <= 100);
        }
    }
}
