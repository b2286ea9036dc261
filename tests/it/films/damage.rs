//! Cut and overwritten films, in every container. A film that has lost something says so, what is lost is a gap, and each
//! frame that is called whole is, to the last pixel, what the undamaged film shows at that time.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use affectograph::capture::{CameraError, CameraSpec, Captured, CapturedFrame, open};
use affectograph::session::{AFFECT, CameraSettings, Clock, GapReason, Pixels};
use affectograph::store::SessionFile;

use super::{analyze, made, run, source, timeline};
use crate::need::{need_program, need_shared};

/// What a camera makes of a film.
#[derive(Default)]
struct Played {
    /// By milliseconds from the first frame.
    frames: BTreeMap<i64, Vec<u8>>,
    lost: u64,
    faults: Vec<String>,
}

fn play(path: &Path) -> Result<Played, CameraError> {
    let mut camera = open(&CameraSpec::File(path.into()), &CameraSettings::default(), &Clock::start())?;
    let mut played = Played::default();
    let mut first = None;
    loop {
        match camera.next(Duration::from_secs(30)) {
            Ok(Captured::End) => return Ok(played),
            Ok(Captured::Corrupt { at, why, .. }) => {
                first.get_or_insert(at);
                played.lost += 1;
                played.faults.push(why);
            }
            Ok(Captured::Missing { frames, why, .. }) => {
                played.lost += frames;
                played.faults.push(why);
            }
            Ok(Captured::Frame(CapturedFrame { at, pixels, .. })) => {
                let bytes = match pixels {
                    Pixels::I420(bytes) | Pixels::Rgb(bytes) | Pixels::Jpeg(bytes) => bytes,
                    other => panic!("{other:?}"),
                };
                let ms = (at.since_ns(*first.get_or_insert(at)) + 500_000).div_euclid(1_000_000);
                assert!(played.frames.insert(ms, bytes).is_none(), "two frames at {ms} ms");
            }
            Err(e) => {
                played.faults.push(e.to_string());
                return Ok(played);
            }
        }
    }
}

const H264: &str = "-c:v libx264 -preset veryfast -g 20 -bf 2";
/// Name, and how the film is put into it.
const CONTAINERS: [(&str, &str); 8] = [
    ("first.mp4", "-c:v libx264 -preset veryfast -g 20 -bf 2 -movflags +faststart"),
    ("pieces.mp4", "-c:v libx264 -preset veryfast -g 20 -bf 2 -movflags frag_keyframe+empty_moov"),
    ("film.mkv", H264),
    ("film.ts", H264),
    ("film.mov", "-c:v mpeg4 -q:v 4 -g 12 -movflags +faststart"),
    ("film.avi", "-c:v mpeg4 -q:v 4 -g 12"),
    ("jpegs.avi", "-c:v mjpeg -q:v 4 -pix_fmt yuvj420p"),
    ("film.webm", "-c:v libvpx -b:v 800k -deadline realtime -cpu-used 8 -g 30"),
];

/// 60 frames that differ everywhere.
fn film(folder: &Path, name: &str, how: &str) -> PathBuf {
    let path = folder.join(name);
    let pattern = folder.join("pattern.mkv");
    if !pattern.exists() {
        super::ffmpeg(
            &[
                "-f",
                "lavfi",
                "-i",
                "testsrc2=size=320x240:rate=25",
                "-vf",
                "noise=alls=12:allf=t",
                "-frames:v",
                "60",
                "-c:v",
            ]
            .iter()
            .map(std::ffi::OsStr::new)
            .chain([std::ffi::OsStr::new("ffv1"), pattern.as_os_str()])
            .collect::<Vec<_>>(),
        );
    }
    made(&pattern, how, &path);
    path
}

/// No frame passes that the undamaged film does not show at that time.
fn assert_true(damaged: &Played, whole: &Played, what: &str) {
    for (ms, pixels) in &damaged.frames {
        let same = whole.frames.get(ms).unwrap_or_else(|| panic!("{what}: no frame is at {ms} ms"));
        assert!(pixels == same, "{what}: the frame at {ms} ms passes and is another; {:?}", damaged.faults);
    }
}

#[test]
fn a_cut_film_says_so_in_every_container() {
    if need_program("ffmpeg").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, how) in CONTAINERS {
        let path = film(folder.path(), name, how);
        let whole = play(&path).unwrap();
        assert_eq!((whole.frames.len(), whole.lost, &whole.faults[..]), (60, 0, &[][..]), "{name} is whole");
        let bytes = std::fs::read(&path).unwrap();
        let cut = folder.path().join(format!("cut_{name}"));
        for share in [0.31, 0.5, 0.77, 0.96] {
            let mut len = (bytes.len() as f64 * share) as usize;
            // Between two packets a transport stream may end.
            len += usize::from(name.ends_with(".ts") && len.is_multiple_of(188));
            std::fs::write(&cut, &bytes[..len]).unwrap();
            // Small pieces of a film may be none.
            let Ok(played) = play(&cut) else { continue };
            let what = format!("{name} cut at {share}");
            assert!(!played.faults.is_empty(), "{what}: {} frames and not a word", played.frames.len());
            assert_true(&played, &whole, &what);
            // Where the file says how long it was, all that is missing is counted.
            if !["film.ts", "pieces.mp4"].contains(&name) && share < 0.9 {
                let all = played.frames.len() as u64 + played.lost;
                assert!(
                    (58..=61).contains(&all),
                    "{what}: {} and {}: {:?}",
                    played.frames.len(),
                    played.lost,
                    played.faults
                );
            }
        }
    }
}

