//! Maps a document's own time to the session clock.
//!
//! A ping leaves at `sent`, the page reads its clock as `p`, and the answer arrives at `received`. So the page's clock
//! showed `p` at some time between the two. The middle is wrong by at most half the round trip. The page's clock also
//! has a coarse resolution: a reading is up to one tick old, once when it is measured and once when it is used. This adds
//! one tick. There are no further assumptions, so the uncertainty is an upper bound of the error.

use session::CLOCK_DRIFT;

/// One answered ping. The program's times are raw monotonic nanoseconds, the page's are milliseconds of
/// `performance.now()`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ping {
    pub sent_ns: i64,
    pub received_ns: i64,
    pub page_ms: f64,
}

/// The program's clock minus the page's clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Offset {
    pub offset_ns: i64,
    /// An upper bound of the error.
    pub uncertainty_ns: i64,
    /// When it was measured.
    pub at_ns: i64,
}

/// The clock of one document.
#[derive(Debug, Clone)]
pub struct PageClock {
    tick_ns: i64,
    best: Option<Offset>,
    /// The page's time and the program's time of the last event that was placed.
    last: Option<(f64, i64)>,
}

impl PageClock {
    pub fn new(tick_ms: f64) -> Self {
        PageClock { tick_ns: ns(tick_ms.clamp(0.0, 100.0)), best: None, last: None }
    }

    /// The offset from the ping with the shortest round trip. The other pings are not used.
    pub fn measure(&self, pings: &[Ping]) -> Option<Offset> {
        let quickest = pings.iter().min_by_key(|p| p.received_ns - p.sent_ns)?;
        let round_trip_ns = quickest.received_ns - quickest.sent_ns;
        Some(Offset {
            offset_ns: quickest.sent_ns + round_trip_ns / 2 - ns(quickest.page_ms),
            uncertainty_ns: (round_trip_ns + 1) / 2 + self.tick_ns,
            at_ns: quickest.received_ns,
        })
    }

    /// Uses a measurement if its uncertainty is not larger than that of the current one, including drift.
    pub fn learn(&mut self, fresh: Offset) {
        let is_better = self.best.is_none_or(|old| fresh.uncertainty_ns <= aged(old, fresh.at_ns).uncertainty_ns);
        if is_better {
            self.best = Some(fresh);
        }
    }

    pub fn offset(&self) -> Option<Offset> {
        self.best
    }

    /// The time at which the page's clock showed `page_ms`, for a message that arrived at `arrived_ns`.
    ///
    /// `None` before the first measurement. An event that is later on the page's clock is not placed before an earlier
    /// one, even if a better offset was measured between the two. An event is not placed after its arrival. Both rules
    /// only reduce the error. An event that is earlier on the page's clock than the one before it (a key that was pressed
    /// while the page was busy) is placed at its own time.
    pub fn map(&mut self, page_ms: f64, arrived_ns: i64) -> Option<i64> {
        let offset = self.best?;
        let at_ns = ns(page_ms).saturating_add(offset.offset_ns);
        Some(match self.last {
            Some((last_ms, last_ns)) if page_ms < last_ms => at_ns.min(last_ns).min(arrived_ns),
            last => {
                let at_ns = last.map_or(at_ns, |(_, last_ns)| at_ns.max(last_ns)).min(arrived_ns);
                self.last = Some((page_ms, at_ns));
                at_ns
            }
        })
    }
}

fn aged(offset: Offset, now_ns: i64) -> Offset {
    let age_ns = now_ns.saturating_sub(offset.at_ns).max(0);
    Offset { uncertainty_ns: offset.uncertainty_ns + (age_ns as f64 * CLOCK_DRIFT) as i64, ..offset }
}

