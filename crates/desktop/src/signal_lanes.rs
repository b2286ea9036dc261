//! The lanes below valence and arousal. Each shows one signal on the same time axis.

use eframe::egui;
use egui::{
    Align2, Color32, CursorIcon, FontId, Painter, Rect, Response, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo,
    pos2, vec2,
};

use session::{AFFECT, PULSE, Timestamp};

use super::command::{Command, SignalsCommand};
use super::decimate::Run;
use super::lane_choice::{LaneScale, Smoothing};
use super::lane_curve;
use super::lane_scale::{self, Ends};
use super::plot_area::{PlotData, merged, x_of};
use super::shown_lane::ShownLane;
use super::theme::{self, Palette};
use super::widgets;

/// Height of the line of text at the top of a lane.
const HEADER_PX: f32 = 18.0;
/// Distance of the curve from the text above it and the lane below it.
const MARGIN_PX: f32 = 3.0;
/// Width of a button with a sign.
const SIGN_PX: f32 = 18.0;
/// How late the newest value of a recording may be.
const LATE_S: f64 = 1.0;

/// Draws the lanes at their places.
pub fn show(ui: &Ui, places: &[Rect], data: &PlotData<'_>, p: &Palette) {
    for (place, lane) in places.iter().zip(&data.lanes) {
        ui.painter().hline(place.x_range(), place.top(), Stroke::new(1.0, p.hairline));
        let curve = curve_place(*place);
        let mean_s = lane_curve::mean_s(lane.choice.smoothing, data.window, place.width());
        let width_px = place.width() * ui.ctx().pixels_per_point();
        let runs = lane.track.runs(data.window, width_px, mean_s);
        let ends = lane_scale::ends(lane.track.described(), lane.choice.scale, &runs);
        unreliable(ui.painter(), *place, lane, data, p);
        draw_runs(&ui.painter().with_clip_rect(curve.expand(1.5)), curve, &runs, ends, data, color(lane, p));
        scale(ui.painter(), curve, ends, p);
    }
}

/// Below the text of the lane.
fn curve_place(place: Rect) -> Rect {
    Rect::from_min_max(place.min + vec2(0.0, HEADER_PX), place.max - vec2(0.0, MARGIN_PX))
}

/// The signals that have a colour in all views keep it.
fn color(lane: &ShownLane<'_>, p: &Palette) -> Color32 {
    let signal = &lane.choice.signal;
    match (signal.stream.as_str(), signal.field.as_str()) {
        (PULSE, _) => theme::PULSE,
        (AFFECT, "valence") => theme::VALENCE,
        (AFFECT, "arousal") => theme::AROUSAL,
        _ => p.text,
    }
}

/// Shades the stretches in which the stream gives no value because it would not be reliable.
fn unreliable(painter: &Painter, place: Rect, lane: &ShownLane<'_>, data: &PlotData<'_>, p: &Palette) {
    let stream = &lane.choice.signal.stream;
    let stretches = data.log.unreliable_between(stream, data.window.from(), data.window.until());
    for [from_s, until_s] in merged(stretches, data.window, place.width()) {
        let range = x_of(place, data.window, from_s)..=x_of(place, data.window, until_s);
        painter.rect_filled(Rect::from_x_y_ranges(range, place.y_range()), 0.0, p.gap);
    }
}

fn draw_runs(painter: &Painter, curve: Rect, runs: &[Run], ends: Ends, data: &PlotData<'_>, color: Color32) {
    let point = |[at_s, value]: &[f64; 2]| {
        pos2(x_of(curve, data.window, *at_s), curve.bottom() - curve.height() * ends.share(*value) as f32)
    };
    for run in runs {
        match &run[..] {
            // A single sample is no line.
            [only] => {
                painter.circle_filled(point(only), 1.6, color);
            }
            _ => {
                painter.add(Shape::line(run.iter().map(point).collect(), Stroke::new(1.4, color)));
            }
        }
    }
}

/// The ends of the scale, to the left of the lane.
fn scale(painter: &Painter, curve: Rect, ends: Ends, p: &Palette) {
    for (value, y) in [(ends.high, curve.top() + 4.0), (ends.low, curve.bottom() - 4.0)] {
        let at = pos2(curve.left() - 6.0, y);
        painter.text(at, Align2::RIGHT_CENTER, lane_scale::end_text(value), theme::caption_font(), p.weak);
    }
}

/// The lanes' values at a time: one line each.
pub fn readings(data: &PlotData<'_>, at: Timestamp, width_px: f32) -> Vec<String> {
    let line = |lane: &ShownLane<'_>| format!("{}  {}", lane.choice.signal.title(), value(lane, data, at, width_px));
    data.lanes.iter().map(line).collect()
}

