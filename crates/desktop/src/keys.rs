//! Every keyboard shortcut, once: what the help lists is what works.

use eframe::egui;
use egui::{Event, Key, Modifiers};

use super::command::{AnnotateCommand, Command, RateCommand, StudyCommand};
use super::port::StudyExportFormat;
use super::state::{Dialog, Screen, State, Stop};

/// Where a shortcut works.
pub struct Group {
    pub title: &'static str,
    pub keys: &'static [(&'static str, &'static str)],
}

pub const GROUPS: [Group; 8] = [
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
            ("Ctrl Shift O", "open sessions from a server"),
            ("Up, Down", "select a session"),
            ("Enter", "open the selected session"),
            ("Delete", "erase the selected session"),
            ("Ctrl A", "ask the study"),
            ("F5", "look again"),
        ],
    },
    Group {
        title: "Study",
        keys: &[
            ("Ctrl Enter", "average"),
            ("Esc", "stop averaging"),
            ("Up, Down", "choose an epoch"),
            ("Enter", "show it on video"),
            ("Ctrl E", "export"),
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
            ("Q", "shade poor quality"),
            ("W", "show or close the recorded page"),
            ("A, Shift A", "ask the study about all like this event, as B"),
            ("Ctrl E", "export"),
        ],
    },
    Group {
        title: "Annotating",
        keys: &[
            ("1 … 9", "a point with that label"),
            ("Ctrl 1 … 9", "begin, then end a range"),
            ("Delete", "take back the selected one"),
            ("Ctrl Z, Ctrl Shift Z", "undo, redo"),
            ("Esc", "drop a range that has no end"),
        ],
    },
    Group {
        title: "Rating",
        keys: &[
            ("R", "rate from here"),
            ("Arrows", "less, more pleasant or excited"),
            ("Space", "pause, go on"),
            ("Esc", "end"),
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
                // The longer one first: a key without Shift takes it with Shift as well.
                if pressed(Modifiers::COMMAND | Modifiers::SHIFT, Key::O) {
                    commands.push(Command::AskPull);
                }
                if pressed(Modifiers::COMMAND, Key::O) {
                    commands.push(Command::AskOpen);
                }
                if pressed(Modifiers::NONE, Key::F5) {
                    commands.push(Command::RefreshLibrary);
                }
                if is_free {
                    if pressed(Modifiers::COMMAND, Key::A) {
                        let study = state.home.study_to_ask();
                        commands.extend(study.map(|name| Command::Study(StudyCommand::Open(name))));
                    }
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
                let is_rating = state.review.as_ref().is_some_and(|r| r.rated.running.is_some());
                if is_rating {
                    rating(&mut pressed, commands);
                } else if is_free {
                    review(&mut pressed, state, commands);
                }
            }
            Screen::Study => study(&mut pressed, state, is_free, commands),
        }
    });
    if state.screen == Screen::Review && state.dialog.is_none() && !is_typing {
        labels(ctx, commands);
    }
    if state.screen == Screen::Live && state.dialog.is_none() && !is_typing {
        markers(ctx, state, commands);
    }
}

fn study(pressed: &mut impl FnMut(Modifiers, Key) -> bool, state: &State, is_free: bool, commands: &mut Vec<Command>) {
    use StudyCommand as S;
    let is_asking = state.studied.as_ref().is_some_and(|s| s.asking.is_some());
    let mut push = |command| commands.push(Command::Study(command));
    if pressed(Modifiers::COMMAND, Key::Enter) && !is_asking {
        push(S::Ask);
    }
    if pressed(Modifiers::COMMAND, Key::E) {
        push(S::AskExport(StudyExportFormat::FigureSvg));
    }
    if is_asking && pressed(Modifiers::NONE, Key::Escape) {
        push(S::Cancel);
    }
    if !is_free {
        return;
    }
    for (key, command) in
        [(Key::ArrowDown, S::MoveEpoch(1)), (Key::ArrowUp, S::MoveEpoch(-1)), (Key::Enter, S::OpenEpoch)]
    {
        if pressed(Modifiers::NONE, key) {
            push(command);
        }
    }
}

/// While rating, the arrows hold the point and nothing moves the playhead but playing.
fn rating(pressed: &mut impl FnMut(Modifiers, Key) -> bool, commands: &mut Vec<Command>) {
    use RateCommand as R;
    for (key, command) in [
        (Key::Space, Command::TogglePlay),
        (Key::Escape, Command::Rate(R::End)),
        (Key::ArrowLeft, Command::Rate(R::Nudge(-1.0, 0.0))),
        (Key::ArrowRight, Command::Rate(R::Nudge(1.0, 0.0))),
        (Key::ArrowUp, Command::Rate(R::Nudge(0.0, 1.0))),
        (Key::ArrowDown, Command::Rate(R::Nudge(0.0, -1.0))),
    ] {
        if pressed(Modifiers::NONE, key) {
            commands.push(command);
        }
    }
}

fn review(pressed: &mut impl FnMut(Modifiers, Key) -> bool, state: &State, commands: &mut Vec<Command>) {
    use Command as C;
    let is_shaded = state.review.as_ref().is_some_and(|r| r.shades_poor);
    let table = [
        (Modifiers::COMMAND | Modifiers::SHIFT, Key::Z, C::Annotate(AnnotateCommand::Redo)),
        (Modifiers::COMMAND, Key::Z, C::Annotate(AnnotateCommand::Undo)),
        (Modifiers::COMMAND, Key::Y, C::Annotate(AnnotateCommand::Redo)),
        (Modifiers::NONE, Key::Delete, C::Annotate(AnnotateCommand::TakeBack)),
        (Modifiers::NONE, Key::Escape, C::Annotate(AnnotateCommand::DropRange)),
        (Modifiers::SHIFT, Key::A, C::Study(StudyCommand::AllLikeThis { condition: 1 })),
        (Modifiers::NONE, Key::A, C::Study(StudyCommand::AllLikeThis { condition: 0 })),
        (Modifiers::NONE, Key::R, C::Rate(RateCommand::Begin)),
        (Modifiers::NONE, Key::Q, C::ShadePoor(!is_shaded)),
        (Modifiers::NONE, Key::W, C::TogglePage),
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

/// Digits by where they lie on the keyboard. With Ctrl and not with Shift, which turns them into other signs on the way
/// down and not on the way up, so that they seem to be held for ever.
fn labels(ctx: &egui::Context, commands: &mut Vec<Command>) {
    const DIGITS: [Key; 9] =
        [Key::Num1, Key::Num2, Key::Num3, Key::Num4, Key::Num5, Key::Num6, Key::Num7, Key::Num8, Key::Num9];
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
