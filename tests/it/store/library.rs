//! The library: numbering, listing, erasing, studies.

use affectograph::session::{ParticipantId, SessionNumber};
use affectograph::store::{
    Condition, Library, Recorder, SessionEnd, SessionHeader, SessionState, StoreError, StudyFileError,
};
use crossbeam_channel::unbounded;

use super::{STUDY, header, ms, streams};

fn sub(n: u32) -> ParticipantId {
    ParticipantId::numbered(n)
}

#[test]
fn numbers_are_proposed_and_never_given_twice() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(&dir.path().join("sessions")).unwrap();
    assert_eq!(library.next_participant().unwrap(), sub(1));
    assert_eq!(library.next_session(&sub(1)).unwrap(), SessionNumber(1));
    let started = "2026-11-23T10:00:00Z".parse().unwrap();
    let folder = library.create_session(&sub(3), SessionNumber(1), "demo", started).unwrap();
    assert!(folder.ends_with("sub-03/ses-01_20261123T100000Z_demo"), "{}", folder.display());
    assert!(matches!(library.create_session(&sub(3), SessionNumber(1), "other", started), Err(StoreError::Exists(_))));
    assert_eq!(library.next_session(&sub(3)).unwrap(), SessionNumber(2));
    assert_eq!(library.next_participant().unwrap(), sub(4));
    std::fs::create_dir(library.root().join("sub-09")).unwrap();
    assert_eq!(library.participants().unwrap(), [sub(3), sub(9)]);
    assert_eq!(library.next_participant().unwrap(), sub(10));

    // Many programs at once: each gets a number of its own or is refused.
    let made: Vec<_> = std::thread::scope(|scope| {
        let one = || library.create_session(&sub(3), library.next_session(&sub(3)).unwrap(), "demo", started);
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().filter_map(|t| t.join().unwrap().ok()).collect()
    });
    let numbers: std::collections::HashSet<_> =
        library.sessions().unwrap().into_iter().map(|s| (s.participant, s.session)).collect();
    assert_eq!(numbers.len(), made.len() + 1);
}

#[test]
fn the_list_shows_what_there_is_and_damage_breaks_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    let folder = |n| library.create_session(&sub(1), SessionNumber(n), "demo", header().zero_utc).unwrap();
    let (closed, damaged, crashed, empty, running) = (folder(1), folder(2), folder(3), folder(4), folder(5));
    let record = |folder, n| {
        let header = SessionHeader { session: SessionNumber(n), ..header() };
        Recorder::create(folder, header, streams(), unbounded().0).unwrap()
    };
    record(&closed, 1).finish(SessionEnd { at: ms(61_000), quality: Some(serde_json::json!({"grade": "B"})) }).unwrap();
    std::fs::write(damaged.join("session.sqlite"), "a shopping list").unwrap();
    drop(record(&crashed, 3));
    let running_recorder = record(&running, 5);

    let sessions = library.sessions().unwrap();
    let conditions: Vec<_> = sessions.iter().map(|s| s.condition.clone()).collect();
    assert_eq!(conditions[0], Condition::Opens(SessionState::Closed));
    assert!(matches!(&conditions[1], Condition::Damaged(why) if why.contains("no session file of affectograph")));
    assert_eq!(conditions[2], Condition::Opens(SessionState::Crashed));
    assert!(matches!(&conditions[3], Condition::Damaged(why) if why.contains("it has no session.sqlite")));
    assert_eq!(conditions[4], Condition::Opens(SessionState::Recording));
    assert_eq!(sessions[0].length.unwrap().as_secs(), 61);
    assert_eq!(sessions[0].summary.as_ref().unwrap().quality.as_ref().unwrap()["grade"], "B");
    assert!(sessions[0].size_bytes > 10_000);
    assert_eq!(sessions[1].participant, Some(sub(1)));
    assert_eq!(sessions[1].study.as_deref(), Some("demo"));
    assert!(serde_json::to_string(&sessions).unwrap().contains("\"opens\":\"crashed\""));

    let recovered = library.recover_all(&library.sessions().unwrap()).unwrap();
    assert_eq!(recovered.len(), 1);
    assert!(recovered[0].folder == crashed && recovered[0].outcome.is_ok());
    assert_eq!(library.recover_all(&library.sessions().unwrap()).unwrap().len(), 0);

    assert!(matches!(library.erase(&running), Err(StoreError::Recording(_))));
    running_recorder.finish(SessionEnd::default()).unwrap();
    for folder in [&damaged, &empty, &running] {
        library.erase(folder).unwrap();
        assert!(!folder.exists());
    }
    assert_eq!(library.sessions().unwrap().len(), 2);
    assert_eq!(library.next_session(&sub(1)).unwrap(), SessionNumber(4));
}

#[test]
fn only_sessions_of_the_library_can_be_erased() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(&dir.path().join("sessions")).unwrap();
    let folder = library.create_session(&sub(1), SessionNumber(1), "demo", header().zero_utc).unwrap();
    let elsewhere = dir.path().join("sub-01/ses-01_x");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let inside = folder.join("sub-01");
    std::fs::create_dir(&inside).unwrap();
    let up = folder.join("../../../sub-01/ses-01_x");
    for path in [elsewhere.as_path(), dir.path(), library.root(), folder.parent().unwrap(), &inside, &up] {
        assert!(matches!(library.erase(path), Err(StoreError::OutsideLibrary(..))), "{}", path.display());
    }
    assert!(matches!(library.erase(&folder.join("no")), Err(StoreError::Io { .. })));
    assert!(folder.exists() && elsewhere.exists());
    // Killed in the middle of erasing: finished at the next start.
    std::fs::rename(&folder, library.root().join(".erasing-sub-01_ses-01")).unwrap();
    assert!(library.finish_interrupted().unwrap().is_empty());
    // The empty folder of the participant is removed, too, as without a kill.
    assert_eq!(std::fs::read_dir(library.root()).unwrap().flatten().filter(|e| e.path().is_dir()).count(), 0);
}

