//! The time of a study query over 200 hours, compared with a NumPy and pandas script on the same files.
//!
//! AFFECTOGRAPH_BENCH_SESSIONS is the number of sessions (default 200). AFFECTOGRAPH_BENCH_LANDMARKS=1 also stores
//! landmarks, as a session with a camera does (four times the disk space). AFFECTOGRAPH_BENCH_FOLDER is the folder of the
//! sessions (default target/bench_sessions). Existing sessions are used again.

#![allow(clippy::print_stdout, reason = "a bench prints its results")]
#![expect(clippy::unwrap_used, reason = "it uses helpers of tests")]
#![allow(clippy::disallowed_methods)] // a bench may use unbounded channels

#[allow(dead_code)]
#[path = "../tests/it/simulated.rs"]
mod simulated;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use affectograph::analysis::{EpochPlan, EventChoice, SignalId, average, epochs};
use affectograph::session::{
    AFFECT, Body, Clock, FACE, Gap, LANDMARKS, PAGE, ParticipantId, SessionNumber, Study, Timestamp, landmarks_stream,
};
use affectograph::store::{NotStored, Recorder, SessionEnd, SessionFile, SessionHeader, StoredStudy};
use affectograph::study_query::{Cancel, Question, ask};
use crossbeam_channel::unbounded;
use rusqlite::Connection;
use serde_json::{Value, json};

const RATE_HZ: f64 = 30.0;
const HOUR_S: f64 = 3600.0;
const STUDY: &str = "name = \"faces\"\ntitle = \"Faces\"\n[page]\naddress = \"page\"\n";
const EVENT: &str = "page/click target=button#a";

fn main() {
    let sessions: u32 = std::env::var("AFFECTOGRAPH_BENCH_SESSIONS").map_or(200, |n| n.parse().expect("a number"));
    let has_landmarks = std::env::var_os("AFFECTOGRAPH_BENCH_LANDMARKS").is_some_and(|v| v == "1");
    let root = std::env::var_os("AFFECTOGRAPH_BENCH_FOLDER").map_or("target/bench_sessions".into(), PathBuf::from);
    let folders = lay(&root, sessions, has_landmarks);
    let bytes: u64 = folders.iter().map(|f| f.join("session.sqlite").metadata().map_or(0, |m| m.len())).sum();
    let samples = u64::from(sessions) * (HOUR_S * RATE_HZ) as u64;
    println!(
        "{sessions} sessions of an hour at {RATE_HZ} Hz: {samples} samples a stream, {:.2} GB",
        bytes as f64 * 1e-9
    );

    let question = Question { conditions: vec![choice()], plan: EpochPlan::default() };
    reset_peak_memory();
    let (start, cpu_before_s) = (Instant::now(), cpu_s());
    let answer = ask(&folders, &question, |_| {}, &Cancel::default()).expect("sessions created above");
    let averages = [SignalId::valence(), SignalId::arousal()]
        .map(|s| average(&answer.condition(0), &question.plan, &s).expect("events created above"));
    let (ours, ours_cpu_s) = (start.elapsed(), cpu_s() - cpu_before_s);
    let a = &averages[0];
    println!(
        "affectograph: {:.2} s ({ours_cpu_s:.2} s of processor), peak memory {:.0} MB ({} of {} epochs kept, {} participants, both measures)",
        ours.as_secs_f64(),
        peak_memory_mb(),
        a.epochs,
        a.matched,
        a.participants
    );
    whole_sessions(&folders, &question);
    beside_numpy(&root, ours, ours_cpu_s, &averages.map(|a| a.mean));
}

fn choice() -> EventChoice {
    EVENT.parse().expect("EVENT is a choice")
}

/// The time of reading one whole session, for comparison.
fn whole_sessions(folders: &[PathBuf], question: &Question) {
    let some = &folders[..folders.len().min(4)];
    let start = Instant::now();
    for folder in some {
        let file = SessionFile::open(folder).expect("created above");
        let (timeline, h) = (file.timeline().expect("created above"), file.header());
        let cut = epochs(&timeline, &h.participant, h.session, &choice(), &question.plan).expect("a plan");
        assert!(!cut.epochs.is_empty());
    }
    let each = start.elapsed().as_secs_f64() / some.len() as f64;
    println!("for comparison: one whole session into a timeline takes {each:.2} s and two threads");
}

fn beside_numpy(root: &Path, ours: Duration, ours_cpu_s: f64, means: &[Vec<f64>; 2]) {
    let python = std::env::var_os("AFFECTOGRAPH_TEST_PYTHON").unwrap_or("build/test-venv/bin/python".into());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/analysis.py");
    let output = match Command::new(&python).arg(script).arg(root).output() {
        Ok(output) if output.status.success() => output,
        Ok(output) => return println!("NumPy and pandas: not run: {}", String::from_utf8_lossy(&output.stderr)),
        Err(e) => return println!("NumPy and pandas: not run ({e}); ./test installs them"),
    };
    let theirs: Value = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
    let number = |name: &str| theirs[name].as_f64().expect("a number");
    println!(
        "NumPy and pandas, {} processes: {:.2} s ({:.2} s of processor), {} epochs kept: ratio {:.3}, of processor {:.3}",
        theirs["processes"],
        number("seconds"),
        number("processor_s"),
        theirs["kept"],
        ours.as_secs_f64() / number("seconds"),
        ours_cpu_s / number("processor_s"),
    );
    for (name, mean) in ["valence", "arousal"].into_iter().zip(means) {
        let other = theirs[name].as_array().expect("a list").iter().map(|v| v.as_f64().expect("a number"));
        let worst = mean.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        println!("  the averages of {name} differ by at most {worst:.1e}");
        assert!(worst < 1e-5, "both did the same");
    }
}

