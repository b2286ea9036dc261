//! Conditions and pilots in every format: no analysis of an export should need another file to find its groups.

use std::path::{Path, PathBuf};

use affectograph::store::Library;

use super::{export, record_session_as, succeeded};
use crate::program::run as affectograph;

/// A pilot of sub-01, and a session of sub-02 with a condition that the operator chose.
fn record_groups(root: &Path) -> [PathBuf; 2] {
    let library = Library::open(root).unwrap();
    let pilot = record_session_as(&library, 1, 1, |header| header.pilot = true);
    let chosen = record_session_as(&library, 2, 1, |header| {
        header.condition = Some("calm".into());
        header.condition_assigned = Some("loud".into());
        header.study.toml += "[[conditions]]\nname = \"calm\"\ndescription = \"slow music\"\n";
    });
    [pilot, chosen]
}

/// The rows of a table by the names of its columns.
fn cells(path: &Path, delimiter: u8, columns: &[&str]) -> Vec<Vec<String>> {
    let mut table = csv::ReaderBuilder::new().delimiter(delimiter).from_path(path).unwrap();
    let head = table.headers().unwrap().clone();
    let places: Vec<usize> = columns.iter().map(|name| head.iter().position(|cell| cell == *name).unwrap()).collect();
    table.records().map(Result::unwrap).map(|row| places.iter().map(|k| row[*k].to_owned()).collect()).collect()
}

const COLUMNS: [&str; 3] = ["condition", "condition_assigned", "pilot"];

#[test]
fn a_studys_export_has_its_groups_and_no_pilot() {
    let tmp = tempfile::tempdir().unwrap();
    record_groups(tmp.path());
    let to = tmp.path().join("tidy");
    succeeded(export(&["--study", "demo"], "tidy", &to, tmp.path()));
    assert_eq!(cells(&to.join("sessions.csv"), b',', &COLUMNS), [["calm", "loud", "0"]]);
    let to = tmp.path().join("with_pilots");
    succeeded(export(&["--study", "demo", "--with-pilots"], "tidy", &to, tmp.path()));
    assert_eq!(cells(&to.join("sessions.csv"), b',', &COLUMNS), [["", "", "1"], ["calm", "loud", "0"]]);
}

#[test]
fn bids_has_the_conditions_of_its_own_studies_only() {
    let tmp = tempfile::tempdir().unwrap();
    let [_, chosen] = record_groups(tmp.path());
    let list = "participant_id\tadded\tage\tcondition_demo\tCondition_other\nsub-02\t2026-11-23\t31\tcalm\tx\n";
    std::fs::write(tmp.path().join("participants.tsv"), list).unwrap();
    let to = tmp.path().join("bids");
    succeeded(export(&[chosen.to_str().unwrap()], "bids", &to, tmp.path()));
    assert_eq!(cells(&to.join("sub-02/sub-02_sessions.tsv"), b'\t', &COLUMNS), [["calm", "loud", "0"]]);
    let participants = std::fs::read_to_string(to.join("participants.tsv")).unwrap();
    assert_eq!(participants, "participant_id\tage\tcondition_demo\nsub-02\t31\tcalm\n");
    let about = std::fs::read_to_string(to.join("participants.json")).unwrap();
    let about: serde_json::Value = serde_json::from_str(&about).unwrap();
    let condition = &about["condition_demo"];
    assert_eq!(condition["Description"], "condition in the study demo");
    assert_eq!(condition["Levels"], serde_json::json!({"calm": "slow music"}));
    assert_eq!(about["age"]["Description"], "as entered by the laboratory");
}

#[test]
fn xdf_the_report_and_the_lists_name_pilots_and_conditions() {
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_groups(tmp.path());
    let all = folders.each_ref().map(|folder| folder.to_str().unwrap());
    let to = tmp.path().join("xdf");
    succeeded(export(&all, "xdf", &to, tmp.path()));
    let files: Vec<Vec<u8>> =
        std::fs::read_dir(&to).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    let has = |text: &str| files.iter().filter(|file| String::from_utf8_lossy(file).contains(text)).count();
    let counts = ["<pilot>1</pilot>", "<pilot>0</pilot>", "<condition>calm</condition>"].map(has);
    assert_eq!((files.len(), counts), (2, [1, 1, 1]));
    let to = tmp.path().join("report");
    succeeded(export(&all, "report", &to, tmp.path()));
    let page = std::fs::read_to_string(to.join("report.html")).unwrap();
    assert!(page.contains("<th>condition</th>") && page.contains("<td>calm</td>") && page.contains("<td>pilot</td>"));
    let shown = |arguments: &[&str]| String::from_utf8(succeeded(affectograph(arguments, tmp.path())).stdout).unwrap();
    assert!(shown(&["show", all[0]]).contains("\npilot     ") && !shown(&["show", all[1]]).contains("\npilot "));
    assert_eq!(shown(&["list"]).matches(", pilot").count(), 1);
}

#[test]
fn a_study_with_pilots_only_says_so() {
    let tmp = tempfile::tempdir().unwrap();
    record_session_as(&Library::open(tmp.path()).unwrap(), 1, 1, |header| header.pilot = true);
    let failed = export(&["--study", "demo"], "csv", &tmp.path().join("csv"), tmp.path());
    let said = String::from_utf8_lossy(&failed.stderr).into_owned();
    assert!(!failed.status.success(), "{said}");
    assert!(said.contains("has only pilots: --with-pilots includes them") && !said.contains("no session"), "{said}");
}
