//! Small controls and drawings of several views.

use eframe::egui;
use egui::{
    Align2, Button, Color32, FontId, Painter, Pos2, Rect, Response, RichText, Sense, Shape, Stroke, TextWrapMode, Ui,
    WidgetInfo, WidgetText, pos2, vec2,
};

use super::explanations::{Explained, Term};
use super::port::{CheckState, Grade};
use super::theme::{self, Palette};

/// The main button of a screen or dialog.
pub fn primary(ui: &mut Ui, is_enabled: bool, text: &str) -> Response {
    let p = theme::palette(ui);
    let button = Button::new(RichText::new(text).color(p.on_accent)).fill(p.accent).stroke(Stroke::new(1.0, p.accent));
    ui.add_enabled(is_enabled, button)
}

/// A button whose width does not depend on its text.
pub fn sized(ui: &mut Ui, width: f32, is_enabled: bool, is_primary: bool, text: &str) -> Response {
    let p = theme::palette(ui);
    let button = if is_primary {
        Button::new(RichText::new(text).color(p.on_accent)).fill(p.accent).stroke(Stroke::new(1.0, p.accent))
    } else {
        Button::new(text)
    };
    ui.add_enabled(is_enabled, button.min_size(vec2(width, 0.0)))
}

/// A button for rare actions.
pub fn small_button(ui: &mut Ui, text: &str) -> Response {
    // Not in a scope: in a row that goes on in the next one, a scope stays in its row and makes its place wider.
    let before = ui.spacing().clone();
    ui.spacing_mut().interact_size.y = 24.0;
    ui.spacing_mut().button_padding = vec2(9.0, 3.0);
    let response = ui.add(Button::new(RichText::new(text).size(12.5)).wrap_mode(TextWrapMode::Extend));
    *ui.spacing_mut() = before;
    response
}

/// The heading of a group.
pub fn section(ui: &mut Ui, text: &str) -> Response {
    let p = theme::palette(ui);
    ui.label(RichText::new(text).size(15.0).color(p.strong))
}

/// Small, weak text.
pub fn caption(ui: &mut Ui, text: impl Into<String>) -> Response {
    ui.label(RichText::new(text).small().weak())
}

/// A value below its name.
pub fn stat(ui: &mut Ui, name: &str, value: &str, color: Color32) -> Response {
    let p = theme::palette(ui);
    let caption = WidgetText::from(RichText::new(name).font(theme::caption_font()).color(p.weak));
    let figure = WidgetText::from(RichText::new(value).monospace().color(color));
    let caption = caption.into_galley(ui, Some(TextWrapMode::Extend), f32::INFINITY, egui::TextStyle::Small);
    let figure = figure.into_galley(ui, Some(TextWrapMode::Extend), f32::INFINITY, egui::TextStyle::Monospace);
    let size = vec2(caption.size().x.max(figure.size().x), caption.size().y + figure.size().y + 1.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let below = rect.min + vec2(0.0, caption.size().y + 1.0);
    ui.painter().galley(rect.min, caption, p.weak);
    ui.painter().galley(below, figure, color);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, format!("{name} {value}")));
    response
}

/// One line of text, cut with `…` if it does not fit. Returns whether it was cut.
pub fn line(ui: &Ui, rect: Rect, text: &str, font: FontId, color: Color32, align: Align2) -> bool {
    let text = WidgetText::from(RichText::new(text).font(font).color(color));
    let galley = text.into_galley(ui, Some(TextWrapMode::Truncate), rect.width(), egui::TextStyle::Body);
    let is_cut = galley.elided;
    let at = align.align_size_within_rect(galley.size(), rect).min;
    ui.painter().galley(at, galley, color);
    is_cut
}

/// The state of a check. Each state has a shape and a colour.
pub fn lamp(ui: &mut Ui, state: CheckState, name: &str) -> Response {
    let (rect, response) = ui.allocate_exact_size(vec2(18.0, 18.0), Sense::hover());
    let p = theme::palette(ui);
    paint_lamp(ui.painter(), rect.center(), state, &p);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, format!("{name}: {}", check_label(state))));
    response
}

