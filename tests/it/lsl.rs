//! Lab Streaming Layer with the real program: instruments in, affect, events and frames out, on the loopback of this machine.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use affectograph::analysis::{EpochPlan, SignalId};
use affectograph::lsl::Network;
use affectograph::session::{
    AFFECT, EventData, EventRow, Field, GapReason, HEALTH, LSL_CLOCK, LslTimes, ParticipantId, SessionNumber, Timeline,
    Timestamp, lsl_clock_stream, lsl_stream,
};
use affectograph::store::{Library, Recorder, SessionEnd, SessionFile, SessionHeader, StoredStudy, verify};
use affectograph::study_query::{Question, session_epochs};
use serde_json::{Value, json};

use super::need::need;
use super::program;
use super::python::{ask, python};
use super::vision_support::models;

const STUDY: &str = "name = \"lab\"\ntitle = \"Lab\"\n[camera]\nwidth_px = 320\nheight_px = 240\nrate_hz = 15.0\n\
    [[phases]]\nname = \"task\"\nseconds = 600.0\n";
const RATE_HZ: f64 = 250.0;

/// Streams of this machine only.
pub fn config(folder: &Path) -> PathBuf {
    let path = folder.join("lsl.cfg");
    let text = "[multicast]\nResolveScope = machine\n[lab]\nKnownPeers = {127.0.0.1}\n[log]\nlevel = -2\n";
    std::fs::write(&path, text).unwrap();
    path
}

/// liblsl and a Python with pylsl.
pub fn tools() -> Option<PathBuf> {
    need("liblsl", Network::get())?;
    python(&["pylsl", "pyxdf"])
}

/// A program that talks over standard input and output.
pub struct Peer {
    child: Child,
    pub input: Option<ChildStdin>,
    lines: BufReader<ChildStdout>,
}

impl Peer {
    fn start(mut command: Command, lsl: &Path) -> Peer {
        let mut child = command.env("LSLAPICFG", lsl).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (input, lines) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Peer { child, input, lines }
    }

    pub fn script(python: &Path, name: &str, argument: Option<&Value>, lsl: &Path) -> Peer {
        let mut command = Command::new(python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python").join(name));
        command.args(argument.map(Value::to_string));
        Peer::start(command, lsl)
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    pub fn json(&mut self) -> Value {
        let line = self.line();
        serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"))
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn sender(python: &Path, seconds: f64, lsl: &Path) -> Peer {
    amplifier(python, seconds, true, lsl)
}

/// Sends when each of its streams has a receiver.
pub fn amplifier(python: &Path, seconds: f64, marks: bool, lsl: &Path) -> Peer {
    let plan = json!({"mode": "steady", "name": "amp", "source_id": "amp 1", "channels": 8, "rate_hz": RATE_HZ,
        "seconds": seconds, "marks": marks});
    let mut sender = Peer::script(python, "lsl_sender.py", Some(&plan), lsl);
    assert_eq!(sender.line(), "ready");
    sender
}

/// A library with the study `lab`.
fn library() -> tempfile::TempDir {
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("studies/lab");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("study.toml"), STUDY).unwrap();
    tmp
}

fn record(arguments: &[&str], sessions: &Path, lsl: &Path) -> Command {
    let fixed = ["record", "--study", "lab", "--participant", "sub-01", "--camera", "phantom", "--json"];
    let mut command = program::command(&[&fixed, arguments].concat(), sessions);
    command.env("LSLAPICFG", lsl);
    command
}

fn folder_of(output: &Output) -> PathBuf {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    PathBuf::from(told["session"].as_str().unwrap())
}

fn events<'a>(timeline: &'a Timeline, stream: &str) -> Vec<&'a EventRow<EventData>> {
    timeline.events().iter().filter(|e| e.stream.as_str() == stream).collect()
}

fn stamps(of: &Value) -> Vec<f64> {
    of["stamps"].as_array().unwrap().iter().map(|s| s.as_f64().unwrap()).collect()
}

#[test]
fn an_amplifier_and_markers_are_recorded_and_the_recording_is_offered() {
    let Some(python) = tools() else { return };
    if models().is_none() {
        return;
    }
    let tmp = library();
    let lsl = config(tmp.path());
    let mut amplifier = sender(&python, 8.0, &lsl);
    let mut receiver = Peer::script(&python, "lsl_receiver.py", None, &lsl);
    let names = json!(["affectograph_affect", "affectograph_events", "affectograph_frames"]);
    writeln!(receiver.input.as_mut().unwrap(), "{names}").unwrap();
    let arguments = ["--duration", "14s", "--lsl", "name=amp,source_id=amp 1", "--lsl", "type=Markers", "--lsl-out"];
    let output = record(&arguments, tmp.path(), &lsl).output().unwrap();
    let folder = folder_of(&output);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("source `lsl_amp` is recorded: amp (EEG), 8 channels of float32 at 250 Hz"), "{said}");
    let sent = amplifier.json();
    assert_eq!(receiver.line(), "ready");
    let offered = receiver.json();

