//! liblsl's own clock on this machine, and the session's.

use session::{Clock, Timestamp, monotonic_ns};

use super::{LslError, Network};

/// Readings of one clock differ by less than this, even on a busy machine.
const SAME_CLOCK_NS: i64 = 50_000;

/// Converts times of liblsl's clock on this machine to session times and back.
#[derive(Clone, Copy, Debug)]
pub struct ClockLink {
    clock: Clock,
    /// The session's time minus liblsl's.
    session_minus_local_ns: i64,
    /// 0: the clocks are the same.
    uncertainty_ns: i64,
}

impl ClockLink {
    /// Reads both clocks. On Linux both are `CLOCK_MONOTONIC`, and the link is exact. Elsewhere the difference is measured.
    pub fn measure(clock: Clock) -> Result<ClockLink, LslError> {
        let network = Network::get()?;
        let readings = (0..20).map(|_| {
            let before = monotonic_ns();
            let local = seconds_to_ns(network.local_clock_s());
            let after = monotonic_ns();
            (after - before, before + (after - before) / 2 - local)
        });
        // The shortest reading is the most certain one.
        let (width_ns, difference_ns) = readings.min().unwrap_or_default();
        Ok(Self::of(clock, width_ns, difference_ns))
    }

    fn of(clock: Clock, width_ns: i64, monotonic_minus_local_ns: i64) -> ClockLink {
        let zero = clock.from_monotonic_ns(0).as_ns();
        if monotonic_minus_local_ns.abs() < SAME_CLOCK_NS {
            return ClockLink { clock, session_minus_local_ns: zero, uncertainty_ns: 0 };
        }
        ClockLink {
            clock,
            session_minus_local_ns: zero.saturating_add(monotonic_minus_local_ns),
            // A coarse clock may read the same twice.
            uncertainty_ns: width_ns.max(1),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn is_exact(&self) -> bool {
        self.uncertainty_ns == 0
    }

    pub(crate) fn session_minus_local_ns(&self) -> i64 {
        self.session_minus_local_ns
    }

    pub(crate) fn uncertainty_ns(&self) -> i64 {
        self.uncertainty_ns
    }

    /// A session time as liblsl's clock has it, for the samples of an outlet.
    pub fn local_s(&self, at: Timestamp) -> f64 {
        at.as_ns().saturating_sub(self.session_minus_local_ns) as f64 / 1e9
    }
}

/// Rounds to the nanosecond. A number beyond the range becomes the range's end, and NaN becomes 0.
pub fn seconds_to_ns(seconds: f64) -> i64 {
    // Whole and broken seconds apart, because a product of a large number loses nanoseconds.
    let whole = seconds.trunc();
    (whole as i64).saturating_mul(1_000_000_000).saturating_add(((seconds - whole) * 1e9).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_that_agree_are_the_same_and_others_are_measured() {
        let clock = Clock::start();
        let at = Timestamp::from_ns(5_000_000_123);
        let zero_ns = -clock.from_monotonic_ns(0).as_ns();
        let same = ClockLink::of(clock, 300, 900);
        assert!(same.is_exact());
        assert!((same.local_s(at) - (zero_ns + at.as_ns()) as f64 / 1e9).abs() < 1e-6);
        let other = ClockLink::of(clock, 300, 70_000_000_000);
        assert_eq!((other.is_exact(), other.uncertainty_ns()), (false, 300));
        assert!((same.local_s(at) - other.local_s(at) - 70.0).abs() < 1e-6);
        assert!(!ClockLink::of(clock, 0, 70_000_000_000).is_exact());
    }

    #[test]
    fn seconds_keep_their_nanoseconds() {
        assert_eq!(seconds_to_ns(1_700_000_000.25), 1_700_000_000_250_000_000);
        assert_eq!(seconds_to_ns(-0.5), -500_000_000);
        assert_eq!(seconds_to_ns(123_456.789_012_345), 123_456_789_012_345);
        assert_eq!((seconds_to_ns(f64::NAN), seconds_to_ns(f64::INFINITY)), (0, i64::MAX));
    }
}
