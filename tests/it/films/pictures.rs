//! `score`: turned pictures are put upright, torn ones are said, everything that is a picture is read.

use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageEncoder, ImageFormat};
use serde_json::Value;

use super::{lines, run};
use crate::need::need_shared;
use crate::vision_support::models;

fn score(files: &[&Path]) -> (i32, Vec<Value>, String) {
    let tmp = tempfile::tempdir().unwrap();
    let output = run("score", files, &[], tmp.path());
    (output.status.code().unwrap(), lines(&output), String::from_utf8_lossy(&output.stderr).into_owned())
}

fn picture() -> Option<PathBuf> {
    models()?;
    need_shared("media/single_face.jpg")
}

/// A JPEG with EXIF that says nothing but how it is turned.
fn with_orientation(picture: &DynamicImage, orientation: u8, to: &Path) {
    let mut exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 98);
    encoder.set_exif_metadata(exif).unwrap();
    picture.to_rgb8().write_with_encoder(encoder).unwrap();
    std::fs::write(to, bytes).unwrap();
}

#[test]
fn exif_puts_every_picture_upright() {
    let Some(original) = picture() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let upright = image::open(&original).unwrap();
    // How the picture lies in the file so that its orientation puts it upright.
    let lying = |orientation| match orientation {
        2 => upright.fliph(),
        3 => upright.rotate180(),
        4 => upright.flipv(),
        5 => upright.rotate270().flipv(),
        6 => upright.rotate270(),
        7 => upright.rotate90().flipv(),
        8 => upright.rotate90(),
        _ => upright.clone(),
    };
    let files: Vec<PathBuf> = (0..=9).map(|k| tmp.path().join(format!("exif{k}.jpg"))).collect();
    files.iter().zip(0..).for_each(|(file, k)| with_orientation(&lying(k), k, file));
    let (code, told, said) = score(&files.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    assert_eq!((code, told.len()), (0, 10), "{said}");
    let number =
        |line: &Value, at: &str| line.pointer(at).and_then(Value::as_f64).unwrap_or_else(|| panic!("{at}: {line}"));
    for (k, line) in told.iter().enumerate() {
        for (at, tolerance) in [
            ("/width_px", 0.0),
            ("/height_px", 0.0),
            ("/faces/0/valence", 0.03),
            ("/faces/0/arousal", 0.03),
            ("/faces/0/box/left", 4.0),
            ("/faces/0/box/top", 4.0),
        ] {
            let off = (number(line, at) - number(&told[1], at)).abs();
            assert!(off <= tolerance, "orientation {k}: {at} is off by {off}");
        }
        assert_eq!(line["damaged"], false);
    }
    let Some(turned) = need_shared("cases/pictures/exif6.jpg") else { return };
    let (code, told, _) = score(&[&turned, &original]);
    assert_eq!(code, 0);
    assert_eq!(told[0]["width_px"], told[1]["width_px"]);
    assert!((number(&told[0], "/faces/0/valence") - number(&told[1], "/faces/0/valence")).abs() < 0.05, "{told:?}");
}

#[test]
fn a_torn_picture_is_said_and_not_scored() {
    let Some(original) = picture() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let at = |name: &str| tmp.path().join(name);
    let jpeg = std::fs::read(&original).unwrap();
    let upright = image::open(&original).unwrap();
    let mut png = Vec::new();
    upright.write_to(&mut std::io::Cursor::new(&mut png), ImageFormat::Png).unwrap();
    // Several scans, each finer than the one before.
    let progressive = {
        let rgb = upright.to_rgb8();
        let mut compressor = turbojpeg::Compressor::new().unwrap();
        compressor.set_quality(90).unwrap();
        compressor.set_progressive(true).unwrap();
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        let image = turbojpeg::Image {
            pixels: &rgb.as_raw()[..],
            width,
            pitch: 3 * width,
            height,
            format: turbojpeg::PixelFormat::RGB,
        };
        compressor.compress_to_vec(image).unwrap()
    };
    let mut flipped = jpeg.clone();
    let middle = flipped.len() / 2;
    flipped[middle..middle + 60].fill(0xff);
    let mut crc = png.clone();
    let middle = crc.len() / 2;
    crc[middle] ^= 0x10;
    let torn: [(&str, Vec<u8>); 8] = [
        ("half.jpg", jpeg[..jpeg.len() / 2].to_vec()),
        ("half_with_end.jpg", [&jpeg[..jpeg.len() / 2], &[0xff, 0xd9]].concat()),
        ("no_end.jpg", jpeg[..jpeg.len() - 2].to_vec()),
        ("overwritten.jpg", flipped),
        ("head_only.jpg", jpeg[..200].to_vec()),
        ("progressive.jpg", progressive[..progressive.len() * 7 / 10].to_vec()),
        ("half.png", png[..png.len() / 2].to_vec()),
        ("bit.png", crc),
    ];
    let whole = at("progressive_whole.jpg");
    std::fs::write(&whole, &progressive).unwrap();
    let files: Vec<PathBuf> = torn.iter().map(|(name, _)| at(name)).collect();
    torn.iter().for_each(|(name, bytes)| std::fs::write(at(name), bytes).unwrap());
    let mut all: Vec<&Path> = files.iter().map(AsRef::as_ref).collect();
    all.push(&whole);
    let (code, told, said) = score(&all);
    assert_eq!((code, told.len()), (3, 9), "{said}");
    for line in &told[..8] {
        assert_eq!(line["damaged"], true, "{line}");
        assert!(line["faces"].as_array().unwrap().is_empty() && !line["damage"].as_str().unwrap().is_empty(), "{line}");
    }
    assert_eq!(said.matches("is damaged and was not scored: ").count(), 8, "{said}");
    assert!(told[8]["damaged"] == false && told[8]["faces"].as_array().unwrap().len() == 1, "{}", told[8]);
    let Some(cut) = need_shared("cases/pictures/cut.jpg") else { return };
    let (code, told, _) = score(&[&cut]);
    assert_eq!((code, told[0]["damaged"].as_bool()), (3, Some(true)));
}

#[test]
fn every_kind_of_picture_is_read_and_what_is_none_is_said() {
    let Some(original) = picture() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let at = |name: &str| tmp.path().join(name);
    let upright = image::open(&original).unwrap();
    let kinds = [
        ("grey.png", DynamicImage::ImageLuma8(upright.to_luma8())),
        ("deep.png", DynamicImage::ImageRgb16(upright.to_rgb16())),
        ("deep_grey.png", DynamicImage::ImageLuma16(upright.to_luma16())),
        ("alpha.png", DynamicImage::ImageRgba8(upright.to_rgba8())),
        ("grey.jpg", DynamicImage::ImageLuma8(upright.to_luma8())),
    ];
    kinds.iter().for_each(|(name, picture)| picture.save(at(name)).unwrap());
    // Print shops: four colours.
    let cmyk = {
        let rgb = upright.to_rgb8();
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        let pixels: Vec<u8> = rgb.pixels().flat_map(|p| [p.0[0], p.0[1], p.0[2], 255]).collect();
        let image = turbojpeg::Image {
            pixels: &pixels[..],
            width,
            pitch: 4 * width,
            height,
            format: turbojpeg::PixelFormat::CMYK,
        };
        let mut compressor = turbojpeg::Compressor::new().unwrap();
        compressor.set_quality(95).unwrap();
        compressor.set_subsamp(turbojpeg::Subsamp::None).unwrap();
        compressor.compress_to_vec(image).unwrap()
    };
    std::fs::write(at("cmyk.jpg"), cmyk).unwrap();
    // What follows behind the end belongs to nobody.
    std::fs::write(at("tail.jpg"), [&std::fs::read(&original).unwrap()[..], b"and more"].concat()).unwrap();
    let files: Vec<PathBuf> =
        kinds.iter().map(|(name, _)| *name).chain(["cmyk.jpg", "tail.jpg"]).map(at).chain([original.clone()]).collect();
    let (code, told, said) = score(&files.iter().map(AsRef::as_ref).collect::<Vec<_>>());
    assert_eq!((code, told.len()), (0, 8), "{said}");
    let valence =
        |line: &Value| line.pointer("/faces/0/valence").and_then(Value::as_f64).unwrap_or_else(|| panic!("{line}"));
    for line in &told {
        assert!(
            (valence(line) - valence(&told[7])).abs() < 0.06,
            "{}: {} and {}",
            line["picture"],
            valence(line),
            valence(&told[7])
        );
    }
    std::fs::write(at("empty.jpg"), "").unwrap();
    std::fs::write(at("notes.jpg"), "these are notes").unwrap();
    let (code, told, said) = score(&[&at("empty.jpg"), &at("notes.jpg"), &at("none.jpg"), &original]);
    assert_eq!((code, told.len()), (1, 1), "{said}");
    assert!(said.contains("the file is empty") && said.contains("neither JPEG nor PNG"), "{said}");
}