    assert!(verify(&folder).unwrap().is_intact);
    let file = SessionFile::open(&folder).unwrap();
    let stored = file.timeline().unwrap();
    let amp = stored.series("lsl_amp").unwrap();
    assert_eq!(amp.len() as u64, sent["count"].as_u64().unwrap(), "no sample is lost");
    assert_eq!((amp.info.fields[7].name.as_str(), amp.info.fields[7].unit.as_str()), ("C8", "microvolts"));
    assert!(amp.column(0).iter().enumerate().all(|(k, v)| *v == k as f32));
    assert!(amp.column(7).iter().enumerate().all(|(k, v)| *v == k as f32 + 1.75));
    // The sender stays connected after its last sample. That is silence, and no sample is missing before it.
    let end = *amp.times().last().unwrap();
    let of_lsl = |stream: &str| stream.starts_with("lsl_");
    for gap in stored.gaps().iter().filter(|g| of_lsl(g.stream.as_str())) {
        assert!(gap.at >= end && gap.what.reason == GapReason::SourceSilent, "{gap:?}");
    }
    let marks = events(&stored, "lsl_amp_marks");
    let kinds: Vec<&str> = marks.iter().map(|e| e.what.kind.as_str()).collect();
    assert_eq!(kinds, (1..=sent["marks"].as_array().unwrap().len()).map(|k| format!("mark {k}")).collect::<Vec<_>>());
    assert!(marks.iter().zip(sent["marks"].as_array().unwrap()).all(|(e, stamp)| e.what.data["stamp_s"] == *stamp));

    // The clock was measured before the first sample, and the sender's XML is whole.
    let clock = events(&stored, LSL_CLOCK);
    let of_amp: Vec<_> = clock.iter().filter(|e| e.what.data["stream"] == "lsl_amp").collect();
    let kinds: Vec<&str> = of_amp.iter().map(|e| e.what.kind.as_str()).take(3).collect();
    assert_eq!(kinds, ["description", "segment", "measured"]);
    assert!(of_amp[0].what.data["xml"].as_str().unwrap().contains("<label>C8</label>"));
    assert!(of_amp.len() >= 5, "measured every few seconds: {}", of_amp.len());

    // Every stored frame was offered at its capture time, on the sender's clock, which is this machine's.
    let frames = file.frames().unwrap();
    let offered_frames = &offered["affectograph_frames"];
    let zero_s = {
        let numbers = offered_frames["rows"].as_array().unwrap();
        let first = numbers[0][0].as_u64().unwrap() as usize;
        stamps(offered_frames)[0] - frames.times()[first].as_secs_f64()
    };
    assert!(stamps(offered_frames).len() > 30);
    for (row, stamp) in offered_frames["rows"].as_array().unwrap().iter().zip(stamps(offered_frames)) {
        let at = frames.times()[row[0].as_u64().unwrap() as usize];
        assert!((stamp - zero_s - at.as_secs_f64()).abs() < 2e-6, "frame {row}");
    }
    let affect = stored.series(AFFECT).unwrap();
    let offered_affect = &offered["affectograph_affect"];
    assert_eq!(offered_affect["labels"][0], "valence");
    for (row, stamp) in offered_affect["rows"].as_array().unwrap().iter().zip(stamps(offered_affect)) {
        let k = affect.row_at(Timestamp::from_secs_f64(stamp - zero_s + 1e-5)).unwrap();
        assert!((affect.times()[k].as_secs_f64() - (stamp - zero_s)).abs() < 2e-6);
        assert_eq!(row[0].as_f64().unwrap() as f32, affect.column(0)[k]);
    }
    assert!(stamps(offered_affect).len() > 10);

