//! The study screen: the query on the left, averages in the middle, sessions and epochs on the right.

use eframe::egui;
use egui::{Align, Frame, Layout, Margin, Panel, RichText, Sense, Stroke, StrokeKind, Ui};

use super::command::{Command, StudyCommand};
use super::port::{StudyExportFormat, StudyQueryResult};
use super::state::{State, StudyState};
use super::{averages, figures, screen_layout, study_form, study_side, theme, widgets};

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(study) = &state.study else { return };
    let p = theme::palette(ui);
    screen_layout::top_bar(ui, state, commands, |ui, commands| {
        if ui.button("Sessions").on_hover_text("Back to the list of sessions").clicked() {
            commands.push(Command::GoHome);
        }
        ui.add_space(6.0);
        ui.label(RichText::new(&study.title).size(17.0).color(p.strong));
        let sessions = figures::sessions(study.sessions.len());
        let closed = match study.closed {
            0 => String::new(),
            n => format!(", {n} more cannot be opened"),
        };
        ui.label(RichText::new(format!("{sessions}{closed}")).weak());
    });
    if study.sessions.is_empty() {
        screen_layout::between_bars(ui, |ui| screen_layout::central(ui, |ui| nothing_recorded(ui, study)));
        return;
    }
    let frame = theme::bar(&p).inner_margin(Margin::symmetric(12, 8));
    Panel::bottom("result bar").frame(frame).show(ui, |ui| bottom(ui, study, commands));
    screen_layout::between_bars(ui, |ui| body(ui, study, commands));
}

fn body(ui: &mut Ui, study: &StudyState, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let side = Frame::new().fill(p.bar).inner_margin(Margin::symmetric(14, 12));
    Panel::left("query").frame(side).resizable(false).exact_size(286.0).show(ui, |ui| {
        study_form::show(ui, study, commands);
    });
    let side = Frame::new().fill(p.bar).inner_margin(Margin::symmetric(12, 10));
    let wide = (ui.available_width() * 0.28).clamp(280.0, 420.0);
    Panel::right("material").frame(side).resizable(true).default_size(wide).size_range(264.0..=560.0).show(ui, |ui| {
        study_side::show(ui, study, commands);
    });
    let frame = Frame::new().fill(p.ground).inner_margin(Margin::symmetric(12, 10));
    egui::CentralPanel::default_margins().frame(frame).show(ui, |ui| match &study.result {
        Some(result) => averages::show(ui, study, result, commands),
        None => no_result(ui, study),
    });
}

fn nothing_recorded(ui: &mut Ui, study: &StudyState) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.36);
        widgets::section(ui, "This study has no session that can be opened");
        let message = if study.closed > 0 {
            "The list of sessions shows why its sessions cannot be opened."
        } else {
            "Record a session. Then average affect around its events here."
        };
        ui.label(RichText::new(message).weak());
    });
}

fn no_result(ui: &mut Ui, study: &StudyState) {
    let p = theme::palette(ui);
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    ui.painter().rect(rect, 8.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    let inner = rect.shrink(24.0);
    widgets::within(ui, inner, "no result", |ui| {
        ui.vertical_centered(|ui| {
            ui.add_space((inner.height() * 0.5 - 70.0).max(0.0));
            match &study.progress {
                Some(progress) => {
                    ui.spinner();
                    ui.label(format!("Reading session {} of {} …", (progress.done + 1).min(progress.of), progress.of));
                }
                None => {
                    widgets::section(ui, "Average affect around events");
                    ui.add_space(4.0);
                    let steps = "Choose the events on the left. Or open a session, go to an event and press A for all \
                                 similar events. Then press Average.";
                    ui.scope(|ui| {
                        ui.set_max_width(ui.available_width().min(420.0));
                        ui.add(egui::Label::new(RichText::new(steps).weak()).wrap());
                    });
                }
            }
        });
    });
}

fn bottom(ui: &mut Ui, study: &StudyState, commands: &mut Vec<Command>) {
    ui.horizontal(|ui| {
        ui.set_min_height(30.0);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if let Some(result) = &study.result {
                export(ui, study, commands);
                ui.add_space(4.0);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| counts(ui, result));
            } else {
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    widgets::caption(ui, "No averages yet.");
                });
            }
        });
    });
}

/// The numbers of averaged and left-out epochs.
fn counts(ui: &mut Ui, result: &StudyQueryResult) {
    let names = ["A", "B"];
    let mut parts = Vec::new();
    for (condition, name) in result.conditions.iter().zip(names) {
        let prefix = if result.conditions.len() > 1 { format!("{name}: ") } else { String::new() };
        let dropped = condition.left_out();
        let left_out: u64 = dropped.iter().map(|(_, n)| n).sum();
        let reasons: Vec<String> = dropped.iter().map(|(why, n)| format!("{why} {n}")).collect();
        let epochs = condition.epochs.len() as u64;
        let people = condition.participants();
        let out = if left_out == 0 {
            "none left out".to_owned()
        } else {
            format!("{} left out ({})", figures::count(left_out), reasons.join(", "))
        };
        let who = if people == 1 { "1 participant".to_owned() } else { format!("{people} participants") };
        parts.push(format!("{prefix}{} epochs of {who}, {out}", figures::count(epochs)));
    }
    if !result.unread.is_empty() {
        parts.push(format!("{} could not be read", figures::sessions(result.unread.len())));
    }
    let message = parts.join("   ");
    let response = ui.add(egui::Label::new(RichText::new(&message).size(13.0)).truncate());
    let unread: Vec<String> = result.unread.iter().map(|(title, why)| format!("{title}: {why}")).collect();
    response.on_hover_text([vec![message], unread].concat().join("\n"));
}

fn export(ui: &mut Ui, study: &StudyState, commands: &mut Vec<Command>) {
    if study.is_exporting {
        widgets::caption(ui, "Exporting …");
        ui.spinner();
        return;
    }
    let menu = ui.menu_button("Export", |ui| {
        for format in StudyExportFormat::ALL {
            if ui.button(format.label()).clicked() {
                commands.push(Command::Study(StudyCommand::ShowExportDialog(format)));
                ui.close();
            }
        }
    });
    menu.response.on_hover_text("Export the shown result (Ctrl E)");
}
