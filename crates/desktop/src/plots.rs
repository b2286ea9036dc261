//! Valence and arousal over time, with the chosen signals and the events on the same time axis.

use eframe::egui;
use egui::{Align2, Color32, Rect, Sense, Shape, Stroke, Ui, Vec2b, WidgetInfo, pos2, vec2};
use egui_plot::{FilledArea, GridInput, GridMark, Line, Plot, PlotPoints, Span};

use session::{AFFECT, Timestamp, affect, rating as rating_field};

use super::command::{Command, ReviewCommand};
use super::decimate::{self, Curve, Shift};
use super::explanations::{self, Term};
use super::indexed_timeline::Stretch;
use super::plot_area::{AXIS_PX, EVENTS_PX, PlotData, SCALE_PX, lane_places, merged, seconds_at, x_of};
use super::port::{Correction, rating_stream_name};
use super::theme::{self, Palette};
use super::time_window::TimeWindow;
use super::{annotations, event_marks, event_text, figures, rating, signal_lanes, widgets};

/// Distance of the middle of each curve from 0. Each curve ranges from −1 to 1 around its middle.
const APART: f64 = 1.12;

pub fn show(ui: &mut Ui, rect: Rect, data: &PlotData<'_>, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let area = Rect::from_min_max(rect.min + vec2(SCALE_PX, 0.0), rect.max - vec2(0.0, AXIS_PX));
    ui.painter().rect_filled(area, 4.0, p.card);
    let events_top = area.bottom() - EVENTS_PX;
    let annotated = Rect::from_min_max(area.min, pos2(area.right(), area.top() + data.annotations_px()));
    let space = Rect::from_min_max(annotated.left_bottom(), pos2(area.right(), events_top));
    let lanes = lane_places(space, data.lanes.len());
    let curves_bottom = lanes.first().map_or(events_top, |lane| lane.top());
    // The vertical axis also covers the space of events, lanes and annotations.
    let curves_px = f64::from((curves_bottom - annotated.bottom()).max(20.0));
    let floor = -2.0 * APART - 0.02;
    let per_px = (2.0 * APART - floor) / curves_px;
    let scale = Scale {
        top: 2.0 * APART + per_px * f64::from(annotated.height()),
        bottom: floor - per_px * f64::from(area.bottom() - curves_bottom),
    };

    plot(ui, area, data, scale, &p);
    time_axis(ui, area, rect, data.window, &p);
    let names = labels(ui, area, scale, data, &p);
    signal_lanes::show(ui, &lanes, data, &p);
    if let Some(review) = data.review.filter(|_| annotated.height() > 0.0) {
        ui.painter().hline(annotated.x_range(), annotated.bottom(), Stroke::new(1.0, p.hairline));
        annotations::marks(ui.painter(), annotated, data.window, review, &p);
    }
    let nearest = event_marks::show(ui, area, events_top, data, &p);
    if let Some(at) = data.playhead {
        let x = x_of(area, data.window, at.as_secs_f64());
        if area.x_range().expand(1.0).contains(x) {
            let line = [pos2(x, area.top()), pos2(x, area.bottom())];
            ui.painter().with_clip_rect(area.expand(1.0)).line_segment(line, Stroke::new(1.5, p.accent));
            ui.painter().add(Shape::convex_polygon(
                vec![pos2(x - 5.0, area.top()), pos2(x + 5.0, area.top()), pos2(x, area.top() + 7.0)],
                p.accent,
                Stroke::NONE,
            ));
        }
    }
    ui.painter().rect_stroke(area, 4.0, Stroke::new(1.0, p.hairline), egui::StrokeKind::Inside);
    // The values under the pointer would cover the name that it points at.
    let is_at_name = ui.input(|i| i.pointer.hover_pos()).is_some_and(|at| names.iter().any(|n| n.contains(at)));
    let values_until = if is_at_name { area.top() } else { events_top };
    pointer_input(ui, area, values_until, data, nearest, &p, commands);
    // After the area, which would take their presses.
    for ((name, term), place) in [("valence", Term::Valence), ("arousal", Term::Arousal)].into_iter().zip(names) {
        let terms = [term, Term::Band, Term::Baseline];
        let is_raw = data.review.is_none_or(|r| r.values == Correction::Raw);
        explanations::explain(ui, place, name, if is_raw { &terms[..2] } else { &terms });
    }
    signal_lanes::controls(ui, &lanes, data, commands);
    let corner = Rect::from_min_max(pos2(rect.left(), area.bottom() + 2.0), pos2(area.left() - 4.0, rect.bottom()));
    signal_lanes::choose(ui, corner, commands);
}

