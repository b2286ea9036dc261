//! Counts how often a process has died. A process that dies too often is not started again.

const DEATHS_ALLOWED: usize = 5;
const WITHIN_NS: i64 = 60_000_000_000;

#[derive(Debug, Default)]
pub(super) struct Deaths {
    at_ns: Vec<i64>,
}

impl Deaths {
    /// Counts a death. Returns whether the process may be started again.
    pub fn is_one_more_allowed(&mut self, now_ns: i64) -> bool {
        self.at_ns.retain(|t| now_ns - t < WITHIN_NS);
        self.at_ns.push(now_ns);
        self.at_ns.len() <= DEATHS_ALLOWED
    }

    /// The deaths of the last minute.
    pub fn count(&self) -> usize {
        self.at_ns.len()
    }
}
