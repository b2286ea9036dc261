//! The lanes below valence and arousal. Each shows one signal on the same time axis.

use eframe::egui;
use egui::{
    Align2, Color32, CursorIcon, FontId, Painter, Rect, Response, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo,
    pos2, vec2,
};

use analysis::SignalId;
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
pub fn controls(ui: &Ui, places: &[Rect], data: &PlotData<'_>, commands: &mut Vec<Command>) {
    let mut push = |command| commands.push(Command::Signals(command));
    for (k, (place, lane)) in places.iter().zip(&data.lanes).enumerate() {
        let mut header = Rect::from_min_size(place.min, vec2(place.width() - 2.0, HEADER_PX));
        order_buttons(ui, &mut header, k, data, &mut push);
        let smoothing = smoothing_text(lane, data, place.width());
        choice_buttons(ui, &mut header, lane, &smoothing, &mut push);
        let signal = &lane.choice.signal;
        if let Some(over) = name_and_value(ui, header, lane, data, places)
            && let Some(place_of) = signal_at(data, over).filter(|other| other != signal)
        {
            push(SignalsCommand::Move { signal: signal.clone(), place_of });
        }
    }
}

fn signal_at(data: &PlotData<'_>, k: usize) -> Option<SignalId> {
    data.lanes.get(k).map(|lane| lane.choice.signal.clone())
}

/// The buttons that move and remove a lane, at the right end of `header`, which they make shorter.
fn order_buttons(ui: &Ui, header: &mut Rect, k: usize, data: &PlotData<'_>, push: &mut impl FnMut(SignalsCommand)) {
    let signal = &data.lanes[k].choice.signal;
    let title = signal.title();
    let place = |number: f32| {
        let left = header.right() - SIGN_PX * number;
        Rect::from_min_size(pos2(left, header.top()), vec2(SIGN_PX, HEADER_PX))
    };
    let (up, down, remove) = (place(3.0), place(2.0), place(1.0));
    header.set_right(up.left() - 4.0);
    let above = k.checked_sub(1).and_then(|k| signal_at(data, k));
    for (place, sign, direction, neighbour) in
        [(up, Sign::Up, "up", above), (down, Sign::Down, "down", signal_at(data, k + 1))]
    {
        if let Some(place_of) = neighbour
            && sign_button(ui, place, sign, &format!("Move {title} {direction}"))
        {
            push(SignalsCommand::Move { signal: signal.clone(), place_of });
        }
    }
    if sign_button(ui, remove, Sign::Remove, &format!("Remove {title}")) {
        push(SignalsCommand::Remove(signal.clone()));
    }
}

/// The buttons for smoothing and scale, at the right end of `header`, which they make shorter.
fn choice_buttons(
    ui: &Ui,
    header: &mut Rect,
    lane: &ShownLane<'_>,
    smoothing: &str,
    push: &mut impl FnMut(SignalsCommand),
) {
    let (signal, title) = (&lane.choice.signal, lane.choice.signal.title());
    let hint = "Moving mean of what is drawn. Stored values do not change.";
    if text_button(ui, header, &format!("Smoothing of {title}"), smoothing, hint) {
        push(SignalsCommand::SetSmoothing(signal.clone(), lane.choice.smoothing.next()));
    }
    if let Some(scale) = scale_text(lane) {
        let hint = "The whole scale of the field, or the range of the values in view";
        if text_button(ui, header, &format!("Scale of {title}"), &scale, hint) {
            push(SignalsCommand::SetScale(signal.clone(), lane.choice.scale.other()));
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
fn scale_text(lane: &ShownLane<'_>) -> Option<String> {
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
    let response = response.on_hover_text(format!("{}. Drag to move the lane.", lane.track.described().description));
    let pointer = response.interact_pointer_pos().filter(|_| response.dragged())?;
    places.iter().position(|other| other.y_range().contains(pointer.y))
}

#[derive(Clone, Copy)]
enum Sign {
    Up,
    Down,
    Remove,
}

fn sign_button(ui: &Ui, place: Rect, sign: Sign, name: &str) -> bool {
    let response = button(ui, place, name, name);
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

/// A button with text at the right end of `header`, which it makes shorter. It is left out if it has no room.
fn text_button(ui: &Ui, header: &mut Rect, name: &str, text: &str, hint: &str) -> bool {
    const AIR: f32 = 5.0;
    /// The name and the value have at least this width.
    const NAME_PX: f32 = 150.0;
    let galley = ui.painter().layout_no_wrap(text.to_owned(), theme::caption_font(), Color32::PLACEHOLDER);
    let left = header.right() - galley.size().x - 2.0 * AIR;
    if left < header.left() + NAME_PX {
        return false;
    }
    let place = Rect::from_min_max(pos2(left, header.top()), header.max);
    header.set_right(left - 4.0);
    let response = button(ui, place, name, &format!("{name}: {text}"));
    let at = pos2(place.left() + AIR, place.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, ink(ui, &response));
    response.on_hover_text(hint).clicked()
}

/// A flat button. The caller draws what is on it. The keyboard stays on it when its name changes, because `key` does not.
fn button(ui: &Ui, place: Rect, key: &str, name: &str) -> Response {
    let p = theme::palette(ui);
    let response = ui.interact(place, ui.scope_id().with(("button", key)), Sense::click());
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
    let response = button(ui, place, "Signals", "Signals");
    let color = if response.hovered() { p.strong } else { p.accent };
    let at = place.right_center() - vec2(2.0, 0.0);
    ui.painter().text(at, Align2::RIGHT_CENTER, "Signals", theme::caption_font(), color);
    if response.on_hover_text("Choose further signals: pulse, face, instruments").clicked() {
        commands.push(Command::Signals(SignalsCommand::Show));
    }
}
