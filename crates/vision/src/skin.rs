//! Mean colours of patches of skin that the landmarks place, for the stream `skin`.
//!
//! The pixels are read as the source delivered them: planes of luma and chroma are averaged before they become red, green and
//! blue, so nothing is rounded to a level. Only a JPEG is decoded first.

use super::geometry::{LANDMARKS, Point, eye_centres, inter_ocular_px, mouth_openness};
use capture::{DecodeError, Decoder, to_rgb};
use session::luma::{full_chroma, full_luma, luma_of_rgb};
use session::{Frame, Pixels, Planes, chroma_size, skin};

/// A patch of more pixels is read in steps, so that a large picture takes no longer.
const MAX_PIXELS: f32 = 8_000.0;
/// Levels from which on a channel counts as clipped.
const CLIPPED_HIGH: i32 = 252;
const CLIPPED_LOW: i32 = 3;

/// Four corners in order around the patch.
type Quad = [Point; 4];

#[derive(Default)]
pub struct SkinReader {
    decoder: Decoder,
}

impl std::fmt::Debug for SkinReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SkinReader")
    }
}

impl SkinReader {
    /// A sample of the stream `skin`. Colours are NaN in a patch that is not visible, and in a grey picture.
    pub fn read(&mut self, frame: &Frame, points: &[Point; LANDMARKS]) -> Result<[f32; skin::FIELDS], DecodeError> {
        let (width, height) = (frame.width_px as usize, frame.height_px as usize);
        let decoded = match &frame.pixels {
            Pixels::Jpeg(_) => Some(to_rgb(frame, &mut self.decoder)?.pixels),
            _ => None,
        };
        let colours = match (&frame.pixels, &decoded) {
            (_, Some(rgb)) | (Pixels::Rgb(rgb), None) => Colours::Rgb(rgb),
            (Pixels::I420(bytes), _) => Planes::of(bytes, width, height).map_or(Colours::None, Colours::Planes),
            (Pixels::I422(bytes), _) => Planes::of_half(bytes, width, height).map_or(Colours::None, Colours::Planes),
            (Pixels::Yuyv(bytes), _) => Colours::Yuyv(bytes),
            (Pixels::Grey(_) | Pixels::Jpeg(_), _) => Colours::None,
        };
        let picture = Source { width, height, colours };
        let mut values = [f32::NAN; skin::FIELDS];
        for (quad, to) in patches(points).iter().zip(values.chunks_mut(skin::PATCH_FIELDS)) {
            to.copy_from_slice(&picture.read(quad));
        }
        let [x, y] = points.iter().fold([0.0; 2], |sum, p| [sum[0] + p[0], sum[1] + p[1]]);
        values[skin::FACE_X] = x / LANDMARKS as f32;
        values[skin::FACE_Y] = y / LANDMARKS as f32;
        values[skin::INTER_OCULAR] = inter_ocular_px(points);
        values[skin::MOUTH_OPENNESS] = mouth_openness(points);
        if let Some(rgb) = decoded {
            self.decoder.reuse(rgb);
        }
        Ok(values)
    }
}

