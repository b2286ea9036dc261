//! Readings of a document's clock that agree with each other.

use super::wire::DocumentClock;
use session::{CLOCK_DRIFT, Timestamp};

/// A clock that is being set runs this much faster or slower (NTP's limit). More is a jump.
const LARGEST_DRIFT: f64 = 500e-6;

/// The readings between two jumps of the clock.
#[derive(Debug)]
pub struct ClockRun {
    /// The reading in use.
    clock: DocumentClock,
    begin_ms: f64,
    end_ms: f64,
    /// The latest placed record.
    last: Option<(f64, Timestamp)>,
    /// The jump before this run is recorded.
    pub is_noted: bool,
}

impl ClockRun {
    pub fn new(first: DocumentClock) -> ClockRun {
        ClockRun { clock: first, begin_ms: first.at_ms, end_ms: asked_ms(&first), last: None, is_noted: false }
    }

    pub fn clock(&self) -> DocumentClock {
        self.clock
    }

    /// The time of the first reading, in `performance.now()`.
    pub fn begin_ms(&self) -> f64 {
        self.begin_ms
    }

    /// The clock ran without a jump until then.
    pub fn end_ms(&self) -> f64 {
        self.end_ms
    }

    /// Whether the clock jumped between this run and the reading.
    pub fn is_left_by(&self, reading: &DocumentClock) -> bool {
        contradict(&self.clock, reading, LARGEST_DRIFT)
    }

    pub fn add(&mut self, reading: DocumentClock) {
        self.clock = better(self.clock, reading);
        self.begin_ms = self.begin_ms.min(reading.at_ms);
        self.end_ms = self.end_ms.max(asked_ms(&reading));
    }

    /// `at`, but not before a record that is earlier on the document's own clock.
    pub fn forward(&mut self, page_ms: f64, at: Timestamp) -> Timestamp {
        let at = match self.last {
            Some((last_ms, last)) if page_ms >= last_ms => at.max(last),
            Some(_) => return at,
            None => at,
        };
        self.last = Some((page_ms, at));
        at
    }
}

/// When the request of the reading was sent, at the earliest: half a round trip is the uncertainty.
fn asked_ms(reading: &DocumentClock) -> f64 {
    reading.at_ms - 2.0 * reading.uncertainty_ms
}

/// Whether no offset is within the errors of both readings.
fn contradict(a: &DocumentClock, b: &DocumentClock, drift: f64) -> bool {
    let errors_ms = a.uncertainty_ms + b.uncertainty_ms + (a.at_ms - b.at_ms).abs() * drift;
    (a.offset_ms - b.offset_ms).abs() > errors_ms
}

/// The reading with the smaller error at the time of the later one. If they contradict each other, the later one. The client
/// (`clock.ts`) chooses in the same way.
fn better(a: DocumentClock, b: DocumentClock) -> DocumentClock {
    let (old, fresh) = if a.at_ms <= b.at_ms { (a, b) } else { (b, a) };
    let old_error_ms = old.uncertainty_ms + (fresh.at_ms - old.at_ms) * CLOCK_DRIFT;
    if old_error_ms < fresh.uncertainty_ms && !contradict(&old, &fresh, CLOCK_DRIFT) { old } else { fresh }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(at_ms: f64, offset_ms: f64, uncertainty_ms: f64) -> DocumentClock {
        DocumentClock { at_ms, offset_ms, uncertainty_ms }
    }

    #[test]
    fn a_tighter_reading_counts_until_a_fresh_one_contradicts_it() {
        let mut run = ClockRun::new(reading(1_000.0, 500.0, 1.0));
        run.add(reading(6_000.0, 510.0, 30.0));
        assert_eq!(run.clock(), reading(1_000.0, 500.0, 1.0));
        // Slewed: no jump, but the old reading is wrong.
        let slewed = reading(1_001_000.0, 560.0, 2.0);
        assert!(!run.is_left_by(&slewed));
        run.add(slewed);
        assert_eq!(run.clock(), slewed);
        assert!(run.is_left_by(&reading(1_006_000.0, 20_560.0, 35.0)));
    }

    #[test]
    fn an_older_reading_that_arrives_late_changes_nothing() {
        let mut run = ClockRun::new(reading(9_000.0, 500.0, 1.0));
        run.add(reading(4_000.0, 500.0, 8.0));
        assert_eq!((run.clock(), run.begin_ms(), run.end_ms()), (reading(9_000.0, 500.0, 1.0), 4_000.0, 8_998.0));
    }
}
