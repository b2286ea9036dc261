//! Planar 4:2:0 pictures, as video files and some cameras deliver them, and their conversion to the planes of a JPEG.
//!
//! A JPEG has full-range luma and chroma of BT.601 (JFIF). The networks read that luma, and the compressor takes those planes.
//! So neither needs RGB. Chroma samples are used for the 2 × 2 luma samples that they cover: a shift of a quarter chroma sample
//! between the sitings of video (left) and JPEG (centre) is not corrected.

use crate::luma::{full_chroma, full_luma};

/// A picture in three planes without padding: `width × height` of luma, then two chroma planes of half the width and half the
/// height, rounded up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct I420 {
    pub bytes: Vec<u8>,
    pub colour: YuvColour,
}

/// What the numbers of a picture in luma and chroma mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct YuvColour {
    pub range: YuvRange,
    pub matrix: YuvMatrix,
}

impl YuvColour {
    /// A JPEG.
    pub const JPEG: YuvColour = YuvColour { range: YuvRange::Full, matrix: YuvMatrix::Bt601 };
    /// A webcam.
    pub const CAMERA: YuvColour = YuvColour { range: YuvRange::Video, matrix: YuvMatrix::Bt601 };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YuvRange {
    /// Luma from 16 to 235, chroma from 16 to 240.
    Video,
    /// 0 to 255.
    Full,
}

/// The weights of red, green and blue in luma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum YuvMatrix {
    /// Recommendation ITU-R BT.601: webcams, JPEG, video of standard definition.
    Bt601,
    /// Recommendation ITU-R BT.709: video of high definition.
    Bt709,
}

/// Borrowed planes of one picture.
#[derive(Clone, Copy, Debug)]
pub struct PlanesRef<'a> {
    pub y: &'a [u8],
    pub u: &'a [u8],
    pub v: &'a [u8],
}

/// Planes in full range and BT.601, reused from picture to picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Planes {
    pub y: Vec<u8>,
    pub u: Vec<u8>,
    pub v: Vec<u8>,
}

/// Luma samples of a row or column that one chroma sample covers.
const CHROMA_STEP: usize = 2;

/// Width and height of the chroma planes of 4:2:0.
pub fn chroma_size(width: usize, height: usize) -> (usize, usize) {
    (width.div_ceil(CHROMA_STEP), height.div_ceil(CHROMA_STEP))
}

impl I420 {
    /// The length of `bytes` for a picture of this size.
    pub fn byte_count(width: usize, height: usize) -> usize {
        let (w, h) = chroma_size(width, height);
        width * height + 2 * w * h
    }

    /// `None` if `bytes` has not the length of such a picture.
    pub fn planes(&self, width: usize, height: usize) -> Option<PlanesRef<'_>> {
        if width == 0 || height == 0 || self.bytes.len() != I420::byte_count(width, height) {
            return None;
        }
        let (w, h) = chroma_size(width, height);
        let (y, chroma) = self.bytes.split_at(width * height);
        let (u, v) = chroma.split_at(w * h);
        Some(PlanesRef { y, u, v })
    }

    /// Writes the luma of the JPEG to `y`. Returns false if the size does not fit; `y` is then unchanged.
    pub fn jpeg_luma(&self, width: usize, height: usize, y: &mut Vec<u8>) -> bool {
        let Some(planes) = self.planes(width, height) else { return false };
        y.clear();
        match (self.colour.matrix, self.colour.range) {
            (YuvMatrix::Bt601, YuvRange::Full) => y.extend_from_slice(planes.y),
            (YuvMatrix::Bt601, YuvRange::Video) => y.extend(planes.y.iter().map(|y| full_luma(*y))),
            (YuvMatrix::Bt709, range) => luma_of_bt709(planes, width, range, y),
        }
        true
    }

    /// Writes the planes of the JPEG, 4:2:0, to `to`. Returns false if the size does not fit; `to` is then unchanged.
    pub fn jpeg_planes(&self, width: usize, height: usize, to: &mut Planes) -> bool {
        if !self.jpeg_luma(width, height, &mut to.y) {
            return false;
        }
        let Some(planes) = self.planes(width, height) else { return false };
        to.u.clear();
        to.v.clear();
        match (self.colour.matrix, self.colour.range) {
            (YuvMatrix::Bt601, YuvRange::Full) => {
                to.u.extend_from_slice(planes.u);
                to.v.extend_from_slice(planes.v);
            }
            (YuvMatrix::Bt601, YuvRange::Video) => {
                to.u.extend(planes.u.iter().map(|c| full_chroma(*c)));
                to.v.extend(planes.v.iter().map(|c| full_chroma(*c)));
            }
            (YuvMatrix::Bt709, range) => {
                let full = |c: u8| i32::from(of_range(range, c)) - 128;
                let chroma = planes.u.iter().zip(planes.v).map(|(u, v)| (full(*u), full(*v)));
                to.u.extend(chroma.clone().map(|(cb, cr)| level(128, CB_OF_CB * cb + CB_OF_CR * cr)));
                to.v.extend(chroma.map(|(cb, cr)| level(128, CR_OF_CB * cb + CR_OF_CR * cr)));
            }
        }
        true
    }
}

