//! A token bucket: limits the average rate and the size of a burst.

use std::time::Instant;

#[derive(Debug)]
pub struct Rate {
    per_s: f64,
    burst: f64,
    level: f64,
    at: Instant,
}

impl Rate {
    pub fn new(per_s: f64, burst: f64) -> Rate {
        Rate { per_s, burst, level: burst, at: Instant::now() }
    }

    /// Whether nothing was taken for so long that a new bucket would be the same.
    pub fn is_full(&self, now: Instant) -> bool {
        let elapsed_s = now.saturating_duration_since(self.at).as_secs_f64();
        self.level + elapsed_s * self.per_s >= self.burst
    }

    /// Takes `amount`, or returns the number of seconds after which it can be taken.
    pub fn take(&mut self, amount: f64, now: Instant) -> Result<(), u32> {
        let elapsed_s = now.saturating_duration_since(self.at).as_secs_f64();
        self.level = (self.level + elapsed_s * self.per_s).min(self.burst);
        self.at = self.at.max(now);
        if self.level >= amount.min(self.burst) {
            self.level -= amount;
            return Ok(());
        }
        Err(((amount.min(self.burst) - self.level) / self.per_s).ceil().clamp(1.0, 3600.0) as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_burst_and_then_the_rate() {
        let mut rate = Rate::new(10.0, 50.0);
        let start = Instant::now();
        assert!(rate.is_full(start));
        assert_eq!(rate.take(50.0, start), Ok(()));
        assert!(!rate.is_full(start + Duration::from_secs(4)) && rate.is_full(start + Duration::from_secs(6)));
        assert_eq!(rate.take(1.0, start), Err(1));
        assert_eq!(rate.take(30.0, start), Err(3));
        assert_eq!(rate.take(30.0, start + Duration::from_secs(3)), Ok(()));
        assert!(rate.take(1.0, start + Duration::from_secs(3)).is_err());
    }
}
