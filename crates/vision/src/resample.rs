//! Computes a network's input from the camera's bytes in one pass: crop, rotate, resize, grey, normalise.
//!
//! The convention is that of the training (`training/align.py`). Parity tests compare both to 1e-4. A transform maps points
//! of the output to points of the source. Samples are bilinear. Outside the source, the nearest edge pixel is used. If the
//! source is finer than the output, each output pixel is the mean of k × k evenly spread samples, k = ceil(source px per
//! output px), at most 4.
//!
//! Positions are 64-bit fixed point with 32 fractional bits. Adding a step is one integer addition and exact. An f32 near
//! 640 is not precise enough for the parity tests.

use super::geometry::Affine;
use super::picture::{Colour, Picture};

const MAX_SUBSAMPLES: usize = 4;
const ONE: i64 = 1 << 32;

/// Channels of a network's input, in its own order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channels {
    Grey,
    Rgb,
    Bgr,
}

impl Channels {
    pub fn count(self) -> usize {
        match self {
            Channels::Grey => 1,
            Channels::Rgb | Channels::Bgr => 3,
        }
    }
}

/// The format of a network's input: one plane per channel, each value `(v − mean) / std` for v in 0 … 255.
#[derive(Clone, Debug, PartialEq)]
pub struct InputFormat {
    pub width_px: usize,
    pub height_px: usize,
    pub channels: Channels,
    /// One for each channel, in the channels' order.
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

impl InputFormat {
    /// Number of values of the input.
    pub fn values(&self) -> usize {
        self.channels.count() * self.width_px * self.height_px
    }

    fn normalised(&self, channel: usize, value: f32) -> f32 {
        (value - self.mean[channel]) / self.std[channel]
    }
}

/// Reuses the buffers for crops without rotation.
#[derive(Debug, Default)]
pub struct Resampler {
    columns: Taps,
    rows: Taps,
    row: Vec<f32>,
}

impl Resampler {
    /// Fills the first `covered_px` (width, height) of `out`. The rest becomes grey level 127.5.
    ///
    /// A grey picture gives a colour network three equal channels. Callers that must prevent this check it before.
    pub fn fill(
        &mut self,
        picture: Picture,
        to_source: &Affine,
        format: &InputFormat,
        covered_px: [usize; 2],
        out: &mut [f32],
    ) {
        let covered = [covered_px[0].min(format.width_px), covered_px[1].min(format.height_px)];
        if covered != [format.width_px, format.height_px] {
            let plane = format.width_px * format.height_px;
            for (channel, values) in out.chunks_exact_mut(plane).enumerate() {
                values.fill(format.normalised(channel, 127.5));
            }
        }
        if covered.contains(&0) {
            return;
        }
        match (picture.colour(), format.channels) {
            (Colour::Grey, Channels::Grey) => {
                self.sample(picture, to_source, format, covered, out, |[grey]: [u8; 1]| [f32::from(grey)]);
            }
            (Colour::Grey, _) => {
                self.sample(picture, to_source, format, covered, out, |[grey]: [u8; 1]| [f32::from(grey); 3]);
            }
            (Colour::Rgb, Channels::Grey) => self.sample(picture, to_source, format, covered, out, |rgb: [u8; 3]| {
                let [r, g, b] = rgb.map(f32::from);
                [0.299 * r + 0.587 * g + 0.114 * b]
            }),
            (Colour::Rgb, Channels::Rgb) => {
                self.sample(picture, to_source, format, covered, out, |rgb: [u8; 3]| rgb.map(f32::from));
            }
            (Colour::Rgb, Channels::Bgr) => {
                self.sample(picture, to_source, format, covered, out, |[r, g, b]: [u8; 3]| [b, g, r].map(f32::from));
            }
        }
    }

    /// `read` converts the `B` bytes of a pixel to `N` values.
    fn sample<const B: usize, const N: usize>(
        &mut self,
        picture: Picture,
        to_source: &Affine,
        format: &InputFormat,
        covered: [usize; 2],
        out: &mut [f32],
        read: impl Fn([u8; B]) -> [f32; N],
    ) {
        let pixels = picture.pixels().as_chunks::<B>().0;
        let source = Source { pixels, width: picture.width_px() as usize, height: picture.height_px() as usize };
        if to_source.xy == 0.0 && to_source.yx == 0.0 {
            self.sample_upright(&source, to_source, format, covered, out, read);
        } else {
            sample_rotated(&source, to_source, format, covered, out, read);
        }
    }

