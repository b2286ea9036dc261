//! The phantom's script, as a pure function of the session's time. The state of the face at any timestamp can be computed
//! without the recording.
//!
//! The script repeats every [`PERIOD_NS`]. Angles have the signs of the `face` stream.

use session::Timestamp;

/// 20 s: a whole number of heart beats, so that the pulse is continuous at the repetition.
pub const PERIOD_NS: i64 = 20_000_000_000;

/// 72 beats a minute.
pub const PULSE_HZ: f64 = 1.2;

/// How much of red, green and blue (as stored, 0 … 255) the pulse takes from the skin at [`PhantomState::pulse`] 1,
/// and adds at −1. About 0.9 grey levels of green on a lit cheek.
pub const PULSE_SHARE: [f64; 3] = [0.0018, 0.0060, 0.0030];

/// One part of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    Neutral,
    Smile,
    Surprise,
    Frown,
    /// To image-right, then to image-left.
    HeadTurn,
    /// Leaves the picture to image-right, stays away, comes back.
    Away,
}

/// The phases in seconds after the start of a period: `from <= t < until`. They follow each other without a gap.
pub const PHASES: [(Phase, f64, f64); 11] = [
    (Phase::Neutral, 0.0, 4.0),
    (Phase::Smile, 4.0, 8.0),
    (Phase::Neutral, 8.0, 9.0),
    (Phase::Surprise, 9.0, 11.0),
    (Phase::Neutral, 11.0, 11.5),
    (Phase::Frown, 11.5, 14.0),
    (Phase::Neutral, 14.0, 14.5),
    (Phase::HeadTurn, 14.5, 17.5),
    (Phase::Neutral, 17.5, 18.0),
    (Phase::Away, 18.0, 19.7),
    (Phase::Neutral, 19.7, 20.0),
];

/// Lids begin to close at these seconds of a period; 0.24 s later they are open again.
pub const BLINKS_S: [f64; 6] = [1.3, 3.4, 8.3, 11.2, 14.2, 17.7];

/// How much of the face is in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    Whole,
    /// On its way out or in.
    Partial,
    /// The phantom is outside the picture, for pictures of 4:3 or wider.
    Away,
}

/// The state of the picture, except the frame number. Values without a unit: 0 is rest, 1 is full.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PhantomState {
    pub phase: Phase,
    pub presence: Presence,
    /// Positive: face turned towards image-right.
    pub yaw_deg: f64,
    /// Positive: face turned down.
    pub pitch_deg: f64,
    /// Positive: head turned clockwise in the image.
    pub roll_deg: f64,
    /// From the middle of the picture, in picture widths; positive: to image-right.
    pub shift_x: f64,
    /// In picture heights; positive: downwards.
    pub shift_y: f64,
    /// Of the eyes in the head; positive: towards image-right.
    pub gaze_yaw_deg: f64,
    /// Of the eyes in the head; positive: downwards.
    pub gaze_pitch_deg: f64,
    /// Mouth corners up and out, cheeks up, lips parted.
    pub smile: f64,
    pub mouth_open: f64,
    /// Mouth corners down.
    pub mouth_frown: f64,
    pub brow_raise: f64,
    /// Brows down and together.
    pub brow_lower: f64,
    pub eye_wide: f64,
    /// 1: lids closed.
    pub blink: f64,
    /// 0 … 1 through one heart beat.
    pub pulse_phase: f64,
    /// The blood volume wave at that phase, −1 … 1: see [`pulse_wave`].
    pub pulse: f64,
}

impl PhantomState {
    /// A detector should find a face: at least half of it is in the picture.
    pub fn face_present(&self) -> bool {
        self.shift_x.abs() < 0.5
    }
}

/// No field of [`PhantomState`] changes faster than this, in its unit per second (phases of the pulse apart).
pub mod max_rate {
    pub const ANGLE_DEG_PER_S: f64 = 90.0;
    pub const GAZE_DEG_PER_S: f64 = 250.0;
    pub const SHIFT_PER_S: f64 = 4.0;
    pub const EXPRESSION_PER_S: f64 = 6.0;
    pub const BLINK_PER_S: f64 = 20.0;
    pub const PULSE_PER_S: f64 = 11.0;
}

