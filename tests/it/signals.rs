//! Averages of the signals of other instruments: the same as MNE-Python's, and what the command line makes of them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use affectograph::analysis::{DropReason, EpochPlan, SignalId, average};
use affectograph::session::{
    Body, Field, LSL_CLOCK, ParticipantId, SessionNumber, Timestamp, lsl_clock_stream, lsl_stream, marker_stream,
};
use affectograph::store::{Library, NotStored, Recorder, SessionEnd, SessionHeader, StoredStudy};
use affectograph::study_query::{Cancel, Question, StudyQueryError, ask};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::program;
use super::python::{ask as ask_python, python};

const STUDY: &str = "name = \"eda\"\ntitle = \"EDA\"\n";
const RATE_HZ: i64 = 250;
const SECONDS: i64 = 100;
/// The sender's clock is behind the session's. The stored times are the sender's.
const OFFSET_NS: i64 = 200_000_000;

/// Skin conductance at 250 Hz, and the samples at which markers were set.
struct Simulated {
    values: Vec<f32>,
    onsets: Vec<usize>,
}

/// A tonic level that falls, noise, and a response 2 s after each marker.
fn simulate(seed: u64) -> Simulated {
    let random = &mut StdRng::seed_from_u64(seed);
    let onsets: Vec<usize> = (0..9).map(|k| 2000 + 2500 * k + random.random_range(0..250)).collect();
    let response = |samples: usize| {
        let share = (samples as f32 / RATE_HZ as f32 - 2.0) / 1.2;
        if share <= 0.0 { 0.0 } else { 0.3 * share * (1.0 - share).exp() }
    };
    let value = |k: usize| {
        let responses: f32 = onsets.iter().filter(|onset| **onset <= k).map(|onset| response(k - onset)).sum();
        6.0 - 1e-5 * k as f32 + responses + 0.001 * random.random_range(-1.0f32..1.0)
    };
    let values = (0..(RATE_HZ * SECONDS) as usize).map(value).collect();
    Simulated { values, onsets }
}

