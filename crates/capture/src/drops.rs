//! Counts frames that did not arrive: from the driver's sequence numbers, or from pauses if it has none.

use std::collections::VecDeque;
use std::time::Duration;

use session::Timestamp;

/// Frames missing between two that arrived.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// Times of the last frame before and the first frame after.
    pub from: Timestamp,
    pub until: Timestamp,
    pub lost: u64,
    pub note: String,
}

/// Counts the missing frames of one opening of a camera.
#[derive(Debug)]
pub struct DropWatch {
    nominal_ns: i64,
    last: Option<(Timestamp, Option<u64>)>,
    /// A driver that repeats a number has no usable sequence numbers.
    has_useless_numbers: bool,
    recent_ns: VecDeque<i64>,
}

/// A camera slows down in the dark without losing frames. The usual pause is therefore computed from recent frames.
const RECENT: usize = 15;
/// No buffer queue is this long. A larger jump means that the driver restarted its count.
const LARGEST_JUMP: u64 = 100_000;

impl DropWatch {
    pub fn new(nominal: Duration) -> Self {
        DropWatch {
            nominal_ns: i64::try_from(nominal.as_nanos()).unwrap_or(i64::MAX),
            last: None,
            has_useless_numbers: false,
            recent_ns: VecDeque::new(),
        }
    }

    /// Registers a frame, complete or damaged. Returns what is missing before it.
    pub fn seen(&mut self, at: Timestamp, sequence: Option<u64>) -> Option<Missed> {
        let (last_at, last_sequence) = self.last.replace((at, sequence))?;
        let (lost, note) = match (last_sequence, sequence) {
            (Some(a), Some(b)) if !self.has_useless_numbers => {
                self.has_useless_numbers = a == b;
                let lost = b.saturating_sub(a).saturating_sub(1);
                if lost > LARGEST_JUMP {
                    return None;
                }
                (lost, format!("the driver counted from {a} to {b}"))
            }
            _ => self.infer(at.since_ns(last_at)),
        };
        (lost > 0).then_some(Missed { from: last_at, until: at, lost, note })
    }

    fn infer(&mut self, pause_ns: i64) -> (u64, String) {
        let usual_ns = self.usual_ns();
        self.recent_ns.push_back(pause_ns);
        if self.recent_ns.len() > RECENT {
            self.recent_ns.pop_front();
        }
        if pause_ns.saturating_mul(2) <= usual_ns.saturating_mul(3) {
            return (0, String::new());
        }
        let lost = (pause_ns as f64 / usual_ns as f64).round() as u64 - 1;
        let ms = |ns: i64| ns as f64 / 1e6;
        let note = format!(
            "inferred from a pause of {:.1} ms; the usual pause is {:.1} ms: this camera's frames have no sequence numbers",
            ms(pause_ns),
            ms(usual_ns)
        );
        (lost.max(1), note)
    }

    fn usual_ns(&self) -> i64 {
        let mut sorted: Vec<i64> = self.recent_ns.iter().copied().collect();
        sorted.sort_unstable();
        let median = if sorted.len() < RECENT { 0 } else { sorted[sorted.len() / 2] };
        self.nominal_ns.max(median).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEP_NS: i64 = 33_333_333;

    fn watch() -> DropWatch {
        DropWatch::new(Duration::from_nanos(STEP_NS as u64))
    }

    fn t(k: i64) -> Timestamp {
        Timestamp::from_ns(k * STEP_NS)
    }

    #[test]
    fn a_driver_that_repeats_its_number_is_judged_by_time() {
        let mut w = watch();
        for k in 0..5 {
            assert_eq!(w.seen(t(k), Some(0)), None);
        }
        let missed = w.seen(t(7), Some(0)).unwrap();
        assert_eq!((missed.lost, missed.from, missed.until), (2, t(4), t(7)));
        assert!(missed.note.contains("inferred"));
    }

    #[test]
    fn counting_anew_is_no_loss() {
        let mut w = watch();
        w.seen(t(0), Some(500));
        assert_eq!(w.seen(t(1), Some(0)), None);
        assert_eq!(w.seen(t(2), Some(1)), None);
        assert_eq!(w.seen(t(3), Some(u64::from(u32::MAX))), None);
    }

    #[test]
    fn a_camera_that_slows_down_in_the_dark_is_believed_after_a_while() {
        let mut w = watch();
        let reported: u64 = (0..60).filter_map(|k| w.seen(t(2 * k), None)).map(|m| m.lost).sum();
        assert!((1..=RECENT as u64).contains(&reported), "{reported}");
    }

    proptest! {
        #[test]
        fn every_dropped_frame_is_counted_once(
            kept in prop::collection::vec(any::<bool>(), 2..200), has_numbers in any::<bool>(), jitter_ns in 0i64..8_000_000,
        ) {
            let mut w = watch();
            let (mut first, mut last, mut seen, mut missed) = (None, 0, 0u64, 0u64);
            for (k, _) in kept.iter().enumerate().filter(|(_, kept)| **kept) {
                let k = k as i64;
                // With sequence numbers, all counts are exact. Without them, only if most frames arrive.
                let at = t(k) + Duration::from_nanos((jitter_ns * (k % 2)) as u64);
                missed += w.seen(at, has_numbers.then_some(k as u64)).map_or(0, |m| m.lost);
                first.get_or_insert(k);
                last = k;
                seen += 1;
            }
            let there = first.map_or(0, |f| (last - f + 1) as u64);
            if has_numbers {
                prop_assert_eq!(missed, there - seen);
            } else {
                prop_assert!(missed <= there - seen);
            }
        }
    }
}