/// The position in the period at `at`, in seconds, 0 … 20.
pub fn second_of_period(at: Timestamp) -> f64 {
    at.as_ns().rem_euclid(PERIOD_NS) as f64 * 1e-9
}

/// The state of the phantom at `at`. Times before zero are valid.
pub fn at(at: Timestamp) -> PhantomState {
    let t = second_of_period(at);
    let phase = PHASES.iter().find(|(_, from, until)| (*from..*until).contains(&t)).map_or(Phase::Neutral, |p| p.0);
    let smile = plateau(t, 4.0, 4.7, 7.2, 8.0);
    let surprise = plateau(t, 9.0, 9.35, 10.4, 11.0);
    let frown = plateau(t, 11.5, 12.1, 13.4, 14.0);
    let turn = plateau(t, 14.5, 15.3, 15.5, 16.0) - plateau(t, 16.0, 16.5, 16.7, 17.5);
    // The eyes move first. The head follows.
    let turn_of_eyes = plateau(t, 14.45, 14.65, 14.9, 15.3) - plateau(t, 16.0, 16.2, 16.3, 16.6);
    let glance = plateau(t, 2.0, 2.1, 2.6, 2.7) - plateau(t, 2.8, 2.95, 3.2, 3.35);
    let shift_x = plateau(t, 18.0, 18.45, 19.2, 19.7);
    let pulse_phase = (t * PULSE_HZ).fract();
    PhantomState {
        phase,
        presence: match shift_x {
            s if s < 0.34 => Presence::Whole,
            s if s < 0.9 => Presence::Partial,
            _ => Presence::Away,
        },
        yaw_deg: 27.0 * turn + 1.4 * wave(t, 3.0, 0.1) + 0.8 * wave(t, 7.0, 0.6),
        pitch_deg: 1.0 * wave(t, 4.0, 0.3) + 0.5 * wave(t, 9.0, 0.0) - 2.5 * surprise + 4.0 * frown - 1.5 * smile,
        roll_deg: 1.2 * wave(t, 2.0, 0.7) + 3.0 * smile,
        shift_x: shift_x + 0.006 * wave(t, 3.0, 0.2),
        shift_y: 0.004 * wave(t, 5.0, 0.4),
        gaze_yaw_deg: 11.0 * glance + 14.0 * turn_of_eyes - 1.2 * wave(t, 3.0, 0.1),
        gaze_pitch_deg: -3.0 * frown - 4.0 * plateau(t, 2.8, 2.95, 3.2, 3.35) - 0.8 * wave(t, 4.0, 0.3),
        smile,
        mouth_open: surprise,
        mouth_frown: frown,
        brow_raise: surprise + 0.12 * smile,
        brow_lower: frown,
        eye_wide: surprise,
        blink: BLINKS_S.iter().map(|s| plateau(t, *s, s + 0.09, s + 0.11, s + 0.24)).sum(),
        pulse_phase,
        pulse: pulse_wave(pulse_phase),
    }
}

/// The published wave: a steep rise and a slow fall with a shoulder, −1 … 1, of mean 0.
///
/// `(sin 2πp + 0.4 sin(4πp − 0.5)) / 1.313`
pub fn pulse_wave(phase: f64) -> f64 {
    let turn = std::f64::consts::TAU * phase;
    ((turn.sin() + 0.4 * (2.0 * turn - 0.5).sin()) / 1.313).clamp(-1.0, 1.0)
}

/// 0 before `start`, 1 from `full` to `leave`, 0 after `end`; smooth in between.
fn plateau(t: f64, start: f64, full: f64, leave: f64, end: f64) -> f64 {
    smooth((t - start) / (full - start)) * (1.0 - smooth((t - leave) / (end - leave)))
}

/// 0 … 1 with a soft start and end; at most 1.5 times as steep as the straight line.
fn smooth(x: f64) -> f64 {
    let x = x.clamp(0.0, 1.0);
    x * x * (3.0 - 2.0 * x)
}

