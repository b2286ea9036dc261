//! The figure of a session: valence and arousal with the network's own uncertainty, events and gaps on one time axis.

use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::{AROUSAL, Drawn, Figure, FigureFormat, FigurePixels, Scale, VALENCE, pixels, publish, tick};
use crate::ExportError;
use session::{AFFECT, MARKER, PAGE, SampleSeries, Timeline, Timestamp, affect};

const EVENTS: RGBColor = RGBColor(90, 90, 90);
const MARKERS: RGBColor = RGBColor(204, 121, 167);
/// The range of valence and arousal on the axes. Stored values are never clipped.
const RANGE: Range<f64> = -1.05..1.05;

/// A session, or a part of it.
pub(crate) struct SessionFigure<'a> {
    timeline: &'a Timeline,
    series: &'a SampleSeries,
    title: &'a str,
    time: Range<f64>,
}

impl<'a> SessionFigure<'a> {
    pub(crate) fn new(
        timeline: &'a Timeline,
        title: &'a str,
        range: Option<Range<Timestamp>>,
    ) -> Result<Self, ExportError> {
        let series = timeline.series(AFFECT).filter(|s| !s.is_empty()).ok_or(ExportError::NothingToDraw)?;
        let (first, last) = match range {
            Some(range) => (range.start, range.end),
            None => timeline.span().unwrap_or_default(),
        };
        let time = first.as_secs_f64()..last.as_secs_f64().max(first.as_secs_f64() + 1e-3);
        Ok(SessionFigure { timeline, series, title, time })
    }
}

/// Draws `range`, or the whole session, to `path`. An existing file is replaced only when the drawing is complete.
pub fn write_figure(
    timeline: &Timeline,
    title: &str,
    range: Option<Range<Timestamp>>,
    path: &Path,
    format: FigureFormat,
) -> Result<(), ExportError> {
    publish(&SessionFigure::new(&timeline.completed(), title, range)?, path, format)
}

/// Draws the whole session into memory.
pub fn draw_figure(timeline: &Timeline, title: &str) -> Result<FigurePixels, ExportError> {
    let drawn = pixels(&SessionFigure::new(&timeline.completed(), title, None)?);
    drawn.map_err(|reason| ExportError::Draw { path: "clipboard".into(), reason })
}

impl Figure for SessionFigure<'_> {
    fn size_mm(&self) -> (f64, f64) {
        (180.0, 110.0)
    }

    fn draw<DB: DrawingBackend>(&self, area: &DrawingArea<DB, Shift>, scale: Scale) -> Drawn
    where
        DB::ErrorType: 'static,
    {
        let px = |n: f64| scale.px(n);
        let SessionFigure { timeline, series, title, time } = self;
        area.fill(&WHITE)?;
        let area = area.margin(px(8.0), px(8.0), px(8.0), px(20.0)).titled(title, ("sans-serif", px(17.0)))?;
        let (plots, raster) = area.split_vertically((area.dim_in_pixel().1 as f64 * 0.76) as u32);
        let halves = plots.split_evenly((2, 1));

        for (area, name, field, sd, colour) in [
            (&halves[0], "valence (−1 … 1)", affect::VALENCE, affect::VALENCE_SD, VALENCE),
            (&halves[1], "arousal (−1 … 1)", affect::AROUSAL, affect::AROUSAL_SD, AROUSAL),
        ] {
            let mut chart = ChartBuilder::on(area)
                .x_label_area_size(px(8.0))
                .y_label_area_size(px(64.0))
                .margin_top(px(8.0))
                .build_cartesian_2d(time.clone(), RANGE)?;
            chart
                .configure_mesh()
                .disable_x_mesh()
                .light_line_style(TRANSPARENT)
                .bold_line_style(BLACK.mix(0.12))
                .y_desc(name)
                .y_labels(5)
                .x_labels(0)
                .x_label_formatter(&tick)
                .y_label_formatter(&tick)
                .label_style(("sans-serif", px(13.0)))
                .axis_desc_style(("sans-serif", px(15.0)))
                .draw()?;
            let shade = |from: f64, until: f64| {
                Rectangle::new([(from, RANGE.start), (until, RANGE.end)], BLACK.mix(0.07).filled())
            };
            chart.draw_series(shown_gaps(timeline, time).into_iter().map(|(from, until)| shade(from, until)))?;
            let columns = area.dim_in_pixel().0 as usize;
            for piece in pieces(series, field, sd, time.clone(), columns) {
                let upper = piece.iter().map(|p| (p.time_s, p.max + p.sd));
                let band: Vec<_> = upper.chain(piece.iter().rev().map(|p| (p.time_s, p.min - p.sd))).collect();
                chart.draw_series(std::iter::once(Polygon::new(band, colour.mix(0.18).filled())))?;
                let line = piece.iter().flat_map(|p| [(p.time_s, p.min), (p.time_s, p.max)]);
                chart.draw_series(LineSeries::new(line, colour.stroke_width(scale.width(1.4))))?;
            }
        }
        event_raster(&raster, timeline, time.clone(), scale)
    }
}

