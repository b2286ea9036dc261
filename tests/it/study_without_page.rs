//! A study without a page, from the recording to the exports: nothing misses the page.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use affectograph::capture::CameraSpec;
use affectograph::page::Placement;
use affectograph::recording::{Participation, Rig, RigEvent, RigPlan};
use affectograph::session::{PAGE, PHASE, ParticipantId};
use affectograph::store::{Library, StudyFile, verify};
use affectograph::study_query::StoredSession;
use crossbeam_channel::unbounded;

use super::vision_support::models;

const STUDY: &str = "name = \"talk\"\ntitle = \"A talk\"\n[camera]\nwidth_px = 320\nheight_px = 240\nrate_hz = 10.0\n\
    [[phases]]\nname = \"warm-up\"\nseconds = 2.0\n[[phases]]\nname = \"interview\"\nseconds = 600.0\n";

fn export(sessions: &Path, format: &str, to: &Path) {
    let done = Command::new(env!("CARGO_BIN_EXE_affectograph"))
        .args(["export", "--study", "talk", "--format", format, "--to"])
        .arg(to)
        .env("AFFECTOGRAPH_SESSIONS", sessions)
        .env_remove("DISPLAY")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn an_interview_is_recorded_graded_and_exported() {
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let folder = tmp.path().join("studies/talk");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("study.toml"), STUDY).unwrap();
    let study = StudyFile::read(&folder).unwrap();
    let plan = RigPlan::of_study(&study, CameraSpec::Phantom, Some(Placement::WINDOW)).unwrap();
    assert!(plan.page.is_none(), "no window is opened for a study that shows nothing");
    let library = Library::open(tmp.path()).unwrap();
    let (committed, _) = unbounded();
    let who = Participation::of(ParticipantId::numbered(1));
    let rig = Rig::record_study(&library, &study, &plan, who, committed).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut phases = Vec::new();
    while phases.len() < 2 {
        match rig.events().recv_deadline(deadline).expect("the second phase") {
            RigEvent::PhaseStarted { phase, .. } => phases.push(phase.name),
            RigEvent::PageFailed(why) => panic!("{why}"),
            _ => {}
        }
    }
    assert_eq!(phases, ["warm-up", "interview"]);
    std::thread::sleep(Duration::from_secs(3));
    // The operator goes on before the time is over.
    rig.go_on(1);
    while !matches!(rig.events().recv_deadline(deadline).expect("the end of the parts"), RigEvent::PartsOver) {}
    let folder = rig.folder().unwrap().to_owned();
    rig.stop().unwrap();

    let stored = StoredSession::open_and_store_quality(&folder).unwrap();
    let events = stored.timeline.events();
    let of_phases: Vec<_> = events.iter().filter(|e| e.stream.as_str() == PHASE).collect();
    let told: Vec<(&str, &str)> =
        of_phases.iter().map(|e| (e.what.kind.as_str(), e.what.data["name"].as_str().unwrap())).collect();
    assert_eq!(told, [("start", "warm-up"), ("end", "warm-up"), ("start", "interview"), ("end", "interview")]);
    assert_eq!(
        (&of_phases[1].what.data["is_complete"], &of_phases[3].what.data["is_complete"]),
        (&true.into(), &false.into())
    );
    assert_eq!(of_phases[3].what.data["ended_by"], "operator");
    assert!(!events.iter().any(|e| e.stream.as_str() == PAGE));
    let q = &stored.quality;
    assert!(q.page_busy.is_none() && q.clock_uncertainty_ms.is_none());
    assert!(q.findings().iter().all(|f| !f.contains("page")), "{:?}", q.findings());
    assert!(verify(&folder).unwrap().is_intact);

    let to = tmp.path().join("bids");
    export(tmp.path(), "bids", &to);
    let table = std::fs::read_to_string(to.join("sub-01/ses-01/beh/sub-01_ses-01_task-talk_events.tsv")).unwrap();
    assert!(table.contains("phase/start") && table.contains("warm-up") && !table.contains("page/"), "{table}");
    let readme = std::fs::read_to_string(to.join("README.md")).unwrap();
    assert!(readme.contains("there was no web page") && !readme.contains("did on a web page"), "{readme}");
    let report = tmp.path().join("report");
    export(tmp.path(), "report", &report);
    let text = std::fs::read_to_string(report.join("report.html")).unwrap();
    assert!(!text.contains("Actions on the web page"), "the methods text names no page");
}
