//! Averages around events: means with intervals in front, single epochs behind, significant clusters marked.

use eframe::egui;
use egui::{
    Align2, Color32, FontId, Mesh, Painter, Pos2, Rect, Sense, Shape, Stroke, StrokeKind, Ui, WidgetInfo, pos2, vec2,
};

use analysis::{SignalId, Unit};

use super::command::{Command, StudyCommand};
use super::explanations::{self, Term};
use super::port::{Average, Correction, SingleEpoch, StudyQueryResult};
use super::state::StudyState;
use super::theme::{self, CONDITIONS, Palette};
use super::{figures, widgets};

const LEGEND_PX: f32 = 24.0;
const AXIS_PX: f32 = 34.0;
const SCALE_PX: f32 = 50.0;
/// At most this many epochs of a condition are drawn. More lines could not be told apart. The list contains all epochs.
const DRAWN: usize = 240;
/// The largest distance of the pointer from the curve of the epoch that it selects.
const REACH_PX: f32 = 6.0;

pub fn show(ui: &mut Ui, study: &StudyState, result: &StudyQueryResult, commands: &mut Vec<Command>) {
    let p = theme::palette(ui);
    let rect = ui.available_rect_before_wrap();
    ui.allocate_rect(rect, Sense::hover());
    let [legend_rect, plots, _] = widgets::rows(rect, 0.0, [LEGEND_PX, 0.0, AXIS_PX]);
    legend(ui, legend_rect, result, &p);
    let plots = Rect::from_min_max(plots.min + vec2(SCALE_PX, 0.0), plots.max);
    let areas = widgets::equal_rows(plots, 12.0, study.scales.len());
    for ((field, area), scale) in areas.iter().enumerate().zip(&study.scales) {
        let Some(signal) = result.query.plan.signals.get(field) else { continue };
        let view = View { area: *area, result, field, signal, scale: *scale };
        view.draw(ui, study, &p, commands);
    }
    if let Some(lowest) = areas.last() {
        axis(ui, *lowest, result, &p);
    }
}

/// The plot of one signal: where times and values lie on the screen.
struct View<'a> {
    area: Rect,
    result: &'a StudyQueryResult,
    /// The position of the signal in the plan.
    field: usize,
    signal: &'a SignalId,
    /// Lowest and highest value.
    scale: (f32, f32),
}

