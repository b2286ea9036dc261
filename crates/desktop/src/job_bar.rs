//! The bar of the export or import that runs while other screens are used.

use eframe::egui;
use egui::{Align, Frame, Layout, Margin, Panel, RichText, Ui};

use super::command::{Command, JobCommand};
use super::job_state::Job;
use super::theme;

pub fn show(ui: &mut Ui, job: Option<&Job>, commands: &mut Vec<Command>) {
    let Some(job) = job else { return };
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
