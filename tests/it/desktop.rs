//! The window's logic, screen by screen, found and pressed by accessible names.

mod dialogs;
mod editor;
mod fake;
mod floating;
mod guided;
mod keyboard;
mod manage;
mod numbers;
mod participant;
#[allow(dead_code, reason = "tests/screens uses the rest")]
mod scenes;
mod signals;
mod small_type;
mod studies;
mod synthetic;

use affectograph::desktop::Screen;
use affectograph::desktop::port::*;
use affectograph::session::*;
use eframe::egui;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use fake::Asked;
use scenes::Scene;
use synthetic::Script;

fn plain() -> egui_kittest::HarnessBuilder<affectograph::desktop::App> {
    scenes::builder(1280.0, 800.0, true)
}

fn press(scene: &mut Scene, modifiers: Modifiers, key: Key) {
    scene.window.key_press_modifiers(modifiers, key);
    scene.settle();
}

fn click(scene: &mut Scene, label: &str) {
    scene.window.get_by_label(label).click();
    scene.settle();
}

/// What is on the screen as text.
fn says(scene: &Scene, part: &str) -> bool {
    scene.window.query_all_by_label_contains(part).next().is_some()
}

#[test]
fn an_empty_library_tells_how_to_begin() {
    let mut scene = scenes::empty(plain());
    assert_eq!(scene.handle.asked(), [Asked::Refresh]);
    let library = Library { studies: synthetic::library().studies, ..Library::default() };
    scene.say(BackendEvent::Library(library));
    assert!(says(&scene, "No sessions yet"));
    click(&mut scene, "New session");
    assert!(says(&scene, "A new participant."));
    click(&mut scene, "Set up");
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Rehearse(p)] if p.participant.as_str() == "sub-01"), "{asked:?}");
    assert_eq!(scene.state().screen, Screen::SetUp);
}

#[test]
fn the_table_is_filtered_sorted_and_opened_by_keyboard() {
    let mut scene = scenes::home(plain());
    let field = scene.window.get_by_role_and_label(egui::accesskit::Role::TextInput, "Filter sessions");
    field.focus();
    scene.settle();
    field_type(&mut scene, "sub-03");
    assert!(says(&scene, "2 of 18"));
    scene.window.key_press(Key::Escape);
    scene.settle();
    press(&mut scene, Modifiers::NONE, Key::ArrowDown);
    press(&mut scene, Modifiers::NONE, Key::ArrowDown);
    let selected = scene.state().home.selected.clone().unwrap();
    press(&mut scene, Modifiers::NONE, Key::Enter);
    assert_eq!(scene.handle.asked(), [Asked::Open(selected)]);
}

fn field_type(scene: &mut Scene, text: &str) {
    scene.window.event(egui::Event::Text(text.to_owned()));
    scene.settle();
}

#[test]
fn sorting_by_a_column_twice_turns_it_round() {
    let mut scene = scenes::home(plain());
    let sizes = |scene: &Scene| scene.state().home.listed().map(|s| s.size_bytes).collect::<Vec<_>>();
    click(&mut scene, "Sort by size");
    assert!(sizes(&scene).is_sorted());
    click(&mut scene, "Sort by size");
    assert!(sizes(&scene).iter().rev().is_sorted());
}

#[test]
fn a_damaged_session_says_why_and_does_not_open() {
    let mut scene = scenes::home(plain());
    let damaged = scene.state().home.listed().find(|s| matches!(s.state, SessionState::Damaged(_))).cloned().unwrap();
    click(&mut scene, &format!("{}, study {}, damaged", damaged.title(), damaged.study));
    assert!(says(&scene, "is no affectograph session"));
    click(&mut scene, "Open");
    assert_eq!(scene.handle.asked(), []);
}

