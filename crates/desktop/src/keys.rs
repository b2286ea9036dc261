//! All keyboard shortcuts, and the table of them for the dialog.

use eframe::egui;
use egui::{Event, Key, Modifiers};

use session::marker_of_digit;

use super::command::{
    AnnotateCommand, Command, EditorCommand, HomeCommand, JobCommand, LiveCommand, RateCommand, ReportCommand,
    ReviewCommand, SetUpCommand, StudyCommand,
};
use super::port::{ExportFormat, MarkerVia, ParticipantCommand, StudyExportFormat};
use super::state::{AfterSave, Dialog, Screen, State, StopState};

/// The shortcuts of one screen or activity.
pub struct Group {
    pub title: &'static str,
    pub keys: &'static [(&'static str, &'static str)],
}

pub const GROUPS: [Group; 9] = [
    Group {
        title: "Everywhere",
        keys: &[
            ("F1  ?", "show this help"),
            ("Tab, Shift Tab", "next, previous control"),
            ("Ctrl +, Ctrl −, Ctrl 0", "larger, smaller, normal text"),
            ("Esc", "close a dialog"),
        ],
    },
    Group {
        title: "Sessions",
        keys: &[
            ("Ctrl N", "new session"),
            ("Ctrl Shift N", "new study"),
            ("Ctrl O", "open a session from another folder"),
            ("Ctrl Shift O", "download sessions from a server"),
            ("Up, Down", "select a session (with Shift: more)"),
            ("Ctrl A", "select all sessions that are shown"),
            ("Enter", "open the selected session"),
            ("Delete", "erase the selected sessions"),
            ("Ctrl E", "export the selected sessions"),
            ("Ctrl M", "averages of the study"),
            ("F5", "read the sessions again"),
        ],
    },
    Group {
        title: "Study",
        keys: &[
            ("Ctrl Enter", "compute averages"),
            ("Esc", "cancel the computation"),
            ("Up, Down", "select an epoch"),
            ("Enter", "show the epoch on video"),
            ("Ctrl E", "export"),
        ],
    },
    Group { title: "Study editor", keys: &[("Ctrl S", "save")] },
    Group { title: "Set-up", keys: &[("Ctrl R", "record")] },
    Group {
        title: "Recording",
        keys: &[
            ("the study's own keys", "set a marker"),
            ("Ctrl 1 … 9", "set a marker, also while the page or a text field has the keyboard"),
            ("Ctrl Z", "take back the marker of the last 5 s"),
            ("Ctrl P", "pause, continue"),
            ("Ctrl N", "write a note with the present time"),
            ("Ctrl Shift S", "stop, with a confirmation"),
            ("F6", "give the keyboard to the page, or back to this window"),
            ("Ctrl Shift F12", "show, hide the participant's screen"),
        ],
    },
    Group {
        title: "Review",
        keys: &[
            ("Space", "play, pause"),
            ("Left, Right", "one frame back, forward"),
            ("Shift Left, Shift Right", "one second back, forward"),
            ("Home, End", "to the start, the end"),
            ("N, P", "to the next, the previous event"),
            ("+, −", "zoom in, out (also with the wheel)"),
            ("F", "show the whole session"),
            ("Q", "shade poor quality"),
            ("W", "show, hide the recorded page"),
            ("A, Shift A", "average around similar events, compare"),
            ("Ctrl E", "export"),
        ],
    },
    Group {
        title: "Annotating",
        keys: &[
            ("1 … 9", "set a point with this label"),
            ("Ctrl 1 … 9", "begin, end a range"),
            ("Delete", "remove the selected annotation"),
            ("Ctrl Z, Ctrl Shift Z", "undo, redo"),
            ("Esc", "cancel a range without an end"),
        ],
    },
    Group {
        title: "Rating",
        keys: &[
            ("R", "start a rating at the playhead"),
            ("Arrows", "change valence, arousal"),
            ("Space", "pause, continue"),
            ("Esc", "end the rating"),
        ],
    },
];