#[derive(Clone, Copy)]
struct Scale {
    top: f64,
    bottom: f64,
}

impl Scale {
    fn y(&self, area: Rect, value: f64) -> f32 {
        let share = (self.top - value) / (self.top - self.bottom);
        area.top() + area.height() * share as f32
    }
}

/// Field of the value, field of its standard deviation, colour, and middle.
const FIELDS: [(usize, usize, Color32, f64); 2] = [
    (affect::VALENCE, affect::VALENCE_SD, theme::VALENCE, APART),
    (affect::AROUSAL, affect::AROUSAL_SD, theme::AROUSAL, -APART),
];

/// Self-reports, on the scales of valence and arousal. A baseline does not apply to them, so they are drawn only with
/// raw values.
fn rating_curves(data: &PlotData<'_>, width_px: f32) -> Vec<(Curve, f64)> {
    let Some(review) = data.review.filter(|r| r.values == Correction::Raw || r.baseline.is_none()) else {
        return Vec::new();
    };
    let streams = rating::passes(review).map(rating_stream_name);
    let series: Vec<_> = streams.filter_map(|stream| review.log.timeline().series(&stream)).collect();
    let fields = [(rating_field::VALENCE, APART), (rating_field::AROUSAL, -APART)];
    series
        .into_iter()
        .flat_map(|series| {
            fields.map(|(field, middle)| {
                (decimate::curve(series, field, None, data.window, width_px, Shift::RAW), middle)
            })
        })
        .collect()
}

/// The stretches of poor quality in the window, if they are to be shaded.
fn poor_stretches(data: &PlotData<'_>) -> Vec<Stretch> {
    let Some(review) = data.review.filter(|r| r.shades_poor) else { return Vec::new() };
    let start = review.poor.partition_point(|s| s.until <= data.window.from());
    let inside = review.poor[start..].iter().take_while(|s| s.from < data.window.until());
    inside.map(|s| Stretch { from: s.from, until: s.until }).collect()
}

/// Curves, bands and gaps. `egui_plot` draws them over exactly `area`.
fn plot(ui: &mut Ui, area: Rect, data: &PlotData<'_>, scale: Scale, p: &Palette) {
    let window = data.window;
    let width_px = area.width() * ui.ctx().pixels_per_point();
    let timeline = data.log.timeline();
    let read: Vec<(Curve, Color32, f64)> = timeline
        .series(AFFECT)
        .into_iter()
        .flat_map(|series| {
            FIELDS.iter().zip(data.shifts()).map(move |((value, sd, color, middle), shift)| {
                (decimate::curve(series, *value, Some(*sd), window, width_px, shift), *color, *middle)
            })
        })
        .collect();
    let ratings = rating_curves(data, width_px);
    let poor = poor_stretches(data);
    let poor = merged(&poor, window, area.width());
    let absent = merged(data.log.absent_between(window.from(), window.until()), window, area.width());
    let lost = merged(data.log.lost_between(window.from(), window.until()), window, area.width());
    let p = *p;
    let step = tick_step_s(window, area.width());
    let draw = move |plot: &mut egui_plot::PlotUi<'_>| {
        plot.set_plot_bounds_x(window.from_s..=window.until_s);
        plot.set_plot_bounds_y(scale.bottom..=scale.top);
        let poor_color = theme::CAUTION.gamma_multiply(0.16);
        for (stretches, color) in [(&poor, poor_color), (&absent, p.gap), (&lost, p.gap_loss)] {
            for [from_s, until_s] in stretches {
                plot.span(Span::new("", *from_s..=*until_s).fill(color).border_width(0.0).border_color(color));
            }
        }
        for (curve, color, middle) in read {
            let band_color = color.gamma_multiply(0.20);
            for band in &curve.bands {
                let [low, high] = [&band.low, &band.high].map(|v| v.iter().map(|y| y + middle).collect::<Vec<_>>());
                plot.add(FilledArea::new("", &band.at_s, &low, &high).fill_color(band_color).allow_hover(false));
            }
            for run in curve.runs {
                let points: PlotPoints<'_> = run.into_iter().map(|[x, y]| [x, y + middle]).collect();
                plot.line(Line::new("", points).color(color).width(1.7).allow_hover(false));
            }
        }
        for (curve, middle) in ratings {
            for run in curve.runs {
                let points: PlotPoints<'_> = run.into_iter().map(|[x, y]| [x, y + middle]).collect();
                plot.line(Line::new("", points).color(p.strong).width(1.2).allow_hover(false));
            }
        }
    };
    widgets::within(ui, area, "curves", |ui| {
        Plot::new("affect over time")
            .width(area.width())
            .height(area.height())
            .show_axes(Vec2b::FALSE)
            .show_background(false)
            .allow_drag(false)
            .allow_scroll(false)
            .allow_zoom(false)
            .allow_boxed_zoom(false)
            .allow_double_click_reset(false)
            .show_x(false)
            .show_y(false)
            .sense(Sense::hover())
            .label_formatter(|_| None)
            .grid_color(p.grid)
            .x_grid_spacer(move |input: GridInput| {
                let first = (input.bounds.0 / step).ceil() as i64;
                let last = (input.bounds.1 / step).floor() as i64;
                (first..=last).take(200).map(|k| GridMark { value: k as f64 * step, step_size: step }).collect()
            })
            .y_grid_spacer(|_| {
                [APART - 1.0, APART, APART + 1.0, -APART - 1.0, -APART, -APART + 1.0]
                    .map(|value| GridMark { value, step_size: 1.0 })
                    .to_vec()
            })
            .show(ui, draw);
    });
}

