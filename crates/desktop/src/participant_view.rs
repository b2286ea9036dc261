//! What the operator sees of the participant's screen: a picture of it, and whether it covers this window.

use eframe::egui;
use egui::{RichText, Stroke, StrokeKind, Ui};

use super::command::{Command, SetUpCommand};
use super::participant_state::ParticipantView;
use super::port::ParticipantCommand;
use super::{screen_layout, theme, widgets};

/// The key chord that shows and hides the participant window.
pub const CHORD: &str = "Ctrl+Shift+F12";

/// A picture, which takes no input, in a box of this height: of the participant's screen; in set-up, of the page that
/// follows.
pub fn picture(ui: &mut Ui, view: &ParticipantView, height: f32, name: &str) {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), height), egui::Sense::hover());
    ui.painter().rect(rect, 4.0, p.ground, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
    let shown = match &view.photo {
        Some(photo) => {
            let inside = widgets::fit(rect.shrink(1.0), photo.width_px as f32, photo.height_px as f32);
            egui::Image::new(&photo.texture).paint_at(ui, inside);
            "a picture each second"
        }
        None => {
            widgets::placeholder(ui, rect, "No picture yet");
            "no picture yet"
        }
    };
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Image, true, format!("{name}: {shown}")));
}

/// Buttons of the participant window: to show it, and to load the page again.
pub fn buttons(ui: &mut Ui, view: &ParticipantView, commands: &mut Vec<Command>) {
    screen_layout::rows(ui, |ui| {
        if view.front.is_some() {
            let show = widgets::small_button(ui, "Show participant's screen");
            if show.on_hover_text(format!("It covers this window. {CHORD} comes back.")).clicked() {
                commands.push(Command::Participant(ParticipantCommand::SetFront(true)));
            }
        }
        if widgets::small_button(ui, "Load again").clicked() {
            commands.push(Command::SetUp(SetUpCommand::ReloadPage));
        }
    });
    if view.front.is_some() {
        ui.add(egui::Label::new(RichText::new(format!("{CHORD} returns to this window.")).small().weak()).wrap());
    }
}
