//! The time of the networks and their pre-processing on one core, compared with baselines in the same program: the teacher
//! YuNet at 320×320 (if ../shared exists), and crop, resize and normalise with the image crate.
//!
//! `cargo bench --bench vision` needs ONNX Runtime, the shipped networks and ../shared/media. It prints what is missing.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a bench prints its results and what it did not measure")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use affectograph::session::Timestamp;
use affectograph::vision::{
    Channels, Colour, Crop, FaceNetworks, InputFormat, Models, OwnedPicture, Resampler, Runtime, Vision, VisionError,
    models_folder,
};
use criterion::{Criterion, criterion_group, criterion_main};
use image::GrayImage;
use image::imageops::{self, FilterType};
use ort::session::Session;
use ort::value::Tensor;

const WIDTH_PX: u32 = 640;
const HEIGHT_PX: u32 = 480;

fn shared(file: &str) -> PathBuf {
    let root = std::env::var_os("AFFECTOGRAPH_SHARED");
    root.map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from).join(file)
}

/// A photograph of one face with 640×480 px.
fn frame() -> Result<OwnedPicture, String> {
    let path = shared("media/single_face.jpg");
    let photograph = image::open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let grey = photograph.resize_to_fill(WIDTH_PX, HEIGHT_PX, FilterType::Triangle).into_luma8();
    Ok(OwnedPicture { width_px: WIDTH_PX, height_px: HEIGHT_PX, colour: Colour::Grey, pixels: grey.into_raw() })
}

fn load() -> Result<(Models, Models, OwnedPicture), String> {
    let text = |e: VisionError| e.to_string();
    let folder = models_folder().map_err(text)?;
    let load = || Models::load(&folder, "affect").map_err(text);
    Ok((load()?, load()?, frame()?))
}

fn networks(criterion: &mut Criterion) {
    let (mut models, more, owned) = match load() {
        Ok(loaded) => loaded,
        Err(why) => return eprintln!("not measured: {why}"),
    };
    let picture = owned.as_picture().expect("the picture was made with its own size");
    let mut group = criterion.benchmark_group("vision");
    group.sample_size(100).measurement_time(Duration::from_secs(5));
    group.bench_function("detector", |b| b.iter(|| models.detector.detect(picture).expect("it ran at loading").len()));
    let found = models.detector.detect(picture).expect("it ran before").first().copied();
    let Some(detection) = found else { return eprintln!("not measured: the detector finds no face in the photograph") };
    let crop = models.landmarks.crop_of(&detection);
    let shape = models.landmarks.locate(picture, &crop).expect("it runs");
    let next = models.landmarks.next_crop(&shape);
    group.bench_function("landmarks", |b| b.iter(|| models.landmarks.locate(picture, &next).expect("it ran before")));
    let FaceNetworks { affect, actions } = &mut models.face;
    group.bench_function("affect", |b| b.iter(|| affect.read(picture, &shape.points).expect("it runs")));
    if let Some(actions) = actions {
        group.bench_function("actions", |b| b.iter(|| actions.read(picture, &shape.points).expect("it runs")));
    }

    let mut vision = Vision::new(more);
    vision.step(picture, Timestamp::ZERO).expect("it runs");
    // The time does not change, so the periodic detection does not run.
    group.bench_function("tracked step, 640x480", |b| {
        b.iter(|| assert!(vision.step(picture, Timestamp::ZERO).expect("it ran before").face.is_some()));
    });
    group.bench_function("lost step, 640x480", |b| {
        b.iter(|| {
            vision.reset();
            vision.step(picture, Timestamp::ZERO).expect("it ran before").faces
        });
    });

    match yunet() {
        Ok((mut session, input)) => {
            group.bench_function("baseline: YuNet, 320x320", |b| {
                b.iter(|| session.run(ort::inputs![&input]).expect("it runs").len());
            });
        }
        Err(why) => eprintln!("not measured: YuNet: {why}"),
    }
    group.finish();
}

/// The teacher at its usual size, with the settings of this program's networks. The runtime is loaded already.
fn yunet() -> Result<(Session, Tensor<f32>), String> {
    let path = shared("teachers/yunet_n_dynamic.onnx");
    let bytes = std::fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let session = Runtime::get().map_err(|e| e.to_string())?.session(&bytes)?;
    let input =
        Tensor::from_array(([1usize, 3, 320, 320], vec![100.0f32; 3 * 320 * 320])).map_err(|e| e.to_string())?;
    Ok((session, input))
}

fn preprocessing(criterion: &mut Criterion) {
    let pixels: Vec<u8> = (0..WIDTH_PX * HEIGHT_PX).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let grey = GrayImage::from_raw(WIDTH_PX, HEIGHT_PX, pixels.clone()).expect("as many pixels as its size says");
    let owned = OwnedPicture { width_px: WIDTH_PX, height_px: HEIGHT_PX, colour: Colour::Grey, pixels };
    let picture = owned.as_picture().expect("as many pixels as its size says");
    let format =
        InputFormat { width_px: 112, height_px: 112, channels: Channels::Grey, mean: [127.5; 3], std: [64.0; 3] };
    let mut out = vec![0.0f32; 112 * 112];
    let mut resampler = Resampler::default();
    let mut group = criterion.benchmark_group("crop of 290 px to 112 px");
    for (name, roll_deg) in [("one pass, level", 0.0), ("one pass, turned by 5 degrees", 5.0)] {
        let to_source = Crop { centre: [320.0, 240.0], side_px: 290.0, roll_deg }.to_picture(112);
        group.bench_function(name, |b| {
            b.iter(|| resampler.fill(picture, &to_source, &format, [112, 112], black_box(&mut out)));
        });
    }
    group.bench_function("baseline: image crate, level: crop, resize, normalise", |b| {
        b.iter(|| {
            let cropped = imageops::crop_imm(black_box(&grey), 175, 95, 290, 290).to_image();
            let small = imageops::resize(&cropped, 112, 112, FilterType::Triangle);
            small.as_raw().iter().map(|v| (f32::from(*v) - 127.5) / 64.0).collect::<Vec<f32>>()
        });
    });
    group.finish();
}

criterion_group!(benches, networks, preprocessing);
criterion_main!(benches);
