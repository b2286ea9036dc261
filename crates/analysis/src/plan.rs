//! How epochs are cut: window, baseline, grid, limits. It is stored with every result, so that a figure can be reproduced.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::signal::bridge_s;
use super::{AnalysisError, QualityLimits, SignalId};

/// From which zero, and in which unit, values are counted. Raw values stay beside the others in every epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Correction {
    /// The stored values.
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
    /// Two samples at most this far apart are joined by a straight line; a longer hole drops the epoch. For slow streams
    /// see [`EpochPlan::bridge_s`].
    pub longest_bridge_s: f64,
    /// Otherwise an event that comes before the window of the one before it has ended is dropped.
    pub keep_overlapping: bool,
    pub limits: QualityLimits,
    pub zero: Correction,
    /// What is cut, in the order of the results. An event is kept if all of them can be cut.
    pub signals: Vec<SignalId>,
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
            signals: vec![SignalId::valence(), SignalId::arousal()],
        }
    }
}

/// Ten minutes at 200 Hz. A longer epoch is a typing error.
const MOST_POINTS: f64 = 120_000.0;

impl EpochPlan {
    /// What tables and figures call a signal: `valence` and `arousal` alone if no other signal of the plan has that
    /// field, otherwise stream and field.
    pub fn label(&self, signal: &SignalId) -> String {
        let is_only = self.signals.iter().filter(|other| other.field == signal.field).count() <= 1;
        if signal.is_affect() && is_only { signal.field.clone() } else { signal.to_string() }
    }

    /// Whether a signal is read from the face, so that the limits of the face's quality apply.
    pub fn reads_the_face(&self) -> bool {
        self.signals.iter().any(SignalId::is_of_the_face)
    }

    /// The longest time between two samples of a stream that is interpolated. `longest_bridge_s`, or 1.5 nominal
    /// intervals if that is longer, because a stream with one sample per second has no two samples that are nearer.
    pub fn bridge_s(&self, nominal_rate_hz: Option<f64>) -> f64 {
        bridge_s(self.longest_bridge_s, nominal_rate_hz)
    }

    pub fn check(&self) -> Result<(), AnalysisError> {
        let wrong = |what: String| Err(AnalysisError::Plan(what));
        self.check_signals()?;
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

    fn check_signals(&self) -> Result<(), AnalysisError> {
        if self.signals.is_empty() {
            return Err(AnalysisError::Plan("it has no signal".to_owned()));
        }
        let mut known = BTreeSet::new();
        match self.signals.iter().find(|signal| !known.insert(*signal)) {
            Some(twice) => Err(AnalysisError::Plan(format!("the signal `{twice}` is chosen twice"))),
            None => Ok(()),
        }
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
            (EpochPlan { signals: Vec::new(), ..plan() }, "no signal"),
            (EpochPlan { signals: vec![SignalId::valence(); 2], ..plan() }, "`affect.valence` is chosen twice"),
        ] {
            let error = bad.check().unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        assert_eq!(plan().check(), Ok(()));
        let json = serde_json::to_string(&plan()).unwrap();
        assert_eq!(serde_json::from_str::<EpochPlan>(&json).unwrap(), plan());
    }

    #[test]
    fn a_bridge_spans_at_least_neighbouring_samples() {
        let plan = EpochPlan::default();
        assert_eq!([None, Some(250.0), Some(30.0), Some(5.0)].map(|hz| plan.bridge_s(hz)), [0.3; 4]);
        assert_eq!(plan.bridge_s(Some(1.0)), 1.5);
        assert_eq!([0.0, -1.0, f64::NAN].map(|hz| plan.bridge_s(Some(hz))), [0.3; 3], "no rate");
        let short = EpochPlan { longest_bridge_s: 0.0, ..plan };
        assert_eq!((short.bridge_s(None), short.bridge_s(Some(250.0))), (0.0, 0.006));
    }

    #[test]
    fn names_are_short_where_they_are_clear() {
        let signals = |all: &[&str]| all.iter().map(|text| text.parse().unwrap()).collect::<Vec<SignalId>>();
        let labels = |all: &[&str]| {
            let plan = EpochPlan { signals: signals(all), ..EpochPlan::default() };
            plan.signals.iter().map(|signal| plan.label(signal)).collect::<Vec<_>>()
        };
        assert_eq!(labels(&["affect.valence", "affect.arousal"]), ["valence", "arousal"]);
        assert_eq!(labels(&["affect_net.valence", "pulse.rate_bpm"]), ["valence", "pulse.rate_bpm"]);
        assert_eq!(labels(&["affect.valence", "rating.valence"]), ["affect.valence", "rating.valence"]);
    }
}
