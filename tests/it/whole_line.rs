//! The whole pipeline on the command line: camera file → networks → session → reopened, with the real program.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use affectograph::capture::{Decoder, Pace};
use affectograph::recording::{Guided, Rig, RigPlan, SessionPlan};
use affectograph::session::{AFFECT, CameraSettings, GapReason, Study, Timeline, affect};
use affectograph::store::{Committed, SessionFile, StoredStudy};
use serde_json::Value;

use crate::need::{need_program, need_shared};
use crate::program::run as affectograph;
use crate::vision_support::models;

fn shared(name: &str) -> Option<PathBuf> {
    models()?;
    need_program("ffmpeg")?;
    need_shared(&format!("media/{name}"))
}

fn json(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn record(camera: &Path, sessions: &Path) -> Value {
    json(&affectograph(
        &["record", "--participant", "sub-01", "--camera", &camera.display().to_string(), "--json"],
        sessions,
    ))
}

fn timeline(shown: &Value) -> Timeline {
    SessionFile::open(Path::new(shown["session"].as_str().unwrap())).unwrap().timeline().unwrap()
}

fn frames_in(file: &Path) -> u64 {
    let count = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-count_frames", "-show_entries", "stream=nb_read_frames"])
        .args(["-of", "csv=p=0"])
        .arg(file)
        .output()
        .unwrap();
    String::from_utf8_lossy(&count.stdout).trim().trim_end_matches(',').parse().unwrap()
}

fn mean(values: &[f32]) -> f32 {
    values.iter().sum::<f32>() / values.len() as f32
}

#[test]
fn a_smile_raises_valence_and_no_frame_is_lost() {
    let Some(file) = shared("single_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let shown = record(&file, tmp.path());
    assert_eq!(shown["frames_stored"], frames_in(&file));
    assert_eq!(shown["frames_lost"], 0);
    let timeline = timeline(&shown);
    let valence = timeline.series(AFFECT).unwrap().column(affect::VALENCE);
    // The clip goes from neutral to a smile. A slow machine may skip frames live, so thirds are compared.
    let third = valence.len() / 3;
    let peak = valence.windows(third.max(1)).map(mean).fold(f32::MIN, f32::max);
    assert!(peak - mean(&valence[..third]) > 0.25, "from {} to {peak}", mean(&valence[..third]));

    let folder = shown["session"].as_str().unwrap();
    assert_eq!(json(&affectograph(&["verify", folder, "--json"], tmp.path()))["is_intact"], true);
    let to = tmp.path().join("out");
    let exported = affectograph(&["export", folder, "--to", &to.display().to_string()], tmp.path());
    assert!(exported.status.success(), "{}", String::from_utf8_lossy(&exported.stderr));
    let rows = csv::Reader::from_path(to.join("affect.csv")).unwrap().records().count();
    assert_eq!(rows, valence.len());
    assert!(to.join("session.png").metadata().unwrap().len() > 10_000);
    let listed = json(&affectograph(&["list", "--json"], tmp.path()));
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn gaps_appear_when_the_face_leaves() {
    let Some(file) = shared("face_noface.mov") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let shown = record(&file, tmp.path());
    assert_eq!(shown["frames_stored"], frames_in(&file));
    let timeline = timeline(&shown);
    let absent: Vec<_> = timeline.gaps().iter().filter(|g| g.what.reason == GapReason::NoFace).collect();
    assert!(!absent.is_empty(), "no gap of reason no_face");
    let faces = timeline.series(AFFECT).unwrap();
    let last_face = faces.times().last().unwrap();
    assert!(absent.last().unwrap().what.until > *last_face, "the face left, so the session ends without one");
}

#[test]
fn a_clip_without_a_face_yields_no_sample() {
    let Some(file) = shared("no_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let shown = record(&file, tmp.path());
    assert_eq!(timeline(&shown).series(AFFECT).unwrap().len(), 0);
    assert!(shown["frames_scored"].as_u64().unwrap() > 0);
    assert_eq!(shown["face_share"], 0.0);
}

/// Live views show committed records, so the reopened timeline is equal to the live one.
#[test]
fn the_reopened_timeline_equals_the_live_one() {
    let tmp = tempfile::tempdir().unwrap();
    let toml =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/studies/demo/study.toml")).unwrap();
    let study = Study::parse(&toml).unwrap();
    if models().is_none() {
        return;
    }
    let models = affectograph::vision::models_folder().unwrap();
    // A recording if there is one, otherwise the phantom, whose frames show their numbers.
    let file = shared("single_face.mp4");
    let camera = file.as_ref().map_or("phantom".to_owned(), |f| f.display().to_string());
    let plan = RigPlan {
        sources: Vec::new(),
        lsl_out: false,
        markers: Vec::new(),
        camera: Some(camera.parse().unwrap()),
        camera_settings: CameraSettings { width_px: 320, height_px: 240, ..CameraSettings::default() },
        pace: Pace::RealTime,
        models,
        affect_model: study.affect_model.clone(),
        window: None,
        page: None,
    };
    let session = SessionPlan {
        folder: tmp.path().join("session"),
        participant: "sub-01".parse().unwrap(),
        session: "ses-01".parse().unwrap(),
        study: StoredStudy::new(&study, &toml),
        guided: Guided::default(),
        pilot: false,
        consent: None,
        revision: None,
        overridden_checks: Vec::new(),
        condition: None,
        planned: None,
    };
    let (tx, committed) = crossbeam_channel::unbounded();
    let rig = Rig::record(&plan, session, tx).unwrap();
    let streams = rig.streams().to_vec();
    std::thread::sleep(Duration::from_secs(3));
    rig.stop().unwrap();
    let mut live = Timeline::default();
    streams.into_iter().for_each(|s| live.declare(s));
    for c in committed.try_iter() {
        match c {
            Committed::Records(records) => records.iter().for_each(|r| live.ingest(r)),
            Committed::Failed(why) => panic!("{why}"),
        }
    }
    let stored = SessionFile::open(&tmp.path().join("session")).unwrap();
    let reopened = stored.timeline().unwrap();
    assert!(live.events().len() >= 2);
    assert_eq!(live.events(), reopened.events());
    assert_eq!(live.gaps(), reopened.gaps());
    assert_eq!(live.refused(), 0);
    for info in live.streams() {
        let (Some(a), Some(b)) = (live.series(info.name.as_str()), reopened.series(info.name.as_str())) else {
            continue;
        };
        assert_eq!((a.times(), a.seqs(), a.frames()), (b.times(), b.seqs(), b.frames()), "{}", info.name);
        for field in 0..info.fields.len() {
            // Bits, because a value that the network does not compute is not a number.
            let bits = |column: &[f32]| column.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(a.column(field)), bits(b.column(field)), "{} {}", info.name, info.fields[field].name);
        }
    }
    if file.is_some() {
        assert!(live.series(AFFECT).unwrap().len() > 10);
        return;
    }
    // Each stored picture shows the number of its record.
    let mut decoder = Decoder::default();
    for row in stored.frames().unwrap().rows() {
        let frame = stored.frame(row.meta.number).unwrap();
        let rgb = affectograph::capture::to_rgb(&frame, &mut decoder).unwrap();
        let read = affectograph::capture::phantom::read_frame_number(&rgb.pixels, rgb.width_px, rgb.height_px);
        assert_eq!(read, Some(row.meta.number));
    }
}

/// The program is killed during a recording. The next start closes the session and reports this, and only the last
/// moments are lost.
#[test]
fn a_killed_recording_is_closed_at_the_next_start() {
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_affectograph"))
            .args(["record", "--participant", "sub-09", "--camera", "phantom", "--duration", "60s"])
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("AFFECTOGRAPH_SESSIONS", tmp.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut first = start();
    std::thread::sleep(Duration::from_secs(4));
    first.kill().unwrap();
    let said = String::from_utf8_lossy(&first.wait_with_output().unwrap().stderr).into_owned();
    assert!(said.contains("Recording sub-09"), "{said}");
    let listed = json(&affectograph(&["list", "--json"], tmp.path()));
    assert_eq!(listed["sessions"][0]["condition"]["opens"], "crashed", "{listed}");
    let mut second = start();
    std::thread::sleep(Duration::from_secs(2));
    second.kill().unwrap();
    let said = String::from_utf8_lossy(&second.wait_with_output().unwrap().stderr).into_owned();
    assert!(said.contains("was left open by a crash and has been closed"), "{said}");
    let listed = json(&affectograph(&["list", "--json"], tmp.path()));
    let first = &listed["sessions"][0];
    assert_eq!(first["condition"]["opens"], "recovered", "{listed}");
    let shown = json(&affectograph(&["show", first["folder"].as_str().unwrap(), "--json"], tmp.path()));
    assert!(shown["frames_stored"].as_u64().unwrap() > 5, "{shown}");
    assert_eq!(
        json(&affectograph(&["verify", first["folder"].as_str().unwrap(), "--json"], tmp.path()))["is_intact"],
        true
    );
}

#[test]
fn bad_input_gets_a_sentence_and_changes_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    let typo = tmp.path().join("study.toml");
    std::fs::write(&typo, "name = \"x\"\ntitle = \"X\"\n[page]\nadress = \"p\"\n").unwrap();
    let not_video = tmp.path().join("notes.mp4");
    std::fs::write(&not_video, "these are notes").unwrap();
    let foreign = tmp.path().join("foreign");
    std::fs::create_dir(&foreign).unwrap();
    std::fs::write(foreign.join("session.sqlite"), "not a database, but somebody's").unwrap();
    let (typo, not_video, foreign) =
        (typo.display().to_string(), not_video.display().to_string(), foreign.display().to_string());
    let record = |more: &[&str]| {
        [&["record", "--participant", "sub-01"], more].concat().iter().map(|s| s.to_string()).collect::<Vec<_>>()
    };
    let cases = [
        (record(&["--camera", "97"]), "97"),
        (record(&["--camera", &not_video]), "is not a video"),
        (record(&["--camera", "phantom", "--study", &typo]), "line 4, column 1"),
        (record(&["--camera", "phantom", "--study", "nowhere"]), "nowhere"),
        (vec!["show".into(), foreign.clone()], "is no session file of affectograph"),
        (vec!["verify".into(), foreign.clone()], "is no session file of affectograph"),
        (vec!["show".into(), tmp.path().join("missing").display().to_string()], "missing"),
    ];
    let sessions = tmp.path().join("sessions");
    for (arguments, expected) in cases {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let output = affectograph(&arguments, &sessions);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{arguments:?} succeeded");
        assert!(said.contains(expected), "{arguments:?} said: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    let kept = std::fs::read_to_string(Path::new(&foreign).join("session.sqlite")).unwrap();
    assert_eq!(kept, "not a database, but somebody's");
    let listed = json(&affectograph(&["list", "--json"], &sessions));
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 0, "a failed start leaves no session behind");
}
