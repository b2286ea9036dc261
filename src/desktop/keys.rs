//! Every keyboard shortcut, once: what the help lists is what works.

use eframe::egui;
use egui::{Event, Key, Modifiers};

use super::command::Command;
use super::state::{Dialog, Screen, State, Stop};

/// Where a shortcut works.
pub struct Group {
    pub title: &'static str,
    pub keys: &'static [(&'static str, &'static str)],
}

pub const GROUPS: [Group; 5] = [
    Group {
        title: "Everywhere",
        keys: &[
            ("F1  ?", "this table"),
            ("Tab, Shift Tab", "to the next, the previous control"),
            ("Ctrl +, Ctrl −, Ctrl 0", "larger, smaller, normal text"),
            ("Esc", "close a dialog"),
        ],
    },
    Group {
        title: "Sessions",
        keys: &[
            ("Ctrl N", "new session"),
            ("Ctrl O", "open a session from elsewhere"),
            ("Up, Down", "select a session"),
            ("Enter", "open the selected session"),
            ("Delete", "erase the selected session"),
            ("F5", "look again"),
        ],
    },
    Group { title: "Set-up", keys: &[("Ctrl R", "record")] },
    Group {
        title: "Recording",
        keys: &[
            ("the study's own keys", "set a marker"),
            ("Ctrl N", "write a note, stamped now"),
            ("Ctrl Shift S", "stop, then confirm"),
            ("F6", "give the keyboard to the page"),
        ],
    },
    Group {
        title: "Review",
        keys: &[
            ("Space", "play, pause"),
            ("Left, Right", "one frame back, on"),
            ("Shift Left, Shift Right", "one second back, on"),
            ("Home, End", "to the start, the end"),
            ("N, P", "to the next, the previous event"),
            ("+, −", "zoom in, out; also the wheel"),
            ("F", "show the whole session"),
            ("Ctrl E", "export"),
        ],
    },
];

/// What the keys pressed since the last drawing ask for.
pub fn commands(ctx: &egui::Context, state: &State, commands: &mut Vec<Command>) {
    let is_typing = ctx.text_edit_focused();
    // Arrows, Space and Enter belong to the control that has the keyboard.
    let is_free = ctx.memory(|m| m.focused()).is_none();
    ctx.input_mut(|input| {
        let mut pressed = |modifiers: Modifiers, key: Key| input.consume_key(modifiers, key);
        if pressed(Modifiers::NONE, Key::F1) {
            commands.push(if state.dialog == Some(Dialog::Keys) { Command::CloseDialog } else { Command::ShowKeys });
        }
        if state.dialog.is_some() {
            return;
        }
        if !is_typing && (pressed(Modifiers::NONE, Key::Questionmark) || pressed(Modifiers::SHIFT, Key::Questionmark)) {
            commands.push(Command::ShowKeys);
        }
        match state.screen {
            Screen::Home => {
                if pressed(Modifiers::COMMAND, Key::N) {
                    commands.push(Command::AskNewSession);
                }
                if pressed(Modifiers::COMMAND, Key::O) {
                    commands.push(Command::AskOpen);
                }
                if pressed(Modifiers::NONE, Key::F5) {
                    commands.push(Command::RefreshLibrary);
                }
                if is_free {
                    if pressed(Modifiers::NONE, Key::ArrowDown) {
                        commands.push(Command::MoveSelection(1));
                    }
                    if pressed(Modifiers::NONE, Key::ArrowUp) {
                        commands.push(Command::MoveSelection(-1));
                    }
                    let selected = state.home.selected.clone();
                    if pressed(Modifiers::NONE, Key::Enter) {
                        commands.extend(selected.clone().map(Command::OpenSession));
                    }
                    if pressed(Modifiers::NONE, Key::Delete) {
                        commands.extend(selected.map(Command::AskErase));
                    }
                }
            }
            Screen::SetUp => {
                if pressed(Modifiers::COMMAND, Key::R) {
                    commands.push(Command::Record);
                }
            }
            Screen::Live => {
                if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::S) {
                    commands.push(Command::AskStop);
                }
                if pressed(Modifiers::COMMAND, Key::N) {
                    commands.push(Command::BeginNote);
                }
                if pressed(Modifiers::NONE, Key::F6) {
                    commands.push(Command::FocusPage);
                }
            }
            Screen::Report => {}
            Screen::Review => {
                if pressed(Modifiers::COMMAND, Key::E) {
                    commands.push(Command::AskExport(super::port::ExportFormat::Csv));
                }
                if is_free {
                    review(&mut pressed, commands);
                }
            }
        }
    });
    if state.screen == Screen::Live && state.dialog.is_none() && !is_typing {
        markers(ctx, state, commands);
    }
}

fn review(pressed: &mut impl FnMut(Modifiers, Key) -> bool, commands: &mut Vec<Command>) {
    use Command as C;
    let table = [
        (Modifiers::NONE, Key::Space, C::TogglePlay),
        // With Shift first: a plain arrow also matches where more modifiers are held.
        (Modifiers::SHIFT, Key::ArrowLeft, C::StepSeconds(-1.0)),
        (Modifiers::SHIFT, Key::ArrowRight, C::StepSeconds(1.0)),
        (Modifiers::NONE, Key::ArrowLeft, C::StepFrames(-1)),
        (Modifiers::NONE, Key::ArrowRight, C::StepFrames(1)),
        (Modifiers::NONE, Key::Home, C::StepSeconds(f64::NEG_INFINITY)),
        (Modifiers::NONE, Key::End, C::StepSeconds(f64::INFINITY)),
        (Modifiers::NONE, Key::N, C::NextEvent),
        (Modifiers::NONE, Key::P, C::PreviousEvent),
        (Modifiers::NONE, Key::F, C::Fit),
        (Modifiers::NONE, Key::Plus, C::ZoomAtPlayhead(1.5)),
        (Modifiers::SHIFT, Key::Plus, C::ZoomAtPlayhead(1.5)),
        (Modifiers::NONE, Key::Equals, C::ZoomAtPlayhead(1.5)),
        (Modifiers::NONE, Key::Minus, C::ZoomAtPlayhead(1.0 / 1.5)),
    ];
    for (modifiers, key, command) in table {
        if pressed(modifiers, key) {
            commands.push(command);
        }
    }
}

/// The study's own keys. A key held down marks once.
fn markers(ctx: &egui::Context, state: &State, commands: &mut Vec<Command>) {
    let Some(recording) = &state.recording else { return };
    if recording.stop == Stop::Stopping {
        return;
    }
    ctx.input(|input| {
        for event in &input.events {
            let Event::Key { key, pressed: true, repeat: false, modifiers, .. } = event else { continue };
            if modifiers.ctrl || modifiers.alt || modifiers.command {
                continue;
            }
            let mut name = key.name().chars();
            let (Some(letter), None) = (name.next(), name.next()) else { continue };
            let marker = recording.study.markers.iter().find(|m| m.key.eq_ignore_ascii_case(&letter));
            commands.extend(marker.map(|m| Command::Mark(m.key)));
        }
    });
}
