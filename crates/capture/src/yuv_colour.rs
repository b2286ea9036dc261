//! Converts planes of luma and chroma to those of a JPEG: full range and BT.601 (JFIF).
//!
//! The networks read that luma, and the compressor takes those planes, so neither needs RGB. Each chroma sample is used for the
//! 2 × 2 luma samples that it covers: a shift of a quarter chroma sample between the sitings of video (left) and JPEG (centre) is
//! not corrected.

use serde::{Deserialize, Serialize};
use session::chroma_size;
use session::luma::{full_chroma, full_luma};

/// What the numbers of a picture in luma and chroma mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct YuvColour {
    pub range: YuvRange,
    pub matrix: YuvMatrix,
}

impl YuvColour {
    pub const JPEG: YuvColour = YuvColour { range: YuvRange::Full, matrix: YuvMatrix::Bt601 };
    pub const WEBCAM: YuvColour = YuvColour { range: YuvRange::Video, matrix: YuvMatrix::Bt601 };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YuvRange {
    /// Luma from 16 to 235, chroma from 16 to 240.
    Video,
    /// 0 to 255.
    Full,
}

/// The weights of red, green and blue in luma.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum YuvMatrix {
    /// Recommendation ITU-R BT.601: webcams, JPEG, video of standard definition.
    Bt601,
    /// Recommendation ITU-R BT.709: video of high definition.
    Bt709,
    /// Recommendation ITU-R BT.2020, non-constant luminance: video of a wide colour range, such as HDR of telephones.
    Bt2020,
}

/// The luma and chroma of BT.601 from those of another matrix, both in full range, with 16 fractional bits: R'G'B' = M⁻¹ · YCbCr,
/// and YCbCr601 = M601 · R'G'B'. A test computes the numbers from the weights of the recommendations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ToBt601 {
    y_of_cb: i32,
    y_of_cr: i32,
    cb_of_cb: i32,
    cb_of_cr: i32,
    cr_of_cb: i32,
    cr_of_cr: i32,
}

impl YuvMatrix {
    /// `None` for BT.601.
    fn to_bt601(self) -> Option<ToBt601> {
        match self {
            YuvMatrix::Bt601 => None,
            YuvMatrix::Bt709 => Some(ToBt601 {
                y_of_cb: 6_657,
                y_of_cr: 12_850,
                cb_of_cb: 64_871,
                cb_of_cr: -7_252,
                cr_of_cb: -4_748,
                cr_of_cr: 64_448,
            }),
            YuvMatrix::Bt2020 => Some(ToBt601 {
                y_of_cb: 7_726,
                y_of_cr: 6_915,
                cb_of_cb: 65_222,
                cb_of_cr: -3_903,
                cr_of_cb: -5_511,
                cr_of_cr: 63_997,
            }),
        }
    }
}

/// Converts a picture in place: luma, then two chroma planes, 4:2:0. `picture` has `session::planes_len` bytes.
pub fn to_jpeg_colour(picture: &mut [u8], width: usize, height: usize, colour: YuvColour) {
    let (y, chroma) = picture.split_at_mut(width * height);
    let (chroma_width, chroma_height) = chroma_size(width, height);
    let (u, v) = chroma.split_at_mut(chroma_width * chroma_height);
    if colour.range == YuvRange::Video {
        y.iter_mut().for_each(|y| *y = full_luma(*y));
        u.iter_mut().chain(v.iter_mut()).for_each(|c| *c = full_chroma(*c));
    }
    if let Some(to) = colour.matrix.to_bt601() {
        // Luma first, because it needs the old chroma.
        convert_luma(y, u, v, width, to);
        for (u, v) in u.iter_mut().zip(v) {
            let (cb, cr) = (i32::from(*u) - 128, i32::from(*v) - 128);
            *u = level(128, to.cb_of_cb * cb + to.cb_of_cr * cr);
            *v = level(128, to.cr_of_cb * cb + to.cr_of_cr * cr);
        }
    }
}

/// `base` and a number with 16 fractional bits.
fn level(base: i32, more: i32) -> u8 {
    (base + ((more + 32_768) >> 16)).clamp(0, 255) as u8
}

