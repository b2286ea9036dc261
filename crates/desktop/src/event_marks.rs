//! Marks of events below the curves, with a label if there is room.

use eframe::egui;
use egui::{Pos2, Rect, Stroke, Ui, pos2, vec2};

use serde_json::Value;

use session::{EventData, Timestamp};

use super::galloping_search::partition_point_near_start;
use super::indexed_timeline::{Lane, Mark};
use super::plot_area::{EVENTS_PX, PlotData, seconds_at, x_of};
use super::theme::{self, Palette};
use super::{event_text, widgets};

/// The largest distance of the pointer from the mark that it selects.
const REACH_PX: f32 = 7.0;

/// Draws the marks and returns the event under the pointer.
pub fn show(ui: &Ui, area: Rect, top: f32, data: &PlotData<'_>, p: &Palette) -> Option<usize> {
    let upper = (top + 11.0, &[Lane::Warning, Lane::Marker][..]);
    let lower = (area.bottom() - 10.0, &[Lane::Page][..]);
    let blink = blinks(ui, area, data);
    let nearest = [upper, lower].map(|(y, lanes)| event_line(ui, area, y, lanes, data, p));
    let nearest = nearest.into_iter().chain([blink]).flatten();
    nearest.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, row)| row)
}

/// Height of the mark of a blink.
const BLINK_PX: f32 = 4.0;

/// Draws blinks as small marks at the lower edge. Closed eyes are as long as they lasted. Returns the distance and the index
/// of the blink under the pointer.
fn blinks(ui: &Ui, area: Rect, data: &PlotData<'_>) -> Option<(f32, usize)> {
    let painter = ui.painter().with_clip_rect(area);
    let edge = Rect::from_min_max(pos2(area.left(), area.bottom() - BLINK_PX), area.max);
    let pointer = ui.input(|i| i.pointer.hover_pos()).filter(|at| edge.contains(*at));
    let rows = data.log.timeline().events();
    let mut marks = data.log.lane_between(Lane::Blink, data.window.from(), data.window.until());
    let mut nearest: Option<(f32, usize)> = None;
    while let Some(mark) = marks.first() {
        let at_s = mark.at.as_secs_f64();
        let lasted_s =
            rows[mark.row as usize].what.data.get("duration_ms").and_then(Value::as_f64).unwrap_or(0.0) * 1e-3;
        let x = x_of(area, data.window, at_s);
        let right = x_of(area, data.window, at_s + lasted_s).max(x + 1.0);
        painter.rect_filled(Rect::from_x_y_ranges(x..=right, edge.y_range()), 0.0, theme::BLINK);
        if let Some(at) = pointer {
            let distance = (x - at.x).max(at.x - right).max(0.0);
            if distance <= REACH_PX && nearest.is_none_or(|(best, _)| distance < best) {
                nearest = Some((distance, mark.row as usize));
            }
        }
        // Skips the blinks on the same pixel.
        let next_at = Timestamp::from_secs_f64(seconds_at(area, data.window, x + 1.0));
        marks = &marks[1 + partition_point_near_start(&marks[1..], |m| m.at < next_at)..];
    }
    nearest
}

/// Draws one line of marks. The lanes of a line share the space for labels. Returns the distance and the index of the
/// event under the pointer.
fn event_line(ui: &Ui, area: Rect, y: f32, lanes: &[Lane], data: &PlotData<'_>, p: &Palette) -> Option<(f32, usize)> {
    let painter = ui.painter().with_clip_rect(area);
    let (window, log) = (data.window, data.log);
    let rows = log.timeline().events();
    let x_at = |mark: &Mark| x_of(area, window, mark.at.as_secs_f64());
    let pointer = ui.input(|i| i.pointer.hover_pos()).filter(|at| (at.y - y).abs() <= EVENTS_PX / 4.0);
    let mut left: Vec<(Lane, &[Mark])> =
        lanes.iter().map(|lane| (*lane, log.lane_between(*lane, window.from(), window.until()))).collect();
    let mut nearest: Option<(f32, usize)> = None;
    let mut free_from = area.left();
    loop {
        let earliest = left.iter_mut().filter(|(_, shown)| !shown.is_empty()).min_by_key(|(_, shown)| shown[0].at);
        let Some((lane, shown)) = earliest else { return nearest };
        let (lane, Mark { row, .. }) = (*lane, shown[0]);
        let x = x_at(&shown[0]);
        // Skips the events on the same pixel.
        let next_at = Timestamp::from_secs_f64(seconds_at(area, window, x + 1.0));
        *shown = &shown[1 + partition_point_near_start(&shown[1..], |m| m.at < next_at)..];
        let next = left.iter().filter_map(|(_, shown)| shown.first()).min_by_key(|m| m.at);
        let right = next.map_or(area.right() - 4.0, |next| x_at(next) - 8.0);
        mark(&painter, area, pos2(x, y), lane, p);
        let room = Room { left: free_from, x, right };
        let end = write_label(&painter, room, y, &label(&rows[row as usize].what, lane), p);
        free_from = end.unwrap_or(free_from).max(x + 8.0);
        if let Some(at) = pointer {
            let distance = (at.x - x).abs();
            if distance <= REACH_PX && nearest.is_none_or(|(best, _)| distance < best) {
                nearest = Some((distance, row as usize));
            }
        }
    }
}

/// The space for a label to the right and to the left of its mark at `x`.
struct Room {
    left: f32,
    x: f32,
    right: f32,
}

/// Returns where the label ends, or `None` if there was no room.
fn write_label(painter: &egui::Painter, room: Room, y: f32, text: &str, p: &Palette) -> Option<f32> {
    const AIR: f32 = 7.0;
    // Measuring text takes time, so it is skipped if no text can fit.
    if (room.right - room.x).max(room.x - room.left) < 24.0 {
        return None;
    }
    let galley = painter.layout_no_wrap(text.to_owned(), theme::caption_font(), p.weak);
    let size = galley.size();
    let left = if room.x + AIR + size.x <= room.right {
        room.x + AIR
    } else if room.x - AIR - size.x >= room.left {
        room.x - AIR - size.x
    } else {
        return None;
    };
    painter.galley(pos2(left, y - size.y / 2.0), galley, p.weak);
    Some(left + size.x + AIR)
}

fn label(what: &EventData, lane: Lane) -> String {
    const LONGEST: usize = 24;
    let details = if lane == Lane::Marker { event_text::details(&what.data) } else { String::new() };
    let text = if details.is_empty() { event_text::kind(&what.kind) } else { details };
    if text.chars().count() <= LONGEST { text } else { text.chars().take(LONGEST - 1).chain(['…']).collect() }
}

fn mark(painter: &egui::Painter, area: Rect, at: Pos2, lane: Lane, p: &Palette) {
    match lane {
        Lane::Page => {
            painter.line_segment([at - vec2(0.0, 6.0), at + vec2(0.0, 6.0)], Stroke::new(1.0, p.weak));
        }
        Lane::Marker => {
            let faint = Stroke::new(1.0, p.accent.gamma_multiply(0.35));
            painter.line_segment([pos2(at.x, area.top()), at], faint);
            painter.add(widgets::diamond(at, 5.5, p.accent));
        }
        Lane::Warning => {
            let faint = Stroke::new(1.0, theme::CAUTION.gamma_multiply(0.35));
            painter.line_segment([pos2(at.x, area.top()), at], faint);
            widgets::warning_sign(painter, at, 5.5);
        }
        // They have marks of their own at the lower edge.
        Lane::Blink => {}
    }
}