#[test]
fn sessions_are_fetched_from_a_server_and_a_refusal_keeps_what_was_typed() {
    let mut scene = scenes::home(plain());
    press(&mut scene, Modifiers::COMMAND | Modifiers::SHIFT, Key::O);
    assert!(says(&scene, "Download from server"));
    use egui::accesskit::Role;
    for (role, label, text) in
        [(Role::TextInput, "Server", "https://lab.example"), (Role::PasswordInput, "API token", "aga_word")]
    {
        scene.window.get_by_role_and_label(role, label).focus();
        scene.settle();
        field_type(&mut scene, text);
    }
    click(&mut scene, "Download");
    let order = DownloadRequest { server: "https://lab.example".into(), token: "aga_word".into(), study: None };
    assert_eq!(scene.handle.asked(), [Asked::Pull(order.clone())]);
    scene.say(BackendEvent::DownloadProgress(DownloadProgress { number: 2, of: 3, name: "sub-02_ses-01_x".into() }));
    assert!(says(&scene, "2 of 3: sub-02_ses-01_x"));
    click(&mut scene, "Stop");
    assert_eq!(scene.handle.asked(), [Asked::CancelPull]);
    let sentence = "https://lab.example refused: The token is not known.".to_owned();
    scene.say(BackendEvent::Failed { during: Activity::Download, sentence });
    assert!(says(&scene, "The token is not known."));
    click(&mut scene, "Download");
    assert_eq!(scene.handle.asked(), [Asked::Pull(order)]);
    let row = scene.state().home.listed().last().cloned().unwrap();
    scene.say(BackendEvent::SessionsDownloaded(DownloadResult {
        server: "https://lab.example".into(),
        fetched: vec![row.folder.clone()],
        there_already: 2,
        ..DownloadResult::default()
    }));
    assert_eq!(scene.handle.asked(), [Asked::Refresh]);
    assert!(says(&scene, "1 session downloaded from https://lab.example, 2 already there."));
    assert!(scene.state().dialog.is_none());
    assert_eq!(scene.state().home.selected, Some(row.folder));
    // The address is remembered, and the token as long as the window is open.
    press(&mut scene, Modifiers::COMMAND | Modifiers::SHIFT, Key::O);
    click(&mut scene, "Download");
    assert!(matches!(&scene.handle.asked()[..], [Asked::Pull(o)] if o.token == "aga_word"));
    // Closed, it goes on, and says so at the end.
    scene.window.key_press(Key::Escape);
    scene.settle();
    scene.say(BackendEvent::SessionsDownloaded(DownloadResult {
        refused: vec!["sub-09: too large.".into()],
        ..DownloadResult::default()
    }));
    assert!(says(&scene, "sub-09: too large."));
}

#[test]
fn erasing_needs_the_name_typed() {
    let mut scene = scenes::home(plain());
    let row = scene.state().home.listed().next().cloned().unwrap();
    click(&mut scene, &format!("{}, study {}, complete", row.title(), row.study));
    press(&mut scene, Modifiers::NONE, Key::Delete);
    click(&mut scene, "Erase");
    assert_eq!(scene.handle.asked(), [], "nothing typed yet");
    let label = format!("Type {} to confirm", row.title());
    scene.window.get_by_role_and_label(egui::accesskit::Role::TextInput, &label).focus();
    scene.settle();
    field_type(&mut scene, &row.title());
    click(&mut scene, "Erase");
    assert_eq!(scene.handle.asked(), [Asked::Erase(Erasure::Sessions(vec![row.folder]))]);
}

#[test]
fn a_dropped_folder_is_opened() {
    let mut scene = scenes::home(plain());
    scene.window.input_mut().dropped_files.push(std::sync::Arc::new(Dropped("/tmp/ses-01".into())));
    scene.window.step();
    scene.window.input_mut().dropped_files.clear();
    assert_eq!(scene.handle.asked(), [Asked::Open("/tmp/ses-01".into())]);
    scene.say(BackendEvent::Failed { during: Activity::Open, sentence: "There is no session in /tmp/ses-01.".into() });
    assert!(says(&scene, "There is no session in /tmp/ses-01."));
    press(&mut scene, Modifiers::NONE, Key::Escape);
    assert!(scene.state().dialog.is_none());
}

#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }
    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("not read in this test".into())
    }
}