impl View<'_> {
    fn x(&self, at_s: f64) -> f32 {
        x_of(self.area, self.result, at_s)
    }

    fn y(&self, value: f32) -> f32 {
        let (low, high) = self.scale;
        self.area.bottom() - self.area.height() * (value - low) / (high - low)
    }

    fn color(&self, condition: usize) -> Color32 {
        match self.signal {
            _ if self.result.conditions.len() != 1 => CONDITIONS[condition.min(1)],
            signal if signal.is_valence() => theme::VALENCE,
            signal if signal.is_arousal() => theme::AROUSAL,
            _ => theme::PULSE,
        }
    }

    fn curve<'e>(&self, epoch: &'e SingleEpoch) -> &'e [f32] {
        epoch.curves.get(self.field).map_or(&[], Vec::as_slice)
    }

    fn name(&self) -> String {
        self.result.query.plan.label(self.signal)
    }

    /// The name, and the unit if it has one.
    fn name_and_unit(&self) -> String {
        let average = self.result.conditions.iter().find_map(|c| c.averages.get(self.field));
        match average.map_or("", |a| a.measure.unit.as_str()) {
            "" | "1" => self.name(),
            unit => format!("{} ({unit})", self.name()),
        }
    }

    fn draw(&self, ui: &mut Ui, study: &StudyState, p: &Palette, commands: &mut Vec<Command>) {
        ui.painter().rect_filled(self.area, 4.0, p.card);
        let painter = ui.painter().with_clip_rect(self.area);
        let name = self.background(ui, &painter, p);
        let hovered = self.epoch_at_pointer(ui);
        for (k, condition) in self.result.conditions.iter().enumerate() {
            let step = condition.epochs.len().div_ceil(DRAWN).max(1);
            // The more lines, the fainter each one, so that the mean stays visible.
            let drawn = (condition.epochs.len() / step).max(1) as f32;
            let faint = self.color(k).gamma_multiply((1.6 / drawn.sqrt()).clamp(0.07, 0.3));
            for epoch in condition.epochs.iter().step_by(step) {
                self.line(&painter, self.curve(epoch), Stroke::new(1.0, faint), false);
            }
        }
        for (k, condition) in self.result.conditions.iter().enumerate() {
            if let Some(average) = condition.averages.get(self.field) {
                self.band(&painter, average, self.color(k));
            }
        }
        for (k, condition) in self.result.conditions.iter().enumerate() {
            if let Some(average) = condition.averages.get(self.field) {
                let mean: Vec<f32> = average.mean.iter().map(|v| *v as f32).collect();
                self.line(&painter, &mean, Stroke::new(2.4, self.color(k)), k == 1);
            }
        }
        for (condition, position) in [study.epoch, hovered].into_iter().flatten() {
            if let Some(epoch) = self.result.conditions.get(condition).and_then(|c| c.epochs.get(position)) {
                self.line(&painter, self.curve(epoch), Stroke::new(1.6, p.strong), false);
            }
        }
        self.clusters(&painter, p);
        ui.painter().rect_stroke(self.area, 4.0, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
        self.pointer_input(ui, hovered, p, commands);
        // After the area, which would take the pointer.
        let of_face = match self.signal {
            signal if signal.is_valence() => Some(Term::Valence),
            signal if signal.is_arousal() => Some(Term::Arousal),
            _ => None,
        };
        let terms: Vec<Term> = of_face.into_iter().chain([Term::Average]).collect();
        explanations::explain(ui, name, &format!("the average of {}", self.name()), &terms);
    }

    /// Grid, zero line, the event's line and the baseline window. Returns where the name of the signal is.
    fn background(&self, ui: &Ui, painter: &Painter, p: &Palette) -> Rect {
        let font = theme::caption_font();
        let plan = &self.result.query.plan;
        if let (Some((from, until)), true) = (plan.baseline_s, plan.zero != Correction::Raw) {
            let span = Rect::from_x_y_ranges(self.x(from)..=self.x(until), self.area.y_range());
            painter.rect_filled(span, 0.0, p.hover.gamma_multiply(0.7));
            if self.field == 0 && span.width() > 34.0 {
                let at = pos2(span.center().x, self.area.bottom() - 5.0);
                painter.text(at, Align2::CENTER_BOTTOM, "baseline", font.clone(), p.weak);
            }
        }
        let (low, high) = self.scale;
        let step = nice_step(f64::from(high - low) / (f64::from(self.area.height()) / 44.0).max(2.0));
        let first = (f64::from(low) / step).ceil() as i64;
        let last = (f64::from(high) / step).floor() as i64;
        for k in (first..=last).take(40) {
            let value = k as f64 * step;
            let y = self.y(value as f32);
            let color = if k == 0 { p.weak.gamma_multiply(0.7) } else { p.grid };
            painter.hline(self.area.x_range(), y, Stroke::new(1.0, color));
            let at = pos2(self.area.left() - 6.0, y.clamp(self.area.top() + 6.0, self.area.bottom() - 6.0));
            ui.painter().text(at, Align2::RIGHT_CENTER, number(value, step), font.clone(), p.weak);
        }
        let x = self.x(0.0);
        painter.vline(x, self.area.y_range(), Stroke::new(1.2, p.weak));
        let name = match plan.zero {
            Correction::Raw => self.name_and_unit(),
            Correction::Corrected => format!("{} minus baseline", self.name_and_unit()),
            Correction::ZScored => format!("{} in SD", self.name()),
        };
        let at = self.area.min + vec2(10.0, 7.0);
        if self.result.conditions.len() == 1 {
            let chip = Rect::from_min_size(at + vec2(0.0, 3.0), vec2(10.0, 7.0));
            painter.rect_filled(chip, 2.0, self.color(0));
            painter.text(at + vec2(15.0, 0.0), Align2::LEFT_TOP, name, font, p.text)
        } else {
            painter.text(at, Align2::LEFT_TOP, name, font, p.text)
        }
    }

    /// A curve in one or more pieces. The second condition's mean is dashed, so that the conditions differ without
    /// colour.
    fn line(&self, painter: &Painter, values: &[f32], stroke: Stroke, is_dashed: bool) {
        let mut piece: Vec<Pos2> = Vec::with_capacity(values.len());
        let flush = |piece: &mut Vec<Pos2>| {
            if piece.len() > 1 {
                if is_dashed {
                    painter.extend(Shape::dashed_line(piece, stroke, 9.0, 4.0));
                } else {
                    painter.add(Shape::line(piece.clone(), stroke));
                }
            }
            piece.clear();
        };
        // Points closer than 1.5 pixels would not be visible.
        let mut last_x = f32::NEG_INFINITY;
        for (k, (at_s, value)) in self.result.times_s.iter().zip(values).enumerate() {
            let x = self.x(*at_s);
            if !value.is_finite() {
                flush(&mut piece);
            } else if x - last_x >= 1.5 || k + 1 == values.len() {
                piece.push(pos2(x, self.y(*value)));
                last_x = x;
            }
        }
        flush(&mut piece);
    }

    fn band(&self, painter: &Painter, average: &Average, color: Color32) {
        let Some(interval) = &average.interval else { return };
        let fill = color.gamma_multiply(0.16);
        let mut mesh = Mesh::default();
        let mut is_joined = false;
        for ((at_s, low), high) in self.result.times_s.iter().zip(&interval.low).zip(&interval.high) {
            if !(low.is_finite() && high.is_finite()) {
                is_joined = false;
                continue;
            }
            let x = self.x(*at_s);
            mesh.colored_vertex(pos2(x, self.y(*low as f32)), fill);
            mesh.colored_vertex(pos2(x, self.y(*high as f32)), fill);
            let n = mesh.vertices.len() as u32;
            if is_joined {
                mesh.add_triangle(n - 4, n - 3, n - 2);
                mesh.add_triangle(n - 3, n - 2, n - 1);
            }
            is_joined = true;
        }
        painter.add(Shape::mesh(mesh));
        for edge in [&interval.low, &interval.high] {
            let edge: Vec<f32> = edge.iter().map(|v| *v as f32).collect();
            self.line(painter, &edge, Stroke::new(1.0, color.gamma_multiply(0.6)), false);
        }
    }

    /// The significant clusters.
    fn clusters(&self, painter: &Painter, p: &Palette) {
        let comparison = self.result.comparisons.iter().find(|c| c.measure.signal == *self.signal);
        for cluster in comparison.iter().flat_map(|c| &c.clusters).filter(|c| c.is_significant()) {
            let span = self.x(cluster.from_s)..=self.x(cluster.until_s);
            let shade = Rect::from_x_y_ranges(span.clone(), self.area.y_range());
            painter.rect_filled(shade, 0.0, p.accent.gamma_multiply(0.08));
            let bar = Rect::from_x_y_ranges(span, self.area.bottom() - 5.0..=self.area.bottom() - 1.0);
            painter.rect_filled(bar, 1.0, p.accent);
            let at = pos2(bar.center().x, bar.top() - 2.0);
            painter.text(at, Align2::CENTER_BOTTOM, figures::p_value(cluster.p), theme::caption_font(), p.strong);
        }
    }

    /// The epoch whose curve is nearest to the pointer, as condition and position.
    fn epoch_at_pointer(&self, ui: &Ui) -> Option<(usize, usize)> {
        let at = ui.input(|i| i.pointer.hover_pos()).filter(|at| self.area.contains(*at))?;
        if ui.ctx().layer_id_at(at).is_some_and(|layer| layer != ui.layer_id()) {
            return None;
        }
        let row = nearest_row(&self.result.times_s, seconds_at(self.area, self.result, at.x))?;
        let mut nearest: Option<(f32, (usize, usize))> = None;
        for (condition, c) in self.result.conditions.iter().enumerate() {
            for (position, epoch) in c.epochs.iter().enumerate() {
                let Some(value) = self.curve(epoch).get(row).filter(|v| v.is_finite()) else { continue };
                let distance = (self.y(*value) - at.y).abs();
                if distance <= REACH_PX && nearest.is_none_or(|(best, _)| distance < best) {
                    nearest = Some((distance, (condition, position)));
                }
            }
        }
        nearest.map(|(_, epoch)| epoch)
    }

    fn pointer_input(&self, ui: &mut Ui, hovered: Option<(usize, usize)>, p: &Palette, commands: &mut Vec<Command>) {
        let id = ui.scope_id().with(self.signal);
        let response = ui.interact(self.area, id, Sense::click());
        response.widget_info(|| WidgetInfo::labeled(egui::Role::Image, true, self.description()));
        let epoch = hovered.and_then(|(c, k)| self.result.conditions.get(c)?.epochs.get(k));
        if let Some(at) = response.hover_pos() {
            self.readout(ui, at, epoch, p);
        }
        if let (true, Some((condition, position))) = (response.clicked(), hovered) {
            commands.push(Command::Study(StudyCommand::SelectEpoch(condition, position)));
            commands.push(Command::Study(StudyCommand::OpenEpoch));
        }
        if hovered.is_some() {
            response.on_hover_cursor(egui::CursorIcon::PointingHand);
        }
    }

    /// The text for screen readers: the highest and the lowest value of each average.
    fn description(&self) -> String {
        let mut message = format!("Average {} around the event", self.name());
        for (condition, events) in self.result.conditions.iter().zip(&self.result.query.events) {
            let Some(average) = condition.averages.get(self.field) else { continue };
            let mean: Vec<f32> = average.mean.iter().map(|v| *v as f32).collect();
            let rows = self.result.times_s.iter().zip(&mean).filter(|(_, v)| v.is_finite());
            let highest = rows.clone().max_by(|a, b| a.1.total_cmp(b.1));
            let lowest = rows.min_by(|a, b| a.1.total_cmp(b.1));
            if let (Some((high_s, high)), Some((low_s, low))) = (highest, lowest) {
                message += &format!(
                    "; {}: highest {} at {high_s:.1} s, lowest {} at {low_s:.1} s",
                    events.title(),
                    figures::signed(*high),
                    figures::signed(*low)
                );
            }
        }
        message
    }

    /// The values at the pointer's time, and the epoch under the pointer.
    fn readout(&self, ui: &Ui, at: Pos2, epoch: Option<&SingleEpoch>, p: &Palette) {
        let painter = ui.painter().with_clip_rect(self.area);
        painter.vline(at.x, self.area.y_range(), Stroke::new(1.0, p.weak.gamma_multiply(0.5)));
        let at_s = seconds_at(self.area, self.result, at.x);
        let Some(row) = nearest_row(&self.result.times_s, at_s) else { return };
        let mut text = format!("{at_s:+.2} s").replace('-', "−");
        for (k, condition) in self.result.conditions.iter().enumerate() {
            let Some(average) = condition.averages.get(self.field) else { continue };
            let name = if self.result.conditions.len() > 1 { ["A ", "B "][k.min(1)] } else { "" };
            let value = |v: Option<&f64>| v.filter(|v| v.is_finite()).map(|v| figures::signed(*v as f32));
            let mean = value(average.mean.get(row)).unwrap_or_else(|| "–".to_owned());
            let interval = average.interval.as_ref();
            let ends = (interval.and_then(|i| value(i.low.get(row))), interval.and_then(|i| value(i.high.get(row))));
            text += &match ends {
                (Some(low), Some(high)) => format!("   {name}{mean} [{low}, {high}]"),
                _ => format!("   {name}{mean}"),
            };
        }
        if let Some(epoch) = epoch {
            text += &format!("\n{} at {}: click to show it on video", epoch.title, figures::clock(epoch.at));
        }
        let galley = painter.layout_no_wrap(text, FontId::monospace(11.5), p.strong);
        let size = galley.size() + vec2(12.0, 8.0);
        let left = (at.x + 10.0).min(self.area.right() - size.x - 4.0).max(self.area.left() + 4.0);
        let chip = Rect::from_min_size(pos2(left, self.area.top() + 24.0), size);
        painter.rect(chip, 4.0, p.bar, Stroke::new(1.0, p.hairline), StrokeKind::Inside);
        painter.galley(chip.min + vec2(6.0, 4.0), galley, Color32::PLACEHOLDER);
    }
}

