//! Tables that people have, as the command line takes and refuses them.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use affectograph::store::{SessionFile, verify};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::import::{import, imported};
use super::{affectograph, export, record_session, succeeded};

/// One session of 20 s that began at 10:00:00.123456789 UTC.
fn recorded() -> (tempfile::TempDir, PathBuf) {
    let tmp = tempfile::tempdir().unwrap();
    let library = affectograph::store::Library::open(tmp.path()).unwrap();
    let folder = record_session(&library, 1, 1);
    (tmp, folder)
}

struct Scene {
    tmp: tempfile::TempDir,
    folder: PathBuf,
}

impl Scene {
    fn new() -> Scene {
        let (tmp, folder) = recorded();
        Scene { tmp, folder }
    }

    fn run(&self, name: &str, content: &[u8], more: &[&str]) -> Output {
        let file = self.tmp.path().join(name);
        std::fs::write(&file, content).unwrap();
        import(&file, &self.folder, more, self.tmp.path())
    }

    /// What it printed as JSON, and the events' seconds, kinds and data.
    fn taken(&self, name: &str, content: &[u8], more: &[&str]) -> (Value, Vec<(f64, String, Value)>) {
        let stem = name.split('.').next().unwrap();
        let output = succeeded(self.run(name, content, &[more, &["--json"]].concat()));
        let said = serde_json::from_slice(&output.stdout).unwrap();
        (said, imported(&self.folder, &format!("import_{stem}")))
    }