#[test]
fn recording_waits_for_consent_and_for_a_deliberate_override() {
    let mut scene = scenes::set_up(plain(), true);
    assert!(says(&scene, "consent is not confirmed"));
    press(&mut scene, Modifiers::COMMAND, Key::R);
    assert_eq!(scene.handle.asked(), []);
    click(&mut scene, "The participant has agreed to this");
    click(&mut scene, "Record anyway …");
    assert!(says(&scene, "Record although checks fail?"));
    assert_eq!(scene.handle.asked(), [], "asked, not started");
    click(&mut scene, "Record anyway");
    let asked = scene.handle.asked();
    let [Asked::Start(order)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(order.overridden_checks, [CheckId::PageLoaded]);
    assert!(order.consent_text.as_ref().unwrap().starts_with("I agree"));
    scene.say(BackendEvent::Failed { during: Activity::Start, sentence: "The disk is full.".into() });
    assert!(says(&scene, "The disk is full."));
    assert_eq!(scene.state().screen, Screen::SetUp, "the rehearsal goes on");
}

#[test]
fn another_program_starts_only_what_is_ready() {
    let mut scene = scenes::set_up(plain(), false);
    scene.say(BackendEvent::RemoteStart);
    let asked = scene.handle.asked();
    let [Asked::RefuseRemoteStart(why)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(why, "The participant's consent is not confirmed yet");
    assert!(says(&scene, "Another program asked to start the recording. It was refused"));
    click(&mut scene, "The participant has agreed to this");
    scene.say(BackendEvent::RemoteStart);
    let asked = scene.handle.asked();
    let [Asked::Start(order)] = &asked[..] else { panic!("{asked:?}") };
    assert!(order.overridden_checks.is_empty() && order.consent_text.is_some());

    let mut scene = scenes::set_up(plain(), true);
    click(&mut scene, "The participant has agreed to this");
    scene.say(BackendEvent::RemoteStart);
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::RefuseRemoteStart(why)] if why == "not passed: Page loaded"), "{asked:?}");
}

#[test]
fn green_checks_start_at_once_and_the_camera_is_set_from_its_own_list() {
    let mut scene = scenes::set_up(plain(), false);
    click(&mut scene, "The participant has agreed to this");
    click(&mut scene, "Device");
    click(&mut scene, "Phantom (rendered)");
    click(&mut scene, "Exposure automatic");
    click(&mut scene, "White balance automatic");
    assert_eq!(
        scene.handle.asked(),
        [
            Asked::Choose("phantom".into(), None),
            Asked::Control(CameraControl::Exposure, None),
            Asked::Control(CameraControl::WhiteBalance, Some(4000)),
        ]
    );
    press(&mut scene, Modifiers::COMMAND, Key::R);
    assert!(matches!(&scene.handle.asked()[..], [Asked::Start(o)] if o.overridden_checks.is_empty()));
}

#[test]
fn only_a_pilot_may_have_the_page_beside_the_plots() {
    let mut scene = scenes::set_up(plain(), false);
    assert!(!says(&scene, "in this window"));
    assert!(says(&scene, "The participant sees the waiting screen until you press Record."));
    let pilot = SessionPlan { seat: Seat::Pilot, ..scenes::plan() };
    scene.say(BackendEvent::RehearsalOpened(Box::new(RehearsalInfo { plan: pilot, study: scenes::study() })));
    click(&mut scene, "in this window");
    assert_eq!(scene.handle.asked(), [Asked::Place(PagePlacement::Embedded)]);
    assert!(says(&scene, "Pilot"));
}

#[test]
fn new_session_asks_who_sits_at_the_screen_unless_the_study_says_it() {
    let mut scene = scenes::home(plain());
    click(&mut scene, "New session");
    assert!(says(&scene, "Who sits at this screen?"));
    click(&mut scene, "Pilot (you try the study)");
    click(&mut scene, "Set up");
    let asked = scene.handle.asked();
    let is_of_pilot = |p: &SessionPlan| p.seat == Seat::Pilot && p.participant == ParticipantId::pilot();
    assert!(matches!(&asked[..], [Asked::Rehearse(p)] if is_of_pilot(p)), "{asked:?}");
    let mut scene = scenes::home(plain());
    let mut library = synthetic::library();
    library.studies.iter_mut().for_each(|study| study.seat = Some(Seat::Pilot));
    scene.say(BackendEvent::Library(library));
    click(&mut scene, "New session");
    assert!(says(&scene, "The study file fixes this."));
    scene.window.get_by_role_and_label(egui::accesskit::Role::RadioButton, "Participant").click();
    scene.settle();
    click(&mut scene, "Set up");
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Rehearse(p)] if p.seat == Seat::Pilot), "{asked:?}");
}

#[test]
fn the_participant_agrees_on_their_own_screen() {
    let mut scene = scenes::set_up(plain(), false);
    let mut study = scenes::study();
    study.consent.by = ConsentBy::Participant;
    scene.say(BackendEvent::RehearsalOpened(Box::new(RehearsalInfo { plan: scenes::plan(), study })));
    assert!(says(&scene, "The participant has not agreed yet."));
    click(&mut scene, "Show to participant");
    assert_eq!(scene.handle.asked(), [Asked::Participant(ParticipantCommand::AskConsent)]);
    let given =
        GivenConsent { at: chrono::DateTime::from_timestamp(1_794_000_000, 0).unwrap(), typed: Some("A.B.".into()) };
    scene.say(BackendEvent::ConsentGiven(given.clone()));
    assert!(says(&scene, "“A.B.”"));
    press(&mut scene, Modifiers::COMMAND, Key::R);
    let asked = scene.handle.asked();
    assert!(
        matches!(&asked[..], [Asked::Start(o)] if o.given_consent == Some(given.clone()) && o.consent_text.is_some())
    );
}