fn event_raster<DB: DrawingBackend>(
    area: &DrawingArea<DB, Shift>,
    timeline: &Timeline,
    time: Range<f64>,
    scale: Scale,
) -> Drawn
where
    DB::ErrorType: 'static,
{
    let px = |n: f64| scale.px(n);
    let (first, last) = (time.start, time.end);
    let mut chart = ChartBuilder::on(area)
        .x_label_area_size(px(44.0))
        .y_label_area_size(px(64.0))
        .margin_top(px(6.0))
        .build_cartesian_2d(time, 0.0..2.0)?;
    chart
        .configure_mesh()
        .disable_mesh()
        .y_labels(0)
        .x_desc("time on the session clock (s)")
        .x_label_formatter(&tick)
        .y_label_formatter(&tick)
        .label_style(("sans-serif", px(13.0)))
        .axis_desc_style(("sans-serif", px(15.0)))
        .draw()?;
    for (stream, row, colour, name) in [(PAGE, 1.0, EVENTS, "page"), (MARKER, 0.0, MARKERS, "markers")] {
        let shown = timeline
            .events_between(Timestamp::from_secs_f64(first), Timestamp::from_secs_f64(last) + Duration::from_nanos(1));
        let ticks = shown.iter().filter(|e| e.stream.as_str() == stream).map(|e| {
            let t = e.at.as_secs_f64();
            PathElement::new(vec![(t, row + 0.12), (t, row + 0.88)], colour.stroke_width(scale.width(1.0)))
        });
        chart.draw_series(ticks)?;
        let at = chart.backend_coord(&(0.0, row + 0.5)).1 - area.get_pixel_range().1.start;
        let style = ("sans-serif", px(13.0)).into_text_style(area);
        area.draw_text(name, &style, (px(6.0), at - px(7.0)))?;
    }
    Ok(())
}

/// Gaps, limited to the drawn range. Overlapping ones are joined, so that each time is shaded once.
fn shown_gaps(timeline: &Timeline, time: &Range<f64>) -> Vec<(f64, f64)> {
    let Range { start, end } = *time;
    let cut = |at: Timestamp| at.as_secs_f64().clamp(start, end);
    let mut shown: Vec<_> = timeline.gaps().iter().map(|g| (cut(g.at), cut(g.what.until))).collect();
    shown.retain(|(from, until)| from < until);
    shown.sort_by(|a, b| a.0.total_cmp(&b.0));
    shown.dedup_by(|next, last| {
        let is_joined = next.0 <= last.1;
        if is_joined {
            last.1 = last.1.max(next.1);
        }
        is_joined
    });
    shown
}

struct Column {
    time_s: f64,
    min: f64,
    max: f64,
    sd: f64,
}

