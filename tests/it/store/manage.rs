//! Sessions that get another participant, and what is erased. Also when the program is killed in the middle.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use affectograph::places::recover_crashed;
use affectograph::session::{Body, ParticipantId, SessionNumber, annotation_stream};
use affectograph::store::{
    AddedStreams, Condition, Library, Recorder, SessionEnd, SessionFile, SessionHeader, SessionState, StoreError,
    verify,
};
use affectograph::study_query::listed_grade;
use crossbeam_channel::unbounded;
use serde_json::json;

use super::{header, jpeg_frame, ms, streams};

const VICTIM: &str = "AFFECTOGRAPH_TEST_REASSIGNED";

fn sub(n: u32) -> ParticipantId {
    ParticipantId::numbered(n)
}

/// A closed session with a frame, a record and an annotation.
fn record(library: &Library, participant: u32, session: u32) -> PathBuf {
    let (who, number) = (sub(participant), SessionNumber(session));
    let folder = library.create_session(&who, number, "demo", header().zero_utc).unwrap();
    let header = SessionHeader { participant: who, session: number, ..header() };
    let mut recorder = Recorder::create(&folder, header, streams(), unbounded().0).unwrap();
    let video = recorder.video(64, 48).unwrap().sender();
    video.send(jpeg_frame(0, ms(10))).unwrap();
    drop(video);
    recorder.stream("page").unwrap().event(ms(20), "click", json!({"target": "a"})).unwrap();
    recorder.finish(SessionEnd { at: ms(500), quality: Some(json!({"grade": "A"})) }).unwrap();
    let mut added = AddedStreams::open(&folder).unwrap();
    added.add_stream(&annotation_stream(), "anna").unwrap();
    added.append("annotation", vec![(ms(30), Body::event("point", json!({"id": "0", "label": "smile"})))]).unwrap();
    added.close().unwrap();
    folder
}

fn list(library: &Library) -> String {
    std::fs::read_to_string(library.root().join("participants.tsv")).unwrap()
}

/// The names in the folder of the recordings.
fn names(library: &Library) -> Vec<String> {
    let all = std::fs::read_dir(library.root()).unwrap().flatten();
    let mut names: Vec<String> = all.map(|e| e.file_name().into_string().unwrap()).collect();
    names.retain(|name| name != ".library.lock");
    names.sort();
    names
}

fn only(library: &Library) -> (PathBuf, String) {
    let sessions = library.sessions().unwrap();
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    let s = &sessions[0];
    (s.folder.clone(), format!("{} {}", s.participant.as_ref().unwrap(), s.session.unwrap()))
}

#[test]
fn a_session_gets_the_right_participant_and_its_own_log_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    let folder = record(&library, 12, 1);
    record(&library, 2, 1);
    let before = SessionFile::open(&folder).unwrap().summary().unwrap().clone();
    let done = library.reassign(&folder, &sub(2), None).unwrap();
    assert!(done.folder.ends_with("sub-02/ses-02_20261123T100000Z_demo"), "{}", done.folder.display());
    assert!(done.is_participant_removed, "sub-12 was a mistake and has nothing left");
    assert!(!folder.exists() && !dir.path().join("sub-12").exists());
    assert!(!list(&library).contains("sub-12") && list(&library).contains("sub-02"));

    let file = SessionFile::open(&done.folder).unwrap();
    assert_eq!((file.header().participant.clone(), file.header().session), (sub(2), SessionNumber(2)));
    let timeline = file.timeline().unwrap();
    let log = timeline.events().iter().find(|e| e.stream.as_str() == "health" && e.what.kind == "reassigned").unwrap();
    assert_eq!((log.at, &log.what.data["from_participant"]), (ms(500), &json!("sub-12")));
    assert_eq!((&log.what.data["to_participant"], &log.what.data["to_session"]), (&json!("sub-02"), &json!(2)));
    assert!(timeline.events().iter().any(|e| e.what.data.get("label") == Some(&json!("smile"))));
    let after = file.summary().unwrap();
    assert_eq!((after.events, after.quality.clone()), (before.events + 1, before.quality));
    file.picture(0).unwrap();
    let verified = verify(&done.folder).unwrap();
    assert!(verified.is_intact, "{:?}", verified.findings);
    let files: Vec<_> = std::fs::read_dir(&done.folder).unwrap().flatten().map(|e| e.file_name()).collect();
    assert_eq!(files.len(), 2, "{files:?}");

    // Back again, as it was.
    let back = library.reassign(&done.folder, &sub(12), Some(SessionNumber(1))).unwrap();
    assert_eq!(back.folder, folder);
    assert!(verify(&folder).unwrap().is_intact && list(&library).contains("sub-12"));
}