/// A round distance of ticks, with room for their labels.
fn tick_step_s(window: TimeWindow, width_px: f32) -> f64 {
    const STEPS: [f64; 20] = [
        0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0,
        3600.0, 7200.0,
    ];
    let smallest = window.width_s() * 84.0 / f64::from(width_px.max(84.0));
    STEPS.into_iter().find(|s| *s >= smallest).unwrap_or(6.0 * 3600.0)
}

fn time_axis(ui: &Ui, area: Rect, rect: Rect, window: TimeWindow, p: &Palette) {
    let step = tick_step_s(window, area.width());
    let first = (window.from_s / step).ceil() as i64;
    let last = (window.until_s / step).floor() as i64;
    for k in (first..=last).take(200) {
        let at_s = k as f64 * step;
        let x = x_of(area, window, at_s);
        // A label that does not fit into the picture is left out.
        if x < area.left() + 14.0 || x > rect.right() - 16.0 {
            continue;
        }
        let at = pos2(x, area.bottom() + 4.0);
        ui.painter().text(at, Align2::CENTER_TOP, figures::tick(at_s, step), theme::caption_font(), p.weak);
    }
}

/// Returns where the names of the two curves are.
fn labels(ui: &Ui, area: Rect, scale: Scale, data: &PlotData<'_>, p: &Palette) -> [Rect; 2] {
    let reach = data.reach();
    let has_rating = data.review.is_some_and(|r| rating::passes(r).next().is_some());
    let font = theme::caption_font();
    let names =
        [("valence", APART, theme::VALENCE), ("arousal", -APART, theme::AROUSAL)].map(|(name, middle, color)| {
            for (text, value) in [(format!("+{reach}"), 1.0), ("0".to_owned(), 0.0), (format!("−{reach}"), -1.0)] {
                // Moved inwards, so that the labels of the two scales do not touch.
                let y = scale.y(area, middle + value) + 5.0 * value as f32;
                ui.painter().text(pos2(area.left() - 6.0, y), Align2::RIGHT_CENTER, text, font.clone(), p.weak);
            }
            let at = pos2(area.left() + 10.0, scale.y(area, middle + 1.0) + 4.0);
            let chip = Rect::from_min_size(at + vec2(0.0, 3.0), vec2(10.0, 7.0));
            ui.painter().rect_filled(chip, 2.0, color);
            let named = ui.painter().text(at + vec2(15.0, 0.0), Align2::LEFT_TOP, name, font.clone(), p.text);
            if has_rating {
                let from = pos2(named.right() + 12.0, chip.center().y);
                ui.painter().line_segment([from, from + vec2(12.0, 0.0)], Stroke::new(1.2, p.strong));
                ui.painter().text(from + vec2(17.0, 0.0), Align2::LEFT_CENTER, "self-report", font.clone(), p.text);
            }
            named.union(chip)
        });
    let y = area.bottom() - EVENTS_PX;
    ui.painter().line_segment([pos2(area.left(), y), pos2(area.right(), y)], Stroke::new(1.0, p.hairline));
    ui.painter().text(pos2(area.left() - 6.0, y + EVENTS_PX / 2.0), Align2::RIGHT_CENTER, "events", font, p.weak);
    names
}

