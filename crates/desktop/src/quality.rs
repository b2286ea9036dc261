//! The quality of a session: a screen after the recording, and a side panel in review.

use eframe::egui;
use egui::{Align, Grid, Layout, RichText, ScrollArea, Ui};

use super::command::{Command, ReportCommand};
use super::explanations::{Explained, Term};
use super::port::{FinishedSession, QualityReport, SessionState};
use super::state::State;
use super::{event_text, figures, screen_layout, theme, widgets};

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(finished) = &state.finished else { return };
    let p = theme::palette(ui);
    screen_layout::top_bar(ui, state, commands, |ui, _| {
        ui.label(RichText::new(heading(finished)).size(17.0).color(p.strong));
        ui.add_space(6.0);
        ui.label(RichText::new(format!("{}  {}", finished.session.title(), finished.session.study)).weak());
    });
    let frame = theme::bar(&p).inner_margin(egui::Margin::symmetric(16, 12));
    egui::Panel::bottom("report bar").frame(frame).show(ui, |ui| {
        ui.horizontal(|ui| {
            if ui.button("Back to sessions").clicked() {
                commands.push(Command::GoHome);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let is_idle = state.opening.is_none();
                if widgets::primary(ui, is_idle, "Next participant").on_hover_text("New session (Ctrl N)").clicked() {
                    commands.push(Command::Report(ReportCommand::NextParticipant));
                }
                if ui.add_enabled(is_idle, egui::Button::new("Open in review")).clicked() {
                    commands.push(Command::OpenSession(finished.session.folder.clone()));
                }
                if !is_idle {
                    ui.spinner();
                    widgets::caption(ui, "Opening …");
                }
            });
        });
    });
    screen_layout::between_bars(ui, |ui| body(ui, finished, state, commands));
}

fn body(ui: &mut Ui, finished: &FinishedSession, state: &State, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    screen_layout::central(ui, |ui| {
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            let width = ui.available_width().min(760.0);
            let margin = (ui.available_width() - width) / 2.0;
            ui.horizontal_top(|ui| {
                ui.add_space(margin);
                ui.vertical(|ui| {
                    ui.set_max_width(width);
                    ui.add_space(14.0);
                    theme::card(&p).inner_margin(egui::Margin::symmetric(24, 20)).show(ui, |ui| {
                        ui.set_min_width(ui.available_width());
                        report(ui, &finished.quality);
                        past_alarms(ui, &state.past_alarms);
                    });
                    ui.add_space(10.0);
                    note(ui, &state.report_note, commands);
                    ui.add_space(8.0);
                    let folder = finished.session.folder.display().to_string();
                    ui.add(egui::Label::new(RichText::new(format!("Stored in {folder}")).small().weak()).wrap());
                });
            });
        });
    });
}

/// How the recording ended. The findings below give the details.
fn heading(finished: &FinishedSession) -> &'static str {
    match finished.session.state {
        SessionState::Recovered(_) => "Recording ended early. What was stored is saved",
        _ => "Session saved",
    }
}

/// A note about the whole session. It is stored as an annotation at its end.
fn note(ui: &mut Ui, text: &str, commands: &mut Vec<Command>) {
    let label = widgets::caption(ui, "Note about this session");
    let mut edited = text.to_owned();
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let is_filled = !text.trim().is_empty();
            if ui.add_enabled(is_filled, egui::Button::new("Store note")).clicked() {
                commands.push(Command::Report(ReportCommand::StoreNote));
            }
            let field = egui::TextEdit::singleline(&mut edited)
                .hint_text("What should others know about it?")
                .desired_width(f32::INFINITY)
                .char_limit(1000)
                .margin(egui::Margin::symmetric(10, 6));
            let field = ui.add(field).labelled_by(label.id);
            if field.changed() {
                commands.push(Command::Report(ReportCommand::EditNote(edited)));
            } else if field.lost_focus() && is_filled && ui.input(|i| i.key_pressed(egui::Key::Enter)) {
                commands.push(Command::Report(ReportCommand::StoreNote));
            }
        });
    });
}

