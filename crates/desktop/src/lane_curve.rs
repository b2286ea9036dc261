//! One field of a stream as a curve, stored or smoothed. The number of points depends on the width of the screen. No line
//! crosses a gap.

use session::{Field, SampleSeries, Timestamp};

use super::decimate::{self, Run, longest_step_s};
use super::galloping_search::partition_point_near_start;
use super::lane_choice::Smoothing;
use super::run_breaks::RunBreaks;
use super::time_window::TimeWindow;

/// How long a value counts that nothing follows, if its stream states no rate.
const HELD_S: f64 = 0.25;

/// A field of a sample stream.
#[derive(Clone, Copy)]
pub struct Track<'a> {
    pub series: &'a SampleSeries,
    pub breaks: &'a RunBreaks,
    pub field: usize,
}

/// The length of the moving mean: as chosen, or the time of one pixel if that is longer.
pub fn mean_s(smoothing: Smoothing, window: TimeWindow, width_px: f32) -> Option<f64> {
    smoothing.seconds().map(|chosen_s| chosen_s.max(window.width_s() / f64::from(width_px.max(1.0))))
}

impl Track<'_> {
    pub fn described(&self) -> &Field {
        &self.series.info.fields[self.field]
    }

    /// The curve in `window`, for a lane of `width_px` pixels. `mean_s` is the length of the moving mean.
    pub fn runs(&self, window: TimeWindow, width_px: f32, mean_s: Option<f64>) -> Vec<Run> {
        let columns = decimate::columns(self.series, window, width_px);
        let mut mean = mean_s.map(|length_s| MovingMean::new(*self, columns.first().map_or(0, |c| c.start), length_s));
        let mut runs: Vec<Run> = Vec::new();
        let mut is_joined = false;
        for rows in columns {
            let times = &self.series.times()[rows.clone()];
            let at_s = (times[0].as_secs_f64() + times[times.len() - 1].as_secs_f64()) / 2.0;
            let extent = self.series.extent(self.field, rows.clone());
            let Some(extent) = extent.filter(|e| e.min.is_finite() && e.max.is_finite()) else {
                is_joined = false;
                continue;
            };
            let [low, high] = match &mut mean {
                Some(mean) => match mean.around(Timestamp::from_secs_f64(at_s), rows.start + rows.len() / 2) {
                    Some(value) => [value; 2],
                    None => {
                        is_joined = false;
                        continue;
                    }
                },
                None => [f64::from(extent.min), f64::from(extent.max)],
            };
            if !is_joined || self.breaks.is_before(rows.start) {
                runs.push(Run::new());
            }
            is_joined = true;
            if let Some(run) = runs.last_mut() {
                run.push([at_s, low]);
                if high > low {
                    run.push([at_s, high]);
                }
            }
        }
        runs
    }

    /// The value at `at`, as the curve shows it. A value counts until the next one. Before a gap it counts for one interval
    /// of the stream's rate. `late_s`: how late the newest value may be.
    pub fn value(&self, at: Timestamp, mean_s: Option<f64>, late_s: f64) -> Option<f64> {
        let row = self.series.row_at(at)?;
        let taken = self.series.times()[row];
        let held_s = if self.breaks.is_before(row + 1) {
            self.series.info.nominal_rate_hz.filter(|hz| *hz > 0.0).map_or(HELD_S, |hz| 1.0 / hz)
        } else {
            longest_step_s(self.series).max(late_s)
        };
        let stored = f64::from(self.series.column(self.field)[row]);
        if at.since_ns(taken) as f64 * 1e-9 > held_s || !stored.is_finite() {
            return None;
        }
        match mean_s {
            Some(length_s) => MovingMean::new(*self, 0, length_s).around(taken, row),
            None => Some(stored),
        }
    }
}

/// Means around times that do not decrease.
struct MovingMean<'a> {
    track: Track<'a>,
    half_ns: i64,
    /// The first row in the stretch, and the first after it.
    start: usize,
    end: usize,
}

impl<'a> MovingMean<'a> {
    /// `first` is the row of the first time.
    fn new(track: Track<'a>, first: usize, length_s: f64) -> Self {
        let half_ns = (length_s * 0.5e9) as i64;
        let from = track.series.times().get(first).map_or(Timestamp::ZERO, |at| earlier(*at, half_ns));
        let start = track.series.times().partition_point(|t| *t < from);
        MovingMean { track, half_ns, start, end: start }
    }

    /// The mean around `at` of the values that continue `row`.
    fn around(&mut self, at: Timestamp, row: usize) -> Option<f64> {
        let times = self.track.series.times();
        let (from, until) = (earlier(at, self.half_ns), earlier(at, -self.half_ns));
        self.start += partition_point_near_start(&times[self.start..], |t| *t < from);
        self.end = self.end.max(self.start);
        self.end += partition_point_near_start(&times[self.end..], |t| *t <= until);
        let run = self.track.breaks.run(row);
        self.track.series.mean(self.track.field, self.start.max(run.start)..self.end.min(run.end))
    }
}