#[test]
fn no_overwritten_frame_passes() {
    if need_program("ffmpeg").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // VP8 makes a picture of any bytes, and H.264 of some, without a word; docs/films.md says so. A transport stream knows
    // which of its packets came damaged, and the others notice it themselves.
    let noticing = ["film.ts", "film.mov", "film.avi", "jpegs.avi"];
    for (name, how) in CONTAINERS.into_iter().filter(|(name, _)| noticing.contains(name)) {
        let path = film(folder.path(), name, how);
        let whole = play(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        let damaged = folder.path().join(format!("over_{name}"));
        let mut said = 0;
        for (k, share) in [0.35, 0.5, 0.62, 0.8].into_iter().enumerate() {
            let mut copy = bytes.clone();
            let start = (bytes.len() as f64 * share) as usize;
            for (i, byte) in copy[start..start + 300].iter_mut().enumerate() {
                *byte = (i as u32).wrapping_mul(2_654_435_761 + k as u32).to_be_bytes()[0];
            }
            std::fs::write(&damaged, copy).unwrap();
            let played = play(&damaged).unwrap();
            let what = format!("{name} overwritten at {share}");
            assert_true(&played, &whole, &what);
            said += usize::from(!played.faults.is_empty());
            assert!(!played.faults.is_empty() || played.frames.len() == 60, "{what}");
            assert!(played.frames.len() >= 10, "{what}: {} frames are left, {:?}", played.frames.len(), played.faults);
        }
        assert_eq!(said, 4, "{name}");
    }
}

#[test]
fn damaged_films_end_with_but_and_their_frames_are_gaps() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let at = |name: &str| tmp.path().join(name);
    let (whole, cut, over) = (at("whole.mp4"), at("cut.mp4"), at("over.mkv"));
    made(&film, "-an -vf scale=320:180 -frames:v 48 -c:v libx264 -g 12 -movflags +faststart", &whole);
    let bytes = std::fs::read(&whole).unwrap();
    std::fs::write(&cut, &bytes[..bytes.len() * 6 / 10]).unwrap();
    let mkv = at("whole.mkv");
    made(&whole, "-c:v mpeg4 -q:v 3 -g 12", &mkv);
    let mut bytes = std::fs::read(&mkv).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..middle + 200].iter_mut().enumerate().for_each(|(i, b)| *b = (i * 7) as u8);
    std::fs::write(&over, bytes).unwrap();

    let root = at("sessions");
    let (code, told) = analyze(&[&whole], &root);
    assert_eq!((code, told[0]["trouble"].is_null(), told[0]["frames"].as_u64()), (0, true, Some(48)), "{told:?}");
    assert!(timeline(&told[0]).gaps().iter().all(|g| g.what.reason != GapReason::Corrupt));

    let (code, told) = analyze(&[&cut, &over], &root);
    assert_eq!(code, 3, "{told:?}");
    for told in &told {
        let (frames, lost) = (told["frames"].as_u64().unwrap(), told["frames_lost"].as_u64().unwrap());
        assert!(lost > 0 && (46..=49).contains(&(frames + lost)), "{told}");
        let why = told["trouble"].as_str().unwrap();
        assert!(why.contains(" damaged or missing, from ") && why.contains(" s on: "), "{why}");
        let timeline = timeline(told);
        let gaps: Vec<_> = timeline.gaps().iter().filter(|g| g.what.reason == GapReason::Corrupt).collect();
        assert_eq!(gaps.iter().map(|g| g.what.lost).sum::<u64>(), lost, "every lost frame is in a gap");
        assert!(gaps.iter().all(|g| g.stream.as_str() == "video" && !g.what.note.is_empty()));
        let affect = timeline.series(AFFECT).unwrap();
        assert!(
            // Matroska counts milliseconds.
            affect.times().iter().all(|at| gaps.iter().all(|g| *at < g.at || g.what.until.since_ns(*at) < 2_000_000)),
            "no value stands where a frame is lost"
        );
        let session = SessionFile::open(Path::new(told["session"].as_str().unwrap())).unwrap();
        assert_eq!(session.frames().unwrap().len() as u64, frames);
        let seconds = session.summary().unwrap().end.as_secs_f64();
        assert!((seconds - 1.6).abs() < 0.05, "the session is as long as the film was: {seconds} s");
        assert_ne!(told["grade"], "A");
    }
    let said = run("analyze", &[&cut], &["--participant", "sub-02"], &root);
    assert_eq!(said.status.code(), Some(3));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("  BUT ") && said.lines().count() == 1, "{said}");
}

#[test]
fn the_films_of_the_collection_are_what_they_are() {
    let Some(source) = source() else { return };
    let media = source.parent().unwrap();
    for name in ["single_face.mp4", "no_face.mp4", "face_noface.mov", "noface_face.mov"] {
        let played = play(&media.join(name)).unwrap();
        assert_eq!((played.lost, &played.faults[..]), (0, &[][..]), "{name} is whole");
    }
    let Some(cut) = need_shared("cases/films/sub-01_cut.mkv") else { return };
    let Some(half) = need_shared("cases/films/sub-01_halfjpeg.avi") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let (code, told) = analyze(&[&cut, &half], tmp.path());
    assert_eq!(code, 3);
    assert!(told.iter().all(|t| t["trouble"].is_string()), "{told:?}");
    // One of 30 JPEGs is half; the others stand for themselves.
    assert_eq!((told[1]["frames"].as_u64(), told[1]["frames_lost"].as_u64()), (Some(29), Some(1)), "{}", told[1]);
    let timeline = timeline(&told[1]);
    let gap = timeline.gaps().iter().find(|g| g.what.reason == GapReason::Corrupt).unwrap();
    assert_eq!(((gap.at.as_secs_f64() * 30.0).round(), gap.what.lost), (10.0, 1));
    assert!(gap.what.note.contains("JPEG"), "{}", gap.what.note);
}