/// Pushes the commands of the keys that were pressed since the last frame.
pub fn commands(ctx: &egui::Context, state: &State, commands: &mut Vec<Command>) {
    let is_typing = ctx.text_edit_focused();
    // Arrows, Space and Enter belong to the control that has the keyboard.
    let is_free = ctx.memory(|m| m.focused()).is_none();
    if state.screen == Screen::Live {
        // Before all else: no dialog and no text field takes the markers away.
        markers(ctx, state, &MarkerVia::Window, commands);
    }
    ctx.input_mut(|input| {
        let mut pressed = |modifiers: Modifiers, key: Key| input.consume_key(modifiers, key);
        if let Some(is_in_front) = state.participant.front
            && pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::F12)
        {
            commands.push(Command::Participant(ParticipantCommand::SetFront(!is_in_front)));
        }
        if pressed(Modifiers::NONE, Key::F1) {
            let is_open = state.dialog == Some(Dialog::Shortcuts);
            commands.push(if is_open { Command::CloseDialog } else { Command::ShowShortcuts });
        }
        if state.dialog.is_some() {
            return;
        }
        if !is_typing && (pressed(Modifiers::NONE, Key::Questionmark) || pressed(Modifiers::SHIFT, Key::Questionmark)) {
            commands.push(Command::ShowShortcuts);
        }
        match state.screen {
            Screen::Home => home(&mut pressed, state, is_free, commands),
            Screen::SetUp => {
                if pressed(Modifiers::COMMAND, Key::R) {
                    commands.push(Command::SetUp(SetUpCommand::Record));
                }
            }
            Screen::Live => live(&mut pressed, state, is_typing, commands),
            Screen::Report => {
                if pressed(Modifiers::COMMAND, Key::N) {
                    commands.push(Command::Report(ReportCommand::NextParticipant));
                }
            }
            Screen::Review => review(&mut pressed, state, is_free, commands),
            Screen::Study => study(&mut pressed, state, is_free, commands),
            Screen::Editor => {
                if pressed(Modifiers::COMMAND, Key::S) {
                    commands.push(Command::Editor(EditorCommand::Save(AfterSave::Stay)));
                }
            }
        }
    });
    if state.dialog.is_some() || is_typing {
        return;
    }
    if state.screen == Screen::Review {
        labels(ctx, commands);
    }
}

/// Takes a key press from the input. Returns whether the key was pressed.
type Pressed<'a> = &'a mut dyn FnMut(Modifiers, Key) -> bool;

fn push_pressed<const N: usize>(
    pressed: Pressed<'_>,
    table: [(Modifiers, Key, Command); N],
    commands: &mut Vec<Command>,
) {
    for (modifiers, key, command) in table {
        if pressed(modifiers, key) {
            commands.push(command);
        }
    }
}

fn home(pressed: Pressed<'_>, state: &State, is_free: bool, commands: &mut Vec<Command>) {
    use HomeCommand as H;
    let table = [
        // With Shift first: a key without Shift also matches a press with Shift.
        (Modifiers::COMMAND | Modifiers::SHIFT, Key::N, Command::Editor(EditorCommand::ShowNewStudyDialog(None))),
        (Modifiers::COMMAND, Key::N, Command::Home(H::ShowNewSessionDialog)),
        (Modifiers::COMMAND | Modifiers::SHIFT, Key::O, Command::Home(H::ShowDownloadDialog)),
        (Modifiers::COMMAND, Key::O, Command::Home(H::ShowOpenDialog)),
        (Modifiers::NONE, Key::F5, Command::Home(H::RefreshLibrary)),
    ];
    push_pressed(pressed, table, commands);
    if !is_free {
        return;
    }
    if pressed(Modifiers::COMMAND, Key::A) {
        commands.push(Command::Home(H::SelectAll));
    }
    if pressed(Modifiers::COMMAND, Key::M) {
        let study = state.home.study_to_query();
        commands.extend(study.map(|name| Command::Study(StudyCommand::Open(name))));
    }
    let table = [
        (Modifiers::SHIFT, Key::ArrowDown, Command::Home(H::ExtendSelection(1))),
        (Modifiers::SHIFT, Key::ArrowUp, Command::Home(H::ExtendSelection(-1))),
        (Modifiers::NONE, Key::ArrowDown, Command::Home(H::MoveSelection(1))),
        (Modifiers::NONE, Key::ArrowUp, Command::Home(H::MoveSelection(-1))),
    ];
    push_pressed(pressed, table, commands);
    if pressed(Modifiers::NONE, Key::Enter) {
        commands.extend(state.home.selected.clone().map(Command::OpenSession));
    }
    let selection = || state.home.selection.iter().cloned().collect();
    if pressed(Modifiers::NONE, Key::Delete) && !state.home.selection.is_empty() {
        commands.push(Command::Home(H::ShowEraseDialog(selection())));
    }
    if pressed(Modifiers::COMMAND, Key::E) && !state.home.selection.is_empty() {
        commands.push(Command::Job(JobCommand::ShowExport(selection())));
    }
}

