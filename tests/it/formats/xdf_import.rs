//! Events of XDF files, compared with what pyxdf makes of the same files and with when they truly happened.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use affectograph::import::{EventFile, ImportError, TableOptions, read_events};
use serde_json::{Value, json};

use super::import::{import as import_file, imported};
use super::record_study;
use crate::python::{ask, python};

/// What pyxdf gets wrong, and where the events are here.
const PYXDF_IS_WRONG: [&str; 8] = [
    // One offset of fourteen seconds moves all events by 0.13 s: its fit ends before it has settled.
    "one wild offset in five minutes",
    "a wild last offset",
    // It takes the wild offset's own time for a restart, and half of the events for the time after it.
    "one wild offset as LabRecorder writes it",
    // It sees no change of less than 5 s, and lays one line through both clocks.
    "set forward by 0.8 s in an hour",
    "set forward by 3 s in an hour",
    // Where two clocks show the same times it gives all events to the later one.
    "set back by 50 s in an hour",
    "restarted again and again",
    // It spreads irregular events evenly.
    "a rate that is only promised",
];
const SAME_S: f64 = 1e-3;

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/xdf")
}

fn read(path: &Path) -> Result<EventFile, ImportError> {
    read_events(path, &TableOptions::default())
}

type Events = BTreeMap<String, f64>;

fn ours(path: &Path) -> Result<Events, ImportError> {
    Ok(read(path)?.events.into_iter().map(|e| (e.kind, e.at_s)).collect())
}

/// `[[seconds, kind], …]`; a number that is whole has no fraction here.
fn theirs(events: &Value) -> Option<Events> {
    let kind = |kind: &str| kind.strip_suffix(".0").unwrap_or(kind).to_owned();
    let rows = events.as_array()?.iter();
    Some(rows.map(|e| (kind(e[1].as_str().unwrap()), e[0].as_f64().unwrap())).collect())
}

/// How far the farthest event is from where it should be; they have the same names.
fn farthest_s(found: &Events, expected: &Events) -> f64 {
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    found.iter().map(|(kind, at_s)| (at_s - expected[kind]).abs()).fold(0.0, f64::max)
}

#[test]
fn times_are_pyxdfs_where_it_is_right_and_the_true_ones_where_it_is_not() {
    let Some(python) = python(&["pyxdf"]) else { return };
    let tmp = tempfile::tempdir().unwrap();
    let seen = ask(&python, "xdf_clocks.py", &json!({ "folder": tmp.path(), "cases": cases() }));
    let mut wrong = Vec::new();
    for (name, case) in seen.as_object().unwrap() {
        let own = if name.contains(".xdf") { cases().join(name) } else { tmp.path().join(format!("{name}.xdf")) };
        if name == "unresolvable" {
            let refused = ours(&own).unwrap_err().to_string();
            println!("{name}: refused, pyxdf says {}", case["pyxdf"]);
            assert!(
                refused.contains("the times of its events cannot be determined")
                    && refused.contains("`Stim`: 1 event(s)"),
                "{refused}"
            );
            continue;
        }
        let found = ours(&own).unwrap_or_else(|e| panic!("{name}: {e}"));
        let (truth, pyxdf) = (theirs(&case["truth"]), theirs(&case["pyxdf"]));
        let from_truth_s = truth.as_ref().map(|truth| farthest_s(&found, truth));
        // What it reads beside the events (an outlet's last sample) is not compared.
        let from_pyxdf_s = pyxdf.as_ref().map(|pyxdf| farthest_s(&found, pyxdf));
        let ms = |s: Option<f64>| s.map_or("unknown".to_owned(), |s| format!("{:.3} ms", 1e3 * s));
        println!(
            "{name}: {} events, {} from the truth, {} from pyxdf",
            found.len(),
            ms(from_truth_s),
            ms(from_pyxdf_s)
        );
        assert!(from_truth_s.is_none_or(|s| s < SAME_S), "{name}: {from_truth_s:?} s from the truth");
        match from_pyxdf_s {
            Some(s) if s < SAME_S => {}
            _ => wrong.push(name.as_str()),
        }
    }
    let mut expected = PYXDF_IS_WRONG;
    expected.sort_unstable();
    assert_eq!(wrong, expected, "where pyxdf is more than 1 ms away");
}

#[test]
fn what_was_damaged_or_decided_is_said() {
    let read = |name: &str| read(&cases().join(name)).unwrap();
    let says = |file: &EventFile, part: &str| assert!(file.notes.iter().any(|n| n.contains(part)), "{:?}", file.notes);
    let rubbish = read("rubbish_in_middle.xdf");
    assert_eq!((rubbish.events.len(), rubbish.damaged_places), (4, 1));
    says(&rubbish, "37 bytes at byte 341 are not a chunk");
    let cut = read("cut_tail.xdf");
    assert_eq!((cut.events.len(), cut.damaged_places), (2, 1));
    says(&cut, "cut off within its last chunk");
    let reset = read("clock_reset.xdf");
    says(&reset, "`Stim`: its clock was changed 1 time(s)");
    let times: Vec<f64> = reset.events.iter().map(|e| e.at_s).collect();
    assert!(
        times.iter().zip([1.5, 11.0, 21.5, 30.0]).all(|(found, expected)| (found - expected).abs() < 1e-9),
        "{times:?}"
    );
    let entities = read("entities.xdf");
    assert_eq!(entities.events[0].data["source_stream"], "Eye & Mouth <L>");
    // What stands in a sample is no XML.
    assert_eq!(entities.events[0].kind, "A &amp; B");
    let kinds: Vec<_> = read("float_markers.xdf").events.into_iter().map(|e| e.kind).collect();
    assert_eq!(kinds, ["1", "2"]);
}

#[test]
fn what_is_asked_of_tables_is_refused_and_not_left_aside() {
    let path = cases().join("float_markers.xdf");
    assert!(read(&path).is_ok());
    let asked = TableOptions { kind: Some("code".into()), ..TableOptions::default() };
    let said = read_events(&path, &asked).unwrap_err().to_string();
    assert!(said.contains("is an XDF file") && said.contains("leave out --time, --kind"), "{said}");
}

#[test]
fn the_program_says_what_it_passed_over_and_ends_with_3() {
    let tmp = tempfile::tempdir().unwrap();
    let folder = &record_study(tmp.path())[0];
    let import = |name: &str, stream: &str| {
        let output =
            import_file(&cases().join(name), folder, &["--offset", "0", "--force", "--name", stream], tmp.path());
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            imported(folder, &format!("import_{stream}")),
        )
    };
    let (code, said, events) = import("rubbish_in_middle.xdf", "rubbish");
    assert_eq!((code, events.len()), (Some(3), 4), "{said}");
    assert!(
        said.contains("37 bytes at byte 341 are not a chunk") && said.contains("BUT the file is damaged"),
        "{said}"
    );
    let (code, said, events) = import("cut_tail.xdf", "cut");
    assert_eq!((code, events.len()), (Some(3), 2), "{said}");
    assert!(said.contains("2 event(s) of `Stim` were left out"), "{said}");
    let (code, said, events) = import("compressed.xdfz", "packed");
    let times: Vec<f64> = events.iter().map(|e| e.0).collect();
    assert_eq!((code, times), (Some(0), vec![100.75, 101.25, 101.75, 102.25]), "{said}");
    // By its name it is XDF, by its content not.
    let zip = tmp.path().join("recording.xdf");
    std::fs::write(&zip, b"PK\x03\x04 and so on").unwrap();
    let output = import_file(&zip, folder, &["--offset", "0"], tmp.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(1) && said.contains("ZIP archive"), "{said}");
}
