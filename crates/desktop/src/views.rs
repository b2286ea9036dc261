//! Draws the present screen, the notices and the dialog.

use eframe::egui;
use egui::Ui;

use super::command::Command;
use super::state::{Screen, State};
use super::{
    dialogs, editor, home, job_bar, live, marker_pad, notice_bar, phone_window, quality, review, setup, study,
};

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    notice_bar::show(ui, &state.notices, commands);
    job_bar::show(ui, state.job.as_ref(), commands);
    screen(ui, state, commands);
    marker_pad::show(ui.ctx(), state, commands);
    phone_window::show(ui.ctx(), state, commands);
    dialogs::show(ui.ctx(), state, commands);
}

fn screen(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    match state.screen {
        Screen::Home => home::show(ui, state, commands),
        Screen::SetUp => setup::show(ui, state, commands),
        Screen::Live => live::show(ui, state, commands),
        Screen::Report => quality::show(ui, state, commands),
        Screen::Review => review::show(ui, state, commands),
        Screen::Study => study::show(ui, state, commands),
        Screen::Editor => editor::show(ui, state, commands),
    }
}