    /// Without rotation, the weights of rows and columns are independent. Each source row is summed once, in order, instead
    /// of four times per sample.
    fn sample_upright<const B: usize, const N: usize>(
        &mut self,
        source: &Source<B>,
        to_source: &Affine,
        format: &InputFormat,
        covered: [usize; 2],
        out: &mut [f32],
        read: impl Fn([u8; B]) -> [f32; N],
    ) {
        self.columns.plan(to_source.xx, to_source.x0, covered[0], source.width);
        self.rows.plan(to_source.yy, to_source.y0, covered[1], source.height);
        let (first, last) = self.columns.span();
        self.row.resize((last + 1 - first) * N, 0.0);
        let plane = format.width_px * format.height_px;
        for y in 0..covered[1] {
            self.row.fill(0.0);
            let sums = self.row.as_chunks_mut::<N>().0;
            for tap in self.rows.of(y) {
                let line = &source.pixels[tap.index * source.width..][first..=last];
                for (sum, pixel) in sums.iter_mut().zip(line) {
                    let value = read(*pixel);
                    for c in 0..N {
                        sum[c] += tap.weight * value[c];
                    }
                }
            }
            for x in 0..covered[0] {
                let mut sum = [0.0; N];
                for tap in self.columns.of(x) {
                    let value = &sums[tap.index - first];
                    for c in 0..N {
                        sum[c] += tap.weight * value[c];
                    }
                }
                for (c, sum) in sum.iter().enumerate() {
                    out[c * plane + y * format.width_px + x] = format.normalised(c, *sum);
                }
            }
        }
    }
}

/// A picture with `B` bytes per pixel.
struct Source<'a, const B: usize> {
    pixels: &'a [[u8; B]],
    width: usize,
    height: usize,
}

/// Number of samples per output pixel along one axis, at `scale` source pixels per output pixel.
fn subsamples(scale: f64) -> usize {
    ((scale - 1e-6).ceil().max(1.0) as usize).min(MAX_SUBSAMPLES)
}

#[derive(Clone, Copy, Debug)]
struct Tap {
    index: usize,
    weight: f32,
}

/// For each output pixel of one axis, the source pixels and their weights.
#[derive(Debug, Default)]
struct Taps {
    all: Vec<Tap>,
    ends: Vec<usize>,
}

impl Taps {
    fn plan(&mut self, scale: f64, offset: f64, outputs: usize, sources: usize) {
        self.all.clear();
        self.ends.clear();
        let count = subsamples(scale.abs());
        for output in 0..outputs {
            let start = self.all.len();
            for sub in 0..count {
                let at = scale * (output as f64 + (sub as f64 + 0.5) / count as f64) + offset - 0.5;
                let at = at.clamp(0.0, (sources - 1) as f64);
                let index = at.floor();
                let fraction = at - index;
                self.add(start, index as usize, (1.0 - fraction) / count as f64);
                self.add(start, (index as usize + 1).min(sources - 1), fraction / count as f64);
            }
            self.ends.push(self.all.len());
        }
    }

    fn add(&mut self, start: usize, index: usize, weight: f64) {
        if weight == 0.0 {
            return;
        }
        match self.all[start..].iter_mut().find(|t| t.index == index) {
            Some(tap) => tap.weight += weight as f32,
            None => self.all.push(Tap { index, weight: weight as f32 }),
        }
    }

    fn of(&self, output: usize) -> &[Tap] {
        let start = if output == 0 { 0 } else { self.ends[output - 1] };
        &self.all[start..self.ends[output]]
    }

    /// First and last source pixel in use.
    fn span(&self) -> (usize, usize) {
        self.all.iter().fold((usize::MAX, 0), |(low, high), t| (low.min(t.index), high.max(t.index)))
    }
}

/// Converts to 64-bit fixed point. An extreme transform saturates far outside the picture instead of overflowing.
fn fixed(value: f64) -> i64 {
    (value.clamp(-1e6, 1e6) * ONE as f64) as i64
}

/// The fractional part with 24 bits, the precision of an f32.
fn fraction(position: i64) -> f32 {
    const UNIT: f32 = 1.0 / (1 << 24) as f32;
    ((position as u32) >> 8) as i32 as f32 * UNIT
}

