//! When the frames of a browser's video were captured.
//!
//! The video counts its own time from its own zero; the browser tells for each frame that it saw when it was captured
//! and its time in the stream. Both count the same seconds, so one constant lies between them. It is found by trying
//! which one makes frames meet; where the camera is so regular that several do, it is the one by which the video
//! begins with the frame nearest to when the browser says that it began.

use session::Timestamp;

/// Frames that meet lie closer together than this.
const MEET_S: f64 = 0.003;
/// How many of the first told frames may be one of so many first ones of the video.
const TOLD_CANDIDATES: usize = 150;
const VIDEO_CANDIDATES: usize = 8;
/// As good as the best: some frames are told by the browser and not in the video, or the other way.
const NEARLY: f64 = 0.9;
/// Frames as the browser told of them.
#[derive(Clone, Debug, Default)]
pub struct CaptureTimes {
    /// Time in the video as the browser sees it, and capture time; ascending.
    frames: Vec<(f64, Timestamp)>,
}

impl CaptureTimes {
    pub fn add(&mut self, media_s: f64, at: Timestamp) {
        let place = self.frames.partition_point(|(s, _)| *s <= media_s);
        self.frames.insert(place, (media_s, at));
    }

    pub fn last_media_s(&self) -> Option<f64> {
        self.frames.last().map(|f| f.0)
    }

    /// What to add to the video's own times to reach `media_s`, and which share of `video_s` then meets a told frame.
    /// `began` is when the browser began the video. `None` where nothing was told.
    pub fn align(&self, video_s: &[f64], began: Option<Timestamp>) -> Option<(f64, f64)> {
        let first_s = *video_s.first()?;
        let met = |add: f64| video_s.iter().filter(|s| self.nearest(*s + add).is_some_and(|(d, _)| d < MEET_S)).count();
        let told = self.frames.iter().take(TOLD_CANDIDATES);
        let candidates = told.flat_map(|(told_s, _)| video_s.iter().take(VIDEO_CANDIDATES).map(move |s| told_s - s));
        let candidates: Vec<_> = candidates.map(|add| (met(add), add)).collect();
        let best = candidates.iter().map(|c| c.0).max()?;
        let good = candidates.into_iter().filter(|c| c.0 as f64 >= NEARLY * best as f64);
        // Captured a little before the beginning, and delivered after it; or captured after it.
        let off_s = |add: f64| match (began, self.at(first_s + add)) {
            (Some(began), Some(at)) => at.since_ns(began).abs() as f64 * 1e-9,
            _ => add,
        };
        let chosen = good.map(|(met, add)| (met, off_s(add), add)).reduce(|a, b| {
            // Of candidates that mean the same frame, the one that more frames meet.
            let is_better = if (b.1 - a.1).abs() < 2.0 * MEET_S { b.0 > a.0 } else { b.1 < a.1 };
            if is_better { b } else { a }
        })?;
        Some((chosen.2, chosen.0 as f64 / video_s.len() as f64))
    }

    /// Distance and position of the told frame that is nearest.
    fn nearest(&self, media_s: f64) -> Option<(f64, usize)> {
        let after = self.frames.partition_point(|(s, _)| *s < media_s);
        let near = [after.checked_sub(1), Some(after).filter(|k| *k < self.frames.len())];
        let distance = |k: usize| ((self.frames[k].0 - media_s).abs(), k);
        near.into_iter().flatten().map(distance).reduce(|a, b| if b.0 < a.0 { b } else { a })
    }

    /// A told frame's own time, or between two of them in proportion; beyond them at the video's pace.
    pub fn at(&self, media_s: f64) -> Option<Timestamp> {
        let (distance, k) = self.nearest(media_s)?;
        let (near_s, near) = self.frames[k];
        if distance < MEET_S {
            return Some(near);
        }
        let other = if near_s < media_s { k.checked_add(1) } else { k.checked_sub(1) };
        let pace = other
            .and_then(|o| self.frames.get(o))
            .map_or(1e9, |(other_s, other)| other.since_ns(near) as f64 / (other_s - near_s));
        let ns = near.as_ns() as f64 + (media_s - near_s) * pace;
        Some(Timestamp::from_ns(ns.round() as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Frames untold by the browser, frames told that the video lacks, jitter of capture: the constant is found,
        /// and told frames get their own capture time.
        #[test]
        fn frames_find_their_time(
            zero_s in 0.0f64..1000.0,
            skip in 0usize..30,
            told in prop::collection::vec(prop::bool::weighted(0.97), 200),
            jitter_ms in prop_oneof![Just(vec![0i64; 200]), prop::collection::vec(-4i64..4, 200)],
        ) {
            prop_assume!(told.windows(8).all(|w| w.iter().filter(|t| **t).count() >= 7));
            let capture = |k: usize| Timestamp::from_ns(5_000_000_000 + k as i64 * 33_366_700 + jitter_ms[k] * 1_000_000);
            let media = |k: usize| zero_s + capture(k).as_secs_f64() - 5.0;
            let mut frames = CaptureTimes::default();
            (0..200).filter(|k| told[*k]).for_each(|k| frames.add(media(k), capture(k)));
            let video_s: Vec<f64> = (skip..skip + 60).map(|k| ((media(k) - media(skip)) * 1e3).round() * 1e-3).collect();
            let began = capture(skip) - std::time::Duration::from_millis(7);
            let (add, share) = frames.align(&video_s, Some(began)).unwrap();
            prop_assert!((add - media(skip)).abs() < 0.006, "{add} for {}", media(skip));
            prop_assert!(share > 0.5);
            for (k, s) in (skip..).zip(&video_s) {
                let wrong_ns = frames.at(s + add).unwrap().since_ns(capture(k)).abs();
                prop_assert!(wrong_ns < 9_000_000, "{wrong_ns}");
            }
        }
    }

    #[test]
    fn nothing_told_is_nothing_known() {
        assert_eq!(CaptureTimes::default().align(&[0.0], None), None);
        assert_eq!(CaptureTimes::default().at(0.0), None);
    }
}