#[test]
fn loading_the_page_again_in_a_recording_asks_first() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.handle.asked();
    click(&mut scene, "Load again");
    assert!(says(&scene, "Load the page again?"));
    assert_eq!(scene.handle.asked(), []);
    press(&mut scene, Modifiers::NONE, Key::Escape);
    click(&mut scene, "Load again");
    scene.window.get_all_by_label("Load again").last().unwrap().click();
    scene.settle();
    assert_eq!(scene.handle.asked(), [Asked::Reload]);
}

#[test]
fn alarms_wait_for_the_operator_and_the_chord_shows_the_participants_screen() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.say(BackendEvent::ParticipantFront(Some(true)));
    scene.handle.asked();
    press(&mut scene, Modifiers::COMMAND | Modifiers::SHIFT, Key::F12);
    assert_eq!(scene.handle.asked(), [Asked::Participant(ParticipantCommand::SetFront(false))]);
    let alarm =
        Alarm { key: "disk".into(), losing: "The disk will be full in 90 s.".into(), remedy: "Free space.".into() };
    scene.say(BackendEvent::Alarm(alarm));
    scene.say(BackendEvent::AlarmCleared { key: "disk".into() });
    scene.say(BackendEvent::RecordingFinished(Box::new(scenes::finished())));
    assert!(says(&scene, "Alarms during the recording") && says(&scene, "The disk will be full in 90 s."));
    scene.handle.asked();
    click(&mut scene, "Back to sessions");
    assert_eq!(scene.handle.asked(), [Asked::Participant(ParticipantCommand::Close), Asked::Refresh]);
    assert!(scene.state().past_alarms.is_empty());
}

#[test]
fn leaving_the_set_up_ends_the_rehearsal() {
    let mut scene = scenes::set_up(plain(), false);
    click(&mut scene, "Back to sessions");
    assert_eq!(scene.handle.asked(), [Asked::EndRehearsal, Asked::Refresh]);
    let mut scene = scenes::set_up(plain(), false);
    let sentence = "The study's page folder is missing.".to_owned();
    scene.say(BackendEvent::Failed { during: Activity::Rehearse, sentence });
    assert_eq!(scene.handle.asked(), [Asked::EndRehearsal, Asked::Refresh]);
    assert!(says(&scene, "folder is missing"));
}

#[test]
fn markers_come_by_key_and_by_button_once_each_and_are_stamped_at_the_press() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.handle.asked();
    scene.handle.set_now(121.5);
    press(&mut scene, Modifiers::NONE, Key::Num2);
    press(&mut scene, Modifiers::NONE, Key::E);
    press(&mut scene, Modifiers::NONE, Key::X);
    click(&mut scene, "Marker laughs");
    let marker = |key: char, label: &str| {
        let at = Timestamp::from_secs_f64(121.5);
        Asked::Mark(NewMarker { at, key: Some(key), label: label.into(), note: String::new(), via: MarkerVia::Window })
    };
    assert_eq!(scene.handle.asked(), [marker('2', "looks away"), marker('e', "task ends"), marker('3', "laughs")]);
}

#[test]
fn ctrl_with_a_digit_sets_a_marker_also_in_a_note_and_in_a_dialog() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.handle.asked();
    let marked = |scene: &Scene| {
        let asked = scene.handle.asked();
        let labels = asked.into_iter().filter_map(|a| if let Asked::Mark(m) = a { Some(m.label) } else { None });
        labels.collect::<Vec<_>>()
    };
    press(&mut scene, Modifiers::COMMAND, Key::Num2);
    // No marker has the key 4, so Ctrl 4 sets the first one with a letter.
    press(&mut scene, Modifiers::COMMAND, Key::Num4);
    assert_eq!(marked(&scene), ["looks away", "task ends"]);
    press(&mut scene, Modifiers::COMMAND, Key::N);
    press(&mut scene, Modifiers::COMMAND, Key::Num1);
    press(&mut scene, Modifiers::NONE, Key::Num1);
    assert_eq!(marked(&scene), ["task begins"], "a plain key belongs to the note");
    press(&mut scene, Modifiers::NONE, Key::Escape);
    press(&mut scene, Modifiers::NONE, Key::F1);
    press(&mut scene, Modifiers::COMMAND, Key::Num3);
    assert_eq!(marked(&scene), ["laughs"]);
}

