//! A browser's WebM is converted into the session's video. Each frame has its time of capture and is scored.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use affectograph::session::GapReason;
use affectograph::store::{SessionFile, verify};
use serde_json::{Value, json};

use super::{click, closed, served, served_with};
use crate::need::{need, need_shared};

const FRAMES: usize = 60;

/// As most browsers write it.
const WEBM: &str = "-c:v libvpx -deadline realtime -b:v 2M -cluster_time_limit 500";
/// As Safari writes it: fragmented.
const MP4: &str = "-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 15 \
                   -movflags +frag_keyframe+empty_moov+default_base_moof";

/// The clip as WebM, and the times of its frames in seconds.
fn webm(folder: &Path) -> Option<(PathBuf, Vec<f64>)> {
    film(folder, "clip.webm", WEBM)
}

/// The clip in another container, and the times of its frames in seconds.
fn film(folder: &Path, name: &str, options: &str) -> Option<(PathBuf, Vec<f64>)> {
    let clip = need_shared("media/single_face.mp4")?;
    let webm = folder.join(name);
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(&clip)
        .args(["-frames:v", &FRAMES.to_string(), "-an"])
        .args(options.split_whitespace())
        .arg(&webm)
        .status();
    let is_made = made.is_ok_and(|m| m.success());
    need("an FFmpeg that writes the container", is_made.then_some(()).ok_or(format!("`ffmpeg {options}` failed")))?;
    let packets = Command::new("ffprobe")
        .args(["-v", "error", "-show_entries", "packet=pts_time", "-of", "csv=p=0"])
        .arg(&webm)
        .output()
        .unwrap();
    let media_s: Vec<f64> = String::from_utf8(packets.stdout)
        .unwrap()
        .lines()
        .filter_map(|l| l.trim_end_matches(',').parse().ok())
        .collect();
    assert_eq!(media_s.len(), FRAMES);
    Some((webm, media_s))
}

#[test]
fn a_browsers_video_is_converted_with_exact_times_and_scored() {
    converted("video.webm", WEBM);
}

#[test]
fn a_browsers_mp4_is_converted_with_exact_times_and_scored() {
    converted("video.mp4", MP4);
}

fn converted(name: &str, options: &str) {
    let dir = tempfile::tempdir().unwrap();
    let Some((webm, media_s)) = film(dir.path(), name, options) else { return };
    let s = served();
    let remote = s.browser.begin("video");
    let mime = name.replace("video.", "video/");
    // The page saw seven frames before the first frame in the file, and the camera's times have jitter.
    let before = 7;
    let tremble = |k: usize| ((k * 7919) % 5) as f64 - 2.0;
    let media: Vec<f64> = (0..before)
        .map(|k| 100.0 + k as f64 / 30.0)
        .chain(media_s.iter().map(|s| 100.0 + before as f64 / 30.0 + s))
        .collect();
    let page_ms: Vec<f64> = media.iter().enumerate().map(|(k, s)| 500.0 + (s - 100.0) * 1e3 + tremble(k)).collect();
    let bytes = std::fs::read(&webm).unwrap();
    // The encoder started late: the first chunk has one byte.
    let (first, rest) = bytes.split_at(1);
    let chunks: Vec<&[u8]> = std::iter::once(first).chain(rest.chunks(rest.len().div_ceil(3))).collect();
    let bearer = format!("Bearer {}", remote.token);
    let put = |n: usize| {
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", mime.as_str())];
        s.browser.send("PUT", &remote.path(&format!("video/{n}")), &headers, chunks[n]).unwrap()
    };
    let began = json!({"stream": "video_frame", "seq": 0, "document": 1, "page_ms": page_ms[before] - 12.0, "kind": "started",
                       "data": {"chunk": 0, "mime": mime, "width_px": 640, "height_px": 480}});
    remote.send(vec![began]).ok();
    // Out of order, and one chunk twice.
    for n in [1, 0, 0, 2, 3] {
        put(n).ok();
    }
    let frames = json!({"stream": "video_frame", "seq": 1, "document": 1, "page_ms": 9_000.0, "kind": "frames",
                        "data": {"first": 0, "page_ms": page_ms, "media_s": media}});
    remote.send(vec![frames]).ok();
    let incomplete =
        remote.browser.post(&remote.path("finish"), &remote.token, &json!({"streams": {}, "video_chunks": 6}));
    incomplete.is_problem(409);
    assert_eq!(incomplete.json["video_missing"], json!([4, 5]));
    let begun = Instant::now();
    let finish = json!({"streams": {"video_frame": 2}, "video_chunks": 4});
    remote.browser.post(&remote.path("finish"), &remote.token, &finish).ok();
    let folder = closed(s.dir.path()).remove(0);
    println!("{FRAMES} frames converted and scored within {:.2} s after the finish", begun.elapsed().as_secs_f64());

    let file = SessionFile::open(&folder).unwrap();
    let index = file.frames().unwrap();
    assert_eq!(index.len(), FRAMES);
    for (k, row) in index.rows().iter().enumerate() {
        let wanted_ns = (page_ms[before + k] * 1e6) as i64;
        assert!((row.meta.at.as_ns() - wanted_ns).abs() < 1_000, "frame {k}: {} for {wanted_ns}", row.meta.at.as_ns());
    }
    let timeline = file.timeline().unwrap();
    let affect = timeline.series("affect").unwrap();
    assert!(affect.len() > FRAMES * 8 / 10, "{} of {FRAMES} frames show a face", affect.len());
    for (at, frame) in affect.times().iter().zip(affect.frames()) {
        assert_eq!(index.get(frame.unwrap()).unwrap().meta.at, *at);
    }
    assert!(file.picture(17).unwrap().len() > 1_000);
    let camera = &file.header().camera;
    assert!(camera.width_px > 0 && (20.0..40.0).contains(&camera.rate_hz), "{camera:?}");
    assert!(timeline.events().iter().any(|e| e.what.kind == "video_converted"));
    assert_eq!(std::fs::read(folder.join(name)).unwrap(), bytes);
    assert!(name.ends_with(&camera.format), "{}", camera.format);
    drop(file);
    assert!(verify(&folder).unwrap().findings.is_empty(), "{:?}", verify(&folder).unwrap());
    s.running.stop().unwrap();
}

