//! The dialog of the preferences.

use eframe::egui;
use egui::{ComboBox, Grid, RichText, ScrollArea, Ui};

use super::command::{Command, PreferencesCommand};
use super::dialog_parts::{tick, warning};
use super::fallback_fonts::FallbackFonts;
use super::preferences::{Preferences, TEXT_SCALES, ThemeChoice};
use super::state::State;
use super::{enter_key, widgets};

/// The monitors to choose from. A monitor that is not there is replaced by the second one.
const MONITORS: usize = 4;

pub fn show(ui: &mut Ui, draft: &Preferences, state: &State, commands: &mut Vec<Command>) {
    let mut edited = draft.clone();
    let height = (ui.ctx().content_rect().height() - 200.0).max(120.0);
    ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
        appearance(ui, &mut edited);
        fonts(ui);
        ui.add_space(10.0);
        widgets::section(ui, "Recordings");
        recordings(ui, &mut edited, state, commands);
        ui.add_space(10.0);
        widgets::section(ui, "Participant's window");
        participant(ui, &mut edited);
        ui.add_space(10.0);
        widgets::section(ui, "While recording");
        tick(ui, &mut edited.sounds.alarm, "Sound when data is being lost");
        tick(ui, &mut edited.marker_pad, "Open the marker pad");
    });
    if edited != *draft {
        commands.push(Command::Preferences(PreferencesCommand::Edit(Box::new(edited))));
    }
}

fn appearance(ui: &mut Ui, edited: &mut Preferences) {
    widgets::section(ui, "Appearance");
    Grid::new("appearance").num_columns(2).spacing([14.0, 6.0]).show(ui, |ui| {
        let label = ui.label("Theme");
        let combo = ComboBox::from_id_salt("theme").selected_text(edited.look.label());
        let combo = combo.show_ui(ui, |ui| {
            for look in ThemeChoice::ALL {
                ui.selectable_value(&mut edited.look, look, look.label());
            }
        });
        combo.response.labelled_by(label.id);
        ui.end_row();
        let label = ui.label("Text size");
        let percent = |scale: f32| format!("{:.0} %", scale * 100.0);
        let combo = ComboBox::from_id_salt("text size").selected_text(percent(edited.text_scale));
        let combo = combo.show_ui(ui, |ui| {
            for scale in TEXT_SCALES {
                ui.selectable_value(&mut edited.text_scale, scale, percent(scale));
            }
        });
        combo.response.labelled_by(label.id).on_hover_text("Also Ctrl +, Ctrl − and Ctrl 0");
        ui.end_row();
    });
}

/// The scripts that cannot be drawn.
fn fonts(ui: &mut Ui) {
    let problems = ui.ctx().with_plugin(|fonts: &mut FallbackFonts| fonts.problems()).unwrap_or_default();
    if problems.is_empty() {
        return;
    }
    ui.add_space(10.0);
    widgets::section(ui, "Fonts");
    problems.iter().for_each(|problem| warning(ui, problem));
}

fn recordings(ui: &mut Ui, edited: &mut Preferences, state: &State, commands: &mut Vec<Command>) {
    let mut folder = edited.recordings.as_ref().map_or_else(String::new, |f| f.display().to_string());
    let label = widgets::caption(ui, "Folder of recordings");
    let present = state.home.library.as_ref().map_or_else(String::new, |l| l.root.display().to_string());
    let edit = egui::TextEdit::singleline(&mut folder).hint_text(present).desired_width(f32::INFINITY);
    let edit = ui.add(edit).labelled_by(label.id);
    enter_key::pass_on(&edit);
    if edit.changed() {
        edited.recordings = Some(folder.trim().into()).filter(|_| !folder.trim().is_empty());
    }
    if ui.add_enabled(!state.is_file_dialog_open, egui::Button::new("Choose …")).clicked() {
        commands.push(Command::Preferences(PreferencesCommand::BrowseRecordings));
    }
    if edited.recordings_folder().is_err() {
        warning(ui, "Type the whole path of the folder, for example ~/recordings.");
    }
    let message = "It must exist. Used when the program starts again. Sessions that are in another folder stay there. AFFECTOGRAPH_SESSIONS \
                   and --sessions go before this folder.";
    ui.add(egui::Label::new(RichText::new(message).small().weak()).wrap());
}

fn participant(ui: &mut Ui, edited: &mut Preferences) {
    let name = |monitor: Option<usize>| match monitor {
        None => "The second one, if there is one".to_owned(),
        Some(k) => format!("Monitor {}", k + 1),
    };
    ui.horizontal_wrapped(|ui| {
        let label = ui.label("Monitor");
        let monitor = &mut edited.participant.monitor;
        let combo = ComboBox::from_id_salt("monitor").width(220.0).selected_text(name(*monitor));
        let combo = combo.show_ui(ui, |ui| {
            for choice in std::iter::once(None).chain((0..MONITORS).map(Some)) {
                ui.selectable_value(monitor, choice, name(choice));
            }
        });
        combo.response.labelled_by(label.id);
    });
    tick(ui, &mut edited.participant.full_screen, "Full screen on that monitor");
    widgets::caption(ui, "In a recording: used the next time.");
}