    // Times are within 1 ms of the sender's truth.
    let timed = stored.clone().with_lsl_times();
    let first_s = sent["first"].as_f64().unwrap() - zero_s;
    let worst_s = |times: &[Timestamp]| {
        let wrong = |(k, at): (usize, &Timestamp)| (at.as_secs_f64() - (first_s + k as f64 / RATE_HZ)).abs();
        times.iter().enumerate().map(wrong).fold(0.0, f64::max)
    };
    let worst = worst_s(timed.series("lsl_amp").unwrap().times());
    assert!(worst < 1e-3, "{worst} s");

    check_exports(&python, tmp.path(), &timed);
}

/// pyxdf applies the stored clock offsets itself.
fn check_exports(python: &Path, sessions: &Path, timed: &Timeline) {
    let export = |format: &str| {
        let to = sessions.join(format);
        let done = program::run(
            &["export", "--study", "lab", "--format", format, "--to", &to.display().to_string()],
            sessions,
        );
        assert!(done.status.success(), "{format}: {}", String::from_utf8_lossy(&done.stderr));
        to
    };
    let read = ask(python, "read_xdf.py", &json!(export("xdf").join("sub-01_ses-01_task-lab.xdf")));
    for (stream, times) in [
        ("lsl_amp", timed.series("lsl_amp").unwrap().times().to_vec()),
        ("lsl_amp_marks", events(timed, "lsl_amp_marks").iter().map(|e| e.at).collect()),
    ] {
        let got = &read["streams"][stream];
        assert!(got["clock_offsets"].as_u64().unwrap() >= 3, "{stream}");
        let got = got["times"].as_array().unwrap();
        assert_eq!(got.len(), times.len(), "{stream}");
        for (got, at) in got.iter().zip(&times) {
            assert!((got.as_f64().unwrap() - at.as_secs_f64()).abs() < 1e-3, "{stream}: {got} for {at:?}");
        }
    }
    let tidy = std::fs::read_to_string(export("tidy").join("long.csv")).unwrap();
    assert!(tidy.lines().any(|line| line.contains("lsl_amp") && line.contains("C8")));
    let csv = export("csv");
    assert!(
        walk(&csv).iter().any(|f| f.file_name().unwrap().to_string_lossy().contains("lsl_amp")),
        "{:?}",
        walk(&csv)
    );
    let bids = export("bids");
    assert!(walk(&bids).iter().any(|f| f.to_string_lossy().contains("recording-lslAmp")), "{:?}", walk(&bids));
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn a_sender_that_is_killed_leaves_a_gap_and_comes_back_into_the_same_stream() {
    let Some(python) = tools() else { return };
    if models().is_none() {
        return;
    }
    let tmp = library();
    let lsl = config(tmp.path());
    let mut amplifier = sender(&python, 600.0, &lsl);
    let recording = record(&["--duration", "40s", "--lsl", "amp", "--lsl", "type=Markers"], tmp.path(), &lsl)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(14));
    amplifier.child.kill().unwrap();
    std::thread::sleep(Duration::from_secs(3));
    let _again = sender(&python, 600.0, &lsl);
    let output = recording.wait_with_output().unwrap();
    let folder = folder_of(&output);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("source `lsl_amp` was lost") && said.contains("source `lsl_amp` sends again"), "{said}");

    let stored = SessionFile::open(&folder).unwrap().timeline().unwrap();
    let gaps: Vec<_> = stored.gaps().iter().filter(|g| g.stream.as_str() == "lsl_amp").collect();
    assert_eq!(gaps.len(), 1, "{gaps:?}");
    assert_eq!(gaps[0].what.reason, GapReason::SourceLost);
    assert!(gaps[0].what.until.seconds_since(gaps[0].at) > 2.0, "{gaps:?}");
    let amp = stored.series("lsl_amp").unwrap();
    assert!(amp.rows(gaps[0].at + Duration::from_millis(1), gaps[0].what.until).is_empty(), "the gap is a gap");
    let kinds: Vec<&str> = events(&stored, HEALTH).iter().map(|e| e.what.kind.as_str()).collect();
    assert!(kinds.contains(&"source_lost") && kinds.contains(&"source_back"), "{kinds:?}");
    let times = LslTimes::of(&stored);
    let segments = times.segments("lsl_amp");
    assert_eq!(segments.len(), 2);
    let second = segments[1].first_sample as usize;
    assert_eq!((amp.column(0)[second - 1], amp.column(0)[second]), ((second - 1) as f32, 0.0));
    assert!(amp.len() > second + 100);
}

