//! Pixels that are not square, several tracks, frames at uneven times.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use affectograph::capture::{CameraSpec, open};
use affectograph::session::{CameraSettings, Clock};
use serde_json::Value;

use super::{analyze, ffmpeg, made, mean, source, timeline};
use crate::need::{need_program, need_shared};

fn size_px(path: &Path) -> (u32, u32) {
    let camera = open(&CameraSpec::File(path.into()), &CameraSettings::default(), &Clock::start()).unwrap();
    (camera.info().mode.width_px, camera.info().mode.height_px)
}

#[test]
fn a_film_with_long_pixels_reads_as_the_same_film_with_square_ones() {
    if source().is_none() {
        return;
    }
    let Some(long) = need_shared("cases/films/sub-01_sar.mp4") else { return };
    let Some(square) = need_shared("cases/films/sub-01_sar_square.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let mkv = tmp.path().join("sar.mkv");
    made(&long, "-c copy", &mkv);
    let (code, told) = analyze(&[&long, &square, &mkv], &tmp.path().join("sessions"));
    assert_eq!(code, 0, "{told:?}");
    for column in ["valence", "arousal"] {
        let [long, square, mkv] = [0, 1, 2].map(|k| mean(&told[k], column));
        assert!((long - square).abs() < 0.03 && (mkv - square).abs() < 0.03, "{column}: {long}, {mkv} and {square}");
    }
    assert!(told[0]["notes"][0].as_str().unwrap().contains("64:45"), "{}", told[0]);
    assert!(told[1]["notes"].as_array().unwrap().is_empty());
}

#[test]
fn each_container_tells_the_shape_of_its_pixels() {
    if need_program("ffmpeg").is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let shape = |name: &str, how: &str| {
        let (source, path) = (tmp.path().join("pattern.mkv"), tmp.path().join(name));
        ffmpeg(
            &["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25", "-frames:v", "5", "-c:v", "ffv1"]
                .map(OsStr::new)
                .iter()
                .copied()
                .chain([source.as_os_str()])
                .collect::<Vec<_>>(),
        );
        made(&source, how, &path);
        size_px(&path)
    };
    for name in ["a.mp4", "a.mkv", "a.mov", "a.ts"] {
        assert_eq!(shape(name, "-vf setsar=4/3 -c:v libx264"), (427, 240), "{name}");
        assert_eq!(shape(name, "-vf setsar=8/9 -c:v libx264"), (320, 270), "{name}");
        assert_eq!(shape(name, "-vf setsar=0/1 -c:v libx264"), (320, 240), "{name}");
    }
    assert_eq!(shape("a.avi", "-vf setsar=4/3 -c:v mpeg4"), (427, 240));
    assert_eq!(shape("b.avi", "-vf setsar=2/1 -c:v mjpeg -pix_fmt yuvj420p"), (640, 240));
}

#[test]
fn the_default_track_is_analyzed_and_the_choice_is_said() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    let (face, both, cover) = (tmp.path().join("face.mp4"), tmp.path().join("both.mkv"), tmp.path().join("cover.mp4"));
    made(&film, "-an -vf scale=320:180 -frames:v 12 -c:v libx264", &face);
    let blue = tmp.path().join("blue.mkv");
    let colour = "-f lavfi -i color=c=blue:size=64x48:rate=30 -frames:v 12 -c:v libx264";
    ffmpeg(&colour.split_whitespace().map(OsStr::new).chain([blue.as_os_str()]).collect::<Vec<_>>());
    let picture = tmp.path().join("cover.jpg");
    made(&blue, "-frames:v 1 -pix_fmt yuvj420p", &picture);
    let joined = |first: &Path, second: &Path, how: &str, output: &Path| {
        let mut command = Command::new("ffmpeg");
        command.args(["-v", "error", "-y", "-i"]).arg(first).arg("-i").arg(second);
        command.args(["-map", "0:v", "-map", "1:v", "-c", "copy"]).args(how.split_whitespace());
        assert!(command.arg(output).status().unwrap().success());
    };
    joined(&blue, &face, "-disposition:v:0 0 -disposition:v:1 default", &both);
    joined(&face, &picture, "-disposition:v:1 attached_pic", &cover);
    let (code, told) = analyze(&[&both, &cover], &tmp.path().join("sessions"));
    assert_eq!(code, 0, "{told:?}");
    assert!(told.iter().all(|t| t["frames"] == 12 && t["with_face"] == 12), "{told:?}");
    let note = "of 2 video tracks, the second is used: it is marked as the default";
    assert_eq!(told[0]["notes"], Value::from(vec![note]));
    assert_eq!(told[1]["notes"], Value::from(Vec::<String>::new()), "a cover is no track");
    let timeline = timeline(&told[0]);
    let event = timeline.events().iter().find(|e| e.what.kind == "film").unwrap();
    assert_eq!(event.what.data["notes"][0], note, "and it stands in the session");
}

#[test]
fn a_film_with_uneven_times_has_lost_nothing() {
    let Some(film) = source() else { return };
    let tmp = tempfile::tempdir().unwrap();
    // As telephones film in changing light, with a second in which nothing moved.
    let uneven = tmp.path().join("uneven.mp4");
    made(
        &film,
        "-an -vf scale=320:180,select='not(mod(n,3))+gt(n,50)',setpts='PTS+gt(N,20)*1.1/TB' -fps_mode vfr -c:v libx264",
        &uneven,
    );
    let sessions = tmp.path().join("sessions");
    let (code, told) = analyze(&[&uneven], &sessions);
    assert_eq!((code, told[0]["trouble"].is_null()), (0, true), "{told:?}");
    let folder = told[0]["session"].as_str().unwrap();
    let shown = super::run("show", &[Path::new(folder)], &["--json"], &sessions);
    let shown = &super::lines(&shown)[0];
    assert_eq!(shown["frames_expected"], shown["frames_stored"], "{shown}");
    assert_eq!((shown["frames_lost"].as_u64(), told[0]["grade"].as_str()), (Some(0), Some("A")), "{shown}");
}
