//! The health of the running recording in figures. Losses are red.

use eframe::egui;
use egui::{Color32, Sense, Ui, WidgetInfo, vec2};

use super::explanations::{Explained, Term};
use super::port::HealthFigures;
use super::{figures, theme, widgets};

/// Limits of a warning colour. No data is lost yet.
const DISK_SHORT_MIN: u64 = 30;
const QUEUE_HIGH: f64 = 0.5;

pub fn show(ui: &mut Ui, health: &HealthFigures) {
    let p = theme::palette(ui);
    ui.spacing_mut().item_spacing.x = 18.0;
    let plain = p.text;
    if health.asked_hz > 0.0 {
        camera(ui, health, plain);
    }
    let lost = if health.lost > 0 { p.loss_text } else { plain };
    widgets::stat(ui, "lost", &figures::count(health.lost), lost).explained(Term::Lost);
    if health.asked_hz > 0.0 {
        let inference = health.inference_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1} ms"));
        widgets::stat(ui, "inference", &inference, plain).explained(Term::Inference);
    }
    queue(ui, health.queue_fill);
    let disk = match health.disk_left {
        Some(left) => format!("{} · {}", figures::bytes(health.disk_left_bytes), figures::about(left)),
        None => figures::bytes(health.disk_left_bytes),
    };
    let is_short = health.disk_left.is_some_and(|left| left.as_secs() < DISK_SHORT_MIN * 60);
    widgets::stat(ui, "disk left", &disk, if is_short { theme::CAUTION } else { plain }).explained(Term::DiskLeft);
}

/// What the camera and the networks deliver. A recording without a camera asks for nothing.
fn camera(ui: &mut Ui, health: &HealthFigures, plain: Color32) {
    let is_slow = health.camera_hz < 0.9 * health.asked_hz;
    let camera = format!("{:.1} fps", health.camera_hz);
    widgets::stat(ui, "camera", &camera, if is_slow { theme::CAUTION } else { plain })
        .on_hover_text(format!("Requested: {:.0} fps.", health.asked_hz))
        .explained(Term::Camera);
    widgets::stat(ui, "stored", &figures::count(health.frames_stored), plain).explained(Term::Stored);
    widgets::stat(ui, "scored", &figures::count(health.frames_scored), plain).explained(Term::Scored);
    widgets::stat(ui, "skipped", &figures::count(health.frames_skipped), plain).explained(Term::Skipped);
}

fn queue(ui: &mut Ui, fill: f64) {
    let p = theme::palette(ui);
    let fill = fill.clamp(0.0, 1.0);
    let (rect, response) = ui.allocate_exact_size(vec2(46.0, 30.0), Sense::hover());
    ui.painter().text(rect.min, egui::Align2::LEFT_TOP, "queue", theme::caption_font(), p.weak);
    let track = egui::Rect::from_min_size(rect.left_bottom() - vec2(0.0, 12.0), vec2(rect.width(), 6.0));
    ui.painter().rect_filled(track, 3.0, p.hairline);
    let color: Color32 = match fill {
        f if f >= 0.999 => theme::LOSS,
        f if f >= QUEUE_HIGH => theme::CAUTION,
        _ => p.weak,
    };
    let width = (track.width() * fill as f32).max(2.0);
    ui.painter().rect_filled(egui::Rect::from_min_size(track.min, vec2(width, 6.0)), 3.0, color);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, format!("queue {:.0} %", fill * 100.0)));
    response.on_hover_text(format!("{:.0} %", fill * 100.0)).explained(Term::Queue);
}
