//! The stored time of each sample, and whether its stamp is of the sender's own clock.

use session::{LslOffset, Timestamp};

/// A sample from the future, or from before the connection, by more than this was stamped by another clock. A late sample is
/// possible: a device may keep samples while its radio is out of reach.
const FOREIGN_NS: i64 = 30_000_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentReason {
    /// The first of the recording.
    Start,
    /// The sender was lost and is back.
    SenderBack,
    /// The sender's clock was changed.
    ClockChanged,
    /// The stamps are of another clock from here on.
    StampsChanged,
}

impl SegmentReason {
    /// The name stored in files.
    pub fn as_str(self) -> &'static str {
        match self {
            SegmentReason::Start => "start",
            SegmentReason::SenderBack => "sender_back",
            SegmentReason::ClockChanged => "clock_changed",
            SegmentReason::StampsChanged => "stamps_changed",
        }
    }
}

/// From the next sample on, stored times are stamps plus `base_ns`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSegment {
    pub base_ns: i64,
    /// False: the stamps are of a clock that nobody measures. The first sample gets the time of its arrival.
    pub is_senders_clock: bool,
    pub reason: SegmentReason,
}

/// The segment in use and the newest measurement of the sender's clock.
pub(crate) struct Arrival {
    segment: NewSegment,
    offset: LslOffset,
    connected_at: Timestamp,
}

impl Arrival {
    /// A sender that has been measured once, before its first sample.
    pub fn connected(first: LslOffset, at: Timestamp, reason: SegmentReason) -> Arrival {
        let segment = NewSegment { base_ns: first.offset_ns, is_senders_clock: true, reason };
        Arrival { segment, offset: first, connected_at: at }
    }

    pub fn segment(&self) -> NewSegment {
        self.segment
    }

    /// Takes a measurement. Returns a segment if the sender's clock was changed since the last one.
    pub fn measured(&mut self, offset: LslOffset) -> Option<NewSegment> {
        let was_changed = if self.segment.is_senders_clock {
            self.offset.has_jumped(&offset)
        } else {
            // Stamps of an unknown clock that fit this measurement are the sender's: it was changed, and a sample came first.
            self.segment.base_ns.abs_diff(offset.offset_ns) <= FOREIGN_NS.unsigned_abs()
        };
        self.offset = offset;
        if !was_changed {
            return None;
        }
        let reason = SegmentReason::ClockChanged;
        self.segment = NewSegment { base_ns: offset.offset_ns, is_senders_clock: true, reason };
        Some(self.segment)
    }

