//! Finds blinks and closed eyes in the closure of the eyes, frame by frame.
//!
//! People and cameras differ in how closed an open eye seems. The level of the open eyes is therefore the 30th percentile of the
//! last ten seconds. An excursion above it begins and ends near that level, or ends where the eyes rest in another position.
//! Its own half height is the threshold that gives onset and end, interpolated between frames. An excursion that is interrupted
//! gives no event: its end is unknown.

use std::collections::VecDeque;

use session::{BLINK_KIND, Body, EYES_CLOSED_KIND, Timestamp};

/// The window for the level of the open eyes.
const WINDOW_NS: i64 = 10_000_000_000;
/// Values before the level of the open eyes counts.
const MIN_VALUES: usize = 15;
/// An excursion begins this far above the level of the open eyes, and ends below.
const BEGIN: f32 = 0.15;
/// The smallest height of a blink.
const MIN_HEIGHT: f32 = 0.3;
/// Excursions of at most this duration, at half height, are blinks.
const LONGEST_BLINK_NS: i64 = 1_000_000_000;
/// A longer excursion is closed eyes from this mean closure on. Below, it may be a lowered gaze.
const CLOSED: f32 = 0.6;
/// The longest time from the beginning to this share of the height. Lids of a lowered gaze are slower.
const RISEN: f32 = 0.9;
const SLOWEST_RISE_NS: i64 = 300_000_000;
/// A longer time between two values interrupts an excursion.
const LONGEST_STEP_NS: i64 = 150_000_000;

/// A blink, or eyes that were closed for longer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blink {
    pub onset: Timestamp,
    pub until: Timestamp,
    /// Height of the excursion over the way from the open eyes to a closure of 1.
    pub completeness: f32,
}

impl Blink {
    /// The event of the stream `blink`, at [`Blink::onset`].
    pub fn event(&self) -> Body {
        let duration_ms = self.until.since_ns(self.onset) as f64 * 1e-6;
        let kind = if self.until.since_ns(self.onset) <= LONGEST_BLINK_NS { BLINK_KIND } else { EYES_CLOSED_KIND };
        let completeness = (f64::from(self.completeness) * 1e3).round() / 1e3;
        let duration_ms = (duration_ms * 10.0).round() / 10.0;
        Body::event(kind, serde_json::json!({ "duration_ms": duration_ms, "completeness": completeness }))
    }
}

/// Needs the closure of every frame, in order.
#[derive(Debug, Default)]
pub struct BlinkDetector {
    recent: VecDeque<(Timestamp, f32)>,
    sorted: Vec<f32>,
    excursion: Option<Excursion>,
}

#[derive(Debug)]
struct Excursion {
    open: f32,
    /// The largest value.
    peak: f32,
    /// Begins with the last value below the beginning.
    values: Vec<(Timestamp, f32)>,
}

impl BlinkDetector {
    /// `closure`: mean of both eyes, 0 open … 1 closed; `None` if the frame shows no face. Returns an event that ended at this
    /// frame.
    pub fn add(&mut self, at: Timestamp, closure: Option<f32>) -> Option<Blink> {
        let Some(closure) = closure else {
            self.excursion = None;
            return None;
        };
        let last = self.recent.back().copied();
        let is_next = last.is_some_and(|(before, _)| (1..=LONGEST_STEP_NS).contains(&at.since_ns(before)));
        if !is_next {
            self.excursion = None;
        }
        let ended = self.follow(at, closure, last.filter(|_| is_next));
        self.remember(at, closure);
        ended
    }

    fn follow(&mut self, at: Timestamp, closure: f32, last: Option<(Timestamp, f32)>) -> Option<Blink> {
        if let Some(excursion) = &mut self.excursion {
            excursion.values.push((at, closure));
            excursion.peak = excursion.peak.max(closure);
            return if excursion.is_over() { self.excursion.take()?.blink() } else { None };
        }
        let (open, last) = (self.open_level()?, last?);
        if closure >= open + BEGIN && last.1 < open + BEGIN {
            self.excursion = Some(Excursion { open, peak: closure, values: vec![last, (at, closure)] });
        }
        None
    }

    /// 30th percentile of the window.
    fn open_level(&mut self) -> Option<f32> {
        if self.recent.len() < MIN_VALUES {
            return None;
        }
        self.sorted.clear();
        self.sorted.extend(self.recent.iter().map(|(_, closure)| *closure));
        let k = self.sorted.len() * 3 / 10;
        Some(*self.sorted.select_nth_unstable_by(k, f32::total_cmp).1)
    }

    fn remember(&mut self, at: Timestamp, closure: f32) {
        // A time before the last one belongs to another video.
        if self.recent.back().is_some_and(|(before, _)| at.since_ns(*before) < 0) {
            self.recent.clear();
        }
        self.recent.push_back((at, closure));
        while self.recent.front().is_some_and(|(first, _)| at.since_ns(*first) > WINDOW_NS) {
            self.recent.pop_front();
        }
    }
}

impl Excursion {
    /// The eyes are as open as before, or they rest in another position: below half the height, or never nearly closed.
    fn is_over(&self) -> bool {
        let (Some(first), Some(last)) = (self.values.first(), self.values.last()) else { return true };
        if last.1 < self.open + BEGIN {
            return true;
        }
        let is_long = last.0.since_ns(first.0) > LONGEST_BLINK_NS + SLOWEST_RISE_NS;
        let half = self.open + (self.peak - self.open) / 2.0;
        let mut latest = self.values.iter().rev().take_while(|(at, _)| last.0.since_ns(*at) <= LONGEST_BLINK_NS);
        is_long && (self.peak < CLOSED || latest.all(|(_, closure)| *closure < half))
    }

