//! Another program's events on the session's clock.

use std::path::Path;
use std::process::Output;

use affectograph::session::Timeline;
use affectograph::store::{SessionFile, verify};
use serde_json::{Value, json};

use super::{affectograph, export, record_study, succeeded};
use crate::python::{ask, python};

pub(super) fn import(file: &Path, session: &Path, more: &[&str], root: &Path) -> Output {
    let arguments = ["import", file.to_str().unwrap(), "--session", session.to_str().unwrap()];
    affectograph(&[&arguments[..], more].concat(), root)
}

fn timeline(folder: &Path) -> Timeline {
    SessionFile::open(folder).unwrap().timeline().unwrap()
}

pub(super) fn imported(folder: &Path, stream: &str) -> Vec<(f64, String, Value)> {
    let timeline = timeline(folder);
    let ours = timeline.events().iter().filter(|e| e.stream.as_str() == stream);
    ours.map(|e| (e.at.as_secs_f64(), e.what.kind.clone(), Value::Object(e.what.data.clone()))).collect()
}

#[test]
fn offset_and_drift_are_fitted_from_shared_markers() {
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    let untouched = std::fs::read(folders[1].join("session.sqlite")).unwrap();
    // A clock that began 1000 s earlier and runs 100 ppm fast; it saw the same clicks, with a jitter of 2 ms.
    let other = |session_s: f64| (session_s + 1000.0) * (1.0 + 1e-4);
    let mut table = "onset\tduration\ttrial_type\tstrength\n".to_owned();
    for k in 0..20 {
        let jitter = if k % 2 == 0 { 0.002 } else { -0.002 };
        table += &format!("{}\t0\tclick\tn/a\n", other(f64::from(k) + 0.5) + jitter);
    }
    table += &format!("{}\t1.5\tsmile\t0.8\n", other(12.0));
    let file = tmp.path().join("Smiles by hand.tsv");
    std::fs::write(&file, &table).unwrap();
    let output = succeeded(import(&file, &folders[0], &["--json", "--author", "ab"], tmp.path()));
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&said["stream"], &said["events"]), (&json!("import_smiles_by_hand"), &json!(21)));
    assert_eq!(said["clock"]["fit"]["markers"], 20);
    assert!((said["clock"]["fit"]["drift"].as_f64().unwrap() + 1e-4).abs() < 5e-5, "{said}");
    let events = imported(&folders[0], "import_smiles_by_hand");
    let (at, _, data) = events.iter().find(|(_, kind, _)| kind == "smile").unwrap();
    assert!((at - 12.0).abs() < 0.001, "{at}");
    assert_eq!(data["strength"], "0.8");
    assert!((data["until_ns"].as_f64().unwrap() * 1e-9 - 13.5).abs() < 0.002);
    assert_eq!(data["imported_s"].as_f64(), Some(other(12.0)));
    assert!(verify(&folders[0]).unwrap().is_intact);

    // The same file again, a file that shares nothing, and one that shares by name alone.
    let said = |output: Output| {
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let again = said(import(&file, &folders[0], &[], tmp.path()));
    assert!(again.contains("already") && again.contains("--name"), "{again}");
    std::fs::write(&file, "onset,trial_type\n1,blink\n").unwrap();
    let alone = said(import(&file, &folders[1], &[], tmp.path()));
    assert!(alone.contains("share no marker") && alone.contains("blink"), "{alone}");
    let clicks: String = (0..20).map(|k| format!("{},click\n", k * k)).collect();
    std::fs::write(&file, format!("onset,trial_type\n{clicks}")).unwrap();
    let nonsense = said(import(&file, &folders[1], &[], tmp.path()));
    assert!(nonsense.contains("not the same events"), "{nonsense}");
    let left = std::fs::read(folders[1].join("session.sqlite")).unwrap();
    assert!(left == untouched, "a refused import writes nothing");
    // Who knows the offset needs no marker.
    std::fs::write(&file, "time_ms;what\n-500,5;blink\n").unwrap();
    let more = ["--offset", "3", "--kind", "what", "--name", "by offset"];
    succeeded(import(&file, &folders[1], &more, tmp.path()));
    let [(at, kind, _)] = &imported(&folders[1], "import_by_offset")[..] else { panic!("one event") };
    assert!((at - 2.4995).abs() < 1e-9 && kind == "blink", "{at} {kind}");
}

#[test]
fn a_shared_marker_that_lies_elsewhere_moves_no_event() {
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    let file = tmp.path().join("clicks.csv");
    let table = |wild: &[u32], step_s: f64| {
        let at = |k: u32| {
            f64::from(k) + 100.5 + if wild.contains(&k) { 0.3 } else { 0.0 } + if k < 10 { 0.0 } else { step_s }
        };
        let clicks: String = (0..20).map(|k| format!("{},click\n", at(k))).collect();
        std::fs::write(&file, format!("onset,trial_type\n{clicks}112.25,smile\n")).unwrap();
    };
    table(&[4, 17], 0.0);
    let said = succeeded(import(&file, &folders[0], &["--name", "wild"], tmp.path()));
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    assert!(said.contains("fitted from 18 shared markers") && said.contains("2 shared marker(s) left out"), "{said}");
    let events = imported(&folders[0], "import_wild");
    let (at, ..) = events.iter().find(|(_, kind, _)| kind == "smile").unwrap();
    assert!((at - 12.25).abs() < 1e-6, "{at}");
    // Where a clock was changed in between no line holds for all, however small the change.
    table(&[], 0.15);
    let refused = import(&file, &folders[0], &["--name", "step"], tmp.path());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        refused.status.code() == Some(1) && said.contains("changed by 0.150 s between 109.500 s and 110.650 s"),
        "{said}"
    );
}

#[test]
fn xdf_events_arrive_where_pyxdf_sees_them() {
    let Some(python) = python(&["pyxdf"]) else { return };
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    // An own export has one clock already.
    let to = tmp.path().join("xdf");
    succeeded(export(&[folders[0].to_str().unwrap()], "xdf", &to, tmp.path()));
    let own = to.join("sub-01_ses-01_task-demo.xdf");
    succeeded(import(&own, &folders[2], &["--offset", "0", "--name", "again"], tmp.path()));
    let events = imported(&folders[2], "import_again");
    let clicks: Vec<f64> = events.iter().filter(|(_, kind, _)| kind == "click").map(|(at, ..)| *at).collect();
    assert_eq!(clicks.len(), 20);
    assert!(clicks.iter().enumerate().all(|(k, at)| (at - k as f64 - 0.5).abs() < 1e-9), "{clicks:?}");

    // A foreign one, whose streams run on two clocks.
    let foreign = tmp.path().join("foreign.xdf");
    let seen = ask(&python, "foreign_xdf.py", &json!(foreign));
    succeeded(import(&foreign, &folders[2], &["--offset", "0"], tmp.path()));
    let events = imported(&folders[2], "import_foreign");
    let expected: Vec<(f64, &str)> =
        seen.as_array().unwrap().iter().map(|e| (e[0].as_f64().unwrap(), e[1].as_str().unwrap())).collect();
    assert_eq!(events.len(), expected.len());
    for ((at, kind, _), (expected_at, expected_kind)) in events.iter().zip(expected) {
        assert_eq!(kind, expected_kind);
        assert!((at - expected_at).abs() < 1e-6, "{kind} at {at}, pyxdf says {expected_at}");
    }
}
