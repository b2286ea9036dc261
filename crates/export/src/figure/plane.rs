//! The affect plane: the distribution of valence and arousal.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{AROUSAL, Drawn, Figure, FigureFormat, Scale, VALENCE, publish, tick};
use crate::ExportError;
use session::{AFFECT, Rows, Timeline, affect};

const CELLS: usize = 42;
const EDGE: f64 = 1.05;

/// Counts of samples in the cells of the plane.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaneCounts {
    cells: Vec<u64>,
    valence_sum: f64,
    arousal_sum: f64,
    samples: u64,
}

impl Default for PlaneCounts {
    fn default() -> Self {
        PlaneCounts { cells: vec![0; CELLS * CELLS], valence_sum: 0.0, arousal_sum: 0.0, samples: 0 }
    }
}

impl PlaneCounts {
    /// Frames that were scored after the recording are included.
    pub fn of(timeline: &Timeline) -> PlaneCounts {
        let mut counts = PlaneCounts::default();
        if let Some(rows) = Rows::of(timeline, AFFECT) {
            counts.add(&rows);
        }
        counts
    }

    fn add(&mut self, rows: &Rows<'_>) {
        let cell = |v: f32| (((f64::from(v) + EDGE) / (2.0 * EDGE) * CELLS as f64) as usize).min(CELLS - 1);
        for k in 0..rows.len() {
            let (v, a) = (rows.value(k, affect::VALENCE), rows.value(k, affect::AROUSAL));
            if v.is_finite() && a.is_finite() {
                self.cells[cell(a) * CELLS + cell(v)] += 1;
                self.valence_sum += f64::from(v);
                self.arousal_sum += f64::from(a);
                self.samples += 1;
            }
        }
    }

    /// Means of valence and arousal. `None` if nothing was scored.
    pub fn mean(&self) -> Option<(f64, f64)> {
        let n = self.samples as f64;
        (self.samples > 0).then(|| (self.valence_sum / n, self.arousal_sum / n))
    }

    pub fn merge(&mut self, other: &PlaneCounts) {
        self.cells.iter_mut().zip(&other.cells).for_each(|(sum, n)| *sum += n);
        self.valence_sum += other.valence_sum;
        self.arousal_sum += other.arousal_sum;
        self.samples += other.samples;
    }
}

pub fn write_plane_figure(
    title: &str,
    counts: &PlaneCounts,
    path: &Path,
    format: FigureFormat,
) -> Result<(), ExportError> {
    publish(&PlaneFigure::new(title, counts, &[])?, path, format)
}

/// `means` are the participants' means in a study, and empty for a session.
pub(crate) struct PlaneFigure<'a> {
    title: &'a str,
    counts: &'a PlaneCounts,
    means: &'a [(f64, f64)],
}

impl<'a> PlaneFigure<'a> {
    pub(crate) fn new(title: &'a str, counts: &'a PlaneCounts, means: &'a [(f64, f64)]) -> Result<Self, ExportError> {
        if counts.samples == 0 {
            return Err(ExportError::NothingToDraw);
        }
        Ok(PlaneFigure { title, counts, means })
    }
}

impl Figure for PlaneFigure<'_> {
    fn size_mm(&self) -> (f64, f64) {
        (95.0, 100.0)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, scale: Scale) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let px = |n: f64| scale.px(n);
        area.fill(&WHITE)?;
        let area = area.margin(px(8.0), px(8.0), px(8.0), px(16.0)).titled(self.title, ("sans-serif", px(15.0)))?;
        let mut chart = ChartBuilder::on(&area)
            .x_label_area_size(px(44.0))
            .y_label_area_size(px(56.0))
            .build_cartesian_2d(-EDGE..EDGE, -EDGE..EDGE)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .x_desc("valence (unpleasant −1 … pleasant 1)")
            .y_desc("arousal (calm −1 … excited 1)")
            .x_labels(5)
            .y_labels(5)
            .x_label_formatter(&tick)
            .y_label_formatter(&tick)
            .label_style(("sans-serif", px(13.0)))
            .axis_desc_style(("sans-serif", px(14.0)))
            .draw()?;
        let most = self.counts.cells.iter().copied().max().unwrap_or(1).max(1) as f64;
        let corner = |k: usize| k as f64 / CELLS as f64 * 2.0 * EDGE - EDGE;
        let filled = self.counts.cells.iter().enumerate().filter(|(_, n)| **n > 0).map(|(k, n)| {
            let (column, row) = (k % CELLS, k / CELLS);
            // The square root keeps rare cells visible beside frequent ones.
            let shade = VALENCE.mix(0.12 + 0.88 * (*n as f64 / most).sqrt());
            let corners = [(corner(column), corner(row)), (corner(column + 1), corner(row + 1))];
            Rectangle::new(corners, shade.filled())
        });
        chart.draw_series(filled)?;
        let thin = BLACK.mix(0.5).stroke_width(scale.width(0.8));
        chart.draw_series([
            PathElement::new(vec![(0.0, -EDGE), (0.0, EDGE)], thin),
            PathElement::new(vec![(-EDGE, 0.0), (EDGE, 0.0)], thin),
        ])?;
        let ring = (0..=120).map(|k| (f64::from(k) / 120.0 * std::f64::consts::TAU).sin_cos()).map(|(y, x)| (x, y));
        chart.draw_series(LineSeries::new(ring, thin))?;
        chart.draw_series(self.means.iter().map(|at| Circle::new(*at, px(3.5), AROUSAL.filled())))?;
        if let Some((valence, arousal)) = self.counts.mean() {
            let thick = BLACK.stroke_width(scale.width(2.4));
            chart.draw_series([
                PathElement::new(vec![(valence - 0.05, arousal), (valence + 0.05, arousal)], thick),
                PathElement::new(vec![(valence, arousal - 0.05), (valence, arousal + 0.05)], thick),
            ])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::average::tests::drawn;
    use super::*;
    use session::{Body, Record, Timestamp, affect_stream};
    use std::sync::Arc;

    #[test]
    fn the_plane_counts_what_was_scored() {
        let mut t = Timeline::default();
        t.declare(affect_stream(30.0, "m"));
        for k in 0..3000u64 {
            let (s, mut values) = (k as f32 / 30.0, [0.0f32; 12]);
            // Beyond the circle, and once not scored at all: neither may do harm.
            (values[0], values[1]) = (0.4 + 0.3 * (s * 0.7).sin() + 0.1 * (s * 9.0).cos(), 1.2 * (s * 0.31).sin());
            if k == 5 {
                values[0] = f32::NAN;
            }
            let stream = Arc::new("affect".parse().unwrap());
            let body = Body::Sample { frame: Some(k), values: values.into() };
            t.ingest(&Record { stream, seq: k, at: Timestamp::from_secs_f64(f64::from(s)), body });
        }
        let counts = PlaneCounts::of(&t);
        assert_eq!((counts.samples, counts.cells.iter().sum::<u64>()), (2999, 2999));
        let (valence, _) = counts.mean().unwrap();
        assert!((valence - 0.4).abs() < 0.03, "{valence}");
        let text = drawn("plane", |to, format| write_plane_figure("sub-01 ses-01", &counts, to, format));
        assert!(text.contains("arousal (calm −1 … excited 1)"), "{text}");
        let empty = write_plane_figure("t", &PlaneCounts::default(), Path::new("/x.png"), FigureFormat::Png);
        assert!(matches!(empty, Err(ExportError::NothingToDraw)));
    }
}
