//! Each participant as a point, and the group's mean with its 95 % interval.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::average::{ConditionCurves, condition_colour, measures, unit};
use super::{Drawn, Figure, FigureFormat, Scale, publish, tick};
use crate::ExportError;
use analysis::{Average, Measure};
use session::ParticipantId;

pub fn write_group_figure(
    title: &str,
    conditions: &[ConditionCurves<'_>],
    path: &Path,
    format: FigureFormat,
) -> Result<(), ExportError> {
    publish(&GroupFigure::new(title, conditions)?, path, format)
}

pub(crate) struct GroupFigure<'a> {
    title: &'a str,
    conditions: &'a [ConditionCurves<'a>],
}

impl<'a> GroupFigure<'a> {
    pub(crate) fn new(title: &'a str, conditions: &'a [ConditionCurves<'a>]) -> Result<Self, ExportError> {
        if conditions.iter().flat_map(|c| c.averages).any(|a| !means(a).is_empty()) {
            Ok(GroupFigure { title, conditions })
        } else {
            Err(ExportError::NoAverage)
        }
    }

    fn panel<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        (position, measure): (usize, &Measure),
        scale: Scale,
    ) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let px = |n: f64| scale.px(n);
        let columns: Vec<(usize, Points<'_>, &Average)> = self
            .conditions
            .iter()
            .enumerate()
            .filter_map(|(k, c)| c.averages.iter().find(|a| a.measure == *measure).map(|a| (k, means(a), a)))
            .collect();
        let Some((_, _, first)) = columns.first() else { return Ok(()) };
        let all = || columns.iter().flat_map(|(_, points, _)| points.iter().map(|(_, v)| *v));
        let (low, high) = all().fold((0.0f64, 0.0f64), |(low, high), v| (low.min(v), high.max(v)));
        let room = (high - low).max(0.02) * 0.15;
        let names: Vec<&str> = self.conditions.iter().map(|c| c.name).collect();
        let mut chart = ChartBuilder::on(area)
            .x_label_area_size(px(44.0))
            .y_label_area_size(px(72.0))
            .margin_top(px(8.0))
            .build_cartesian_2d(-0.5..columns.len() as f64 - 0.5, low - room..high + room)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .y_desc(format!("mean {measure} after the event{}", unit(first)))
            .x_labels(0)
            .y_labels(5)
            .x_label_formatter(&tick)
            .y_label_formatter(&tick)
            .label_style(("sans-serif", px(12.0)))
            .axis_desc_style(("sans-serif", px(13.0)))
            .draw()?;
        let zero = BLACK.mix(0.6).stroke_width(scale.width(0.8));
        chart.draw_series(std::iter::once(PathElement::new(
            vec![(-0.5, 0.0), (columns.len() as f64 - 0.5, 0.0)],
            zero,
        )))?;
        // A line joins the points of the same participant in both conditions.
        if let [(_, a, _), (_, b, _)] = &columns[..] {
            let pairs = a.iter().filter_map(|(who, v)| {
                let other = b.iter().find(|(other, _)| other == who)?;
                Some(PathElement::new(
                    vec![(-0.12, *v), (0.88, other.1)],
                    BLACK.mix(0.25).stroke_width(scale.width(0.8)),
                ))
            });
            chart.draw_series(pairs)?;
        }
        for (x, (k, points, _)) in columns.iter().enumerate() {
            let colour = condition_colour(self.conditions.len(), *k, measure, position);
            let x = x as f64;
            chart.draw_series(
                points.iter().map(|(_, v)| Circle::new((x - 0.12, *v), px(3.5), colour.mix(0.6).filled())),
            )?;
            let values: Vec<f64> = points.iter().map(|(_, v)| *v).collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let thick = BLACK.stroke_width(scale.width(2.0));
            if let Some(half) = analysis::half_interval_95(&values) {
                chart.draw_series(std::iter::once(PathElement::new(
                    vec![(x + 0.12, mean - half), (x + 0.12, mean + half)],
                    thick,
                )))?;
            }
            chart.draw_series(std::iter::once(Circle::new((x + 0.12, mean), px(5.0), colour.filled())))?;
            let at = chart.backend_coord(&(x, low - room));
            let origin = area.get_pixel_range();
            let style = ("sans-serif", px(12.0)).into_text_style(area);
            let label = format!("{} (n = {})", names.get(*k).copied().unwrap_or_default(), points.len());
            let (width, _) = area.estimate_text_size(&label, &style)?;
            let left = (at.0 - origin.0.start - width as i32 / 2).max(0);
            // Names that would overlap are drawn at two heights.
            let is_wide = width as i32 * columns.len() as i32 > area.dim_in_pixel().0 as i32 - px(90.0);
            let line = if is_wide { x % 2.0 } else { 0.0 };
            area.draw_text(&label, &style, (left, at.1 - origin.1.start + px(10.0 + 16.0 * line)))?;
        }
        Ok(())
    }
}

/// One per participant.
type Points<'a> = Vec<(&'a ParticipantId, f64)>;

/// Each participant's mean from the event on.
fn means(average: &Average) -> Points<'_> {
    let from = average.times_s.iter().position(|t| *t >= 0.0).unwrap_or(0);
    let mean = |course: &[f64]| {
        let after: Vec<f64> = course.iter().skip(from).copied().filter(|v| v.is_finite()).collect();
        (!after.is_empty()).then(|| after.iter().sum::<f64>() / after.len() as f64)
    };
    average.per_participant.iter().filter_map(|(who, course)| Some((who, mean(course)?))).collect()
}

impl Figure for GroupFigure<'_> {
    /// From left to right, one panel for each signal.
    fn size_mm(&self) -> (f64, f64) {
        (80.0 * measures(self.conditions).len().max(1) as f64, 85.0)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, scale: Scale) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let px = |n: f64| scale.px(n);
        area.fill(&WHITE)?;
        let area = area.margin(px(8.0), px(8.0), px(8.0), px(16.0)).titled(self.title, ("sans-serif", px(16.0)))?;
        let measures = measures(self.conditions);
        let panels = area.split_evenly((1, measures.len()));
        panels.iter().zip(measures.into_iter().enumerate()).try_for_each(|(panel, at)| self.panel(panel, at, scale))
    }
}

#[cfg(test)]
mod tests {
    use super::super::average::tests::{averages, drawn};
    use super::*;

    #[test]
    fn every_participant_is_a_point() {
        let (a, b) = (averages(0.3), averages(0.1));
        let two = [ConditionCurves { name: "buy", averages: &a }, ConditionCurves { name: "sell", averages: &b }];
        let text = drawn("group", |to, format| write_group_figure("Two buttons", &two, to, format));
        assert!(text.contains("buy (n = 12)") && text.contains("mean valence after the event"), "{text}");
        assert!(text.matches("<circle").count() >= 2 * 2 * 13, "12 participants and a mean, twice in each panel");
        assert!(matches!(
            write_group_figure("t", &[], Path::new("/x.png"), FigureFormat::Png),
            Err(ExportError::NoAverage)
        ));
    }
}
