//! Annotations of the session in review: the side panel, and the marks above the curves.

use std::ops::RangeInclusive;

use eframe::egui;
use egui::{
    Align2, Color32, FontId, Margin, Painter, Rect, RichText, ScrollArea, Sense, Stroke, Ui, WidgetInfo, pos2, vec2,
};

use session::Annotation;

use super::annotation_state::Kappa;
use super::command::{AnnotateCommand, Command};
use super::explanations::{Explained, Term};
use super::state::{Review, State};
use super::theme::{self, Palette};
use super::time_window::TimeWindow;
use super::{figures, widgets};

/// Height of one line of marks above the curves. Each author has a line.
pub const LANE_PX: f32 = 20.0;
/// The largest number of lines. Further authors share the last line.
const LINES: usize = 3;
const ROW: f32 = 26.0;
/// Number keys: 1 to 9.
const KEYS: usize = 9;

pub fn show(ui: &mut Ui, state: &State, review: &Review, commands: &mut Vec<Command>) {
    let mut push = |command| commands.push(Command::Annotate(command));
    author(ui, &state.author, "Coded by", &mut push);
    ui.add_space(6.0);
    labels(ui, review, &mut push);
    ui.add_space(6.0);
    ui.horizontal(|ui| {
        let annotated = &review.annotations;
        for (text, hint, is_possible, command) in [
            ("Undo", "Ctrl Z", annotated.can_undo(), AnnotateCommand::Undo),
            ("Redo", "Ctrl Shift Z", annotated.can_redo(), AnnotateCommand::Redo),
            ("Remove", "Delete", annotated.selected.is_some(), AnnotateCommand::RemoveSelected),
        ] {
            if ui
                .add_enabled(is_possible, egui::Button::new(RichText::new(text).size(12.5)))
                .on_hover_text(hint)
                .clicked()
            {
                push(command);
            }
        }
    });
    ui.add_space(6.0);
    agreement(ui, review);
    list(ui, review, &mut push);
}

/// The field for the author of annotations and ratings.
pub fn author(ui: &mut Ui, author: &str, caption: &str, push: &mut impl FnMut(AnnotateCommand)) {
    let mut edited = author.to_owned();
    ui.horizontal(|ui| {
        let label = widgets::caption(ui, caption);
        let field = egui::TextEdit::singleline(&mut edited)
            .hint_text("name or initials")
            .desired_width(ui.available_width() - 20.0)
            .char_limit(40)
            .margin(Margin::symmetric(8, 4));
        if ui.add(field).labelled_by(label.id).changed() {
            push(AnnotateCommand::SetAuthor(edited));
        }
    });
}

fn labels(ui: &mut Ui, review: &Review, push: &mut impl FnMut(AnnotateCommand)) {
    let p = theme::palette(ui);
    let annotated = &review.annotations;
    if annotated.labels.is_empty() {
        let message = "This study has no labels. Add one. Then press its number key.";
        ui.add(egui::Label::new(RichText::new(message).small().weak()).wrap());
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(5.0, 5.0);
        for (k, label) in annotated.labels.iter().enumerate() {
            let is_open = annotated.open_range.as_ref().is_some_and(|(open, _)| open == label);
            let key = if k < KEYS { (k + 1).to_string() } else { String::new() };
            let text = if is_open { format!("{label} … end") } else { label.clone() };
            let button = egui::Button::new((
                RichText::new(key).monospace().size(12.0).color(p.accent),
                RichText::new(text).size(13.0),
            ));
            let button = if is_open { button.fill(p.selected) } else { button };
            let response = ui.add(button).accessible_name(format!("Annotate {label}"));
            let hint = "Click to set a point at the playhead. Ctrl and click begins a range, and again ends it.";
            if response.on_hover_text(hint).clicked() {
                let is_range = is_open || ui.input(|i| i.modifiers.command);
                push(if is_range { AnnotateCommand::Range(k) } else { AnnotateCommand::Point(k) });
            }
        }
    });
    ui.add_space(4.0);
    let mut text = annotated.new_label.clone();
    ui.horizontal(|ui| {
        let field = egui::TextEdit::singleline(&mut text)
            .hint_text("another label")
            .desired_width(ui.available_width() - 84.0)
            .char_limit(40)
            .margin(Margin::symmetric(8, 4));
        let field = ui.add(field).accessible_name("Another label");
        if field.changed() {
            push(AnnotateCommand::EditNewLabel(text.clone()));
        }
        let is_entered = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        let is_given = !text.trim().is_empty();
        let add = ui.add_enabled(is_given, egui::Button::new(RichText::new("Add").size(12.5)));
        if add.accessible_name("Add label").clicked() || (is_entered && is_given) {
            push(AnnotateCommand::AddLabel);
        }
    });
    if let Some((label, from)) = &annotated.open_range {
        let message =
            format!("{label} from {}: press its key again at the end. Esc cancels the range.", figures::clock(*from));
        ui.add(egui::Label::new(RichText::new(message).small().color(p.accent)).wrap());
    }
}

/// Cohen's kappa of each two authors.
fn agreement(ui: &mut Ui, review: &Review) {
    for Kappa { authors: [a, b], kappa } in &review.annotations.kappas {
        let message = match kappa {
            Ok(Some(kappa)) => format!("{a} and {b}: κ = {}", figures::signed(*kappa as f32)),
            Ok(None) => format!("{a} and {b}: κ is not defined, because both coded only one category"),
            Err(why) => format!("{a} and {b}: {why}"),
        };
        ui.label(RichText::new(message).size(13.0)).explained(Term::Kappa);
        ui.add_space(4.0);
    }
}

