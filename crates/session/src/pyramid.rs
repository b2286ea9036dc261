//! Minimum and maximum at growing scales. The cost of drawing depends on the width of the screen and not on the length of
//! the session.

const FAN: usize = 8;

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    pub min: f32,
    pub max: f32,
}

impl Bucket {
    const EMPTY: Bucket = Bucket { min: f32::INFINITY, max: f32::NEG_INFINITY };

    fn add(&mut self, other: Bucket) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// Level `l` has one bucket per `8^(l+1)` values. The last bucket of a level may be incomplete.
#[derive(Clone, Debug, Default)]
pub struct Pyramid {
    levels: Vec<Vec<Bucket>>,
    len: usize,
}

impl Pyramid {
    pub fn of(values: &[f32]) -> Pyramid {
        let mut pyramid = Pyramid::default();
        values.iter().for_each(|v| pyramid.push(*v));
        pyramid
    }

    /// Amortised constant time. NaN is counted but is in no bucket.
    pub fn push(&mut self, value: f32) {
        let leaf = if value.is_nan() { Bucket::EMPTY } else { Bucket { min: value, max: value } };
        let mut width = FAN;
        let mut level = 0;
        while self.len >= width || level == 0 {
            if level == self.levels.len() {
                // A new level starts with the values of the level below.
                let seed = if level == 0 {
                    Vec::new()
                } else {
                    vec![fold(&self.levels[level - 1][..FAN.min(self.levels[level - 1].len())])]
                };
                self.levels.push(seed);
            }
            let slot = self.len / width;
            let buckets = &mut self.levels[level];
            if slot == buckets.len() {
                buckets.push(Bucket::EMPTY);
            }
            buckets[slot].add(leaf);
            level += 1;
            width *= FAN;
        }
        self.len += 1;
    }

    /// Minimum and maximum over `values[range]`; `None` if all values are NaN.
    /// `values` are the values that were pushed. Costs O(log n).
    pub fn over(&self, values: impl Fn(usize) -> f32, range: std::ops::Range<usize>) -> Option<Bucket> {
        let mut found = Bucket::EMPTY;
        let (mut i, end) = (range.start, range.end.min(self.len));
        while i < end {
            // The widest bucket that starts at `i` and ends inside the range.
            let mut best = None;
            let mut width = FAN;
            for buckets in &self.levels {
                if i % width != 0 || i + width > end {
                    break;
                }
                best = buckets.get(i / width).map(|b| (*b, width));
                width *= FAN;
            }
            let (bucket, width) = best.unwrap_or_else(|| {
                let v = values(i);
                (if v.is_nan() { Bucket::EMPTY } else { Bucket { min: v, max: v } }, 1)
            });
            found.add(bucket);
            i += width;
        }
        (found.min <= found.max).then_some(found)
    }
}

fn fold(buckets: &[Bucket]) -> Bucket {
    buckets.iter().fold(Bucket::EMPTY, |mut all, b| {
        all.add(*b);
        all
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_looking_at_every_value(
            values in prop::collection::vec(prop_oneof![9 => -2f32..2.0, 1 => Just(f32::NAN)], 0..2000),
            cut in any::<(prop::sample::Index, prop::sample::Index)>(),
        ) {
            let mut pyramid = Pyramid::default();
            values.iter().for_each(|v| pyramid.push(*v));
            let (a, b) = (cut.0.index(values.len() + 1), cut.1.index(values.len() + 1));
            let range = a.min(b)..a.max(b);
            let plain = values[range.clone()].iter().filter(|v| !v.is_nan()).fold(None, |all: Option<Bucket>, v| {
                let mut all = all.unwrap_or(Bucket::EMPTY);
                all.add(Bucket { min: *v, max: *v });
                Some(all)
            });
            prop_assert_eq!(pyramid.over(|i| values[i], range), plain);
        }
    }
}
