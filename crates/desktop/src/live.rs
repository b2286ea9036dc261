//! The recording screen: page, camera picture, affect, events, health and alarms.

use eframe::egui;
use egui::{Align, Color32, Frame, Key, Layout, Margin, Panel, Rect, RichText, Sense, Stroke, StrokeKind, Ui, vec2};

use session::{Seat, Timestamp};

use super::command::{Command, LiveCommand};
use super::plot_area::PlotData;
use super::port::{Alarm, PagePlace, PageStatus};
use super::state::{ParticipantView, Recording, State, StopState};
use super::time_window::TimeWindow;
use super::{
    camera_view, events, expressions, figures, health_bar, participant_view, plane, plots, screen_layout, theme,
    widgets,
};

/// The time span of the plots.
const FOLLOWED_S: f64 = 60.0;
/// The heights of header and footer are fixed, so that the page between them does not move when their contents change.
const HEADER: f32 = 50.0;
const FOOTER: f32 = 50.0;
/// The longest title of a study in the header, in characters. Hovering shows the whole title.
const TITLE: usize = 26;
/// Height of the check lamps below the camera picture.
const LAMPS: f32 = 24.0;

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(recording) = &state.recording else { return };
    let p = theme::palette(ui);
    let frame = theme::bar(&p).inner_margin(Margin::symmetric(16, 6));
    let bar = Panel::top("live bar").frame(frame).exact_size(HEADER).show(ui, |ui| header(ui, recording));
    if !recording.alarms.is_empty() {
        let edge = Stroke::new(2.0, theme::LOSS);
        ui.painter().rect_stroke(bar.response.rect, 0.0, edge, StrokeKind::Inside);
    }
    let frame = theme::bar(&p).inner_margin(Margin::symmetric(16, 8));
    Panel::bottom("marker bar").frame(frame).exact_size(FOOTER).show(ui, |ui| {
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
    });
    let middle = Frame::new().fill(p.ground).inner_margin(Margin::symmetric(12, 10));
    egui::CentralPanel::default_margins()
        .frame(middle)
        .show(ui, |ui| body(ui, recording, &state.participant, commands));
}

fn header(ui: &mut Ui, recording: &Recording) {
    let p = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.set_min_height(36.0);
        let (dot, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
        ui.painter().circle_filled(dot.center(), 5.5, p.accent);
        let clock =
            figures::clock(Timestamp::from_ns(i64::try_from(recording.elapsed().as_nanos()).unwrap_or(i64::MAX)));
        let clock_label = ui.label(RichText::new(&clock).font(theme::clock_font()).color(p.strong));
        clock_label.on_hover_text("Time since recording began");
        ui.add_space(6.0);
        let study = &recording.study;
        let title: String = study.title.chars().take(TITLE).collect();
        let who = format!("{} {}", recording.plan.participant, recording.plan.session);
        let who = if recording.plan.seat == Seat::Pilot { format!("{who} pilot") } else { who };
        widgets::stat(ui, &title, &who, p.strong).on_hover_text(&study.title);
        if let Some(PageStatus::Guided { phase, until }) = recording.page.as_ref().map(|page| &page.status) {
            ui.add_space(12.0);
            countdown(ui, phase, until.since_ns(recording.now));
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                // Aligned right as a block, with the width that it had in the previous frame.
                let width =
                    ui.data(|d| d.get_temp::<f32>(ui.scope_id().with("health width"))).unwrap_or(ui.available_width());
                ui.add_space((ui.available_width() - width).max(0.0));
                let start = ui.cursor().left();
                health_bar::show(ui, &recording.health);
                let used = ui.min_rect().right() - start;
                ui.data_mut(|d| d.insert_temp(ui.scope_id().with("health width"), used));
            });
        });
    });
}

/// The remaining time of the fixation cross.
fn countdown(ui: &mut Ui, phase: &str, left_ns: i64) {
    let left_s = (left_ns.max(0) as f64 * 1e-9).ceil() as u64;
    let left = format!("{}:{:02} left", left_s / 60, left_s % 60);
    let phase: String = phase.chars().take(TITLE).collect();
    let message = widgets::stat(ui, &phase, &left, theme::palette(ui).accent);
    message.on_hover_text("The participant sees the fixation cross. The study's page follows.");
}

