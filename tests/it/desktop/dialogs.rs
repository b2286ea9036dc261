//! Enter and Escape in every dialog. Enter presses the main button, or the answer that changes nothing where the action
//! removes something. Escape closes the dialog.

use std::collections::BTreeSet;

use affectograph::desktop::Dialog;
use affectograph::desktop::port::*;
use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fake::Asked;
use super::scenes::{self, Scene};
use super::synthetic::Script;
use super::{click, field_type, plain, press, says};

/// What Enter does.
enum Enter {
    /// It carries out the action.
    Confirms(fn(&Asked) -> bool),
    /// It closes the dialog without any action.
    Closes,
    /// Nothing: the action removes data, and needs its button.
    Nothing,
}

struct Case {
    open: fn() -> Scene,
    enter: Enter,
}

/// Fails to compile when a kind of dialog is added, so that it gets a case below.
fn name(dialog: &Dialog) -> &'static str {
    match dialog {
        Dialog::NewSession(_) => "new session",
        Dialog::NewStudy(_) => "new study",
        Dialog::Open { .. } => "open",
        Dialog::Download(_) => "download",
        Dialog::Erase { .. } => "erase",
        Dialog::EraseParticipant { .. } => "erase participant",
        Dialog::Reassign(_) => "reassign",
        Dialog::ExportSessions(_) => "export sessions",
        Dialog::ImportFilms(_) => "import",
        Dialog::Override => "record anyway",
        Dialog::Discard => "discard",
        Dialog::Export(_) => "export",
        Dialog::ExportStudy(_) => "export averages",
        Dialog::Shortcuts => "help",
        Dialog::Preferences(_) => "preferences",
        Dialog::Signals { .. } => "signals",
        Dialog::VideoPath(_) => "video path",
        Dialog::ReloadPage => "load again",
        Dialog::CloseWindow => "close window",
        Dialog::Failure { .. } => "failure",
    }
}

const KINDS: usize = 20;

fn opened(mut scene: Scene, modifiers: Modifiers, key: Key) -> Scene {
    press(&mut scene, modifiers, key);
    scene
}

fn filled(mut scene: Scene, fields: &[(Role, &str, &str)]) -> Scene {
    for (role, label, text) in fields {
        scene.window.get_by_role_and_label(*role, label).focus();
        scene.settle();
        press(&mut scene, Modifiers::COMMAND, Key::A);
        field_type(&mut scene, text);
    }
    scene
}

fn of_row(items: &[&str]) -> Scene {
    let mut scene = scenes::home(plain());
    scene.window.get_by_label("sub-14 ses-01, study demo, complete").click_secondary();
    scene.settle();
    items.iter().for_each(|item| click(&mut scene, item));
    scene
}

fn clicked(mut scene: Scene, labels: &[&str]) -> Scene {
    labels.iter().for_each(|label| click(&mut scene, label));
    scene
}

fn with_dialog(mut scene: Scene, dialog: Dialog) -> Scene {
    scene.window.state_mut().state.dialog = Some(dialog);
    scene.settle();
    scene
}

const SHIFTED: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
const TEXT: Role = Role::TextInput;

fn cases() -> Vec<Case> {
    use Enter::{Closes, Confirms, Nothing};
    let case = |open, enter| Case { open, enter };
    vec![
        case(
            || opened(scenes::home(plain()), Modifiers::COMMAND, Key::N),
            Confirms(|a| matches!(a, Asked::Rehearse(_))),
        ),
        case(
            || filled(opened(scenes::home(plain()), SHIFTED, Key::N), &[(TEXT, "Title", "Ten")]),
            Confirms(|a| matches!(a, Asked::CreateStudy(_))),
        ),
        case(
            || {
                filled(
                    opened(scenes::home(plain()), Modifiers::COMMAND, Key::O),
                    &[(TEXT, "Folder of the session", "/x")],
                )
            },
            Confirms(|a| matches!(a, Asked::Open(_))),
        ),
        case(
            || {
                let fields = [(TEXT, "Server", "https://example.org"), (Role::PasswordInput, "API token", "aga_x")];
                filled(opened(scenes::home(plain()), SHIFTED, Key::O), &fields)
            },
            Confirms(|a| matches!(a, Asked::Pull(_))),
        ),
        case(|| filled(of_row(&["Erase …"]), &[(TEXT, "Type sub-14 ses-01 to confirm", "sub-14 ses-01")]), Nothing),
        case(
            || filled(of_row(&["Erase participant sub-14 …"]), &[(TEXT, "Type sub-14 to confirm", "sub-14")]),
            Nothing,
        ),
        case(
            || filled(of_row(&["Reassign …"]), &[(TEXT, "Participant", "sub-03"), (TEXT, "Session", "ses-03")]),
            Confirms(|a| matches!(a, Asked::Reassign(_))),
        ),
        case(|| of_row(&["Export …"]), Confirms(|a| matches!(a, Asked::ExportSessions(_)))),
        case(
            || {
                let mut scene = clicked(scenes::home(plain()), &["Import …", "Import video files …"]);
                if let Some(Dialog::ImportFilms(draft)) = &mut scene.window.state_mut().state.dialog {
                    draft.films = vec!["/films/sub-07_talk.mp4".into()];
                }
                scene.settle();
                scene
            },
            Confirms(|a| matches!(a, Asked::ImportFilms(_))),
        ),
        case(
            || clicked(scenes::set_up(plain(), true), &["The participant has agreed to this", "Record anyway …"]),
            Confirms(|a| matches!(a, Asked::Start(_))),
        ),
        case(|| clicked(scenes::live(plain(), 60.0, false), &["Stop and save …", "Discard …"]), Closes),
        case(
            || opened(scenes::review(plain(), &Script::of(60.0), false), Modifiers::COMMAND, Key::E),
            Confirms(|a| matches!(a, Asked::Export(_))),
        ),
        case(
            || opened(scenes::averaged(plain()), Modifiers::COMMAND, Key::E),
            Confirms(|a| matches!(a, Asked::ExportAnswer(_))),
        ),
        case(|| opened(scenes::home(plain()), Modifiers::NONE, Key::F1), Closes),
        case(|| clicked(scenes::home(plain()), &["Preferences"]), Closes),
        case(|| clicked(scenes::review_with_signals(plain(), &Script::of(60.0)), &["Signals"]), Closes),
        case(
            || with_dialog(scenes::set_up(plain(), true), Dialog::VideoPath("/films/a.mp4".to_owned())),
            Confirms(|a| matches!(a, Asked::Choose(..))),
        ),
        case(|| clicked(scenes::live(plain(), 60.0, false), &["Load again"]), Closes),
        case(|| with_dialog(scenes::live(plain(), 60.0, false), Dialog::CloseWindow), Closes),
        case(
            || {
                let mut scene = scenes::live(plain(), 60.0, false);
                scene.say(BackendEvent::Failed { during: Activity::Record, sentence: "The disk is full.".into() });
                scene
            },
            Closes,
        ),
    ]
}