/// Records one hour with the program's recorder, and copies it for the other participants.
fn lay(root: &Path, sessions: u32, has_landmarks: bool) -> Vec<PathBuf> {
    let folder = |n: u32| root.join(ParticipantId::numbered(n).as_str()).join("ses-01_20261123T100000Z_faces");
    let folders: Vec<PathBuf> = (1..=sessions).map(folder).collect();
    if folders.iter().all(|f| f.join("session.sqlite").is_file()) {
        return folders;
    }
    let start = Instant::now();
    std::fs::create_dir_all(root).expect("room on the disk");
    let template = tempfile::tempdir_in(root.parent().unwrap_or(Path::new("."))).expect("a folder");
    record_an_hour(template.path(), has_landmarks);
    for (n, folder) in (1..).zip(&folders) {
        std::fs::create_dir_all(folder).expect("room on the disk");
        let file = folder.join("session.sqlite");
        std::fs::copy(template.path().join("session.sqlite"), &file).expect("room on the disk");
        let conn = Connection::open(&file).expect("copied above");
        let participant = ParticipantId::numbered(n);
        conn.execute("UPDATE session SET participant = ?1", [participant.as_str()]).expect("a session");
    }
    println!("created in {:.0} s", start.elapsed().as_secs_f64());
    folders
}

fn record_an_hour(folder: &Path, has_landmarks: bool) {
    let mut streams = simulated::streams(RATE_HZ);
    streams.extend(has_landmarks.then(|| landmarks_stream(RATE_HZ, "simulated 1")));
    let recorder = Recorder::create(folder, header(), streams, unbounded().0).expect("a new folder");
    let script = simulated::Script { events: 20, rate_hz: RATE_HZ, effect: 0.1, seed: 1 };
    let records = simulated::records(&script, 1);
    let span_s = records.last().map_or(0.0, |r| r.at.as_secs_f64()) + 5.0;
    let (mut seqs, mut last) = ([0u64; 4], Timestamp::ZERO);
    // The simulated minutes are repeated for an hour. The participant acts in the first repetition only, and moves the
    // pointer in all of them.
    for round in 0..(HOUR_S / span_s) as u64 + 1 {
        let shift_ns = (round as f64 * span_s * 1e9) as i64;
        for r in &records {
            let at = Timestamp::from_ns(r.at.as_ns() + shift_ns);
            if at.as_secs_f64() >= HOUR_S {
                break;
            }
            last = last.max(at);
            let number = [AFFECT, FACE, PAGE].iter().position(|n| *n == r.stream.as_str()).expect("one of three");
            let to = recorder.stream(r.stream.as_str()).expect("declared");
            match &r.body {
                Body::Sample { frame, values } => {
                    until_taken(|| to.put(seqs[number], at, Body::sample(*frame, values)));
                    if number == 1 && has_landmarks {
                        let to = recorder.stream(LANDMARKS).expect("declared");
                        let points: [f32; 136] = std::array::from_fn(|k| k as f32 + values[0]);
                        until_taken(|| to.put(seqs[3], at, Body::sample(*frame, &points)));
                        seqs[3] += 1;
                    }
                }
                Body::Gap(g) => {
                    let until = Timestamp::from_ns(g.until.as_ns() + shift_ns);
                    let gap = Gap { until, reason: g.reason, lost: g.lost, note: String::new() };
                    until_taken(|| to.put(seqs[number], at, Body::Gap(gap.clone())));
                }
                Body::Event { kind, data } => {
                    let (kind, data) = match round {
                        0 => (kind.as_str(), Value::Object(data.clone())),
                        _ => ("pointermove", json!({"target": "main", "x_px": 1.5, "y_px": 2.0, "buttons": 0})),
                    };
                    until_taken(|| to.put(seqs[number], at, Body::event(kind, data.clone())));
                }
            }
            seqs[number] += 1;
        }
    }
    recorder.finish(SessionEnd { at: last, quality: None }).expect("room on the disk");
}

fn header() -> SessionHeader {
    SessionHeader::plain(
        ParticipantId::numbered(1),
        SessionNumber(1),
        StoredStudy::new(&Study::parse(STUDY).expect("STUDY is a study"), STUDY),
        Clock::start().zero_utc(),
    )
}

fn until_taken(mut send: impl FnMut() -> Result<(), NotStored>) {
    while let Err(refused) = send() {
        assert!(matches!(refused, NotStored::QueueFull(_)), "{refused}");
        std::thread::sleep(Duration::from_micros(200));
    }
}

fn reset_peak_memory() {
    // Fails if the kernel has no such file. Then the peak is that of the whole program.
    if std::fs::write("/proc/self/clear_refs", "5").is_err() {
        println!("the peak of memory includes the creation of the sessions");
    }
}

/// The processor time of all threads. On a busy machine it is more useful than the elapsed time.
fn cpu_s() -> f64 {
    const TICKS_A_SECOND: f64 = 100.0; // USER_HZ, on every Linux there is
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / TICKS_A_SECOND
}

fn peak_memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kb = status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok());
    kb.map_or(f64::NAN, |kb| kb / 1024.0)
}
