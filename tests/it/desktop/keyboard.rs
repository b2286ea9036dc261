//! The whole window by keyboard alone, screen by screen: Tab leads to each control, and Space presses it. `atspi` does the
//! same with the real program.

use affectograph::desktop::Screen;
use affectograph::desktop::port::*;
use affectograph::session::Timestamp;
use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fake::Asked;
use super::scenes::{self, Scene};
use super::{field_type, plain, press, says};

/// The most controls that a screen has before the one that is looked for.
const MOST_TABS: usize = 60;

/// Presses Tab until this control has the keyboard.
fn tab_to(scene: &mut Scene, name: &str, is_focused: impl Fn(&Scene) -> bool) {
    for _ in 0..=MOST_TABS {
        if is_focused(scene) {
            return;
        }
        press(scene, Modifiers::NONE, Key::Tab);
    }
    panic!("Tab does not lead to “{name}”");
}

pub fn press_by_key(scene: &mut Scene, name: &str) {
    let is_focused = |scene: &Scene| scene.window.query_all_by_label(name).any(|control| control.is_focused());
    tab_to(scene, name, is_focused);
    press(scene, Modifiers::NONE, Key::Space);
}

#[test]
fn a_session_from_the_list_to_the_report_by_keyboard_alone() {
    let mut scene = scenes::home(plain());
    press_by_key(&mut scene, "New session");
    let field = |scene: &Scene| scene.window.get_by_role_and_label(Role::TextInput, "Participant").is_focused();
    tab_to(&mut scene, "Participant", field);
    press(&mut scene, Modifiers::COMMAND, Key::A);
    field_type(&mut scene, "sub-15");
    press_by_key(&mut scene, "Set up");
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Rehearse(p)] if p.participant == scenes::plan().participant), "{asked:?}");

    let info = RehearsalInfo { plan: scenes::plan(), study: scenes::study() };
    scene.handle.say(BackendEvent::RehearsalOpened(Box::new(info)));
    scene.handle.say(BackendEvent::Cameras(scenes::cameras()));
    scene.handle.say(BackendEvent::Camera(scenes::camera_state()));
    scene.handle.say(BackendEvent::Checks(scenes::checks(true)));
    scene.say(BackendEvent::Page(scenes::page(false)));
    press_by_key(&mut scene, "The participant has agreed to this");
    press_by_key(&mut scene, "Exposure automatic");
    press_by_key(&mut scene, "Load again");
    press_by_key(&mut scene, "Record anyway …");
    assert!(says(&scene, "Record although checks fail?"));
    press_by_key(&mut scene, "Record anyway");
    let asked = scene.handle.asked();
    let [Asked::Control(CameraControl::Exposure, None), Asked::Reload, Asked::Start(request)] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert!(request.consent_text.is_some());

    let folder = "/home/lab/affectograph/sessions/sub-15/ses-01".into();
    scene.handle.say(BackendEvent::RecordingStarted(StartedInfo { folder, at: Timestamp::ZERO }));
    scene.handle.set_now(12.0);
    scene.say(BackendEvent::Page(scenes::page(false)));
    assert_eq!(scene.state().screen, Screen::Live);
    scene.handle.asked();
    press_by_key(&mut scene, "Marker laughs");
    press_by_key(&mut scene, "Pause");
    press_by_key(&mut scene, "Note");
    field_type(&mut scene, "calm");
    press(&mut scene, Modifiers::NONE, Key::Enter);
    press_by_key(&mut scene, "Stop and save …");
    press_by_key(&mut scene, "Stop and save");
    let asked = scene.handle.asked();
    let [Asked::Mark(marker), Asked::Pause(true), Asked::Mark(note), Asked::Stop] = &asked[..] else {
        panic!("{asked:?}")
    };
    assert_eq!((marker.label.as_str(), note.note.as_str()), ("laughs", "calm"));

    scene.say(BackendEvent::RecordingFinished(Box::new(scenes::finished())));
    press_by_key(&mut scene, "Open in review");
    let asked = scene.handle.asked();
    assert!(matches!(asked.last(), Some(Asked::Open(_))), "{asked:?}");
}

#[test]
fn a_control_that_is_not_there_is_not_found() {
    let mut scene = scenes::home(plain());
    let press = std::panic::AssertUnwindSafe(|| press_by_key(&mut scene, "Record anyway …"));
    let looked = std::panic::catch_unwind(press);
    assert!(looked.is_err());
}