fn earlier(at: Timestamp, by_ns: i64) -> Timestamp {
    Timestamp::from_ns(at.as_ns().saturating_sub(by_ns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::{Body, Record, StreamInfo, Timeline, pulse_stream};
    use std::sync::Arc;

    fn timeline(rate_hz: f64, values: &[(f64, f32)]) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.declare(StreamInfo { nominal_rate_hz: Some(rate_hz), ..pulse_stream("test") });
        let stream = Arc::new("pulse".parse().unwrap());
        for (seq, (at_s, value)) in values.iter().enumerate() {
            let (at, body) = (Timestamp::from_secs_f64(*at_s), Body::sample(None, &[*value, 1.0, 0.9]));
            timeline.ingest(&Record { stream: Arc::clone(&stream), seq: seq as u64, at, body });
        }
        timeline
    }

    fn check(timeline: &Timeline, gaps: &[f64], of: impl FnOnce(Track<'_>)) {
        let series = timeline.series("pulse").unwrap();
        let breaks = RunBreaks::of(series, gaps.iter().map(|s| Timestamp::from_secs_f64(*s)));
        of(Track { series, breaks: &breaks, field: 0 });
    }

    const WINDOW: TimeWindow = TimeWindow { from_s: 0.0, until_s: 100.0 };

    #[test]
    fn no_line_crosses_a_gap_that_a_pixel_can_show() {
        // 10 before the gap and 20 after it. The gap is shorter than what counts as a pause.
        let values: Vec<(f64, f32)> = (0..1000)
            .filter(|k| !(500..502).contains(k))
            .map(|k| (f64::from(k) / 10.0, if k < 500 { 10.0 } else { 20.0 }))
            .collect();
        let timeline = timeline(10.0, &values);
        for width in [600.0, 1000.0, 4000.0] {
            for mean in [None, Some(0.5), Some(2.0)] {
                check(&timeline, &[50.0], |track| {
                    let runs = track.runs(WINDOW, width, mean);
                    assert_eq!(runs.len(), 2, "{width} {mean:?}");
                    assert!(
                        runs[0].iter().all(|p| p[1] == 10.0) && runs[1].iter().all(|p| p[1] == 20.0),
                        "{width} {mean:?}"
                    );
                });
            }
        }
        // Without the gap, the mean passes from one to the other.
        check(&timeline, &[], |track| {
            let runs = track.runs(WINDOW, 4000.0, Some(2.0));
            assert_eq!(runs.len(), 1);
            assert!(runs[0].iter().any(|p| (p[1] - 15.0).abs() < 1.0));
        });
    }

    #[test]
    fn a_value_that_is_no_number_leaves_a_hole() {
        let values: Vec<(f64, f32)> = (0..40).map(|k| (f64::from(k), if k == 20 { f32::NAN } else { 1.0 })).collect();
        check(&timeline(1.0, &values), &[], |track| {
            for mean in [None, Some(2.0)] {
                assert_eq!(track.runs(WINDOW, 1000.0, mean).len(), 2);
                assert_eq!(track.value(Timestamp::from_secs_f64(20.5), mean, 0.0), None);
            }
        });
    }

    #[test]
    fn points_depend_on_pixels_and_no_peak_is_lost() {
        let values: Vec<(f64, f32)> =
            (0..100_000).map(|k| (f64::from(k) / 1000.0, if k == 77_777 { 9.0 } else { 0.0 })).collect();
        check(&timeline(1000.0, &values), &[], |track| {
            let runs = track.runs(WINDOW, 500.0, None);
            assert!(runs.len() == 1 && runs[0].len() <= 1000, "{}", runs[0].len());
            assert!(runs[0].iter().any(|p| p[1] == 9.0));
            assert!(track.runs(WINDOW, 500.0, Some(2.0))[0].len() <= 500);
        });
    }

    #[test]
    fn a_value_counts_until_the_next_one_but_not_into_a_gap() {
        let values = [(0.0, 60.0), (1.0, 62.0), (2.0, 64.0), (5.0, 70.0)];
        check(&timeline(1.0, &values), &[3.0], |track| {
            let at = |s: f64, mean| track.value(Timestamp::from_secs_f64(s), mean, 0.0);
            assert_eq!(
                [-1.0, 0.5, 1.0, 2.9, 3.1, 4.9].map(|s| at(s, None)),
                [None, Some(60.0), Some(62.0), Some(64.0), None, None]
            );
            // The newest value counts until the next one is late.
            assert_eq!((at(8.9, None), at(9.1, None)), (Some(70.0), None));
            assert_eq!(track.value(Timestamp::from_secs_f64(10.0), None, 6.0), Some(70.0));
            assert_eq!((at(1.0, Some(2.0)), at(2.0, Some(2.0))), (Some(62.0), Some(63.0)));
        });
    }

    proptest! {
        #[test]
        fn a_smoothed_point_is_the_mean_of_its_neighbours(
            steps in prop::collection::vec((0.02f64..0.2, -5f32..5.0), 1..200), px in 1f32..200.0, length_s in 0.1f64..3.0,
        ) {
            let mut at_s = 0.0;
            let values: Vec<(f64, f32)> = steps.iter().map(|(step, v)| { at_s += step; (at_s, *v) }).collect();
            let window = TimeWindow { from_s: 0.0, until_s: at_s + 1.0 };
            check(&timeline(10.0, &values), &[], |track| {
                for [at_s, value] in track.runs(window, px, Some(length_s)).concat() {
                    let near = values.iter().filter(|(t, _)| (t - at_s).abs() <= length_s / 2.0 - 1e-6).count();
                    let with_edge: Vec<f64> = values.iter().filter(|(t, _)| (t - at_s).abs() <= length_s / 2.0 + 1e-6).map(|(_, v)| f64::from(*v)).collect();
                    if near == with_edge.len() {
                        let mean = with_edge.iter().sum::<f64>() / near as f64;
                        assert!((mean - value).abs() < 1e-6, "{at_s}: {mean} {value}");
                    }
                }
            });
        }
    }
}
