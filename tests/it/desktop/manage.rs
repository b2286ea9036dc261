//! What the operator does with sessions: select, reassign, erase, export, import, discard, note.

use affectograph::desktop::port::*;
use affectograph::desktop::{Dialog, Screen};
use affectograph::session::*;
use eframe::egui;
use egui::accesskit::Role;
use egui::{Event, Key, Modifiers, PointerButton, Pos2};
use egui_kittest::kittest::Queryable;

use super::fake::Asked;
use super::scenes::{self, Scene};
use super::{click, field_type, plain, press, says};

/// A press and a release in one frame, as a busy machine gets a quick click.
fn quick_click(scene: &mut Scene, pos: Pos2) {
    let button =
        |pressed| Event::PointerButton { pos, button: PointerButton::Primary, pressed, modifiers: Modifiers::NONE };
    scene.window.input_mut().events.extend([Event::PointerMoved(pos), button(true), button(false)]);
    scene.window.step();
    scene.settle();
}

fn centre(scene: &Scene, label: &str) -> Pos2 {
    scene.window.get_by_label(label).rect().center()
}

/// Clicks a row with these keys held.
fn click_row(scene: &mut Scene, modifiers: Modifiers, label: &str) {
    scene.window.get_by_label(label).click_modifiers(modifiers);
    scene.settle();
}

fn write_into(scene: &mut Scene, label: &str, text: &str) {
    scene.window.get_by_role_and_label(Role::TextInput, label).focus();
    scene.settle();
    scene.window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    scene.settle();
    field_type(scene, text);
}

fn labels(scene: &Scene) -> Vec<String> {
    scene.state().home.listed().map(|s| format!("{}, study {}, complete", s.title(), s.study)).collect()
}

#[test]
fn the_menu_of_a_dialog_is_above_it_each_time() {
    let mut scene = scenes::home(plain());
    for round in 0..4 {
        press(&mut scene, Modifiers::COMMAND, Key::N);
        // The press moves the dialog up, above what was above it before.
        let title = scene.window.get_by_role_and_label(Role::Label, "New session").rect().center();
        let somewhere = title + egui::vec2(150.0, 0.0);
        quick_click(&mut scene, somewhere);
        let combo = centre(&scene, "Study");
        quick_click(&mut scene, combo);
        let entry = scene.window.get_by_role_and_label(Role::Button, "Checkout redesign").rect().center();
        let layer = scene.window.ctx.layer_id_at(entry).unwrap();
        assert_eq!(layer.order, egui::Order::Foreground, "round {round}: the menu is behind the dialog");
        quick_click(&mut scene, entry);
        let Some(Dialog::NewSession(draft)) = &scene.state().dialog else { panic!("round {round}: no dialog") };
        assert!(draft.study_file.as_ref().unwrap().to_string_lossy().contains("checkout"), "round {round}: {draft:?}");
        press(&mut scene, Modifiers::NONE, Key::Escape);
        assert!(scene.state().dialog.is_none(), "round {round}");
    }
}

#[test]
fn a_used_number_is_refused_in_the_dialog_with_the_next_one() {
    let mut scene = scenes::home(plain());
    press(&mut scene, Modifiers::COMMAND, Key::N);
    write_into(&mut scene, "Participant", "sub-03");
    write_into(&mut scene, "Session", "ses-01");
    assert!(says(&scene, "sub-03 ses-01 exists already. The next free number is ses-03."));
    press(&mut scene, Modifiers::NONE, Key::Enter);
    click(&mut scene, "Set up");
    assert_eq!(scene.handle.asked(), [], "not at Record, but here");
    click(&mut scene, "Use ses-03");
    click(&mut scene, "Set up");
    assert!(matches!(&scene.handle.asked()[..], [Asked::Rehearse(p)] if p.session == SessionNumber(3)));
}