    /// The stored time of a sample that arrives `now`, and the segment that begins with it.
    pub fn at(&mut self, stamp_ns: i64, now: Timestamp) -> (Timestamp, Option<NewSegment>) {
        let at = |base_ns: i64| Timestamp::from_ns(stamp_ns.saturating_add(base_ns));
        let earliest_ns = |is_senders_clock| if is_senders_clock { self.connected_at.min(now) } else { now }.as_ns();
        let fits = |base_ns: i64, is_senders_clock: bool| {
            let at_ns = at(base_ns).as_ns();
            at_ns >= earliest_ns(is_senders_clock).saturating_sub(FOREIGN_NS)
                && at_ns <= now.as_ns().saturating_add(FOREIGN_NS)
        };
        if fits(self.segment.base_ns, self.segment.is_senders_clock) {
            return (at(self.segment.base_ns), None);
        }
        let is_senders_clock = fits(self.offset.offset_ns, true);
        let base_ns = if is_senders_clock { self.offset.offset_ns } else { now.as_ns().saturating_sub(stamp_ns) };
        self.segment = NewSegment { base_ns, is_senders_clock, reason: SegmentReason::StampsChanged };
        (at(base_ns), Some(self.segment))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const S: i64 = 1_000_000_000;

    fn measured(remote_s: i64, offset_ns: i64) -> LslOffset {
        LslOffset { remote_ns: remote_s * S, offset_ns, uncertainty_ns: 200_000 }
    }

    fn at(s: i64) -> Timestamp {
        Timestamp::from_ns(s * S)
    }

    #[test]
    fn a_segment_begins_where_the_clock_changes_and_nowhere_else() {
        let mut arrival = Arrival::connected(measured(1000, -900 * S), at(100), SegmentReason::Start);
        assert_eq!(arrival.at(1001 * S, at(101)), (at(101), None));
        // A quartz drifts, and the base stays.
        assert_eq!(arrival.measured(measured(1004, -900 * S + 200_000)), None);
        assert_eq!(arrival.at(1005 * S, at(105)), (at(105), None));
        // Somebody sets the sender's clock.
        let changed = arrival.measured(measured(5000, -4892 * S)).unwrap();
        assert_eq!((changed.base_ns, changed.reason), (-4892 * S, SegmentReason::ClockChanged));
        assert_eq!(arrival.at(5001 * S, at(109)), (at(109), None));
    }

    #[test]
    fn stamps_in_utc_are_another_clock_and_said_to_be() {
        let mut arrival = Arrival::connected(measured(1000, -900 * S), at(100), SegmentReason::Start);
        let utc = 1_700_000_000 * S;
        let (first, segment) = arrival.at(utc, at(101));
        let segment = segment.unwrap();
        assert_eq!((first, segment.is_senders_clock, segment.reason), (at(101), false, SegmentReason::StampsChanged));
        assert_eq!(arrival.at(utc + 2 * S, at(103)), (at(103), None), "the distances stay");
        assert_eq!(arrival.measured(measured(9000, -8000 * S)), None, "that clock is not in use");
        // The sender goes over to the right clock.
        let (time, segment) = arrival.at(9001 * S, at(1001));
        assert_eq!((time, segment.map(|s| s.is_senders_clock)), (at(1001), Some(true)));
    }

    #[test]
    fn a_changed_clock_that_a_sample_shows_before_a_measurement_is_the_senders_again_after_it() {
        let mut arrival = Arrival::connected(measured(1000, -900 * S), at(100), SegmentReason::Start);
        // The sender's clock is set forward by 600 s.
        let (_, segment) = arrival.at(1605 * S, at(105));
        assert_eq!(segment.map(|s| s.is_senders_clock), Some(false));
        let segment = arrival.measured(measured(1607, -1500 * S + 20)).unwrap();
        assert_eq!((segment.base_ns, segment.is_senders_clock), (-1500 * S + 20, true));
        assert_eq!(arrival.at(1608 * S, at(108)).1, None);
    }

    #[test]
    fn late_samples_keep_the_time_of_their_stamps_and_those_from_before_the_connection_do_not() {
        let mut arrival = Arrival::connected(measured(1000, -900 * S), at(100), SegmentReason::Start);
        assert_eq!(arrival.at(1010 * S, at(400)), (at(110), None), "290 s late");
        let (time, segment) = arrival.at(960 * S, at(401));
        assert_eq!((time, segment.map(|s| s.is_senders_clock)), (at(401), Some(false)));
    }

    proptest! {
        #[test]
        fn the_stamp_can_always_be_computed_back_and_no_time_is_impossible(
            stamps in prop::collection::vec((-4i64 * 1_000_000_000 * S..4 * 1_000_000_000 * S, 0i64..1000), 1..60)
        ) {
            let mut arrival = Arrival::connected(measured(0, 0), at(0), SegmentReason::Start);
            for (stamp_ns, now_s) in stamps {
                let (stored, _) = arrival.at(stamp_ns, at(now_s));
                prop_assert_eq!(stored.as_ns() - arrival.segment().base_ns, stamp_ns);
                prop_assert!((-FOREIGN_NS..=now_s * S + FOREIGN_NS).contains(&stored.as_ns()));
            }
        }
    }
}