#[test]
fn what_must_not_be_reassigned_is_refused_and_stays_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    let (first, second) = (record(&library, 1, 1), record(&library, 2, 1));
    // A review with annotations, or another program, holds it.
    let held = AddedStreams::open(&first).unwrap();
    assert!(matches!(library.reassign(&first, &sub(3), None), Err(StoreError::BeingAddedTo(_))));
    held.close().unwrap();
    let bytes = |folder: &Path| std::fs::read(folder.join("session.sqlite")).unwrap();
    let before = (bytes(&first), list(&library), names(&library));
    let refused = library.reassign(&first, &sub(2), Some(SessionNumber(1))).unwrap_err();
    let StoreError::NumberTaken { taken, next } = &refused else { panic!("{refused}") };
    assert_eq!((taken, *next), (&second, SessionNumber(2)));
    assert!(refused.to_string().contains("next free number is ses-02"), "{refused}");
    let same = library.reassign(&first, &sub(1), Some(SessionNumber(1))).unwrap_err();
    assert!(matches!(same, StoreError::SameAssignment(_)), "{same}");
    let outside = tempfile::tempdir().unwrap();
    assert!(matches!(library.reassign(outside.path(), &sub(3), None), Err(StoreError::OutsideLibrary(..))));
    assert!((bytes(&first), list(&library), names(&library)) == before, "something was changed");

    let folder = library.create_session(&sub(1), SessionNumber(2), "demo", header().zero_utc).unwrap();
    let recorder = Recorder::create(&folder, header(), streams(), unbounded().0).unwrap();
    assert!(matches!(library.reassign(&folder, &sub(3), None), Err(StoreError::Recording(_))));
    drop(recorder);
    assert!(matches!(library.reassign(&folder, &sub(3), None), Err(StoreError::LeftOpen(_))));
}

#[test]
fn a_laboratorys_own_row_outlives_its_last_session() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    let folder = record(&library, 1, 1);
    std::fs::write(dir.path().join("participants.tsv"), "participant_id\tage\nsub-01\t33\n").unwrap();
    let done = library.reassign(&folder, &sub(2), None).unwrap();
    assert!(!done.is_participant_removed);
    assert_eq!(list(&library), "participant_id\tage\nsub-01\t33\nsub-02\tn/a\n");
}

/// Reassigns to and fro until it is killed.
#[test]
#[ignore = "started by the test that kills it"]
fn victim() {
    let root = std::env::var(VICTIM).expect("started by the test that kills it");
    let library = Library::open(Path::new(&root)).unwrap();
    loop {
        let (folder, name) = only(&library);
        let to = if name.starts_with("sub-01") { 2 } else { 1 };
        library.reassign(&folder, &sub(to), Some(SessionNumber(to))).unwrap();
        println!("reassigned");
    }
}

#[test]
fn a_killed_reassignment_is_finished_or_taken_back_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    record(&library, 1, 1);
    let mut interrupted = 0;
    for k in 0..24 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::manage::victim", "--ignored", "--nocapture"])
            .env(VICTIM, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(lines.any(|line| line.unwrap().contains("reassigned")), "the victim did not begin");
        std::thread::sleep(Duration::from_millis(3 * k));
        child.kill().unwrap();
        child.wait().unwrap();
        let stated = library.folders().unwrap().iter().any(|f| f.join("reassign.json").exists());
        interrupted += u32::from(stated);
        let problems: Vec<String> = library.finish_interrupted().unwrap().iter().map(ToString::to_string).collect();
        assert!(problems.is_empty(), "{problems:?}, with {:?}", library.folders());
        let (folder, name) = only(&library);
        let file = SessionFile::open(&folder).unwrap();
        let inside = format!("{} {}", file.header().participant, file.header().session);
        let outside = folder.strip_prefix(dir.path()).unwrap().display().to_string();
        assert!(outside.starts_with(&inside.replace(' ', "/")), "{outside} holds {inside}");
        assert_eq!(name, inside);
        assert!(verify(&folder).unwrap().is_intact);
        assert!(!folder.join("reassign.json").exists());
        let listed = library.participants().unwrap();
        assert_eq!(listed, std::slice::from_ref(&file.header().participant), "{name}");
    }
    assert!(interrupted > 0, "no kill came in the middle");
}

