//! Sessions keep their films. Every picture is found in the film, in any order, and it is the one that was scored. A film that was
//! moved, changed or cut gives a sentence and never another picture.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use affectograph::capture::{CameraSpec, Captured, open};
use affectograph::session::{CameraSettings, Clock, Pixels};
use affectograph::store::{SessionFile, verify};
use affectograph::stored_frames::FrameReader;
use serde_json::Value;

use super::{analyze, made, run, source};

fn folder_of(told: &Value) -> PathBuf {
    PathBuf::from(told["session"].as_str().unwrap_or_else(|| panic!("{told}")))
}

/// All pictures of a film, in its order.
fn played(path: &Path) -> Vec<Vec<u8>> {
    let mut camera = open(&CameraSpec::File(path.into()), &CameraSettings::default(), &Clock::start()).unwrap();
    let mut pictures = Vec::new();
    loop {
        match camera.next(Duration::from_secs(30)).unwrap() {
            Captured::End => return pictures,
            Captured::Frame(frame) => pictures.push(bytes_of(frame.pixels)),
            other => panic!("{other:?}"),
        }
    }
}

fn bytes_of(pixels: Pixels) -> Vec<u8> {
    match pixels {
        Pixels::I420(bytes) | Pixels::Rgb(bytes) | Pixels::Jpeg(bytes) => bytes,
        other => panic!("{other:?}"),
    }
}

/// The picture of a frame, or the sentence.
fn picture(folder: &Path, number: u64) -> Result<Vec<u8>, String> {
    let file = SessionFile::open(folder).unwrap();
    let mut frames = FrameReader::open(&file).unwrap();
    frames.frame(&file, number).map(|frame| bytes_of(frame.pixels)).map_err(|e| e.to_string())
}

/// Numbers in an order that jumps, steps forward and steps back.
fn jumps(frames: u64) -> Vec<u64> {
    let jump = (0..6).map(|k| k * 37 % frames);
    jump.chain(18..23).chain((14..18).rev()).chain([frames - 1, 0]).collect()
}

#[test]
fn every_picture_is_found_in_the_film_in_any_order() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    // Name, how FFmpeg makes it, and whether the session keeps it.
    let cases = [
        ("b_frames.mp4", "-an -c:v libx264 -preset veryfast -g 20 -bf 3", true),
        ("open.mp4", "-an -c:v libx264 -preset veryfast -g 15 -bf 2 -x264-params open-gop=1", true),
        ("open_hevc.mov", "-an -c:v libx265 -preset ultrafast -x265-params keyint=15:open-gop=1:log-level=none", true),
        ("cluster.mkv", "-an -c:v libx264 -preset veryfast -g 20 -bf 2", true),
        ("vp9.webm", "-an -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -g 24 -b:v 800k", true),
        ("ten_bits.mkv", "-an -c:v libx265 -preset ultrafast -pix_fmt yuv420p10le -x265-params log-level=none", true),
        ("no_square.mp4", "-an -c:v libx264 -preset veryfast -vf scale=320:240,setsar=4/3", true),
        ("pieces.mp4", "-an -c:v libx264 -preset veryfast -g 20 -movflags frag_keyframe+empty_moov", true),
        ("jpegs.avi", "-an -c:v mjpeg -q:v 4 -pix_fmt yuvj420p", true),
        ("transport.ts", "-an -c:v libx264 -preset veryfast -g 20", false),
    ];
    let paths: Vec<PathBuf> = cases.iter().map(|(name, ..)| tmp.path().join(name)).collect();
    let short = tmp.path().join("short.mkv");
    made(&film, "-an -vf scale=320:180 -frames:v 40 -c:v ffv1", &short);
    for ((_, how, _), path) in cases.iter().zip(&paths) {
        made(&short, how, path);
    }
    // FFmpeg sets the rotation of a stream only while it copies.
    let turned = tmp.path().join("turned.mp4");
    made(&paths[0], "-c copy -metadata:s:v rotate=90", &turned);
    let files: Vec<&Path> = paths.iter().map(PathBuf::as_path).chain([turned.as_path()]).collect();
    let (code, told) = analyze(&files, &tmp.path().join("sessions"));
    assert_eq!(code, 0, "{told:?}");
    let wanted = cases.iter().map(|(name, _, is_kept)| (*name, *is_kept)).chain([("turned.mp4", true)]);
    for (((name, is_kept), path), told) in wanted.zip(files).zip(told) {
        let folder = folder_of(&told);
        let file = SessionFile::open(&folder).unwrap();
        let kept = file.film().unwrap();
        assert_eq!((kept.is_some(), folder.join("video.mkv").exists()), (is_kept, !is_kept), "{name}: {told}");
        assert!(verify(&folder).unwrap().is_intact, "{name}");
        if !is_kept {
            assert!(told["notes"].to_string().contains("Motion JPEG"), "{told}");
            continue;
        }
        let played = played(path);
        assert_eq!(played.len(), file.frames().unwrap().len(), "{name}");
        let mut frames = FrameReader::open(&file).unwrap();
        for number in jumps(played.len() as u64) {
            let frame = frames.frame(&file, number).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(bytes_of(frame.pixels) == played[number as usize], "{name}: frame {number} is another picture");
        }
    }
}

/// The film of the session, apart from the original.
fn own_copy(tmp: &Path, film: &Path, options: &[&str]) -> (PathBuf, PathBuf, PathBuf) {
    let original = tmp.join("sub-01_film.mp4");
    std::fs::copy(film, &original).unwrap();
    let sessions = tmp.join("sessions");
    let output = run("analyze", &[&original], &[&["--json"], options].concat(), &sessions);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let folder = folder_of(&super::lines(&output)[0]);
    (original, folder, sessions)
}

