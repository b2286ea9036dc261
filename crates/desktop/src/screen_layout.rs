//! The parts that most screens share: the bar at the top, the central area and a waiting message.

use eframe::egui;
use egui::{Align, Frame, Layout, Margin, Panel, Ui, vec2};

use super::command::{Command, PreferencesCommand};
use super::preferences::ThemeChoice;
use super::state::State;
use super::{theme, widgets};

/// In a narrower window, or with larger text, the global buttons of a bar are one menu.
pub const WIDE: f32 = 760.0;
/// The width of that menu's button.
const MENU: f32 = 76.0;
/// The space that the contents of a screen need between its bars, in points.
const SMALLEST: egui::Vec2 = vec2(1000.0, 510.0);

/// The bar at the top: `contents` on the left, the global buttons on the right.
pub fn top_bar(
    ui: &mut Ui,
    state: &State,
    commands: &mut Vec<Command>,
    contents: impl FnOnce(&mut Ui, &mut Vec<Command>),
) {
    let p = theme::palette(ui);
    Panel::top("top bar").frame(theme::bar(&p)).show_separator_line(true).show(ui, |ui| {
        if ui.available_width() < WIDE {
            narrow_top_bar(ui, state, commands, contents);
            return;
        }
        ui.horizontal(|ui| {
            ui.set_min_height(30.0);
            contents(ui, commands);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                global_buttons(ui, state, commands);
                preferences(ui, commands);
            });
        });
    });
}

/// The contents have as many rows as they need beside the menu.
fn narrow_top_bar(
    ui: &mut Ui,
    state: &State,
    commands: &mut Vec<Command>,
    contents: impl FnOnce(&mut Ui, &mut Vec<Command>),
) {
    ui.horizontal_top(|ui| {
        ui.vertical(|ui| {
            ui.set_max_width((ui.available_width() - MENU).max(MENU));
            rows(ui, |ui| contents(ui, commands));
        });
        ui.with_layout(Layout::right_to_left(Align::Min), |ui| {
            ui.menu_button("Menu", |ui| {
                preferences(ui, commands);
                global_buttons(ui, state, commands);
            });
        });
    });
}

/// Widgets in a row, which go on in the next row where the width ends. A text is not broken: the place of a broken text would
/// cover what is before it.
pub fn rows(ui: &mut Ui, draw: impl FnOnce(&mut Ui)) {
    ui.horizontal_wrapped(|ui| {
        ui.style_mut().wrap_mode = Some(egui::TextWrapMode::Extend);
        draw(ui);
    });
}

fn preferences(ui: &mut Ui, commands: &mut Vec<Command>) {
    if ui.button("Preferences").on_hover_text("Folder, monitor, sounds, text size").clicked() {
        commands.push(Command::Preferences(PreferencesCommand::Show));
    }
}

/// The buttons for help and theme.
pub fn global_buttons(ui: &mut Ui, state: &State, commands: &mut Vec<Command>) {
    if ui.button("Help").on_hover_text("Keyboard shortcuts, and what the numbers mean (F1)").clicked() {
        commands.push(Command::ShowShortcuts);
    }
    ui.menu_button("Theme", |ui| {
        for look in ThemeChoice::ALL {
            if ui.selectable_label(state.preferences.look == look, look.label()).clicked() {
                commands.push(Command::SetTheme(look));
                ui.close();
            }
        }
    })
    .response
    .on_hover_text("System, light or dark theme");
}

/// Whether the contents of a screen need more space than the window has.
pub fn is_scrolled(ui: &Ui) -> bool {
    let available = ui.available_rect_before_wrap();
    available.width() < SMALLEST.x || available.height() < SMALLEST.y
}

/// The contents of a screen between its bars, which stay in place.
pub fn between_bars(ui: &mut Ui, draw: impl FnOnce(&mut Ui)) {
    roomy(ui, SMALLEST, draw);
}

/// As [`between_bars`], for contents that need at least `height`.
pub fn high_between_bars(ui: &mut Ui, height: f32, draw: impl FnOnce(&mut Ui)) {
    roomy(ui, vec2(SMALLEST.x, SMALLEST.y.max(height)), draw);
}

/// Draws in at least `smallest` points. In a smaller window, or with larger text, the contents keep their size and are
/// scrolled, so that nothing overlaps.
pub fn roomy<R>(ui: &mut Ui, smallest: egui::Vec2, draw: impl FnOnce(&mut Ui) -> R) -> R {
    let available = ui.available_rect_before_wrap();
    if available.width() >= smallest.x && available.height() >= smallest.y {
        return draw(ui);
    }
    let area = egui::ScrollArea::both().id_salt("small window").auto_shrink(false);
    let scrolled = area.show(ui, |ui| {
        let (rect, _) = ui.allocate_exact_size(available.size().max(smallest), egui::Sense::hover());
        widgets::within(ui, rect, "roomy", draw)
    });
    scrolled.inner
}

/// The central area. Fills the space that the panels leave.
pub fn central<R>(ui: &mut Ui, draw: impl FnOnce(&mut Ui) -> R) -> R {
    let p = theme::palette(ui);
    let frame = Frame::new().fill(p.ground).inner_margin(Margin::symmetric(16, 12));
    egui::CentralPanel::default_margins().frame(frame).show(ui, draw).inner
}

/// A spinner with a message.
pub fn waiting(ui: &mut Ui, sentence: &str) {
    ui.vertical_centered(|ui| {
        ui.add_space(ui.available_height() * 0.4);
        ui.spinner();
        widgets::caption(ui, sentence);
    });
}