/// A sine with a whole number of turns in the period, begun at `offset` turns.
fn wave(t: f64, turns: f64, offset: f64) -> f64 {
    (std::f64::consts::TAU * (t * 1e9 / PERIOD_NS as f64 * turns + offset)).sin()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;

    fn at_s(seconds: f64) -> PhantomState {
        at(Timestamp::from_secs_f64(seconds))
    }

    #[test]
    fn phases_cover_the_period_and_show_what_they_say() {
        assert_eq!(PHASES[0].1, 0.0);
        assert!(PHASES.windows(2).all(|w| w[0].2 == w[1].1));
        assert_eq!(PHASES[PHASES.len() - 1].2, PERIOD_NS as f64 * 1e-9);
        assert_eq!(at_s(6.0).smile, 1.0);
        assert_eq!(at_s(10.0).mouth_open, 1.0);
        assert_eq!(at_s(13.0).brow_lower, 1.0);
        assert!(at_s(15.4).yaw_deg > 20.0 && at_s(16.6).yaw_deg < -20.0);
        assert_eq!(at_s(18.8).presence, Presence::Away);
        assert_eq!(at_s(18.8).phase, Phase::Away);
        assert!(!at_s(18.8).face_present() && at_s(0.5).face_present());
        assert_eq!(at_s(0.5).phase, Phase::Neutral);
        assert!(BLINKS_S.iter().all(|s| at_s(s + 0.1).blink == 1.0));
    }

    #[test]
    fn the_pulse_wave_is_balanced_and_fills_its_range() {
        let wave: Vec<f64> = (0..10_000).map(|k| pulse_wave(k as f64 / 10_000.0)).collect();
        assert!(wave.iter().sum::<f64>().abs() < 1.0);
        let top = wave.iter().fold(0.0f64, |m, v| m.max(v.abs()));
        assert!((0.98..=1.0).contains(&top), "{top}");
    }

    proptest! {
        #[test]
        fn nothing_jumps(ns in -100_000_000_000i64..1_000_000_000_000, step_ms in 1u64..50) {
            let step_s = step_ms as f64 * 1e-3;
            let start = Timestamp::from_ns(ns);
            let (a, b) = (at(start), at(start + Duration::from_millis(step_ms)));
            let moved = |x: f64, y: f64, rate: f64| (x - y).abs() <= rate * step_s + 1e-9;
            for (x, y) in [(a.yaw_deg, b.yaw_deg), (a.pitch_deg, b.pitch_deg), (a.roll_deg, b.roll_deg)] {
                prop_assert!(moved(x, y, max_rate::ANGLE_DEG_PER_S));
            }
            for (x, y) in [(a.gaze_yaw_deg, b.gaze_yaw_deg), (a.gaze_pitch_deg, b.gaze_pitch_deg)] {
                prop_assert!(moved(x, y, max_rate::GAZE_DEG_PER_S));
            }
            for (x, y) in [
                (a.smile, b.smile), (a.mouth_open, b.mouth_open), (a.mouth_frown, b.mouth_frown),
                (a.brow_raise, b.brow_raise), (a.brow_lower, b.brow_lower), (a.eye_wide, b.eye_wide),
            ] {
                prop_assert!(moved(x, y, max_rate::EXPRESSION_PER_S));
                prop_assert!((0.0..=1.2).contains(&x));
            }
            prop_assert!(moved(a.shift_x, b.shift_x, max_rate::SHIFT_PER_S));
            prop_assert!(moved(a.shift_y, b.shift_y, max_rate::SHIFT_PER_S));
            prop_assert!(moved(a.blink, b.blink, max_rate::BLINK_PER_S));
            prop_assert!(moved(a.pulse, b.pulse, max_rate::PULSE_PER_S));
        }

        #[test]
        fn it_repeats(ns in -100_000_000_000i64..1_000_000_000_000) {
            prop_assert_eq!(at(Timestamp::from_ns(ns)), at(Timestamp::from_ns(ns + PERIOD_NS)));
        }
    }
}
