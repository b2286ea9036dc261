//! What signals did around events, for example valence and arousal: the mean with its 95 % band, each participant faintly behind, two
//! conditions in two colours, and where the permutation test found them apart.

use std::ops::Range;
use std::path::Path;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;

use super::{CONDITIONS, Drawn, Figure, FigureFormat, Scale, publish, signal_colour, tick};
use crate::ExportError;
use analysis::{Average, Comparison, Correction, Measure};

/// One kind of events.
#[derive(Clone, Copy, Debug)]
pub struct ConditionCurves<'a> {
    pub name: &'a str,
    /// One for each signal that is drawn. The signals of all conditions are the same.
    pub averages: &'a [Average],
}

/// `comparisons` are of the two conditions, or of the only one against zero.
pub fn write_average_figure(
    title: &str,
    conditions: &[ConditionCurves<'_>],
    comparisons: &[Comparison],
    path: &Path,
    format: FigureFormat,
) -> Result<(), ExportError> {
    publish(&AverageFigure::new(title, conditions, comparisons)?, path, format)
}

pub(crate) struct AverageFigure<'a> {
    title: &'a str,
    conditions: &'a [ConditionCurves<'a>],
    comparisons: &'a [Comparison],
}

impl<'a> AverageFigure<'a> {
    pub(crate) fn new(
        title: &'a str,
        conditions: &'a [ConditionCurves<'a>],
        comparisons: &'a [Comparison],
    ) -> Result<Self, ExportError> {
        let has_course = |c: &ConditionCurves<'_>| c.averages.iter().any(|a| a.times_s.len() > 1);
        if conditions.iter().any(has_course) {
            Ok(AverageFigure { title, conditions, comparisons })
        } else {
            Err(ExportError::NoAverage)
        }
    }

    fn of(&self, measure: &Measure) -> impl Iterator<Item = (usize, &'a str, &'a Average)> {
        let averages = move |(k, c): (usize, &ConditionCurves<'a>)| {
            c.averages.iter().find(|a| a.measure == *measure && a.times_s.len() > 1).map(|a| (k, c.name, a))
        };
        self.conditions.iter().enumerate().filter_map(averages)
    }

    /// The panels, from above.
    fn measures(&self) -> Vec<&'a Measure> {
        measures(self.conditions).into_iter().filter(|m| self.of(m).next().is_some()).collect()
    }

    fn panel<DB: DrawingBackend>(
        &self,
        area: &DrawingArea<DB, Shift>,
        (position, measure): (usize, &Measure),
        is_last: bool,
        scale: Scale,
    ) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let curves: Vec<_> = self.of(measure).collect();
        let Some((_, _, first)) = curves.first() else { return Ok(()) };
        let time = first.times_s[0]..first.times_s[first.times_s.len() - 1];
        let range = value_range(curves.iter().map(|(_, _, average)| *average));
        let px = |n: f64| scale.px(n);
        let mut chart = ChartBuilder::on(area)
            .x_label_area_size(px(if is_last { 44.0 } else { 8.0 }))
            .y_label_area_size(px(72.0))
            .margin_top(px(8.0))
            .build_cartesian_2d(time.clone(), range.clone())?;
        let described = format!("{measure}{}", unit(first));
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .y_desc(described)
            .y_labels(5)
            .x_label_formatter(&tick)
            .y_label_formatter(&tick)
            .label_style(("sans-serif", px(13.0)))
            .axis_desc_style(("sans-serif", px(15.0)));
        if is_last {
            mesh.x_desc("time from the event (s)").x_labels(8);
        } else {
            mesh.x_labels(0);
        }
        mesh.draw()?;
        let thin = BLACK.mix(0.6).stroke_width(scale.width(0.8));
        chart.draw_series([
            PathElement::new(vec![(0.0, range.start), (0.0, range.end)], thin),
            PathElement::new(vec![(time.start, 0.0), (time.end, 0.0)], thin),
        ])?;
        let faint = if self.conditions.len() > 1 { 0.12 } else { 0.25 };
        for (k, _, average) in &curves {
            let colour = condition_colour(self.conditions.len(), *k, measure, position);
            for course in average.per_participant.values() {
                let line = average.times_s.iter().copied().zip(course.iter().copied());
                chart.draw_series(LineSeries::new(line, colour.mix(faint).stroke_width(scale.width(0.7))))?;
            }
        }
        for (k, _, average) in &curves {
            let colour = condition_colour(self.conditions.len(), *k, measure, position);
            if let Some(interval) = &average.interval {
                let high = average.times_s.iter().copied().zip(interval.high.iter().copied());
                let low = average.times_s.iter().copied().zip(interval.low.iter().copied()).rev();
                let band: Vec<_> = high.chain(low).collect();
                chart.draw_series(std::iter::once(Polygon::new(band, colour.mix(0.22).filled())))?;
            }
            let line = average.times_s.iter().copied().zip(average.mean.iter().copied());
            let stroke = colour.stroke_width(scale.width(2.2));
            // The second condition is dashed, as in the window, so that it can be distinguished without colour.
            if *k == 0 {
                chart.draw_series(LineSeries::new(line, stroke))?;
            } else {
                chart.draw_series(DashedLineSeries::new(line, px(7.0), px(3.0), stroke))?;
            }
        }
        let height = range.end - range.start;
        for cluster in self.comparisons.iter().filter(|c| c.measure == *measure).flat_map(|c| &c.clusters) {
            // Clusters that are not significant are pale.
            let shade = BLACK.mix(if cluster.is_significant() { FOUND } else { CHANCE });
            let bar = [(cluster.from_s, range.start), (cluster.until_s, range.start + 0.025 * height)];
            chart.draw_series(std::iter::once(Rectangle::new(bar, shade.filled())))?;
            if cluster.is_significant() {
                let text = if cluster.p < 0.001 { "p < 0.001".to_owned() } else { format!("p = {:.3}", cluster.p) };
                let style = ("sans-serif", px(12.0)).into_text_style(area);
                let at = (cluster.from_s, range.start + 0.09 * height);
                chart.draw_series(std::iter::once(Text::new(text, at, style)))?;
            }
        }
        Ok(())
    }

    /// The colours of the conditions, with their numbers of epochs and participants.
    fn legend<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, scale: Scale) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let px = |n: f64| scale.px(n);
        let style = ("sans-serif", px(13.0)).into_text_style(area);
        for (k, condition) in self.conditions.iter().enumerate() {
            let Some(average) = condition.averages.first() else { continue };
            let y = px(4.0 + 17.0 * k as f64);
            let colour = condition_colour(self.conditions.len(), k, &average.measure, 0);
            // With one condition the panels have their own colours.
            if self.conditions.len() > 1 {
                let stroke = colour.stroke_width(scale.width(2.2));
                let (from, until) = ((px(72.0), y + px(6.0)), (px(90.0), y + px(6.0)));
                if k == 0 {
                    area.draw(&PathElement::new([from, until], stroke))?;
                } else {
                    area.draw(&DashedPathElement::new([from, until], px(7.0), px(3.0), stroke))?;
                }
            }
            let text = format!("{} ({})", condition.name, behind(average));
            area.draw_text(&text, &style, (px(if self.conditions.len() > 1 { 96.0 } else { 72.0 }), y))?;
        }
        if self.has_bars() {
            let y = px(4.0 + 17.0 * self.conditions.len() as f64);
            let style = ("sans-serif", px(12.0)).into_text_style(area);
            for (x, shade, text) in [(72.0, FOUND, "difference (p above it)"), (240.0, CHANCE, "not told from chance")]
            {
                let bar = [(px(x), y + px(2.0)), (px(x + 18.0), y + px(7.0))];
                area.draw(&Rectangle::new(bar, BLACK.mix(shade).filled()))?;
                area.draw_text(text, &style, (px(x + 24.0), y))?;
            }
        }
        Ok(())
    }

    /// Below the curves, where the permutation test looked.
    fn has_bars(&self) -> bool {
        self.comparisons.iter().any(|c| !c.clusters.is_empty())
    }
}

