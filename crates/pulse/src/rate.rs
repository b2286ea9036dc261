//! The rates of a recording, window by window.

use super::calibration::{Calibration, Rate};
use super::features::Features;
use super::grid::{WINDOW_S, Window};
use super::row::SkinRow;
use super::silence::Silence;

/// Distance of the windows of [`rates`].
pub const STEP_S: f64 = 1.0;

/// Limits that only choose the reason of a silence. They decide about no number.
mod limits {
    /// Root mean square, in distances between the eyes.
    pub const MOTION: f64 = 0.012;
    pub const BACKGROUND_CHANGE: f64 = 0.004;
    pub const EXPLAINED_SHARE: f64 = 0.6;
    pub const REPEATED_SHARE: f64 = 0.2;
    pub const AGREEMENT: f64 = 0.35;
}

/// What a window of usable frames says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outcome {
    pub features: Features,
    /// The most probable rate with its quality, whether it may be shown or not.
    pub forced: Rate,
    pub shown: Result<Rate, Silence>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WindowResult {
    pub from_s: f64,
    /// An error is a window whose frames cannot be used at all.
    pub outcome: Result<Outcome, Silence>,
}

impl WindowResult {
    pub fn shown(&self) -> Result<Rate, Silence> {
        self.outcome.and_then(|o| o.shown)
    }

    pub fn middle_s(&self) -> f64 {
        self.from_s + WINDOW_S / 2.0
    }
}

/// The rates of `rows`, which are in order of time, in windows that begin every [`STEP_S`].
pub fn rates<'a>(rows: &'a [SkinRow], calibration: &'a Calibration) -> impl Iterator<Item = WindowResult> + use<'a> {
    windows(rows, STEP_S).map(|(from_s, rows)| {
        let outcome = Window::new(rows, from_s).map(|window| {
            let features = Features::of(&window);
            let forced = calibration.rate(&features);
            let shown = if calibration.may_show(&forced) { Ok(forced) } else { Err(reason(&features)) };
            Outcome { features, forced, shown }
        });
        WindowResult { from_s, outcome }
    })
}

/// Start and rows of each window. The first begins with the first row, the last ends with the last row.
fn windows(rows: &[SkinRow], step_s: f64) -> impl Iterator<Item = (f64, &[SkinRow])> {
    let span = rows.first().zip(rows.last()).map(|(a, b)| (a.at.as_secs_f64(), b.at.as_secs_f64()));
    // Half a frame at 30 Hz: a film of 10 s has a window.
    let (first_s, length_s) = span.map_or((0.0, 0.0), |(a, b)| (a, b - a + 0.05));
    let count = if length_s >= WINDOW_S { ((length_s - WINDOW_S) / step_s) as usize + 1 } else { 0 };
    (0..count).map(move |k| {
        let from_s = first_s + k as f64 * step_s;
        let start = rows.partition_point(|r| r.at.as_secs_f64() < from_s);
        let end = rows.partition_point(|r| r.at.as_secs_f64() < from_s + WINDOW_S);
        (from_s, &rows[start..end])
    })
}

/// The first reason that applies.
fn reason(features: &Features) -> Silence {
    if features.motion > limits::MOTION {
        Silence::Motion
    } else if features.background_change > limits::BACKGROUND_CHANGE
        || features.explained_share > limits::EXPLAINED_SHARE
    {
        Silence::Light
    } else if features.repeated_share > limits::REPEATED_SHARE {
        Silence::Compressed
    } else if features.agreement < limits::AGREEMENT {
        Silence::Disagreement
    } else {
        Silence::NoPeriodicity
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{Codec, Light, Motion, Scene};

    fn results(scene: &Scene, seed: u64) -> Vec<WindowResult> {
        rates(&scene.rows(seed).0, &Calibration::stored().unwrap()).collect()
    }

    fn share_shown(scenes: impl IntoIterator<Item = Scene>) -> f64 {
        let shown: Vec<bool> =
            scenes.into_iter().enumerate().map(|(k, s)| results(&s, k as u64)[0].shown().is_ok()).collect();
        shown.iter().filter(|s| **s).count() as f64 / shown.len() as f64
    }

    /// A still person in good light, from 50 to 180 beats a minute. Which scenes are drawn is fixed: a rate is shown by
    /// probability, so that a few of all possible scenes are silent.
    #[test]
    fn an_easy_pulse_is_shown_and_right() {
        let mut silent = Vec::new();
        for frame_hz in [20.0, 24.0, 30.0, 60.0] {
            for k in 0..25_u64 {
                let bpm = 51.3 + 5.2 * k as f64;
                let results = results(&Scene { frame_hz, ..Scene::easy(bpm) }, k);
                assert_eq!(results.len(), 1);
                match results[0].shown() {
                    Ok(rate) => {
                        assert!((rate.rate_bpm - bpm).abs() < 1.5, "{} for {bpm} at {frame_hz} Hz", rate.rate_bpm);
                        assert!(rate.quality > 0.95 && rate.rate_sd_bpm < 3.0, "{rate:?}");
                    }
                    Err(silence) => silent.push((bpm, frame_hz, silence)),
                }
            }
        }
        assert!(silent.len() <= 2, "of 100: {silent:?}");
    }

    #[test]
    fn without_a_pulse_there_is_silence() {
        let none = |k: u64| Scene { pulse_share: 0.0, ..Scene::easy(60.0 + k as f64) };
        let nodding = Motion::Nodding { side_share: 0.03, hz: 1.2 };
        let flicker = Light::Flicker { share: 0.01, hz: 1.3 };
        let codec = Codec::Inter { dead_levels: 1.0, blocks: 12, key_frames: 12 };
        assert!(share_shown((0..30).map(none)) <= 0.04);
        assert!(share_shown((0..30).map(|k| Scene { motion: nodding, ..none(k) })) <= 0.04);
        assert!(share_shown((0..30).map(|k| Scene { light: flicker, ..none(k) })) <= 0.04);
        assert!(share_shown((0..30).map(|k| Scene { codec, ..none(k) })) <= 0.04);
    }

    #[test]
    fn nodding_in_a_steady_rhythm_does_not_become_the_rate() {
        let nodding = Motion::Nodding { side_share: 0.02, hz: 1.7 };
        for seed in 0..10 {
            let results = results(&Scene { motion: nodding, ..Scene::easy(71.0) }, seed);
            if let Ok(rate) = results[0].shown() {
                assert!((rate.rate_bpm - 71.0).abs() < 5.0, "{rate:?}");
            }
        }
    }

    #[test]
    fn windows_begin_every_second_and_a_hole_silences_those_that_touch_it() {
        let scene = Scene { seconds: 30.05, ..Scene::easy(80.0) };
        let (mut rows, _) = scene.rows(3);
        rows.retain(|r| !(20.0..21.0).contains(&r.at.as_secs_f64()));
        let results: Vec<WindowResult> = rates(&rows, &Calibration::stored().unwrap()).collect();
        assert_eq!(results.len(), 21);
        for result in results {
            let touches = result.from_s < 20.5 && result.from_s + WINDOW_S > 20.5;
            assert_eq!(result.outcome.is_err(), touches, "{result:?}");
        }
        assert_eq!(rates(&[], &Calibration::stored().unwrap()).count(), 0);
    }

    #[test]
    fn each_reason_has_its_own_sentence() {
        let sentences: std::collections::HashSet<_> = Silence::ALL.map(Silence::sentence).into();
        assert_eq!(sentences.len(), Silence::ALL.len());
    }
}