#[test]
fn several_sessions_are_selected_and_exported_at_once() {
    let mut scene = scenes::home(plain());
    let rows = labels(&scene);
    click(&mut scene, &rows[0]);
    click_row(&mut scene, Modifiers::SHIFT, &rows[2]);
    assert_eq!(scene.state().home.selected_rows().len(), 3);
    click_row(&mut scene, Modifiers::COMMAND, &rows[1]);
    assert_eq!(scene.state().home.selected_rows().len(), 2);
    assert!(says(&scene, "2 sessions selected"));
    press(&mut scene, Modifiers::COMMAND, Key::A);
    assert_eq!(scene.state().home.selection.len(), 18);
    click(&mut scene, &rows[0]);
    click_row(&mut scene, Modifiers::COMMAND, &rows[1]);
    press(&mut scene, Modifiers::COMMAND, Key::E);
    click(&mut scene, "BIDS: a dataset with HED tags");
    scene.window.get_all_by_label("Export").last().unwrap().click();
    scene.settle();
    let asked = scene.handle.asked();
    let [Asked::ExportSessions(order)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!((order.format, order.sessions.len()), (DatasetFormat::Bids, 2));
    assert!(order.to.to_string_lossy().ends_with("_bids"), "{}", order.to.display());
    scene.say(BackendEvent::JobProgress(JobProgress { done: 0.5, name: "2 of 2: sub-13".into() }));
    assert!(says(&scene, "2 of 2: sub-13"));
    click(&mut scene, "Stop");
    assert_eq!(scene.handle.asked(), [Asked::CancelJob]);
    // A failure shows the draft again.
    let sentence = "could not create `x`: Permission denied".to_owned();
    scene.say(BackendEvent::Failed { during: Activity::Job, sentence });
    assert!(says(&scene, "Permission denied") && says(&scene, "Export 2 sessions"));
    scene.window.get_all_by_label("Export").last().unwrap().click();
    scene.settle();
    assert_eq!(scene.handle.asked(), asked);
    let to = order.to.clone();
    scene.say(BackendEvent::JobFinished(JobResult::Exported { to, sessions: 2, left_out: Vec::new() }));
    assert!(says(&scene, "2 sessions exported to") && scene.state().job.is_none());
}

#[test]
fn a_filter_of_states_or_grades_hides_rows_and_what_it_hides_is_not_selected() {
    let mut scene = scenes::home(plain());
    press(&mut scene, Modifiers::COMMAND, Key::A);
    assert_eq!(scene.state().home.selection.len(), 18);
    let untick = |scene: &mut Scene, menu: &str, choice: &str| {
        click(scene, menu);
        scene.window.get_by_role_and_label(Role::CheckBox, choice).click();
        scene.settle();
        press(scene, Modifiers::NONE, Key::Escape);
    };
    untick(&mut scene, "State", "damaged");
    untick(&mut scene, "State: some hidden", "recovered");
    assert!(says(&scene, "16 of 18") && scene.state().home.selection.len() == 16);
    let hidden = |row: &SessionRow| row.grade == Some(Grade::A);
    let of_grade = scene.state().home.listed().filter(|row| hidden(row)).count();
    untick(&mut scene, "Grade", "grade A");
    assert!(of_grade > 0 && !scene.state().home.listed().any(hidden));
    assert_eq!(scene.state().home.selection.len(), 16 - of_grade, "a key of the keyboard would reach hidden rows");
    let buttons = ["Show all", "Study averages …"].map(|name| scene.window.get_by_label(name).rect());
    assert!(!buttons[0].intersects(buttons[1]), "one button covers the other: {buttons:?}");
    click(&mut scene, "Show all");
    assert_eq!((scene.state().home.listed().count(), scene.state().home.selection.len()), (18, 16 - of_grade));
}

#[test]
fn a_notice_fades_and_a_warning_stays_until_it_is_dismissed() {
    let mut scene = scenes::home(plain().with_step_dt(0.5));
    scene.say(BackendEvent::ExportFinished { to: "/tmp/averages".into() });
    let sentence = "sub-09: too large.".to_owned();
    scene
        .say(BackendEvent::SessionsDownloaded(DownloadResult { refused: vec![sentence], ..DownloadResult::default() }));
    let is_warned = |scene: &Scene| says(scene, "sub-09: too large.");
    assert!(says(&scene, "Exported to") && is_warned(&scene));
    scene.window.run_steps(30);
    assert!(!says(&scene, "Exported to"), "it has faded after 15 s");
    assert!(is_warned(&scene));
}

#[test]
fn the_menu_of_a_row_opens_copies_and_reassigns() {
    let mut scene = scenes::home(plain());
    let rows = labels(&scene);
    let row = scene.state().home.listed().next().cloned().unwrap();
    let menu = |scene: &mut Scene, item: &str| {
        scene.window.get_by_label(&rows[0]).click_secondary();
        scene.settle();
        click(scene, item);
    };
    menu(&mut scene, "Open folder");
    menu(&mut scene, "Copy figure");
    assert_eq!(scene.handle.asked(), [Asked::Folder(row.folder.clone()), Asked::Figure(row.folder.clone())]);
    let picture = Picture { width_px: 2, height_px: 1, rgb: vec![255, 0, 0, 0, 255, 0] };
    scene.handle.say(BackendEvent::FigureDrawn(picture.into()));
    scene.window.step();
    let copied = scene
        .window
        .output()
        .platform_output
        .commands
        .iter()
        .any(|c| matches!(c, egui::OutputCommand::CopyImage(image) if image.size == [2, 1]));
    assert!(copied, "no picture in the clipboard");
    scene.settle();
    menu(&mut scene, "Reassign …");
    assert!(says(&scene, &format!("Reassign {}", row.title())));
    write_into(&mut scene, "Participant", "sub-03");
    write_into(&mut scene, "Session", "ses-02");
    assert!(says(&scene, "sub-03 ses-02 exists already. The next free number is ses-03."));
    write_into(&mut scene, "Session", "ses-03");
    click(&mut scene, "Reassign");
    let (participant, session) = (ParticipantId::numbered(3), SessionNumber(3));
    let folder = row.folder.clone();
    assert_eq!(scene.handle.asked(), [Asked::Reassign(Reassignment { folder, participant, session })]);
    scene.say(BackendEvent::Reassigned { folder: row.folder, sentence: "sub-14 ses-01 is now sub-03 ses-03.".into() });
    assert!(says(&scene, "is now sub-03 ses-03."));
}

#[test]
fn a_participant_is_erased_by_name_and_what_stays_is_listed() {
    let mut scene = scenes::home(plain());
    let row = scene.state().home.library.as_ref().unwrap().sessions[0].clone();
    let label = format!("{}, study {}, complete", row.title(), row.study);
    // The row may be below the visible part.
    write_into(&mut scene, "Filter sessions", "sub-01");
    press(&mut scene, Modifiers::NONE, Key::Escape);
    scene.window.get_by_label(&label).click_secondary();
    scene.settle();
    click(&mut scene, "Erase participant sub-01 …");
    assert!(says(&scene, "These exports contain the data and stay."));
    assert!(says(&scene, "checkout_bids"));
    click(&mut scene, "Erase");
    assert_eq!(scene.handle.asked(), []);
    write_into(&mut scene, "Type sub-01 to confirm", "sub-01");
    click(&mut scene, "Erase");
    let erasure = Erasure::Participant(ParticipantId::numbered(1));
    assert_eq!(scene.handle.asked(), [Asked::Erase(erasure)]);
}

#[test]
fn a_recording_is_discarded_after_a_question() {
    let mut scene = scenes::live(plain(), 60.0, false);
    scene.handle.asked();
    click(&mut scene, "Stop and save …");
    click(&mut scene, "Discard …");
    assert!(says(&scene, "Stop and discard this recording?"));
    // The harmless answer has the keyboard.
    press(&mut scene, Modifiers::NONE, Key::Enter);
    assert_eq!(scene.handle.asked(), []);
    assert!(scene.state().dialog.is_none() && scene.state().recording.is_some());
    click(&mut scene, "Stop and save …");
    click(&mut scene, "Discard …");
    click(&mut scene, "Stop and discard");
    assert_eq!(scene.handle.asked(), [Asked::Discard]);
    scene.say(BackendEvent::RecordingDiscarded);
    assert_eq!(scene.state().screen, Screen::Home);
    assert!(says(&scene, "sub-15 ses-01 was stopped and discarded."));
}

#[test]
fn the_question_about_checks_lists_what_fails_now_and_its_buttons_stay() {
    let mut scene = scenes::set_up(plain(), true);
    click(&mut scene, "The participant has agreed to this");
    let record = centre(&scene, "Record anyway …");
    let consent = centre(&scene, "The participant has agreed to this");
    scene.say(BackendEvent::Checks(scenes::checks(false)));
    assert!((centre(&scene, "Record") - record).length() < 1.0, "the button moved");
    assert!((centre(&scene, "The participant has agreed to this") - consent).length() < 1.0, "consent moved");
    scene.say(BackendEvent::Checks(scenes::checks(true)));
    click(&mut scene, "Record anyway …");
    assert!(says(&scene, "does not answer"));
    let button = centre(&scene, "Record anyway");
    let mut checks = scenes::checks(false);
    checks[1] = Check { id: CheckId::OneFace, state: CheckState::Failed, sentence: "There are 2 faces.".into() };
    scene.say(BackendEvent::Checks(checks));
    assert_eq!(
        scene.window.query_all_by_label_contains("There are 2 faces.").count(),
        2,
        "in the list and in the dialog"
    );
    assert!((centre(&scene, "Record anyway") - button).length() < 1.0, "the button of the dialog moved");
    click(&mut scene, "Record anyway");
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Start(o)] if o.overridden_checks == [CheckId::OneFace]), "{asked:?}");
}

