//! Video files as cameras: every frame once, at its own time.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use affectograph::capture::{
    Camera, CameraError, CameraKind, CameraSpec, Capture, CaptureEvent, Captured, Decoder, Pace, PixelFormat, Sinks,
    open, to_grey,
};
use affectograph::session::{CameraSettings, Clock, Frame, Latest, Pixels, Taken, TimeSource};
use crossbeam_channel::bounded;

use crate::need::{need_program, need_shared};

fn ffmpeg() -> Option<()> {
    need_program("ffmpeg").and(need_program("ffprobe")).map(|_| ())
}

fn media(name: &str) -> Option<PathBuf> {
    need_shared(&format!("media/{name}"))
}

/// A film made here: `arguments` say how it is encoded.
fn film(folder: &Path, name: &str, frames: u32, arguments: &[&str]) -> PathBuf {
    let path = folder.join(name);
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25"])
        .args(["-frames:v", &frames.to_string()])
        .args(arguments)
        .arg(&path)
        .status()
        .unwrap();
    assert!(made.success(), "{name}");
    path
}

fn open_file(path: &Path) -> Result<Box<dyn Camera>, CameraError> {
    open(&CameraSpec::File(path.into()), &CameraSettings::default(), &Clock::start())
}

struct Played {
    /// From the first frame, in nanoseconds.
    times_ns: Vec<i64>,
    frames: Vec<Frame>,
    corrupt: Vec<String>,
}

fn play(camera: &mut dyn Camera) -> Played {
    let mut played = Played { times_ns: Vec::new(), frames: Vec::new(), corrupt: Vec::new() };
    let mut first = None;
    loop {
        match camera.next(Duration::from_secs(20)).unwrap() {
            Captured::End => return played,
            Captured::Corrupt { why, .. } | Captured::Missing { why, .. } => played.corrupt.push(why),
            Captured::Frame(frame) => {
                assert_eq!(frame.time_source, TimeSource::File);
                played.times_ns.push(frame.at.since_ns(*first.get_or_insert(frame.at)));
                let number = played.frames.len() as u64;
                played.frames.push(frame.numbered(number));
            }
        }
    }
}