#[test]
fn without_a_required_source_no_recording_starts() {
    let Some(_) = need("liblsl", Network::get()) else { return };
    if models().is_none() {
        return;
    }
    let tmp = library();
    let lsl = config(tmp.path());
    let started = Instant::now();
    let refused = record(&["--duration", "2s", "--lsl", "nowhere"], tmp.path(), &lsl).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(
        said.contains("`name=nowhere` was not found on the network") && started.elapsed() < Duration::from_secs(60)
    );
    assert!(!walk(tmp.path()).iter().any(|f| f.ends_with("session.sqlite")), "nothing is left");

    // A source that is not required is stated as missing, and everything else is recorded.
    let study = format!("{STUDY}[[sources]]\nkind = \"lsl\"\nname = \"nowhere\"\nrequired = false\n");
    std::fs::write(tmp.path().join("studies/lab/study.toml"), study).unwrap();
    let folder = folder_of(&record(&["--duration", "2s"], tmp.path(), &lsl).output().unwrap());
    let stored = SessionFile::open(&folder).unwrap().timeline().unwrap();
    let missing = events(&stored, HEALTH).into_iter().find(|e| e.what.kind == "source_missing").unwrap();
    assert_eq!(missing.what.data["source"], "name=nowhere");
}

#[test]
fn without_liblsl_the_program_says_what_is_missing_and_records_everything_else() {
    let tmp = library();
    let list = |library: &str| {
        program::command(&["lsl", "--json", "--duration", "500ms"], tmp.path())
            .env("AFFECTOGRAPH_LIBLSL", library)
            .env("LSLAPICFG", config(tmp.path()))
            .output()
            .unwrap()
    };
    let refused = list("/nowhere/liblsl.so");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(refused.status.code() == Some(1) && said.contains("AFFECTOGRAPH_LIBLSL is /nowhere/liblsl.so"), "{said}");
    if models().is_some() {
        let lsl = config(tmp.path());
        let recorded =
            record(&["--duration", "1s"], tmp.path(), &lsl).env("AFFECTOGRAPH_LIBLSL", "/nowhere").output().unwrap();
        assert!(folder_of(&recorded).is_dir(), "a recording without sources does not load liblsl");
        std::fs::remove_dir_all(folder_of(&recorded)).unwrap();
        let offering = record(&["--duration", "1s", "--lsl-out"], tmp.path(), &lsl)
            .env("AFFECTOGRAPH_LIBLSL", "/nowhere")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&offering.stderr);
        assert!(offering.status.code() == Some(1) && said.contains("AFFECTOGRAPH_LIBLSL is /nowhere"), "{said}");
        assert!(!walk(tmp.path()).iter().any(|f| f.ends_with("session.sqlite")), "no empty session is left");
    }
    if need("liblsl", Network::get()).is_some() {
        let listed: Value = serde_json::from_slice(&list("").stdout).unwrap();
        assert!(listed["streams"].is_array() && listed["library"]["info"].as_str().unwrap().len() > 3, "{listed}");
    }
}

