//! Converts a stream's clock to its recorder's clock, from the offsets that the recorder measured.
//!
//! A clock is one line (offset and drift) until it is changed. If a computer is restarted or its clock is set, another part
//! with its own line begins. A single offset is not sufficient evidence, because it may be a network delay.

use crate::{Line, MOST_DELAY_S, MOST_DRIFT, MOST_WILD, clock_runs, robust_line};

/// The loss is quadratic up to this residual and linear beyond it, as in other readers. The fit is close to that of the median.
const BEND_S: f64 = 1e-4;
/// The interval between measurements, if no two offsets are on one line.
const USUAL_INTERVAL_S: f64 = 5.0;
/// If the slope is implausible, offsets that differ by less than this are replaced by their median.
const LEVEL_S: f64 = 0.02;
/// At most one of so many offsets may be an outlier.
const MOST_LEFT_OUT: usize = 3;
/// A clock with more changes is refused.
const MOST_PARTS: usize = 64;
pub(super) const MOST_OFFSETS: usize = 1_000_000;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Offset {
    /// The time of the measurement on the stream's clock.
    pub(super) at_s: f64,
    /// The offset to add at this time.
    pub(super) offset_s: f64,
    /// Position in the file.
    pub(super) place: usize,
}

impl Offset {
    fn recorder_s(&self) -> f64 {
        self.at_s + self.offset_s
    }
}

/// The clock from one change to the next.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    line: Line,
    /// First and last measurement, on the stream's clock.
    pub(super) measured_s: (f64, f64),
    /// The longest time between these measurements and the change of the clock, before and after.
    pub(super) margin_s: (f64, f64),
    /// The positions in the file of the first two measurements and of the last one.
    pub(super) first_places: (usize, usize),
    pub(super) last_place: usize,
    pub(super) measurements: usize,
    /// The part has one or two offsets. It is used only if there are samples that fit no other part.
    pub(super) is_doubtful: bool,
}

impl Part {
    /// This sum is also exact for seconds since 1970.
    pub(super) fn to_recorder_s(&self, at_s: f64) -> f64 {
        at_s + self.line.at(at_s)
    }

