//! The bar below a running recording: markers, undo, note, pause, pad and stop.

use eframe::egui;
use egui::{Align, Key, Layout, Margin, RichText, Ui};

use session::{Marker, Timestamp, digit_of_marker};

use super::command::{Command, LiveCommand};
use super::port::MarkerVia;
use super::state::{Recording, State, StopState};
use super::{figures, screen_layout, theme, widgets};

pub fn show(ui: &mut Ui, recording: &Recording, state: &State, commands: &mut Vec<Command>) {
    match (recording.stop, &recording.note) {
        (StopState::Requested, _) => confirm_stop(ui, recording, commands),
        (StopState::Stopping, _) => {
            ui.horizontal_centered(|ui| {
                ui.spinner();
                ui.label("Closing the files …");
            });
        }
        (StopState::No, Some(_)) => note(ui, recording, commands),
        (StopState::No, None) => markers(ui, recording, state, commands),
    }
}

/// In a narrower bar, the buttons have a row of their own.
pub const WIDE: f32 = 1000.0;

fn markers(ui: &mut Ui, recording: &Recording, state: &State, commands: &mut Vec<Command>) {
    let has_menu = ui.available_width() < screen_layout::WIDE;
    if ui.available_width() < WIDE - 32.0 {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                undo(ui, recording, commands);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| marker_row(ui, recording, commands));
            });
        });
        let area = egui::ScrollArea::horizontal().id_salt("actions");
        area.show(ui, |ui| ui.horizontal(|ui| actions(ui, recording, state, has_menu, commands)));
        return;
    }
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            actions(ui, recording, state, has_menu, commands);
            undo(ui, recording, commands);
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| marker_row(ui, recording, commands));
        });
    });
}

fn marker_row(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) {
    egui::ScrollArea::horizontal().id_salt("markers").show(ui, |ui| {
        for marker in &recording.study.markers {
            marker_button(ui, &recording.study.markers, marker, MarkerVia::Window, commands);
        }
        if recording.study.markers.is_empty() {
            widgets::caption(ui, "This study has no marker keys.");
        }
    });
}

/// `has_menu`: the buttons for help and theme are one menu.
fn actions(ui: &mut Ui, recording: &Recording, state: &State, has_menu: bool, commands: &mut Vec<Command>) {
    if ui.button("Stop and save …").on_hover_text("Asks for a confirmation (Ctrl Shift S)").clicked() {
        commands.push(Command::Live(LiveCommand::RequestStop));
    }
    if has_menu {
        ui.menu_button("Menu", |ui| screen_layout::global_buttons(ui, state, commands));
    } else {
        screen_layout::global_buttons(ui, state, commands);
    }
    if ui.button("Note").on_hover_text("The note gets the time of this click (Ctrl N)").clicked() {
        commands.push(Command::Live(LiveCommand::BeginNote));
    }
    pause(ui, recording, commands);
    pad(ui, recording, commands);
    phone(ui, recording, commands);
}

/// A button with the key and the label of a marker, also on the pad.
pub fn marker_button(ui: &mut Ui, all: &[Marker], marker: &Marker, via: MarkerVia, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let key = RichText::new(marker.key.to_ascii_uppercase()).monospace().color(p.accent);
    let button = ui.add(egui::Button::new((key, RichText::new(&marker.label))));
    let button = button.accessible_name(format!("Marker {}", marker.label));
    if button.on_hover_text(keys_of(all, marker)).clicked() {
        commands.push(Command::Live(LiveCommand::Mark(marker.key, via)));
    }
}

fn keys_of(all: &[Marker], marker: &Marker) -> String {
    let key = marker.key.to_ascii_uppercase();
    match digit_of_marker(all, marker) {
        Some(digit) => format!("Key {key}. Ctrl {digit} also works while the page or a text field has the keyboard."),
        None => format!("Key {key}"),
    }
}

/// Only while there is a marker that can be taken back.
pub fn undo(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) {
    let Some(marker) = recording.recent.newest(recording.now) else { return };
    let left_s = marker.left_s(recording.now).unwrap_or(0.0).ceil();
    let button = ui.button(format!("Undo “{}” {left_s:.0} s", short(&marker.label)));
    let button = button.accessible_name(format!("Take back the marker {}", marker.label));
    let hint = "Takes the marker back (Ctrl Z). The file keeps it and states that it was taken back.";
    if button.on_hover_text(hint).clicked() {
        commands.push(Command::Live(LiveCommand::TakeMarkerBack));
    }
}