fn body(ui: &mut Ui, recording: &Recording, view: &ParticipantView, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let rect = ui.available_rect_before_wrap();
    let is_embedded = recording.page.as_ref().is_some_and(|pg| pg.place == PagePlace::Embedded);
    // The page keeps its size when alarms appear: a page that moves would disturb the participant.
    let upper_share = if is_embedded { 0.53 } else { 0.41 };
    let [upper, lower] = widgets::rows(rect, 10.0, [(rect.height() * upper_share).max(180.0), 0.0]);
    let side = (upper.width() * 0.26).clamp(220.0, 420.0);
    if is_embedded {
        let [page_rect, column] = widgets::columns(upper, 10.0, [0.0, side]);
        page(ui, page_rect, recording, commands);
        let [camera_rect, plane_rect] = widgets::rows(column, 8.0, [0.0, column.height() * 0.47]);
        camera(ui, camera_rect, recording);
        plane_card(ui, plane_rect, recording);
    } else {
        let shape =
            recording.preview.as_ref().map_or(4.0 / 3.0, |s| s.photo.width_px as f32 / s.photo.height_px as f32);
        let camera_width = ((upper.height() - LAMPS) * shape).min(upper.width() * 0.34);
        let square = upper.height().min(upper.width() * 0.24);
        let beside = (upper.width() * 0.19).clamp(180.0, 300.0);
        let [page_rect, camera_rect, plane_rect, bars_rect] =
            widgets::columns(upper, 10.0, [beside, camera_width, square, 0.0]);
        participant_window(ui, page_rect, recording, view, commands);
        camera(ui, camera_rect, recording);
        plane_card(ui, plane_rect, recording);
        ui.painter().rect(bars_rect, 6.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
        expressions::show(ui, bars_rect.shrink2(vec2(12.0, 8.0)), recording.log.timeline(), recording.now);
    }
    ui.allocate_rect(rect, Sense::hover());

    let mut lower = lower;
    if !recording.alarms.is_empty() {
        let height = 46.0 * recording.alarms.len().min(2) as f32;
        let [banner, rest] = widgets::rows(lower, 8.0, [height, 0.0]);
        alarms(ui, banner, &recording.alarms, &p);
        lower = rest;
    }
    let bars = (lower.width() * 0.26).clamp(220.0, 420.0);
    let [left, right] = widgets::columns(lower, 12.0, [0.0, bars]);
    let until_s = recording.now.as_secs_f64();
    let window = TimeWindow { from_s: until_s - FOLLOWED_S, until_s };
    let plot_data = PlotData { log: &recording.log, window, playhead: None, review: None };
    widgets::within(ui, left, "plots", |ui| plots::show(ui, left, &plot_data, commands));
    let mut list = right;
    if is_embedded {
        let [bars, rest] = widgets::rows(right, 10.0, [(right.height() * 0.46).clamp(110.0, 190.0), 0.0]);
        expressions::show(ui, bars, recording.log.timeline(), recording.now);
        list = rest;
    }
    ui.painter().rect(list, 6.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    let list = list.shrink(4.0);
    widgets::within(ui, list, "event list", |ui| events::show(ui, &recording.log, None, commands));
}

/// Reserves the rectangle of the embedded page, which draws itself above this window.
fn page(ui: &mut Ui, rect: Rect, recording: &Recording, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    ui.painter().rect(rect, 0.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    let message = match recording.page.as_ref().map(|pg| &pg.status) {
        Some(PageStatus::Loading) => "The page is loading …",
        Some(PageStatus::Guided { .. }) => "The participant sees the fixation cross. The page follows.",
        Some(PageStatus::Failed(sentence)) => sentence.as_str(),
        Some(PageStatus::Loaded { .. }) | None => "The participant's page",
    };
    widgets::placeholder(ui, rect.shrink(12.0), message);
    commands.push(Command::Live(LiveCommand::SetPageBounds(rect.shrink(1.0))));
}

fn participant_window(
    ui: &mut Ui,
    rect: Rect,
    recording: &Recording,
    view: &ParticipantView,
    commands: &mut Vec<Command>,
) {
    let p = theme::palette(ui);
    ui.painter().rect(rect, 8.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    let inner = rect.shrink(14.0);
    widgets::within(ui, inner, "participant window", |ui| {
        let Some(page) = &recording.page else {
            widgets::caption(ui, "The page is not open yet.");
            return;
        };
        let screen = match &page.place {
            PagePlace::ParticipantWindow { screen } => format!("on {screen}"),
            PagePlace::Embedded => "in this window".to_owned(),
        };
        widgets::section(ui, "Participant's page");
        ui.add(egui::Label::new(RichText::new(screen).weak()).wrap());
        ui.add_space(4.0);
        participant_view::picture(ui, view, (inner.width() * 0.6).min(inner.height() * 0.5), "Participant's screen");
        ui.add_space(4.0);
        ui.add(egui::Label::new(RichText::new(&page.address).small().weak()).truncate()).on_hover_text(&page.address);
        let message = match &page.status {
            PageStatus::Loading => "Loading …".to_owned(),
            PageStatus::Guided { phase, .. } => format!("Phase “{phase}”: the participant sees the fixation cross."),
            PageStatus::Loaded { title } => title.clone(),
            PageStatus::Failed(sentence) => sentence.clone(),
        };
        ui.add(egui::Label::new(message).wrap());
        ui.add_space(4.0);
        participant_view::buttons(ui, view, commands);
    });
}

fn camera(ui: &mut Ui, rect: Rect, recording: &Recording) {
    let [picture, lamps] = widgets::rows(rect, 4.0, [0.0, LAMPS - 4.0]);
    let shown = recording.preview.as_ref();
    let overlay = shown.and_then(|s| s.face.as_ref());
    camera_view::show(ui, picture, shown.map(|s| &s.photo), overlay, "Camera", "Waiting for a picture …");
    if !recording.checks.is_empty() {
        widgets::within(ui, lamps, "lamps", |ui| camera_view::lamps(ui, &recording.checks));
    }
}

fn plane_card(ui: &mut Ui, rect: Rect, recording: &Recording) {
    let p = theme::palette(ui);
    ui.painter().rect(rect, 6.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    plane::show(ui, rect.shrink(6.0), recording.log.timeline(), recording.now);
}

fn alarms(ui: &mut Ui, rect: Rect, alarms: &[Alarm], p: &theme::Palette) {
    ui.painter().rect(rect, 6.0, theme::LOSS, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    widgets::within(ui, rect.shrink2(vec2(14.0, 5.0)), "alarms", |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for alarm in alarms.iter().take(2) {
            ui.add(egui::Label::new(RichText::new(&alarm.losing).color(Color32::WHITE)).truncate())
                .on_hover_text(&alarm.losing);
            let remedy = RichText::new(&alarm.remedy).size(12.5).color(Color32::from_rgb(0xFF, 0xE3, 0xE6));
            ui.add(egui::Label::new(remedy).truncate()).on_hover_text(&alarm.remedy);
        }
    });
}

fn markers(ui: &mut Ui, recording: &Recording, state: &State, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Stop and save …").on_hover_text("Asks for a confirmation (Ctrl Shift S)").clicked() {
                commands.push(Command::Live(LiveCommand::RequestStop));
            }
            screen_layout::global_buttons(ui, state, commands);
            if ui.button("Note").on_hover_text("The note gets the time of this click (Ctrl N)").clicked() {
                commands.push(Command::Live(LiveCommand::BeginNote));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                egui::ScrollArea::horizontal().id_salt("markers").show(ui, |ui| {
                    for marker in &recording.study.markers {
                        let key = RichText::new(marker.key.to_ascii_uppercase()).monospace().color(p.accent);
                        let button = egui::Button::new((key, RichText::new(&marker.label)));
                        let button = ui.add(button).accessible_name(format!("Marker {}", marker.label));
                        if button.clicked() {
                            commands.push(Command::Live(LiveCommand::Mark(marker.key)));
                        }
                    }
                    if recording.study.markers.is_empty() {
                        widgets::caption(ui, "This study has no marker keys.");
                    }
                });
            });
        });
    });
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
    ui.horizontal(|ui| {
        let who = format!("{} {}", recording.plan.participant, recording.plan.session);
        ui.label(format!("Stop recording {who} after {}?", figures::length(recording.elapsed())));
        widgets::caption(ui, "Recording continues until you confirm.");
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
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
        });
    });
}