fn value(lane: &ShownLane<'_>, data: &PlotData<'_>, at: Timestamp, width_px: f32) -> String {
    let mean_s = lane_curve::mean_s(lane.choice.smoothing, data.window, width_px);
    let late_s = if data.review.is_none() { LATE_S } else { 0.0 };
    let value = lane.track.value(at, mean_s, late_s);
    value.map_or_else(|| "no value".to_owned(), |v| lane_scale::value_text(v, &lane.track.described().unit))
}

/// The line of text of each lane, and its buttons.
pub fn controls(ui: &mut Ui, places: &[Rect], data: &PlotData<'_>, commands: &mut Vec<Command>) {
    for (k, (place, lane)) in places.iter().zip(&data.lanes).enumerate() {
        let signal = &lane.choice.signal;
        let title = signal.title();
        let mut push = |command| commands.push(Command::Signals(command));
        let header = Rect::from_min_size(place.min, vec2(place.width() - 2.0, HEADER_PX));
        let mut right = header.right();
        let mut sign_place = || {
            right -= SIGN_PX;
            Rect::from_min_size(pos2(right, header.top()), vec2(SIGN_PX, HEADER_PX))
        };
        let [remove, down, up] = [sign_place(), sign_place(), sign_place()];
        let neighbour = |k: Option<usize>| k.and_then(|k| data.lanes.get(k)).map(|lane| lane.choice.signal.clone());
        if let Some(place_of) = neighbour(k.checked_sub(1))
            && sign_button(ui, up, Sign::Up, &format!("Move {title} up"))
        {
            push(SignalsCommand::Move { signal: signal.clone(), place_of });
        }
        if let Some(place_of) = neighbour(Some(k + 1))
            && sign_button(ui, down, Sign::Down, &format!("Move {title} down"))
        {
            push(SignalsCommand::Move { signal: signal.clone(), place_of });
        }
        if sign_button(ui, remove, Sign::Remove, &format!("Remove {title}")) {
            push(SignalsCommand::Remove(signal.clone()));
        }
        let mut right = up.left() - 4.0;
        let smoothing = smoothing_text(lane, data, place.width());
        let name = format!("Smoothing of {title}: {smoothing}");
        let hint = "Moving mean of what is drawn. Stored values do not change.";
        if text_button(ui, header, &mut right, &smoothing, name, hint) {
            push(SignalsCommand::SetSmoothing(signal.clone(), lane.choice.smoothing.next()));
        }
        if let Some(text) = scale_label(lane) {
            let hint = "The whole scale of the field, or the range of the values in view";
            if text_button(ui, header, &mut right, &text, format!("Scale of {title}: {text}"), hint) {
                push(SignalsCommand::SetScale(signal.clone(), lane.choice.scale.other()));
            }
        }
        let text = Rect::from_min_max(header.min, pos2(right.max(header.left()), header.bottom()));
        if let Some(over) = name_and_value(ui, text, lane, data, places)
            && let Some(place_of) = neighbour(Some(over)).filter(|other| other != signal)
        {
            push(SignalsCommand::Move { signal: signal.clone(), place_of });
        }
    }
}

/// `as stored`, `mean 2 s · display only`. If one pixel is longer than the chosen mean, the mean is as long as the pixel.
fn smoothing_text(lane: &ShownLane<'_>, data: &PlotData<'_>, width_px: f32) -> String {
    match lane_curve::mean_s(lane.choice.smoothing, data.window, width_px) {
        None => "as stored".to_owned(),
        Some(length_s) if lane.choice.smoothing == Smoothing::TwoSeconds && length_s <= 2.0 => {
            "mean 2 s · display only".to_owned()
        }
        Some(length_s) => format!("mean {length_s:.1} s · display only"),
    }
}

/// `None` if the field has no scale of its own.
fn scale_label(lane: &ShownLane<'_>) -> Option<String> {
    let whole = lane_scale::whole_scale(lane.track.described())?;
    Some(match lane.choice.scale {
        LaneScale::Whole => format!("{} … {}", lane_scale::end_text(whole.low), lane_scale::end_text(whole.high)),
        LaneScale::Fitted => "fitted".to_owned(),
    })
}

