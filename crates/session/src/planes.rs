//! The layout of a picture in planes of luma and chroma, 4:2:0.

/// Luma samples of a row or column that one chroma sample covers.
const CHROMA_STEP: usize = 2;

/// The planes of one picture, without padding. Each chroma plane has half the width and half the height, rounded up.
#[derive(Clone, Copy, Debug)]
pub struct Planes<'a> {
    pub y: &'a [u8],
    pub u: &'a [u8],
    pub v: &'a [u8],
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
        Some(Planes { y, u, v })
    }
}

/// Width and height of a chroma plane.
pub fn chroma_size(width: usize, height: usize) -> (usize, usize) {
    (width.div_ceil(CHROMA_STEP), height.div_ceil(CHROMA_STEP))
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
        assert!(Planes::of(&bytes, 5, 3).is_none() && Planes::of(&[], 0, 3).is_none());
    }
}
