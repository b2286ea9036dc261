//! One rate for each network address.

use std::collections::HashMap;
use std::time::Instant;

use super::address::ClientAddress;
use super::problem::Problem;
use super::rate::Rate;

/// Addresses that are known at the same time. If there are more, unknown addresses are refused for a few seconds.
const MAX_ADDRESSES: usize = 10_000;

#[derive(Debug)]
pub struct AddressRates {
    per_min: f64,
    rates: HashMap<ClientAddress, Rate>,
}

impl AddressRates {
    /// Each address may do this number in a minute, and as many at once.
    pub fn new(per_min: f64) -> AddressRates {
        AddressRates { per_min, rates: HashMap::new() }
    }

    /// Counts one for the address. `detail` is the sentence for an address that is too fast.
    pub fn take(&mut self, address: ClientAddress, now: Instant, detail: &str) -> Result<(), Problem> {
        if self.rates.len() >= MAX_ADDRESSES && !self.rates.contains_key(&address) {
            return Err(Problem::too_fast("Requests come from too many network addresses. Try again later.", 10));
        }
        let rate = self.rates.entry(address).or_insert_with(|| Rate::new(self.per_min / 60.0, self.per_min));
        rate.take(1.0, now).map_err(|s| Problem::too_fast(detail, s))
    }

    /// Forgets the addresses that may do their whole number again.
    pub fn forget_full(&mut self, now: Instant) {
        self.rates.retain(|_, rate| !rate.is_full(now));
    }
}