fn sample_rotated<const B: usize, const N: usize>(
    source: &Source<B>,
    to_source: &Affine,
    format: &InputFormat,
    covered: [usize; 2],
    out: &mut [f32],
    read: impl Fn([u8; B]) -> [f32; N],
) {
    let t = to_source;
    let counts = [subsamples(t.xx.hypot(t.yx)), subsamples(t.xy.hypot(t.yy))];
    // Positions of the samples of one output pixel, relative to its corner.
    let mut offsets = [[0i64; 2]; MAX_SUBSAMPLES * MAX_SUBSAMPLES];
    let samples = counts[0] * counts[1];
    for (k, offset) in offsets[..samples].iter_mut().enumerate() {
        let sub_x = ((k % counts[0]) as f64 + 0.5) / counts[0] as f64;
        let sub_y = ((k / counts[0]) as f64 + 0.5) / counts[1] as f64;
        *offset = [fixed(t.xx * sub_x + t.xy * sub_y), fixed(t.yx * sub_x + t.yy * sub_y)];
    }
    let offsets = &offsets[..samples];
    let step = [fixed(t.xx), fixed(t.yx)];
    let edge = source.last_position();
    let plane = format.width_px * format.height_px;
    for y in 0..covered[1] {
        // Relative to the first pixel's centre.
        let first = t.apply(0.0, y as f64).map(|v| fixed(v - 0.5));
        let last = [0, 1].map(|axis| first[axis] + step[axis] * (covered[0] as i64 - 1));
        // An output row is a straight line. If both ends are inside the picture, the whole row is.
        let is_inside = offsets.iter().all(|offset| {
            [first, last].iter().all(|end| (0..2).all(|axis| (0..edge[axis]).contains(&(end[axis] + offset[axis]))))
        });
        let write = |x: usize, sum: [f32; N]| {
            for (c, sum) in sum.iter().enumerate() {
                out[c * plane + y * format.width_px + x] = format.normalised(c, sum / samples as f32);
            }
        };
        if is_inside {
            sum_row(first, step, covered[0], offsets, |at| source.inside(at, &read), write);
        } else {
            sum_row(first, step, covered[0], offsets, |at| source.clamped(at, &read), write);
        }
    }
}

/// Adds up the samples of each output pixel of a row.
fn sum_row<const N: usize>(
    first: [i64; 2],
    step: [i64; 2],
    count: usize,
    offsets: &[[i64; 2]],
    sample: impl Fn([i64; 2]) -> [f32; N],
    mut write: impl FnMut(usize, [f32; N]),
) {
    let mut at = first;
    for x in 0..count {
        let mut sum = [0.0; N];
        for offset in offsets {
            let value = sample([at[0] + offset[0], at[1] + offset[1]]);
            for c in 0..N {
                sum[c] += value[c];
            }
        }
        write(x, sum);
        at = [at[0] + step[0], at[1] + step[1]];
    }
}

impl<const B: usize> Source<'_, B> {
    /// The centre of the last pixel of each axis.
    fn last_position(&self) -> [i64; 2] {
        [(self.width as i64 - 1) * ONE, (self.height as i64 - 1) * ONE]
    }

    /// A bilinear sample where all four pixels exist.
    fn inside<const N: usize>(&self, at: [i64; 2], read: impl Fn([u8; B]) -> [f32; N]) -> [f32; N] {
        let i = (at[1] >> 32) as usize * self.width + (at[0] >> 32) as usize;
        let (upper, lower) = (&self.pixels[i..i + 2], &self.pixels[i + self.width..i + self.width + 2]);
        mix(at, [read(upper[0]), read(upper[1]), read(lower[0]), read(lower[1])])
    }

    /// A bilinear sample anywhere. Outside the picture, the nearest edge pixel is used.
    fn clamped<const N: usize>(&self, at: [i64; 2], read: impl Fn([u8; B]) -> [f32; N]) -> [f32; N] {
        let edge = self.last_position();
        let at = [at[0].clamp(0, edge[0]), at[1].clamp(0, edge[1])];
        let i = (at[1] >> 32) as usize * self.width + (at[0] >> 32) as usize;
        let right = usize::from(at[0] < edge[0]);
        let below = if at[1] < edge[1] { self.width } else { 0 };
        mix(at, [i, i + right, i + below, i + below + right].map(|i| read(self.pixels[i])))
    }
}