    /// The distance of a time from the times that this part's clock may have shown. 0: inside.
    pub(super) fn distance_s(&self, at_s: f64) -> f64 {
        let (from, to) = (self.measured_s.0 - self.margin_s.0, self.measured_s.1 + self.margin_s.1);
        (from - at_s).max(at_s - to).max(0.0)
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct StreamClock {
    /// In the order of time. Empty if no offset was measured.
    pub(super) parts: Vec<Part>,
    pub(super) offsets: usize,
    /// The number of outliers.
    pub(super) left_out: usize,
    /// 95 % of the other offsets are closer to their line.
    pub(super) scatter_s: f64,
}

/// The error is the end of a sentence.
pub(super) fn stream_clock(offsets: &[Offset]) -> Result<StreamClock, String> {
    let points: Vec<(f64, f64)> = offsets.iter().map(|o| (o.at_s, o.offset_s)).collect();
    let found = clock_runs(&points);
    let interval_s = usual_interval_s(offsets, &found.runs);
    let runs = accepted(offsets, found.runs, interval_s)?;
    if runs.len() > MOST_PARTS {
        return Err(format!("they jump {} times: a clock with so many changes cannot be used", runs.len() - 1));
    }
    let used: usize = runs.iter().map(|(run, _)| run.len()).sum();
    let left_out = offsets.len() - used;
    if left_out * MOST_LEFT_OUT > offsets.len() {
        return Err(format!("only {used} of the {} lie on a line", offsets.len()));
    }
    let mut clock = StreamClock { offsets: offsets.len(), left_out, ..StreamClock::default() };
    let mut residuals = Vec::new();
    for (run, is_doubtful) in &runs {
        let line = line_through(run, &points)?;
        residuals.extend(run.iter().map(|k| (points[*k].1 - line.at(points[*k].0)).abs()));
        clock.parts.push(part(offsets, run, line, *is_doubtful));
    }
    for k in 1..runs.len() {
        let (before, after) = (&offsets[runs[k - 1].0[runs[k - 1].0.len() - 1]], &offsets[runs[k].0[0]]);
        let margin_s = passed_s(before, after, interval_s);
        (clock.parts[k - 1].margin_s.1, clock.parts[k].margin_s.0) = (margin_s, margin_s);
    }
    residuals.sort_by(f64::total_cmp);
    clock.scatter_s =
        residuals.get((residuals.len() * 95 / 100).min(residuals.len().saturating_sub(1))).map_or(0.0, |r| *r);
    if clock.scatter_s > MOST_DELAY_S {
        return Err(format!("they scatter by {:.3} s", clock.scatter_s));
    }
    Ok(clock)
}

/// The runs that are parts of the clock. `true`: the part is doubtful.
fn accepted(offsets: &[Offset], runs: Vec<Vec<usize>>, interval_s: f64) -> Result<Vec<(Vec<usize>, bool)>, String> {
    let was_changed = |k: usize| {
        let (before, after) = (&offsets[runs[k - 1][runs[k - 1].len() - 1]], &offsets[runs[k][0]]);
        clock_was_changed(before, after, interval_s)
    };
    let has_long = runs.iter().any(|run| run.len() > MOST_WILD);
    if !has_long && let Some(k) = (1..runs.len()).find(|k| !was_changed(*k)) {
        let [before, after] = [runs[k - 1][runs[k - 1].len() - 1], runs[k][0]].map(|k| &offsets[k]);
        return Err(format!(
            "there are only {}, and at {:.3} s and {:.3} s they disagree by {:.3} s, so the right ones cannot be determined",
            offsets.len(),
            before.at_s,
            after.at_s,
            (after.offset_s - before.offset_s).abs()
        ));
    }
    let is_kept = |k: usize| {
        runs[k].len() > MOST_WILD
            || !has_long
            || (k > 0 && was_changed(k))
            || (k + 1 < runs.len() && was_changed(k + 1))
    };
    let kept: Vec<bool> = (0..runs.len()).map(is_kept).collect();
    let runs = runs.into_iter().zip(kept).filter(|(_, is_kept)| *is_kept);
    Ok(runs.map(|(run, _)| (run.len() <= MOST_WILD && has_long, run)).map(|(doubtful, run)| (run, doubtful)).collect())
}

/// A change of the stream's clock also moves the time of the measurement, and the interval on the recorder's clock stays as
/// usual. A network delay is short, or leaves one of the two unchanged.
fn clock_was_changed(before: &Offset, after: &Offset, interval_s: f64) -> bool {
    let off = |passed_s: f64| (passed_s - interval_s).abs();
    let (passed_s, step_s) = (after.at_s - before.at_s, (after.offset_s - before.offset_s).abs());
    step_s > MOST_DELAY_S && (passed_s < 0.0 || off(after.recorder_s() - before.recorder_s()) < off(passed_s))
}

/// The time between the last measurement before a change and the first after it. One of the two clocks was not changed: on it
/// the usual interval passed. After a pause it is unknown which. The longer time then includes both.
fn passed_s(before: &Offset, after: &Offset, interval_s: f64) -> f64 {
    let passed = [after.at_s - before.at_s, after.recorder_s() - before.recorder_s()].into_iter().filter(|s| *s > 0.0);
    let usual = passed.clone().filter(|s| *s < 2.0 * interval_s);
    let nearest = usual.min_by(|a, b| (a - interval_s).abs().total_cmp(&(b - interval_s).abs()));
    nearest.or_else(|| passed.reduce(f64::max)).unwrap_or(interval_s)
}

/// The median interval between measurements, on the recorder's clock.
fn usual_interval_s(offsets: &[Offset], runs: &[Vec<usize>]) -> f64 {
    let neighbours = runs.iter().flat_map(|run| run.windows(2)).filter(|w| w[1] == w[0] + 1);
    let mut passed: Vec<f64> = neighbours.map(|w| offsets[w[1]].recorder_s() - offsets[w[0]].recorder_s()).collect();
    passed.retain(|s| *s > 0.0);
    passed.sort_by(f64::total_cmp);
    passed.get(passed.len() / 2).copied().unwrap_or(USUAL_INTERVAL_S)
}

fn line_through(run: &[usize], points: &[(f64, f64)]) -> Result<Line, String> {
    let mut points: Vec<(f64, f64)> = run.iter().map(|k| points[*k]).collect();
    let Some(line) = robust_line(&points, BEND_S) else { return Err("there are no offsets".to_owned()) };
    if line.slope.abs() <= MOST_DRIFT {
        return Ok(line);
    }
    points.sort_by(|a, b| a.1.total_cmp(&b.1));
    let (least, most) = (points[0].1, points[points.len() - 1].1);
    if most - least > LEVEL_S {
        let percent = 100.0 * line.slope.abs();
        return Err(format!("one clock would run {percent:.1} % faster than the other"));
    }
    Ok(Line::flat(points[points.len() / 2].1))
}

fn part(offsets: &[Offset], run: &[usize], line: Line, is_doubtful: bool) -> Part {
    let times = || run.iter().map(|k| offsets[*k].at_s);
    Part {
        line,
        measured_s: (times().fold(f64::INFINITY, f64::min), times().fold(f64::NEG_INFINITY, f64::max)),
        margin_s: (0.0, 0.0),
        first_places: (offsets[run[0]].place, offsets[run[1.min(run.len() - 1)]].place),
        last_place: offsets[run[run.len() - 1]].place,
        measurements: run.len(),
        is_doubtful,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(pairs: &[(f64, f64)]) -> Vec<Offset> {
        pairs
            .iter()
            .enumerate()
            .map(|(k, (at_s, offset_s))| Offset { at_s: *at_s, offset_s: *offset_s, place: k })
            .collect()
    }

    fn steady(n: usize, from_s: f64, offset_s: f64) -> Vec<(f64, f64)> {
        (0..n).map(|k| (from_s + 5.0 * k as f64, offset_s)).collect()
    }

    #[test]
    fn a_reset_begins_another_part() {
        let clock = stream_clock(&offsets(&[steady(4, 1000.0, -999.0), steady(4, 3.0, 18.0)].concat())).unwrap();
        let spans: Vec<_> = clock.parts.iter().map(|p| (p.measured_s, p.margin_s)).collect();
        assert_eq!(spans, [((1000.0, 1015.0), (0.0, 5.0)), ((3.0, 18.0), (5.0, 0.0))]);
        assert_eq!((clock.left_out, clock.parts[1].to_recorder_s(12.0)), (0, 30.0));
    }

    #[test]
    fn one_wild_offset_is_left_out_wherever_it_stands() {
        for k in 0..12 {
            let mut pairs = steady(12, 500.0, -499.0);
            pairs[k].1 += 14.0;
            let clock = stream_clock(&offsets(&pairs)).unwrap();
            assert_eq!((clock.parts.len(), clock.left_out), (1, 1), "{k}");
            assert!((clock.parts[0].to_recorder_s(900.0) - 401.0).abs() < 1e-6);
        }
    }

    #[test]
    fn a_single_offset_after_a_change_is_a_doubtful_part() {
        let clock = stream_clock(&offsets(&[steady(12, 500.0, -499.0), steady(1, 3.0, 58.0)].concat())).unwrap();
        let doubtful: Vec<_> = clock.parts.iter().map(|p| p.is_doubtful).collect();
        assert_eq!((doubtful, clock.left_out), (vec![false, true], 0));
        // Two restarts within seconds, without other offsets: both are parts.
        let clock = stream_clock(&offsets(&[(1000.0, -999.0), (3.0, 3.0)])).unwrap();
        assert!(clock.parts.len() == 2 && clock.parts.iter().all(|p| !p.is_doubtful));
    }

    #[test]
    fn what_cannot_be_resolved_is_refused_with_the_reason() {
        let says = |pairs: &[(f64, f64)]| stream_clock(&offsets(pairs)).unwrap_err();
        let two = says(&[(100.0, 0.5), (200.0, 40.0)]);
        assert!(two.contains("only 2") && two.contains("disagree by 39.500 s"), "{two}");
        let chaos: Vec<_> = (0..40).map(|k| (5.0 * f64::from(k), f64::from(k * k % 17) * 3.0)).collect();
        assert!(says(&chaos).contains("scatter by"), "{}", says(&chaos));
        let fast: Vec<_> = (0..40).map(|k| (5.0 * f64::from(k), f64::from(k))).collect();
        assert!(!says(&fast).is_empty());
    }

    #[test]
    fn few_offsets_and_none() {
        assert_eq!(stream_clock(&[]).unwrap(), StreamClock::default());
        let one = stream_clock(&offsets(&[(100.0, 0.5)])).unwrap();
        assert_eq!((one.parts[0].to_recorder_s(7.0), one.scatter_s), (7.5, 0.0));
        // Two offsets so close together that noise causes a slope of 5 %.
        let close = stream_clock(&offsets(&[(100.0, 0.5), (100.1, 0.505)])).unwrap();
        assert!((close.parts[0].to_recorder_s(1100.0) - 1100.5).abs() < 0.006);
    }
}
