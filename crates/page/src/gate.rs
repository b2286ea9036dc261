//! Checks each message of a page: its origin, its size and the rate. The gate runs in the process that shows the page,
//! before all queues. So a page that sends too much costs one comparison per message and no memory.

use serde::{Deserialize, Serialize};

use session::page_message::MAX_MESSAGE_BYTES;

/// Why messages of a page were refused. `Display` is the text for the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    #[error("sent by a script of the page and not by the recording script")]
    Foreign,
    #[error("longer than {MAX_MESSAGE_BYTES} bytes")]
    TooLarge,
    #[error("more messages per second than a page may send")]
    Flood,
    #[error("not a valid message of the recording script")]
    Malformed,
    #[error("lost between the page and the program")]
    Lost,
    #[error("a queue of the program was full")]
    QueueFull,
}

impl Refusal {
    pub const ALL: [Refusal; 6] =
        [Refusal::Foreign, Refusal::TooLarge, Refusal::Flood, Refusal::Malformed, Refusal::Lost, Refusal::QueueFull];

    /// The name in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Refusal::Foreign => "foreign",
            Refusal::TooLarge => "too_large",
            Refusal::Flood => "flood",
            Refusal::Malformed => "malformed",
            Refusal::Lost => "lost",
            Refusal::QueueFull => "queue_full",
        }
    }

    /// Whether a message of the recording script is missing. Messages of other scripts are not a loss.
    pub fn is_loss(self) -> bool {
        self != Refusal::Foreign
    }
}

/// The cause of a message. Each lane has its own limit, so a page that sends too much does not displace the
/// participant's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Participant,
    Page,
    Clock,
}

/// A token bucket: lets `rate_hz` messages pass on average, and `burst` at once.
#[derive(Debug, Clone)]
struct Bucket {
    rate_hz: f64,
    burst: f64,
    level: f64,
    at_ns: i64,
}

impl Bucket {
    fn new(rate_hz: f64, burst: f64) -> Self {
        Bucket { rate_hz, burst, level: burst, at_ns: i64::MIN }
    }

    fn take(&mut self, now_ns: i64) -> bool {
        let elapsed_s = now_ns.saturating_sub(self.at_ns).max(0) as f64 * 1e-9;
        self.level = (self.level + elapsed_s * self.rate_hz).min(self.burst);
        self.at_ns = now_ns;
        let is_open = self.level >= 1.0;
        if is_open {
            self.level -= 1.0;
        }
        is_open
    }
}

/// Refusals of one reason, with raw monotonic times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusals {
    pub reason: Refusal,
    pub count: u64,
    pub from_ns: i64,
    pub until_ns: i64,
}

/// Counts refusals and reports them at most once a second for each reason.
#[derive(Debug, Default)]
pub struct Tally {
    open: Vec<Refusals>,
}

impl Tally {
    const PERIOD_NS: i64 = 1_000_000_000;

    pub fn add(&mut self, reason: Refusal, count: u64, now_ns: i64) {
        match self.open.iter_mut().find(|r| r.reason == reason) {
            Some(refusals) => {
                refusals.count += count;
                refusals.until_ns = now_ns;
            }
            None => self.open.push(Refusals { reason, count, from_ns: now_ns, until_ns: now_ns }),
        }
    }

    /// Removes and returns the counts that began at least a second ago.
    pub fn due(&mut self, now_ns: i64) -> Vec<Refusals> {
        self.open.extract_if(.., |r| now_ns.saturating_sub(r.from_ns) >= Self::PERIOD_NS).collect()
    }

    /// Adds a count again that could not be sent.
    pub fn put_back(&mut self, unsent: Refusals) {
        self.add(unsent.reason, unsent.count, unsent.until_ns);
        if let Some(refusals) = self.open.iter_mut().find(|r| r.reason == unsent.reason) {
            refusals.from_ns = refusals.from_ns.min(unsent.from_ns);
        }
    }

    pub fn all(&mut self) -> Vec<Refusals> {
        std::mem::take(&mut self.open)
    }
}

#[derive(Debug)]
pub struct Gate {
    token: String,
    participant: Bucket,
    page: Bucket,
    clock: Bucket,
    denied: Bucket,
    pub tally: Tally,
}

