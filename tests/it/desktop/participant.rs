//! The participant's screen: what must not be seen there, and what the operator can do about it. And the preferences.

use std::sync::Arc;

use affectograph::desktop::port::*;
use affectograph::desktop::{App, Screen};
use affectograph::session::*;
use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fake::{Asked, Handle};
use super::scenes::{self, Scene};
use super::{click, field_type, plain, says};

const MARKER: &str = "Marker laughs";

fn alarm() -> BackendEvent {
    let losing = "No pictures since 00:01:58.".into();
    BackendEvent::Alarm(Alarm { key: "camera".into(), losing, remedy: "Check its cable.".into() })
}

#[test]
fn neither_the_pad_nor_the_phones_address_nor_a_sound_reaches_the_participant() {
    let mut scene = scenes::live(plain(), 120.0, false);
    let markers = |scene: &Scene| scene.window.query_all_by_label(MARKER).count();
    click(&mut scene, "Marker pad");
    scene.say(BackendEvent::PhonePad(Some("http://192.168.0.7:40000/x".into())));
    assert!(markers(&scene) == 2 && says(&scene, "Switch off"));
    scene.say(BackendEvent::ParticipantFront(Some(true)));
    assert!(markers(&scene) == 1 && !says(&scene, "Switch off"), "only the covered window has them");
    scene.say(alarm());
    let has_new_alarm = |scene: &Scene| scene.state().recording.as_ref().unwrap().has_new_alarm;
    assert!(has_new_alarm(&scene), "its sound waits");
    scene.say(BackendEvent::ParticipantFront(Some(false)));
    assert!(!has_new_alarm(&scene) && markers(&scene) == 2 && says(&scene, "Switch off"));
}

#[test]
fn the_participants_window_is_closed_after_a_recording_that_failed() {
    let mut scene = scenes::live(plain(), 120.0, false);
    scene.handle.asked();
    scene.say(BackendEvent::Failed { during: Activity::Record, sentence: "The disk is full.".into() });
    assert!(says(&scene, "The disk is full.") && scene.state().screen == Screen::Home);
    assert!(scene.handle.asked().contains(&Asked::Participant(ParticipantCommand::Close)));
    assert_eq!(scene.state().participant.front, None);
    // A second message does not hide the first one.
    scene.say(BackendEvent::Failed { during: Activity::Record, sentence: "It had ended already.".into() });
    assert!(says(&scene, "The disk is full.") && says(&scene, "It had ended already."));
}

fn picture() -> BackendEvent {
    BackendEvent::ParticipantPicture(Arc::new(Picture { width_px: 2, height_px: 1, rgb: vec![200; 6] }))
}

#[test]
fn no_picture_of_one_set_up_is_shown_in_the_next_one() {
    let mut scene = scenes::set_up(plain(), false);
    scene.say(picture());
    assert!(says(&scene, "Preview of the page: a picture each second"));
    click(&mut scene, "Back to sessions");
    assert!(scene.state().participant.photo.is_none());
    scene.say(picture());
    assert!(scene.state().participant.photo.is_none(), "it came late");
    click(&mut scene, "New session");
    click(&mut scene, "Set up");
    // It waited in the queue before the new set-up was opened.
    scene.handle.say(picture());
    let info = RehearsalInfo { plan: scenes::plan(), study: scenes::study() };
    scene.say(BackendEvent::RehearsalOpened(Box::new(info)));
    assert!(scene.state().participant.photo.is_none());
}

#[test]
fn the_page_of_a_recording_is_loaded_again_and_says_so() {
    let mut scene = scenes::set_up(plain(), false);
    let started = StartedInfo { folder: "sub-15/ses-01".into(), at: Timestamp::ZERO };
    scene.say(BackendEvent::RecordingStarted(started));
    let page = scene.state().recording.as_ref().unwrap().page.clone().unwrap();
    assert_eq!(page.status, PageStatus::Loading, "the preview's page is gone");
}