fn of_range(range: YuvRange, chroma: u8) -> u8 {
    match range {
        YuvRange::Full => chroma,
        YuvRange::Video => full_chroma(chroma),
    }
}

// The same colour in BT.709 and in BT.601, both in full range, with 16 fractional bits: R'G'B' = M709⁻¹ · YCbCr709, and
// YCbCr601 = M601 · R'G'B'. A test computes the numbers from the weights of both recommendations.
const Y_OF_CB: i32 = 6_657;
const Y_OF_CR: i32 = 12_850;
const CB_OF_CB: i32 = 64_871;
const CB_OF_CR: i32 = -7_252;
const CR_OF_CB: i32 = -4_748;
const CR_OF_CR: i32 = 64_448;

/// `base` and a number with 16 fractional bits.
fn level(base: i32, more: i32) -> u8 {
    (base + ((more + 32_768) >> 16)).clamp(0, 255) as u8
}

fn luma_of_bt709(planes: PlanesRef<'_>, width: usize, range: YuvRange, to: &mut Vec<u8>) {
    let (chroma_width, _) = chroma_size(width, 1);
    let rows = planes.y.chunks_exact(width);
    let mut more = vec![0; chroma_width];
    for (row, luma) in rows.enumerate() {
        if row.is_multiple_of(CHROMA_STEP) {
            let at = row / CHROMA_STEP * chroma_width;
            let (u, v) = (&planes.u[at..at + chroma_width], &planes.v[at..at + chroma_width]);
            for ((u, v), more) in u.iter().zip(v).zip(&mut more) {
                let [cb, cr] = [u, v].map(|c| i32::from(of_range(range, *c)) - 128);
                *more = Y_OF_CB * cb + Y_OF_CR * cr;
            }
        }
        let pairs = luma.chunks(CHROMA_STEP).zip(&more);
        to.extend(pairs.flat_map(|(pair, more)| {
            pair.iter().map(move |y| {
                let y = if range == YuvRange::Full { *y } else { full_luma(*y) };
                level(i32::from(y), *more)
            })
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const VIDEO_709: YuvColour = YuvColour { range: YuvRange::Video, matrix: YuvMatrix::Bt709 };

    /// One flat picture of 2 × 2.
    fn flat(colour: YuvColour, [y, u, v]: [u8; 3]) -> I420 {
        I420 { bytes: vec![y, y, y, y, u, v], colour }
    }

    fn jpeg_of(picture: &I420, width: usize, height: usize) -> Planes {
        let mut planes = Planes::default();
        assert!(picture.jpeg_planes(width, height, &mut planes));
        planes
    }

    /// Luma and chroma in full range of a colour from 0 to 1, by the weights of red and blue.
    fn yuv((kr, kb): (f64, f64), [r, g, b]: [f64; 3]) -> [f64; 3] {
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        [255.0 * y, 128.0 + 255.0 * 0.5 * (b - y) / (1.0 - kb), 128.0 + 255.0 * 0.5 * (r - y) / (1.0 - kr)]
    }

    const BT601: (f64, f64) = (0.299, 0.114);
    const BT709: (f64, f64) = (0.2126, 0.0722);

    proptest! {
        /// The planes of every colour are those of its JPEG, to one level of rounding of its source.
        #[test]
        fn every_colour_becomes_that_of_its_jpeg(rgb in prop::array::uniform3(0.0f64..=1.0)) {
            let wanted = yuv(BT601, rgb);
            let in_video_range = |[y, u, v]: [f64; 3]| {
                [16.0 + y * 219.0 / 255.0, 128.0 + (u - 128.0) * 224.0 / 255.0, 128.0 + (v - 128.0) * 224.0 / 255.0]
            };
            for (colour, numbers) in [
                (YuvColour::JPEG, wanted),
                (YuvColour::CAMERA, in_video_range(wanted)),
                (VIDEO_709, in_video_range(yuv(BT709, rgb))),
                (YuvColour { range: YuvRange::Full, ..VIDEO_709 }, yuv(BT709, rgb)),
            ] {
                let planes = jpeg_of(&flat(colour, numbers.map(|n| n.round().clamp(0.0, 255.0) as u8)), 2, 2);
                for (found, wanted) in [planes.y[0], planes.u[0], planes.v[0]].into_iter().zip(wanted) {
                    prop_assert!((f64::from(found) - wanted).abs() <= 1.75, "{colour:?} {rgb:?}: {found} for {wanted}");
                }
            }
        }

        /// Whatever the size, luma alone is the luma of the planes, and each sample uses the chroma that covers it.
        #[test]
        fn sizes_may_be_odd(width in 1usize..9, height in 1usize..9, seed in any::<u64>()) {
            let count = I420::byte_count(width, height);
            let bytes = (0..count as u64).map(|k| (seed.wrapping_mul(k + 1) >> 29) as u8).collect();
            let picture = I420 { bytes, colour: VIDEO_709 };
            let planes = jpeg_of(&picture, width, height);
            let mut luma = vec![9];
            prop_assert!(picture.jpeg_luma(width, height, &mut luma));
            prop_assert_eq!(&luma, &planes.y);
            let source = picture.planes(width, height).unwrap();
            let (chroma_width, chroma_height) = chroma_size(width, height);
            prop_assert_eq!((planes.u.len(), planes.v.len()), (chroma_width * chroma_height, chroma_width * chroma_height));
            for (at, luma) in luma.iter().enumerate() {
                let chroma = at / width / 2 * chroma_width + at % width / 2;
                let one = jpeg_of(&flat(VIDEO_709, [source.y[at], source.u[chroma], source.v[chroma]]), 2, 2);
                prop_assert_eq!(*luma, one.y[0]);
                prop_assert_eq!((planes.u[chroma], planes.v[chroma]), (one.u[0], one.v[0]));
            }
            let mut planes = Planes::default();
            prop_assert!(!picture.jpeg_planes(width + 2, height, &mut planes) && planes == Planes::default());
        }
    }

    #[test]
    fn the_numbers_follow_from_the_weights() {
        // Columns of the matrix: what Y, Cb and Cr of BT.709 add to those of BT.601.
        let rgb = |[y, cb, cr]: [f64; 3]| {
            let (kr, kb) = BT709;
            let (r, b) = (y + 2.0 * (1.0 - kr) * cr, y + 2.0 * (1.0 - kb) * cb);
            [r, (y - kr * r - kb * b) / (1.0 - kr - kb), b]
        };
        let column = |of: [f64; 3]| {
            let [y, u, v] = yuv(BT601, rgb(of));
            [y / 255.0, (u - 128.0) / 255.0, (v - 128.0) / 255.0].map(|x| (x * 65_536.0).round() as i32)
        };
        assert_eq!(column([0.0, 1.0, 0.0]), [Y_OF_CB, CB_OF_CB, CR_OF_CB]);
        assert_eq!(column([0.0, 0.0, 1.0]), [Y_OF_CR, CB_OF_CR, CR_OF_CR]);
        assert_eq!(column([1.0, 0.0, 0.0]), [65_536, 0, 0]);
    }
}
