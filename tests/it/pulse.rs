//! `affectograph pulse` with pictures: colours from before compression, and colours of the stored video.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use affectograph::capture::phantom::Renderer;
use affectograph::session::{Body, GapReason, Record, SKIN, Timestamp};
use affectograph::store::SessionFile;
use serde_json::Value;

use crate::need::need_program;
use crate::program::run;
use crate::vision_support::models;

const RATE_HZ: u32 = 30;
/// In 11 s the phantom stays in the picture. Its heart beats 72 times a minute.
const FRAMES: u32 = 11 * RATE_HZ + 2;
const BPM: f64 = 72.0;

/// A film of the phantom. `coding` is the words for FFmpeg.
fn film(coding: &str, to: &Path) {
    let (width, height) = (640, 480);
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24"])
        .args(["-s", &format!("{width}x{height}"), "-r", &RATE_HZ.to_string(), "-i", "-"])
        .args(coding.split_whitespace())
        .arg(to)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut pictures = ffmpeg.stdin.take().unwrap();
    let (mut renderer, mut rgb) = (Renderer::new(width, height), Vec::new());
    for number in 0..FRAMES {
        let at = Timestamp::from_secs_f64(f64::from(number) / f64::from(RATE_HZ));
        renderer.render(at, u64::from(number), &mut rgb);
        pictures.write_all(&rgb).unwrap();
    }
    drop(pictures);
    assert!(ffmpeg.wait().unwrap().success());
}

/// The session's folder, and the number of frames with a face.
fn analyzed(film: &Path, sessions: &Path) -> (PathBuf, u64) {
    let output = run(&["analyze", &film.display().to_string(), "--json"], sessions);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let with_face = told["with_face"].as_u64().unwrap();
    assert!(with_face > u64::from(FRAMES) * 97 / 100, "{told}");
    (PathBuf::from(told["session"].as_str().unwrap()), with_face)
}

fn colours(folder: &Path, stream: &str) -> Vec<Record> {
    SessionFile::open(folder).unwrap().records_from(stream, 0).unwrap()
}

fn pulse(folder: &Path) -> (i32, Option<Value>, String) {
    let output = run(&["pulse", &folder.display().to_string(), "--json"], folder.parent().unwrap());
    let told = serde_json::from_slice(&output.stdout).ok();
    (output.status.code().unwrap(), told, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Windows with a rate are right, and there is at least one.
fn assert_right(told: &Value) {
    assert!(told["shown"].as_u64().unwrap() > 0, "{told}");
    assert!((told["median_bpm"].as_f64().unwrap() - BPM).abs() < 3.0, "{told}");
}

#[test]
fn films_with_and_without_jpeg_give_the_rate_of_the_phantom() {
    if need_program("ffmpeg").is_none() || need_program("ffprobe").is_none() || models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let (lossless, jpegs) = (tmp.path().join("sub-01_lossless.mkv"), tmp.path().join("sub-02_jpegs.avi"));
    film("-c:v ffv1", &lossless);
    film("-c:v mjpeg -q:v 2 -pix_fmt yuvj420p", &jpegs);
    let sessions = tmp.path().join("sessions");

    // The colours are from before compression. No picture is read again.
    let (raw, with_face) = analyzed(&lossless, &sessions);
    assert_eq!(colours(&raw, SKIN).len() as u64, with_face);
    let (code, told, said) = pulse(&raw);
    let told = told.unwrap_or_else(|| panic!("{said}"));
    assert_eq!((code, told["frames_read"].as_u64(), told["stream"].as_str()), (0, Some(0), Some("pulse")), "{told}");
    assert_right(&told);

    // The session keeps the film with its JPEGs. One is damaged afterwards.
    let (stored, with_face) = analyzed(&jpegs, &sessions);
    assert!(colours(&stored, SKIN).is_empty());
    let row = SessionFile::open(&stored).unwrap().frames().unwrap().rows()[100];
    let video = stored.join("film.avi");
    let mut bytes = std::fs::read(&video).unwrap();
    let at = (row.offset + row.length / 2) as usize;
    bytes[at..at + 200].iter_mut().for_each(|b| *b ^= 0xff);
    std::fs::write(&video, bytes).unwrap();
    let (code, told, said) = pulse(&stored);
    let told = told.unwrap_or_else(|| panic!("{said}"));
    assert_eq!((code, told["frames_failed"].as_u64()), (3, Some(1)), "{told}");
    assert_eq!(told["frames_read"].as_u64(), Some(with_face - 1), "{told}");
    assert_right(&told);
    let is_corrupt = |r: &&Record| matches!(&r.body, Body::Gap(g) if g.reason == GapReason::Corrupt);
    let read = colours(&stored, "skin_later");
    assert_eq!(read.iter().filter(is_corrupt).map(|r| r.at).collect::<Vec<_>>(), [row.meta.at]);

    // A further run of the same frames adds nothing.
    for folder in [&raw, &stored] {
        let (code, told, said) = pulse(folder);
        assert!(code == 1 && told.is_none() && said.contains("`pulse` from the same colours"), "{code}: {said}");
    }
    assert_eq!(colours(&stored, "skin_later").len(), read.len());
}