/// Forehead, image-left cheek, image-right cheek, background. Numbers are landmarks of iBUG 300-W.
fn patches(points: &[Point; LANDMARKS]) -> [Quad; skin::PATCHES] {
    let [left, right] = eye_centres(points);
    let across = [right[0] - left[0], right[1] - left[1]];
    let up = [across[1], -across[0]];
    // A position in distances between the eye centres from `from`.
    let at = |from: Point, x: f32, y: f32| [from[0] + x * across[0] + y * up[0], from[1] + x * across[1] + y * up[1]];
    let between = |a: usize, b: usize, share: f32| {
        let (a, b) = (points[a], points[b]);
        [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
    };
    let brows = between(19, 24, 0.5);
    let forehead = [at(brows, -0.45, 0.5), at(brows, 0.45, 0.5), at(brows, 0.45, 0.15), at(brows, -0.45, 0.15)];
    // From below the eye to above the corner of the mouth, from beside the nose to the side of the face.
    let cheek = |[lid, wing, corner, mouth, side_above, side_below]: [usize; 6]| {
        [
            between(lid, wing, 0.45),
            between(corner, side_above, 0.55),
            between(mouth, side_below, 0.55),
            between(wing, mouth, 0.4),
        ]
    };
    // Beside the head, above the shoulders, on the side with more room in most pictures: both sides have the same light.
    let side = at(left, -1.9, 0.0);
    let background = [at(side, -0.4, 0.9), at(side, 0.4, 0.9), at(side, 0.4, 0.0), at(side, -0.4, 0.0)];
    [forehead, cheek([40, 31, 36, 48, 2, 3]), cheek([47, 35, 45, 54, 14, 13]), background]
}

enum Colours<'a> {
    Rgb(&'a [u8]),
    Planes(Planes<'a>),
    /// Luma from 16 to 235, as from a webcam.
    Yuyv(&'a [u8]),
    None,
}

struct Source<'a> {
    width: usize,
    height: usize,
    colours: Colours<'a>,
}

/// Sums over a patch.
#[derive(Default)]
struct Sums {
    /// Red, green, blue, or luma and both chroma.
    channels: [u64; 3],
    grey: u64,
    grey_squares: u64,
    clipped: u64,
    pixels: u64,
}

impl Sums {
    fn add(&mut self, channels: [u8; 3], grey: i32, highest: i32) {
        self.channels.iter_mut().zip(channels).for_each(|(sum, c)| *sum += u64::from(c));
        let grey_level = grey.clamp(0, 255) as u64;
        self.grey += grey_level;
        self.grey_squares += grey_level * grey_level;
        self.clipped += u64::from(highest >= CLIPPED_HIGH || grey <= CLIPPED_LOW);
        self.pixels += 1;
    }

    /// `raw` as delivered, and the same in full range.
    fn add_yuv(&mut self, raw: [u8; 3], full: [u8; 3]) {
        let [y, u, v] = full.map(i32::from);
        // 1.402 and 1.772 with 10 fractional bits.
        self.add(raw, y, y + ((1_436 * (v - 128)).max(1_815 * (u - 128)).max(0) >> 10));
    }
}

impl Source<'_> {
    fn read(&self, quad: &Quad) -> [f32; skin::PATCH_FIELDS] {
        let mut sums = Sums::default();
        match &self.colours {
            Colours::None => {}
            Colours::Rgb(rgb) => self.each_pixel(quad, |x, y| {
                let at = 3 * (y * self.width + x);
                if let Some(&[r, g, b]) = rgb.get(at..at + 3) {
                    let grey = luma_of_rgb([r, g, b]);
                    sums.add([r, g, b], i32::from(grey), i32::from(r.max(g).max(b)));
                }
            }),
            Colours::Planes(planes) => {
                let (chroma_width, _) = chroma_size(self.width, self.height);
                self.each_pixel(quad, |x, y| {
                    let luma = planes.y[y * self.width + x];
                    let at = y / planes.rows_of_chroma * chroma_width + x / 2;
                    let yuv = [luma, planes.u[at], planes.v[at]];
                    sums.add_yuv(yuv, yuv);
                });
            }
            Colours::Yuyv(yuyv) => self.each_pixel(quad, |x, y| {
                let pair = 4 * (y * self.width / 2 + x / 2);
                if let Some(&[y0, u, y1, v]) = yuyv.get(pair..pair + 4) {
                    let luma = if x % 2 == 0 { y0 } else { y1 };
                    sums.add_yuv([luma, u, v], [full_luma(luma), full_chroma(u), full_chroma(v)]);
                }
            }),
        }
        self.values(&sums)
    }

    fn values(&self, sums: &Sums) -> [f32; skin::PATCH_FIELDS] {
        let mut values = [f32::NAN; skin::PATCH_FIELDS];
        values[skin::PIXELS] = sums.pixels as f32;
        if sums.pixels == 0 {
            return values;
        }
        let count = sums.pixels as f64;
        let mean = sums.channels.map(|sum| sum as f64 / count);
        let rgb = match self.colours {
            Colours::Yuyv(_) => rgb_of_yuv([
                (mean[0] - 16.0) * 255.0 / 219.0,
                (mean[1] - 128.0) * 255.0 / 224.0,
                (mean[2] - 128.0) * 255.0 / 224.0,
            ]),
            Colours::Planes(_) => rgb_of_yuv([mean[0], mean[1] - 128.0, mean[2] - 128.0]),
            Colours::Rgb(_) | Colours::None => mean,
        };
        for (to, level) in [skin::RED, skin::GREEN, skin::BLUE].into_iter().zip(rgb) {
            values[to] = level as f32;
        }
        values[skin::CLIPPED] = (sums.clipped as f64 / count) as f32;
        let grey = sums.grey as f64 / count;
        values[skin::SPREAD] = (sums.grey_squares as f64 / count - grey * grey).max(0.0).sqrt() as f32;
        values
    }

    /// Calls `take` for the pixels whose centre is inside the quad and the picture.
    fn each_pixel(&self, quad: &Quad, mut take: impl FnMut(usize, usize)) {
        if !quad.as_flattened().iter().all(|v| v.is_finite()) {
            return;
        }
        let step = (area(quad) / MAX_PIXELS).sqrt().ceil().max(1.0) as usize;
        let (top, bottom) = quad.iter().fold((f32::MAX, f32::MIN), |(t, b), p| (t.min(p[1]), b.max(p[1])));
        let limit = |v: f32, max: usize| (v - 0.5).ceil().clamp(0.0, max as f32) as usize;
        for y in (limit(top, self.height)..limit(bottom, self.height)).step_by(step) {
            let Some((left, right)) = span(quad, y as f32 + 0.5) else { continue };
            for x in (limit(left, self.width)..limit(right, self.width)).step_by(step) {
                take(x, y);
            }
        }
    }
}

/// Where a horizontal line crosses a convex quad.
fn span(quad: &Quad, y: f32) -> Option<(f32, f32)> {
    let crossings = (0..4).filter_map(|k| {
        let (a, b) = (quad[k], quad[(k + 1) % 4]);
        let is_crossed = (a[1] <= y) != (b[1] <= y);
        is_crossed.then(|| a[0] + (b[0] - a[0]) * (y - a[1]) / (b[1] - a[1]))
    });
    let (left, right) = crossings.fold((f32::MAX, f32::MIN), |(l, r), x| (l.min(x), r.max(x)));
    (left < right).then_some((left, right))
}

fn area(quad: &Quad) -> f32 {
    let twice: f32 = (0..4).map(|k| quad[k][0] * quad[(k + 1) % 4][1] - quad[(k + 1) % 4][0] * quad[k][1]).sum();
    (twice / 2.0).abs()
}

/// BT.601 in full range (JFIF). Chroma is around 0.
fn rgb_of_yuv([y, cb, cr]: [f64; 3]) -> [f64; 3] {
    [y + 1.402 * cr, y - 0.344_136 * cb - 0.714_136 * cr, y + 1.772 * cb]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::{FrameMeta, TimeSource, Timestamp};

    fn frame(width_px: u32, height_px: u32, pixels: Pixels) -> Frame {
        let meta =
            FrameMeta { number: 0, at: Timestamp::ZERO, time_source: TimeSource::Rendered, device_sequence: None };
        Frame { meta, width_px, height_px, pixels }
    }

    /// A face with its eye centres 40 px apart, around the middle of 200 × 200 px.
    fn face() -> [Point; LANDMARKS] {
        let mut points = [[100.0, 100.0]; LANDMARKS];
        for k in 0..6 {
            (points[36 + k], points[42 + k]) = ([80.0, 80.0], [120.0, 80.0]);
        }
        (points[19], points[24]) = ([80.0, 68.0], [120.0, 68.0]);
        (points[31], points[35]) = ([92.0, 104.0], [108.0, 104.0]);
        (points[48], points[54]) = ([84.0, 120.0], [116.0, 120.0]);
        (points[2], points[3], points[14], points[13]) = ([60.0, 95.0], [62.0, 108.0], [140.0, 95.0], [138.0, 108.0]);
        points
    }

    fn flat(rgb: [u8; 3]) -> [Pixels; 4] {
        let [r, g, b] = rgb.map(f64::from);
        let luma = 0.299 * r + 0.587 * g + 0.114 * b;
        let (cb, cr) = ((b - luma) / 1.772, (r - luma) / 1.402);
        let count = 200 * 200;
        let planes = [
            vec![luma.round() as u8; count],
            vec![(128.0 + cb).round() as u8; count / 4],
            vec![(128.0 + cr).round() as u8; count / 4],
        ];
        let half = [planes[0].clone(), planes[1].repeat(2), planes[2].repeat(2)];
        let video = |c: f64| (128.0 + c * 224.0 / 255.0).round() as u8;
        let y = (16.0 + luma * 219.0 / 255.0).round() as u8;
        let yuyv = [y, video(cb), y, video(cr)].repeat(count / 2);
        [Pixels::Rgb(rgb.repeat(count)), Pixels::I420(planes.concat()), Pixels::I422(half.concat()), Pixels::Yuyv(yuyv)]
    }

    proptest! {
        /// The colour of a flat picture, to the rounding of its source.
        #[test]
        fn every_format_gives_the_same_colour(r in 60u8..220, g in 60u8..220, b in 60u8..220) {
            for pixels in flat([r, g, b]) {
                let values = SkinReader::default().read(&frame(200, 200, pixels), &face()).unwrap();
                for (k, patch) in values.chunks_exact(skin::PATCH_FIELDS).take(skin::PATCHES).enumerate() {
                    prop_assert!(patch[skin::PIXELS] > 40.0, "patch {k} has {} pixels", patch[skin::PIXELS]);
                    for (found, wanted) in patch.iter().zip([r, g, b]) {
                        prop_assert!((found - f32::from(wanted)).abs() < 2.1, "patch {k}: {patch:?}");
                    }
                    prop_assert_eq!((patch[skin::SPREAD], patch[skin::CLIPPED]), (0.0, 0.0));
                }
            }
        }

        /// Nothing outside the picture is read, wherever the face is.
        #[test]
        fn a_face_may_be_anywhere(dx in -300f32..300.0, dy in -300f32..300.0, scale in 0.1f32..4.0) {
            let points = face().map(|[x, y]| [100.0 + (x - 100.0) * scale + dx, 100.0 + (y - 100.0) * scale + dy]);
            for pixels in flat([120, 100, 90]) {
                let values = SkinReader::default().read(&frame(200, 200, pixels), &points).unwrap();
                for patch in values.chunks_exact(skin::PATCH_FIELDS).take(skin::PATCHES) {
                    prop_assert_eq!(patch[skin::PIXELS] > 0.0, patch[skin::RED].is_finite());
                }
            }
        }
    }

    #[test]
    fn patches_are_where_their_names_say() {
        // Each patch has its own level: forehead above, cheeks on both sides, background on the left.
        let mut rgb = vec![0u8; 3 * 200 * 200];
        for (at, pixel) in rgb.chunks_exact_mut(3).enumerate() {
            let (x, y) = (at % 200, at / 200);
            let level = match (x, y) {
                (0..55, _) => 40,
                (_, 0..66) => 80,
                (55..100, _) => 120,
                _ => 160,
            };
            pixel.fill(level);
        }
        let values = SkinReader::default().read(&frame(200, 200, Pixels::Rgb(rgb)), &face()).unwrap();
        let greens: Vec<f32> = (0..skin::PATCHES).map(|k| values[k * skin::PATCH_FIELDS + skin::GREEN]).collect();
        assert_eq!(greens, [80.0, 120.0, 160.0, 40.0]);
        assert_eq!(values[skin::INTER_OCULAR], 40.0);
    }

    #[test]
    fn clipped_skin_and_grey_pictures_are_told() {
        let mut reader = SkinReader::default();
        // Both have a red channel at the end of the scale; the first also where it is far from the others.
        for rgb in [[255, 150, 140], [255, 200, 180]] {
            for pixels in flat(rgb) {
                let clipped = reader.read(&frame(200, 200, pixels), &face()).unwrap();
                assert_eq!(clipped[skin::CLIPPED], 1.0, "{rgb:?}");
            }
        }
        let grey = reader.read(&frame(200, 200, Pixels::Grey(vec![90; 200 * 200])), &face()).unwrap();
        assert!(grey[skin::RED].is_nan() && grey[skin::PIXELS] == 0.0);
        assert!(reader.read(&frame(200, 200, Pixels::Jpeg(vec![1, 2, 3])), &face()).is_err());
        // Fewer bytes than its size needs: no colour is made up.
        let torn = reader.read(&frame(200, 200, Pixels::I420(vec![9; 7])), &face()).unwrap();
        assert_eq!(torn[skin::PIXELS], 0.0);
    }
}