    /// The sentence with which it was refused; the session's file is as it was.
    fn refused(&self, name: &str, content: &[u8], more: &[&str]) -> String {
        let stored = || std::fs::read(self.folder.join("session.sqlite")).unwrap();
        let before = stored();
        let output = self.run(name, content, more);
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(stored() == before, "{name}: a refused import changes nothing");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

fn notes(said: &Value) -> String {
    let notes: Vec<&str> = said["notes"].as_array().unwrap().iter().map(|n| n.as_str().unwrap()).collect();
    notes.join("; ")
}

const ZERO: [&str; 2] = ["--offset", "0"];

#[test]
fn tables_of_all_kinds_arrive_where_they_should() {
    let scene = Scene::new();
    let (_, events) = scene.taken(
        "header_semicolon.csv",
        b"onset,trial_type,\"reaction (ms; corrected)\"\n0.5,smile,312\n1.0,frown,455\n",
        &ZERO,
    );
    assert_eq!(events[1].2["reaction (ms; corrected)"], "455");
    let (said, events) =
        scene.taken("blank_rows.csv", b"onset;trial_type;x\n0,5;smile;1\n;;\n1,0;frown;2\n;;\n;;\n", &ZERO);
    assert_eq!((events[0].0, events[1].0, &said["rows_without_time"]), (0.5, 1.0, &json!(0)));
    let (said, events) = scene.taken(
        "na_onset.tsv",
        b"onset\tduration\ttrial_type\n0.5\t0.1\tsmile\nn/a\tn/a\tmissed\n1.0\t0.2\tfrown\n",
        &ZERO,
    );
    assert_eq!((events.len(), &said["rows_without_time"]), (2, &json!(1)));
    let (said, events) =
        scene.taken("duplicates.csv", b"onset,trial_type,key,key,until_ns\n0.5,trial,f,j,9\n1.0,trial,j,f,8\n", &ZERO);
    assert_eq!(
        (&events[0].2["key"], &events[0].2["key_2"], &events[0].2["until_ns_2"]),
        (&json!("f"), &json!("j"), &json!("9"))
    );
    assert!(notes(&said).contains("`key_2`") && events[0].2.get("until_ns").is_none(), "{said}");
    let clock = b"Begin Time - hh:mm:ss.ms\tEnd Time - hh:mm:ss.ms\tsmile\n00:00:00.500\t00:00:01.000\tx\n";
    let (_, events) = scene.taken("hhmmss.tsv", clock, &ZERO);
    assert_eq!((events[0].0, &events[0].2["until_ns"]), (0.5, &json!(1_000_000_000)));
    let psychopy = "\u{feff}trials.thisN,image,stim.started,participant,\n,,,7,\n0,a.png,0.52,7,\n1,b.png,1.24,7,\n";
    assert!(scene.refused("psychopy.csv", psychopy.as_bytes(), &ZERO).contains("could be times: stim.started"));
    let asked = [&ZERO[..], &["--time", "stim.started", "--kind", "image"]].concat();
    let (said, events) = scene.taken("psychopy.csv", psychopy.as_bytes(), &asked);
    assert_eq!((events[1].0, events[1].1.as_str(), &said["rows_without_time"]), (1.24, "b.png", &json!(1)));
    assert!(verify(&scene.folder).unwrap().is_intact);
}

#[test]
fn encodings_and_packed_tables_are_read_and_said() {
    let scene = Scene::new();
    let text = "onset\ttrial_type\r\n0,5\tlächeln\r\n";
    let utf16: Vec<u8> = format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (said, events) = scene.taken("excel.txt", &utf16, &ZERO);
    assert!(events[0].0 == 0.5 && events[0].1 == "lächeln" && notes(&said).contains("UTF-16LE"), "{said}");
    let (said, events) = scene.taken("latin.csv", b"onset,trial_type\n0.5,l\xe4cheln\n", &ZERO);
    assert!(events[0].1 == "lächeln" && notes(&said).contains("Windows-1252"), "{said}");
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(text.as_bytes()).unwrap();
    let packed = packer.finish().unwrap();
    assert_eq!(scene.taken("packed.csv.gz", &packed, &ZERO).1[0].1, "lächeln");
    assert!(scene.refused("cut.csv.gz", &packed[..packed.len() - 9], &ZERO).contains("cut off"));
    // What was decided stands in the session, too.
    let file = SessionFile::open(&scene.folder).unwrap();
    let stream = file.streams().iter().find(|s| s.name.as_str() == "import_latin").unwrap();
    assert!(stream.description.contains("Windows-1252"), "{}", stream.description);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_line_and_reason() {
    let scene = Scene::new();
    let refused = |content: &[u8], word: &str| {
        let said = scene.refused("bad.csv", content, &ZERO);
        assert!(said.contains(word), "{word}: {said}");
    };
    refused(b"onset,trial_type\r\n0.25,a\r\n0.5,b\r\nsoon,c\r\n", "line 4: `soon`");
    refused(b"onset,trial_type,text\n0.25,say,\"never closed\n0.5,look,plain\n0.75,end,last\n", "line 2 is not closed");
    refused(b"onset,trial_type\n0.5,a\0b\n", "line 2 contains a NUL");
    refused(b"onset,trial_type\n1e300,a\n", "centuries away");
    refused(b"onset,trial_type\n-1e18,a\n", "centuries away");
    refused(b"PK\x03\x04rest of a workbook", "Excel");
    refused(b"", "empty");
    refused(b"onset,trial_type\n", "holds no event");
}

#[test]
fn events_elsewhere_in_time_stop_the_import_and_the_unit_is_proposed() {
    let scene = Scene::new();
    let ms = b"onset,offset,code\n500,900,a\n1200,1500,b\n";
    let said = scene.refused("ms.csv", ms, &ZERO);
    assert!(said.contains("2 of 2 events would be outside") && said.contains("try --unit ms"), "{said}");
    let (_, events) = scene.taken("ms.csv", ms, &["--offset", "0", "--unit", "ms"]);
    assert!((events[1].0 - 1.2).abs() < 1e-9, "{events:?}");
    assert_eq!(events[1].2["until_ns"], 1_500_000_000);
    // Numbers that no session's clock can hold are another unit's, too.
    let said = scene.refused("ns.csv", b"onset,code\n500000000,a\n1200000000,b\n", &["--offset", "0", "--unit", "h"]);
    assert!(said.contains("try --unit ns"), "{said}");
    let said = scene.refused("far.csv", b"onset,code\n-500,a\n-501,b\n0.5,c\n", &ZERO);
    assert!(said.contains("2 of 3 events") && said.contains("--force"), "{said}");
    let (said, events) = scene.taken("far.csv", b"onset,code\n-500,a\n-501,b\n0.5,c\n", &["--offset", "0", "--force"]);
    assert_eq!((events.len(), &said["outside_the_recording"]), (3, &json!(2)));
    // With shared markers, too.
    let clicks: String = (0..20).map(|k| format!("{},click\n", f64::from(k) * 1000.0 + 7500.0)).collect();
    let said = scene.refused("clicks.csv", format!("onset,kind\n{clicks}").as_bytes(), &[]);
    assert!(said.contains("try --unit ms"), "{said}");
    let (said, events) = scene.taken("clicks.csv", format!("onset,kind\n{clicks}").as_bytes(), &["--unit", "ms"]);
    assert!((events[0].0 - 0.5).abs() < 1e-6 && said["clock"]["fit"]["markers"] == 20, "{said}");
}

#[test]
fn dates_and_unix_times_are_counted_from_the_sessions_zero() {
    let scene = Scene::new();
    for (name, content) in [
        ("utc.csv", "utc,kind\n2026-11-23T10:00:02.123456789Z,a\n"),
        ("offset.csv", "timestamp,kind\n2026-11-23 12:00:02.123456789+02:00,a\n"),
        ("unix_ms.csv", "time,kind\n1795428002123,a\n"),
        ("unix_s.csv", "time,kind\n1795428002.123457,a\n"),
    ] {
        let (said, events) = scene.taken(name, content.as_bytes(), &[]);
        assert!((events[0].0 - 2.0).abs() < 0.001, "{name}: {}", events[0].0);
        assert_eq!(said["clock"], json!({ "wall_clock": true }));
        assert!(events[0].2.get("imported_time").is_some());
    }
    let other_day = scene.refused("other.csv", b"utc,kind\n2026-11-22T10:00:02Z,a\n", &[]);
    assert!(other_day.contains("1 of 1 events would be outside"), "{other_day}");
    assert!(scene.refused("zone.csv", b"time,kind\n2026-11-23 10:00:02,a\n", &[]).contains("--zone"));
}

#[test]
fn a_shared_marker_that_is_not_there_is_named() {
    let scene = Scene::new();
    let table = b"onset,kind\n5,looked away\n6,flash\n";
    let said = scene.refused("shared.csv", table, &["--shared", "looked away", "--shared", "flash"]);
    assert!(said.contains("`flash` occurs 1 time(s) in the file and 0 time(s) in the session"), "{said}");
    assert!(said.contains("looked away"), "what both have is told: {said}");
    let said = scene.refused("shared.csv", table, &["--shared", "nowhere"]);
    assert!(said.contains("`nowhere` occurs 0 time(s) in the file"), "{said}");
    scene.taken("shared.csv", table, &["--shared", "looked away"]);
}

#[test]
fn imports_at_the_same_time_wait_for_each_other() {
    let scene = Scene::new();
    let start = |name: &str, file: &Path| {
        Command::new(env!("CARGO_BIN_EXE_affectograph"))
            .arg("import")
            .arg(file)
            .args(["--session", scene.folder.to_str().unwrap(), "--offset", "0", "--name", name])
            .env_remove("DISPLAY")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let rows: String = (0..20_000).map(|k| format!("{},a\n", f64::from(k) * 1e-3)).collect();
    let file = scene.tmp.path().join("many.csv");
    std::fs::write(&file, format!("onset,kind\n{rows}")).unwrap();
    let all: Vec<_> = (0..4).map(|k| start(&format!("of {k}"), &file)).collect();
    for child in all {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    // Of one name there is one, and the other hears of it.
    let both: Vec<_> = (0..2).map(|_| start("same", &file)).collect();
    let codes: Vec<_> = both.into_iter().map(|child| child.wait_with_output().unwrap().status.code()).collect();
    assert!(codes == [Some(0), Some(1)] || codes == [Some(1), Some(0)], "{codes:?}");
    for name in ["import_of_0", "import_of_1", "import_of_2", "import_of_3", "import_same"] {
        assert_eq!(imported(&scene.folder, name).len(), 20_000, "{name}");
    }
    assert!(verify(&scene.folder).unwrap().is_intact && !scene.folder.join("recording.lock").exists());
}

#[test]
fn a_recording_stays_as_long_as_it_was() {
    let scene = Scene::new();
    let session = scene.folder.to_str().unwrap();
    let told = |to: &str| {
        let show = succeeded(affectograph(&["show", session, "--json"], scene.tmp.path()));
        let show: Value = serde_json::from_slice(&show.stdout).unwrap();
        let bids = scene.tmp.path().join(format!("bids {to}"));
        succeeded(export(&[session], "bids", &bids, scene.tmp.path()));
        let lengths = std::fs::read_to_string(bids.join("sub-01/sub-01_sessions.tsv")).unwrap();
        let report = scene.tmp.path().join(format!("report {to}"));
        succeeded(export(&[session], "report", &report, scene.tmp.path()));
        let methods = std::fs::read_to_string(report.join("methods.txt")).unwrap();
        let listed = succeeded(affectograph(&["list", "--json"], scene.tmp.path()));
        let listed: Value = serde_json::from_slice(&listed.stdout).unwrap();
        let length = methods.split("total length of ").nth(1).unwrap().split(". ").next().unwrap().to_owned();
        (show["seconds"].as_f64().unwrap(), lengths, length, listed["sessions"][0]["length"].clone())
    };
    let before = told("before");
    scene.taken("early.csv", b"onset,trial_type\n-300,arrived\n0.5,smile\n", &ZERO);
    scene.taken("late.csv", b"onset,trial_type,duration\n0.5,smile,9999\n1,x,\n5000,left,\n", &ZERO);
    assert!(before.0 > 19.0 && before.0 < 21.0, "{before:?}");
    assert_eq!(told("after"), before);
}

/// A visitor can type a formula. The exported tables show it as text, and importing such a table gives the text again.
#[test]
fn a_text_that_looks_like_a_formula_is_exported_as_text() {
    let scene = Scene::new();
    let texts = ["=HYPERLINK(\"http://x\")", "+1 555", "-2+3", "@SUM(A1)", "'=1", "plain", "-0.5"];
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record(["time", "event", "label"]).unwrap();
    for (k, text) in texts.iter().enumerate() {
        table.write_record([&k.to_string(), "seen", *text]).unwrap();
    }
    let typed_table = table.into_inner().unwrap();
    // One apostrophe is removed from the fifth one, because a spreadsheet's table has it for that reason.
    let stored: Vec<&str> = texts.iter().map(|t| if *t == "'=1" { "=1" } else { t }).collect();
    let labels = |events: &[(f64, String, Value)]| -> Vec<String> {
        events.iter().map(|e| e.2["label"].as_str().unwrap().to_owned()).collect()
    };
    let (_, events) = scene.taken("typed.csv", &typed_table, &["--offset", "0"]);
    assert_eq!(labels(&events), stored);

    let to = scene.tmp.path().join("bids");
    succeeded(export(&[scene.folder.to_str().unwrap()], "bids", &to, scene.tmp.path()));
    let tsv = std::fs::read_dir(to.join("sub-01/ses-01/beh")).unwrap().map(|e| e.unwrap().path());
    let tsv = tsv.into_iter().find(|p| p.to_string_lossy().ends_with("_events.tsv")).unwrap();
    let tsv = std::fs::read_to_string(tsv).unwrap();
    for cell in tsv.lines().skip(1).flat_map(|line| line.split('\t')) {
        assert!(!cell.starts_with(['=', '+', '-', '@']) || cell.parse::<f64>().is_ok(), "{cell}");
    }
    assert!(tsv.contains("\t'=HYPERLINK") && tsv.contains("\t'-2+3\t") && tsv.contains("\t-0.5\t"), "{tsv}");
    // The exported table, read again.
    let typed = tsv.lines().filter(|l| l.starts_with("onset") || l.contains("import_typed"));
    let typed = typed.collect::<Vec<_>>().join("\n");
    let (_, again) = scene.taken("again.tsv", typed.as_bytes(), &["--offset", "0"]);
    assert_eq!(labels(&again), stored);
}
