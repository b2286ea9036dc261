//! The baseline before the page: the participant sees a cross and then the page, and the session contains the times.

use std::path::Path;
use std::time::{Duration, Instant};

use affectograph::analysis::baseline_phases;
use affectograph::capture::CameraSpec;
use affectograph::page::Placement;
use affectograph::recording::{Participation, Rig, RigEvent, RigPlan};
use affectograph::session::{PAGE, PHASE, ParticipantId, Timeline};
use affectograph::store::{Library, SessionFile, StudyFile};
use crossbeam_channel::unbounded;

use super::screen::Display;
use super::vision_support::models;

fn study(folder: &Path, seconds: f64) -> StudyFile {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages/form.html");
    let text = format!(
        "name = \"rest\"\ntitle = \"Rest\"\nbaseline_sentence = \"Bitte ruhig auf das Kreuz schauen.\"\n\
         [page]\naddress = \"{}\"\n[[phases]]\nname = \"rest\"\nseconds = {seconds}\nkind = \"baseline\"\n",
        page.display()
    );
    std::fs::write(folder.join("study.toml"), text).unwrap();
    StudyFile::read(folder).unwrap()
}

fn record(display: &Display, folder: &Path, seconds: f64) -> Rig {
    let study = study(folder, seconds);
    let placement = Placement::ParticipantWindow {
        monitor: None,
        full_screen: true,
        program: Some(env!("CARGO_BIN_EXE_affectograph").into()),
        display: Some(display.name.clone()),
    };
    let plan = RigPlan::of_study(&study, CameraSpec::Phantom, Some(placement)).unwrap();
    let library = Library::open(&folder.join("sessions")).unwrap();
    // The records are not read.
    let (committed, _) = unbounded();
    Rig::record_study(&library, &study, &plan, Participation::of(ParticipantId::numbered(1)), committed).unwrap()
}

fn wait(rig: &Rig, what: &str, is_it: impl Fn(&RigEvent) -> bool) {
    let start = Instant::now();
    while let Ok(news) = rig.events().recv_timeout(Duration::from_secs(60).saturating_sub(start.elapsed())) {
        if is_it(&news) {
            return;
        }
    }
    panic!("{what} did not arrive");
}

fn reopened(rig: Rig) -> Timeline {
    let folder = rig.folder().unwrap().to_owned();
    rig.stop().unwrap();
    SessionFile::open(&folder).unwrap().timeline().unwrap()
}

#[test]
fn the_cross_comes_before_the_page() {
    let Some(display) = Display::open() else { return };
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let rig = record(&display, tmp.path(), 3.0);
    wait(&rig, "the phase", |n| matches!(n, RigEvent::PhaseStarted { phase, .. } if phase.name == "rest"));
    std::thread::sleep(Duration::from_millis(1500));
    display.screenshot("guided_phase_cross.png");
    wait(&rig, "its end", |n| matches!(n, RigEvent::PhaseEnded { .. }));
    wait(&rig, "the page", |n| matches!(n, RigEvent::PageLoaded { address } if address.contains("form.html")));
    std::thread::sleep(Duration::from_millis(700));
    display.screenshot("guided_phase_page.png");
    // The participant cannot navigate back to the cross.
    display.xdotool("key alt+Left");
    std::thread::sleep(Duration::from_millis(700));
    let timeline = reopened(rig);
    let phases: Vec<_> = timeline.events().iter().filter(|e| e.stream.as_str() == PHASE).collect();
    assert_eq!(phases.iter().map(|e| e.what.kind.as_str()).collect::<Vec<_>>(), ["start", "end"]);
    assert_eq!((&phases[1].what.data["name"], &phases[1].what.data["kind"]), (&"rest".into(), &"baseline".into()));
    assert_eq!(phases[1].what.data["is_complete"], true);
    let lasted = phases[1].at.since_ns(phases[0].at) as f64 * 1e-9;
    assert!((2.99..4.0).contains(&lasted), "{lasted} s");
    assert_eq!(baseline_phases(&timeline).len(), 1, "the analysis finds it");
    let shown: Vec<_> = timeline
        .events()
        .iter()
        .filter(|e| e.stream.as_str() == PAGE && e.what.kind == "shown")
        .map(|e| (e.at, e.what.data["url"].as_str().unwrap_or_default().to_owned()))
        .collect();
    assert_eq!(shown[0].0, phases[0].at, "the baseline begins when the cross is seen");
    assert!(shown[0].1.starts_with("fixation:") && shown[1].1.contains("form.html"), "{shown:?}");
    let documents: Vec<_> = timeline
        .events()
        .iter()
        .filter(|e| e.stream.as_str() == PAGE && e.what.kind == "load")
        .map(|e| (e.at, e.what.data["url"].as_str().unwrap_or_default().to_owned()))
        .collect();
    assert!(documents[0].1.starts_with("fixation:"), "{documents:?}");
    assert!(documents[1].1.contains("form.html") && documents[1].0 > phases[1].at, "{documents:?}");
    assert_eq!(documents.len(), 2, "{documents:?}");
}

#[test]
fn a_pause_stops_the_baseline() {
    let Some(display) = Display::open() else { return };
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let rig = record(&display, tmp.path(), 4.0);
    wait(&rig, "the phase", |n| matches!(n, RigEvent::PhaseStarted { .. }));
    rig.pause(rig.clock().now(), true);
    wait(&rig, "the pause", |n| matches!(n, RigEvent::PhaseMoved { until: None, .. }));
    std::thread::sleep(Duration::from_secs(5));
    assert!(!rig.events().try_iter().any(|n| matches!(n, RigEvent::PhaseEnded { .. })), "it ended in the pause");
    rig.pause(rig.clock().now(), false);
    wait(&rig, "its end", |n| matches!(n, RigEvent::PhaseEnded { .. }));
    wait(&rig, "the page", |n| matches!(n, RigEvent::PageLoaded { address } if address.contains("form.html")));
    let timeline = reopened(rig);
    let phases: Vec<_> = timeline.events().iter().filter(|e| e.stream.as_str() == PHASE).collect();
    assert!(phases[1].at.since_ns(phases[0].at) >= 8_900_000_000, "{phases:?}");
    assert_eq!(phases[1].what.data["is_complete"], true);
    assert!(phases[1].what.data["paused_s"].as_f64().unwrap() >= 5.0, "{phases:?}");
}

#[test]
fn a_phase_that_is_cut_short_says_so() {
    let Some(display) = Display::open() else { return };
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let rig = record(&display, tmp.path(), 600.0);
    wait(&rig, "the phase", |n| matches!(n, RigEvent::PhaseStarted { .. }));
    let timeline = reopened(rig);
    let phases: Vec<_> = timeline.events().iter().filter(|e| e.stream.as_str() == PHASE).collect();
    assert_eq!(phases.len(), 2);
    assert_eq!((phases[1].what.kind.as_str(), &phases[1].what.data["is_complete"]), ("end", &false.into()));
}