fn ns(ms: f64) -> i64 {
    (ms * 1e6).round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A page whose clock started at `zero_ns` of the program's clock and shows whole ticks.
    struct Page {
        zero_ns: i64,
        tick_ns: i64,
    }

    impl Page {
        fn reads_ms(&self, at_ns: i64) -> f64 {
            ((at_ns - self.zero_ns) / self.tick_ns * self.tick_ns) as f64 * 1e-6
        }
    }

    #[test]
    fn the_quickest_ping_counts() {
        let clock = PageClock::new(0.0);
        let ping = |sent_ns, received_ns| Ping { sent_ns, received_ns, page_ms: 0.0 };
        let offset = clock.measure(&[ping(0, 9_000_000), ping(10, 1_000_010), ping(20, 4_000_000)]).unwrap();
        assert_eq!((offset.offset_ns, offset.uncertainty_ns), (500_010, 500_000));
        let late = clock.measure(&[ping(0, 2_000_000), ping(5_000_000, 6_000_000)]).unwrap();
        assert_eq!(late.offset_ns, 5_500_000, "the quickest one, and not the first one");
        assert_eq!(clock.measure(&[]), None);
        // Half of an odd round trip is rounded up, so that the uncertainty stays a bound. The tick adds to it.
        let coarse = PageClock::new(0.000_005).measure(&[ping(0, 7)]).unwrap();
        assert_eq!((coarse.offset_ns, coarse.uncertainty_ns, coarse.at_ns), (3, 4 + 5, 7));
    }

    #[test]
    fn a_worse_measurement_waits_until_the_old_one_has_aged() {
        let mut clock = PageClock::new(0.0);
        clock.learn(Offset { offset_ns: 1, uncertainty_ns: 1_000_000, at_ns: 0 });
        let worse = Offset { offset_ns: 2, uncertainty_ns: 1_200_000, at_ns: 1_000_000_000 };
        clock.learn(worse);
        assert_eq!(clock.offset().map(|o| o.offset_ns), Some(1));
        clock.learn(Offset { at_ns: 5_000_000_000, ..worse });
        assert_eq!(clock.offset().map(|o| o.offset_ns), Some(2));
        // A measurement that is as good replaces it, also one of the same moment.
        let equal = Offset { offset_ns: 3, at_ns: 5_000_000_000, ..worse };
        clock.learn(equal);
        assert_eq!(clock.offset(), Some(equal));
    }

    /// `true`: a burst of pings, `false`: an event. Then the pause before it, and the delays out and back, in µs.
    type Step = (bool, i64, Vec<(i64, i64)>);

    #[test]
    fn what_happened_earlier_is_placed_earlier() {
        let mut clock = PageClock::new(0.0);
        clock.learn(Offset { offset_ns: 1_000, uncertainty_ns: 0, at_ns: 0 });
        assert_eq!(clock.map(50.0, i64::MAX), Some(50_001_000));
        // Pressed while the page was busy, and sent afterwards.
        assert_eq!(clock.map(20.0, i64::MAX), Some(20_001_000));
        // A better offset that would reverse the order.
        clock.learn(Offset { offset_ns: -4_000_000, uncertainty_ns: 0, at_ns: 1 });
        assert_eq!(clock.map(50.0, i64::MAX), Some(50_001_000), "the same moment again");
        assert_eq!(clock.map(51.0, i64::MAX), Some(50_001_000));
        assert_eq!(clock.map(30.0, i64::MAX), Some(26_000_000));
        assert_eq!(clock.map(60.0, i64::MAX), Some(56_000_000));
    }

    /// The pings and events of one document.
    fn story() -> impl Strategy<Value = Vec<Step>> {
        let delays = prop::collection::vec((0i64..40_000, 0i64..40_000), 1..8);
        prop::collection::vec((any::<bool>(), 0i64..3_000_000, delays), 1..60)
    }

    proptest! {
        /// For all delays: the error is within the stated uncertainty, and times do not decrease.
        #[test]
        fn the_uncertainty_is_a_bound_and_time_runs_forward(
            story in story(),
            zero_us in -1_000_000i64..1_000_000_000,
            tick_us in prop::sample::select(&[1i64, 5, 20, 100, 1000][..]),
        ) {
            let page = Page { zero_ns: zero_us * 1000, tick_ns: tick_us * 1000 };
            let mut clock = PageClock::new(tick_us as f64 * 1e-3);
            let mut now_ns = page.zero_ns;
            let mut last_ns = i64::MIN;
            let mut worst_ns = 0;
            for (is_burst, pause_us, delays) in story {
                now_ns += pause_us * 1000;
                if is_burst {
                    let mut pings = Vec::new();
                    for (out_us, back_us) in delays {
                        let read_ns = now_ns + out_us * 1000;
                        let received_ns = read_ns + back_us * 1000;
                        pings.push(Ping { sent_ns: now_ns, received_ns, page_ms: page.reads_ms(read_ns) });
                        now_ns = received_ns;
                    }
                    let offset = clock.measure(&pings).unwrap();
                    let error = (offset.offset_ns - page.zero_ns).abs();
                    prop_assert!(error <= offset.uncertainty_ns, "offset wrong by {error} of {offset:?}");
                    clock.learn(offset);
                } else {
                    let happened_ns = now_ns;
                    let arrived_ns = happened_ns + delays[0].1 * 1000;
                    let Some(at_ns) = clock.map(page.reads_ms(happened_ns), arrived_ns) else { continue };
                    // A time that was moved because of its predecessor has the predecessor's uncertainty.
                    worst_ns = worst_ns.max(clock.offset().unwrap().uncertainty_ns);
                    prop_assert!((at_ns - happened_ns).abs() <= worst_ns, "wrong by {} of {worst_ns}", at_ns - happened_ns);
                    prop_assert!(at_ns >= last_ns && at_ns <= arrived_ns);
                    last_ns = at_ns;
                    now_ns = arrived_ns;
                }
            }
        }
    }
}