#[test]
fn a_session_that_a_crash_left_open_gets_its_grade() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    let folder = library.create_session(&sub(1), SessionNumber(1), "demo", header().zero_utc).unwrap();
    let recorder = Recorder::create(&folder, header(), streams(), unbounded().0).unwrap();
    recorder.stream("page").unwrap().event(ms(20), "click", json!({"target": "a"})).unwrap();
    drop(recorder);
    let messages = recover_crashed(&library).unwrap();
    assert!(messages.len() == 1 && messages[0].contains("left open by a crash"), "{messages:?}");
    let entry = library.sessions().unwrap().remove(0);
    assert_eq!(entry.condition, Condition::Opens(SessionState::Recovered));
    assert!(entry.summary.as_ref().unwrap().quality.as_ref().unwrap().get("grade").is_some(), "{entry:?}");
    assert!(listed_grade(&entry).is_some());
    assert!(recover_crashed(&library).unwrap().is_empty());
}

#[test]
fn an_erased_participant_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    let (first, other) = (record(&library, 1, 1), record(&library, 2, 1));
    record(&library, 1, 2);
    let exports = tempfile::tempdir().unwrap();
    library.note_export("csv", exports.path(), &[first.clone(), other.clone()]).unwrap();
    library.note_export("figure", &first.join("export/figure.png"), std::slice::from_ref(&first)).unwrap();
    let known = library.exports().unwrap();
    assert_eq!(known.len(), 1, "an export in the session's own folder is erased with it");
    assert!(known[0].has("sub-01") && known[0].has("sub-02/ses-01_20261123T100000Z_demo") && !known[0].has("sub-0"));

    // A draft and a recording hold it.
    let draft = library.draft_session(&sub(1), None, "demo", header().zero_utc).unwrap();
    assert!(matches!(library.erase_participant(&sub(1)), Err(StoreError::Recording(_))));
    drop(draft);
    let held = AddedStreams::open(&first).unwrap();
    assert!(matches!(library.erase_participant(&sub(1)), Err(StoreError::BeingAddedTo(_))));
    assert!(matches!(library.erase(&first), Err(StoreError::BeingAddedTo(_))));
    held.close().unwrap();
    assert!(first.exists() && list(&library).contains("sub-01"));

    library.erase_participant(&sub(1)).unwrap();
    assert_eq!(names(&library), ["exports.jsonl", "participants.tsv", "sub-02"]);
    assert!(!list(&library).contains("sub-01"));
    let text = std::fs::read_to_string(dir.path().join("exports.jsonl")).unwrap();
    assert!(!text.contains("sub-01") && text.contains("sub-02"), "{text}");
    // The last session of a participant takes the empty folder with it. The pseudonym stays used.
    library.erase(&other).unwrap();
    assert_eq!(names(&library), ["exports.jsonl", "participants.tsv"]);
    assert_eq!(library.next_participant().unwrap(), sub(3));
}

#[test]
fn a_killed_erasure_is_finished_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    for n in 1..=3 {
        record(&library, n, 1);
    }
    // Killed after the folder was hidden: the row, too, is to go.
    std::fs::rename(dir.path().join("sub-01"), dir.path().join(".erasing-sub-01")).unwrap();
    // Files that could not be removed, and the pseudonym was given again: that row stays.
    std::fs::rename(dir.path().join("sub-02"), dir.path().join(".erasing-rest_sub-02")).unwrap();
    std::fs::write(dir.path().join("participants.tsv.new"), "participant_id\nsub-01\n").unwrap();
    assert!(library.finish_interrupted().unwrap().is_empty());
    assert_eq!(names(&library), ["participants.tsv", "sub-03"]);
    let text = list(&library);
    assert!(!text.contains("sub-01") && text.contains("sub-02") && text.contains("sub-03"), "{text}");
    // A file of such a name is no folder of an erasure: it is ignored.
    std::fs::write(dir.path().join(".erasing-odd"), "no folder").unwrap();
    assert!(library.finish_interrupted().unwrap().is_empty());
    let (_, name) = only(&library);
    assert_eq!(name, "sub-03 ses-01");
    assert_eq!(library.sessions().unwrap()[0].condition, Condition::Opens(SessionState::Closed));
}