#[test]
fn studies_are_found_and_a_typo_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let shipped = dir.path().join("assets/studies");
    let library = Library::open(&dir.path().join("sessions")).unwrap().with_studies(&shipped);
    assert!(library.studies().unwrap().is_empty());
    let put = |folder: std::path::PathBuf, text: &str| {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("study.toml"), text).unwrap();
        folder
    };
    put(shipped.join("demo"), STUDY);
    put(shipped.join("other"), &STUDY.replace("demo", "other"));
    let own = put(library.root().join("studies/mine"), &STUDY.replace("title = \"Demo\"", "title = \"My demo\""));
    put(library.root().join("studies/typo"), &STUDY.replace("address", "adress"));
    let studies = library.studies().unwrap();
    let names: Vec<_> = studies.iter().map(|s| s.name.as_str()).collect();
    assert_eq!(names, ["demo", "typo", "other"]);
    let typo = studies[1].study.as_ref().unwrap_err().to_string();
    assert!(typo.contains("studies/typo/study.toml, line 4, column 1") && typo.contains("adress"), "{typo}");

    assert_eq!(library.study("demo").unwrap().study.title, "My demo", "one's own goes before the shipped one");
    assert_eq!(library.study(own.to_str().unwrap()).unwrap().stored().title, "My demo");
    assert!(matches!(library.study("typo"), Err(StudyFileError::Wrong { .. })));
    let unknown = library.study("dmo").unwrap_err().to_string();
    assert!(unknown.contains("choose one of demo, typo, other"), "{unknown}");
}

#[test]
fn a_draft_becomes_a_session_or_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    let (who, when) = (ParticipantId::numbered(1), header().zero_utc);
    let draft = library.draft_session(&who, None, "demo", when).unwrap();
    assert_eq!(draft.session(), SessionNumber(1));
    // Its number is taken, and yet it is no session.
    assert!(matches!(library.create_session(&who, SessionNumber(1), "demo", when), Err(StoreError::Exists(_))));
    assert_eq!(library.next_session(&who).unwrap(), SessionNumber(2));
    assert!(library.sessions().unwrap().is_empty());
    assert!(library.clear_drafts().unwrap().is_empty(), "somebody holds it");
    std::fs::write(draft.folder().join("a"), "b").unwrap();
    let folder = draft.publish().unwrap();
    assert_eq!(std::fs::read_to_string(folder.join("a")).unwrap(), "b");
    assert_eq!(std::fs::read_dir(folder.parent().unwrap()).unwrap().count(), 1, "nothing else is left");
    assert_eq!(library.participants().unwrap(), std::slice::from_ref(&who));

    drop(library.draft_session(&who, None, "demo", when).unwrap());
    assert_eq!(library.next_session(&who).unwrap(), SessionNumber(2));
    // As after a kill: the folder is there and nobody holds it.
    let left = folder.with_file_name(".draft_ses-02_20261123T100000Z_demo");
    std::fs::create_dir_all(left.join("session")).unwrap();
    assert_eq!(library.next_session(&who).unwrap(), SessionNumber(3));
    assert_eq!(library.clear_drafts().unwrap(), [left]);
    assert_eq!(library.next_session(&who).unwrap(), SessionNumber(2));
}

/// What could not be kept as the laboratory wrote it is refused before anything is recorded.
#[test]
fn a_list_of_participants_that_cannot_be_kept_stops_everything_before_it_begins() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::open(dir.path()).unwrap();
    let started = header().zero_utc;
    let before = library.create_session(&sub(1), SessionNumber(1), "demo", started).unwrap();
    let list = dir.path().join("participants.tsv");
    let wrong = b"participant_id\tParticipant_ID\tage\nsub-01\tsub-02\t33\n";
    std::fs::write(&list, wrong).unwrap();
    let refused = |error: StoreError| {
        let said = error.to_string();
        assert!(said.contains("participants.tsv, line 2: two columns are called"), "{said}");
    };
    refused(library.create_session(&sub(2), SessionNumber(1), "demo", started).unwrap_err());
    refused(library.draft_session(&sub(2), None, "demo", started).unwrap_err());
    refused(library.erase_participant(&sub(1)).unwrap_err());
    assert!(before.exists() && !dir.path().join("sub-02").exists());
    assert_eq!(std::fs::read(&list).unwrap(), wrong);
    // As Excel's "Unicode text" leaves it.
    let excel =
        |text: &str| -> Vec<u8> { format!("\u{feff}{text}").encode_utf16().flat_map(u16::to_le_bytes).collect() };
    let own = "Participant_ID\tGröße\r\nsub-01\t170\r\n";
    std::fs::write(&list, excel(own)).unwrap();
    library.create_session(&sub(2), SessionNumber(1), "demo", started).unwrap();
    assert_eq!(std::fs::read(&list).unwrap(), excel(&format!("{own}sub-02\tn/a\r\n")));
    library.erase_participant(&sub(1)).unwrap();
    assert_eq!(std::fs::read(&list).unwrap(), excel("Participant_ID\tGröße\r\nsub-02\tn/a\r\n"));
}