fn x_of(area: Rect, result: &StudyQueryResult, at_s: f64) -> f32 {
    let (from, until) = result.query.plan.window_s;
    area.left() + area.width() * ((at_s - from) / (until - from)) as f32
}

fn seconds_at(area: Rect, result: &StudyQueryResult, x: f32) -> f64 {
    let (from, until) = result.query.plan.window_s;
    from + (until - from) * f64::from((x - area.left()) / area.width())
}

fn nearest_row(times_s: &[f64], at_s: f64) -> Option<usize> {
    let after = times_s.partition_point(|t| *t < at_s);
    [after.checked_sub(1), Some(after)]
        .into_iter()
        .flatten()
        .filter(|k| *k < times_s.len())
        .min_by(|a, b| (times_s[*a] - at_s).abs().total_cmp(&(times_s[*b] - at_s).abs()))
}

fn legend(ui: &Ui, rect: Rect, result: &StudyQueryResult, p: &Palette) {
    let mut x = rect.left() + SCALE_PX;
    let font = FontId::proportional(13.0);
    let painter = ui.painter().with_clip_rect(rect);
    for (k, (events, condition)) in result.query.events.iter().zip(&result.conditions).enumerate() {
        if result.conditions.len() > 1 {
            let line = [pos2(x, rect.center().y - 2.0), pos2(x + 20.0, rect.center().y - 2.0)];
            let stroke = Stroke::new(3.0, CONDITIONS[k.min(1)]);
            if k == 1 {
                painter.extend(Shape::dashed_line(&line, stroke, 8.0, 4.0));
            } else {
                painter.line_segment(line, stroke);
            }
            x += 27.0;
        }
        let text = format!("{}, n = {}", events.title(), figures::count(condition.epochs.len() as u64));
        let at = pos2(x, rect.center().y - 2.0);
        x = painter.text(at, Align2::LEFT_CENTER, text, font.clone(), p.strong).right() + 22.0;
    }
    let average = result.conditions.first().and_then(|c| c.averages.first());
    let band = match average.map(|a| (a.unit, a.interval.is_some())) {
        Some((Unit::Participants, true)) => "mean of participants, 95 % interval",
        Some((Unit::Epochs, true)) => "one participant: mean of epochs, 95 % interval",
        _ => "mean; one epoch has no interval",
    };
    painter.text(pos2(x, rect.center().y - 2.0), Align2::LEFT_CENTER, band, theme::caption_font(), p.weak);
}

