//! The affect plane: valence to the right, arousal up, with a trail of the last seconds.

use eframe::egui;
use egui::{Align2, Color32, Pos2, Rect, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};

use session::{AFFECT, Timeline, Timestamp, affect};

use super::explanations::{Explained, Term};
use super::{figures, theme, widgets};

const TRAIL_S: f64 = 8.0;
/// An older reading is not shown as the present one.
const FRESH_S: f64 = 0.5;
/// The largest number of points of the trail. More points could not be told apart.
const TRAIL_POINTS: usize = 160;

/// A point of the trail.
struct Reading {
    valence: f32,
    arousal: f32,
    valence_sd: f32,
    arousal_sd: f32,
    age_s: f64,
}

/// Draws the readings up to `at` into the square in the middle of `rect`.
pub fn show(ui: &mut Ui, rect: Rect, timeline: &Timeline, at: Timestamp) {
    draw(ui, rect, &trail(timeline, at));
}

/// Draws one reading of the rehearsal, which is not stored.
pub fn show_one(ui: &mut Ui, rect: Rect, values: Option<&[f32; affect::FIELDS]>) {
    let reading = values.map(|v| Reading {
        valence: v[affect::VALENCE],
        arousal: v[affect::AROUSAL],
        valence_sd: v[affect::VALENCE_SD],
        arousal_sd: v[affect::AROUSAL_SD],
        age_s: 0.0,
    });
    draw(ui, rect, reading.as_slice());
}

fn trail(timeline: &Timeline, at: Timestamp) -> Vec<Reading> {
    let Some(series) = timeline.series(AFFECT) else { return Vec::new() };
    let from = Timestamp::from_secs_f64(at.as_secs_f64() - TRAIL_S);
    let rows = series.rows(from, Timestamp::from_ns(at.as_ns().saturating_add(1)));
    let stride = rows.len().div_ceil(TRAIL_POINTS).max(1);
    // Counted from the newest point, so that points do not jump from frame to frame.
    let mut readings: Vec<Reading> = rows
        .rev()
        .step_by(stride)
        .map(|row| {
            let value = |field: usize| series.column(field)[row];
            Reading {
                valence: value(affect::VALENCE),
                arousal: value(affect::AROUSAL),
                valence_sd: value(affect::VALENCE_SD),
                arousal_sd: value(affect::AROUSAL_SD),
                age_s: at.as_secs_f64() - series.times()[row].as_secs_f64(),
            }
        })
        .collect();
    readings.reverse();
    readings
}

fn draw(ui: &mut Ui, rect: Rect, readings: &[Reading]) {
    let p = theme::palette(ui);
    let response = ui.allocate_rect(rect, Sense::hover());
    let painter = ui.painter().with_clip_rect(rect);
    let square = widgets::fit(rect.shrink2(vec2(14.0, 16.0)), 1.0, 1.0);
    let (centre, radius) = (square.center(), square.width() / 2.0);
    let place = |valence: f32, arousal: f32| -> Pos2 {
        centre + vec2(valence.clamp(-1.0, 1.0), -arousal.clamp(-1.0, 1.0)) * radius
    };

    let hair = Stroke::new(1.0, p.grid);
    painter.circle(centre, radius, Color32::TRANSPARENT, hair);
    painter.circle_stroke(centre, radius / 2.0, Stroke::new(0.6, p.grid));
    painter.line_segment([square.left_center(), square.right_center()], hair);
    painter.line_segment([square.center_top(), square.center_bottom()], hair);
    let font = theme::caption_font();
    let label = |at: Pos2, align: Align2, text: &str, color: Color32| {
        painter.text(at, align, text, font.clone(), color);
    };
    // Beside the circle if there is room. Inside a small circle the labels would overlap.
    if square.left() - rect.left() > 64.0 {
        label(square.left_center() - vec2(6.0, 0.0), Align2::RIGHT_CENTER, "unpleasant", p.weak);
        label(square.right_center() + vec2(6.0, 0.0), Align2::LEFT_CENTER, "pleasant", p.weak);
    } else {
        label(square.left_center() + vec2(5.0, -2.0), Align2::LEFT_BOTTOM, "unpleasant", p.weak);
        label(square.right_center() + vec2(-5.0, -2.0), Align2::RIGHT_BOTTOM, "pleasant", p.weak);
    }
    label(square.center_top() + vec2(0.0, -2.0), Align2::CENTER_BOTTOM, "excited", p.weak);
    label(square.center_bottom() + vec2(0.0, 2.0), Align2::CENTER_TOP, "calm", p.weak);

    for pair in readings.windows(2) {
        let (a, b) = (&pair[0], &pair[1]);
        // Points on either side of a pause are not joined.
        if a.age_s - b.age_s > FRESH_S {
            continue;
        }
        let freshness = (1.0 - b.age_s / TRAIL_S).clamp(0.0, 1.0) as f32;
        let color = p.text.gamma_multiply(0.08 + 0.72 * freshness * freshness);
        let line = [place(a.valence, a.arousal), place(b.valence, b.arousal)];
        painter.line_segment(line, Stroke::new(1.0 + 1.2 * freshness, color));
    }

    let now = readings.last().filter(|r| r.age_s <= FRESH_S);
    if let Some(now) = now {
        let at = place(now.valence, now.arousal);
        let spread = vec2(now.valence_sd, now.arousal_sd) * radius;
        painter.add(Shape::ellipse_filled(at, spread, p.accent.gamma_multiply(0.16)));
        painter.circle(at, 6.0, p.accent, Stroke::new(2.0, p.card));
    }
    let corner = |at: Pos2, align: Align2, name: &str, value: f32, color: Color32| {
        let font = egui::FontId::new(12.0, egui::FontFamily::Monospace);
        let text = painter.text(at, align, format!("{name} {}", figures::signed(value)), font, p.text);
        painter.line_segment(
            [text.left_bottom() + vec2(0.0, 2.0), text.right_bottom() + vec2(0.0, 2.0)],
            Stroke::new(2.0, color),
        );
    };
    if let Some(now) = now {
        corner(pos2(rect.left() + 4.0, rect.top() + 2.0), Align2::LEFT_TOP, "V", now.valence, theme::VALENCE);
        corner(pos2(rect.right() - 4.0, rect.top() + 2.0), Align2::RIGHT_TOP, "A", now.arousal, theme::AROUSAL);
    }
    let pointer = response.hover_pos();
    let term = match pointer {
        Some(at) if at.y < rect.top() + 22.0 && at.x < rect.left() + 80.0 => Term::Valence,
        Some(at) if at.y < rect.top() + 22.0 && at.x > rect.right() - 80.0 => Term::Arousal,
        _ => Term::Plane,
    };
    let response = response.explained(term);
    response.widget_info(|| {
        let message = match now {
            Some(r) => format!("valence {}, arousal {}", figures::signed(r.valence), figures::signed(r.arousal)),
            None => "no reading".to_owned(),
        };
        WidgetInfo::labeled(egui::Role::Image, true, format!("Affect plane: {message}"))
    });
}
