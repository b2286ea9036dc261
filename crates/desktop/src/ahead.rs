//! Looking a little further along a sorted slice.
//!
//! Drawing asks for the end of each pixel column in turn, and it is never far. A binary search over a long session
//! would leap through memory for each of them and wait for it every time; that, and not arithmetic, is what a frame
//! costs then.

/// How many items at the beginning of `items` pass, as `slice::partition_point`, in O(log of the answer).
pub fn ahead<T>(items: &[T], passes: impl Fn(&T) -> bool) -> usize {
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
            prop_assert_eq!(ahead(&items, |k| *k < edge), items.partition_point(|k| *k < edge));
        }
    }
}
