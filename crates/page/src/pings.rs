//! The schedule of pings, which measure the page's clock: bursts of pings, one ping at a time.

use super::clock::Ping;

const SECOND: i64 = 1_000_000_000;
const EVERY_NS: i64 = 5 * SECOND;
/// Later answers are ignored.
const LIMIT_NS: i64 = SECOND;
/// The number of pings in a document's first burst, and in the later ones.
pub const FIRST_BURST: usize = 10;
pub const BURST: usize = 5;

/// The next action.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Send a ping with this number. The answer has the same number.
    Send(u64),
    /// The burst is finished. These pings were answered.
    Finished(Vec<Ping>),
}

struct InFlight {
    id: u64,
    requested_ns: i64,
    sent_ns: Option<i64>,
}

pub struct Pings {
    left: usize,
    answered: Vec<Ping>,
    in_flight: Option<InFlight>,
    next_id: u64,
    next_burst_ns: i64,
    /// Pings without an answer since the last message of the page.
    unanswered: u32,
}

impl Pings {
    pub fn new() -> Self {
        Pings { left: 0, answered: Vec::new(), in_flight: None, next_id: 0, next_burst_ns: i64::MAX, unanswered: 0 }
    }

    pub fn begin(&mut self, pings: usize, now_ns: i64) -> Step {
        // A page that is busy or frozen receives one ping per minute.
        let (pings, every_ns) = if self.unanswered > 30 { (1, 12 * EVERY_NS) } else { (pings, EVERY_NS) };
        self.left = pings;
        self.answered.clear();
        self.next_burst_ns = now_ns + every_ns;
        self.next(now_ns)
    }

    /// Called when no document is loaded.
    pub fn stop(&mut self) {
        self.left = 0;
        self.answered.clear();
        self.in_flight = None;
        self.next_burst_ns = i64::MAX;
    }

    /// Schedules the next burst.
    pub fn schedule_at(&mut self, at_ns: i64) {
        self.next_burst_ns = at_ns;
    }

    pub fn has_ping_in_flight(&self) -> bool {
        self.in_flight.is_some()
    }

    /// Called for each message of the page.
    pub fn page_responded(&mut self) {
        self.unanswered = 0;
    }

    pub fn sent(&mut self, id: u64, sent_ns: i64) {
        if let Some(ping) = self.in_flight.as_mut().filter(|p| p.id == id) {
            ping.sent_ns = Some(sent_ns);
        }
    }

    /// Whether the ping with this number is still waiting for its answer.
    pub fn is_waiting_for(&self, id: u64) -> bool {
        self.in_flight.as_ref().is_some_and(|p| p.id == id)
    }

    /// Called when another document answers.
    pub fn discard_answers(&mut self) {
        self.answered.clear();
    }

    /// Takes the answer to the ping that is in flight.
    pub fn answered(&mut self, page_ms: f64, received_ns: i64) -> Step {
        let sent_ns = self.in_flight.take().and_then(|p| p.sent_ns).filter(|sent_ns| *sent_ns <= received_ns);
        if let Some(sent_ns) = sent_ns {
            self.answered.push(Ping { sent_ns, received_ns, page_ms });
        }
        self.next(received_ns)
    }

    /// Ends the wait for a ping that was not answered in time.
    pub fn expire(&mut self, now_ns: i64) -> Option<Step> {
        self.in_flight.take_if(|ping| now_ns - ping.requested_ns > LIMIT_NS)?;
        self.unanswered += 1;
        Some(self.next(now_ns))
    }

    pub fn is_due(&self, now_ns: i64) -> bool {
        now_ns >= self.next_burst_ns && !self.has_ping_in_flight()
    }

    fn next(&mut self, now_ns: i64) -> Step {
        if self.left == 0 {
            return Step::Finished(std::mem::take(&mut self.answered));
        }
        self.left -= 1;
        let id = self.next_id;
        self.next_id += 1;
        self.in_flight = Some(InFlight { id, requested_ns: now_ns, sent_ns: None });
        Step::Send(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_asks_one_at_a_time_and_tells_what_was_answered() {
        let mut pings = Pings::new();
        assert_eq!(pings.begin(2, 0), Step::Send(0));
        pings.sent(0, 10);
        assert!(pings.is_waiting_for(0) && !pings.is_waiting_for(1) && !pings.is_due(EVERY_NS));
        assert_eq!(pings.answered(1.0, 30), Step::Send(1));
        // Its time of departure was not reported, so the answer is not a measurement.
        let step = pings.answered(2.0, 50);
        assert_eq!(step, Step::Finished(vec![Ping { sent_ns: 10, received_ns: 30, page_ms: 1.0 }]));
        assert!(!pings.has_ping_in_flight() && !pings.is_due(EVERY_NS - 1) && pings.is_due(EVERY_NS));
    }

    #[test]
    fn a_silent_page_is_asked_less_until_it_is_heard() {
        let mut pings = Pings::new();
        let mut now_ns = 0;
        for _ in 0..7 {
            assert!(matches!(pings.begin(BURST, now_ns), Step::Send(_)));
            while pings.has_ping_in_flight() {
                assert_eq!(pings.expire(now_ns + LIMIT_NS), None, "not yet too late");
                now_ns += LIMIT_NS + 1;
                assert!(pings.expire(now_ns).is_some());
            }
        }
        assert!(matches!(pings.begin(BURST, now_ns), Step::Send(_)));
        now_ns += LIMIT_NS + 1;
        assert_eq!(pings.expire(now_ns), Some(Step::Finished(Vec::new())), "one ping was enough");
        assert!(!pings.is_due(now_ns + 11 * EVERY_NS));
        pings.page_responded();
        assert!(matches!(pings.begin(2, now_ns), Step::Send(_)));
        assert!(matches!(pings.expire(now_ns + 2 * LIMIT_NS), Some(Step::Send(_))));
    }
}