#[test]
fn a_marker_is_taken_back_for_five_seconds_by_key_and_by_button() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.handle.asked();
    let taken_back = |scene: &Scene| {
        let asked = scene.handle.asked();
        let times = asked.into_iter().filter_map(|a| if let Asked::TakeBack(at) = a { Some(at) } else { None });
        times.collect::<Vec<_>>()
    };
    for (s, key) in [(121.0, Key::Num1), (122.0, Key::Num2), (123.0, Key::Num3)] {
        scene.handle.set_now(s);
        press(&mut scene, Modifiers::NONE, key);
    }
    scene.handle.set_now(124.0);
    press(&mut scene, Modifiers::COMMAND, Key::Z);
    click(&mut scene, "Take back the marker looks away");
    let at = Timestamp::from_secs_f64;
    assert_eq!(taken_back(&scene), [at(123.0), at(122.0)]);
    scene.handle.set_now(126.5);
    scene.settle();
    press(&mut scene, Modifiers::COMMAND, Key::Z);
    assert_eq!(taken_back(&scene), [], "more than 5 s have passed");
    assert!(!says(&scene, "Take back the marker"));
}

#[test]
fn a_marker_that_was_taken_back_leaves_the_list_of_events() {
    let mut scene = scenes::live(plain(), 120.0, false);
    let record = |seq, s: f64, body| Record {
        stream: std::sync::Arc::new("marker".parse().unwrap()),
        seq,
        at: Timestamp::from_secs_f64(s),
        body,
    };
    let marker = record(50, 119.0, Body::event("marker", serde_json::json!({"label": "sneezes", "key": "9"})));
    scene.say(BackendEvent::Records([marker].into()));
    let listed = |scene: &Scene| {
        let log = &scene.state().recording.as_ref().unwrap().log;
        let rows = log.shown().iter().map(|row| &log.timeline().events()[*row as usize].what);
        rows.filter(|what| what.data.get("label").is_some_and(|l| l == "sneezes")).count()
    };
    assert_eq!(listed(&scene), 1);
    let back = record(51, 119.5, taken_back(Timestamp::from_secs_f64(119.0)));
    scene.say(BackendEvent::Records([back].into()));
    assert_eq!(listed(&scene), 0);
}

#[test]
fn the_lamp_shows_who_has_the_keyboard() {
    let mut scene = scenes::live(plain(), 120.0, true);
    assert!(says(&scene, "keyboard you"));
    scene.say(BackendEvent::PageKeyboard(true));
    assert!(says(&scene, "keyboard the page"));
    scene.say(BackendEvent::PageKeyboard(false));
    assert!(says(&scene, "keyboard you"));
}

#[test]
fn a_pause_is_asked_for_and_shown_when_it_is_stored() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.handle.asked();
    press(&mut scene, Modifiers::COMMAND, Key::P);
    assert_eq!(scene.handle.asked(), [Asked::Pause(true)]);
    assert!(!says(&scene, "paused 0:0"));
    let stream = std::sync::Arc::new("health".parse().unwrap());
    let body = Body::event("paused", serde_json::Value::Null);
    let at = Timestamp::from_secs_f64(119.0);
    scene.say(BackendEvent::Records([Record { stream, seq: 900, at, body }].into()));
    assert!(says(&scene, "paused 0:01"));
    click(&mut scene, "Continue");
    assert_eq!(scene.handle.asked(), [Asked::Pause(false)]);
}

#[test]
fn the_marker_pad_sets_markers_as_the_pad() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.handle.asked();
    click(&mut scene, "Marker pad");
    // The same label is on the bar and on the pad. The pad is drawn later.
    let buttons: Vec<_> = scene.window.query_all_by_label("Marker laughs").collect();
    assert_eq!(buttons.len(), 2);
    buttons[1].click();
    scene.settle();
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Mark(m)] if m.via == MarkerVia::Pad && m.label == "laughs"), "{asked:?}");
}

#[test]
fn a_note_keeps_the_moment_at_which_it_was_begun_and_its_letters_set_no_markers() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.handle.asked();
    press(&mut scene, Modifiers::COMMAND, Key::N);
    scene.handle.set_now(133.0);
    scene.settle();
    scene.window.key_press(Key::E);
    field_type(&mut scene, "eats a biscuit");
    press(&mut scene, Modifiers::NONE, Key::Enter);
    let order = NewMarker {
        at: Timestamp::from_secs_f64(120.0),
        key: None,
        label: "note".into(),
        note: "eats a biscuit".into(),
        via: MarkerVia::Window,
    };
    assert_eq!(scene.handle.asked(), [Asked::Mark(order)]);
}