fn convert_luma(y: &mut [u8], u: &[u8], v: &[u8], width: usize, to: ToBt601) {
    let (chroma_width, _) = chroma_size(width, 1);
    let chroma_rows = u.chunks_exact(chroma_width).zip(v.chunks_exact(chroma_width));
    for (rows, (u, v)) in y.chunks_mut(2 * width).zip(chroma_rows) {
        for luma in rows.chunks_exact_mut(width) {
            for ((pair, u), v) in luma.chunks_mut(2).zip(u).zip(v) {
                let more = to.y_of_cb * (i32::from(*u) - 128) + to.y_of_cr * (i32::from(*v) - 128);
                pair.iter_mut().for_each(|y| *y = level(i32::from(*y), more));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::{Planes, planes_len};

    const VIDEO_709: YuvColour = YuvColour { range: YuvRange::Video, matrix: YuvMatrix::Bt709 };

    /// Luma and chroma of a flat picture in the colour of a JPEG.
    fn jpeg_of(colour: YuvColour, [y, u, v]: [u8; 3]) -> [u8; 3] {
        let mut picture = [y, y, y, y, u, v];
        to_jpeg_colour(&mut picture, 2, 2, colour);
        assert!(picture[..4].iter().all(|y| *y == picture[0]));
        [picture[0], picture[4], picture[5]]
    }

    /// Luma and chroma in full range of a colour from 0 to 1, by the weights of red and blue.
    fn yuv((kr, kb): (f64, f64), [r, g, b]: [f64; 3]) -> [f64; 3] {
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        [255.0 * y, 128.0 + 255.0 * 0.5 * (b - y) / (1.0 - kb), 128.0 + 255.0 * 0.5 * (r - y) / (1.0 - kr)]
    }

    const BT601: (f64, f64) = (0.299, 0.114);
    const BT709: (f64, f64) = (0.2126, 0.0722);
    const BT2020: (f64, f64) = (0.2627, 0.0593);

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
                (YuvColour::WEBCAM, in_video_range(wanted)),
                (VIDEO_709, in_video_range(yuv(BT709, rgb))),
                (YuvColour { range: YuvRange::Full, ..VIDEO_709 }, yuv(BT709, rgb)),
                (YuvColour { matrix: YuvMatrix::Bt2020, ..VIDEO_709 }, in_video_range(yuv(BT2020, rgb))),
                (YuvColour { range: YuvRange::Full, matrix: YuvMatrix::Bt2020 }, yuv(BT2020, rgb)),
            ] {
                let found = jpeg_of(colour, numbers.map(|n| n.round().clamp(0.0, 255.0) as u8));
                for (found, wanted) in found.into_iter().zip(wanted) {
                    prop_assert!((f64::from(found) - wanted).abs() <= 1.75, "{colour:?} {rgb:?}: {found} for {wanted}");
                }
            }
        }

        /// Whatever the size, each luma sample uses the chroma that covers it.
        #[test]
        fn sizes_may_be_odd(width in 1usize..9, height in 1usize..9, seed in any::<u64>()) {
            let count = planes_len(width, height) as u64;
            let before: Vec<u8> = (0..count).map(|k| (seed.wrapping_mul(k + 1) >> 29) as u8).collect();
            let mut after = before.clone();
            to_jpeg_colour(&mut after, width, height, VIDEO_709);
            let [before, after] = [&before, &after].map(|bytes| Planes::of(bytes, width, height).unwrap());
            let (chroma_width, _) = chroma_size(width, height);
            for (at, luma) in after.y.iter().enumerate() {
                let chroma = at / width / 2 * chroma_width + at % width / 2;
                let one = jpeg_of(VIDEO_709, [before.y[at], before.u[chroma], before.v[chroma]]);
                prop_assert_eq!([*luma, after.u[chroma], after.v[chroma]], one);
            }
        }
    }

    #[test]
    fn the_numbers_follow_from_the_weights() {
        for (matrix, weights) in [(YuvMatrix::Bt709, BT709), (YuvMatrix::Bt2020, BT2020)] {
            assert_eq!(matrix.to_bt601(), Some(to_bt601(weights)), "{matrix:?}");
        }
        assert_eq!(YuvMatrix::Bt601.to_bt601(), None);
    }

    fn to_bt601((kr, kb): (f64, f64)) -> ToBt601 {
        // Columns of the matrix: what Y, Cb and Cr of the one add to those of BT.601.
        let rgb = |[y, cb, cr]: [f64; 3]| {
            let (r, b) = (y + 2.0 * (1.0 - kr) * cr, y + 2.0 * (1.0 - kb) * cb);
            [r, (y - kr * r - kb * b) / (1.0 - kr - kb), b]
        };
        let column = |of: [f64; 3]| {
            let [y, u, v] = yuv(BT601, rgb(of));
            [y / 255.0, (u - 128.0) / 255.0, (v - 128.0) / 255.0].map(|x| (x * 65_536.0).round() as i32)
        };
        assert_eq!(column([1.0, 0.0, 0.0]), [65_536, 0, 0]);
        let [[y_of_cb, cb_of_cb, cr_of_cb], [y_of_cr, cb_of_cr, cr_of_cr]] =
            [column([0.0, 1.0, 0.0]), column([0.0, 0.0, 1.0])];
        ToBt601 { y_of_cb, y_of_cr, cb_of_cb, cb_of_cr, cr_of_cb, cr_of_cr }
    }
}