fn live(pressed: Pressed<'_>, state: &State, is_typing: bool, commands: &mut Vec<Command>) {
    let is_paused = state.recording.as_ref().is_some_and(|r| r.phases.is_paused());
    let table = [
        (Modifiers::COMMAND | Modifiers::SHIFT, Key::S, Command::Live(LiveCommand::RequestStop)),
        (Modifiers::COMMAND, Key::N, Command::Live(LiveCommand::BeginNote)),
        (Modifiers::COMMAND, Key::P, Command::Live(LiveCommand::Pause(!is_paused))),
        (Modifiers::NONE, Key::F6, Command::Live(LiveCommand::FocusPage)),
    ];
    push_pressed(pressed, table, commands);
    // In a text field, Ctrl Z is the field's own undo.
    if !is_typing && pressed(Modifiers::COMMAND, Key::Z) {
        commands.push(Command::Live(LiveCommand::TakeMarkerBack));
    }
}

fn study(pressed: Pressed<'_>, state: &State, is_free: bool, commands: &mut Vec<Command>) {
    use StudyCommand as S;
    let is_running = state.study.as_ref().is_some_and(|s| s.progress.is_some());
    if pressed(Modifiers::COMMAND, Key::Enter) && !is_running {
        commands.push(Command::Study(S::RunQuery));
    }
    if pressed(Modifiers::COMMAND, Key::E) {
        commands.push(Command::Study(S::ShowExportDialog(StudyExportFormat::FigureSvg)));
    }
    if is_running && pressed(Modifiers::NONE, Key::Escape) {
        commands.push(Command::Study(S::CancelQuery));
    }
    if !is_free {
        return;
    }
    let table = [
        (Modifiers::NONE, Key::ArrowDown, Command::Study(S::MoveEpoch(1))),
        (Modifiers::NONE, Key::ArrowUp, Command::Study(S::MoveEpoch(-1))),
        (Modifiers::NONE, Key::Enter, Command::Study(S::OpenEpoch)),
    ];
    push_pressed(pressed, table, commands);
}

fn review(pressed: Pressed<'_>, state: &State, is_free: bool, commands: &mut Vec<Command>) {
    if pressed(Modifiers::COMMAND, Key::E) {
        commands.push(Command::Review(ReviewCommand::ShowExportDialog(ExportFormat::Csv)));
    }
    let is_rating = state.review.as_ref().is_some_and(|r| r.ratings.running.is_some());
    if is_rating {
        rating(pressed, commands);
    } else if is_free {
        playback_and_annotations(pressed, state, commands);
    }
}

/// During a rating the arrows move the rating. Only playing moves the playhead.
fn rating(pressed: Pressed<'_>, commands: &mut Vec<Command>) {
    use RateCommand as R;
    let table = [
        (Modifiers::NONE, Key::Space, Command::Review(ReviewCommand::TogglePlay)),
        (Modifiers::NONE, Key::Escape, Command::Rate(R::End)),
        (Modifiers::NONE, Key::ArrowLeft, Command::Rate(R::MovePosition(-1.0, 0.0))),
        (Modifiers::NONE, Key::ArrowRight, Command::Rate(R::MovePosition(1.0, 0.0))),
        (Modifiers::NONE, Key::ArrowUp, Command::Rate(R::MovePosition(0.0, 1.0))),
        (Modifiers::NONE, Key::ArrowDown, Command::Rate(R::MovePosition(0.0, -1.0))),
    ];
    push_pressed(pressed, table, commands);
}

