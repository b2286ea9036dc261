//! The review screen: video, affect and events at the playhead, and the whole session below.

use eframe::egui;
use egui::{Align, ComboBox, Frame, Layout, Margin, Panel, RichText, ScrollArea, Sense, Stroke, StrokeKind, Ui, vec2};

use super::command::{Command, ReviewCommand};
use super::explanations::{Explained, Term};
use super::lane_choice::LaneList;
use super::plot_area::{self, PlotData, SCALE_PX};
use super::port::{Correction, ExportFormat};
use super::state::{Review, Side, State};
use super::{
    annotations, camera_view, events, expressions, figures, overview, plane, plots, quality, rating, screen_layout,
    shown_lane, state, study_form, theme, widgets,
};

/// Height of the strip with the whole session.
const STRIP: f32 = 58.0;
/// The video is not lower than this.
const SMALLEST_UPPER: f32 = 150.0;
/// Video, strip, annotations and the spaces between them.
const SMALLEST_OTHERS: f32 = SMALLEST_UPPER + STRIP + 100.0;
const RATES: [f64; 5] = [0.25, 0.5, 1.0, 2.0, 4.0];

pub fn show(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    let Some(review) = &state.review else { return };
    let p = theme::palette(ui);
    screen_layout::top_bar(ui, state, commands, |ui, commands| {
        let (back, hint) = match &state.study {
            Some(study) => ("Study", format!("Back to the study {}", study.title)),
            None => ("Sessions", "Back to the list of sessions".to_owned()),
        };
        if ui.button(back).on_hover_text(hint).clicked() {
            commands.push(Command::GoHome);
        }
        ui.add_space(6.0);
        ui.label(RichText::new(review.session.title()).size(17.0).color(p.strong));
        let message = format!("{}   {}", review.study_title, state::date(&review.session));
        ui.label(RichText::new(message).weak());
        widgets::grade(ui, review.quality.grade);
    });
    let frame = theme::bar(&p).inner_margin(Margin::symmetric(12, 8));
    Panel::bottom("transport").frame(frame).show(ui, |ui| transport(ui, review, commands));
    let lanes = shown_lane::of(&review.log, &state.preferences.lanes.review).len();
    let needed = plot_area::smallest_px(lanes) + SMALLEST_OTHERS;
    screen_layout::high_between_bars(ui, needed, |ui| middle(ui, state, review, commands));
}

fn middle(ui: &mut Ui, state: &State, review: &Review, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let middle = Frame::new().fill(p.ground).inner_margin(Margin::symmetric(12, 10));
    if let Some(running) = &review.ratings.running {
        egui::CentralPanel::default_margins().frame(middle).show(ui, |ui| rating::stage(ui, review, running, commands));
        return;
    }
    let frame = Frame::new().fill(p.bar).inner_margin(Margin::symmetric(12, 10));
    let wide = (ui.available_width() * 0.26).clamp(250.0, 400.0);
    Panel::right("side").frame(frame).resizable(true).default_size(wide).size_range(240.0..=560.0).show(ui, |ui| {
        side(ui, state, review, commands);
    });
    egui::CentralPanel::default_margins()
        .frame(middle)
        .show(ui, |ui| body(ui, review, &state.preferences.lanes.review, commands));
}

