//! Reduces a series of any length to the points that the screen can show.

use std::ops::Range;

use session::{SampleSeries, Timestamp};

use super::galloping_search::partition_point_near_start;
use super::time_window::TimeWindow;

/// Points of one continuous part of a curve, `[seconds, value]`, by time.
pub type Run = Vec<[f64; 2]>;

/// A curve with its band of plus and minus one standard deviation.
#[derive(Debug, Default, PartialEq)]
pub struct Curve {
    pub runs: Vec<Run>,
    pub bands: Vec<Band>,
}

#[derive(Debug, Default, PartialEq)]
pub struct Band {
    pub at_s: Vec<f64>,
    pub low: Vec<f64>,
    pub high: Vec<f64>,
}

/// Transforms a value for drawing: `(value − zero) · per`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    pub zero: f64,
    pub per: f64,
}

impl Shift {
    /// Values as stored.
    pub const RAW: Shift = Shift { zero: 0.0, per: 1.0 };

    fn apply(self, value: f64) -> f64 {
        (value - self.zero) * self.per
    }
}

/// The field `value` in `window`, for a plot of `width_px` pixels. Contains all samples if they are at most two per
/// pixel column, otherwise the minimum and maximum of each column. `spread` is the field of the standard deviation.
pub fn curve(
    series: &SampleSeries,
    value: usize,
    spread: Option<usize>,
    window: TimeWindow,
    width_px: f32,
    shift: Shift,
) -> Curve {
    let pause_s = longest_step_s(series);
    let mut out = Builder { curve: Curve::default(), last_s: f64::NEG_INFINITY, pause_s, shift };
    for rows in columns(series, window, width_px) {
        let Some(extent) = series.extent(value, rows.clone()) else { continue };
        let sd = spread.and_then(|field| series.extent(field, rows.clone())).map_or(0.0, |e| f64::from(e.max));
        let times = &series.times()[rows];
        let (first_s, last_s) = (times[0].as_secs_f64(), times[times.len() - 1].as_secs_f64());
        out.push(first_s, last_s, f64::from(extent.min), f64::from(extent.max), sd);
    }
    out.curve
}

/// The rows of each pixel column in `window`, without empty columns. Single rows if they are at most two per column. One
/// sample more on either side is included, so that curves continue to the edge of the plot.
pub fn columns(series: &SampleSeries, window: TimeWindow, width_px: f32) -> Vec<Range<usize>> {
    let columns = (width_px.ceil() as usize).clamp(1, 8192);
    let inside = series.rows(window.from(), window.until());
    let rows = inside.start.saturating_sub(1)..(inside.end + 1).min(series.len());
    if rows.len() <= 2 * columns {
        return rows.map(|row| row..row + 1).collect();
    }
    let times = series.times();
    let step_s = window.width_s() / columns as f64;
    let mut start = rows.start;
    let mut found = Vec::with_capacity(columns);
    for column in 0..columns {
        let edge = Timestamp::from_secs_f64(window.from_s + step_s * (column + 1) as f64);
        let end = if column + 1 == columns {
            rows.end
        } else {
            start + partition_point_near_start(&times[start..rows.end], |t| *t < edge)
        };
        if end > start {
            found.push(start..end);
            start = end;
        }
    }
    found
}

/// Samples with a larger distance than this are not joined.
pub fn longest_step_s(series: &SampleSeries) -> f64 {
    series.info.nominal_rate_hz.filter(|hz| *hz > 0.0).map_or(1.0, |hz| (4.0 / hz).max(0.15))
}

struct Builder {
    curve: Curve,
    last_s: f64,
    pause_s: f64,
    shift: Shift,
}

impl Builder {
    /// Adds one sample, or the samples from `first_s` to `last_s` as one column.
    fn push(&mut self, first_s: f64, last_s: f64, min: f64, max: f64, sd: f64) {
        if first_s - self.last_s > self.pause_s || self.curve.runs.is_empty() {
            self.curve.runs.push(Run::new());
            self.curve.bands.push(Band::default());
        }
        self.last_s = last_s;
        let at_s = (first_s + last_s) / 2.0;
        let (min, max, sd) = (self.shift.apply(min), self.shift.apply(max), sd * self.shift.per);
        let clip = |v: f64| v.clamp(-1.0, 1.0);
        if let (Some(run), Some(band)) = (self.curve.runs.last_mut(), self.curve.bands.last_mut()) {
            run.push([at_s, clip(min)]);
            if max > min {
                run.push([at_s, clip(max)]);
            }
            band.at_s.push(at_s);
            band.low.push(clip(min - sd));
            band.high.push(clip(max + sd));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::{Body, Record, Timeline, affect_stream};
    use std::sync::Arc;

    fn timeline(values: impl Iterator<Item = (f64, f32)>) -> Timeline {
        let mut t = Timeline::default();
        t.declare(affect_stream(30.0, "test"));
        let stream = Arc::new("affect".parse().unwrap());
        for (seq, (at_s, v)) in values.enumerate() {
            let at = Timestamp::from_secs_f64(at_s);
            let mut row = vec![0.1; 12];
            row[0] = v;
            let body = Body::Sample { frame: None, values: row.into() };
            t.ingest(&Record { stream: Arc::clone(&stream), seq: seq as u64, at, body });
        }
        t
    }

    #[test]
    fn the_number_of_points_depends_on_pixels_and_no_peak_is_lost() {
        // One single high sample in an hour.
        let t = timeline((0..108_000).map(|k| (f64::from(k) / 30.0, if k == 77_777 { 0.9 } else { 0.0 })));
        let window = TimeWindow { from_s: 0.0, until_s: 3600.0 };
        let c = curve(t.series("affect").unwrap(), 0, Some(2), window, 1000.0, Shift::RAW);
        let points: usize = c.runs.iter().map(Vec::len).sum();
        assert!(points <= 2000, "{points}");
        assert_eq!(c.runs.len(), 1);
        let peak = c.runs[0].iter().map(|p| p[1]).fold(f64::MIN, f64::max);
        assert!((peak - 0.9).abs() < 1e-6);
    }

    #[test]
    fn a_pause_breaks_the_curve_at_every_scale() {
        let t = timeline((0..3000).filter(|k| !(1000..1400).contains(k)).map(|k| (f64::from(k) / 30.0, 0.2)));
        let window = TimeWindow { from_s: 0.0, until_s: 100.0 };
        for width in [50.0, 200.0, 4000.0] {
            assert_eq!(curve(t.series("affect").unwrap(), 0, None, window, width, Shift::RAW).runs.len(), 2, "{width}");
        }
    }

    proptest! {
        #[test]
        fn points_are_in_order_and_within_the_scale(
            steps in prop::collection::vec((0.001f64..0.5, -3f32..3.0), 0..400),
            from in 0.0f64..20.0, width in 0.01f64..60.0, px in 1f32..300.0,
        ) {
            let mut at = 0.0;
            let t = timeline(steps.iter().map(|(dt, v)| { at += dt; (at, *v) }));
            let c = curve(t.series("affect").unwrap(), 0, Some(2), TimeWindow { from_s: from, until_s: from + width }, px, Shift::RAW);
            let all: Vec<[f64; 2]> = c.runs.concat();
            prop_assert!(all.windows(2).all(|w| w[0][0] <= w[1][0]));
            prop_assert!(all.iter().all(|p| p[1].abs() <= 1.0));
            prop_assert!(c.bands.iter().all(|b| b.low.iter().zip(&b.high).all(|(l, h)| l <= h)));
        }
    }
}