/// The frames' times as `ffprobe` decodes them, in nanoseconds from the first.
fn probed_times_ns(path: &Path) -> Vec<i64> {
    let ask = |entries: &str| {
        let output = Command::new("ffprobe")
            .args(["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "csv=p=0"])
            .arg(path)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let base = ask("stream=time_base");
    let (n, d) = base.trim().trim_end_matches(',').split_once('/').unwrap();
    let (n, d): (i128, i128) = (n.parse().unwrap(), d.parse().unwrap());
    let frames = ask("frame=best_effort_timestamp");
    let ticks = frames.lines().filter_map(|l| l.split(',').next()?.trim().parse::<i128>().ok());
    let ns: Vec<i128> = ticks.map(|t| t * n * 1_000_000_000 / d).collect();
    ns.iter().map(|t| (t - ns[0]) as i64).collect()
}

#[test]
fn real_recordings_give_every_frame_at_its_time() {
    if ffmpeg().is_none() {
        return;
    }
    for (name, size) in [
        ("single_face.mp4", (640, 360)),
        ("no_face.mp4", (960, 540)),
        ("face_noface.mov", (960, 540)),
        ("noface_face.mov", (960, 540)),
    ] {
        let Some(path) = media(name) else { return };
        let mut camera = open_file(&path).unwrap();
        assert_eq!((camera.info().kind, camera.info().is_live), (CameraKind::File, false));
        assert_eq!((camera.info().mode.width_px, camera.info().mode.height_px), size, "{name}");
        let played = play(camera.as_mut());
        assert_eq!(played.corrupt, Vec::<String>::new(), "{name}");
        assert_eq!(played.times_ns, probed_times_ns(&path), "{name}");
        assert!(played.times_ns.is_sorted() && played.frames.len() > 50, "{name}: {}", played.frames.len());
        assert!(matches!(camera.next(Duration::from_secs(1)), Ok(Captured::End)), "the end stays the end");
    }
}

#[test]
fn a_files_jpegs_pass_through_unchanged() {
    if ffmpeg().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for name in ["a.avi", "a.mkv", "a.mov"] {
        let path = film(folder.path(), name, 30, &["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj422p"]);
        let mut camera = open_file(&path).unwrap();
        assert_eq!(camera.info().mode.format, PixelFormat::Mjpeg);
        assert_eq!(camera.info().expected_frames, Some(30));
        let played = play(camera.as_mut());
        assert_eq!(played.times_ns, probed_times_ns(&path), "{name}");
        let bytes = std::fs::read(&path).unwrap();
        for frame in &played.frames {
            let Pixels::Jpeg(jpeg) = &frame.pixels else { panic!("{:?}", frame.pixels) };
            assert!(bytes.windows(jpeg.len()).any(|w| w == jpeg), "{name}: frame {} was changed", frame.meta.number);
            to_grey(frame, &mut Decoder::default()).unwrap();
        }
        assert_eq!(played.frames.len(), 30);
    }
}

#[test]
fn uneven_times_are_kept() {
    if ffmpeg().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Every third frame is left out, the others keep their times.
    let thin = ["-vf", "select=mod(n\\,3)", "-fps_mode", "vfr", "-c:v", "ffv1"];
    let path = film(folder.path(), "uneven.mkv", 40, &thin);
    let played = play(open_file(&path).unwrap().as_mut());
    assert_eq!(played.times_ns, probed_times_ns(&path));
    let steps_ms: Vec<i64> = played.times_ns.windows(2).map(|p| (p[1] - p[0]) / 1_000_000).collect();
    assert!(steps_ms.contains(&40) && steps_ms.contains(&80), "{steps_ms:?}");
}

#[test]
fn a_turned_film_comes_upright() {
    if ffmpeg().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let straight = film(folder.path(), "straight.mp4", 10, &["-c:v", "mpeg4", "-q:v", "2"]);
    let turned = folder.path().join("turned.mov");
    // The mark's name and place differ between versions of FFmpeg; where neither takes, there is nothing to test.
    let mark = |option: &[&str], input: &Path| {
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-y"])
            .args(option)
            .arg("-i")
            .arg(input)
            .args(["-c", "copy", "-metadata:s:v:0", "rotate=90"])
            .arg(&turned)
            .status();
        made.unwrap().success()
    };
    assert!(mark(&[], &straight) || mark(&["-display_rotation", "-90"], &straight));
    let mut camera = open_file(&turned).unwrap();
    if camera.info().mode.width_px == 320 {
        assert!(mark(&["-display_rotation", "-90"], &straight));
        camera = open_file(&turned).unwrap();
    }
    assert_eq!((camera.info().mode.width_px, camera.info().mode.height_px), (240, 320));
    let played = play(camera.as_mut());
    assert_eq!(played.frames.len(), 10);
    // Which way the mark turns differs between versions of FFmpeg; a quarter turn it must be.
    let grey = |frame: &Frame| to_grey(frame, &mut Decoder::default()).unwrap();
    let (upright, before) = (grey(&played.frames[5]), grey(&play(open_file(&straight).unwrap().as_mut()).frames[5]));
    let difference = |from: fn(usize, usize) -> usize| {
        let pixel = |i: usize| u64::from(upright.pixels[i].abs_diff(before.pixels[from(i % 240, i / 240)]));
        (0..320 * 240).map(pixel).sum::<u64>() / (320 * 240)
    };
    let turns = [difference(|x, y| (239 - x) * 320 + y), difference(|x, y| x * 320 + 319 - y)];
    assert!(turns.iter().any(|d| *d < 4), "{turns:?}");
}

/// Luma of FFmpeg's own RGB, which knows range, matrix and depth.
fn luma_by_ffmpeg(path: &Path, width_px: u32, height_px: u32) -> Vec<f64> {
    let scale = format!("scale={width_px}:{height_px}:flags=bicubic+accurate_rnd+full_chroma_int,format=rgb24");
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-frames:v", "1", "-vf", &scale, "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    let rgb = output.stdout.as_chunks::<3>().0;
    rgb.iter().map(|[r, g, b]| 0.299 * f64::from(*r) + 0.587 * f64::from(*g) + 0.114 * f64::from(*b)).collect()
}

#[test]
fn every_depth_range_and_matrix_in_4_2_0_stays_planes_and_shows_the_same() {
    if ffmpeg().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // Weak colours: FFmpeg's RGB cuts those that RGB does not have.
    let picture = "testsrc2=size=320x240:rate=25,gblur=sigma=3,eq=saturation=0.5:contrast=0.7";
    for (name, filter, marks) in [
        ("hdr.mkv", "scale=out_color_matrix=bt2020:out_range=limited,format=yuv420p10le", "tv bt2020nc"),
        ("hdr12.mkv", "scale=out_color_matrix=bt2020:out_range=limited,format=yuv420p12le", "tv bt2020nc"),
        ("full10.mkv", "scale=out_color_matrix=bt709:out_range=full,format=yuv420p10le", "pc bt709"),
        (
            "anamorphic.mkv",
            "scale=240:240:out_color_matrix=bt709:out_range=limited,format=yuv420p,setsar=4/3",
            "tv bt709",
        ),
        (
            "full_anamorphic.mkv",
            "scale=240:240:out_color_matrix=bt601:out_range=full,format=yuv420p,setsar=4/3",
            "pc smpte170m",
        ),
    ] {
        let path = folder.path().join(name);
        let (range, matrix) = marks.split_once(' ').unwrap();
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-f", "lavfi", "-i", picture, "-frames:v", "2", "-vf", filter, "-c:v", "ffv1"])
            .args(["-color_range", range, "-colorspace", matrix])
            .arg(&path)
            .status();
        assert!(made.unwrap().success(), "{name}");
        let mut camera = open_file(&path).unwrap();
        let mode = camera.info().mode;
        assert_eq!((mode.format, mode.width_px, mode.height_px), (PixelFormat::I420, 320, 240), "{name}");
        let played = play(camera.as_mut());
        assert_eq!((played.frames.len(), &played.corrupt[..]), (2, &[][..]), "{name}");
        let grey = to_grey(&played.frames[0], &mut Decoder::default()).unwrap();
        let wanted = luma_by_ffmpeg(&path, 320, 240);
        assert_eq!(grey.pixels.len(), wanted.len(), "{name}");
        let apart = grey.pixels.iter().zip(&wanted).map(|(found, wanted)| (f64::from(*found) - wanted).abs());
        // FFmpeg smooths chroma between its samples, so single pixels at an edge of colours may be a little more apart.
        let mean = apart.sum::<f64>() / wanted.len() as f64;
        assert!(mean < 1.0, "{name}: {mean} levels");
    }
}

#[test]
fn bad_files_have_clear_sentences() {
    if ffmpeg().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let sentence = |path: &Path| open_file(path).err().map(|e| e.to_string()).unwrap_or_default();
    assert!(
        sentence(&at("none.mp4")).contains("none.mp4 cannot be read: No such file"),
        "{}",
        sentence(&at("none.mp4"))
    );
    assert!(sentence(folder.path()).contains("is not a video: it is not a file"));
    std::fs::write(at("text.mp4"), "not a film at all\n".repeat(200)).unwrap();
    assert!(sentence(&at("text.mp4")).contains("text.mp4 is not a video: "), "{}", sentence(&at("text.mp4")));
    std::fs::write(at("empty.mp4"), "").unwrap();
    assert!(sentence(&at("empty.mp4")).contains("is not a video"));
    // A film whose index was never written.
    let whole = film(folder.path(), "whole.mp4", 20, &["-c:v", "mpeg4"]);
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(at("cut.mp4"), &bytes[..bytes.len() / 2]).unwrap();
    assert!(sentence(&at("cut.mp4")).contains("moov atom not found"), "{}", sentence(&at("cut.mp4")));
    // Sound only.
    let sound = Command::new("ffmpeg")
        .args(["-v", "error", "-f", "lavfi", "-i", "sine=duration=1"])
        .arg(at("sound.wav"))
        .status()
        .unwrap();
    assert!(sound.success());
    assert!(sentence(&at("sound.wav")).contains("has no video track"));
    // A codec that nobody knows.
    let avi = film(folder.path(), "known.avi", 5, &["-c:v", "mpeg4"]);
    let bytes = std::fs::read(&avi).unwrap();
    let patched: Vec<u8> = bytes.windows(4).enumerate().fold(bytes.clone(), |mut all, (i, w)| {
        if w == b"FMP4" {
            all[i..i + 4].copy_from_slice(b"XYZW");
        }
        all
    });
    std::fs::write(at("odd.avi"), patched).unwrap();
    let odd = sentence(&at("odd.avi"));
    assert!(odd.contains("uses the codec `XYZW`, which this computer's FFmpeg cannot decode"), "{odd}");
}

#[test]
fn a_film_cut_off_in_its_middle_plays_up_to_there_and_says_what_was_wrong() {
    if ffmpeg().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let whole = film(folder.path(), "whole.mkv", 50, &["-c:v", "mpeg4", "-q:v", "3"]);
    let bytes = std::fs::read(&whole).unwrap();
    let cut = folder.path().join("cut.mkv");
    std::fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let played = play(open_file(&cut).unwrap().as_mut());
    assert!((20..50).contains(&played.frames.len()), "{}", played.frames.len());
    let times = probed_times_ns(&cut);
    assert_eq!(played.times_ns, times[..played.times_ns.len()]);
}

struct Run {
    seconds: f64,
    seen_by_vision: Vec<u64>,
    stored: Vec<u64>,
    events: Vec<CaptureEvent>,
}

fn capture(path: &Path, pace: Pace, vision_ms: u64) -> Run {
    let (to_store, store) = bounded(3);
    let (to_events, events) = bounded(64);
    let vision: Latest<std::sync::Arc<Frame>> = Latest::default();
    let sinks =
        Sinks { store: Some(to_store), vision: vision.clone(), preview: Latest::default(), events: to_events, pace };
    let began = Instant::now();
    let capture =
        Capture::start(CameraSpec::File(path.into()), CameraSettings::default(), Clock::start(), sinks).unwrap();
    let looking = std::thread::spawn(move || {
        let mut seen = Vec::new();
        while let Taken::New(frame) = vision.take(Duration::from_secs(20)) {
            seen.push(frame.meta.number);
            std::thread::sleep(Duration::from_millis(vision_ms));
            if frame.meta.number == 24 {
                break;
            }
        }
        seen
    });
    let stored: Vec<u64> = store.iter().map(|f| f.meta.number).collect();
    let seconds = began.elapsed().as_secs_f64();
    let seen_by_vision = looking.join().unwrap();
    let counters = capture.stop();
    assert_eq!((counters.frames, counters.stored, counters.lost()), (25, 25, 0));
    Run { seconds, seen_by_vision, stored, events: events.try_iter().collect() }
}

#[test]
fn a_file_waits_for_the_store_and_for_vision_when_asked() {
    if ffmpeg().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path(), "second.mp4", 25, &["-c:v", "mpeg4"]);
    let all: Vec<u64> = (0..25).collect();
    let fast = capture(&path, Pace::AsFastAsScored, 5);
    assert_eq!((&fast.stored, &fast.seen_by_vision), (&all, &all), "nothing is skipped");
    let own = capture(&path, Pace::RealTime, 90);
    assert_eq!(own.stored, all);
    assert!((0.9..5.0).contains(&own.seconds), "a second of film in {} s", own.seconds);
    assert!(own.seen_by_vision.len() < 20, "a slow reader skips: {:?}", own.seen_by_vision);
    for run in [fast, own] {
        assert!(matches!(run.events.first(), Some(CaptureEvent::Opened(_))), "{:?}", run.events);
        assert!(matches!(run.events.last(), Some(CaptureEvent::Ended { .. })), "{:?}", run.events);
    }
}

#[test]
fn stopping_a_file_in_its_middle_leaves_no_program_behind() {
    if ffmpeg().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path(), "long.mp4", 500, &["-c:v", "mpeg4"]);
    for pace in [Pace::RealTime, Pace::AsFastAsScored] {
        let (to_store, store) = bounded(2);
        let (events, _keep) = bounded(64);
        let sinks =
            Sinks { store: Some(to_store), vision: Latest::default(), preview: Latest::default(), events, pace };
        let settings = CameraSettings::default();
        let capture = Capture::start(CameraSpec::File(path.clone()), settings, Clock::start(), sinks).unwrap();
        store.recv_timeout(Duration::from_secs(10)).unwrap();
        // The store's queue is full and vision takes nothing: both waits must end at once.
        std::thread::sleep(Duration::from_millis(300));
        let began = Instant::now();
        capture.stop();
        assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    }
}

#[test]
fn without_ffmpeg_the_sentence_says_how_to_get_it() {
    const TEST: &str = "video_file::without_ffmpeg_the_sentence_says_how_to_get_it";
    if std::env::var_os("AFFECTOGRAPH_TEST_NO_FFMPEG").is_some() {
        let Err(e) = open_file(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml").as_path()) else { panic!() };
        assert!(matches!(e, CameraError::NoFfmpeg { program: "ffprobe" }), "{e}");
        assert!(e.to_string().ends_with("install FFmpeg (Debian, Ubuntu: `sudo apt install ffmpeg`)"), "{e}");
        return;
    }
    // The path of programs belongs to the whole process, so this test runs itself again with an empty one.
    let output = Command::new(std::env::current_exe().unwrap())
        .args([TEST, "--exact", "--test-threads=1"])
        .env("AFFECTOGRAPH_TEST_NO_FFMPEG", "1")
        .env("PATH", "/nonexistent")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
