//! The tables, and what is said where there is nothing to export or something in the way.

use affectograph::store::SessionFile;

use super::{affectograph, export, record_study, succeeded};

#[test]
fn long_and_wide_tell_the_same_numbers() {
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    let to = tmp.path().join("tidy");
    succeeded(export(&["--study", "demo"], "tidy", &to, tmp.path()));
    let mut wide = csv::Reader::from_path(to.join("wide.csv")).unwrap();
    let head: Vec<String> = wide.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(head[..6], ["study", "participant", "session", "time_s", "frame", "affect_valence"]);
    assert!(head.contains(&"face_yaw_deg".to_owned()) && head.contains(&"rating_arousal".to_owned()));
    let mut values = std::collections::HashMap::new();
    for row in wide.records().map(Result::unwrap) {
        for (name, cell) in head.iter().zip(&row).skip(5).filter(|(_, cell)| !cell.is_empty()) {
            let key = format!("{} {} {} {name}", &row[1], &row[2], &row[3]);
            assert_eq!(values.insert(key, cell.to_owned()), None, "a value stands twice");
        }
    }
    let mut compared = 0;
    for row in csv::Reader::from_path(to.join("long.csv")).unwrap().records().map(Result::unwrap) {
        let unit = if &row[7] == "1" { String::new() } else { format!("_{}", &row[7]) };
        let key = format!("{} {} {} {}_{}{unit}", &row[1], &row[2], &row[4], &row[3], &row[6]);
        assert_eq!(values.get(&key).map_or("", String::as_str), &row[8], "{key}");
        compared += usize::from(!row[8].is_empty());
    }
    assert_eq!(compared, values.len());
    let timeline = SessionFile::open(&folders[0]).unwrap().timeline().unwrap();
    let affect = timeline.series("affect").unwrap();
    let key = format!("sub-01 ses-01 {:.9} affect_valence", affect.times()[7].as_secs_f64());
    assert_eq!(values[&key].parse::<f32>().unwrap(), affect.column(0)[7]);
    let codes = std::fs::read_to_string(to.join("codebook.csv")).unwrap();
    assert!(codes.contains("face,yaw,deg,face_yaw_deg,positive: face turned towards image-right"), "{codes}");
}

#[test]
fn several_sessions_get_a_folder_each() {
    let tmp = tempfile::tempdir().unwrap();
    record_study(tmp.path());
    let to = tmp.path().join("csv");
    succeeded(export(&["--study", "demo"], "csv", &to, tmp.path()));
    for label in ["sub-01_ses-01_task-demo", "sub-01_ses-02_task-demo", "sub-02_ses-01_task-demo"] {
        for file in ["affect.csv", "page.csv", "gaps.csv", "session.json", "session.png", "session.svg"] {
            assert!(to.join(label).join(file).metadata().unwrap().len() > 0, "{label} {file}");
        }
    }
}

#[test]
fn what_cannot_be_exported_is_said_in_a_sentence_and_the_rest_is_exported() {
    let tmp = tempfile::tempdir().unwrap();
    let folders = record_study(tmp.path());
    let to = tmp.path().join("out");
    let said = |what: &[&str]| {
        let output = export(what, "xdf", &to, tmp.path());
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, sentence) = said(&["--study", "nothing"]);
    assert_eq!(code, Some(1));
    assert!(sentence.contains("no session of the study `nothing`"), "{sentence}");
    let twice = folders[0].to_str().unwrap();
    let (code, sentence) = said(&[twice, twice]);
    assert!(code == Some(1) && sentence.contains("sub-01 ses-01"), "{sentence}");

    // One foreign, one of a newer program: both are named, the third is exported.
    std::fs::write(folders[0].join("session.sqlite"), "no database, but long enough to be looked at".repeat(9))
        .unwrap();
    let newer = rusqlite::Connection::open(folders[1].join("session.sqlite")).unwrap();
    newer.pragma_update(None, "user_version", 9000).unwrap();
    newer.close().unwrap();
    let all: Vec<&str> = folders.iter().map(|f| f.to_str().unwrap()).collect();
    let (code, sentence) = said(&["--study", "demo"]);
    assert_eq!(code, Some(3), "{sentence}");
    assert!(
        sentence.contains("no session file of affectograph") && sentence.contains("newer affectograph"),
        "{sentence}"
    );
    assert_eq!(std::fs::read_dir(&to).unwrap().count(), 1);
    let (code, sentence) = said(&all[..2]);
    assert!(code == Some(1) && sentence.contains("there is no session to export"), "{sentence}");
    let (code, sentence) = said(&[all[2]]);
    assert!(code == Some(1) && sentence.contains("not empty"), "{sentence}");
    let nothing = affectograph(&["export", "--to", "x"], tmp.path());
    assert_eq!(nothing.status.code(), Some(2));
}