    fn blink(&self) -> Option<Blink> {
        let height = self.peak - self.open;
        if height < MIN_HEIGHT {
            return None;
        }
        let half = self.open + height / 2.0;
        let rises = |pair: &[(Timestamp, f32)]| pair[0].1 < half && pair[1].1 >= half;
        let falls = |pair: &[(Timestamp, f32)]| pair[0].1 >= half && pair[1].1 < half;
        let onset = crossing(self.values.windows(2).find(|pair| rises(pair))?, half);
        let until = crossing(self.values.windows(2).rfind(|pair| falls(pair))?, half);
        let is_short = until.since_ns(onset) <= LONGEST_BLINK_NS;
        let nearly_shut = self.values.iter().find(|(_, closure)| *closure >= self.open + RISEN * height)?.0;
        let is_fast = nearly_shut.since_ns(self.values.first()?.0) <= SLOWEST_RISE_NS;
        let completeness = height / (1.0 - self.open).max(MIN_HEIGHT);
        ((is_short && is_fast) || (!is_short && self.peak >= CLOSED)).then_some(Blink { onset, until, completeness })
    }
}

/// The time between two values at which the line through them reaches `level`.
fn crossing(pair: &[(Timestamp, f32)], level: f32) -> Timestamp {
    let [(from, low), (until, high)] = [pair[0], pair[1]];
    let share = f64::from((level - low) / (high - low)).clamp(0.0, 1.0);
    Timestamp::from_ns(from.as_ns() + (until.since_ns(from) as f64 * share) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRAME_NS: i64 = 33_333_333;

    fn detect(values: impl IntoIterator<Item = Option<f32>>) -> Vec<Blink> {
        let mut detector = BlinkDetector::default();
        let at = |k: usize| Timestamp::from_ns(k as i64 * FRAME_NS);
        values.into_iter().enumerate().filter_map(|(k, closure)| detector.add(at(k), closure)).collect()
    }

    /// Open eyes at `open`, a blink of `shape` after two seconds, and open eyes again.
    fn clip(open: f32, shape: &[f32]) -> Vec<Option<f32>> {
        let rest = |n: usize| std::iter::repeat_n(Some(open), n);
        rest(60).chain(shape.iter().map(|v| Some(*v))).chain(rest(30)).collect()
    }

    #[test]
    fn a_blink_has_its_onset_duration_and_completeness_between_frames() {
        let found = detect(clip(0.0, &[0.5, 1.0, 1.0, 0.5]));
        let [blink] = found[..] else { panic!("{found:?}") };
        assert!((blink.onset.as_ns() - 60 * FRAME_NS).abs() < 10 && (blink.until.as_ns() - 63 * FRAME_NS).abs() < 10);
        assert_eq!(blink.completeness, 1.0);
        let Body::Event { kind, data } = blink.event() else { panic!() };
        assert_eq!(
            (kind.as_str(), &data["duration_ms"], &data["completeness"]),
            (BLINK_KIND, &100.0.into(), &1.0.into())
        );
    }

    #[test]
    fn narrow_eyes_and_partial_blinks_count_against_their_own_level() {
        let found = detect(clip(0.4, &[0.7, 0.9, 0.7]));
        assert_eq!(found.len(), 1);
        assert!((found[0].completeness - 0.5 / 0.6).abs() < 1e-6);
        assert!(detect(clip(0.4, &[0.5, 0.6, 0.5])).is_empty());
    }

    #[test]
    fn long_closures_are_no_blinks_and_a_lowered_gaze_is_neither() {
        let found = detect(clip(0.05, &[0.95; 45]));
        let [closed] = found[..] else { panic!("{found:?}") };
        assert!(matches!(closed.event(), Body::Event { kind, .. } if kind == EYES_CLOSED_KIND));
        assert!(detect(clip(0.05, &[0.45; 45])).is_empty());
        let slow: Vec<f32> = (0..40).map(|k| 0.05 + 0.01 * k as f32).collect();
        assert!(detect(clip(0.05, &slow)).is_empty());
    }

    #[test]
    fn blinks_are_found_although_the_eyes_rest_narrower_than_before() {
        let narrow = |n: usize| std::iter::repeat_n(Some(0.25), n);
        let shut = [0.5, 1.0, 1.0, 0.5].map(Some);
        let open = std::iter::repeat_n(Some(0.0), 60);
        let found = detect(open.chain(shut).chain(narrow(400)).chain(shut).chain(narrow(60)));
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|blink| blink.until.since_ns(blink.onset) < 200_000_000), "{found:?}");
    }

    #[test]
    fn what_is_interrupted_is_not_guessed() {
        let mut lost = clip(0.0, &[0.5, 1.0, 1.0, 0.5]);
        lost[62] = None;
        assert!(detect(lost).is_empty());
        let mut late = BlinkDetector::default();
        let blinks = clip(0.0, &[0.5, 1.0, 1.0, 0.5]).into_iter().enumerate().filter_map(|(k, closure)| {
            let pause = if k >= 62 { 1_000_000_000 } else { 0 };
            late.add(Timestamp::from_ns(k as i64 * FRAME_NS + pause), closure)
        });
        assert_eq!(blinks.count(), 0);
    }

    proptest! {
        /// Events are in order, do not overlap, and lie inside the values.
        #[test]
        fn events_are_in_order(values in prop::collection::vec(prop::option::weighted(0.95, 0f32..1.0), 0..600)) {
            let found = detect(values.clone());
            for blink in &found {
                prop_assert!(blink.onset < blink.until && blink.completeness > 0.0);
                prop_assert!(blink.until.as_ns() <= values.len() as i64 * FRAME_NS);
            }
            for pair in found.windows(2) {
                prop_assert!(pair[0].until <= pair[1].onset);
            }
        }
    }
}
