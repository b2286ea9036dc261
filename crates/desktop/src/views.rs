//! Which view is drawn, and what lies around all of them.

use eframe::egui;
use egui::{Align, Frame, Layout, Margin, Panel, RichText, Ui};

use super::command::Command;
use super::preferences::Look;
use super::state::{Screen, State};
use super::{dialogs, home, live, quality, review, setup, study, theme, widgets};

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    notices(ui, state, commands);
    match state.screen {
        Screen::Home => home::show(ui, state, commands),
        Screen::SetUp => setup::show(ui, state, commands),
        Screen::Live => live::show(ui, state, commands),
        Screen::Report => quality::show(ui, state, commands),
        Screen::Review => review::show(ui, state, commands),
        Screen::Study => study::show(ui, state, commands),
    }
    dialogs::show(ui.ctx(), state, commands);
}

/// The bar at the top: what one sees, and on its right what is always there.
pub fn top_bar(
    ui: &mut Ui,
    state: &State,
    commands: &mut Vec<Command>,
    contents: impl FnOnce(&mut Ui, &mut Vec<Command>),
) {
    let p = theme::palette(ui);
    Panel::top("top bar").frame(theme::bar(&p)).show_separator_line(true).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.set_min_height(30.0);
            contents(ui, commands);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| always(ui, state, commands));
        });
    });
}

/// Look and keys.
pub fn always(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if ui.button("Keys").on_hover_text("Keyboard shortcuts (F1)").clicked() {
        commands.push(Command::ShowKeys);
    }
    ui.menu_button("Theme", |ui| {
        for look in Look::ALL {
            if ui.selectable_label(state.preferences.look == look, look.label()).clicked() {
                commands.push(Command::SetLook(look));
                ui.close();
            }
        }
    })
    .response
    .on_hover_text("Dark or light");
}

fn notices(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if state.notices.is_empty() {
        return;
    }
    let p = theme::palette(ui);
    let frame = Frame::new().fill(p.selected).inner_margin(Margin::symmetric(16, 6));
    Panel::bottom("notices").frame(frame).show(ui, |ui| {
        for sentence in &state.notices {
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if widgets::small_button(ui, "Dismiss").clicked() {
                        commands.push(Command::DismissNotice(sentence.clone()));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        ui.add(egui::Label::new(RichText::new(sentence).color(p.strong)).truncate())
                            .on_hover_text(sentence);
                    });
                });
            });
        }
    });
}

/// What fills the rest.
pub fn central<R>(ui: &mut Ui, draw: impl FnOnce(&mut Ui) -> R) -> R {
    let p = theme::palette(ui);
    let frame = Frame::new().fill(p.ground).inner_margin(Margin::symmetric(16, 12));
    egui::CentralPanel::default_margins().frame(frame).show(ui, draw).inner
}

/// Waiting, in words.
pub fn waiting(ui: &mut Ui, sentence: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.4);
        ui.spinner();
        widgets::caption(ui, sentence);
    });
}