/// How black the bar of a cluster is: one that the test calls a difference, and one that it does not.
const FOUND: f64 = 0.85;
const CHANCE: f64 = 0.2;

/// `38 epochs of 12 participants`
fn behind(average: &Average) -> String {
    let s = |n: u64| if n == 1 { "" } else { "s" };
    let (epochs, participants) = (average.epochs, average.participants);
    format!("{epochs} epoch{} of {participants} participant{}", s(epochs), s(participants))
}

/// The signals of all conditions, in the order of the first.
pub(super) fn measures<'a>(conditions: &'a [ConditionCurves<'a>]) -> Vec<&'a Measure> {
    let mut measures: Vec<&Measure> = Vec::new();
    for average in conditions.iter().flat_map(|c| c.averages) {
        if !measures.contains(&&average.measure) {
            measures.push(&average.measure);
        }
    }
    measures
}

/// A single condition has the colours of its signals. More conditions have colours of their own.
pub(super) fn condition_colour(conditions: usize, condition: usize, measure: &Measure, position: usize) -> RGBColor {
    if conditions == 1 { signal_colour(measure, position) } else { CONDITIONS[condition % CONDITIONS.len()] }
}

/// What stands behind a signal's name at an axis. The unit `1` is left out; valence and arousal have the ends of their
/// scale instead.
pub(super) fn unit(average: &Average) -> String {
    let Measure { signal, unit, .. } = &average.measure;
    let in_brackets = match unit.as_str() {
        "1" if signal.is_affect() => " (−1 … 1)".to_owned(),
        "1" | "" => String::new(),
        unit => format!(" ({unit})"),
    };
    match average.correction {
        Correction::Raw => in_brackets,
        Correction::Corrected => format!(", change{in_brackets}"),
        Correction::ZScored => ", change (SD of baseline)".to_owned(),
    }
}

/// All that is drawn, with room below for the clusters.
fn value_range<'a>(averages: impl Iterator<Item = &'a Average>) -> Range<f64> {
    let (mut low, mut high) = (0.0f64, 0.0f64);
    let mut see = |values: &[f64]| {
        for v in values.iter().filter(|v| v.is_finite()) {
            (low, high) = (low.min(*v), high.max(*v));
        }
    };
    for average in averages {
        see(&average.mean);
        average.per_participant.values().for_each(|course| see(course));
        if let Some(interval) = &average.interval {
            see(&interval.low);
            see(&interval.high);
        }
    }
    let room = (high - low).max(0.02) * 0.08;
    low - 2.0 * room..high + room
}