/// Name and value. The name can be dragged: returns the lane over which it is held.
fn name_and_value(ui: &Ui, place: Rect, lane: &ShownLane<'_>, data: &PlotData<'_>, places: &[Rect]) -> Option<usize> {
    let p = theme::palette(ui);
    let title = lane.choice.signal.title();
    let width_px = places.first().map_or(place.width(), |lane| lane.width());
    let value = value(lane, data, data.playhead.unwrap_or(data.window.until()), width_px);
    let chip = Rect::from_min_size(pos2(place.left() + 10.0, place.center().y - 3.5), vec2(10.0, 7.0));
    ui.painter().rect_filled(chip, 2.0, color(lane, &p));
    let [_, text] = widgets::columns(place, 5.0, [20.0, 0.0]);
    let galley = ui.painter().layout_no_wrap(title.clone(), theme::caption_font(), p.text);
    let named = Rect::from_min_size(text.min, vec2(galley.size().x.min(text.width()), text.height()));
    widgets::line(ui, named, &title, theme::caption_font(), p.text, Align2::LEFT_CENTER);
    let rest = Rect::from_min_max(pos2((named.right() + 10.0).min(text.right()), text.top()), text.max);
    if rest.width() > 40.0 {
        widgets::line(ui, rest, &value, FontId::monospace(11.0), p.strong, Align2::LEFT_CENTER);
    }
    let id = ui.scope_id().with(("lane", &title));
    let response = ui.interact(named.expand2(vec2(16.0, 0.0)), id, Sense::drag()).on_hover_cursor(CursorIcon::Grab);
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Label, true, format!("{title} {value}")));
    let pointer = response.interact_pointer_pos().filter(|_| response.dragged())?;
    let described = lane.track.described();
    response.on_hover_text(format!("{}. Drag to move the lane.", described.description));
    places.iter().position(|other| other.y_range().contains(pointer.y))
}

#[derive(Clone, Copy)]
enum Sign {
    Up,
    Down,
    Remove,
}

fn sign_button(ui: &Ui, place: Rect, sign: Sign, name: &str) -> bool {
    let response = button(ui, place, name.to_owned());
    let stroke = Stroke::new(1.3, ink(ui, &response));
    let at = |x: f32, y: f32| place.center() + vec2(x, y);
    let lines = match sign {
        Sign::Up => vec![[at(-3.5, 1.8), at(0.0, -1.8)], [at(0.0, -1.8), at(3.5, 1.8)]],
        Sign::Down => vec![[at(-3.5, -1.8), at(0.0, 1.8)], [at(0.0, 1.8), at(3.5, -1.8)]],
        Sign::Remove => vec![[at(-3.0, -3.0), at(3.0, 3.0)], [at(-3.0, 3.0), at(3.0, -3.0)]],
    };
    lines.into_iter().for_each(|line| {
        ui.painter().line_segment(line, stroke);
    });
    response.on_hover_text(name).clicked()
}

/// A button with text that ends at `right`, which becomes its left edge. It is left out if it has no room.
fn text_button(ui: &Ui, header: Rect, right: &mut f32, text: &str, name: String, hint: &str) -> bool {
    const AIR: f32 = 5.0;
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::caption_font(), Color32::PLACEHOLDER);
    let left = *right - galley.size().x - 2.0 * AIR;
    if left < header.left() + header.width() * 0.3 {
        return false;
    }
    let place = Rect::from_min_max(pos2(left, header.top()), pos2(*right, header.bottom()));
    *right = left - 4.0;
    let response = button(ui, place, name);
    let at = pos2(place.left() + AIR, place.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink(ui, &response));
    response.on_hover_text(hint).clicked()
}

/// A flat button. The caller draws what is on it.
fn button(ui: &Ui, place: Rect, name: String) -> Response {
    let p = theme::palette(ui);
    let response = ui.interact(place, ui.scope_id().with(("button", &name)), Sense::click());
    if response.hovered() {
        ui.painter().rect_filled(place.shrink(1.0), 4.0, p.hover);
    }
    if response.has_focus() {
        ui.painter().rect_stroke(place.shrink(1.0), 4.0, Stroke::new(1.5, p.accent), StrokeKind::Inside);
    }
    response.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, name));
    response
}

fn ink(ui: &Ui, response: &Response) -> Color32 {
    let p = theme::palette(ui);
    if response.hovered() || response.has_focus() { p.strong } else { p.weak }
}

/// The button that opens the list of signals.
pub fn choose(ui: &Ui, place: Rect, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let response = button(ui, place, "Signals".to_owned());
    let color = if response.hovered() { p.strong } else { p.accent };
    let at = place.right_center() - vec2(2.0, 0.0);
    ui.painter().text(at, Align2::RIGHT_CENTER, "Signals", theme::caption_font(), color);
    if response.on_hover_text("Choose further signals: pulse, face, instruments").clicked() {
        commands.push(Command::Signals(SignalsCommand::Show));
    }
}
