//! How epochs are cut: window, baseline, grid, limits. It is stored with every result, so that a figure can be reproduced.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{AnalysisError, QualityLimits};
use session::{AFFECT, StreamName};

/// What is averaged: a field of the stream `affect`, or of another that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    Valence,
    Arousal,
}

impl Measure {
    pub const ALL: [Measure; 2] = [Measure::Valence, Measure::Arousal];

    pub fn as_str(self) -> &'static str {
        match self {
            Measure::Valence => "valence",
            Measure::Arousal => "arousal",
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// From which zero, and in which unit, values are counted. Raw values stay beside the others in every epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correction {
    /// The values of the network.
    Raw,
    /// Minus the mean over the plan's baseline window before the event; without such a window, minus the
    /// participant's own zero from the guided baseline phase.
    #[default]
    Corrected,
    /// Corrected, in standard deviations of the participant's guided baseline phase.
    ZScored,
}

impl Correction {
    pub const ALL: [Correction; 3] = [Correction::Raw, Correction::Corrected, Correction::ZScored];

    pub fn as_str(self) -> &'static str {
        match self {
            Correction::Raw => "raw",
            Correction::Corrected => "corrected",
            Correction::ZScored => "z_scored",
        }
    }
}

impl fmt::Display for Correction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Correction {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        Correction::ALL
            .into_iter()
            .find(|c| c.as_str() == s)
            .ok_or_else(|| format!("`{}` is no correction: write raw, corrected or z_scored", s.escape_debug()))
    }
}

/// Seconds are from the event on, negative before it; both ends of a window belong to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EpochPlan {
    pub window_s: (f64, f64),
    pub baseline_s: Option<(f64, f64)>,
    /// Of the common grid.
    pub rate_hz: f64,
    /// Two samples at most this far apart are joined by a straight line; a longer hole drops the epoch.
    pub longest_bridge_s: f64,
    /// Otherwise an event that comes before the window of the one before it has ended is dropped.
    pub keep_overlapping: bool,
    pub limits: QualityLimits,
    pub zero: Correction,
    /// The stream that has valence and arousal: another network's, or `rating`; `None`: `affect`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<StreamName>,
}

impl Default for EpochPlan {
    fn default() -> Self {
        EpochPlan {
            window_s: (-1.0, 4.0),
            baseline_s: Some((-1.0, 0.0)),
            rate_hz: 30.0,
            longest_bridge_s: 0.3,
            keep_overlapping: false,
            limits: QualityLimits::default(),
            zero: Correction::Corrected,
            source: None,
        }
    }
}

/// Ten minutes at 200 Hz. A longer epoch is a typing error.
const MOST_POINTS: f64 = 120_000.0;

impl EpochPlan {
    pub fn source(&self) -> &str {
        self.source.as_ref().map_or(AFFECT, StreamName::as_str)
    }

    pub fn check(&self) -> Result<(), AnalysisError> {
        let wrong = |what: String| Err(AnalysisError::Plan(what));
        let (from, until) = self.window_s;
        if !(from.is_finite() && until.is_finite() && from < until) {
            return wrong(format!("the window must begin before it ends, and it is {from} to {until} s"));
        }
        if let Some((from, until)) = self.baseline_s
            && !(from.is_finite() && until.is_finite() && from < until)
        {
            return wrong(format!("the baseline window must begin before it ends, and it is {from} to {until} s"));
        }
        if !(self.rate_hz.is_finite() && self.rate_hz > 0.0) {
            return wrong(format!("the rate must be above 0 Hz, and it is {}", self.rate_hz));
        }
        if !(self.longest_bridge_s.is_finite() && self.longest_bridge_s >= 0.0) {
            return wrong(format!("the longest bridge must be 0 s or more, and it is {}", self.longest_bridge_s));
        }
        let (first, last) = self.reach_s();
        if (last - first) * self.rate_hz > MOST_POINTS {
            return wrong(format!("{:.0} s at {} Hz are too many points for an epoch", last - first, self.rate_hz));
        }
        if (until - from) * self.rate_hz < 1.0 {
            return wrong(format!(
                "the window of {} s holds less than two points at {} Hz",
                until - from,
                self.rate_hz
            ));
        }
        self.limits.check()
    }

    /// The grid, in seconds from the event on.
    pub fn times_s(&self) -> Vec<f64> {
        self.grid_s(self.window_s)
    }

    /// Everything an epoch needs: window and baseline window.
    pub fn reach_s(&self) -> (f64, f64) {
        let (from, until) = self.window_s;
        self.baseline_s.map_or((from, until), |(a, b)| (from.min(a), until.max(b)))
    }

    /// The points of the grid at and after the event: what peaks, areas and effects are taken from.
    pub fn response(&self) -> std::ops::Range<usize> {
        let times = self.times_s();
        let first = times.iter().position(|t| *t >= -1e-9).unwrap_or(0);
        first..times.len()
    }

    pub(super) fn step_ns(&self) -> i64 {
        (1e9 / self.rate_hz).round() as i64
    }

    pub(super) fn bridge_ns(&self) -> i64 {
        ns(self.longest_bridge_s)
    }

    pub(super) fn grid_ns(&self, window_s: (f64, f64)) -> Vec<i64> {
        self.grid_s(window_s).into_iter().map(ns).collect()
    }

    fn grid_s(&self, (from, until): (f64, f64)) -> Vec<f64> {
        // A window of 3 s at 30 Hz has 91 points although 3 · 30 may come out as 89.999…
        let steps = ((until - from) * self.rate_hz + 1e-6).floor() as usize;
        (0..=steps).map(|k| from + k as f64 / self.rate_hz).collect()
    }
}

pub(super) fn ns(seconds: f64) -> i64 {
    (seconds * 1e9).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_grid_has_both_ends() {
        let times = EpochPlan::default().times_s();
        assert_eq!(times.len(), 151);
        assert!((times[150] - 4.0).abs() < 1e-12 && times[30].abs() < 1e-12);
        assert_eq!(EpochPlan::default().response(), 30..151);
        let apart = EpochPlan { window_s: (0.0, 2.0), baseline_s: Some((-3.0, -2.0)), ..EpochPlan::default() };
        assert_eq!(apart.reach_s(), (-3.0, 2.0));
    }

    #[test]
    fn a_plan_that_makes_no_sense_is_refused_with_a_sentence() {
        let plan = EpochPlan::default;
        for (bad, says) in [
            (EpochPlan { window_s: (2.0, 1.0), ..plan() }, "must begin before it ends"),
            (EpochPlan { window_s: (f64::NAN, 1.0), ..plan() }, "must begin before it ends"),
            (EpochPlan { baseline_s: Some((0.0, 0.0)), ..plan() }, "baseline window"),
            (EpochPlan { rate_hz: 0.0, ..plan() }, "above 0 Hz"),
            (EpochPlan { rate_hz: 0.01, ..plan() }, "less than two points"),
            (EpochPlan { longest_bridge_s: -1.0, ..plan() }, "longest bridge"),
            (EpochPlan { window_s: (-1e9, 1e9), ..plan() }, "too many points"),
        ] {
            let error = bad.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(plan().check(), Ok(()));
        let json = serde_json::to_string(&plan()).unwrap();
        assert_eq!(serde_json::from_str::<EpochPlan>(&json).unwrap(), plan());
    }
}