/// Markers and a slider of a computer whose clock is 200 ppm slow, for 1,000 s. The slider's valence is its stamp in 1,000 s.
fn session_of_a_slow_clock(root: &Path) -> PathBuf {
    let library = Library::open(root).unwrap();
    let (participant, started) = (ParticipantId::numbered(1), chrono::Utc::now());
    let folder = library.create_session(&participant, SessionNumber(1), "lab", started).unwrap();
    let header = SessionHeader::plain(
        participant,
        SessionNumber(1),
        StoredStudy { name: "lab".into(), title: "Lab".into(), toml: STUDY.into() },
        started,
    );
    let fields = ["valence", "arousal"].map(|name| Field::new(name, "1", "")).to_vec();
    let of_lsl = |name: &str, fields| lsl_stream(name.parse().unwrap(), "test".into(), fields, None, "test".into());
    let streams = vec![of_lsl("lsl_marks", Vec::new()), of_lsl("lsl_slider", fields), lsl_clock_stream()];
    let recorder = Recorder::create(&folder, header, streams, crossbeam_channel::unbounded().0).unwrap();
    let [marks, slider, clock] = ["lsl_marks", "lsl_slider", LSL_CLOCK].map(|name| recorder.stream(name).unwrap());
    for stream in ["lsl_marks", "lsl_slider"] {
        let data = json!({"stream": stream, "first_sample": 0, "base_ns": 0, "is_senders_clock": true});
        clock.event(Timestamp::ZERO, "segment", data).unwrap();
        for s in (0..=1000i64).step_by(5) {
            let data = json!({"stream": stream, "remote_ns": s * 1_000_000_000, "offset_ns": s * 200_000,
                "uncertainty_ns": 1000});
            clock.event(Timestamp::from_secs_f64(s as f64), "measured", data).unwrap();
        }
    }
    for k in 0..10_000u32 {
        let stamp_s = f64::from(k) / 10.0;
        slider.sample(Timestamp::from_secs_f64(stamp_s), None, &[(stamp_s / 1000.0) as f32, 0.0]).unwrap();
    }
    marks.event(Timestamp::from_secs_f64(100.0), "other", json!({})).unwrap();
    marks.event(Timestamp::from_secs_f64(900.0), "go", json!({})).unwrap();
    recorder.finish(SessionEnd { at: Timestamp::from_secs_f64(1001.0), quality: None }).unwrap();
    folder
}

#[test]
fn averages_around_events_of_another_computer_have_the_session_times_of_the_exports() {
    let tmp = tempfile::tempdir().unwrap();
    let folder = session_of_a_slow_clock(tmp.path());
    let signals = SignalId::of_affect(&"lsl_slider".parse().unwrap()).to_vec();
    let plan = EpochPlan { signals, ..EpochPlan::default() };
    let question = Question { conditions: vec!["lsl_marks/go".parse().unwrap()], plan };
    let answer = session_epochs(&folder, &question).unwrap();
    let [epoch] = &answer.conditions[0].epochs[..] else { panic!("{:?}", answer.conditions[0]) };
    let wrong_ns = epoch.onset.since_ns(Timestamp::from_secs_f64(900.18));
    assert!(wrong_ns.abs() < 1000, "900 s at 200 ppm: {wrong_ns} ns");
    let exported = SessionFile::open(&folder).unwrap().timeline().unwrap().with_lsl_times();
    let of_marks: Vec<_> = events(&exported, "lsl_marks").iter().map(|e| e.at).collect();
    assert_eq!(of_marks[1], epoch.onset);
    // The window is from -1 s to 4 s at 30 Hz.
    assert!((epoch.traces[0].raw[30] - 0.9).abs() < 2e-5, "{}", epoch.traces[0].raw[30]);
}
