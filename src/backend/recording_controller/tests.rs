//! Commands that come in an unusual order, with a phantom as the camera and a study without a window.

use super::start_and_stop::ENDED_BEFORE;
use super::*;
use desktop::port::{Activity, MarkerVia, ParticipantCommand, RecordingRequest, SessionPlan, Wake};
use session::{CheckId, MARKER, ParticipantId, Seat, SessionNumber};
use store::{Library, SessionFile};

const STUDY: &str = "name = \"talk\"\ntitle = \"A talk\"\n[camera]\nwidth_px = 320\nheight_px = 240\nrate_hz = 10.0\n\
    [[phases]]\nname = \"interview\"\nseconds = 600.0\n";

/// Records, carries out these commands, and ends. Returns what the window was told, and the folder of recordings.
fn recorded(commands: Vec<RecordingCommand>) -> (Vec<BackendEvent>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let study_file = folder.path().join("study.toml");
    std::fs::write(&study_file, STUDY).unwrap();
    let plan = SessionPlan {
        study_file,
        participant: ParticipantId::numbered(1),
        session: SessionNumber(1),
        condition: None,
        proposed: None,
        seat: Seat::Participant,
    };
    // An overridden check, so that the networks may be missing.
    let request =
        RecordingRequest { overridden_checks: vec![CheckId::NetworksLoaded], consent_text: None, given_consent: None };
    let queue = CommandQueue::default();
    let begin = [RecordingCommand::Rehearse(plan), RecordingCommand::Record(request)];
    for command in begin.into_iter().chain(commands) {
        assert!(queue.push(command));
    }
    queue.close();
    let places = Places { sessions: folder.path().join("sessions"), ..Places::find(None) };
    let host = Host { wake: Wake::new(|| {}), window: None };
    let window = ToWindow::new(host.wake.clone());
    let controller = start(places, &host, queue, CommandQueue::default(), window.clone(), Latest::default()).unwrap();
    controller.join().unwrap();
    (window.take(), folder)
}

fn finished(events: &[BackendEvent]) -> usize {
    events.iter().filter(|event| matches!(event, BackendEvent::RecordingFinished(_))).count()
}

#[test]
fn a_late_file_does_not_end_a_recording_and_a_confirmed_tap_is_stored() {
    let tap = NewMarker {
        at: Timestamp::from_secs_f64(0.1),
        key: Some('1'),
        label: "laughs".into(),
        note: String::new(),
        via: MarkerVia::Phone("1".into()),
    };
    let commands = vec![
        RecordingCommand::Camera("phantom".into(), None),
        RecordingCommand::Stop,
        // The phone was told that it is set, before the pad ended.
        RecordingCommand::Mark(tap),
    ];
    let (events, folder) = recorded(commands);
    let is_told = |event: &BackendEvent| matches!(event, BackendEvent::Notice(s) if s == STAYS_AS_IT_IS);
    assert_eq!((finished(&events), events.iter().filter(|e| is_told(e)).count()), (1, 1));
    let library = Library::open(&folder.path().join("sessions")).unwrap();
    let session = library.folders().unwrap().remove(0);
    let timeline = SessionFile::open(&session).unwrap().timeline().unwrap();
    let markers: Vec<_> = timeline.events().iter().filter(|e| e.stream.as_str() == MARKER).collect();
    assert_eq!((markers.len(), markers[0].what.data["label"].as_str()), (1, Some("laughs")));
}

#[test]
fn a_set_up_that_is_left_while_the_recording_begins_ends_with_a_saved_session() {
    let (events, _folder) = recorded(vec![RecordingCommand::EndRehearsal]);
    assert_eq!(finished(&events), 1);
}

#[test]
fn the_consent_without_a_window_and_a_stop_without_a_recording_are_answered() {
    let ask = RecordingCommand::Participant(ParticipantCommand::AskConsent);
    let (events, _folder) = recorded(vec![ask, RecordingCommand::Stop, RecordingCommand::Stop]);
    let says = |part: &str| {
        events.iter().any(|event| match event {
            BackendEvent::Notice(sentence) => sentence.contains(part),
            BackendEvent::Failed { during: Activity::Record, sentence } => sentence.contains(part),
            _ => false,
        })
    };
    assert!(says("The consent was not shown") && says(ENDED_BEFORE));
    assert_eq!(finished(&events), 1);
}
