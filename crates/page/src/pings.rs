//! When a page is asked for its time: bursts of questions, one on its way at a time.

use super::clock::Ping;

const SECOND: i64 = 1_000_000_000;
const EVERY_NS: i64 = 5 * SECOND;
/// Answers that take longer do not count.
const LIMIT_NS: i64 = SECOND;
/// Of a document's first burst, and of those that follow.
pub const FIRST_BURST: usize = 10;
pub const BURST: usize = 5;

/// What is to be done next.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// Ask the page; the answer bears this number.
    Ask(u64),
    /// The burst is over, and this was answered.
    Over(Vec<Ping>),
}

struct InFlight {
    id: u64,
    asked_ns: i64,
    sent_ns: Option<i64>,
}

pub struct Pings {
    left: usize,
    answered: Vec<Ping>,
    in_flight: Option<InFlight>,
    next_id: u64,
    next_burst_ns: i64,
    /// Since the page was last heard of.
    unanswered: u32,
}

impl Pings {
    pub fn new() -> Self {
        Pings { left: 0, answered: Vec::new(), in_flight: None, next_id: 0, next_burst_ns: i64::MAX, unanswered: 0 }
    }

    pub fn begin(&mut self, pings: usize, now_ns: i64) -> Step {
        // While a page is busy or frozen, one question in a while is enough.
        let (pings, every_ns) = if self.unanswered > 30 { (1, 12 * EVERY_NS) } else { (pings, EVERY_NS) };
        self.left = pings;
        self.answered.clear();
        self.next_burst_ns = now_ns + every_ns;
        self.next(now_ns)
    }

    /// There is no document that could answer.
    pub fn stop(&mut self) {
        self.left = 0;
        self.answered.clear();
        self.in_flight = None;
        self.next_burst_ns = i64::MAX;
    }

    /// The next burst is wanted at `at_ns`.
    pub fn again_at(&mut self, at_ns: i64) {
        self.next_burst_ns = at_ns;
    }

    pub fn is_asking(&self) -> bool {
        self.in_flight.is_some()
    }

    /// The page said something, whatever it was.
    pub fn heard(&mut self) {
        self.unanswered = 0;
    }

    pub fn sent(&mut self, id: u64, sent_ns: i64) {
        if let Some(ping) = self.in_flight.as_mut().filter(|p| p.id == id) {
            ping.sent_ns = Some(sent_ns);
        }
    }

    /// Whether an answer with this number still counts.
    pub fn awaits(&self, id: u64) -> bool {
        self.in_flight.as_ref().is_some_and(|p| p.id == id)
    }

    /// What was answered so far was another document's word.
    pub fn forget_answers(&mut self) {
        self.answered.clear();
    }

    /// The answer to the question that is on its way.
    pub fn answered(&mut self, page_ms: f64, received_ns: i64) -> Step {
        let sent_ns = self.in_flight.take().and_then(|p| p.sent_ns).filter(|sent_ns| *sent_ns <= received_ns);
        if let Some(sent_ns) = sent_ns {
            self.answered.push(Ping { sent_ns, received_ns, page_ms });
        }
        self.next(received_ns)
    }

    /// Gives up a question that was not answered in time.
    pub fn expire(&mut self, now_ns: i64) -> Option<Step> {
        self.in_flight.take_if(|ping| now_ns - ping.asked_ns > LIMIT_NS)?;
        self.unanswered += 1;
        Some(self.next(now_ns))
    }

    pub fn is_due(&self, now_ns: i64) -> bool {
        now_ns >= self.next_burst_ns && !self.is_asking()
    }

    fn next(&mut self, now_ns: i64) -> Step {
        if self.left == 0 {
            return Step::Over(std::mem::take(&mut self.answered));
        }
        self.left -= 1;
        let id = self.next_id;
        self.next_id += 1;
        self.in_flight = Some(InFlight { id, asked_ns: now_ns, sent_ns: None });
        Step::Ask(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_asks_one_at_a_time_and_tells_what_was_answered() {
        let mut pings = Pings::new();
        assert_eq!(pings.begin(2, 0), Step::Ask(0));
        pings.sent(0, 10);
        assert!(pings.awaits(0) && !pings.awaits(1) && !pings.is_due(EVERY_NS));
        assert_eq!(pings.answered(1.0, 30), Step::Ask(1));
        // Nobody said when it left, so its answer measures nothing.
        let told = pings.answered(2.0, 50);
        assert_eq!(told, Step::Over(vec![Ping { sent_ns: 10, received_ns: 30, page_ms: 1.0 }]));
        assert!(!pings.is_asking() && !pings.is_due(EVERY_NS - 1) && pings.is_due(EVERY_NS));
    }

    #[test]
    fn a_silent_page_is_asked_less_until_it_is_heard() {
        let mut pings = Pings::new();
        let mut now_ns = 0;
        for _ in 0..7 {
            assert!(matches!(pings.begin(BURST, now_ns), Step::Ask(_)));
            while pings.is_asking() {
                assert_eq!(pings.expire(now_ns + LIMIT_NS), None, "not yet too late");
                now_ns += LIMIT_NS + 1;
                assert!(pings.expire(now_ns).is_some());
            }
        }
        assert!(matches!(pings.begin(BURST, now_ns), Step::Ask(_)));
        now_ns += LIMIT_NS + 1;
        assert_eq!(pings.expire(now_ns), Some(Step::Over(Vec::new())), "one question was enough");
        assert!(!pings.is_due(now_ns + 11 * EVERY_NS));
        pings.heard();
        assert!(matches!(pings.begin(2, now_ns), Step::Ask(_)));
        assert!(matches!(pings.expire(now_ns + 2 * LIMIT_NS), Some(Step::Ask(_))));
    }
}