fn playback_and_annotations(pressed: Pressed<'_>, state: &State, commands: &mut Vec<Command>) {
    use Command as C;
    use ReviewCommand as R;
    let is_shaded = state.review.as_ref().is_some_and(|r| r.shades_poor);
    let table = [
        (Modifiers::COMMAND | Modifiers::SHIFT, Key::Z, C::Annotate(AnnotateCommand::Redo)),
        (Modifiers::COMMAND, Key::Z, C::Annotate(AnnotateCommand::Undo)),
        (Modifiers::COMMAND, Key::Y, C::Annotate(AnnotateCommand::Redo)),
        (Modifiers::NONE, Key::Delete, C::Annotate(AnnotateCommand::RemoveSelected)),
        (Modifiers::NONE, Key::Escape, C::Annotate(AnnotateCommand::CancelRange)),
        (Modifiers::SHIFT, Key::A, C::Study(StudyCommand::SelectSimilarEvents { condition: 1 })),
        (Modifiers::NONE, Key::A, C::Study(StudyCommand::SelectSimilarEvents { condition: 0 })),
        (Modifiers::NONE, Key::R, C::Rate(RateCommand::Begin)),
        (Modifiers::NONE, Key::Q, C::Review(R::ShadePoor(!is_shaded))),
        (Modifiers::NONE, Key::W, C::Review(R::TogglePage)),
        (Modifiers::NONE, Key::Space, C::Review(R::TogglePlay)),
        // With Shift first: a plain arrow also matches a press with modifiers.
        (Modifiers::SHIFT, Key::ArrowLeft, C::Review(R::StepSeconds(-1.0))),
        (Modifiers::SHIFT, Key::ArrowRight, C::Review(R::StepSeconds(1.0))),
        (Modifiers::NONE, Key::ArrowLeft, C::Review(R::StepFrames(-1))),
        (Modifiers::NONE, Key::ArrowRight, C::Review(R::StepFrames(1))),
        (Modifiers::NONE, Key::Home, C::Review(R::StepSeconds(f64::NEG_INFINITY))),
        (Modifiers::NONE, Key::End, C::Review(R::StepSeconds(f64::INFINITY))),
        (Modifiers::NONE, Key::N, C::Review(R::NextEvent)),
        (Modifiers::NONE, Key::P, C::Review(R::PreviousEvent)),
        (Modifiers::NONE, Key::F, C::Review(R::Fit)),
        (Modifiers::NONE, Key::Plus, C::Review(R::ZoomAtPlayhead(1.5))),
        (Modifiers::SHIFT, Key::Plus, C::Review(R::ZoomAtPlayhead(1.5))),
        (Modifiers::NONE, Key::Equals, C::Review(R::ZoomAtPlayhead(1.5))),
        (Modifiers::NONE, Key::Minus, C::Review(R::ZoomAtPlayhead(1.0 / 1.5))),
    ];
    push_pressed(pressed, table, commands);
}

/// Digits by their place on the keyboard, alone or with Ctrl. Shift is not used: with Shift the key has another sign
/// when it is pressed than when it is released, so it would seem to be held down for ever.
fn labels(ctx: &egui::Context, commands: &mut Vec<Command>) {
    ctx.input(|input| {
        for event in &input.events {
            let Event::Key { key, physical_key, pressed: true, repeat: false, modifiers } = event else { continue };
            if modifiers.shift || modifiers.alt {
                continue;
            }
            let Some(k) = DIGITS.iter().position(|digit| *digit == physical_key.unwrap_or(*key)) else { continue };
            let command = if modifiers.command { AnnotateCommand::Range(k) } else { AnnotateCommand::Point(k) };
            commands.push(Command::Annotate(command));
        }
    });
}

const DIGITS: [Key; 9] =
    [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9];

/// The marker keys of the study, alone or as Ctrl with a digit. A key that is held down sets one marker. In a text field
/// and in a dialog only Ctrl with a digit sets a marker.
pub fn markers(ctx: &egui::Context, state: &State, via: &MarkerVia, commands: &mut Vec<Command>) {
    let Some(recording) = state.recording.as_ref().filter(|r| r.stop != StopState::Stopping) else { return };
    let markers = &recording.study.markers;
    let is_plain_free = !ctx.text_edit_focused() && state.dialog.is_none();
    ctx.input(|input| {
        for event in &input.events {
            let Event::Key { key, physical_key, pressed: true, repeat: false, modifiers } = event else { continue };
            let marker = if modifiers.command && !modifiers.alt && !modifiers.shift {
                let digit = DIGITS.iter().position(|digit| *digit == physical_key.unwrap_or(*key));
                digit.and_then(|k| marker_of_digit(markers, k as u8 + 1))
            } else if is_plain_free && !(modifiers.ctrl || modifiers.alt || modifiers.command) {
                let mut name = key.name().chars();
                match (name.next(), name.next()) {
                    (Some(letter), None) => markers.iter().find(|m| m.key.eq_ignore_ascii_case(&letter)),
                    _ => None,
                }
            } else {
                None
            };
            commands.extend(marker.map(|m| Command::Live(LiveCommand::Mark(m.key, via.clone()))));
        }
    });
}
