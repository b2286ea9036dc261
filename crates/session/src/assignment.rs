//! Assigns participants to conditions: in blocks, balanced and reproducible.
//!
//! Each block contains every condition equally often, in a random order. So the groups differ by less than one block at any
//! time, and nobody can predict the next condition from the earlier ones. The order depends on the seed only, so that a
//! report can be checked later.

/// The condition of the participant with this number, counted from 0. A block has `block_size` places, rounded up to a
/// multiple of the number of conditions. Empty if there are no conditions.
pub fn assign(conditions: &[String], block_size: usize, seed: u64, index: u64) -> &str {
    if conditions.is_empty() {
        return "";
    }
    let size = block_size.max(1).next_multiple_of(conditions.len());
    let (block, place) = (index / size as u64, (index % size as u64) as usize);
    let mut places: Vec<usize> = (0..size).map(|k| k % conditions.len()).collect();
    let mut random = SplitMix(seed ^ SplitMix(block).next());
    for k in (1..size).rev() {
        places.swap(k, random.below(k as u64 + 1) as usize);
    }
    &conditions[places[place]]
}

/// SplitMix64. It is written out here, so that every version of this program gives the same order.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `n`, each number equally often. Numbers above the largest multiple of `n` are drawn again.
    fn below(&mut self, n: u64) -> u64 {
        let most = u64::MAX - u64::MAX % n;
        loop {
            let drawn = self.next();
            if drawn < most {
                return drawn % n;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn names(n: usize) -> Vec<String> {
        (0..n).map(|k| format!("c{k}")).collect()
    }

    #[test]
    fn the_order_of_a_seed_never_changes() {
        let conditions = ["a".to_owned(), "b".to_owned()];
        let order = |seed| (0..12).map(|k| assign(&conditions, 4, seed, k)).collect::<String>();
        assert_eq!((order(7).as_str(), order(8).as_str()), ("aabbbabaabba", "baabababbaba"));
        assert_eq!(assign(&[], 4, 7, 0), "");
        assert_eq!(assign(&conditions[..1], 0, 7, 99), "a");
    }

    #[test]
    fn all_orders_of_a_block_occur() {
        let conditions = names(3);
        let mut orders = BTreeMap::new();
        for seed in 0..6_000 {
            let order = (0..3).map(|k| assign(&conditions, 3, seed, k)).collect::<String>();
            *orders.entry(order).or_insert(0u32) += 1;
        }
        // Six orders, 1,000 times each. Five standard deviations are 144.
        assert_eq!(orders.len(), 6, "{orders:?}");
        assert!(orders.values().all(|n| (856..1_144).contains(n)), "{orders:?}");
    }

    proptest! {
        #[test]
        fn every_block_is_balanced(n in 1usize..6, block_size in 0usize..20, seed: u64, block in 0u64..1_000_000) {
            let conditions = names(n);
            let size = block_size.max(1).next_multiple_of(n) as u64;
            let mut counts = BTreeMap::new();
            for k in 0..size {
                *counts.entry(assign(&conditions, block_size, seed, block * size + k)).or_insert(0u64) += 1;
            }
            prop_assert_eq!(counts.len(), n);
            prop_assert!(counts.values().all(|count| *count == size / n as u64));
        }
    }
}