#[test]
fn no_single_key_ends_a_session() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.handle.asked();
    press(&mut scene, Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
    assert!(says(&scene, "Stop recording sub-15 ses-01"));
    // The keyboard is on the harmless answer.
    press(&mut scene, Modifiers::NONE, Key::Enter);
    assert_eq!(scene.handle.asked(), []);
    assert!(!says(&scene, "Stop recording sub-15 ses-01"));
    click(&mut scene, "Stop and save …");
    press(&mut scene, Modifiers::NONE, Key::Escape);
    assert_eq!(scene.handle.asked(), []);
    click(&mut scene, "Stop and save …");
    click(&mut scene, "Stop and save");
    assert_eq!(scene.handle.asked(), [Asked::Stop]);
    press(&mut scene, Modifiers::NONE, Key::Num2);
    assert_eq!(scene.handle.asked(), [], "no marker while the files are being closed");
    scene.say(BackendEvent::RecordingFinished(Box::new(scenes::finished())));
    assert!(says(&scene, "Session saved"));
    click(&mut scene, "Open in review");
    assert!(matches!(&scene.handle.asked()[..], [Asked::Participant(ParticipantCommand::Close), Asked::Open(_)]));
}

#[test]
fn closing_the_window_asks_while_it_records() {
    let mut scene = scenes::live(plain(), 120.0, false);
    let close = |scene: &mut Scene| {
        let root = scene.window.input_mut().viewports.get_mut(&egui::ViewportId::ROOT).unwrap();
        root.events.push(egui::ViewportEvent::Close);
        scene.window.step();
        scene.window.input_mut().viewports.get_mut(&egui::ViewportId::ROOT).unwrap().events.clear();
        scene.settle();
    };
    close(&mut scene);
    assert!(says(&scene, "A recording is running"));
    click(&mut scene, "Keep recording");
    assert!(scene.state().dialog.is_none() && scene.state().recording.is_some());
    scene.say(BackendEvent::RecordingFinished(Box::new(scenes::finished())));
    close(&mut scene);
    assert!(scene.state().dialog.is_none(), "nothing to ask any more");
}

#[test]
fn losing_data_is_said_in_words_until_it_is_over() {
    let mut scene = scenes::live(plain(), 120.0, true);
    let alarm = |losing: &str| {
        BackendEvent::Alarm(Alarm { key: "camera".into(), losing: losing.into(), remedy: "Check its cable.".into() })
    };
    scene.say(alarm("No pictures since 00:01:58."));
    assert!(says(&scene, "No pictures since 00:01:58.") && says(&scene, "Check its cable."));
    scene.say(alarm("No pictures for 12 s."));
    assert!(!says(&scene, "No pictures since 00:01:58."));
    scene.say(BackendEvent::AlarmCleared { key: "camera".into() });
    assert!(!says(&scene, "No pictures for 12 s."));
}

#[test]
fn an_embedded_page_is_placed_once_and_nothing_hides_it() {
    let mut scene = scenes::live(plain(), 120.0, true);
    let asked = scene.handle.asked();
    let bounds: Vec<_> = asked.iter().filter(|a| matches!(a, Asked::Bounds(_))).collect();
    assert_eq!(bounds.len(), 1, "{asked:?}");
    assert!(asked.contains(&Asked::Visible(true)), "{asked:?}");
    // An alarm must not move the participant's page.
    scene.say(BackendEvent::Alarm(Alarm { key: "disk".into(), losing: "Full.".into(), remedy: "Make room.".into() }));
    assert_eq!(scene.handle.asked(), []);
    press(&mut scene, Modifiers::COMMAND, Key::N);
    press(&mut scene, Modifiers::NONE, Key::Escape);
    click(&mut scene, "Stop and save …");
    click(&mut scene, "Keep recording");
    let asked = scene.handle.asked();
    assert!(asked.iter().all(|a| *a == Asked::Focus(false)), "neither a note nor a question moves it: {asked:?}");
    // A dialog and a menu are placed below the page, and do not hide it.
    let page = scene.state().embedded_page.unwrap();
    press(&mut scene, Modifiers::NONE, Key::F1);
    let dialog = scene.window.get_by_label("Help: keyboard, and below it what the numbers mean").rect();
    assert!(dialog.top() >= page.bottom(), "{dialog:?} is behind the page {page:?}");
    press(&mut scene, Modifiers::NONE, Key::F1);
    click(&mut scene, "Theme");
    let entry = scene.window.get_by_label("Dark").rect();
    assert!(entry.top() >= page.bottom(), "{entry:?} is behind the page {page:?}");
    press(&mut scene, Modifiers::NONE, Key::Escape);
    assert!(scene.handle.asked().iter().all(|a| *a == Asked::Focus(false)), "the page stays visible");
    press(&mut scene, Modifiers::NONE, Key::F6);
    assert_eq!(scene.handle.asked(), [Asked::Focus(true)]);
    scene.say(BackendEvent::RecordingFinished(Box::new(scenes::finished())));
    assert_eq!(scene.handle.asked(), [Asked::Visible(false)]);
}

