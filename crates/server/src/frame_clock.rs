//! Determines when the frames of a browser's video were captured.
//!
//! The video has its own time with its own zero. For each frame that the browser saw, it sends the time of capture and
//! the media time. Both times run at the same speed, so they differ by a constant. The constant is found by trying which
//! candidate makes most frames of the video match a frame that the browser sent. A regular camera may leave several
//! candidates. Then the video's first frame must be nearest to the start of the recording that the browser reported.

use session::Timestamp;

/// Two frames match if their times differ by less than this.
const MATCH_S: f64 = 0.003;
/// Number of the browser's first frames that are tried against the first [`VIDEO_CANDIDATES`] frames of the video.
const BROWSER_CANDIDATES: usize = 150;
const VIDEO_CANDIDATES: usize = 8;
/// A candidate is good if it has this share of the best candidate's matches. Some frames are only in the browser's list or
/// only in the video.
const GOOD_SHARE: f64 = 0.9;

/// The times of capture that the browser sent.
#[derive(Clone, Debug, Default)]
pub struct CaptureTimes {
    /// Media time and time of capture of each frame, in ascending order.
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

    /// What to add to the video's own times to get `media_s`, and the share of `video_s` that then matches a frame.
    /// `start` is when the browser started the recording. `None` if the browser sent no times.
    pub fn align(&self, video_s: &[f64], start: Option<Timestamp>) -> Option<(f64, f64)> {
        let first_s = *video_s.first()?;
        let matches =
            |add: f64| video_s.iter().filter(|s| self.nearest(*s + add).is_some_and(|(d, _)| d < MATCH_S)).count();
        let first = self.frames.iter().take(BROWSER_CANDIDATES);
        let candidates = first.flat_map(|(media_s, _)| video_s.iter().take(VIDEO_CANDIDATES).map(move |s| media_s - s));
        let candidates: Vec<_> = candidates.map(|add| (matches(add), add)).collect();
        let best = candidates.iter().map(|c| c.0).max()?;
        let good = candidates.into_iter().filter(|c| c.0 as f64 >= GOOD_SHARE * best as f64);
        // The first frame may be captured shortly before the start and delivered after it.
        let distance_s = |add: f64| match (start, self.at(first_s + add)) {
            (Some(start), Some(at)) => at.since_ns(start).abs() as f64 * 1e-9,
            _ => add,
        };
        let chosen = good.map(|(matches, add)| (matches, distance_s(add), add)).reduce(|a, b| {
            // Candidates at the same distance mean the same frame. The one with more matches is better.
            let is_better = if (b.1 - a.1).abs() < 2.0 * MATCH_S { b.0 > a.0 } else { b.1 < a.1 };
            if is_better { b } else { a }
        })?;
        Some((chosen.2, chosen.0 as f64 / video_s.len() as f64))
    }

    /// Distance and index of the nearest frame of the browser.
    fn nearest(&self, media_s: f64) -> Option<(f64, usize)> {
        let after = self.frames.partition_point(|(s, _)| *s < media_s);
        let near = [after.checked_sub(1), Some(after).filter(|k| *k < self.frames.len())];
        let distance = |k: usize| ((self.frames[k].0 - media_s).abs(), k);
        near.into_iter().flatten().map(distance).reduce(|a, b| if b.0 < a.0 { b } else { a })
    }

    /// The time of capture of the frame at `media_s`. It is interpolated between two frames, and extrapolated outside them.
    pub fn at(&self, media_s: f64) -> Option<Timestamp> {
        let (distance, k) = self.nearest(media_s)?;
        let (near_s, near) = self.frames[k];
        if distance < MATCH_S {
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
        /// The constant is found although frames are missing in the browser's list or in the video, and although capture
        /// has jitter. Frames in the list get their own time of capture.
        #[test]
        fn frames_find_their_time(
            zero_s in 0.0f64..1000.0,
            skip in 0usize..30,
            reported in prop::collection::vec(prop::bool::weighted(0.97), 200),
            jitter_ms in prop_oneof![Just(vec![0i64; 200]), prop::collection::vec(-4i64..4, 200)],
        ) {
            prop_assume!(reported.windows(8).all(|w| w.iter().filter(|t| **t).count() >= 7));
            let capture = |k: usize| Timestamp::from_ns(5_000_000_000 + k as i64 * 33_366_700 + jitter_ms[k] * 1_000_000);
            let media = |k: usize| zero_s + capture(k).as_secs_f64() - 5.0;
            let mut frames = CaptureTimes::default();
            (0..200).filter(|k| reported[*k]).for_each(|k| frames.add(media(k), capture(k)));
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
