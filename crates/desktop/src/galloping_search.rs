//! Galloping search: finds a position near the beginning of a sorted slice.
//!
//! Drawing searches for the end of each pixel column in turn, and it is never far. For each column, a binary search over
//! a long session reads memory far apart and waits for it. These waits, not the arithmetic, take most of the time of a
//! frame.

/// As `slice::partition_point`, in O(log of the result).
pub fn partition_point_near_start<T>(items: &[T], passes: impl Fn(&T) -> bool) -> usize {
    let (mut known, mut step) = (0, 1);
    while known + step <= items.len() && passes(&items[known + step - 1]) {
        known += step;
        step *= 2;
    }
    let until = (known + step).min(items.len());
    known + items[known..until].partition_point(passes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn agrees_with_a_binary_search(mut items in prop::collection::vec(0u32..500, 0..300), edge in 0u32..510) {
            items.sort_unstable();
            prop_assert_eq!(
                partition_point_near_start(&items, |k| *k < edge),
                items.partition_point(|k| *k < edge)
            );
        }
    }
}
