//! Cards and fields of the study editor.

use std::ops::RangeInclusive;

use eframe::egui;
use egui::{DragValue, Margin, TextEdit, Ui};

use super::{theme, widgets};

pub fn card(ui: &mut Ui, title: &str, draw: impl FnOnce(&mut Ui)) {
    let p = theme::palette(ui);
    theme::card(&p).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        widgets::section(ui, title);
        ui.add_space(4.0);
        draw(ui);
    });
    ui.add_space(10.0);
}

/// A one-line text with its name above.
pub fn text(ui: &mut Ui, name: &str, value: &mut String, hint: &str) {
    let label = widgets::caption(ui, name);
    let edit = TextEdit::singleline(value).hint_text(hint).desired_width(f32::INFINITY).margin(Margin::symmetric(8, 4));
    ui.add(edit).labelled_by(label.id);
}

pub fn lines(ui: &mut Ui, name: &str, value: &mut String, rows: usize, hint: &str) {
    let label = widgets::caption(ui, name);
    let edit = TextEdit::multiline(value).hint_text(hint).desired_rows(rows).desired_width(f32::INFINITY);
    ui.add(edit.margin(Margin::symmetric(8, 4))).labelled_by(label.id);
}

/// A number of this range. A value outside of it, which the file may have, is shown and stays until a person changes it.
pub fn number<T: egui::emath::Numeric>(value: &mut T, range: RangeInclusive<T>) -> DragValue<'_> {
    DragValue::new(value).range(range).clamp_existing_to_range(false)
}