#[test]
fn the_health_bar_names_its_figures() {
    let scene = scenes::live(plain(), 120.0, false);
    for figure in [
        "camera 30.0 fps",
        "stored 3,600",
        "skipped 29",
        "lost 0",
        "inference 2.8 ms",
        "queue 4 %",
        "disk left 55 GB · 31 h",
    ] {
        assert!(says(&scene, figure), "{figure}");
    }
}

#[test]
fn review_steps_plays_and_asks_for_the_picture_it_needs() {
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    assert_eq!(scene.handle.asked(), [Asked::Picture(0)]);
    press(&mut scene, Modifiers::NONE, Key::ArrowRight);
    assert_eq!(scene.handle.asked(), [Asked::Picture(1)]);
    press(&mut scene, Modifiers::SHIFT, Key::ArrowRight);
    assert_eq!(scene.handle.asked(), [Asked::Picture(31)]);
    press(&mut scene, Modifiers::NONE, Key::End);
    press(&mut scene, Modifiers::NONE, Key::ArrowLeft);
    scene.handle.asked();
    // Playing at the end begins at the start.
    press(&mut scene, Modifiers::NONE, Key::End);
    press(&mut scene, Modifiers::NONE, Key::Space);
    let at = scene.state().review.as_ref().unwrap().playhead.at;
    assert!(at < Timestamp::from_secs_f64(2.0), "{at}");
    scene.window.run_steps(10);
    assert!(scene.state().review.as_ref().unwrap().playhead.at > at);
    click(&mut scene, "Pause");
    assert!(scene.window.query_by_label("Play").is_some());
}

#[test]
fn the_recorded_page_is_opened_follows_and_closes() {
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    assert!(scene.window.query_by_label("Recorded page").is_none(), "nothing was recorded of it");
    scene.window.state_mut().state.review.as_mut().unwrap().has_page = true;
    scene.settle();
    scene.handle.asked();
    click(&mut scene, "Recorded page");
    let at = |s: f64| {
        Asked::Page(PageReplayCommand::MoveTo { at: Timestamp::from_secs_f64(s), is_playing: false, rate: 1.0 })
    };
    let start = scene.state().review.as_ref().unwrap().start().as_secs_f64();
    assert_eq!(scene.handle.asked(), [Asked::Page(PageReplayCommand::Open), at(start)]);
    press(&mut scene, Modifiers::SHIFT, Key::ArrowRight);
    assert!(scene.handle.asked().contains(&at(start + 1.0)));
    scene.settle();
    assert_eq!(scene.handle.asked(), [], "nothing moved");
    // Closed by hand, or by the key.
    scene.say(BackendEvent::PageReplayClosed);
    press(&mut scene, Modifiers::SHIFT, Key::ArrowRight);
    assert!(!scene.handle.asked().iter().any(|a| matches!(a, Asked::Page(_))));
    press(&mut scene, Modifiers::NONE, Key::W);
    assert!(scene.handle.asked().contains(&Asked::Page(PageReplayCommand::Open)));
    press(&mut scene, Modifiers::NONE, Key::W);
    assert!(scene.handle.asked().contains(&Asked::Page(PageReplayCommand::Close)));
}

#[test]
fn playing_keeps_time_however_slowly_the_screen_is_drawn() {
    for step_s in [0.02, 0.4] {
        let mut scene = scenes::review(plain().with_step_dt(step_s), &Script::of(60.0), false);
        scene.window.key_press(Key::Space);
        scene.window.run_steps(2);
        let from_s = scene.state().review.as_ref().unwrap().playhead.at.as_secs_f64();
        scene.window.run_steps(10);
        let played_s = scene.state().review.as_ref().unwrap().playhead.at.as_secs_f64() - from_s;
        assert!((played_s - 10.0 * f64::from(step_s)).abs() < 1e-3, "{played_s} s at {step_s}");
    }
}

