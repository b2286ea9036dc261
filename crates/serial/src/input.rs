//! The thread `serial in`: stamps the bytes that come, and looks for a port that is gone.

use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use super::PortError;
use super::port::{Address, Port};
use session::{Clock, Timestamp};

/// How often a port that is not there is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Larger than what the system keeps of a port, so that one read takes all.
const BUFFER: usize = 8_192;

pub enum InputEvent<'a> {
    /// In their order. They came at most `uncertainty_ns` before `at`.
    Received { bytes: &'a [u8], at: Timestamp, uncertainty_ns: i64 },
    /// The port is gone. It is looked for.
    Lost { at: Timestamp, why: String },
    /// It cannot be opened, for a reason that was not told before.
    NotThere { at: Timestamp, error: PortError },
    /// It is there again.
    Back { at: Timestamp },
    /// The last event.
    Ended { at: Timestamp },
}

/// Runs on the port's thread and must not wait.
pub type InputSink = Box<dyn FnMut(InputEvent<'_>) + Send>;

pub(crate) struct Input {
    pub address: Address,
    pub clock: Clock,
    /// `None`: it is looked for.
    pub port: Option<Port>,
    /// For the other thread.
    pub to_output: Sender<Option<Port>>,
    pub stopped: Receiver<()>,
    pub sink: InputSink,
    /// Why the port could not be opened last.
    pub told: Option<PortError>,
}

impl Input {
    pub fn run(mut self) {
        let mut buffer = vec![0; BUFFER];
        // When the port was last known to be empty.
        let mut empty_at = self.port.as_ref().map_or(Timestamp::ZERO, |port| port.opened_at(self.clock));
        while matches!(self.stopped.try_recv(), Err(TryRecvError::Empty)) {
            let Some(port) = &mut self.port else {
                self.look();
                empty_at = self.port.as_ref().map_or(empty_at, |port| port.opened_at(self.clock));
                continue;
            };
            let before = self.clock.now();
            match port.read(&mut buffer) {
                Ok(0) => empty_at = before,
                Ok(count) => {
                    let at = self.clock.now();
                    let bytes = &buffer[..count];
                    (self.sink)(InputEvent::Received { bytes, at, uncertainty_ns: at.since_ns(empty_at).max(0) });
                    // A full buffer may have left something.
                    if count < BUFFER {
                        empty_at = at;
                    }
                }
                Err(e) => self.lost(&e),
            }
        }
        (self.sink)(InputEvent::Ended { at: self.clock.now() });
    }

    fn lost(&mut self, e: &std::io::Error) {
        self.port = None;
        self.hand_over(None);
        (self.sink)(InputEvent::Lost { at: self.clock.now(), why: format!("it was disconnected ({e})") });
    }

    /// Tries to open the port, else waits for some time.
    fn look(&mut self) {
        let opened = Port::open(&self.address.path, self.address.baud_rate);
        match opened.and_then(|port| Ok((second(&port, &self.address)?, port))) {
            Ok((second, port)) => {
                (self.port, self.told) = (Some(port), None);
                self.hand_over(Some(second));
                (self.sink)(InputEvent::Back { at: self.clock.now() });
            }
            Err(e) => {
                if self.told.as_ref() != Some(&e) {
                    self.told = Some(e.clone());
                    (self.sink)(InputEvent::NotThere { at: self.clock.now(), error: e });
                }
                let until = Instant::now() + LOOK_EVERY;
                // The end of the recording ends the waiting.
                self.stopped.recv_deadline(until).ok();
            }
        }
    }

    /// The other thread takes each message within the time of one write.
    fn hand_over(&self, port: Option<Port>) {
        if self.to_output.send(port).is_err() {
            tracing::error!("the thread that sends to {} has ended", self.address.path);
        }
    }
}

pub(crate) fn second(port: &Port, address: &Address) -> Result<Port, PortError> {
    port.second().map_err(|e| PortError::Other { path: address.path.clone(), why: e.to_string() })
}
