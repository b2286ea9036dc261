//! Conditions of participants, from the command line to the comparison of groups.

use std::path::Path;
use std::process::Command;

use affectograph::analysis::{EpochPlan, EventChoice};
use affectograph::session::{ParticipantId, SessionNumber, Study, Timestamp, affect_stream, marker_stream};
use affectograph::store::{Library, Recorder, SessionEnd, SessionFile, SessionHeader, StoredStudy};
use affectograph::study_query::{Cancel, Pilots, Question, ask, study_sessions};
use chrono::Utc;
use serde_json::json;

const STUDY: &str = "name = \"mood\"\ntitle = \"Mood\"\n[[conditions]]\nname = \"calm\"\n[[conditions]]\nname = \"excited\"\n[assignment]\nseed = 5\n";

/// A session with one marker, and valence that depends on the condition.
fn lay(library: &Library, study: &Study, number: u32, chosen: Option<&str>) -> String {
    let participant = ParticipantId::numbered(number);
    let given = library.assign_condition(study, &participant, chosen).unwrap().unwrap();
    let started = Utc::now();
    let folder = library.create_session(&participant, SessionNumber(1), "mood", started).unwrap();
    let header = SessionHeader {
        condition: Some(given.name.clone()),
        condition_assigned: given.assigned,
        ..SessionHeader::plain(
            participant,
            SessionNumber(1),
            StoredStudy { name: "mood".into(), title: "Mood".into(), toml: STUDY.into() },
            started,
        )
    };
    let streams = vec![affect_stream(10.0, "test"), marker_stream()];
    let recorder = Recorder::create(&folder, header, streams, crossbeam_channel::unbounded().0).unwrap();
    let affect = recorder.stream("affect").unwrap();
    let level = if given.name == "calm" { -0.5 } else { 0.5 };
    for k in 0..100u64 {
        let mut values = [0.0f32; 12];
        values[0] = level + 0.01 * (number as f32) + 0.001 * k as f32;
        affect.sample(Timestamp::from_secs_f64(k as f64 * 0.1), Some(k), &values).unwrap();
    }
    let marker = recorder.stream("marker").unwrap();
    marker.event(Timestamp::from_secs_f64(5.0), "marker", json!({"label": "film", "key": "1"})).unwrap();
    recorder.finish(SessionEnd { at: Timestamp::from_secs_f64(10.0), quality: None }).unwrap();
    given.name
}

fn affectograph(arguments: &[&str], sessions: &Path) -> String {
    let done = Command::new(env!("CARGO_BIN_EXE_affectograph"))
        .args(arguments)
        .env("AFFECTOGRAPH_SESSIONS", sessions)
        .env_remove("DISPLAY")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).into_owned()
}

#[test]
fn groups_are_balanced_stored_exported_and_compared_by_name() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    std::fs::create_dir_all(tmp.path().join("studies/mood")).unwrap();
    std::fs::write(tmp.path().join("studies/mood/study.toml"), STUDY).unwrap();
    let study = Study::parse(STUDY).unwrap();
    let mut given: Vec<String> = (1..=7).map(|n| lay(&library, &study, n, None)).collect();
    // The last one by hand: against the proposal.
    let proposed = library.condition_table(&study).unwrap().proposed(&ParticipantId::numbered(8)).unwrap().to_owned();
    let other = if proposed == "calm" { "excited" } else { "calm" };
    given.push(lay(&library, &study, 8, Some(other)));
    let calm = given.iter().filter(|c| *c == "calm").count();
    assert!((3..=5).contains(&calm), "{given:?}");

    let folders = study_sessions(&library, "mood", Pilots::LeftOut).unwrap().folders;
    let last = SessionFile::open(folders.last().unwrap()).unwrap();
    let shown = affectograph(&["show", last.folder().to_str().unwrap()], tmp.path());
    assert!(shown.contains(&format!("condition {other} (chosen by hand; assigned was {proposed})")), "{shown}");

    // Without limits of quality: the sessions have no face.
    let choice = |condition: &str| -> EventChoice { format!("marker/marker condition={condition}").parse().unwrap() };
    let plan = EpochPlan { window_s: (-1.0, 2.0), baseline_s: None, ..EpochPlan::default() };
    let question = Question { conditions: vec![choice("calm"), choice("excited")], plan };
    let answer = ask(&folders, &question, |_| {}, &Cancel::default()).unwrap();
    let matched = |k: usize| answer.condition(k).iter().map(|s| s.matched).sum::<u64>() as usize;
    assert_eq!((matched(0), matched(1)), (calm, 8 - calm));

    let to = tmp.path().join("bids");
    affectograph(&["export", "--study", "mood", "--format", "bids", "--to", to.to_str().unwrap()], tmp.path());
    let sessions = std::fs::read_to_string(to.join("sub-08/sub-08_sessions.tsv")).unwrap();
    assert!(sessions.lines().next().unwrap().contains("\tcondition\t") && sessions.contains(other), "{sessions}");
    let participants = std::fs::read_to_string(to.join("participants.tsv")).unwrap();
    assert!(participants.starts_with("participant_id\tcondition_mood\tcondition_mood_assigned\n"), "{participants}");
    assert!(participants.contains(&format!("sub-08\t{other}\t{proposed}\n")), "{participants}");
}

#[test]
fn a_recording_that_cannot_start_uses_up_no_place_and_no_pseudonym() {
    let tmp = tempfile::tempdir().unwrap();
    let library = Library::open(tmp.path()).unwrap();
    std::fs::create_dir_all(tmp.path().join("studies/mood")).unwrap();
    std::fs::write(tmp.path().join("studies/mood/study.toml"), STUDY).unwrap();
    let record = |participant: &str| {
        let arguments = ["record", "--study", "mood", "--participant", participant, "--camera", "/no/such/film.mp4"];
        let mut command = Command::new(env!("CARGO_BIN_EXE_affectograph"));
        let done =
            command.args(arguments).env("AFFECTOGRAPH_SESSIONS", tmp.path()).env_remove("DISPLAY").output().unwrap();
        assert!(!done.status.success(), "{}", String::from_utf8_lossy(&done.stdout));
    };
    record("sub-01");
    assert_eq!(library.participants().unwrap(), []);
    assert_eq!(library.condition_table(&Study::parse(STUDY).unwrap()).unwrap().taken, []);
    // The laboratory's own row stays.
    let own = "participant_id\tage\nsub-02\tn/a\n";
    std::fs::write(tmp.path().join("participants.tsv"), own).unwrap();
    record("sub-02");
    assert_eq!(library.participants().unwrap(), [ParticipantId::numbered(2)]);
    assert_eq!(library.condition_table(&Study::parse(STUDY).unwrap()).unwrap().taken, []);
}