/// The alarms of the recording. The operator may not have seen them, because the participant's page covered this window.
fn past_alarms(ui: &mut Ui, alarms: &[String]) {
    if alarms.is_empty() {
        return;
    }
    ui.add_space(12.0);
    widgets::section(ui, "Alarms during the recording");
    for alarm in alarms {
        ui.add(egui::Label::new(RichText::new(alarm).size(13.5)).wrap());
    }
}

/// Grade, findings, figures, and events by kind.
pub fn report(ui: &mut Ui, quality: &QualityReport) {
    let p = theme::palette(ui);
    ui.horizontal(|ui| {
        widgets::section(ui, "Quality");
        widgets::grade(ui, quality.grade);
    });
    if quality.findings.is_empty() {
        widgets::caption(ui, "No findings.");
    }
    for finding in &quality.findings {
        ui.add(egui::Label::new(RichText::new(finding).size(13.5)).wrap());
    }
    ui.add_space(10.0);
    let is_narrow = ui.available_width() < 420.0;
    Grid::new("figures").num_columns(2).min_row_height(20.0).spacing([if is_narrow { 14.0 } else { 40.0 }, 6.0]).show(
        ui,
        |ui| {
            for (name, value, is_loss) in rows(quality) {
                let label = ui.label(RichText::new(name).weak());
                let color = if is_loss { p.loss_text } else { p.text };
                let value = ui.add(egui::Label::new(RichText::new(value).color(color)).wrap());
                if let Some(term) = term_of(name) {
                    label.explained(term);
                    value.explained(term);
                }
                ui.end_row();
            }
        },
    );
    ui.add_space(12.0);
    widgets::section(ui, "Events");
    if quality.events_by_kind.is_empty() {
        widgets::caption(ui, "None.");
    }
    Grid::new("events by kind").num_columns(2).min_row_height(20.0).spacing([24.0, 4.0]).show(ui, |ui| {
        for (kind, count) in &quality.events_by_kind {
            ui.label(RichText::new(event_text::stream_and_kind(kind)).weak());
            ui.label(figures::count(*count));
            ui.end_row();
        }
    });
}

/// The explanation of a row, by its name.
fn term_of(name: &str) -> Option<Term> {
    Some(match name {
        "Frames expected" => Term::Expected,
        "Frames stored" => Term::Stored,
        "Frames scored" => Term::Scored,
        "Skipped live" => Term::Skipped,
        "Lost" => Term::Lost,
        "Largest gap" => Term::Gap,
        "Time with a face" => Term::FaceShare,
        "Page clock uncertainty" => Term::PageClock,
        "Page unresponsive" => Term::PageBusy,
        _ => return None,
    })
}

fn rows(q: &QualityReport) -> Vec<(&'static str, String, bool)> {
    let of = |part: u64, whole: u64| {
        let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 };
        format!("{} ({share:.1} %)", figures::count(part))
    };
    let gap = q.largest_gap.as_ref().map_or_else(
        || "none".to_owned(),
        |g| format!("{} at {}, {}: {}", figures::span(g.lasted), figures::clock(g.at), g.stream, g.reason),
    );
    let mut rows = vec![
        ("Length", figures::length(q.length), false),
        ("Frames expected", figures::count(q.frames_expected), false),
        ("Frames stored", of(q.frames_stored, q.frames_expected), q.frames_stored < q.frames_expected && q.lost > 0),
        (
            "Frames scored",
            of(q.frames_scored, if q.frames_stored == 0 { q.frames_expected } else { q.frames_stored }),
            false,
        ),
        ("Skipped live", figures::count(q.frames_skipped), false),
        ("Lost", figures::count(q.lost), q.lost > 0),
        ("Largest gap", gap, false),
        ("Time with a face", q.face_share.map_or_else(|| "–".to_owned(), |s| format!("{:.1} %", s * 100.0)), false),
        (
            "Page clock uncertainty",
            q.page_clock_uncertainty_ms.map_or_else(|| "–".to_owned(), |ms| format!("± {ms:.1} ms")),
            false,
        ),
        ("Size", figures::bytes(q.size_bytes), false),
    ];
    if let Some(busy) = q.page_busy {
        let stood = format!("{:.1} %, {:.2} s at the longest", 100.0 * busy.share, busy.longest_s);
        rows.insert(rows.len() - 1, ("Page unresponsive", stood, false));
    }
    rows
}
