//! Draws the present screen, the notices and the dialog.

use eframe::egui;
use egui::{Align, Frame, Layout, Margin, Panel, RichText, Ui};

use super::command::{Command, JobCommand};
use super::state::{Screen, State};
use super::{dialogs, editor, home, live, quality, review, setup, study, theme, widgets};

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    notices(ui, state, commands);
    running_job(ui, state, commands);
    match state.screen {
        Screen::Home => home::show(ui, state, commands),
        Screen::SetUp => setup::show(ui, state, commands),
        Screen::Live => live::show(ui, state, commands),
        Screen::Report => quality::show(ui, state, commands),
        Screen::Review => review::show(ui, state, commands),
        Screen::Study => study::show(ui, state, commands),
        Screen::Editor => editor::show(ui, state, commands),
    }
    dialogs::show(ui.ctx(), state, commands);
}

/// The export or import that runs while other screens are used.
fn running_job(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(job) = &state.job else { return };
    let p = theme::palette(ui);
    let frame = Frame::new().fill(p.bar).inner_margin(Margin::symmetric(16, 6));
    Panel::bottom("job").frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(RichText::new(job.draft.title()).color(p.strong));
            let share = job.progress.done.clamp(0.0, 1.0);
            let text = format!("{:.0} %", 100.0 * share);
            ui.add(egui::ProgressBar::new(share).desired_width(220.0).text(text).fill(p.selected));
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let stop = egui::Button::new(if job.is_cancelled { "Stopping …" } else { "Stop" });
                if ui.add_enabled(!job.is_cancelled, stop).clicked() {
                    commands.push(Command::Job(JobCommand::Cancel));
                }
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(egui::Label::new(RichText::new(&job.progress.name).weak()).truncate());
                });
            });
        });
    });
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