fn axis(ui: &Ui, area: Rect, result: &StudyQueryResult, p: &Palette) {
    let (from, until) = result.query.plan.window_s;
    let step = nice_step((until - from) / (f64::from(area.width()) / 76.0).max(2.0));
    let (first, last) = ((from / step).ceil() as i64, (until / step).floor() as i64);
    for k in (first..=last).take(60) {
        let at_s = k as f64 * step;
        let x = x_of(area, result, at_s);
        ui.painter().text(
            pos2(x.clamp(area.left() + 4.0, area.right() - 8.0), area.bottom() + 4.0),
            Align2::CENTER_TOP,
            number(at_s, step),
            theme::caption_font(),
            p.weak,
        );
    }
    let at = pos2(area.center().x, area.bottom() + 19.0);
    ui.painter().text(at, Align2::CENTER_TOP, "seconds from the event", theme::caption_font(), p.weak);
}

/// 1, 2 or 5 times a power of ten, at least `smallest`.
fn nice_step(smallest: f64) -> f64 {
    if !(smallest.is_finite() && smallest > 0.0) {
        return 1.0;
    }
    let power = 10f64.powf(smallest.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|k| k * power).find(|step| *step >= smallest * 0.999).unwrap_or(10.0 * power)
}

/// A tick's value with the minus sign U+2212. The distance of ticks determines the decimals.
fn number(value: f64, step: f64) -> String {
    let decimals = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
    let text = format!("{value:.decimals$}");
    let is_zero = text.trim_start_matches('-').chars().all(|c| c == '0' || c == '.');
    if is_zero { text.trim_start_matches('-').to_owned() } else { text.replace('-', "−") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers() {
        assert_eq!([0.013, 0.3, 0.5, 7.0].map(nice_step), [0.02, 0.5, 0.5, 10.0]);
        assert_eq!(number(-0.5, 0.5), "−0.5");
        assert_eq!(number(-0.0, 0.05), "0.00");
        assert_eq!(nice_step(f64::NAN), 1.0);
        assert_eq!(nearest_row(&[-1.0, 0.0, 1.0], 0.6), Some(2));
        assert_eq!(nearest_row(&[], 0.6), None);
    }
}