#[test]
fn a_film_is_not_copied_and_survives_the_original() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let (original, folder, _) = own_copy(tmp.path(), &film, &[]);
    let kept = folder.join("film.mp4");
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(kept.metadata().unwrap().ino(), original.metadata().unwrap().ino(), "one file under two names");
    }
    let before = picture(&folder, 40).unwrap();
    std::fs::rename(&original, tmp.path().join("elsewhere.mp4")).unwrap();
    assert!(picture(&folder, 40).unwrap() == before && verify(&folder).unwrap().is_intact);
    std::fs::remove_file(tmp.path().join("elsewhere.mp4")).unwrap();
    assert!(picture(&folder, 40).unwrap() == before && verify(&folder).unwrap().is_intact);
}

#[test]
fn a_changed_film_is_said_and_never_shown() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let long = tmp.path().join("keys.mp4");
    made(&film, "-an -c:v libx264 -preset veryfast -g 12 -bf 0", &long);
    let (_, folder, sessions) = own_copy(tmp.path(), &long, &[]);
    let kept = folder.join("film.mp4");
    let whole = std::fs::read(&kept).unwrap();
    let file = SessionFile::open(&folder).unwrap();
    let rows = file.frames().unwrap().rows().to_vec();
    let good: HashMap<u64, Vec<u8>> = (0..72).step_by(6).map(|k| (k, picture(&folder, k).unwrap())).collect();

    // One bit in the middle of a group of pictures: its rest is gone, all other pictures stay.
    let mut bytes = whole.clone();
    let row = rows[30];
    bytes[(row.offset + row.length / 2) as usize] ^= 1;
    std::fs::write(&kept, &bytes).unwrap();
    for (number, before) in &good {
        match picture(&folder, *number) {
            Ok(now) => assert!(now == *before && !(30..36).contains(number), "frame {number}"),
            Err(why) => assert!((30..36).contains(number) && why.contains("has changed since the import"), "{why}"),
        }
    }
    let said: Vec<String> = verify(&folder).unwrap().findings.iter().map(ToString::to_string).collect();
    assert!(said[0].contains("film.mp4 is not the one that was imported"), "{said:?}");
    assert!(said[1].contains("frames 30 to 35") && said.len() == 2, "{said:?}");
    let path = folder.as_path();
    assert_eq!(run("verify", &[path], &[], &sessions).status.code(), Some(3));
    let rescored = run("rescore", &[path], &["--model", "affect", "--json"], &sessions);
    assert_eq!(
        (rescored.status.code(), super::lines(&rescored)[0]["rescored"]["frames_failed"].as_u64()),
        (Some(3), Some(6))
    );

    // Another film, a cut film, no film.
    made(&film, "-an -vf hflip -c:v libx264 -preset veryfast -g 12 -bf 0", &tmp.path().join("other.mp4"));
    let other = std::fs::read(tmp.path().join("other.mp4")).unwrap();
    let cut = whole[..rows[50].offset as usize].to_vec();
    for (bytes, first_lost, sentence) in
        [(other, 0, "at the import"), (cut, 50, "at the import"), (Vec::new(), 0, "at the import")]
    {
        std::fs::write(&kept, bytes).unwrap();
        for number in [0, 12, 66] {
            match picture(&folder, number) {
                Ok(now) => assert!(number < first_lost && now == good[&number], "frame {number}"),
                Err(why) => assert!(number >= first_lost && why.contains(sentence), "frame {number}: {why}"),
            }
        }
        assert!(!verify(&folder).unwrap().is_intact);
    }
    std::fs::remove_file(&kept).unwrap();
    assert!(picture(&folder, 12).unwrap_err().contains("was moved, renamed or removed"));
    let gone = run("rescore", &[path], &[], &sessions);
    assert!(String::from_utf8_lossy(&gone.stderr).contains("film.mp4 is missing"), "{gone:?}");
    std::fs::write(&kept, whole).unwrap();
    assert!(verify(&folder).unwrap().is_intact && picture(&folder, 12).unwrap() == good[&12]);
}

#[test]
fn a_film_by_reference_stays_where_it_is() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let (original, folder, sessions) = own_copy(tmp.path(), &film, &["--by-reference"]);
    let mut names: Vec<String> =
        std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, ["session.sqlite"]);
    let before = picture(&folder, 40).unwrap();
    assert!(verify(&folder).unwrap().is_intact);
    std::fs::rename(&original, tmp.path().join("away.mp4")).unwrap();
    let why = picture(&folder, 40).unwrap_err();
    assert!(why.contains("sub-01_film.mp4 was moved, renamed or removed"), "{why}");
    let said = verify(&folder).unwrap();
    let missing = said.findings[0].to_string();
    assert!(!said.is_intact && missing.contains("72 frames"), "{:?}", said.findings);
    let path = original.canonicalize().unwrap_or(original.clone()).display().to_string();
    assert!(missing.contains(&path) && missing.ends_with("move the film back"), "{missing}");
    let shown = run("show", &[folder.as_path()], &[], &sessions);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("is missing") && shown.contains("move it back"), "{shown}");
    std::fs::rename(tmp.path().join("away.mp4"), &original).unwrap();
    assert!(picture(&folder, 40).unwrap() == before);
    // What has no places for its pictures cannot be referred to.
    let stream = tmp.path().join("sub-02_film.ts");
    made(&film, "-an -c copy", &stream);
    let refused = run("analyze", &[&stream], &["--by-reference"], &sessions);
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("cannot refer to the film"), "{said}");
    assert!(!sessions.join("sub-02").exists(), "an empty folder is left of it");
}
