//! The time of converting a 640 × 480 frame to a picture, compared with simple loops over the same pixels.

use std::hint::black_box;

use affectograph::capture::{Decoder, to_grey, to_rgb};
use affectograph::session::{Frame, FrameMeta, Pixels, TimeSource, Timestamp};
use criterion::{Criterion, criterion_group, criterion_main};

const W: usize = 640;
const H: usize = 480;

fn frame(pixels: Pixels) -> Frame {
    Frame {
        meta: FrameMeta { number: 0, at: Timestamp::ZERO, time_source: TimeSource::Driver, device_sequence: None },
        width_px: W as u32,
        height_px: H as u32,
        pixels,
    }
}

/// Gradients with some noise. The JPEG is about as large as a webcam's.
fn rgb() -> Vec<u8> {
    let mut noise = 1u32;
    let mut pixel = |i: usize| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let n = (noise >> 29) as usize;
        [(60 + i % W / 5 + n) as u8, (40 + i / W / 3 + n) as u8, (90 + n) as u8]
    };
    (0..W * H).flat_map(&mut pixel).collect()
}

fn jpeg() -> Vec<u8> {
    let pixels = rgb();
    let format = turbojpeg::PixelFormat::RGB;
    let image = turbojpeg::Image { pixels: pixels.as_slice(), width: W, pitch: 3 * W, height: H, format };
    match turbojpeg::compress(image, 90, turbojpeg::Subsamp::Sub2x1) {
        Ok(jpeg) => jpeg.to_vec(),
        Err(e) => panic!("{e}"),
    }
}

/// The textbook formula, per pixel, in floating point.
fn plain_yuyv_to_grey(yuyv: &[u8]) -> Vec<u8> {
    let mut grey = Vec::new();
    for i in 0..yuyv.len() / 2 {
        grey.push(((f64::from(yuyv[2 * i]) - 16.0) * 255.0 / 219.0).round().clamp(0.0, 255.0) as u8);
    }
    grey
}

fn plain_yuyv_to_rgb(yuyv: &[u8]) -> Vec<u8> {
    let mut rgb = Vec::new();
    for i in 0..yuyv.len() / 2 {
        let y = 1.164 * (f64::from(yuyv[2 * i]) - 16.0);
        let (u, v) = (f64::from(yuyv[i / 2 * 4 + 1]) - 128.0, f64::from(yuyv[i / 2 * 4 + 3]) - 128.0);
        for value in [y + 1.596 * v, y - 0.392 * u - 0.813 * v, y + 2.017 * u] {
            rgb.push(value.round().clamp(0.0, 255.0) as u8);
        }
    }
    rgb
}

fn decode(c: &mut Criterion) {
    let mut decoder = Decoder::default();
    let jpeg = frame(Pixels::Jpeg(jpeg()));
    let yuyv_bytes: Vec<u8> = rgb().iter().take(2 * W * H).copied().collect();
    let yuyv = frame(Pixels::Yuyv(yuyv_bytes.clone()));
    let mut group = c.benchmark_group("decode 640x480");
    for (name, frame) in [("jpeg", &jpeg), ("yuyv", &yuyv)] {
        group.bench_function(format!("{name} to grey"), |b| {
            b.iter(|| match to_grey(black_box(frame), &mut decoder) {
                Ok(picture) => decoder.reuse(picture.pixels),
                Err(e) => panic!("{e}"),
            });
        });
        group.bench_function(format!("{name} to rgb"), |b| {
            b.iter(|| match to_rgb(black_box(frame), &mut decoder) {
                Ok(picture) => decoder.reuse(picture.pixels),
                Err(e) => panic!("{e}"),
            });
        });
    }
    group.bench_function("plain: yuyv to grey", |b| b.iter(|| plain_yuyv_to_grey(black_box(&yuyv_bytes))));
    group.bench_function("plain: yuyv to rgb", |b| b.iter(|| plain_yuyv_to_rgb(black_box(&yuyv_bytes))));
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