impl Gate {
    /// Only this program and the recording script have `token`.
    pub fn new(token: String) -> Self {
        Gate {
            token,
            participant: Bucket::new(500.0, 2000.0),
            page: Bucket::new(200.0, 1000.0),
            clock: Bucket::new(100.0, 200.0),
            denied: Bucket::new(20.0, 100.0),
            tally: Tally::default(),
        }
    }

    /// Whether one more denied action is reported as an event of its own.
    pub fn pass_denied(&mut self, now_ns: i64) -> bool {
        let is_open = self.denied.take(now_ns);
        if !is_open {
            self.tally.add(Refusal::Foreign, 1, now_ns);
        }
        is_open
    }

    /// The JSON of a message that may pass. `None`: the message was refused and counted.
    pub fn pass<'a>(&mut self, message: &'a str, now_ns: i64) -> Option<&'a str> {
        let own = message.strip_prefix(self.token.as_str()).and_then(|rest| {
            let lane = match rest.as_bytes().first() {
                Some(b'u') => Lane::Participant,
                Some(b'p') => Lane::Page,
                Some(b'c') => Lane::Clock,
                _ => return None,
            };
            Some((lane, &rest[1..]))
        });
        let Some((lane, json)) = own else {
            self.tally.add(Refusal::Foreign, 1, now_ns);
            return None;
        };
        if json.len() > MAX_MESSAGE_BYTES {
            self.tally.add(Refusal::TooLarge, 1, now_ns);
            return None;
        }
        let bucket = match lane {
            Lane::Participant => &mut self.participant,
            Lane::Page => &mut self.page,
            Lane::Clock => &mut self.clock,
        };
        if !bucket.take(now_ns) {
            self.tally.add(Refusal::Flood, 1, now_ns);
            return None;
        }
        Some(json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_the_token_opens() {
        let mut gate = Gate::new("secret".into());
        assert_eq!(gate.pass("secretu{}", 0), Some("{}"));
        for junk in ["", "{}", "u{}", "secret", "secretx{}", "Secretu{}", "secreté"] {
            assert_eq!(gate.pass(junk, 0), None, "{junk}");
        }
        assert_eq!(gate.tally.all(), [Refusals { reason: Refusal::Foreign, count: 7, from_ns: 0, until_ns: 0 }]);
    }

    #[test]
    fn a_flood_of_the_page_leaves_the_participant_alone() {
        let mut gate = Gate::new("t".into());
        let passed = (0..100_000).filter(|k| gate.pass("tp{}", k * 10_000).is_some()).count();
        assert_eq!(passed, 1000 + 199, "a burst, and then what one second gives");
        assert!(gate.pass("tu{}", 1_000_000_000).is_some());
        let refused = gate.tally.due(1_000_000_000 + Tally::PERIOD_NS);
        assert_eq!(refused.iter().map(|r| r.count).sum::<u64>(), 100_000 - passed as u64);
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let mut gate = Gate::new("t".into());
        assert!(gate.pass(&format!("tu{}", "x".repeat(MAX_MESSAGE_BYTES)), 0).is_some());
        assert!(gate.pass(&format!("tu{}", "x".repeat(MAX_MESSAGE_BYTES + 1)), 0).is_none());
        assert_eq!(gate.tally.all()[0].reason, Refusal::TooLarge);
    }

    #[test]
    fn stored_words_agree_with_serde() {
        for reason in Refusal::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), serde_json::Value::from(reason.as_str()));
        }
    }

    proptest! {
        /// For all arrival times: at most burst + rate × time messages pass, and each other message is counted.
        #[test]
        fn the_limit_holds(gaps_ns in prop::collection::vec(0i64..5_000_000, 1..4000)) {
            let mut gate = Gate::new("t".into());
            let mut now_ns = 0;
            let mut passed = 0u64;
            for gap in &gaps_ns {
                now_ns += gap;
                passed += u64::from(gate.pass("tp{}", now_ns).is_some());
            }
            prop_assert!(passed as f64 <= 1000.0 + 200.0 * now_ns as f64 * 1e-9 + 1.0);
            let refused: u64 = gate.tally.all().iter().map(|r| r.count).sum();
            prop_assert_eq!(passed + refused, gaps_ns.len() as u64);
        }
    }
}