pub fn check_label(state: CheckState) -> &'static str {
    match state {
        CheckState::Waiting => "waiting",
        CheckState::Ok => "ok",
        CheckState::Warning => "warning",
        CheckState::Failed => "failed",
    }
}

pub fn paint_lamp(painter: &Painter, at: Pos2, state: CheckState, p: &Palette) {
    const RADIUS: f32 = 7.0;
    let white = Stroke::new(1.8, Color32::WHITE);
    match state {
        CheckState::Waiting => {
            painter.circle_stroke(at, RADIUS - 1.0, Stroke::new(1.5, p.weak));
        }
        CheckState::Ok => {
            painter.circle_filled(at, RADIUS, theme::PULSE);
            let tick = [vec2(-3.2, 0.2), vec2(-0.9, 2.6), vec2(3.4, -2.4)].map(|v| at + v);
            painter.add(Shape::line(tick.to_vec(), white));
        }
        CheckState::Warning => warning_sign(painter, at, RADIUS + 0.5),
        CheckState::Failed => {
            painter.rect_filled(Rect::from_center_size(at, vec2(13.0, 13.0)), 3.0, theme::CAUTION);
            let dark = Stroke::new(1.8, Color32::from_rgb(0x2A, 0x1D, 0x00));
            for side in [-1.0, 1.0] {
                painter.line_segment([at + vec2(-3.0 * side, -3.0), at + vec2(3.0 * side, 3.0)], dark);
            }
        }
    }
}

pub fn warning_sign(painter: &Painter, at: Pos2, radius: f32) {
    let corners = [vec2(0.0, -radius), vec2(radius, radius * 0.8), vec2(-radius, radius * 0.8)].map(|v| at + v);
    painter.add(Shape::convex_polygon(corners.to_vec(), theme::CAUTION, Stroke::NONE));
    let dark = Color32::from_rgb(0x2A, 0x1D, 0x00);
    painter.line_segment([at + vec2(0.0, -radius * 0.4), at + vec2(0.0, radius * 0.22)], Stroke::new(1.6, dark));
    painter.circle_filled(at + vec2(0.0, radius * 0.52), 1.0, dark);
}

pub fn diamond(at: Pos2, radius: f32, color: Color32) -> Shape {
    let corners = [vec2(0.0, -radius), vec2(radius, 0.0), vec2(0.0, radius), vec2(-radius, 0.0)].map(|v| at + v);
    Shape::convex_polygon(corners.to_vec(), color, Stroke::NONE)
}

/// The grade's letter in a badge. A and B are filled, D and F have a warning edge.
pub fn paint_grade(painter: &Painter, left: Pos2, grade: Grade, p: &Palette) {
    let badge = Rect::from_center_size(left + vec2(10.0, 0.0), vec2(20.0, 18.0));
    let (fill, edge) = match grade {
        Grade::A | Grade::B => (p.selected, p.selected),
        Grade::C => (p.hover, p.hairline),
        Grade::D | Grade::F => (Color32::TRANSPARENT, theme::CAUTION),
    };
    painter.rect(badge, 5.0, fill, Stroke::new(1.0, edge), egui::StrokeKind::Inside);
    painter.text(badge.center(), Align2::CENTER_CENTER, grade.to_string(), FontId::proportional(12.5), p.strong);
}

pub fn grade(ui: &mut Ui, grade: Grade) -> Response {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(20.0, 20.0), Sense::hover());
    paint_grade(ui.painter(), rect.left_center(), grade, &p);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, format!("Quality: {grade}")));
    response.on_hover_text(grade_rule(grade)).explained(Term::Grade)
}