fn until_taken(mut send: impl FnMut() -> Result<(), NotStored>) {
    while let Err(refused) = send() {
        assert!(matches!(refused, NotStored::QueueFull(_)), "{refused}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

/// A session with markers, and with `lsl_eda` if there are values.
fn lay(library: &Library, participant: u32, simulated: &Simulated, with_eda: bool) -> PathBuf {
    let (participant, started) = (ParticipantId::numbered(participant), chrono::Utc::now());
    let folder = library.create_session(&participant, SessionNumber(1), "eda", started).unwrap();
    let study = StoredStudy { name: "eda".into(), title: "EDA".into(), toml: STUDY.into() };
    let header = SessionHeader::plain(participant, SessionNumber(1), study, started);
    let fields = vec![Field::new("EDA", "uS", "skin conductance"), Field::new("battery", "1", "")];
    let eda = lsl_stream("lsl_eda".parse().unwrap(), "test".into(), fields, Some(RATE_HZ as f64), "test".into());
    let mut streams = vec![marker_stream(), lsl_clock_stream()];
    streams.extend(with_eda.then_some(eda));
    let recorder = Recorder::create(&folder, header, streams, crossbeam_channel::unbounded().0).unwrap();
    let marker = recorder.stream("marker").unwrap();
    let time_ns = |sample: usize| sample as i64 * (1_000_000_000 / RATE_HZ);
    for onset in &simulated.onsets {
        let at = Timestamp::from_ns(time_ns(*onset) + OFFSET_NS);
        marker.event(at, "marker", json!({"label": "sound"})).unwrap();
    }
    if with_eda {
        let [eda, clock] = ["lsl_eda", LSL_CLOCK].map(|name| recorder.stream(name).unwrap());
        let segment = json!({"stream": "lsl_eda", "first_sample": 0, "base_ns": 0, "is_senders_clock": true});
        clock.event(Timestamp::ZERO, "segment", segment).unwrap();
        let measured = json!({"stream": "lsl_eda", "remote_ns": 0, "offset_ns": OFFSET_NS, "uncertainty_ns": 1000});
        clock.event(Timestamp::ZERO, "measured", measured).unwrap();
        for (k, value) in simulated.values.iter().enumerate() {
            let body = Body::sample(None, &[*value, 1.0]);
            until_taken(|| eda.put(k as u64, Timestamp::from_ns(time_ns(k)), body.clone()));
        }
    }
    recorder.finish(SessionEnd { at: Timestamp::from_secs_f64(SECONDS as f64 + 1.0), quality: None }).unwrap();
    folder
}

fn eda() -> SignalId {
    "lsl_eda.EDA".parse().unwrap()
}

fn question(plan: EpochPlan) -> Question {
    Question { conditions: vec!["marker value=sound".parse().unwrap()], plan }
}

#[test]
fn skin_conductance_around_events_averages_to_the_same_as_with_mne() {
    let Some(python) = python(&["mne"]) else { return };
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    let participants: Vec<Simulated> = (1..=3).map(simulate).collect();
    let folders: Vec<PathBuf> = (1..).zip(&participants).map(|(n, p)| lay(&library, n, p, true)).collect();
    let plan = EpochPlan { signals: vec![eda()], rate_hz: RATE_HZ as f64, ..EpochPlan::default() };
    let described: Vec<Value> = participants.iter().map(|p| json!({"values": p.values, "onsets": p.onsets})).collect();
    let asked = json!({
        "rate_hz": RATE_HZ, "window_s": plan.window_s, "baseline_s": plan.baseline_s, "participants": described,
    });
    let theirs = ask_python(&python, "signal_average.py", &asked);
    println!("beside MNE-Python {}", theirs["version"]);

    let answer = ask(&folders, &question(plan.clone()), |_| {}, &Cancel::default()).unwrap();
    let ours = average(&answer.condition(0), &plan, &eda()).unwrap();
    assert_eq!((ours.measure.name.as_str(), ours.measure.unit.as_str()), ("lsl_eda.EDA", "uS"));
    assert_eq!((ours.epochs, ours.matched), (27, 27), "{:?}", ours.dropped);
    assert_eq!(theirs["kept"], json!([9, 9, 9]));
    let close = |ours: &[f64], theirs: &Value| {
        let theirs: Vec<f64> = theirs.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        assert_eq!(ours.len(), theirs.len());
        ours.iter().zip(&theirs).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    };
    assert!(close(&ours.times_s, &theirs["times"]) < 1e-9);
    for (mean, theirs) in ours.per_participant.values().zip(theirs["averages"].as_array().unwrap()) {
        let worst = close(mean, theirs);
        assert!(worst < 1e-6, "differ by {worst} µS");
        assert!(mean.iter().copied().fold(0.0, f64::max) > 0.2, "there is a response");
    }
}

#[test]
fn a_session_without_the_stream_is_named_and_a_signal_that_no_session_has_lists_those_that_are() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    let folders = [lay(&library, 1, &simulate(1), true), lay(&library, 2, &simulate(2), false)];
    let plan = |signal: &str| EpochPlan { signals: vec![signal.parse().unwrap()], ..EpochPlan::default() };
    let answer = ask(&folders, &question(plan("lsl_eda.EDA")), |_| {}, &Cancel::default()).unwrap();
    assert_eq!(answer.condition(0)[0].epochs.len(), 9);
    assert_eq!(answer.condition(0)[1].dropped[&DropReason::StreamMissing], 9);
    let refused = ask(&folders, &question(plan("lsl_eda.eda")), |_| {}, &Cancel::default()).unwrap_err();
    assert!(matches!(refused, StudyQueryError::NoSignal { .. }));
    let said = refused.to_string();
    assert!(
        said.contains("no session has the signal `lsl_eda.eda`") && said.contains("lsl_eda (EDA, battery)"),
        "{said}"
    );
}

fn epochs(arguments: &[&str], sessions: &Path) -> (String, String) {
    let fixed = ["epochs", "--study", "eda", "--event", "marker value=sound"];
    let done = program::run(&[&fixed, arguments].concat(), sessions);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&done.stdout), text(&done.stderr))
}