/// Without what the window asks for by itself, for example the next picture.
fn actions(scene: &Scene) -> Vec<Asked> {
    let is_action =
        |a: &Asked| !matches!(a, Asked::Picture(_) | Asked::Focus(_) | Asked::Count(..) | Asked::CheckStudy(_));
    scene.handle.asked().into_iter().filter(is_action).collect()
}

/// The open dialog, with an empty list of actions.
fn open(case: &Case) -> (Scene, &'static str) {
    let scene = (case.open)();
    actions(&scene);
    let shown = scene.state().dialog.as_ref().map(name).expect("a dialog");
    (scene, shown)
}

#[test]
fn enter_and_escape_do_the_same_in_every_dialog() {
    let mut seen = BTreeSet::new();
    for case in cases() {
        let (mut scene, shown) = open(&case);
        seen.insert(shown);
        press(&mut scene, Modifiers::NONE, Key::Enter);
        let (asked, is_open) = (actions(&scene), scene.state().dialog.is_some());
        match &case.enter {
            Enter::Confirms(is_it) => assert!(asked.len() == 1 && is_it(&asked[0]), "{shown}: {asked:?}"),
            Enter::Closes => assert!(asked.is_empty() && !is_open, "{shown}: {asked:?}, open: {is_open}"),
            Enter::Nothing => assert!(asked.is_empty() && is_open, "{shown}: {asked:?}, open: {is_open}"),
        }

        let (mut scene, _) = open(&case);
        press(&mut scene, Modifiers::NONE, Key::Escape);
        let (asked, is_open) = (actions(&scene), scene.state().dialog.is_some());
        assert!(asked.is_empty() && !is_open, "Escape in {shown}: {asked:?}, open: {is_open}");
    }
    assert_eq!(seen.len(), KINDS, "each kind of dialog has a case: {seen:?}");
}

/// Enter is a press of the button that has the keyboard, and of no other one.
#[test]
fn enter_on_cancel_cancels() {
    for case in cases() {
        let (mut scene, shown) = open(&case);
        for label in ["Cancel", "Go back"] {
            let Some(button) = scene.window.query_by_label(label) else { continue };
            button.focus();
            scene.settle();
            press(&mut scene, Modifiers::NONE, Key::Enter);
            let asked = actions(&scene);
            assert!(asked.is_empty() && scene.state().dialog.is_none(), "{shown}: {asked:?}");
            break;
        }
    }
}

/// A choice with the keyboard is made with Space. Enter takes what is chosen.
#[test]
fn enter_on_a_choice_takes_what_is_chosen() {
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    press(&mut scene, Modifiers::COMMAND, Key::E);
    scene.handle.asked();
    scene.window.get_by_label("Figure of the visible plots, SVG").focus();
    scene.settle();
    press(&mut scene, Modifiers::NONE, Key::Enter);
    let asked = actions(&scene);
    assert!(matches!(&asked[..], [Asked::Export(order)] if order.format == ExportFormat::Csv), "{asked:?}");

    let mut scene = scenes::home(plain());
    click(&mut scene, "Preferences");
    scene.window.get_by_label("Open the marker pad").focus();
    scene.settle();
    press(&mut scene, Modifiers::NONE, Key::Enter);
    assert!(scene.state().dialog.is_none() && !scene.state().preferences.marker_pad);
}

/// In an open menu of a dialog, Enter chooses an entry, and Escape closes the menu.
#[test]
fn keys_in_a_menu_of_a_dialog_are_the_menus() {
    let mut scene = scenes::home(plain());
    press(&mut scene, Modifiers::COMMAND, Key::N);
    click(&mut scene, "Study");
    scene.handle.asked();
    press(&mut scene, Modifiers::NONE, Key::Enter);
    assert!(actions(&scene).is_empty() && scene.state().dialog.is_some());
    assert!(says(&scene, "Who sits at this screen?"));
}
