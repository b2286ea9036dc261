//! The eight expression probabilities as bars.

use eframe::egui;
use egui::{Align2, FontFamily, FontId, Rect, Sense, Ui, WidgetInfo, pos2, vec2};

use session::{AFFECT, EXPRESSIONS, Timeline, Timestamp, affect};

use super::explanations::{Explained, Term};
use super::theme;

const FRESH_S: f64 = 0.5;
const WIDEST: f32 = 480.0;

pub fn show(ui: &mut Ui, rect: Rect, timeline: &Timeline, at: Timestamp) {
    draw(ui, rect, stored(timeline, at));
}

pub fn show_one(ui: &mut Ui, rect: Rect, values: Option<&[f32; affect::FIELDS]>) {
    draw(ui, rect, values.map(|v| std::array::from_fn(|k| v[affect::EXPRESSION_0 + k])));
}

fn stored(timeline: &Timeline, at: Timestamp) -> Option<[f32; 8]> {
    let series = timeline.series(AFFECT)?;
    let row = series.row_at(at)?;
    let is_fresh = at.as_secs_f64() - series.times()[row].as_secs_f64() <= FRESH_S;
    is_fresh.then(|| std::array::from_fn(|k| series.column(affect::EXPRESSION_0 + k)[row]))
}

fn draw(ui: &mut Ui, rect: Rect, values: Option<[f32; 8]>) {
    let p = theme::palette(ui);
    let response = ui.allocate_rect(rect, Sense::hover());
    // Longer bars would not be easier to compare.
    let rect = Rect::from_center_size(rect.center(), vec2(rect.width().min(WIDEST), rect.height()));
    let painter = ui.painter().with_clip_rect(rect);
    let row_height = (rect.height() / 8.0).min(34.0);
    let top = rect.min + vec2(0.0, (rect.height() - 8.0 * row_height) / 2.0);
    let (names, percents) = (72.0, 34.0);
    let likeliest = values.and_then(|v| (0..8).max_by(|a, b| v[*a].total_cmp(&v[*b])));
    let font = FontId::new((row_height * 0.62).clamp(9.5, 13.0), FontFamily::Proportional);
    for (k, name) in EXPRESSIONS.iter().enumerate() {
        let row = Rect::from_min_size(top + vec2(0.0, row_height * k as f32), vec2(rect.width(), row_height));
        let is_likeliest = likeliest == Some(k);
        let color = if is_likeliest { p.strong } else { p.weak };
        painter.text(row.left_center(), Align2::LEFT_CENTER, *name, font.clone(), color);
        let track = Rect::from_min_max(
            pos2(row.left() + names, row.center().y - 3.0),
            pos2((row.right() - percents).max(row.left() + names), row.center().y + 3.0),
        );
        painter.rect_filled(track, 3.0, p.hover);
        if let Some(values) = values {
            let share = values[k].clamp(0.0, 1.0);
            let bar = Rect::from_min_size(track.min, vec2((track.width() * share).max(1.5), track.height()));
            painter.rect_filled(bar, 3.0, if is_likeliest { p.text } else { p.weak });
            let percent = format!("{:.0} %", share * 100.0);
            painter.text(row.right_center(), Align2::RIGHT_CENTER, percent, font.clone(), color);
        }
    }
    let response = response.explained(Term::Expressions);
    response.widget_info(|| {
        let message = match (values, likeliest) {
            (Some(v), Some(k)) => format!("{} {:.0} %", EXPRESSIONS[k], v[k] * 100.0),
            _ => "no reading".to_owned(),
        };
        WidgetInfo::labeled(egui::Role::Image, true, format!("Expressions: {message}"))
    });
}