/// Between upper left, upper right, lower left and lower right.
fn mix<const N: usize>(at: [i64; 2], corners: [[f32; N]; 4]) -> [f32; N] {
    let (right, down) = (fraction(at[0]), fraction(at[1]));
    std::array::from_fn(|c| {
        let upper = corners[0][c] + (corners[1][c] - corners[0][c]) * right;
        let lower = corners[2][c] + (corners[3][c] - corners[2][c]) * right;
        upper + (lower - upper) * down
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Crop;
    use proptest::prelude::*;

    /// The convention, written down plainly: what `training/align.py` does.
    fn plain(picture: Picture, t: &Affine, width: usize, height: usize) -> Vec<f64> {
        let px = |x: usize, y: usize| f64::from(picture.pixels()[y * picture.width_px() as usize + x]);
        let last = [picture.width_px() as f64 - 1.0, picture.height_px() as f64 - 1.0];
        let (kx, ky) = (subsamples(t.xx.hypot(t.yx)), subsamples(t.xy.hypot(t.yy)));
        let mut out = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let mut sum = 0.0;
                for sy in 0..ky {
                    for sx in 0..kx {
                        let p =
                            t.apply(x as f64 + (sx as f64 + 0.5) / kx as f64, y as f64 + (sy as f64 + 0.5) / ky as f64);
                        let (u, v) = ((p[0] - 0.5).clamp(0.0, last[0]), (p[1] - 0.5).clamp(0.0, last[1]));
                        let (u0, v0) = (u.floor(), v.floor());
                        let (u1, v1) = ((u0 + 1.0).min(last[0]), (v0 + 1.0).min(last[1]));
                        let (fu, fv) = (u - u0, v - v0);
                        let line =
                            |row: f64| px(u0 as usize, row as usize) * (1.0 - fu) + px(u1 as usize, row as usize) * fu;
                        sum += line(v0) * (1.0 - fv) + line(v1) * fv;
                    }
                }
                out.push(sum / (kx * ky) as f64);
            }
        }
        out
    }

    fn grey_format(width_px: usize, height_px: usize) -> InputFormat {
        InputFormat { width_px, height_px, channels: Channels::Grey, mean: [127.5; 3], std: [64.0; 3] }
    }

    fn noise(width: u32, height: u32, bytes: usize) -> Vec<u8> {
        // A linear congruential sequence. All neighbours differ, which is the hardest case for positions.
        let mut state = width * 31 + height;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        (0..(width * height) as usize * bytes).map(next).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn agrees_with_the_plain_convention(
            (width, height) in (1u32..90, 1u32..90), out_px in (1usize..40, 1usize..40),
            centre in (-20f32..110.0, -20f32..110.0), side in 4f32..300.0,
            roll in prop_oneof![Just(0f32), -180f32..180.0],
        ) {
            let pixels = noise(width, height, 1);
            let picture = Picture::grey(width, height, &pixels).unwrap();
            let t = Crop { centre: [centre.0, centre.1], side_px: side, roll_deg: roll }.to_picture(out_px.0);
            let format = grey_format(out_px.0, out_px.1);
            let mut out = vec![f32::NAN; format.values()];
            Resampler::default().fill(picture, &t, &format, [out_px.0, out_px.1], &mut out);
            for (found, grey) in out.iter().zip(plain(picture, &t, out_px.0, out_px.1)) {
                let expected = (grey - 127.5) / 64.0;
                prop_assert!((f64::from(*found) - expected).abs() < 2e-5, "{found} {expected}");
            }
        }

        #[test]
        fn no_transform_makes_it_panic(numbers in prop::array::uniform6(any::<f64>()), turned in any::<bool>()) {
            let [xx, xy, x0, yx, yy, y0] = numbers;
            let (xy, yx) = if turned { (xy, yx) } else { (0.0, 0.0) };
            let pixels = noise(9, 7, 1);
            let format = grey_format(8, 8);
            let mut out = vec![0.0; format.values()];
            let picture = Picture::grey(9, 7, &pixels).unwrap();
            Resampler::default().fill(picture, &Affine { xx, xy, x0, yx, yy, y0 }, &format, [8, 8], &mut out);
        }
    }

    #[test]
    fn colours_keep_their_order_and_their_luma() {
        let pixels = noise(20, 20, 3);
        let picture = Picture::rgb(20, 20, &pixels).unwrap();
        for roll_deg in [0.0, 30.0] {
            let t = Crop { centre: [10.0, 10.0], side_px: 12.0, roll_deg }.to_picture(6);
            let fill = |channels| {
                let format = InputFormat { channels, mean: [0.0; 3], std: [1.0; 3], ..grey_format(6, 6) };
                let mut out = vec![0.0; format.values()];
                Resampler::default().fill(picture, &t, &format, [6, 6], &mut out);
                out
            };
            let (grey, rgb, bgr) = (fill(Channels::Grey), fill(Channels::Rgb), fill(Channels::Bgr));
            for i in 0..36 {
                assert_eq!([rgb[i], rgb[36 + i], rgb[72 + i]], [bgr[72 + i], bgr[36 + i], bgr[i]]);
                let luma = 0.299 * rgb[i] + 0.587 * rgb[36 + i] + 0.114 * rgb[72 + i];
                assert!((luma - grey[i]).abs() < 1e-3);
            }
        }
    }

    #[test]
    fn what_the_picture_does_not_cover_is_middle_grey() {
        let pixels = [200; 8 * 4];
        let picture = Picture::grey(8, 4, &pixels).unwrap();
        let format = grey_format(8, 8);
        let mut out = vec![f32::NAN; format.values()];
        let t = Affine::whole_picture([8, 4], [8, 4]);
        Resampler::default().fill(picture, &t, &format, [8, 4], &mut out);
        assert!(out[..32].iter().all(|v| (v - 72.5 / 64.0).abs() < 1e-6));
        assert!(out[32..].iter().all(|v| *v == 0.0));
    }
}
