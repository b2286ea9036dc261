//! The parts that all dialogs share: title, fields, choices, buttons, warnings.

use eframe::egui;
use egui::{Layout, Margin, RichText, Ui};

use super::command::Command;
use super::{enter_key, theme, widgets};

pub fn title(ui: &mut Ui, text: &str) {
    let p = theme::palette(ui);
    ui.label(RichText::new(text).size(19.0).color(p.strong));
    ui.add_space(8.0);
}

/// The last row of a dialog. The first button is at the right.
pub fn buttons(ui: &mut Ui, draw: impl FnOnce(&mut Ui)) {
    ui.add_space(14.0);
    ui.with_layout(Layout::right_to_left(egui::Align::Center), draw);
}

pub fn cancel(ui: &mut Ui, text: &str, commands: &mut Vec<Command>) -> egui::Response {
    let response = ui.button(text);
    if response.clicked() {
        commands.push(Command::CloseDialog);
    }
    response
}

/// The answer that changes nothing. It has the keyboard, if no other control has it.
pub fn keep(ui: &mut Ui, text: &str, commands: &mut Vec<Command>) {
    let response = cancel(ui, text, commands);
    if ui.memory(|m| m.focused()).is_none() {
        response.request_focus();
    }
}

pub fn field(ui: &mut Ui, name: &str, text: &mut String, hint: &str) -> egui::Response {
    let label = widgets::caption(ui, name);
    let edit =
        egui::TextEdit::singleline(text).hint_text(hint).desired_width(f32::INFINITY).margin(Margin::symmetric(10, 6));
    let response = ui.add(edit).labelled_by(label.id);
    enter_key::pass_on(&response);
    response
}

/// One of several choices.
pub fn choice<V: PartialEq>(ui: &mut Ui, current: &mut V, value: V, text: &str) -> egui::Response {
    let response = ui.radio_value(current, value, text);
    enter_key::pass_on(&response);
    response
}

pub fn tick(ui: &mut Ui, is_ticked: &mut bool, text: &str) -> egui::Response {
    let response = ui.checkbox(is_ticked, text);
    enter_key::pass_on(&response);
    response
}

/// The main button of a dialog. Enter presses it. Returns whether it was pressed.
pub fn main_button(ui: &mut Ui, is_enabled: bool, text: &str) -> bool {
    let is_clicked = widgets::primary(ui, is_enabled, text).clicked();
    is_clicked || (is_enabled && enter_key::was_pressed(ui.ctx()))
}

/// The only button of a dialog that asks nothing. Enter presses it.
pub fn close(ui: &mut Ui, commands: &mut Vec<Command>) {
    if ui.button("Close").clicked() || enter_key::was_pressed(ui.ctx()) {
        commands.push(Command::CloseDialog);
    }
}

/// A warning with its sign.
pub fn warning(ui: &mut Ui, message: &str) {
    ui.add_space(2.0);
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(egui::vec2(16.0, 16.0), egui::Sense::hover());
        widgets::warning_sign(ui.painter(), rect.center(), 6.5);
        ui.add(egui::Label::new(RichText::new(message).small().weak()).wrap());
    });
}