#[test]
fn events_are_visited_filtered_and_clicked() {
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    press(&mut scene, Modifiers::NONE, Key::N);
    let first = scene.state().review.as_ref().unwrap().playhead.at;
    press(&mut scene, Modifiers::NONE, Key::N);
    press(&mut scene, Modifiers::NONE, Key::P);
    assert_eq!(scene.state().review.as_ref().unwrap().playhead.at, first);
    click(&mut scene, "Page");
    click(&mut scene, "Warnings");
    let shown = scene.state().review.as_ref().unwrap().log.shown().len();
    assert_eq!(shown, 4, "markers alone");
    let label = format!("{} marker  looked away", Timestamp::from_secs_f64(60.0 * 0.36));
    click(&mut scene, &label);
    assert_eq!(scene.state().review.as_ref().unwrap().playhead.at, Timestamp::from_secs_f64(60.0 * 0.36));
}

#[test]
fn zooming_keeps_the_playhead_in_sight_and_fit_shows_all() {
    let mut scene = scenes::review(plain(), &Script::of(600.0), false);
    press(&mut scene, Modifiers::NONE, Key::End);
    (0..6).for_each(|_| press(&mut scene, Modifiers::NONE, Key::Plus));
    let review = scene.state().review.as_ref().unwrap();
    assert!(review.window.width_s() < 60.0 && review.window.until_s >= review.playhead.at.as_secs_f64() - 1e-6);
    press(&mut scene, Modifiers::NONE, Key::F);
    let review = scene.state().review.as_ref().unwrap();
    assert_eq!(review.window, review.span);
}

#[test]
fn export_proposes_a_place_and_shows_progress() {
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    scene.handle.asked();
    click(&mut scene, "Export");
    click(&mut scene, "Figure as SVG …");
    scene.window.get_all_by_label("Export").last().unwrap().click();
    scene.settle();
    let asked = scene.handle.asked();
    let [Asked::Export(order)] = &asked[..] else { panic!("{asked:?}") };
    let order = order.clone();
    assert_eq!(order.format, ExportFormat::FigureSvg);
    assert!(order.to.ends_with("export/figure.svg"));
    // A failure keeps what was typed, with its reason.
    let sentence = "could not write `figure.svg`: Permission denied".to_owned();
    scene.say(BackendEvent::Failed { during: Activity::Export, sentence });
    assert!(says(&scene, "Permission denied"));
    scene.window.get_all_by_label("Export").last().unwrap().click();
    scene.settle();
    assert_eq!(scene.handle.asked(), asked, "the same again");
    assert!(scene.state().dialog.is_none());
    scene.say(BackendEvent::ExportProgress { done: 0.4 });
    assert!(says(&scene, "Exporting 40 %") || scene.state().review.as_ref().unwrap().exporting == Some(0.4));
    scene.say(BackendEvent::ExportFinished { to: order.to.clone() });
    assert!(says(&scene, "Exported to"));
    click(&mut scene, "Dismiss");
    assert!(scene.state().notices.is_empty());
}

#[test]
fn the_keys_are_shown_on_every_screen() {
    let mut scenes = [scenes::home(plain()), scenes::set_up(plain(), false), scenes::live(plain(), 90.0, false)];
    for scene in &mut scenes {
        press(scene, Modifiers::NONE, Key::F1);
        assert!(says(scene, "Help: keyboard") && says(scene, "play, pause"));
        press(scene, Modifiers::NONE, Key::Escape);
        assert!(scene.state().dialog.is_none());
    }
}

#[test]
fn the_help_opens_the_manual() {
    let mut scene = scenes::home(scenes::builder(1280.0, 800.0, false));
    press(&mut scene, Modifiers::NONE, Key::F1);
    // The size of the dialog is found over some frames.
    scene.settle();
    scene.settle();
    scene.handle.asked();
    click(&mut scene, "Open the manual");
    assert_eq!(scene.handle.asked(), [Asked::Manual]);
}

#[test]
fn the_smallest_window_and_large_text_still_show_what_matters() {
    let mut scene = scenes::live(scenes::builder(1024.0, 700.0, false), 120.0, true);
    for _ in 0..3 {
        press(&mut scene, Modifiers::COMMAND, Key::Plus);
    }
    assert!(scene.state().preferences.text_scale > 1.25);
    assert!(scene.window.query_by_label("Stop and save …").is_some());
}
