//! The video file in other people's hands: mkvmerge, ffprobe and ffmpeg, whole, cut off and recovered.

use std::path::Path;
use std::process::{Command, Output};

use affectograph::store::{Recorder, SessionEnd, SessionFile, recover};
use crossbeam_channel::unbounded;

use super::{header, jpeg_frame, ms, streams};
use crate::need::need;

const FRAMES: u64 = 90;

fn run(program: &str, arguments: &[&str], path: &Path) -> Option<Output> {
    need(&format!("the program `{program}`"), Command::new(program).args(arguments).arg(path).output())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Frame times in seconds as ffprobe reads them; nothing may be complained about.
fn times(path: &Path) -> Option<Vec<f64>> {
    let arguments = ["-v", "warning", "-show_entries", "packet=pts_time", "-of", "csv=p=0", "-select_streams", "v"];
    let output = run("ffprobe", &arguments, path)?;
    let complaints = text(&output.stderr);
    // A cut file ends early, and saying so is right.
    let is_right = |line: &str| line.contains("File ended prematurely") || line.contains("Truncating packet");
    assert!(complaints.lines().all(is_right), "{complaints}");
    Some(text(&output.stdout).lines().map(|l| l.trim_end_matches(',').parse().unwrap()).collect())
}

/// Closed or as a crash leaves it.
fn record(folder: &Path, is_closed: bool) {
    let mut recorder = Recorder::create(folder, header(), streams(), unbounded().0).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    for k in 0..FRAMES {
        video.send(jpeg_frame(k, ms(2000 + k as i64 * 33))).unwrap();
    }
    if is_closed {
        recorder.finish(SessionEnd::default()).unwrap();
    }
}

fn is_clean(path: &Path) {
    if let Some(found) = run("mkvmerge", &["--identify"], path) {
        let said = text(&found.stdout);
        assert!(found.status.success() && said.contains("Matroska") && !said.contains("Warning"), "{said}");
        assert!(said.contains("MJPEG"), "{said}");
        // Reading it all and writing it again must not give a warning either.
        let copy = path.with_extension("copy.mkv");
        let remux = Command::new("mkvmerge").arg("-o").arg(&copy).arg(path).output().unwrap();
        assert_eq!(remux.status.code(), Some(0), "{}", text(&remux.stdout));
        std::fs::remove_file(copy).unwrap();
    }
    let decoded = Command::new("ffmpeg").args(["-v", "warning", "-i"]).arg(path).args(["-f", "null", "-"]).output();
    if let Some(output) = need("the program `ffmpeg`", decoded) {
        assert_eq!(text(&output.stderr), "");
    }
}

#[test]
fn a_closed_video_is_clean_in_every_program() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), true);
    let path = dir.path().join("video.mkv");
    is_clean(&path);
    if let Some(times) = times(&path) {
        assert_eq!(times.len() as u64, FRAMES);
        assert!((times[0] - 2.0).abs() < 1e-6 && (times[89] - 4.937).abs() < 1e-6, "{times:?}");
    }
    let arguments = ["-v", "warning", "-show_entries", "format=duration", "-of", "csv=p=0"];
    if let Some(output) = run("ffprobe", &arguments, &path) {
        let seconds: f64 = text(&output.stdout).trim().parse().unwrap();
        assert!((seconds - 4.97).abs() < 0.001, "{seconds}");
    }
}

#[test]
fn a_video_cut_at_any_byte_plays_up_to_there() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), false);
    let path = dir.path().join("video.mkv");
    let frames: Vec<_> = SessionFile::open(dir.path()).unwrap().frames().unwrap().rows().to_vec();
    let bytes = std::fs::read(&path).unwrap();
    let cut_path = dir.path().join("cut.mkv");
    for k in [1, 7, 40, 89] {
        let frame = frames[k];
        // Within the cluster's head, within the picture, one byte short of it, whole.
        for cut in [frame.offset - 40, frame.offset + 3, frame.offset + frame.length - 1, frame.offset + frame.length] {
            std::fs::write(&cut_path, &bytes[..cut as usize]).unwrap();
            let whole = frames.iter().filter(|f| f.offset + f.length <= cut).count();
            let Some(times) = times(&cut_path) else { return };
            // ffmpeg may show the torn frame as far as it goes.
            assert!(times.len() == whole || times.len() == whole + 1, "{} of {whole} at {cut}", times.len());
        }
    }
}

#[test]
fn a_recovered_video_is_as_clean_as_a_closed_one() {
    let dir = tempfile::tempdir().unwrap();
    record(dir.path(), false);
    let path = dir.path().join("video.mkv");
    let bytes = std::fs::read(&path).unwrap();
    let last = *SessionFile::open(dir.path()).unwrap().frames().unwrap().get(FRAMES - 1).unwrap();
    std::fs::write(&path, &bytes[..(last.offset + last.length - 50) as usize]).unwrap();
    recover(dir.path()).unwrap().unwrap();
    is_clean(&path);
    if let Some(times) = times(&path) {
        assert_eq!(times.len() as u64, FRAMES - 1);
    }
}
