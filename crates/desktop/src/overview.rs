//! The whole session in one strip, with the visible window and the playhead.

use eframe::egui;
use egui::{Color32, Rect, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2};

use session::{AFFECT, Timestamp, affect};

use super::command::{Command, ReviewCommand};
use super::galloping_search::partition_point_near_start;
use super::indexed_timeline::Lane;
use super::state::Review;
use super::time_window::TimeWindow;
use super::{decimate, figures, theme, widgets};

pub fn show(ui: &mut Ui, rect: Rect, review: &Review, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let response = ui.allocate_rect(rect, Sense::click_and_drag());
    let painter = ui.painter().with_clip_rect(rect);
    painter.rect_filled(rect, 4.0, p.card);
    let span = review.span;
    let x_of = |at_s: f64| rect.left() + rect.width() * ((at_s - span.from_s) / span.width_s()) as f32;

    for (stretches, color) in [
        (review.log.absent_between(span.from(), span.until()), p.gap),
        (review.log.lost_between(span.from(), span.until()), p.gap_loss),
    ] {
        let mut drawn = f32::NEG_INFINITY;
        for stretch in stretches {
            let right = x_of(stretch.until.as_secs_f64()).max(x_of(stretch.from.as_secs_f64()) + 1.0);
            if right > drawn {
                let left = x_of(stretch.from.as_secs_f64()).max(drawn);
                painter.rect_filled(Rect::from_x_y_ranges(left..=right, rect.y_range()), 0.0, color);
                drawn = right;
            }
        }
    }
    let half = (rect.height() - 8.0) / 2.0;
    curve(&painter, rect, review, affect::VALENCE, rect.top() + 2.0 + half / 2.0, half / 2.0, theme::VALENCE);
    curve(&painter, rect, review, affect::AROUSAL, rect.bottom() - 6.0 - half / 2.0, half / 2.0, theme::AROUSAL);
    events(&painter, rect, review, &p);

    let view = Rect::from_x_y_ranges(x_of(review.window.from_s)..=x_of(review.window.until_s), rect.y_range());
    let shade = p.ground.gamma_multiply(0.62);
    painter.rect_filled(Rect::from_min_max(rect.min, pos2(view.left(), rect.bottom())), 0.0, shade);
    painter.rect_filled(Rect::from_min_max(pos2(view.right(), rect.top()), rect.max), 0.0, shade);
    painter.rect_stroke(view, 3.0, Stroke::new(1.5, p.weak), StrokeKind::Inside);
    let x = x_of(review.playhead.at.as_secs_f64());
    painter.line_segment([pos2(x, rect.top()), pos2(x, rect.bottom())], Stroke::new(1.5, p.accent));
    ui.painter().rect_stroke(rect, 4.0, Stroke::new(1.0, p.hairline), StrokeKind::Inside);

    response.widget_info(|| {
        let mut info = WidgetInfo::slider(true, review.playhead.at.as_secs_f64(), "Position in the session");
        info.current_text_value = Some(figures::clock(review.playhead.at));
        info
    });
    if let Some(at) = response.interact_pointer_pos().filter(|_| response.clicked() || response.dragged()) {
        let share = f64::from(((at.x - rect.left()) / rect.width()).clamp(0.0, 1.0));
        let at_s = span.from_s + span.width_s() * share;
        if response.dragged() {
            let half = review.window.width_s() / 2.0;
            commands.push(Command::Review(ReviewCommand::ShowWindow(TimeWindow {
                from_s: at_s - half,
                until_s: at_s + half,
            })));
        }
        commands.push(Command::Review(ReviewCommand::Seek(Timestamp::from_secs_f64(at_s))));
    }
}

fn curve(painter: &egui::Painter, rect: Rect, review: &Review, field: usize, middle: f32, reach: f32, color: Color32) {
    let Some(series) = review.log.timeline().series(AFFECT) else { return };
    let span = review.span;
    for run in decimate::curve(series, field, None, span, rect.width(), decimate::Shift::RAW).runs {
        let place = |[at_s, value]: [f64; 2]| {
            let share = ((at_s - span.from_s) / span.width_s()) as f32;
            pos2(rect.left() + rect.width() * share, middle - reach * value as f32)
        };
        painter.add(Shape::line(run.into_iter().map(place).collect(), Stroke::new(1.0, color)));
    }
}

fn events(painter: &egui::Painter, rect: Rect, review: &Review, p: &theme::Palette) {
    let (from, until) = (review.span.from(), Timestamp::from_ns(review.span.until().as_ns().saturating_add(1)));
    let pixel_s = review.span.width_s() / f64::from(rect.width().max(1.0));
    for lane in [Lane::Page, Lane::Marker] {
        let mut marks = review.log.lane_between(lane, from, until);
        while let Some(mark) = marks.first() {
            let at_s = mark.at.as_secs_f64();
            let x = rect.left() + ((at_s - review.span.from_s) / pixel_s) as f32;
            if lane == Lane::Marker {
                painter.add(widgets::diamond(pos2(x, rect.bottom() - 6.0), 4.0, p.accent));
            } else {
                let foot = pos2(x, rect.bottom() - 1.0);
                painter.line_segment([foot, foot - vec2(0.0, 4.0)], Stroke::new(1.0, p.weak));
            }
            let next = Timestamp::from_secs_f64(at_s + pixel_s);
            marks = &marks[1 + partition_point_near_start(&marks[1..], |m| m.at < next)..];
        }
    }
}
