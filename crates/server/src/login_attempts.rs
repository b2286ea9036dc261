//! Delays further logins of an address whose logins fail. Other addresses are not affected.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::address::ClientAddress;

/// Failed logins of one address without a delay.
const FREE_FAILURES: u32 = 3;
const FIRST_DELAY: Duration = Duration::from_secs(1);
const LONGEST_DELAY: Duration = Duration::from_secs(60);
/// The failures of an address are forgotten after this time without an attempt.
const FORGET_AFTER: Duration = Duration::from_secs(3600);
/// Bounds the memory. If there are more, the oldest is forgotten.
const MAX_ADDRESSES: usize = 10_000;

#[derive(Debug, Default)]
pub struct LoginAttempts(HashMap<ClientAddress, Failures>);

#[derive(Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Failures {
    /// Doubles with each failure.
    fn delay(&self) -> Duration {
        match self.count.checked_sub(FREE_FAILURES) {
            None => Duration::ZERO,
            Some(n) => FIRST_DELAY.saturating_mul(1 << n.min(16)).min(LONGEST_DELAY),
        }
    }
}

impl LoginAttempts {
    /// Allows an attempt, or returns the number of seconds after which it is allowed. An allowed attempt counts as failed
    /// until [`LoginAttempts::succeeded`] is called, so that attempts at the same time are limited, too. A refused attempt
    /// does not make the delay longer.
    pub fn admit(&mut self, address: ClientAddress, now: Instant) -> Result<(), u32> {
        if self.0.len() >= MAX_ADDRESSES && !self.0.contains_key(&address) {
            self.make_room(now);
        }
        let failures = self.0.entry(address).or_insert(Failures { count: 0, last: now });
        if now.duration_since(failures.last) >= FORGET_AFTER {
            failures.count = 0;
        }
        let wait = failures.delay().saturating_sub(now.duration_since(failures.last));
        if !wait.is_zero() {
            return Err(wait.as_secs_f64().ceil() as u32);
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
        Ok(())
    }

    pub fn succeeded(&mut self, address: ClientAddress) {
        self.0.remove(&address);
    }

    fn make_room(&mut self, now: Instant) {
        self.0.retain(|_, f| now.duration_since(f.last) < FORGET_AFTER);
        if self.0.len() >= MAX_ADDRESSES
            && let Some(oldest) = self.0.iter().min_by_key(|(_, f)| f.last).map(|(address, _)| *address)
        {
            self.0.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::{IpAddr, Ipv4Addr};

    fn address(n: u32) -> ClientAddress {
        ClientAddress::from_ip(IpAddr::V4(Ipv4Addr::from_bits(n)))
    }

    #[test]
    fn delays_double_up_to_a_minute_and_other_addresses_have_none() {
        let (mut attempts, mut now) = (LoginAttempts::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..12 {
            while let Err(wait_s) = attempts.admit(address(1), now) {
                // Refused attempts do not make the delay longer.
                assert!(attempts.admit(address(1), now).is_err());
                waits.push(wait_s);
                now += Duration::from_secs(wait_s.into());
            }
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(attempts.admit(address(1), now).is_err());
        assert_eq!(attempts.admit(address(2), now), Ok(()));
        attempts.succeeded(address(1));
        assert_eq!(attempts.admit(address(1), now), Ok(()));
    }

    #[test]
    fn the_number_of_addresses_is_bounded_and_does_not_lock_anyone_out() {
        let (mut attempts, now) = (LoginAttempts::default(), Instant::now());
        for n in 0..MAX_ADDRESSES as u32 + 10 {
            assert_eq!(attempts.admit(address(n), now + Duration::from_millis(n.into())), Ok(()));
        }
        assert_eq!(attempts.0.len(), MAX_ADDRESSES);
        assert!(attempts.0.contains_key(&address(MAX_ADDRESSES as u32)) && !attempts.0.contains_key(&address(0)));
    }
}
