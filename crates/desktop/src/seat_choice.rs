//! Who sits at the participant's screen in a new session.

use eframe::egui;
use egui::{RichText, Ui};

use super::dialog_parts::choice;
use super::widgets;
use session::Seat;

/// A study may have fixed it.
pub fn show(ui: &mut Ui, seat: &mut Seat, is_fixed: bool) {
    widgets::caption(ui, "Who sits at this screen?");
    ui.add_enabled_ui(!is_fixed, |ui| {
        ui.horizontal(|ui| {
            choice(ui, seat, Seat::Participant, "Participant");
            choice(ui, seat, Seat::Pilot, "Pilot (you try the study)");
        });
    });
    let what = match seat {
        Seat::Participant => "The page fills the participant's screen. Measurements and alarms are not shown there.",
        Seat::Pilot => "The page is beside the plots. The session is marked as a pilot and left out of averages.",
    };
    let by_study = if is_fixed { " The study file fixes this." } else { "" };
    ui.add(egui::Label::new(RichText::new(format!("{what}{by_study}")).small().weak()).wrap());
}
