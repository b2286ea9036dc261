//! The window with the address of the phone pad, as text and as a QR code.

use eframe::egui;
use egui::{Color32, Frame, Margin, Rect, RichText, Sense, Ui, ViewportBuilder, ViewportId, WidgetInfo, vec2};
use qrcode::{Color, QrCode};

use super::command::{Command, LiveCommand};
use super::state::State;
use super::{theme, widgets};

/// Drawn with the main window. It is a window of its own, because a dialog would hide an embedded page. The participant
/// must not see it.
pub fn show(ctx: &egui::Context, state: &State, commands: &mut Vec<Command>) {
    if state.participant.front == Some(true) {
        return;
    }
    let Some(recording) = state.recording.as_ref().filter(|r| r.has_phone_window) else { return };
    let Some(url) = &recording.phone_url else { return };
    let builder = ViewportBuilder::default()
        .with_title("affectograph – phone")
        .with_app_id("affectograph")
        .with_inner_size([340.0, 520.0])
        .with_min_inner_size([240.0, 300.0]);
    ctx.show_viewport_immediate(ViewportId::from_hash_of("phone"), builder, |ui, _| {
        if ui.input(|i| i.viewport().close_requested()) {
            commands.push(Command::Live(LiveCommand::ShowPhoneWindow(false)));
        }
        let p = theme::palette(ui);
        let frame = Frame::new().fill(p.ground).inner_margin(Margin::symmetric(14, 12));
        egui::CentralPanel::default_margins().frame(frame).show(ui, |ui| {
            egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| contents(ui, url, commands));
        });
    });
}

fn contents(ui: &mut Ui, url: &str, commands: &mut Vec<Command>) {
    let message = "Point the phone's camera at the code, or type the address into its browser. The phone must be in the \
                   same network.";
    ui.add(egui::Label::new(message).wrap());
    code(ui, url);
    ui.add(egui::Label::new(RichText::new(url).monospace()).wrap().selectable(true));
    ui.add_space(4.0);
    let warning = "Whoever has this address can set markers until the recording ends. The connection is not encrypted: the \
                   labels of markers and alarms can be read in this network. Nothing else is sent.";
    ui.add(egui::Label::new(RichText::new(warning).small().weak()).wrap());
    ui.add_space(6.0);
    ui.horizontal_wrapped(|ui| {
        if ui.button("Switch off").clicked() {
            commands.push(Command::Live(LiveCommand::SwitchPhone(false)));
        }
        if ui.button("Copy address").clicked() {
            ui.ctx().copy_text(url.to_owned());
        }
        if ui.button("Hide").clicked() {
            commands.push(Command::Live(LiveCommand::ShowPhoneWindow(false)));
        }
    });
}

/// Dark on white in both themes, because many phones read only that.
fn code(ui: &mut Ui, url: &str) {
    // The address is short. A code can hold thousands of letters.
    let Ok(code) = QrCode::new(url) else {
        widgets::caption(ui, "The address does not fit into a code. Type it.");
        return;
    };
    const QUIET: usize = 4;
    let modules = code.width() + 2 * QUIET;
    let side = ui.available_width().min(280.0);
    let (rect, response) = ui.allocate_exact_size(vec2(side, side), Sense::hover());
    let step = side / modules as f32;
    ui.painter().rect_filled(rect, 4.0, Color32::WHITE);
    for (k, _) in code.to_colors().iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        let place = vec2((k % code.width() + QUIET) as f32, (k / code.width() + QUIET) as f32) * step;
        // Slightly larger, so that no gap is between two modules.
        let module = Rect::from_min_size(rect.min + place, vec2(step, step)).expand(0.15);
        ui.painter().rect_filled(module, 0.0, Color32::BLACK);
    }
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, format!("QR code of {url}")));
}
