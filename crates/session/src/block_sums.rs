//! Sums at growing scales, for the mean over any stretch of a series. The cost of a mean depends on the logarithm of the
//! number of values.

use std::ops::Range;

/// Values of one block, and blocks of one larger block. Wide, because all fields of a session have their sums in memory.
const FAN: usize = 64;

/// The sum of the finite values of a stretch, and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sum {
    pub total: f64,
    pub count: u64,
}

impl Sum {
    fn of(values: &[f32]) -> Sum {
        let finite = values.iter().filter(|v| v.is_finite());
        finite.fold(Sum::default(), |all, v| all.and(Sum { total: f64::from(*v), count: 1 }))
    }

    fn and(self, other: Sum) -> Sum {
        Sum { total: self.total + other.total, count: self.count + other.count }
    }

    /// `None` without a finite value.
    pub fn mean(self) -> Option<f64> {
        (self.count > 0).then(|| self.total / self.count as f64)
    }
}

/// Level `l` has one sum for each complete block of `64^(l+1)` values.
#[derive(Clone, Debug, Default)]
pub struct BlockSums {
    levels: Vec<Vec<Sum>>,
}

impl BlockSums {
    pub fn of(values: &[f32]) -> BlockSums {
        let mut sums = BlockSums::default();
        values.as_chunks::<FAN>().0.iter().for_each(|block| sums.add_block(block));
        sums
    }

    /// Must be called after each added value. `values` are all values.
    pub fn grow(&mut self, values: &[f32]) {
        if values.len().is_multiple_of(FAN) {
            self.add_block(&values[values.len().saturating_sub(FAN)..]);
        }
    }

    fn add_block(&mut self, block: &[f32]) {
        let mut sum = Sum::of(block);
        for level in 0.. {
            if level == self.levels.len() {
                self.levels.push(Vec::new());
            }
            let sums = &mut self.levels[level];
            sums.push(sum);
            if !sums.len().is_multiple_of(FAN) {
                return;
            }
            sum = sums[sums.len() - FAN..].iter().fold(Sum::default(), |all, s| all.and(*s));
        }
    }

    /// The sum over `values[range]`. `values` are all values. Costs O(log n).
    pub fn over(&self, values: &[f32], range: Range<usize>) -> Sum {
        let mut found = Sum::default();
        let (mut i, end) = (range.start, range.end.min(values.len()));
        while i < end {
            // The widest block that starts at `i` and ends inside the range.
            let (mut block, mut width) = (None, 1);
            for sums in &self.levels {
                let wider = width * FAN;
                if i % wider != 0 || i + wider > end {
                    break;
                }
                (block, width) = (sums.get(i / wider), wider);
            }
            found = found.and(block.copied().unwrap_or_else(|| Sum::of(&values[i..i + width])));
            i += width;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_adding_every_value(
            values in prop::collection::vec(
                prop_oneof![9 => -2f32..2.0, 1 => Just(f32::NAN), 1 => Just(f32::INFINITY)], 0..9000),
            cut in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let mut grown = BlockSums::default();
            (1..=values.len()).for_each(|n| grown.grow(&values[..n]));
            let (a, b) = (cut.0.index(values.len() + 1), cut.1.index(values.len() + 1));
            let range = a.min(b)..a.max(b);
            let plain = Sum::of(&values[range.clone()]);
            for sums in [&grown, &BlockSums::of(&values)] {
                let found = sums.over(&values, range.clone());
                prop_assert_eq!(found.count, plain.count);
                prop_assert!((found.total - plain.total).abs() < 1e-6);
            }
            prop_assert_eq!(plain.mean().is_some(), values[range].iter().any(|v| v.is_finite()));
        }
    }
}