impl Figure for AverageFigure<'_> {
    /// From the third panel on, the figure grows.
    fn size_mm(&self) -> (f64, f64) {
        (120.0, 120.0 + 45.0 * self.measures().len().saturating_sub(2) as f64)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, scale: Scale) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let px = |n: f64| scale.px(n);
        area.fill(&WHITE)?;
        let area = area.margin(px(8.0), px(8.0), px(8.0), px(20.0)).titled(self.title, ("sans-serif", px(16.0)))?;
        let (legend, plots) =
            area.split_vertically(px(6.0 + 17.0 * (self.conditions.len() + usize::from(self.has_bars())) as f64));
        self.legend(&legend, scale)?;
        let measures = self.measures();
        // The lowest panel carries the time axis, too.
        let height = plots.dim_in_pixel().1 as i32;
        let each = (height - px(36.0)) / measures.len().max(1) as i32;
        let mut rest = plots;
        for (k, measure) in measures.iter().enumerate() {
            let is_last = k + 1 == measures.len();
            if is_last {
                self.panel(&rest, (k, measure), true, scale)?;
            } else {
                let (panel, below) = rest.split_vertically(each);
                self.panel(&panel, (k, measure), false, scale)?;
                rest = below;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use analysis::{Cluster, Design, Effect, Interval, SignalId, Unit};
    use std::collections::BTreeMap;

    fn measure(name: &str, signal: &str, unit: &str) -> Measure {
        Measure { name: name.into(), signal: signal.parse().unwrap(), unit: unit.into() }
    }

    /// Valence rises after the event, arousal does not; twelve participants who differ.
    pub fn averages(size: f64) -> Vec<Average> {
        let times_s: Vec<f64> = (-30..=120).map(|k| f64::from(k) / 30.0).collect();
        let course = |rise: f64, who: f64| -> Vec<f64> {
            let at = |t: &f64| rise * (-(t - 1.5f64).powi(2)).exp() + 0.05 * (t * 2.0 + who).sin() + 0.01 * who;
            times_s.iter().map(at).collect()
        };
        let one = |signal: SignalId, rise: f64| {
            let mean = course(rise, 0.0);
            let shifted = |by: f64| mean.iter().map(|v| v + by).collect::<Vec<f64>>();
            let of = |k: u32| (session::ParticipantId::numbered(k), course(rise, f64::from(k) - 6.0));
            Average {
                measure: measure(&signal.field, &signal.to_string(), "1"),
                correction: Correction::Corrected,
                interval: Some(Interval {
                    low: shifted(-0.05),
                    high: shifted(0.05),
                    boot_low: shifted(-0.05),
                    boot_high: shifted(0.05),
                }),
                unit: Unit::Participants,
                per_participant: (1..=12).map(of).collect::<BTreeMap<_, _>>(),
                participants: 12,
                epochs: 431,
                matched: 480,
                dropped: BTreeMap::new(),
                times_s: times_s.clone(),
                mean,
            }
        };
        vec![one(SignalId::valence(), size), one(SignalId::arousal(), 0.0)]
    }

    pub fn comparison() -> Comparison {
        let cluster = |from_s, until_s, p| Cluster { from_s, until_s, mass: 90.0, p, p_high: p, difference: 0.2 };
        Comparison {
            measure: measure("valence", "affect.valence", "1"),
            correction: Correction::Corrected,
            design: Design::Paired,
            times_s: Vec::new(),
            t: Vec::new(),
            threshold_t: 2.2,
            clusters: vec![cluster(0.6, 2.4, 0.0004), cluster(3.1, 3.3, 0.4)],
            effect: Effect { difference: 0.2, low: 0.1, high: 0.3, cohens_d: Some(1.1) },
            permutations: 4096,
            is_exact: true,
            n_a: 12,
            n_b: 12,
            left_out: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Draws both formats into `target/screenshots`, where a person looks at them, and returns the SVG.
    pub fn drawn(name: &str, draw: impl Fn(&Path, FigureFormat) -> Result<(), ExportError>) -> String {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        std::fs::create_dir_all(&folder).unwrap();
        let (png, svg) = (folder.join(format!("{name}.png")), folder.join(format!("{name}.svg")));
        draw(&png, FigureFormat::Png).unwrap();
        draw(&svg, FigureFormat::Svg).unwrap();
        let picture = image::open(&png).unwrap().to_rgb8();
        assert!(picture.pixels().any(|p| p.0 != [255; 3]));
        std::fs::read_to_string(svg).unwrap()
    }

    #[test]
    fn one_condition_and_two_are_drawn_with_their_numbers() {
        let (a, b) = (averages(0.3), averages(0.1));
        let one = [ConditionCurves { name: "page/click target=button#buy", averages: &a }];
        let text = drawn("average", |to, format| write_average_figure("Buying", &one, &[], to, format));
        assert!(text.contains("431 epochs of 12 participants") && text.contains("time from the event (s)"), "{text}");
        assert!(text.contains("valence, change (−1 … 1)") && text.contains("120mm"));
        let two = [one[0], ConditionCurves { name: "page/click target=button#sell", averages: &b }];
        let text = drawn("conditions", |to, format| write_average_figure("Two", &two, &[comparison()], to, format));
        assert!(text.contains("p &lt; 0.001") && text.contains("#009E73") && text.contains("#CC79A7"), "{text}");
        assert!(!text.contains("p = 0.4"), "what is no finding is not written out");
        assert!(text.contains("not told from chance"));
    }

    #[test]
    fn other_signals_have_their_name_and_unit_at_the_axis() {
        let mut three = averages(0.3);
        let eda = measure("lsl_eda.EDA", "lsl_eda.EDA", "uS");
        three.push(Average { measure: eda, ..three[0].clone() });
        let one = [ConditionCurves { name: "marker", averages: &three }];
        let text = drawn("signals", |to, format| write_average_figure("Signals", &one, &[], to, format));
        assert!(text.contains("lsl_eda.EDA, change (uS)") && text.contains("arousal, change (−1 … 1)"), "{text}");
        assert!(text.contains("height=\"165mm\"") && text.contains("#56B4E9"), "three panels, three colours");
        let raw =
            Average { correction: Correction::Raw, measure: measure("pulse.n", "pulse.n", "1"), ..three[0].clone() };
        assert_eq!(unit(&raw), "", "a plain number has no unit");
    }

    #[test]
    fn nothing_kept_is_nothing_to_draw() {
        let none = write_average_figure("t", &[], &[], Path::new("/nowhere/x.png"), FigureFormat::Png).unwrap_err();
        assert!(none.to_string().contains("no epoch was kept"), "{none}");
    }
}
