//! The layout of a picture in planes of luma and chroma, 4:2:0 or 4:2:2.

/// Luma samples of a row or column that one chroma sample covers.
const CHROMA_STEP: usize = 2;

/// The planes of one picture, without padding. Each chroma plane has half the width, rounded up.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    pub y: &'a [u8],
    pub u: &'a [u8],
    pub v: &'a [u8],
    /// Rows of luma that a row of chroma covers: 2 in 4:2:0, 1 in 4:2:2.
    pub rows_of_chroma: usize,
}

impl<'a> Planes<'a> {
    /// Luma, then both chroma planes. `None` if `bytes` has not the length of such a picture.
    pub fn of(bytes: &'a [u8], width: usize, height: usize) -> Option<Planes<'a>> {
        if width == 0 || height == 0 || bytes.len() != planes_len(width, height) {
            return None;
        }
        let (chroma_width, chroma_height) = chroma_size(width, height);
        let (y, chroma) = bytes.split_at(width * height);
        let (u, v) = chroma.split_at(chroma_width * chroma_height);
        Some(Planes { y, u, v, rows_of_chroma: CHROMA_STEP })
    }

    /// The same for 4:2:2.
    pub fn of_half(bytes: &'a [u8], width: usize, height: usize) -> Option<Planes<'a>> {
        if width == 0 || height == 0 || bytes.len() != half_planes_len(width, height) {
            return None;
        }
        let (y, chroma) = bytes.split_at(width * height);
        let (u, v) = chroma.split_at(chroma.len() / 2);
        Some(Planes { y, u, v, rows_of_chroma: 1 })
    }
}

/// Width and height of a chroma plane.
pub fn chroma_size(width: usize, height: usize) -> (usize, usize) {
    (width.div_ceil(CHROMA_STEP), height.div_ceil(CHROMA_STEP))
}

/// The number of bytes of all planes in 4:2:2.
pub fn half_planes_len(width: usize, height: usize) -> usize {
    height * (width + 2 * width.div_ceil(CHROMA_STEP))
}

/// The number of bytes of all planes.
pub fn planes_len(width: usize, height: usize) -> usize {
    let (chroma_width, chroma_height) = chroma_size(width, height);
    width * height + 2 * chroma_width * chroma_height
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_may_be_odd() {
        let bytes: Vec<u8> = (0..9 + 2 * 4).collect();
        let planes = Planes::of(&bytes, 3, 3).unwrap();
        assert_eq!((planes.y.len(), planes.u, planes.v), (9, &bytes[9..13], &bytes[13..]));
        let bytes: Vec<u8> = (0..9 + 2 * 6).collect();
        let planes = Planes::of_half(&bytes, 3, 3).unwrap();
        assert_eq!((planes.y.len(), planes.u, planes.v), (9, &bytes[9..15], &bytes[15..]));
        assert!(Planes::of_half(&bytes, 3, 4).is_none());
        assert!(Planes::of(&bytes, 5, 3).is_none() && Planes::of(&[], 0, 3).is_none());
    }
}
