//! The real program: reassign and erase sessions, a disk that fills during a recording, and signals.

use std::path::{Path, PathBuf};
use std::process::{Child, Output, Stdio};
use std::time::{Duration, Instant};

use affectograph::desktop::port::{
    Backend, BackendEvent, DatasetFormat, FilmImport, Host, JobResult, PageStatus, SessionPlan, SessionsExport, Wake,
};
use affectograph::places::Places;
use affectograph::session::{ParticipantId, Seat, SessionNumber};
use affectograph::store::{Condition, Library, SessionEntry, SessionState, verify};
use serde_json::Value;

use crate::need::{SmallDisk, need_shared};
use crate::program::{command, run, signal};
use crate::vision_support::models;

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn only(sessions: &Path) -> Option<SessionEntry> {
    Library::open(sessions).unwrap().sessions().unwrap().into_iter().next()
}

fn wait<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} did not come");
        std::thread::sleep(Duration::from_millis(200));
    }
}

/// Starts a recording of the phantom and waits until it stores something.
fn recording(sessions: &Path) -> (Child, PathBuf) {
    let mut child = command(&["record", "--participant", "sub-01", "--camera", "phantom"], sessions)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let folder = wait("the recording", || {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        let session = only(sessions)?;
        let has_video = session.folder.join("video.mkv").metadata().is_ok_and(|m| m.len() > 50_000);
        has_video.then_some(session.folder)
    });
    (child, folder)
}

#[test]
fn every_signal_of_a_log_off_stops_and_saves() {
    if models().is_none() {
        return;
    }
    for name in ["INT", "TERM", "HUP"] {
        let dir = tempfile::tempdir().unwrap();
        let (mut child, folder) = recording(dir.path());
        signal(&child, name);
        assert!(child.wait().unwrap().success(), "{name}");
        let session = only(dir.path()).unwrap();
        assert_eq!(session.condition, Condition::Opens(SessionState::Closed), "{name}");
        assert!(verify(&folder).unwrap().is_intact, "{name}");
    }
}

#[test]
fn a_session_is_reassigned_and_erased_from_the_command_line() {
    if models().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (mut child, folder) = recording(dir.path());
    let at = folder.display().to_string();
    let refused = run(&["reassign", &at, "--participant", "sub-02"], dir.path());
    assert!(said(&refused).contains("is being recorded"), "{}", said(&refused));
    let refused = run(&["erase", "--participant", "sub-01", "--yes"], dir.path());
    assert!(said(&refused).contains("is being recorded") && folder.exists(), "{}", said(&refused));
    signal(&child, "TERM");
    child.wait().unwrap();

    let output = run(&["reassign", &at, "--participant", "sub-02", "--number", "3", "--json"], dir.path());
    assert!(output.status.success(), "{}", said(&output));
    let done: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(done["is_intact"], true);
    let folder = PathBuf::from(done["reassigned"]["folder"].as_str().unwrap());
    assert!(folder.parent().unwrap().ends_with("sub-02"));

    let out = dir.path().join("out");
    let exported = run(&["export", &folder.display().to_string(), "--to", &out.display().to_string()], dir.path());
    assert!(exported.status.success(), "{}", said(&exported));
    let unsure = run(&["erase", "--participant", "sub-02"], dir.path());
    assert_eq!(unsure.status.code(), Some(1));
    assert!(folder.exists() && said(&unsure).contains("--yes"), "{}", said(&unsure));
    let erased = run(&["erase", "--participant", "sub-02", "--yes"], dir.path());
    assert!(erased.status.success(), "{}", said(&erased));
    assert!(said(&erased).contains(&format!("Stays, remove it yourself: {}", out.display())), "{}", said(&erased));
    let library = Library::open(dir.path()).unwrap();
    assert!(library.sessions().unwrap().is_empty() && !folder.parent().unwrap().exists());
    assert!(!library.participants().unwrap().contains(&ParticipantId::numbered(2)));
}

#[test]
fn a_session_that_a_kill_left_open_is_closed_and_graded_when_the_window_starts() {
    if models().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (mut child, folder) = recording(dir.path());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(only(dir.path()).unwrap().summary.is_none_or(|summary| summary.quality.is_none()), "it was killed");
    let places = Places { sessions: dir.path().to_owned(), studies: "assets/studies".into(), must_exist: false };
    let mut backend = affectograph::backend::start(places, Host { wake: Wake::new(|| {}), window: None }).unwrap();
    let told = wait("the notice", || {
        backend.poll().into_iter().find_map(|event| match event {
            BackendEvent::Notice(sentence) => Some(sentence),
            _ => None,
        })
    });
    assert!(told.contains(&folder.display().to_string()) && told.contains("left open by a crash"), "{told}");
    let session = only(dir.path()).unwrap();
    assert_eq!(session.condition, Condition::Opens(SessionState::Recovered));
    assert!(session.summary.unwrap().quality.is_some(), "it has no grade");
    backend.close();
}

/// The result of the job that runs.
fn job(backend: &mut Box<dyn Backend>) -> JobResult {
    wait("the end of the job", || {
        backend.poll().into_iter().find_map(|event| match event {
            BackendEvent::JobFinished(result) => Some(result),
            BackendEvent::Failed { sentence, .. } => panic!("{sentence}"),
            _ => None,
        })
    })
}

