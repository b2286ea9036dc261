//! The parts that all dialogs share: title, fields, buttons, warnings.

use eframe::egui;
use egui::{Key, Layout, Margin, RichText, Ui};

use super::command::Command;
use super::{theme, widgets};

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
    ui.add(edit).labelled_by(label.id)
}

pub fn is_entered(ui: &Ui) -> bool {
    ui.input(|i| i.key_pressed(Key::Enter))
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
