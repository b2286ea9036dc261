//! A marker of Lab Streaming Layer starts and stops a recording, and no marker between is lost.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use affectograph::desktop::port::{BackendEvent, CheckState, RecordingRequest};
use affectograph::session::{CheckId, HEALTH, LslTimes};
use affectograph::store::{SessionFile, verify};
use serde_json::{Value, json};

use super::backend_window::BackendWindow;
use super::lsl::{Peer, config, tools};
use super::program;
use super::vision_support::models;

const STUDY: &str = "name = \"lab\"\ntitle = \"Lab\"\n[camera]\nwidth_px = 320\nheight_px = 240\nrate_hz = 15.0\n\
    [[sources]]\nkind = \"lsl\"\nname = \"marks\"\nstart_marker = \"begin\"\nstop_marker = \"end\"\n";

/// Markers for some seconds, many while the recording is being started.
fn sender(python: &Path, lsl: &Path) -> Peer {
    let plan = json!({"name": "marks", "count": 400, "every_s": 0.02});
    let mut sender = Peer::script(python, "lsl_marks.py", Some(&plan), lsl);
    assert_eq!(sender.line(), "ready");
    sender
}

fn send(sender: &mut Peer) {
    writeln!(sender.input.as_mut().unwrap(), "go").unwrap();
}

/// Each marker from `begin` to `end` is there once, in its order and at its time, and both are commands with the sender's time.
fn is_whole(folder: &Path, sent: &Value) {
    assert!(verify(folder).unwrap().is_intact);
    let timeline = SessionFile::open(folder).unwrap().timeline().unwrap();
    let sent: Vec<(&str, f64)> =
        sent.as_array().unwrap().iter().map(|row| (row[0].as_str().unwrap(), row[1].as_f64().unwrap())).collect();
    let expected: Vec<(&str, f64)> = sent.into_iter().skip_while(|(text, _)| *text != "begin").collect();
    let mut stored: Vec<_> = timeline.events().iter().filter(|e| e.stream.as_str() == "lsl_marks").collect();
    stored
        .sort_by(|a, b| a.what.data["stamp_s"].as_f64().unwrap().total_cmp(&b.what.data["stamp_s"].as_f64().unwrap()));
    let found: Vec<(&str, f64)> = stored
        .iter()
        .map(|e| (e.what.data["text"].as_str().unwrap(), e.what.data["stamp_s"].as_f64().unwrap()))
        .collect();
    assert_eq!(found.len(), expected.len());
    assert_eq!(found, expected);
    // Their distances are those of their stamps, whichever inlet brought them.
    let (first, last) = (stored[0], stored[stored.len() - 1]);
    let apart_s = expected[expected.len() - 1].1 - expected[0].1;
    assert!((last.at.seconds_since(first.at) - apart_s).abs() < 0.001);
    assert_eq!(LslTimes::of(&timeline).segments("lsl_marks").len(), 1);

    let commands: Vec<_> =
        timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH && e.what.kind == "remote_command").collect();
    let told: Vec<(&str, &str, f64)> = commands
        .iter()
        .map(|e| {
            let text = |key: &str| e.what.data[key].as_str().unwrap();
            (text("command"), text("from"), e.what.data["stamp_s"].as_f64().unwrap())
        })
        .collect();
    let (begin, end) = (expected[0].1, expected[expected.len() - 1].1);
    assert_eq!(told, [("start", "marker `begin` of name=marks", begin), ("stop", "marker `end` of name=marks", end)]);
}

#[test]
fn a_marker_starts_and_stops_the_window_and_none_is_lost() {
    let (Some(python), Some(_)) = (tools(), models()) else { return };
    let tmp = tempfile::tempdir().unwrap();
    let lsl = config(tmp.path());
    // SAFETY: no other thread runs yet that reads or writes the environment.
    unsafe { std::env::set_var("LSLAPICFG", &lsl) };
    let mut sender = sender(&python, &lsl);
    let mut window = BackendWindow::set_up(tmp.path(), STUDY);
    window.wait_for_source(0, CheckState::Ok, "marks (Markers)");
    send(&mut sender);
    window.wait("the question", |_, event| matches!(event, BackendEvent::RemoteStart).then_some(()));
    let overridden_checks = vec![CheckId::FaceLight];
    let request = RecordingRequest { overridden_checks, consent_text: None, given_consent: None };
    window.backend.start_recording(request);
    let folder = window.finished();
    window.backend.close();
    is_whole(&folder, &sender.json());
}

#[test]
fn a_marker_starts_and_stops_record_and_none_is_lost() {
    let (Some(python), Some(_)) = (tools(), models()) else { return };
    let tmp = tempfile::tempdir().unwrap();
    let lsl = config(tmp.path());
    let study = tmp.path().join("study.toml");
    std::fs::write(&study, STUDY).unwrap();
    let mut sender = sender(&python, &lsl);
    let arguments = ["record", "--study", study.to_str().unwrap(), "--participant", "sub-01", "--camera", "phantom"];
    let arguments = [&arguments[..], &["--json", "--remote-control", "localhost:0"]].concat();
    let mut command = program::command(&arguments, tmp.path());
    command.env("LSLAPICFG", &lsl).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().map(|mut child| (child.stderr.take().unwrap(), child));
    let (errors, child) = child.unwrap();
    let mut lines = BufReader::new(errors).lines().map(Result::unwrap);
    lines.find(|line| line.contains("In name=marks, the marker `begin` is awaited")).unwrap();
    send(&mut sender);
    let rest = std::thread::spawn(move || lines.collect::<Vec<_>>());
    let output = child.wait_with_output().unwrap();
    let said = rest.join().unwrap();
    assert!(output.status.success(), "{said:?}");
    assert!(said.iter().any(|line| line.contains("The marker `end` of name=marks stops the recording")), "{said:?}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    is_whole(&PathBuf::from(told["session"].as_str().unwrap()), &sender.json());
}
