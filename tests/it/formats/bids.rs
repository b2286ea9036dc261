//! The BIDS dataset before the official validator, which needs no network: it brings its schema and HED's.

use std::io::Read;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{export, record_study, succeeded};
use crate::python::python;

fn validate(python: &Path, dataset: &Path) -> Value {
    let validator = python.with_file_name("bids-validator-deno");
    // Every row of every table, and no network: a proxy that nobody serves.
    let output = Command::new(validator)
        .args(["--format", "json", "--max-rows", "-1"])
        .arg(dataset)
        .env("https_proxy", "http://127.0.0.1:9")
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&output.stderr)))
}

fn codes(report: &Value, severity: &str) -> Vec<String> {
    let issues = report["issues"]["issues"].as_array().unwrap();
    let of = issues.iter().filter(|i| i["severity"] == severity);
    let mut codes: Vec<_> = of
        .map(|i| format!("{} {} {} {}", i["code"].as_str().unwrap(), i["subCode"], i["location"], i["issueMessage"]))
        .collect();
    codes.sort();
    codes.dedup();
    codes
}

#[test]
fn the_official_validator_finds_no_error() {
    let Some(python) = python(&["bids_validator_deno"]) else { return };
    let tmp = tempfile::tempdir().unwrap();
    record_study(tmp.path());
    let list = tmp.path().join("participants.tsv");
    std::fs::write(
        &list,
        "participant_id\tadded\tage\thandedness\nsub-02\t2026-11-23\t31\tleft\nsub-01\t2026-11-23\tn/a\t\n",
    )
    .unwrap();
    let to = tmp.path().join("dataset");
    succeeded(export(&["--study", "demo"], "bids", &to, tmp.path()));
    let report = validate(&python, &to);
    assert_eq!(codes(&report, "error"), [""; 0]);
    let warnings = codes(&report, "warning");
    // What the program cannot know: who wrote it, under which licence, in which institution.
    let expected = ["JSON_KEY_RECOMMENDED", "SIDECAR_KEY_RECOMMENDED", "NO_AUTHORS", "TOO_FEW_AUTHORS"];
    assert!(warnings.iter().all(|w| expected.iter().any(|code| w.starts_with(code))), "{warnings:#?}");
    assert_eq!(report["summary"]["subjects"].as_array().map(Vec::len), Some(2), "{}", report["summary"]);

    // The validator does look at the tags.
    let events = to.join("sub-01/ses-01/beh/sub-01_ses-01_task-demo_events.json");
    let text = std::fs::read_to_string(&events).unwrap();
    assert!(text.contains("Press, {pointer_device}") && text.contains("Mouse-button"), "{text}");
    std::fs::write(&events, text.replace("Mouse-button", "Mouse-click")).unwrap();
    assert!(codes(&validate(&python, &to), "error").iter().any(|c| c.contains("HED")));
}

#[test]
fn events_and_recordings_carry_the_sessions_numbers() {
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    let to = tmp.path().join("dataset");
    succeeded(export(&[folders[2].to_str().unwrap()], "bids", &to, tmp.path()));
    let beh = to.join("sub-02/ses-01/beh");
    let stem = "sub-02_ses-01_task-demo";
    let events = std::fs::read_to_string(beh.join(format!("{stem}_events.tsv"))).unwrap();
    let rows: Vec<Vec<&str>> = events.lines().map(|line| line.split('\t').collect()).collect();
    assert!(rows.iter().all(|row| row.len() == rows[0].len()), "{events}");
    assert_eq!(rows[1][..6], ["-0.020000000", "0.000000000", "marker/note", "marker", "note", "before the \"start\""]);
    let gap = rows.iter().find(|row| row[2] == "gap/no_face").unwrap();
    assert_eq!(gap[..2], ["8.050000000", "2.000000000"]);
    let click = rows.iter().find(|row| row[2] == "page/click").unwrap();
    assert_eq!((click[0], click[6], click[7]), ("0.500000000", "button#buy", "mouse"));
    let key = rows.iter().find(|row| row[2] == "page/keydown").unwrap();
    let data: Value = serde_json::from_str(key[8]).unwrap();
    assert_eq!(data["key"], "\t\"<ä>\n");

    let timeline = affectograph::store::SessionFile::open(&folders[2]).unwrap().timeline().unwrap();
    let affect = timeline.series("affect").unwrap();
    let about: Value =
        serde_json::from_slice(&std::fs::read(beh.join(format!("{stem}_recording-affect_physio.json"))).unwrap())
            .unwrap();
    assert_eq!(about["SamplingFrequency"], 30.0);
    assert_eq!(about["StartTime"], affect.times()[0].as_secs_f64());
    assert_eq!(about["Columns"].as_array().unwrap().len(), 12);
    let packed = std::fs::File::open(beh.join(format!("{stem}_recording-affect_physio.tsv.gz"))).unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let valence: Vec<&str> = text.lines().map(|line| line.split('\t').next().unwrap()).collect();
    let start = affect.times()[0].as_secs_f64();
    for (k, cell) in valence.iter().enumerate() {
        let at = start + k as f64 / 30.0;
        // Row 239 is the last sample before the hole.
        let is_in_gap = at > affect.times()[239].as_secs_f64() && at < affect.times()[240].as_secs_f64();
        assert_eq!(*cell == "n/a", is_in_gap, "{cell} at {at}");
        if !is_in_gap {
            // The signal is sin(0.05 k) at k/30 s and a little, give or take the jitter.
            let expected = ((at - 0.05) * 30.0 * 0.05).sin() * 0.7;
            assert!((cell.parse::<f64>().unwrap() - expected).abs() < 0.01, "{cell} at {at}, not {expected}");
        }
    }
    assert_eq!(valence[0].parse::<f32>().unwrap(), affect.column(0)[0]);
}

/// The laboratory's columns are carried over however Excel has left them.
#[test]
fn the_laboratorys_columns_are_carried_over_from_excel() {
    let tmp = tempfile::tempdir().unwrap();
    record_study(tmp.path());
    let list = "PARTICIPANT_ID;Größe;Größe;;Added;\r\nsub-02;180;\"links; oft\";x;;\r\nsub-01;n/a;;;;\r\n;;;;;\r\n";
    let bytes: Vec<u8> = format!("\u{feff}{list}").encode_utf16().flat_map(u16::to_be_bytes).collect();
    std::fs::write(tmp.path().join("participants.tsv"), &bytes).unwrap();
    let to = tmp.path().join("dataset");
    succeeded(export(&["--study", "demo"], "bids", &to, tmp.path()));
    let written = std::fs::read_to_string(to.join("participants.tsv")).unwrap();
    let expected = "participant_id\tGröße\tGröße_2\tcolumn_4\nsub-01\tn/a\tn/a\tn/a\nsub-02\t180\tlinks; oft\tx\n";
    assert_eq!(written, expected);
    assert_eq!(std::fs::read(tmp.path().join("participants.tsv")).unwrap(), bytes);
    // A list that cannot be read as it is is named, and no dataset is made of half of it.
    std::fs::write(tmp.path().join("participants.tsv"), "participant_id\n\"sub-01\n").unwrap();
    let other = tmp.path().join("other");
    let refused = export(&["--study", "demo"], "bids", &other, tmp.path());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && said.contains("participants.tsv, line 2: a quote"), "{said}");
    assert!(!other.exists());
}
