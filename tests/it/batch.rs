//! Work on files: sessions from video files, and rescoring, with the real program and real recordings.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use affectograph::analysis::{EpochPlan, SignalId, average, epochs, signal};
use affectograph::session::{
    ACTION, AFFECT, AFFECT_LATER, BLINK, Body, EYES, Frame, FrameMeta, GapReason, ParticipantId, Record, SessionNumber,
    Timeline, Timestamp, imported_stream,
};
use affectograph::store::{AddedStreams, Recorder, SessionEnd, SessionFile};
use affectograph::stored_frames::FrameReader;
use affectograph::vision::VISION_STREAMS;
use crossbeam_channel::unbounded;
use serde_json::{Value, json};

use super::need::{need_program, need_shared};
use super::vision_support::models;
use crate::program::{command, run};

/// A recording of `../shared`. `None`: it, FFmpeg or the networks are missing, and the reason is printed.
pub fn film(name: &str) -> Option<PathBuf> {
    models()?;
    need_program("ffmpeg")?;
    need_shared(&format!("media/{name}"))
}

/// The JSON lines of a successful command.
fn lines(arguments: &[&str], sessions: &Path) -> Vec<Value> {
    let output = run(arguments, sessions);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

pub fn analyze(film: &Path, sessions: &Path) -> Value {
    let film = film.display().to_string();
    lines(&["analyze", &film, "--participant", "sub-01", "--json"], sessions).remove(0)
}

pub fn folder_of(told: &Value) -> PathBuf {
    PathBuf::from(told["session"].as_str().unwrap())
}

fn timeline(folder: &Path) -> Timeline {
    SessionFile::open(folder).unwrap().timeline().unwrap()
}

fn sessions_in(root: &Path) -> usize {
    lines(&["list", "--json"], root)[0]["sessions"].as_array().unwrap().len()
}

#[test]
fn a_film_becomes_a_session_once() {
    let Some(film) = film("single_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let told = analyze(&film, tmp.path());
    assert_eq!((told["frames"].as_u64(), told["with_face"].as_u64()), (Some(72), Some(72)), "{told}");
    assert_eq!((told["grade"].as_str(), told["trouble"].is_null()), (Some("A"), true));
    let folder = folder_of(&told);
    let session = SessionFile::open(&folder).unwrap();
    let timeline = session.timeline().unwrap();
    let affect = timeline.series(AFFECT).unwrap();
    assert_eq!((affect.len(), affect.times()[0]), (72, Timestamp::ZERO), "the clock is the film's own");
    assert_eq!(session.frames().unwrap().len(), 72);
    assert_eq!(session.frames().unwrap().times(), affect.times());
    assert!(session.summary().unwrap().end > *affect.times().last().unwrap());
    assert!(timeline.gaps().is_empty());
    assert_eq!(lines(&["verify", &folder.display().to_string(), "--json"], tmp.path())[0]["is_intact"], true);

    let again = analyze(&film, tmp.path());
    assert_eq!((again["is_new"].as_bool(), folder_of(&again)), (Some(false), folder));
    // A changed file is another video, also with the same name.
    let copy = tmp.path().join("sub-02_ses-03_film.mp4");
    std::fs::copy(&film, &copy).unwrap();
    let copied = copy.display().to_string();
    let own = lines(&["analyze", &copied, "--json"], tmp.path()).remove(0);
    assert_eq!((own["participant"].as_str(), own["number"].as_u64()), (Some("sub-02"), Some(3)), "the name says whose");
    std::fs::OpenOptions::new().append(true).open(&copy).unwrap().set_len(film.metadata().unwrap().len() + 1).unwrap();
    let refused = run(&["analyze", &copied], tmp.path());
    let said = String::from_utf8_lossy(&refused.stdout).into_owned();
    assert!(said.contains("FAILED") && said.contains("already has a session"), "{said}");
    assert_eq!(sessions_in(tmp.path()), 2);
}

#[test]
fn the_smile_of_a_film_gives_a_rising_average() {
    let Some(film) = film("single_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let folder = folder_of(&analyze(&film, tmp.path()));
    // Annotated by a person who watched the video.
    let mut added = AddedStreams::open(&folder).unwrap();
    let coded = imported_stream("coding");
    added.add_stream(&coded, "coder").unwrap();
    let smile = Body::event("smile", json!({"source": "coding.csv"}));
    added.append(coded.name.as_str(), vec![(Timestamp::from_secs_f64(0.6), smile)]).unwrap();
    added.close().unwrap();

    let timeline = timeline(&folder);
    let event = timeline.events().iter().find(|e| e.what.kind == "smile").unwrap();
    let choice = affectograph::analysis::EventChoice::like(event);
    let plan = EpochPlan { window_s: (-0.5, 1.5), baseline_s: Some((-0.5, -0.1)), ..EpochPlan::default() };
    let (who, number) = (ParticipantId::numbered(1), SessionNumber(1));
    let cut = epochs(&timeline, &who, number, &choice, &plan).unwrap();
    assert_eq!((cut.epochs.len(), cut.dropped.len()), (1, 0), "{:?}", cut.dropped);
    let valence = average(&[cut], &plan, &SignalId::valence()).unwrap();
    let mean = |from: f64, until: f64| {
        let points = valence.times_s.iter().zip(&valence.mean).filter(|(t, _)| (from..until).contains(*t));
        let (sum, n) = points.fold((0.0, 0), |(sum, n), (_, v)| (sum + v, n + 1));
        sum / f64::from(n)
    };
    assert!(mean(-0.5, -0.1).abs() < 0.05, "before: {}", mean(-0.5, -0.1));
    assert!(mean(0.3, 1.4) > 0.25, "after: {}", mean(0.3, 1.4));
}

#[test]
fn an_analysis_that_was_killed_goes_on() {
    let Some(film) = film("single_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let (long, root) = (tmp.path().join("sub-04_long.mp4"), tmp.path().join("sessions"));
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-stream_loop", "7", "-i"])
        .arg(&film)
        .args(["-an", "-c", "copy"])
        .arg(&long)
        .status()
        .unwrap();
    assert!(made.success());
    let (film, long) = (film.display().to_string(), long.display().to_string());
    let arguments = ["analyze", "--threads", "1", "--json", &long];
    let mut killed = command(&arguments, &root).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let drafts = || {
        let inside = std::fs::read_dir(root.join("sub-04")).into_iter().flatten().flatten();
        inside.map(|e| e.path()).filter(|p| p.to_string_lossy().contains(".draft_")).collect::<Vec<_>>()
    };
    let start = Instant::now();
    let is_under_way = || {
        let log = drafts().first().map(|draft| draft.join("session/session.sqlite-wal"));
        log.and_then(|v| v.metadata().ok()).is_some_and(|m| m.len() > 200_000)
    };
    while !is_under_way() {
        assert!(start.elapsed() < Duration::from_secs(60) && killed.try_wait().unwrap().is_none(), "it was not seen");
        std::thread::sleep(Duration::from_millis(5));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(drafts()[0].join("session/film.mp4").exists(), "the film was linked before the first frame");
    assert_eq!((drafts().len(), sessions_in(&root)), (1, 0), "half a session is none");

    // One of the files was analyzed before. The other one is started again.
    let arguments = ["analyze", "--participant", "sub-04", "--json", &film, &long];
    let told = lines(&arguments, &root);
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|t| t["is_new"] == true && t["grade"] == "A"), "{told:?}");
    assert!(drafts().is_empty());
    assert!(Path::new(&long).exists(), "removing half a session leaves the film");
    assert_eq!(told.iter().map(|t| t["frames"].as_u64().unwrap()).max(), Some(8 * 72));
    assert!(lines(&arguments, &root).iter().all(|t| t["is_new"] == false));
    assert_eq!(sessions_in(&root), 2);
}

#[test]
fn what_is_no_film_gets_a_sentence() {
    let Some(film) = film("no_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let (notes, cut, root) =
        (tmp.path().join("sub-01_notes.mp4"), tmp.path().join("sub-01_cut.mkv"), tmp.path().join("s"));
    std::fs::write(&notes, "these are notes").unwrap();
    let said = |arguments: &[&str]| {
        let output = run(arguments, &root);
        assert!(!output.status.success(), "{arguments:?} succeeded");
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(!said.contains("panicked"), "{said}");
        said
    };
    let plain = film.display().to_string();
    assert!(said(&["analyze", &plain]).contains("Give the participant (--participant sub-01)"));
    assert!(said(&["analyze", "sub-01_nowhere.mp4"]).contains("sub-01_nowhere.mp4"));
    assert!(said(&["analyze", &notes.display().to_string()]).contains("FAILED"));
    assert!(said(&["analyze", &plain, "--participant", "sub-01", "--model", "nothing"]).contains("nothing"));
    assert!(said(&["analyze", &plain, "--participant", "sub-01", "--study", "nowhere"]).contains("nowhere"));
    assert_eq!(sessions_in(&root), 0);
    assert!(!root.join("sub-01").exists(), "a refused film leaves a folder");
    // Half a video gives half a session, and this is reported.
    let mut whole = Vec::new();
    let made =
        Command::new("ffmpeg").args(["-v", "error", "-i", &plain, "-an", "-f", "matroska", "-"]).output().unwrap();
    whole.extend(made.stdout);
    whole.truncate(whole.len() / 2);
    std::fs::write(&cut, whole).unwrap();
    let output = run(&["analyze", &cut.display().to_string(), "--json"], &root);
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!((5..90).contains(&told["frames"].as_u64().unwrap()), "{told}");
    let timeline = timeline(&folder_of(&told));
    assert_eq!(timeline.series(AFFECT).unwrap().len(), 0, "nobody is in it");
    assert!(timeline.gaps().iter().any(|g| g.what.reason == GapReason::NoFace));
}

/// The frames of a session with the live scores of every third frame, as from a busy live worker. Without the streams `lacks`.
fn with_skipped(whole: &SessionFile, folder: &Path, lacks: &[&str]) {
    let timeline = whole.timeline().unwrap();
    let mut streams = whole.streams().to_vec();
    streams.retain(|stream| !lacks.contains(&stream.name.as_str()));
    let mut recorder = Recorder::create(folder, whole.header().clone(), streams, unbounded().0).unwrap();
    let camera = &whole.header().camera;
    let video = recorder.video(camera.width_px, camera.height_px).unwrap().sender();
    let mut last = None;
    let mut frames = FrameReader::open(whole).unwrap();
    for row in whole.frames().unwrap().rows() {
        video.send(std::sync::Arc::new(frames.frame_of(whole, row).unwrap())).unwrap();
        if row.meta.number % 3 != 0 {
            continue;
        }
        if let Some(last) = last.replace(row.meta.at) {
            recorder.stream(AFFECT).unwrap().gap(last, row.meta.at, GapReason::Skipped, 2, "").unwrap();
        }
        for stream in VISION_STREAMS.into_iter().filter(|stream| !lacks.contains(stream)) {
            let series = timeline.series(stream).unwrap();
            let at = series.frames().iter().position(|f| *f == Some(row.meta.number)).unwrap();
            let values: Vec<f32> = (0..series.info.fields.len()).map(|field| series.column(field)[at]).collect();
            recorder.stream(stream).unwrap().sample(row.meta.at, Some(row.meta.number), &values).unwrap();
        }
    }
    recorder.finish(SessionEnd { at: whole.summary().unwrap().end, quality: None }).unwrap();
}

fn records(folder: &Path, is_wanted: impl Fn(&Record) -> bool) -> Vec<Record> {
    let mut records = Vec::new();
    SessionFile::open(folder)
        .unwrap()
        .each_record(|r| {
            if is_wanted(&r) {
                records.push(r)
            }
        })
        .unwrap();
    records
}

/// Text, because a value that is not a number equals nothing.
fn texts(records: &[Record]) -> Vec<String> {
    records.iter().map(|record| format!("{record:?}")).collect()
}

#[test]
fn skipped_frames_are_scored_later_and_the_raw_data_stays() {
    let Some(film) = film("single_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let whole = SessionFile::open(&folder_of(&analyze(&film, tmp.path()))).unwrap();
    let [one, two, old] = ["one", "two", "old"].map(|name| tmp.path().join(name));
    [&one, &two].into_iter().for_each(|folder| with_skipped(&whole, folder, &[]));
    let raw = records(&one, |_| true);
    let (first, second) = (one.display().to_string(), two.display().to_string());

    let told = lines(&["rescore", &first, "--skipped", "--threads", "1", "--json"], tmp.path()).remove(0);
    assert_eq!(
        told["rescored"],
        json!({"stream": AFFECT_LATER, "frames": 48, "with_face": 48, "frames_failed": 0, "failures": []})
    );
    assert_eq!((told["frames_scored"].as_u64(), told["frames_skipped"].as_u64()), (Some(72), Some(0)));
    let is_raw = |r: &Record| !r.stream.as_str().ends_with("_later") && !r.stream.as_str().ends_with("_affect");
    assert!(texts(&records(&one, is_raw)) == texts(&raw), "the raw data changed");
    let merged = signal(&timeline(&one), AFFECT, "valence").unwrap();
    let as_it_was = signal(&whole.timeline().unwrap(), AFFECT, "valence").unwrap();
    assert_eq!(merged.at_ns, as_it_was.at_ns);
    // Scored again from the JPEG, with a new detection of the face: almost the same values.
    let off: Vec<f32> = merged.values.iter().zip(&as_it_was.values).map(|(a, b)| (a - b).abs()).collect();
    let mean = off.iter().sum::<f32>() / off.len() as f32;
    assert!(mean < 0.02 && off.iter().all(|d| *d < 0.15), "mean {mean}, {off:?}");
    // Nothing is left to score, and the result does not depend on the machine.
    let again = lines(&["rescore", &first, "--json"], tmp.path()).remove(0);
    assert_eq!((again["rescored"]["frames"].as_u64(), again["rescored"]["stream"].is_null()), (Some(0), true));
    lines(&["rescore", &second, "--threads", "3", "--json"], tmp.path());
    let scored = |folder: &Path| records(folder, |r| r.stream.as_str() == AFFECT_LATER);
    assert_eq!(scored(&one), scored(&two));
    assert_eq!(scored(&one).len(), 48);

    // A session of a program that had no facial actions gets what completes its own streams.
    with_skipped(&whole, &old, &[ACTION, EYES, BLINK]);
    lines(&["rescore", &old.display().to_string(), "--skipped", "--json"], tmp.path());
    let session = SessionFile::open(&old).unwrap();
    let added: Vec<&str> =
        session.streams().iter().map(|s| s.name.as_str()).filter(|name| name.ends_with("_later")).collect();
    assert_eq!(added, ["affect_later", "face_later", "landmarks_later"]);
    drop(session);

    // All frames with a named network, into new streams.
    let told = lines(&["rescore", &first, "--model", "affect", "--json"], tmp.path()).remove(0);
    assert_eq!(
        (told["rescored"]["stream"].as_str(), told["rescored"]["frames"].as_u64()),
        (Some("affect_affect"), Some(72))
    );
    assert_eq!(told["frames_scored"].as_u64(), Some(72), "a second look counts once");
    assert!(texts(&records(&one, is_raw)) == texts(&raw), "the raw data changed");
    let session = SessionFile::open(&one).unwrap();
    assert_eq!(session.additions().len(), 2 * (VISION_STREAMS.len() + 1));
    assert!(session.streams().iter().any(|s| s.name.as_str() == "landmarks_affect" && s.software.contains("sha256")));
    drop(session);
    let twice = run(&["rescore", &first, "--model", "affect"], tmp.path());
    assert!(String::from_utf8_lossy(&twice.stderr).contains("`affect_affect`"));
    assert_eq!(lines(&["verify", &first, "--json"], tmp.path())[0]["is_intact"], true);
}

/// Damaged frames are named and stored as gaps. The others are scored.
#[test]
fn damaged_frames_are_not_scored() {
    let Some(film) = film("single_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let whole = SessionFile::open(&folder_of(&analyze(&film, tmp.path()))).unwrap();
    // A session with a video of its own, as from a recording.
    let folder = tmp.path().join("recorded");
    with_skipped(&whole, &folder, &[]);
    drop(whole);
    let rows = SessionFile::open(&folder).unwrap().frames().unwrap().rows().to_vec();
    let video = folder.join("video.mkv");
    let whole = std::fs::read(&video).unwrap();
    let mut bytes = whole.clone();
    for k in [7, 20, 21] {
        let at = (rows[k].offset + rows[k].length / 2) as usize;
        bytes[at..at + 200].iter_mut().for_each(|b| *b ^= 0xff);
    }
    std::fs::write(&video, bytes).unwrap();
    let path = folder.display().to_string();
    let output = run(&["rescore", &path, "--model", "affect", "--json"], tmp.path());
    assert_eq!(output.status.code(), Some(3), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(told["rescored"]["frames_failed"], 3);
    let failures = told["rescored"]["failures"].as_array().unwrap();
    for (failure, k) in failures.iter().zip([7, 20, 21]) {
        let sentence = format!("the picture of frame {k} ({})", rows[k].meta.at);
        assert!(failure.as_str().unwrap().contains(&sentence), "{failure}");
    }
    let scored = records(&folder, |r| r.stream.as_str() == "affect_affect");
    let gaps: Vec<_> =
        scored.iter().filter(|r| matches!(&r.body, Body::Gap(g) if g.reason == GapReason::Corrupt)).collect();
    assert_eq!(gaps.iter().map(|r| r.at).collect::<Vec<_>>(), [7, 20, 21].map(|k| rows[k].meta.at));
    let is_damaged = |r: &&Record| matches!(r.body, Body::Sample { frame: Some(7 | 20 | 21), .. });
    assert_eq!(scored.iter().filter(is_damaged).count(), 0);
    std::fs::remove_file(&video).unwrap();
    let gone = run(&["rescore", &path], tmp.path());
    let said = String::from_utf8_lossy(&gone.stderr).into_owned();
    assert!(!gone.status.success() && said.contains("video.mkv is missing"), "{said}");
}

#[test]
fn a_session_in_recording_is_not_rescored() {
    let Some(film) = film("single_face.mp4") else { return };
    let tmp = tempfile::tempdir().unwrap();
    let whole = SessionFile::open(&folder_of(&analyze(&film, tmp.path()))).unwrap();
    let folder = tmp.path().join("live");
    let recorder = Recorder::create(&folder, whole.header().clone(), whole.streams().to_vec(), unbounded().0).unwrap();
    let said = |arguments: &[&str]| {
        let output = run(arguments, tmp.path());
        assert!(!output.status.success());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let live = folder.display().to_string();
    assert!(said(&["rescore", &live]).contains("is being recorded at this moment"));
    recorder.finish(SessionEnd::default()).unwrap();
    assert!(said(&["rescore", &live]).contains("has no video to score"));
    // The network of the recording is not installed here.
    let other = tmp.path().join("other");
    let mut header = whole.header().clone();
    header.models[2].sha256 = "00".repeat(32);
    let mut recorder = Recorder::create(&other, header, whole.streams().to_vec(), unbounded().0).unwrap();
    let video = recorder.video(whole.header().camera.width_px, whole.header().camera.height_px).unwrap().sender();
    let at = Timestamp::ZERO;
    let first = FrameReader::open(&whole).unwrap().frame(&whole, 0).unwrap();
    let frame = Frame { meta: FrameMeta { at, ..first.meta }, ..first };
    video.send(std::sync::Arc::new(frame)).unwrap();
    recorder.finish(SessionEnd::default()).unwrap();
    assert!(said(&["rescore", &other.display().to_string()]).contains("no such network is installed"));
    assert_eq!(SessionFile::open(&other).unwrap().additions(), []);
}
