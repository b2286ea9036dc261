//! `affectograph compact`: the same frames in a smaller video. At each moment the session has the old video or the new one.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use affectograph::capture::phantom::{Renderer, read_frame_number};
use affectograph::capture::{Decoder, RgbPicture, to_grey, to_rgb};
use affectograph::recording::{CompactError, CompactStep, Compacted, CompactedVideo, Compaction};
use affectograph::session::{
    COMPACTION, EncodedVideo, Frame, FrameMeta, GapReason, ParticipantId, Pixels, SessionNumber, Study, TimeSource,
    Timestamp, VIDEO, VideoCodec, health_stream, video_stream,
};
use affectograph::store::{
    CameraDescription, Finding, Recorder, SessionEnd, SessionFile, SessionHeader, StoredStudy, verify,
};
use affectograph::stored_frames::FrameReader;
use crossbeam_channel::unbounded;

use crate::need::need_program;
use crate::program::{command, run};

const WIDTH_PX: u32 = 320;
const HEIGHT_PX: u32 = 240;
const FRAMES: u64 = 75;
/// Numbers that the session does not have: the camera lost them.
const LOST: [u64; 2] = [20, 21];

fn ffmpeg() -> Option<()> {
    need_program("ffmpeg")?;
    need_program("ffprobe").map(drop)
}

/// The time of a frame: to the nanosecond, with jitter, and with a clock that steps back once.
fn at(number: u64) -> Timestamp {
    let ns = number as i64 * 33_366_667 + (number as i64 * 7_919) % 4_001;
    Timestamp::from_ns(if number == 40 { ns - 40_000_000 } else { ns })
}

/// The phantom, which writes its number into each picture.
fn picture(renderer: &mut Renderer, number: u64, is_quarter: bool) -> Pixels {
    let mut rgb = Vec::new();
    renderer.render(Timestamp::from_ns(number as i64 * 33_333_333), number, &mut rgb);
    if !is_quarter {
        return Pixels::Rgb(rgb);
    }
    // 4:2:0 with some colour.
    let luma =
        rgb.chunks(3).map(|p| ((77 * u32::from(p[0]) + 150 * u32::from(p[1]) + 29 * u32::from(p[2])) >> 8) as u8);
    let chroma = (0..WIDTH_PX * HEIGHT_PX / 2).map(|k| 110 + (k % 40) as u8);
    Pixels::I420(luma.chain(chroma).collect())
}

fn record(folder: &Path, is_quarter: bool) {
    let zero_utc = "2026-11-30T10:00:00Z".parse().unwrap();
    let study = "name = \"demo\"\ntitle = \"Demo\"\n";
    let header = SessionHeader {
        camera: CameraDescription {
            name: "phantom".into(),
            width_px: WIDTH_PX,
            height_px: HEIGHT_PX,
            rate_hz: 30.0,
            ..Default::default()
        },
        ..SessionHeader::plain(
            ParticipantId::numbered(1),
            SessionNumber(1),
            StoredStudy::new(&Study::parse(study).unwrap(), study),
            zero_utc,
        )
    };
    let (to, _committed) = unbounded();
    let mut recorder = Recorder::create(folder, header, vec![health_stream(), video_stream("phantom")], to).unwrap();
    let video = recorder.video(WIDTH_PX, HEIGHT_PX).unwrap().sender();
    let mut renderer = Renderer::new(WIDTH_PX, HEIGHT_PX);
    for number in (0..FRAMES).filter(|number| !LOST.contains(number)) {
        let meta =
            FrameMeta { number, at: at(number), time_source: TimeSource::Driver, device_sequence: Some(1000 + number) };
        let pixels = picture(&mut renderer, number, is_quarter);
        video.send(Arc::new(Frame { meta, width_px: WIDTH_PX, height_px: HEIGHT_PX, pixels })).unwrap();
    }
    drop(video);
    recorder.stream(VIDEO).unwrap().gap(at(19), at(22), GapReason::QueueFull, 2, "lost").unwrap();
    recorder.finish(SessionEnd { at: at(FRAMES), quality: None }).unwrap();
}

fn compaction(folder: &Path, codec: VideoCodec) -> Compaction {
    Compaction {
        folder: folder.to_owned(),
        video: EncodedVideo::of(codec),
        keeps_original: false,
        accepts_quality: false,
        author: "a test".to_owned(),
    }
}

