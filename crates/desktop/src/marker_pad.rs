//! The marker pad: a small window with the markers that stays above all other windows. While the participant window covers
//! the operator's view, it is hidden: the participant must not see markers and alarms.

use eframe::egui;
use egui::{Frame, Margin, RichText, ScrollArea, Ui, ViewportBuilder, ViewportClass, ViewportId};

use super::command::{Command, LiveCommand};
use super::port::MarkerVia;
use super::state::{Recording, State, StopState};
use super::{figures, keys, marker_bar, theme, widgets};

const SIZE: [f32; 2] = [250.0, 300.0];
const SMALLEST: [f32; 2] = [170.0, 120.0];

/// The window's identity for the system.
pub fn id() -> ViewportId {
    ViewportId::from_hash_of("marker pad")
}

/// Drawn with the main window, so it shows the same moment.
pub fn show(ctx: &egui::Context, state: &State, commands: &mut Vec<Command>) {
    if state.participant.front == Some(true) {
        return;
    }
    let Some(recording) = state.recording.as_ref().filter(|r| r.has_pad) else { return };
    let builder = ViewportBuilder::default()
        .with_title("affectograph – markers")
        .with_app_id("affectograph")
        .with_inner_size(SIZE)
        .with_min_inner_size(SMALLEST)
        .with_always_on_top();
    ctx.show_viewport_immediate(id(), builder, |ui, class| {
        let ctx = ui.ctx().clone();
        if ctx.input(|i| i.viewport().close_requested()) {
            commands.push(Command::Live(LiveCommand::ShowPad(false)));
        }
        // An embedded window shares the keyboard with the main window, which reads the keys then.
        if class != ViewportClass::EmbeddedWindow {
            keys::markers(&ctx, state, &MarkerVia::Pad, commands);
        }
        let p = theme::palette(ui);
        let frame = Frame::new().fill(p.ground).inner_margin(Margin::symmetric(10, 8));
        egui::CentralPanel::default_margins().frame(frame).show(ui, |ui| pad(ui, recording, commands));
    });
}

fn pad(ui: &mut Ui, recording: &Recording, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(figures::clock(recording.elapsed_at())).monospace().size(16.0).color(p.strong));
        if recording.phases.is_paused() {
            ui.label(RichText::new("paused").color(theme::CAUTION));
        }
        if !recording.alarms.is_empty() {
            let alarms: Vec<&str> = recording.alarms.iter().map(|a| a.losing.as_str()).collect();
            ui.label(RichText::new("data is being lost").color(p.loss_text)).on_hover_text(alarms.join("\n"));
        }
    });
    if recording.stop == StopState::Stopping {
        widgets::caption(ui, "Closing the files …");
        return;
    }
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        ui.with_layout(egui::Layout::top_down_justified(egui::Align::Min), |ui| {
            for marker in &recording.study.markers {
                marker_bar::marker_button(ui, &recording.study.markers, marker, MarkerVia::Pad, commands);
            }
            if recording.study.markers.is_empty() {
                widgets::caption(ui, "This study has no marker keys.");
            }
            ui.add_space(4.0);
            marker_bar::undo(ui, recording, commands);
        });
    });
}