/// The published rule of the grade.
pub fn grade_rule(grade: Grade) -> &'static str {
    match grade {
        Grade::A => "A: no frame lost, at most 0.2 s between frames, a face in 95 % of them.",
        Grade::B => "B: up to 0.1 % of the frames lost, at most 0.5 s between frames, a face in 90 % of them.",
        Grade::C => "C: up to 1 % of the frames lost, at most 2 s between frames, a face in 75 % of them.",
        Grade::D => "D: up to 5 % of the frames lost, at most 10 s between frames, a face in half of them.",
        Grade::F => "F: more lost, longer gaps or fewer faces than grade D allows.",
    }
}

/// A dashed rectangle with a text, for content that is not there yet.
pub fn placeholder(ui: &Ui, rect: Rect, sentence: &str) {
    let p = theme::palette(ui);
    let edge = rect.shrink(1.0);
    let corners = [edge.left_top(), edge.right_top(), edge.right_bottom(), edge.left_bottom(), edge.left_top()];
    ui.painter().extend(Shape::dashed_line(&corners, Stroke::new(1.0, p.hairline), 6.0, 5.0));
    let text = WidgetText::from(RichText::new(sentence).color(p.weak));
    let width = (rect.width() - 32.0).max(40.0);
    let galley = text.into_galley(ui, Some(TextWrapMode::Wrap), width, egui::TextStyle::Body);
    let at = Align2::CENTER_CENTER.align_size_within_rect(galley.size(), rect).min;
    ui.painter().galley(at, galley, p.weak);
    let id = ui.scope_id().with((sentence, rect.min.x.to_bits(), rect.min.y.to_bits()));
    let read_aloud = || WidgetInfo::labeled(egui::Role::Label, true, sentence);
    ui.interact(rect, id, Sense::hover()).widget_info(read_aloud);
}

/// The largest rectangle with this aspect ratio, centred in `rect`.
pub fn fit(rect: Rect, width: f32, height: f32) -> Rect {
    let scale = (rect.width() / width.max(1.0)).min(rect.height() / height.max(1.0));
    Rect::from_center_size(rect.center(), vec2(width * scale, height * scale))
}

/// Splits `rect` into columns with gaps between them. Columns of width 0 share the space that is left.
pub fn columns<const N: usize>(rect: Rect, gap: f32, widths: [f32; N]) -> [Rect; N] {
    let fixed: f32 = widths.iter().sum();
    let shares = widths.iter().filter(|w| **w == 0.0).count().max(1) as f32;
    let left = (rect.width() - fixed - gap * (N.saturating_sub(1)) as f32).max(0.0) / shares;
    let mut x = rect.left();
    widths.map(|w| {
        let w = if w == 0.0 { left } else { w };
        let part = Rect::from_min_max(pos2(x, rect.top()), pos2(x + w, rect.bottom()));
        x += w + gap;
        part
    })
}

/// Like [`columns`], from top to bottom.
pub fn rows<const N: usize>(rect: Rect, gap: f32, heights: [f32; N]) -> [Rect; N] {
    let turn = |r: Rect| Rect::from_min_max(pos2(r.min.y, r.min.x), pos2(r.max.y, r.max.x));
    columns(turn(rect), gap, heights).map(turn)
}

/// `n` rows of the same height, from top to bottom.
pub fn equal_rows(rect: Rect, gap: f32, n: usize) -> Vec<Rect> {
    let height = (rect.height() - gap * n.saturating_sub(1) as f32).max(0.0) / n.max(1) as f32;
    let top = |k: usize| rect.top() + (height + gap) * k as f32;
    (0..n).map(|k| Rect::from_min_max(pos2(rect.left(), top(k)), pos2(rect.right(), top(k) + height))).collect()
}

/// Draws inside `rect`, clipped to it.
pub fn within<R>(ui: &mut Ui, rect: Rect, name: &str, draw: impl FnOnce(&mut Ui) -> R) -> R {
    let builder = egui::UiBuilder::new().max_rect(rect).id_salt(name);
    ui.scope_builder(builder, |ui| {
        ui.set_clip_rect(rect.expand(1.0).intersect(ui.clip_rect()));
        ui.set_min_size(rect.size());
        draw(ui)
    })
    .inner
}