#[test]
fn the_command_averages_a_chosen_signal_and_writes_its_name_unit_and_response() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    for n in 1..=3 {
        lay(&library, n, &simulate(u64::from(n)), n < 3);
    }
    let out = tmp.path().join("out");
    let to = out.display().to_string();
    let (said, failed) =
        epochs(&["--signal", "lsl_eda.EDA", "--window", "-1..8", "--permutations", "200", "--to", &to], tmp.path());
    assert!(said.contains("3 session(s), corrected values of lsl_eda.EDA (uS)"), "{said}{failed}");
    assert!(said.contains("18 of 27 events kept, of 2 participant(s); stream or field missing 9"), "{said}");
    assert!(said.contains("lsl_eda.EDA peak +0."), "{said}");
    assert!(said.contains("The signal lsl_eda.EDA is missing in: sub-03 ses-01."), "{said}");

    let mut table = csv::Reader::from_path(out.join("epochs.csv")).unwrap();
    let head = table.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 18);
    let cell =
        |row: &csv::StringRecord, name: &str| row[head.iter().position(|column| column == name).unwrap()].to_owned();
    for row in &rows {
        let [measure, signal, unit] = ["measure", "signal", "measure_unit"].map(|name| cell(row, name));
        assert_eq!([measure.as_str(), &signal, &unit], ["lsl_eda.EDA", "lsl_eda.EDA", "uS"]);
        let [amplitude, latency_s] = ["scr_amplitude", "scr_latency_s"].map(|n| cell(row, n).parse::<f64>().unwrap());
        assert!((amplitude - 0.3).abs() < 0.02 && (latency_s - 2.0).abs() < 0.2, "{amplitude} µS after {latency_s} s");
    }
    for name in ["average.csv", "participants.csv", "clusters.csv"] {
        let text = std::fs::read_to_string(out.join(name)).unwrap();
        assert!(text.lines().next().unwrap().ends_with("signal,measure_unit"), "{name}");
    }
    let figure = std::fs::read_to_string(out.join("average.svg")).unwrap();
    assert!(figure.contains("lsl_eda.EDA, change (uS)"));
    let findings: Value = serde_json::from_slice(&std::fs::read(out.join("findings.json")).unwrap()).unwrap();
    let found = &findings["findings"]["conditions"][0]["averages"][0];
    assert_eq!((&found["signal"], &found["measure_unit"]), (&json!("lsl_eda.EDA"), &json!("uS")));
    assert_eq!(findings["question"]["plan"]["signals"], json!(["lsl_eda.EDA"]));

    let (_, refused) = epochs(&[], tmp.path());
    assert!(
        refused.contains("no session has the signal `affect.valence`. sub-01 ses-01 has: lsl_eda (EDA"),
        "{refused}"
    );
    let (_, refused) = epochs(&["--signal", "EDA"], tmp.path());
    assert!(refused.contains("`EDA` is no signal: write STREAM.FIELD"), "{refused}");
}

#[test]
fn the_delay_between_two_signals_of_a_session_is_printed() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    let folder = lay(&library, 1, &simulate(1), true).display().to_string();
    let lag =
        |with: &str| program::run(&["lag", &folder, "--signal", "lsl_eda.EDA", "--with", with, "--json"], tmp.path());
    let of_itself: Value = serde_json::from_slice(&lag("lsl_eda.EDA").stdout).unwrap();
    assert_eq!((of_itself["lag_s"].as_f64(), of_itself["signal"].as_str()), (Some(0.0), Some("lsl_eda.EDA")));
    assert!((of_itself["correlation"].as_f64().unwrap() - 1.0).abs() < 1e-9, "{of_itself}");
    for (with, says) in
        [("lsl_eda.battery", "pairs of values that vary"), ("pulse.rate_bpm", "has no signal `pulse.rate_bpm`")]
    {
        let refused = lag(with);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains(says), "{said}");
    }
}

#[test]
fn a_report_names_the_signals_and_leaves_out_the_rules_of_the_face() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    (1..=2).for_each(|n| drop(lay(&library, n, &simulate(u64::from(n)), true)));
    let to = tmp.path().join("report");
    let export = ["export", "--study", "eda", "--format", "report", "--event", "marker value=sound"];
    let signal = ["--signal", "lsl_eda.EDA", "--permutations", "100", "--to", &to.display().to_string()];
    let done = program::run(&[&export[..], &signal].concat(), tmp.path());
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let page = std::fs::read_to_string(to.join("report.html")).unwrap();
    for says in ["Signals around events", "Mean course of lsl_eda.EDA (uS)", "each epoch (lsl_eda.EDA (uS))"] {
        assert!(page.contains(says), "{says}");
    }
    assert!(!page.contains("the head was turned by more than"), "skin conductance has no face");
}