/// Set-up of a study in which the participant agrees on their own screen.
fn asks_participant(seat: Seat) -> Scene {
    let mut scene = scenes::set_up(plain(), false);
    let mut study = scenes::study();
    study.consent.by = ConsentBy::Participant;
    let plan = SessionPlan { seat, ..scenes::plan() };
    scene.say(BackendEvent::RehearsalOpened(Box::new(RehearsalInfo { plan, study })));
    scene.handle.asked();
    scene
}

#[test]
fn the_participant_agrees_on_their_screen_and_the_operator_for_a_pilot() {
    let mut scene = asks_participant(Seat::Participant);
    assert!(says(&scene, "The participant has not agreed yet."));
    click(&mut scene, "Show to participant");
    assert_eq!(scene.handle.asked(), [Asked::Participant(ParticipantCommand::AskConsent)]);

    let mut scene = asks_participant(Seat::Pilot);
    assert!(!says(&scene, "Show to participant"), "a pilot has no screen of the participant");
    click(&mut scene, "The participant has agreed to this");
    click(&mut scene, "Record");
    let asked = scene.handle.asked();
    let [Asked::Start(request)] = &asked[..] else { panic!("{asked:?}") };
    assert!(request.consent_text.is_some() && request.given_consent.is_none());
}

#[test]
fn preferences_are_stored_by_the_backend_and_not_by_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("window.toml");
    let handle = Handle::default();
    let (instrument, stored) = (handle.instrument(), file.clone());
    let window = plain().build_eframe(move |creation| App::new(&creation.egui_ctx, instrument, Some(stored)));
    let mut scene = Scene { window, handle };
    scene.settle();
    scene.say(BackendEvent::Library(super::synthetic::library()));
    scene.handle.asked();
    click(&mut scene, "Theme");
    click(&mut scene, "Dark");
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Preferences(p)] if p.look.label() == "Dark"));
    assert!(!file.exists(), "the window does not wait for the disk");
}

#[test]
fn monitor_full_screen_sound_and_text_size_are_preferences() {
    let mut scene = scenes::home(plain());
    assert!(!scene.state().preferences.sounds.alarm, "no sound disturbs a participant unasked");
    click(&mut scene, "Preferences");
    // The size of the dialog is found over some frames.
    scene.settle();
    scene.settle();
    let combo = |scene: &mut Scene, name: &str, choice: &str| {
        scene.window.get_by_role_and_label(Role::ComboBox, name).click();
        scene.settle();
        click(scene, choice);
    };
    combo(&mut scene, "Text size", "150 %");
    combo(&mut scene, "Monitor", "Monitor 3");
    click(&mut scene, "Full screen on that monitor");
    click(&mut scene, "Sound when data is being lost");
    click(&mut scene, "Save");
    let stored = &scene.state().preferences;
    assert!(scene.state().dialog.is_none());
    assert_eq!((stored.text_scale, stored.sounds.alarm), (1.5, true));
    assert_eq!((stored.participant.monitor, stored.participant.full_screen), (Some(2), false));
}

#[test]
fn the_folder_of_recordings_must_be_a_whole_path() {
    let mut scene = scenes::home(plain());
    click(&mut scene, "Preferences");
    let write = |scene: &mut Scene, text: &str| {
        scene.window.get_by_role_and_label(Role::TextInput, "Folder of recordings").focus();
        scene.settle();
        scene.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
        scene.settle();
        field_type(scene, text);
    };
    write(&mut scene, "rec");
    assert!(says(&scene, "Type the whole path of the folder"));
    click(&mut scene, "Save");
    assert!(scene.state().dialog.is_some() && scene.state().preferences.recordings.is_none());
    write(&mut scene, "/data/rec");
    click(&mut scene, "Save");
    assert_eq!(scene.state().preferences.recordings, Some("/data/rec".into()));
}