/// Each pause cost a conversion of the whole video, although no video had arrived.
#[test]
fn a_session_that_goes_on_without_new_video_converts_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let Some((webm, media_s)) = webm(dir.path()) else { return };
    let s = served_with(|c| c.limits.silent_after = Duration::from_secs(1));
    let remote = s.browser.begin("video");
    let bearer = format!("Bearer {}", remote.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "video/webm")];
    let page_ms: Vec<f64> = media_s.iter().map(|s| 500.0 + s * 1e3).collect();
    let event = |seq: u64, kind: &str, data: Value| json!({"stream": "video_frame", "seq": seq, "document": 1, "page_ms": 500.0, "kind": kind, "data": data});
    let started = json!({"chunk": 0, "mime": "video/webm", "width_px": 640, "height_px": 480});
    let frames = json!({"first": 0, "page_ms": page_ms, "media_s": media_s});
    remote.send(vec![event(0, "started", started), event(1, "frames", frames)]).ok();
    let bytes = std::fs::read(&webm).unwrap();
    s.browser.send("PUT", &remote.path("video/0"), &headers, &bytes).unwrap().ok();
    let state = || s.browser.get("/v1/library/sessions").ok()["sessions"][0]["state"].clone();
    let wait_until_silent = || {
        let deadline = Instant::now() + Duration::from_secs(60);
        while state() != "silent" {
            assert!(Instant::now() < deadline, "it is never silent");
            std::thread::sleep(Duration::from_millis(100));
        }
    };
    let participant = s.dir.path().join(remote.begun["participant"].as_str().unwrap());
    let folder = std::fs::read_dir(participant).unwrap().next().unwrap().unwrap().path();
    let video = folder.join("video.mkv");
    wait_until_silent();
    for pause in 0..2 {
        remote.send(vec![click(pause)]).ok();
        // The same chunk again is not new.
        s.browser.send("PUT", &remote.path("video/0"), &headers, &bytes).unwrap().ok();
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(2) || state() != "silent" {
            assert!(!video.exists(), "the video is converted again after pause {pause}");
            assert!(begun.elapsed() < Duration::from_secs(60), "it is never silent again");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    let finish = json!({"streams": {"video_frame": 2, "page": 2}, "video_chunks": 1});
    remote.browser.post(&remote.path("finish"), &remote.token, &finish).ok();
    closed(s.dir.path());
    let file = SessionFile::open(&folder).unwrap();
    assert_eq!(file.frames().unwrap().len(), FRAMES);
    assert!(file.timeline().unwrap().series("affect").unwrap().len() > FRAMES * 8 / 10);
    drop(file);
    assert!(verify(&folder).unwrap().findings.is_empty(), "{:?}", verify(&folder).unwrap());
    s.running.stop().unwrap();
}

/// The browser sends no times of capture: the frames are counted as lost, and none is stored at time zero.
#[test]
fn frames_of_unknown_time_are_a_gap_and_are_not_stored() {
    let dir = tempfile::tempdir().unwrap();
    let Some((webm, _)) = webm(dir.path()) else { return };
    let s = served();
    let remote = s.browser.begin("video");
    let bearer = format!("Bearer {}", remote.token);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "video/webm")];
    let bytes = std::fs::read(&webm).unwrap();
    s.browser.send("PUT", &remote.path("video/0"), &headers, &bytes).unwrap().ok();
    let mark =
        json!({"stream": "page", "seq": 0, "document": 1, "page_ms": 500.0, "kind": "mark", "data": {"name": "m"}});
    remote.send(vec![mark]).ok();
    let finish = json!({"streams": {"page": 1}, "video_chunks": 1});
    remote.browser.post(&remote.path("finish"), &remote.token, &finish).ok();
    let folder = closed(s.dir.path()).remove(0);
    let file = SessionFile::open(&folder).unwrap();
    assert_eq!(file.frames().unwrap().len(), 0);
    let timeline = file.timeline().unwrap();
    let gaps: Vec<_> = timeline.gaps().iter().filter(|g| g.what.reason == GapReason::TimeUnknown).collect();
    assert_eq!(gaps.iter().map(|g| g.what.lost).sum::<u64>(), FRAMES as u64, "{gaps:?}");
    assert_eq!(timeline.series("affect").map_or(0, |s| s.len()), 0);
    s.running.stop().unwrap();
}
