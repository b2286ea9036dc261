//! Ctrl-C, SIGTERM and log-off (SIGHUP).

use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A log-off sends SIGTERM and SIGHUP at once, and a terminal that closes sends SIGHUP twice. Such a signal is not a second
/// request of a person.
const ONE_REQUEST: Duration = Duration::from_secs(3);

/// The signals of one process.
#[derive(Debug, Default)]
pub struct StopSignal {
    first: OnceLock<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Request {
    Stop,
    /// Belongs to the request that is being carried out.
    Same,
    /// The person does not want to wait. This loses at most the last moments.
    EndNow,
}

impl StopSignal {
    /// Calls `stop` at the first signal. A signal more than three seconds later ends the process.
    pub fn received(&self, stop: impl FnOnce()) {
        match self.request(Instant::now()) {
            Request::Stop => stop(),
            Request::Same => {}
            Request::EndNow => std::process::exit(130),
        }
    }

    fn request(&self, now: Instant) -> Request {
        let mut is_first = false;
        let first = *self.first.get_or_init(|| {
            is_first = true;
            now
        });
        match now.duration_since(first) {
            _ if is_first => Request::Stop,
            waited if waited < ONE_REQUEST => Request::Same,
            _ => Request::EndNow,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signals_of_a_log_off_are_one_request() {
        let (signal, start) = (StopSignal::default(), Instant::now());
        let after = |ms| signal.request(start + Duration::from_millis(ms));
        assert_eq!([after(0), after(1), after(2_999)], [Request::Stop, Request::Same, Request::Same]);
        assert_eq!(after(3_000), Request::EndNow);
    }
}