/// One entry per pixel column. The line is interrupted at columns without a sample.
fn pieces(series: &SampleSeries, field: usize, sd: usize, time: Range<f64>, columns: usize) -> Vec<Vec<Column>> {
    let step = (time.end - time.start) / columns as f64;
    let mut pieces: Vec<Vec<Column>> = vec![Vec::new()];
    // A column that is narrower than the sampling interval may be empty although nothing is missing.
    let longest_hole_s = series.info.nominal_rate_hz.map_or(0.5, |hz| 3.5 / hz).max(1.5 * step);
    for k in 0..columns {
        let from = time.start + k as f64 * step;
        // The last column includes the last sample.
        let until = if k + 1 == columns { time.end + 1e-6 } else { from + step };
        let rows = series.rows(Timestamp::from_secs_f64(from), Timestamp::from_secs_f64(until));
        let Some(value) = series.extent(field, rows.clone()) else { continue };
        let time_s = from + step / 2.0;
        let column = Column {
            time_s,
            min: f64::from(value.min),
            max: f64::from(value.max),
            sd: series.extent(sd, rows).map_or(0.0, |b| f64::from(b.max)),
        };
        match pieces.last_mut() {
            Some(piece) if piece.last().is_none_or(|p| time_s - p.time_s <= longest_hole_s) => piece.push(column),
            _ => pieces.push(vec![column]),
        }
    }
    pieces.retain(|p| !p.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    use session::{Body, Gap, GapReason, Record, StreamName, affect_stream, marker_stream, page_stream};
    use std::sync::Arc;

    fn wavy() -> Timeline {
        let mut t = Timeline::default();
        [affect_stream(30.0, "m"), page_stream(), marker_stream()].into_iter().for_each(|s| t.declare(s));
        let (affect, page): (Arc<StreamName>, Arc<StreamName>) =
            (Arc::new("affect".parse().unwrap()), Arc::new("page".parse().unwrap()));
        for k in (0..1800u64).filter(|k| !(600..800).contains(k)) {
            let s = k as f32 / 30.0;
            let mut values = vec![0.1f32; 12];
            (values[0], values[1]) = ((s * 0.3).sin() * 0.8, (s * 0.5).cos() * 0.4);
            let at = Timestamp::from_secs_f64(f64::from(s));
            t.ingest(&Record {
                stream: affect.clone(),
                seq: k,
                at,
                body: Body::Sample { frame: Some(k), values: values.into() },
            });
            if k % 90 == 0 {
                t.ingest(&Record {
                    stream: page.clone(),
                    seq: k / 90,
                    at,
                    body: Body::event("click", serde_json::Value::Null),
                });
            }
        }
        let gap =
            Gap { until: Timestamp::from_secs_f64(26.6), reason: GapReason::NoFace, lost: 200, note: String::new() };
        t.ingest(&Record { stream: affect, seq: 5000, at: Timestamp::from_secs_f64(20.0), body: Body::Gap(gap) });
        t
    }

    #[test]
    fn each_time_is_shaded_once() {
        let mut t = wavy();
        let affect = Arc::new("affect".parse().unwrap());
        for (seq, (from_s, until_s)) in [(30.0, 31.0), (20.0, 26.6), (25.0, 27.0), (30.5, 30.6)].into_iter().enumerate()
        {
            let until = Timestamp::from_secs_f64(until_s);
            let gap = Gap { until, reason: GapReason::Skipped, lost: 1, note: String::new() };
            let at = Timestamp::from_secs_f64(from_s);
            t.ingest(&Record { stream: Arc::clone(&affect), seq: 6000 + seq as u64, at, body: Body::Gap(gap) });
        }
        let shown = shown_gaps(&t, &(0.0..30.8));
        assert_eq!(shown.len(), 2);
        for ((from_s, until_s), (wanted_from_s, wanted_until_s)) in shown.into_iter().zip([(20.0, 27.0), (30.0, 30.8)])
        {
            assert!(
                (from_s - wanted_from_s).abs() < 1e-9 && (until_s - wanted_until_s).abs() < 1e-9,
                "{from_s} {until_s}"
            );
        }
    }

    #[test]
    fn a_figure_is_a_picture_with_both_colours_in_it() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let (png, svg) = (folder.join("figure.png"), folder.join("figure.svg"));
        write_figure(&wavy(), "sub-01 ses-01 demo", None, &png, FigureFormat::Png).unwrap();
        write_figure(&wavy(), "sub-01 ses-01 demo", None, &svg, FigureFormat::Svg).unwrap();
        let picture = image::open(&png).unwrap().to_rgb8();
        for colour in [VALENCE, AROUSAL] {
            let n = picture.pixels().filter(|p| p.0 == [colour.0, colour.1, colour.2]).count();
            assert!(n > 500, "{n} pixels of {colour:?}");
        }
        let text = fs::read_to_string(svg).unwrap();
        assert!(text.contains("valence") && text.contains("time on the session clock (s)"));
    }

    #[test]
    fn a_gap_breaks_the_line() {
        let t = wavy();
        let p = pieces(t.series("affect").unwrap(), 0, 2, 0.0..60.0, 900);
        assert_eq!(p.len(), 2);
        assert!(p[0].last().unwrap().time_s < 20.1 && p[1][0].time_s > 26.5);
    }

    #[test]
    fn an_empty_session_is_refused_with_a_sentence() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let path = file.path().join("x.png");
        let e = write_figure(&Timeline::default(), "t", None, &path, FigureFormat::Png).unwrap_err();
        assert!(matches!(e, ExportError::NothingToDraw));
        let e = write_figure(&wavy(), "t", None, &path, FigureFormat::Png).unwrap_err();
        assert!(e.to_string().contains(file.path().to_str().unwrap()), "{e}");
    }
}
