//! Detects incomplete JPEGs that look complete, for a library that does not report the number of written bytes.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hasher};

/// After an incomplete JPEG, the buffer still contains the end of an older picture. The result looks complete. Both
/// pictures end at the same byte with the same bytes, and differ before them.
#[derive(Default)]
pub struct StaleTails(VecDeque<Tail>);

struct Tail {
    len: usize,
    last: Vec<u8>,
    hash: u64,
}

/// More than the number of buffers of any driver. Each buffer contains the end of an earlier picture.
const BUFFERS: usize = 32;
const TAIL_BYTES: usize = 64;

impl StaleTails {
    pub fn ends_in_an_older_picture(&mut self, jpeg: &[u8]) -> bool {
        let last = &jpeg[jpeg.len().saturating_sub(TAIL_BYTES)..];
        let mut hasher = DefaultHasher::new();
        hasher.write(jpeg);
        let hash = hasher.finish();
        // A repeated picture (a still image of a virtual camera) is not damaged.
        let is_known = self.0.iter().any(|t| t.hash == hash);
        let is_stale = !is_known && self.0.iter().any(|t| t.len == jpeg.len() && t.last == last);
        if !is_known && !is_stale {
            if self.0.len() == BUFFERS {
                self.0.pop_front();
            }
            self.0.push_back(Tail { len: jpeg.len(), last: last.to_vec(), hash });
        }
        is_stale
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_half_jpeg_over_an_older_one_is_noticed_and_a_still_picture_is_not() {
        let picture = |seed: u32, len: u32| -> Vec<u8> {
            (0..len).map(|i| ((i ^ seed).wrapping_mul(2_654_435_761) >> 17) as u8).collect()
        };
        let mut stale = StaleTails::default();
        let pictures: Vec<Vec<u8>> = (0..8).map(|k| picture(k * 7919, 5000 + 13 * k)).collect();
        assert!(pictures.iter().all(|p| !stale.ends_in_an_older_picture(p)));
        let mut half = picture(99_991, 2000);
        half.extend_from_slice(&pictures[5][2000..]);
        assert!(stale.ends_in_an_older_picture(&half));
        assert!(!stale.ends_in_an_older_picture(&pictures[5]), "the same picture again is no damage");
    }
}