fn compact(folder: &Path, codec: VideoCodec) -> CompactedVideo {
    match compaction(folder, codec).run(&AtomicBool::new(false), |_| {}) {
        Ok(Compacted::Done(video)) => video,
        other => panic!("{other:?}"),
    }
}

struct Read {
    metas: Vec<FrameMeta>,
    frames: Vec<Frame>,
}

fn read(folder: &Path) -> Read {
    let file = SessionFile::open(folder).unwrap();
    let metas: Vec<FrameMeta> = file.frames().unwrap().metas().collect();
    let mut reader = FrameReader::open(&file).unwrap();
    let frames = metas.iter().map(|meta| reader.frame(&file, meta.number).unwrap()).collect();
    Read { metas, frames }
}

/// The number that the phantom wrote into the picture.
fn number_in(frame: &Frame) -> Option<u64> {
    let RgbPicture { pixels, .. } = to_rgb(frame, &mut Decoder::default()).unwrap();
    read_frame_number(&pixels, WIDTH_PX, HEIGHT_PX)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    names(folder).into_iter().map(|name| (name.clone(), std::fs::read(folder.join(name)).unwrap())).collect()
}

fn assert_unchanged(folder: &Path, before: &[(String, Vec<u8>)]) {
    let names: Vec<&String> = before.iter().map(|(name, _)| name).collect();
    let now = contents(folder);
    assert_eq!(now.iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
    for ((name, now), (_, before)) in now.iter().zip(before) {
        assert!(now == before, "{name} has changed");
    }
}

#[test]
fn h264_keeps_every_frame_at_its_time() {
    let Some(()) = ffmpeg() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("session");
    record(&folder, false);
    let before = read(&folder);
    let records = SessionFile::open(&folder).unwrap().timeline().unwrap().gaps().len();
    let video = compact(&folder, VideoCodec::H264);
    println!("{video:?}");
    assert_eq!(video.frames, FRAMES - LOST.len() as u64);
    assert!(video.bytes_after * 2 < video.bytes_before && video.quality.ssim_mean >= 0.97, "{video:?}");
    assert_eq!(names(&folder), ["session.sqlite", "video_h264.mkv"]);
    let after = read(&folder);
    assert_eq!(after.metas, before.metas);
    for frame in &after.frames {
        assert_eq!(number_in(frame), Some(frame.meta.number));
        assert!(matches!(frame.pixels, Pixels::I420(_)));
    }
    let found = verify(&folder).unwrap();
    assert!(found.is_intact, "{found:?}");
    let file = SessionFile::open(&folder).unwrap();
    let timeline = file.timeline().unwrap();
    assert_eq!(timeline.gaps().len(), records, "what was recorded stays");
    let event = timeline.events().iter().find(|e| e.stream.as_str() == COMPACTION).unwrap();
    let data = &event.what.data;
    assert_eq!((data["format"].as_str(), data["file"].as_str()), (Some("h264"), Some("video_h264.mkv")));
    assert!(data["encoder"].as_str().unwrap().starts_with("ffmpeg version"), "{data:?}");
    assert!(data["options"].as_str().unwrap().contains(&format!("-crf {}", EncodedVideo::USUAL_CRF)), "{data:?}");
    assert_eq!(data["bytes_after"].as_u64(), Some(video.bytes_after));
    assert!(video.bytes_after == folder.join("video_h264.mkv").metadata().unwrap().len());
    // In an order that jumps: each picture is that of its frame.
    let mut reader = FrameReader::open(&file).unwrap();
    for number in [70, 3, 4, 5, 40, 39, 41, 0, 74, 22, 19] {
        assert_eq!(number_in(&reader.frame(&file, number).unwrap()), Some(number));
    }
    let again = compaction(&folder, VideoCodec::Ffv1).run(&AtomicBool::new(false), |_| {}).unwrap();
    assert_eq!(again, Compacted::Before { removed: false });
}

/// FFmpeg's own tools see a whole video with the session's times.
#[test]
fn the_new_video_is_a_video_for_other_programs() {
    let Some(()) = ffmpeg() else { return };
    let tmp = tempfile::tempdir().unwrap();
    record(tmp.path(), true);
    compact(tmp.path(), VideoCodec::H264);
    let shown = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"])
        .arg(tmp.path().join("video_h264.mkv"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    let times: Vec<f64> = text.lines().map(|line| line.split(',').next().unwrap().parse().unwrap()).collect();
    let expected: Vec<f64> = (0..FRAMES).filter(|n| !LOST.contains(n)).map(|n| at(n).as_secs_f64()).collect();
    assert_eq!(times.len(), expected.len());
    for (found, expected) in times.iter().zip(&expected) {
        assert!((found - expected).abs() <= 1e-6, "{found} {expected}");
    }
    let keys = text.lines().filter(|line| line.contains('K')).count();
    assert!((3..=6).contains(&keys), "a key frame each second: {keys}");
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(tmp.path().join("video_h264.mkv"))
        .args(["-f", "null", "-"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&decoded.stderr);
    assert!(decoded.status.success() && !said.contains("rror"), "{said}");
}

#[test]
fn ffv1_loses_nothing() {
    let Some(()) = ffmpeg() else { return };
    let tmp = tempfile::tempdir().unwrap();
    for is_quarter in [true, false] {
        let folder = tmp.path().join(format!("quarter_{is_quarter}"));
        record(&folder, is_quarter);
        let before = read(&folder);
        let video = compact(&folder, VideoCodec::Ffv1);
        assert_eq!((video.quality.ssim_worst, video.quality.psnr_worst_db), (1.0, 100.0), "{is_quarter}");
        let after = read(&folder);
        assert_eq!(after.metas, before.metas);
        let mut decoder = Decoder::default();
        for (before, after) in before.frames.iter().zip(&after.frames) {
            let [old, new] = [before, after].map(|frame| to_grey(frame, &mut decoder).unwrap().pixels);
            assert!(old == new, "frame {}", before.meta.number);
            assert_eq!(matches!(after.pixels, Pixels::I420(_)), is_quarter);
            // A JPEG's decoder smooths chroma, so colours differ a little at edges.
            let [old, new] = [before, after].map(|frame| to_rgb(frame, &mut decoder).unwrap().pixels);
            let off = old.iter().zip(&new).map(|(a, b)| u64::from(a.abs_diff(*b))).sum::<u64>();
            assert!((off as f64 / old.len() as f64) < 2.0, "frame {}", before.meta.number);
        }
        assert!(verify(&folder).unwrap().is_intact);
    }
}

#[test]
fn what_is_refused_or_cancelled_changes_nothing() {
    let Some(()) = ffmpeg() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path();
    record(folder, false);
    let before = contents(folder);
    let bad = Compaction {
        video: EncodedVideo { crf: 51, ..EncodedVideo::of(VideoCodec::H264) },
        ..compaction(folder, VideoCodec::H264)
    };
    let why = bad.run(&AtomicBool::new(false), |_| {}).unwrap_err();
    assert!(matches!(why, CompactError::Quality(_)) && why.to_string().contains("--accept-quality"), "{why}");
    assert_unchanged(folder, &before);
    for step in [CompactStep::Compressing(30, 73), CompactStep::Comparing(30, 73)] {
        let cancelled = AtomicBool::new(false);
        let run = compaction(folder, VideoCodec::H264).run(&cancelled, |now| {
            if now == step {
                cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
            }
        });
        assert!(matches!(run, Err(CompactError::Cancelled)), "{step:?}: {run:?}");
        assert_unchanged(folder, &before);
    }
    let missing = command(&["compact", folder.to_str().unwrap()], folder).env("PATH", "").output().unwrap();
    let said = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert!(missing.status.code() == Some(1) && said.contains("install FFmpeg"), "{said}");
    assert_unchanged(folder, &before);
    // One bit of a picture: a damaged session is not made smaller.
    let video = folder.join("video.mkv");
    let mut bytes = std::fs::read(&video).unwrap();
    let half = bytes.len() / 2;
    bytes[half] ^= 1;
    std::fs::write(&video, &bytes).unwrap();
    let why = compaction(folder, VideoCodec::H264).run(&AtomicBool::new(false), |_| {}).unwrap_err();
    assert!(matches!(why, CompactError::Damaged(_)), "{why}");
    assert!(std::fs::read(&video).unwrap() == bytes);
    // The same, taken with its quality.
    std::fs::write(&video, &before.iter().find(|(name, _)| name == "video.mkv").unwrap().1).unwrap();
    let taken = Compaction { accepts_quality: true, ..bad }.run(&AtomicBool::new(false), |_| {}).unwrap();
    assert!(matches!(taken, Compacted::Done(_)));
}

#[test]
fn a_damaged_packet_costs_the_pictures_that_need_it() {
    let Some(()) = ffmpeg() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path();
    record(folder, false);
    compact(folder, VideoCodec::H264);
    let file = SessionFile::open(folder).unwrap();
    let row = *file.frames().unwrap().get(45).unwrap();
    let path = folder.join("video_h264.mkv");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[(row.offset + row.length / 2) as usize] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let found = verify(folder).unwrap();
    let lost = found.findings.iter().find_map(|finding| match finding {
        Finding::PicturesDamaged(run) => Some(run.clone()),
        _ => None,
    });
    let lost = lost.unwrap_or_else(|| panic!("{found:?}"));
    assert!(!found.is_intact && lost.first == 45 && lost.last < 74, "{lost}");
    let mut reader = FrameReader::open(&file).unwrap();
    for number in [0, 44, 45, 46, 74] {
        let is_lost = (lost.first..=lost.last).contains(&number);
        match reader.frame(&file, number) {
            Ok(frame) => assert!(!is_lost && number_in(&frame) == Some(number), "{number}"),
            Err(why) => assert!(is_lost && why.to_string().contains(&format!("frame {number}")), "{why}"),
        }
    }
}

#[test]
fn the_command_prints_what_it_did_and_can_keep_the_original() {
    let Some(()) = ffmpeg() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("session");
    record(&folder, false);
    let path = folder.to_str().unwrap();
    let original = std::fs::read(folder.join("video.mkv")).unwrap();
    let output = run(&["compact", path, "--keep-original", "--json"], tmp.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&told["frames"], &told["original_kept"]), (&73.into(), &true.into()));
    assert!(std::fs::read(folder.join("video.mkv")).unwrap() == original);
    assert!(verify(&folder).unwrap().is_intact);
    let shown = run(&["show", path], tmp.path());
    let text = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(text.contains("compacted"), "{text}");
    let again = run(&["compact", path], tmp.path());
    let text = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(again.status.success() && text.contains("compacted before") && text.contains("removed"), "{text}");
    assert_eq!(names(&folder), ["session.sqlite", "video_h264.mkv"]);
    let two = run(&["compact", path, tmp.path().to_str().unwrap()], tmp.path());
    assert_eq!(two.status.code(), Some(3), "one of two is no session");
}

const VICTIM_FOLDER: &str = "AFFECTOGRAPH_TEST_COMPACTED";

/// Compacts, and stops for ever at the step that the test names.
#[test]
#[ignore = "started by the test that kills it"]
fn victim() {
    let text = std::env::var(VICTIM_FOLDER).expect("started by the test that kills it");
    let (step, folder) = text.split_once(':').unwrap();
    let wait = |now: CompactStep| {
        let is_here = match now {
            CompactStep::Compressing(done, _) => step == "compressing" && done == 40,
            CompactStep::Comparing(done, _) => step == "comparing" && done == 40,
            CompactStep::Placed => step == "placed",
            CompactStep::Replaced => step == "replaced",
        };
        if is_here {
            writeln!(std::io::stdout(), "\nreached").unwrap();
            std::thread::sleep(std::time::Duration::from_secs(60));
        }
    };
    compaction(Path::new(folder), VideoCodec::H264).run(&AtomicBool::new(false), wait).unwrap();
}

#[test]
fn killed_at_any_step_the_session_has_the_old_video_or_the_new_one() {
    let Some(()) = ffmpeg() else { return };
    let tmp = tempfile::tempdir().unwrap();
    for (step, is_new) in [("compressing", false), ("comparing", false), ("placed", false), ("replaced", true)] {
        let folder = tmp.path().join(step);
        record(&folder, false);
        let before = read(&folder);
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["compact::victim", "--exact", "--ignored", "--nocapture"])
            .env(VICTIM_FOLDER, format!("{step}:{}", folder.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.map_while(Result::ok).any(|line| line == "reached"), "{step}");
        child.kill().unwrap();
        child.wait().unwrap();
        let file = SessionFile::open(&folder).unwrap();
        assert_eq!(file.film().unwrap().is_some(), is_new, "{step}");
        let found = verify(&folder).unwrap();
        assert!(found.is_intact, "{step}: {found:?}");
        let after = read(&folder);
        assert_eq!(after.metas, before.metas, "{step}");
        assert!(after.frames.iter().all(|frame| number_in(frame) == Some(frame.meta.number)), "{step}");
        // A reader would keep the write-ahead log.
        drop(file);
        // The next run finishes the work, and nothing is left over.
        compaction(&folder, VideoCodec::H264).run(&AtomicBool::new(false), |_| {}).unwrap();
        assert_eq!(names(&folder), ["session.sqlite", "video_h264.mkv"], "{step}");
        assert_eq!(read(&folder).metas, before.metas, "{step}");
    }
}