fn body(ui: &mut Ui, review: &Review, chosen: &LaneList, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    let lanes = shown_lane::of(&review.log, chosen);
    let upper_height = (rect.height() * (0.42 - 0.02 * lanes.len() as f32)).clamp(SMALLEST_UPPER, 560.0);
    let [upper, plot, strip] = widgets::rows(rect, 10.0, [upper_height, 0.0, STRIP]);
    let square = upper.height().min(upper.width() * 0.29);
    let photo = review.photo.as_ref();
    let shape = photo.map_or(4.0 / 3.0, |(_, ph)| ph.width_px as f32 / ph.height_px.max(1) as f32);
    let video_width = (upper.height() * shape).min(upper.width() * 0.42);
    let [video, plane_rect, bars_rect] = widgets::columns(upper, 12.0, [video_width, square, 0.0]);

    let timeline = review.log.timeline();
    let overlay = photo.and_then(|(frame, _)| camera_view::stored_overlay(timeline, *frame));
    let otherwise = review.picture_problem.as_deref().unwrap_or("No picture at this time.");
    camera_view::show(ui, video, photo.map(|(_, ph)| ph), overlay.as_ref(), "Video", otherwise);
    ui.painter().rect(plane_rect, 6.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    plane::show(ui, plane_rect.shrink(6.0), timeline, review.playhead.at);
    ui.painter().rect(bars_rect, 6.0, p.card, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    expressions::show(ui, bars_rect.shrink2(vec2(12.0, 8.0)), timeline, review.playhead.at);

    let playhead = Some(review.playhead.at);
    let plot_data = PlotData { log: &review.log, window: review.window, playhead, review: Some(review), lanes };
    widgets::within(ui, plot, "plots", |ui| plots::show(ui, plot, &plot_data, commands));
    // Below the curves, with the same left edge.
    let strip = egui::Rect::from_min_max(strip.min + vec2(SCALE_PX, 0.0), strip.max);
    overview::show(ui, strip, review, commands);
}

/// In a narrower bar, the controls have several rows.
const WIDE: f32 = 960.0;

fn transport(ui: &mut Ui, review: &Review, commands: &mut Vec<Command>) {
    let spacing = |ui: &mut Ui| ui.spacing_mut().item_spacing.x = 6.0;
    if let Some(running) = &review.ratings.running {
        ui.horizontal(|ui| {
            spacing(ui);
            play_button(ui, review, commands);
            rating::transport(ui, review, running, commands);
        });
    } else if ui.available_width() < WIDE {
        screen_layout::rows(ui, |ui| {
            spacing(ui);
            play_controls(ui, review, commands);
            view_controls(ui, review, commands);
        });
    } else {
        ui.horizontal(|ui| {
            spacing(ui);
            play_controls(ui, review, commands);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| view_controls(ui, review, commands));
        });
    }
}

fn play_button(ui: &mut Ui, review: &Review, commands: &mut Vec<Command>) {
    let play = if review.is_playing() { "Pause" } else { "Play" };
    let response = ui.add(egui::Button::new(play).min_size(vec2(68.0, 0.0))).on_hover_text("Space");
    if response.clicked() {
        commands.push(Command::Review(ReviewCommand::TogglePlay));
    }
}

fn play_controls(ui: &mut Ui, review: &Review, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    play_button(ui, review, commands);
    let mut button = |ui: &mut Ui, text: &str, name: &str, hint: &str, command: Command| {
        if ui.button(text).accessible_name(name).on_hover_text(hint).clicked() {
            commands.push(command);
        }
    };
    button(ui, "‹", "Previous frame", "Previous frame (Left)", Command::Review(ReviewCommand::StepFrames(-1)));
    button(ui, "›", "Next frame", "Next frame (Right)", Command::Review(ReviewCommand::StepFrames(1)));
    let clock = RichText::new(review.playhead.at.to_string()).monospace().size(15.0).color(p.strong);
    ui.add_space(4.0);
    ui.label(clock);
    ui.label(RichText::new(format!("of {}", figures::clock(review.span.until()))).weak().small());
    ui.add_space(4.0);
    button(ui, "‹ event", "Previous event", "Previous event (P)", Command::Review(ReviewCommand::PreviousEvent));
    button(ui, "event ›", "Next event", "Next event (N)", Command::Review(ReviewCommand::NextEvent));
    ui.add_space(4.0);
    let combo = ComboBox::from_id_salt("rate").width(64.0).selected_text(rate_text(review.playhead.rate));
    let combo = combo.show_ui(ui, |ui| {
        for rate in RATES {
            if ui.selectable_label(review.playhead.rate == rate, rate_text(rate)).clicked() {
                commands.push(Command::Review(ReviewCommand::SetRate(rate)));
            }
        }
    });
    combo.response.accessible_name("Speed").on_hover_text("Playback speed");
}

/// Export, the recorded page, the values that are shown, and the zoom.
fn view_controls(ui: &mut Ui, review: &Review, commands: &mut Vec<Command>) {
    export(ui, review, commands);
    page(ui, review, commands);
    shown_values(ui, review, commands);
    if ui.button("Fit").on_hover_text("Show the whole session (F)").clicked() {
        commands.push(Command::Review(ReviewCommand::Fit));
    }
    for (text, name, factor) in [("+", "Zoom in", 1.5), ("−", "Zoom out", 1.0 / 1.5)] {
        let hint = format!("{name} ({text}); also the wheel over the curves");
        if ui.button(text).accessible_name(name).on_hover_text(hint).clicked() {
            commands.push(Command::Review(ReviewCommand::ZoomAtPlayhead(factor)));
        }
    }
}

fn rate_text(rate: f64) -> String {
    format!("{rate} ×")
}

fn export(ui: &mut Ui, review: &Review, commands: &mut Vec<Command>) {
    if let Some(done) = review.exporting {
        let bar = egui::ProgressBar::new(done).desired_width(120.0).text(format!("Exporting {:.0} %", done * 100.0));
        ui.add(bar);
        return;
    }
    let menu = ui.menu_button("Export", |ui| {
        for (text, format) in [
            ("Records as CSV …", ExportFormat::Csv),
            ("Figure as PNG …", ExportFormat::FigurePng),
            ("Figure as SVG …", ExportFormat::FigureSvg),
        ] {
            if ui.button(text).clicked() {
                commands.push(Command::Review(ReviewCommand::ShowExportDialog(format)));
                ui.close();
            }
        }
    });
    menu.response.on_hover_text("Ctrl E");
}

/// Only if the page was recorded.
fn page(ui: &mut Ui, review: &Review, commands: &mut Vec<Command>) {
    if !review.has_page {
        return;
    }
    let hint = "Show the page as the participant saw it, in its own window. It follows the playhead (W)";
    if ui.selectable_label(review.page.is_some(), "Page").accessible_name("Recorded page").on_hover_text(hint).clicked()
    {
        commands.push(Command::Review(ReviewCommand::TogglePage));
    }
}

/// A menu: raw or corrected values, and the shading of poor quality.
fn shown_values(ui: &mut Ui, review: &Review, commands: &mut Vec<Command>) {
    let is_shifted = review.baseline.is_some() && review.values != Correction::Raw;
    let label = if is_shifted { study_form::correction_label(review.values) } else { "raw" };
    let menu = ui.menu_button(format!("Values: {label}"), |ui| {
        for values in Correction::ALL {
            let is_there = values == Correction::Raw || review.baseline.is_some();
            let choice = egui::Button::selectable(review.values == values, study_form::correction_label(values));
            let choice = ui.add_enabled(is_there, choice);
            let choice = choice.on_disabled_hover_text("This session has no baseline phase.");
            if choice.clicked() {
                commands.push(Command::Review(ReviewCommand::SetValues(values)));
                ui.close();
            }
        }
        ui.separator();
        let mut is_shaded = review.shades_poor;
        if ui.checkbox(&mut is_shaded, "Shade poor quality").changed() {
            commands.push(Command::Review(ReviewCommand::ShadePoor(is_shaded)));
        }
    });
    menu.response.accessible_name(format!("Values: {label}")).explained(Term::Baseline);
}

fn side(ui: &mut Ui, state: &State, review: &Review, commands: &mut Vec<Command>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        ui.spacing_mut().button_padding.x = 8.0;
        for side in Side::ALL {
            if ui.selectable_label(review.side == side, side.label()).clicked() {
                commands.push(Command::Review(ReviewCommand::ShowSide(side)));
            }
        }
    });
    ui.add_space(4.0);
    match review.side {
        Side::Events => {
            events::filter(ui, &review.log, commands);
            ui.add_space(4.0);
            events::similar_events(ui, review, commands);
            events::show(ui, &review.log, Some(review.playhead.at), commands);
        }
        Side::Annotations => annotations::show(ui, state, review, commands),
        Side::Rating => rating::show(ui, state, review, commands),
        Side::Quality => {
            ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
                let width = ui.available_width();
                quality::report(ui, &review.quality);
                ui.add_space(12.0);
                // The report may be wider than the side. What follows breaks its lines at the side all the same.
                ui.scope(|ui| {
                    ui.set_max_width(width);
                    facts(ui, review);
                });
            });
        }
    }
}

fn facts(ui: &mut Ui, review: &Review) {
    let refused = review.log.timeline().refused();
    if refused > 0 {
        let message = format!("{} records match no stream and are not shown.", figures::count(refused));
        ui.add(egui::Label::new(message).wrap());
    }
    if review.facts.is_empty() {
        return;
    }
    widgets::section(ui, "Session");
    for (name, value) in &review.facts {
        widgets::caption(ui, name.as_str());
        ui.add(egui::Label::new(RichText::new(value).size(13.0)).wrap());
    }
}
