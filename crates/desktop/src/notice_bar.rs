//! The bar of messages at the bottom of the window.

use eframe::egui;
use egui::{Align, Frame, Layout, Margin, Panel, RichText, Ui};

use super::command::Command;
use super::notices::Notices;
use super::{theme, widgets};

pub fn show(ui: &mut Ui, notices: &Notices, commands: &mut Vec<Command>) {
    if notices.is_empty() {
        return;
    }
    let p = theme::palette(ui);
    let now_s = ui.input(|i| i.time);
    let frame = Frame::new().fill(p.selected).inner_margin(Margin::symmetric(16, 6));
    Panel::bottom("notices").frame(frame).show(ui, |ui| {
        for notice in notices.iter() {
            ui.horizontal(|ui| {
                ui.set_opacity(notice.opacity(now_s));
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if widgets::small_button(ui, "Dismiss").clicked() {
                        commands.push(Command::DismissNotice(notice.sentence.clone()));
                    }
                    ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                        if notice.is_warning {
                            let (sign, _) = ui.allocate_exact_size(egui::vec2(16.0, 16.0), egui::Sense::hover());
                            widgets::warning_sign(ui.painter(), sign.center(), 7.0);
                        }
                        ui.add(egui::Label::new(RichText::new(&notice.sentence).color(p.strong)).truncate())
                            .on_hover_text(&notice.sentence);
                    });
                });
            });
        }
    });
}