/// Pointer input, and the text for screen readers.
fn pointer_input(
    ui: &mut Ui,
    area: Rect,
    events_top: f32,
    data: &PlotData<'_>,
    nearest: Option<usize>,
    p: &Palette,
    commands: &mut Vec<Command>,
) {
    let window = data.window;
    let id = ui.scope_id().with("explore");
    let sense = if data.review.is_some() { Sense::click_and_drag() } else { Sense::hover() };
    let response = ui.interact(area, id, sense);
    response.widget_info(|| {
        let name =
            format!("Valence and arousal from {} to {}", figures::clock(window.from()), figures::clock(window.until()));
        WidgetInfo::labeled(egui::Role::Image, true, name)
    });
    let rows = data.log.timeline().events();
    if let Some(row) = nearest {
        let event = &rows[row];
        let text = format!("{}  {}", event.at, event_text::event(&event.what));
        response.clone().on_hover_text_at_pointer(text);
    } else if let Some(at) = response.hover_pos().filter(|at| at.y < events_top && !response.dragged()) {
        readout(ui, area, at.x, data, p);
    }
    if data.review.is_none() {
        return;
    }
    if response.clicked()
        && let Some(at) = response.interact_pointer_pos()
    {
        commands.push(Command::Review(ReviewCommand::Seek(match nearest {
            Some(row) => rows[row].at,
            None => Timestamp::from_secs_f64(seconds_at(area, window, at.x)),
        })));
    }
    if response.dragged() && response.drag_delta().x != 0.0 {
        let by = window.width_s() * f64::from(response.drag_delta().x / area.width());
        commands.push(Command::Review(ReviewCommand::ShowWindow(TimeWindow {
            from_s: window.from_s - by,
            until_s: window.until_s - by,
        })));
    }
    if response.hovered() {
        let (scroll, pinch) = ui.input(|i| (i.smooth_scroll_delta(), i.zoom_delta()));
        let around = response.hover_pos().map_or(area.center().x, |at| at.x);
        let factor = f64::from(pinch) * f64::from(scroll.y / 240.0).exp();
        if (factor - 1.0).abs() > 1e-4 {
            commands.push(Command::Review(ReviewCommand::Zoom { factor, around_s: seconds_at(area, window, around) }));
        }
        if scroll.x != 0.0 {
            let by = window.width_s() * f64::from(scroll.x / area.width());
            commands.push(Command::Review(ReviewCommand::ShowWindow(TimeWindow {
                from_s: window.from_s - by,
                until_s: window.until_s - by,
            })));
        }
    }
}

/// The values under the pointer.
fn readout(ui: &Ui, area: Rect, x: f32, data: &PlotData<'_>, p: &Palette) {
    let at = Timestamp::from_secs_f64(seconds_at(area, data.window, x));
    let painter = ui.painter().with_clip_rect(area);
    painter.line_segment([pos2(x, area.top()), pos2(x, area.bottom())], Stroke::new(1.0, p.weak.gamma_multiply(0.5)));
    let values = data.log.timeline().series(AFFECT).and_then(|series| {
        let row = series.row_at(at)?;
        let is_near = at.as_secs_f64() - series.times()[row].as_secs_f64() < 0.25;
        is_near.then(|| [affect::VALENCE, affect::AROUSAL].map(|field| series.column(field)[row]))
    });
    let text = match values {
        Some([valence, arousal]) => {
            format!("{at}   V {}   A {}", figures::signed(valence), figures::signed(arousal))
        }
        None => format!("{at}   no reading"),
    };
    let flaw = data.review.filter(|r| r.shades_poor).and_then(|r| {
        let stretch = r.poor.get(r.poor.partition_point(|s| s.until <= at))?;
        (stretch.from <= at).then(|| format!("   {}", stretch.flaw))
    });
    let mut text = text + &flaw.unwrap_or_default();
    for line in signal_lanes::readings(data, at, area.width()) {
        text.push('\n');
        text.push_str(&line);
    }
    let galley = painter.layout_no_wrap(text, egui::FontId::monospace(11.5), p.strong);
    let size = galley.size() + vec2(12.0, 6.0);
    let left = (x + 8.0).min(area.right() - size.x - 4.0).max(area.left() + 4.0);
    let chip = Rect::from_min_size(pos2(left, area.top() + 6.0), size);
    painter.rect(chip, 4.0, p.bar, Stroke::new(1.0, p.hairline), egui::StrokeKind::Inside);
    painter.galley(chip.min + vec2(6.0, 3.0), galley, Color32::PLACEHOLDER);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_have_room_for_their_labels() {
        for width_s in [0.2, 3.0, 60.0, 754.0, 7200.0, 90_000.0] {
            let window = TimeWindow { from_s: 0.0, until_s: width_s };
            let step = tick_step_s(window, 1000.0);
            assert!(width_s / step <= 12.0 && (width_s / step >= 2.0), "{width_s}: {step}");
        }
    }
}