#[test]
fn video_files_are_imported_and_exported_in_every_format_in_the_window() {
    if models().is_none() {
        return;
    }
    let Some(film) = need_shared("media/single_face.mp4") else { return };
    let dir = tempfile::tempdir().unwrap();
    let films: Vec<PathBuf> = ["sub-01_smile.mp4", "sub-02_smile.mp4"].map(|name| dir.path().join(name)).into();
    for copy in &films {
        std::fs::copy(&film, copy).unwrap();
    }
    let sessions = dir.path().join("sessions");
    let places = Places { sessions: sessions.clone(), studies: "assets/studies".into(), must_exist: false };
    let mut backend = affectograph::backend::start(places, Host { wake: Wake::new(|| {}), window: None }).unwrap();

    let import = FilmImport { films, study: None, participant: None };
    backend.import_films(import.clone());
    let JobResult::Imported { made, there_already: 0, problems, is_cancelled: false } = job(&mut backend) else {
        panic!("the files were not imported")
    };
    assert_eq!(made.len(), 2, "{problems:?}");
    backend.import_films(import.clone());
    let again = job(&mut backend);
    assert!(matches!(again, JobResult::Imported { there_already: 2, .. }), "{again:?}");

    for format in DatasetFormat::ALL {
        // A folder that does not exist yet, in one that does not exist either.
        let to = dir.path().join("exports").join(format.as_str());
        backend.export_sessions(SessionsExport { sessions: made.clone(), format, to: to.clone() });
        let done = job(&mut backend);
        assert!(
            matches!(&done, JobResult::Exported { sessions: 2, left_out, .. } if left_out.is_empty()),
            "{format:?}: {done:?}"
        );
        assert!(std::fs::read_dir(&to).unwrap().next().is_some(), "{format:?}");
    }

    // A job that is cancelled leaves nothing.
    let third = dir.path().join("sub-03_smile.mp4");
    std::fs::copy(&film, &third).unwrap();
    backend.import_films(FilmImport { films: vec![third], ..import });
    backend.cancel_job();
    let cancelled = job(&mut backend);
    let is_cancelled = matches!(&cancelled, JobResult::Imported { is_cancelled: true, made, .. } if made.is_empty());
    assert!(is_cancelled || cancelled == JobResult::Cancelled, "{cancelled:?}");
    assert_eq!(Library::open(&sessions).unwrap().sessions().unwrap().len(), 2);
    backend.close();
}

#[test]
fn a_missing_page_is_a_problem_of_the_page_and_not_of_the_camera() {
    if models().is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let study_file = dir.path().join("studies/lost/study.toml");
    std::fs::create_dir_all(study_file.parent().unwrap()).unwrap();
    std::fs::write(&study_file, "name = \"lost\"\ntitle = \"Lost\"\n[page]\naddress = \"no/such/page\"\n").unwrap();
    let places = Places { sessions: dir.path().to_owned(), studies: "assets/studies".into(), must_exist: false };
    let mut backend = affectograph::backend::start(places, Host { wake: Wake::new(|| {}), window: None }).unwrap();
    let (participant, session) = (ParticipantId::numbered(1), SessionNumber(1));
    backend.begin_rehearsal(SessionPlan {
        study_file,
        participant,
        session,
        condition: None,
        proposed: None,
        seat: Seat::Participant,
    });
    let (mut page, mut camera) = (None, None);
    wait("page and camera", || {
        for event in backend.poll() {
            match event {
                BackendEvent::Page(state) => page = Some(state.status),
                BackendEvent::Camera(state) => camera = Some(state),
                BackendEvent::Failed { sentence, .. } => panic!("{sentence}"),
                _ => {}
            }
        }
        (page.is_some() && camera.is_some()).then_some(())
    });
    let (page, camera) = (page.unwrap(), camera.unwrap());
    assert!(matches!(&page, PageStatus::Failed(why) if why.contains("no/such/page")), "{page:?}");
    assert!(camera.problem.is_none() && camera.mode.is_some(), "{camera:?}");
    backend.close();
}

#[test]
fn a_full_disk_ends_the_recording_with_its_report() {
    if models().is_none() {
        return;
    }
    let Some(disk) = SmallDisk::mount(4 * 1024) else { return };
    let output = run(&["record", "--participant", "sub-01", "--camera", "phantom", "--duration", "10min"], disk.path());
    let all = said(&output);
    assert_eq!(output.status.code(), Some(3), "{all}");
    assert!(all.contains("because the disk was full"), "{all}");
    let session = only(disk.path()).unwrap();
    assert_eq!(session.condition, Condition::Opens(SessionState::Recovered), "closed at once, on the full disk");
    let summary = session.summary.unwrap();
    let quality = summary.quality.expect("it has its report");
    assert_eq!(quality["end"]["how"], "disk_full");
    assert!(summary.frames > 0);
    let verified = verify(&session.folder).unwrap();
    assert!(verified.is_intact, "{:?}", verified.findings);
    assert!(!session.folder.join("recording.reserve").exists());
}
