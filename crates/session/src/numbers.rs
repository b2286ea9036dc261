//! A set of record numbers of a stream. It is nearly always `0..next`, so only numbers beyond that are kept one by one.

use std::collections::BTreeSet;
use std::ops::Range;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Numbers {
    next: u64,
    ahead: BTreeSet<u64>,
}

impl Numbers {
    /// `false` if the set already contains `number`.
    pub fn insert(&mut self, number: u64) -> bool {
        if number < self.next {
            return false;
        }
        if number > self.next {
            return self.ahead.insert(number);
        }
        self.next += 1;
        while self.ahead.remove(&self.next) {
            self.next += 1;
        }
        true
    }

    pub fn contains(&self, number: u64) -> bool {
        number < self.next || self.ahead.contains(&number)
    }

    /// The lowest number that is not in the set.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// The numbers of `0..until` that are not in the set.
    pub fn missing(&self, until: u64) -> Vec<Range<u64>> {
        let mut missing = Vec::new();
        let mut from = self.next;
        for &there in self.ahead.range(..until).chain([&until]) {
            if there > from {
                missing.push(from..there);
            }
            from = there + 1;
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(numbers in prop::collection::vec(0u64..60, 0..80), until in 0u64..70) {
            let (mut ours, mut plain) = (Numbers::default(), BTreeSet::new());
            for n in numbers {
                prop_assert_eq!(ours.insert(n), plain.insert(n));
            }
            prop_assert_eq!(ours.next(), (0..).find(|n| !plain.contains(n)).unwrap());
            prop_assert!((0..70).all(|n| ours.contains(n) == plain.contains(&n)));
            let missing: Vec<u64> = ours.missing(until).into_iter().flatten().collect();
            prop_assert_eq!(missing, (0..until).filter(|n| !plain.contains(n)).collect::<Vec<_>>());
        }
    }
}