#[test]
fn the_report_takes_a_note_and_leads_to_the_next_participant() {
    let mut scene = scenes::live(plain(), 60.0, false);
    scene.handle.asked();
    scene.say(BackendEvent::RecordingFinished(Box::new(scenes::finished())));
    scene.handle.asked();
    write_into(&mut scene, "Note about this session", "Chewing gum.");
    click(&mut scene, "Store note");
    let folder = scenes::finished().session.folder;
    let note = SessionNote { folder: folder.clone(), text: "Chewing gum.".into() };
    assert_eq!(scene.handle.asked(), [Asked::Note(note)]);
    scene.say(BackendEvent::NoteStored { folder });
    assert!(says(&scene, "The note is stored") && scene.state().report_note.is_empty());
    click(&mut scene, "Next participant");
    // sub-15 was just recorded, and the list of the backend has not come yet.
    click(&mut scene, "Set up");
    let asked = scene.handle.asked();
    assert!(matches!(&asked[..], [Asked::Rehearse(p)] if p.participant == ParticipantId::numbered(16)), "{asked:?}");
}

#[test]
fn a_signal_closes_the_window_without_a_question() {
    let mut scene = scenes::live(plain(), 60.0, false);
    scene.handle.say(BackendEvent::Terminate);
    scene.window.step();
    assert!(scene.state().dialog.is_none());
    let commands = &scene.window.output().viewport_output[&egui::ViewportId::ROOT].commands;
    assert!(commands.contains(&egui::ViewportCommand::Close), "{commands:?}");
}

/// A system without a desktop portal and without zenity.
#[test]
fn where_no_file_dialog_can_be_shown_the_path_is_typed() {
    let path = std::env::var_os("PATH");
    // SAFETY: this test has the process, or at least its thread of tests, for itself. No other thread reads the environment.
    unsafe {
        std::env::set_var("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        std::env::set_var("PATH", "/nonexistent");
    }
    let mut scene = scenes::set_up(plain(), true);
    click(&mut scene, "Video file …");
    for _ in 0..100 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        scene.settle();
        if says(&scene, "This system shows no file dialogs") {
            break;
        }
    }
    // SAFETY: as above. The thread of the dialog has ended.
    unsafe {
        std::env::set_var("PATH", path.unwrap_or_default());
        std::env::remove_var("DBUS_SESSION_BUS_ADDRESS");
    }
    assert!(says(&scene, "This system shows no file dialogs"));
    assert!(matches!(scene.state().dialog, Some(Dialog::VideoPath(_))));
}