fn list(ui: &mut Ui, review: &Review, push: &mut impl FnMut(AnnotateCommand)) {
    let standing = review.annotations.current();
    if standing.is_empty() {
        let message = "No annotations yet. A number key sets a point at the playhead. Ctrl and a number key begin and \
                       end a range.";
        ui.add(egui::Label::new(RichText::new(message).small().weak()).wrap());
        return;
    }
    ui.spacing_mut().item_spacing.y = 0.0;
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, ROW, standing.len(), |ui, range| {
        for annotation in &standing[range] {
            row(ui, annotation, review.annotations.selected == Some(annotation.id), push);
        }
    });
}

fn row(ui: &mut Ui, annotation: &Annotation, is_selected: bool, push: &mut impl FnMut(AnnotateCommand)) {
    let p = theme::palette(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    if is_selected {
        ui.painter().rect_filled(rect, 4.0, p.selected);
    } else if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, 4.0, p.hover);
    }
    let [time, label, length, author] = widgets::columns(rect.shrink2(vec2(6.0, 0.0)), 6.0, [62.0, 0.0, 54.0, 54.0]);
    let font = FontId::proportional(13.0);
    widgets::line(ui, time, &figures::clock(annotation.from), FontId::monospace(11.5), p.weak, Align2::LEFT_CENTER);
    widgets::line(ui, label, &annotation.label, font.clone(), p.text, Align2::LEFT_CENTER);
    let lasted = annotation.until.map(|until| {
        figures::span(std::time::Duration::from_nanos(until.since_ns(annotation.from).max(0).unsigned_abs()))
    });
    widgets::line(ui, length, lasted.as_deref().unwrap_or("point"), font.clone(), p.weak, Align2::RIGHT_CENTER);
    widgets::line(ui, author, &annotation.author, font, p.weak, Align2::RIGHT_CENTER);
    response.widget_info(|| {
        let lasted = lasted.clone().unwrap_or_else(|| "point".to_owned());
        let name = format!("{} {}, {lasted}, by {}", annotation.from, annotation.label, annotation.author);
        WidgetInfo::selected(egui::Role::ListBoxOption, true, is_selected, name)
    });
    let made = annotation.made_utc.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M");
    if response.clicked() {
        push(AnnotateCommand::Select(annotation.id));
    }
    response.on_hover_text(format!("{} by {}, {made}", annotation.label, annotation.author));
}

/// The number of lines of marks.
pub fn lines(review: &Review) -> usize {
    review.annotations.authors().len().clamp(1, LINES)
}

/// Draws the marks in `lane`, above the curves.
pub fn marks(painter: &Painter, lane: Rect, window: TimeWindow, review: &Review, p: &Palette) {
    let x_of = |at_s: f64| lane.left() + lane.width() * ((at_s - window.from_s) / window.width_s()) as f32;
    let painter = painter.with_clip_rect(lane.intersect(painter.clip_rect()));
    let authors = review.annotations.authors();
    let line = |k: usize| {
        let top = lane.top() + LANE_PX * k.min(LINES - 1) as f32;
        Rect::from_x_y_ranges(lane.x_range(), top..=top + LANE_PX)
    };
    for annotation in review.annotations.current() {
        let lane = line(authors.iter().position(|who| *who == annotation.author).unwrap_or(0));
        let from = x_of(annotation.from.as_secs_f64());
        let until = annotation.until.map(|until| x_of(until.as_secs_f64()));
        let is_selected = review.annotations.selected == Some(annotation.id);
        mark(&painter, lane, from..=until.unwrap_or(from), until.is_some(), &annotation.label, is_selected, p);
    }
    if let Some((label, from)) = &review.annotations.open_range {
        let lane = line(0);
        let (from, until) = (x_of(from.as_secs_f64()), x_of(review.playhead.at.as_secs_f64()));
        mark(&painter, lane, from.min(until)..=from.max(until), true, label, true, p);
    }
}

fn mark(
    painter: &Painter,
    lane: Rect,
    span: RangeInclusive<f32>,
    is_range: bool,
    label: &str,
    is_selected: bool,
    p: &Palette,
) {
    let (from, until) = (*span.start(), *span.end());
    if until < lane.left() || from > lane.right() {
        return;
    }
    let (fill, edge): (Color32, Color32) = if is_selected { (p.selected, p.accent) } else { (p.hover, p.weak) };
    let font = theme::caption_font();
    if is_range {
        let bar = Rect::from_x_y_ranges(from..=until.max(from + 3.0), lane.top() + 2.0..=lane.bottom() - 2.0);
        painter.rect(bar, 3.0, fill, Stroke::new(1.0, edge), egui::StrokeKind::Inside);
        if bar.width() > 26.0 {
            let left = bar.left().max(lane.left()) + 5.0;
            painter.with_clip_rect(bar).text(pos2(left, bar.center().y), Align2::LEFT_CENTER, label, font, p.strong);
        }
    } else {
        painter.vline(from, lane.y_range(), Stroke::new(1.5, edge));
        painter.circle_filled(pos2(from, lane.center().y), 4.0, if is_selected { p.accent } else { p.text });
        painter.text(pos2(from + 8.0, lane.center().y), Align2::LEFT_CENTER, label, font, p.text);
    }
}