/// The first letters of a label.
fn short(label: &str) -> String {
    const LETTERS: usize = 14;
    let mut text: String = label.chars().take(LETTERS).collect();
    if label.chars().count() > LETTERS {
        text.push('…');
    }
    text
}

fn pause(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) {
    let is_paused = recording.phases.is_paused();
    let (text, hint) = if is_paused {
        ("Continue", "Ends the pause. The timers of the phases run again. (Ctrl P)")
    } else {
        ("Pause", "Stores a pause and stops the timers of the phases. Camera and page are still recorded. (Ctrl P)")
    };
    if ui.button(text).on_hover_text(hint).clicked() {
        commands.push(Command::Live(LiveCommand::Pause(!is_paused)));
    }
}

fn pad(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) {
    let hint = "A small window with the markers that stays above all other windows";
    let response = ui.selectable_label(recording.has_pad, "Pad").on_hover_text(hint);
    if response.accessible_name("Marker pad").clicked() {
        commands.push(Command::Live(LiveCommand::ShowPad(!recording.has_pad)));
    }
}

fn phone(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) {
    let is_on = recording.phone_url.is_some();
    let hint = "Sets markers from a phone in the same network. It is off until you switch it on here.";
    let response = ui.selectable_label(is_on, "Phone").on_hover_text(hint);
    if response.accessible_name("Phone pad").clicked() {
        commands.push(Command::Live(match is_on {
            true => LiveCommand::ShowPhoneWindow(!recording.has_phone_window),
            false => LiveCommand::SwitchPhone(true),
        }));
    }
}

fn note(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) {
    let Some(draft) = &recording.note else { return };
    ui.horizontal(|ui| {
        let at = Timestamp::from_ns(draft.at.since_ns(recording.started.at));
        let label = ui.label(format!("Note at {}", figures::clock(at)));
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Discard").clicked() {
                commands.push(Command::Live(LiveCommand::DiscardNote));
            }
            if widgets::primary(ui, !draft.text.trim().is_empty(), "Store note").clicked() {
                commands.push(Command::Live(LiveCommand::StoreNote));
            }
            let mut text = draft.text.clone();
            let field = egui::TextEdit::singleline(&mut text)
                .hint_text("What did you see?")
                .desired_width(f32::INFINITY)
                .char_limit(1000)
                .margin(Margin::symmetric(10, 6));
            let field = ui.add(field).labelled_by(label.id);
            if field.changed() {
                commands.push(Command::Live(LiveCommand::EditNote(text)));
            }
            let (is_entered, is_escaped) = ui.input(|i| (i.key_pressed(Key::Enter), i.key_pressed(Key::Escape)));
            if field.lost_focus() && is_entered {
                commands.push(Command::Live(LiveCommand::StoreNote));
            } else if field.lost_focus() && is_escaped {
                commands.push(Command::Live(LiveCommand::DiscardNote));
            } else if draft.text.is_empty() && !field.has_focus() {
                field.request_focus();
            }
        });
    });
}

/// Stopping needs two clicks in different places, so that no single key press ends a session.
fn confirm_stop(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) {
    let who = format!("{} {}", recording.plan.participant, recording.plan.session);
    let question = format!("Stop recording {who} after {}?", figures::length(recording.elapsed()));
    if ui.available_width() < WIDE - 32.0 {
        ui.label(question);
        ui.horizontal(|ui| stop_answers(ui, commands));
        return;
    }
    ui.horizontal(|ui| {
        ui.label(question);
        widgets::caption(ui, "Recording continues until you confirm.");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| stop_answers(ui, commands));
    });
}

fn stop_answers(ui: &mut Ui, commands: &mut Vec<Command>) {
    let keep = ui.button("Keep recording");
    // The button that changes nothing gets the keyboard focus.
    if ui.memory(|m| m.focused()).is_none() {
        keep.request_focus();
    }
    if keep.clicked() || ui.input(|i| i.key_pressed(Key::Escape)) {
        commands.push(Command::Live(LiveCommand::KeepRecording));
    }
    if widgets::primary(ui, true, "Stop and save").clicked() {
        commands.push(Command::Live(LiveCommand::Stop));
    }
    let discard = ui.button("Discard …").on_hover_text("Stop and remove this session. Asks for a confirmation");
    if discard.clicked() {
        commands.push(Command::Live(LiveCommand::RequestDiscard));
    }
}
