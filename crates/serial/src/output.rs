//! The thread `serial out`: sends bytes with their pulses.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, at as alarm_at, never, select};

use super::NotSent;
use super::port::Port;
use session::{Clock, Timestamp};

/// Bytes that wait. More marks than this within some milliseconds are an error of the page.
pub(crate) const QUEUE: usize = 64;

/// One byte to send, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trigger {
    pub byte: u8,
    /// Of the mark or the marker.
    pub label: String,
    /// The stream of the mark or the marker.
    pub of: &'static str,
    /// When it happened.
    pub event_at: Timestamp,
}

/// What became of a byte. `error`: it was not sent.
pub enum OutputEvent {
    /// The system took it at `at`, and needed `took_ns` for it.
    Sent { trigger: Trigger, at: Timestamp, took_ns: i64, error: Option<NotSent> },
    /// The 0 that ends a pulse.
    Reset { at: Timestamp, took_ns: i64, error: Option<NotSent> },
}

/// Runs on the port's thread and must not wait.
pub type OutputSink = Box<dyn FnMut(OutputEvent) + Send>;

/// Gives bytes to the port's thread. Never waits. After the thread has ended, there is no room.
#[derive(Clone)]
pub struct TriggerSender(pub(crate) Sender<Trigger>);

impl TriggerSender {
    /// Gives the trigger back if there is no room for it.
    pub fn send(&self, trigger: Trigger) -> Result<(), Trigger> {
        self.0.try_send(trigger).map_err(crossbeam_channel::TrySendError::into_inner)
    }
}

pub(crate) struct Output {
    pub clock: Clock,
    pub port: Option<Port>,
    /// `None`: no 0 follows a byte.
    pub pulse: Option<Duration>,
    /// When the pulse ends that is on.
    pub reset_at: Option<Instant>,
    pub sink: OutputSink,
}

impl Output {
    /// Until it is stopped. Then it sends what waits and ends the pulse at once.
    pub fn run(mut self, triggers: &Receiver<Trigger>, mut ports: Receiver<Option<Port>>, stopped: &Receiver<()>) {
        loop {
            let reset = self.reset_at.map_or_else(never, alarm_at);
            select! {
                recv(ports) -> port => match port {
                    Ok(port) => self.port = port,
                    Err(_) => ports = never(),
                },
                recv(triggers) -> trigger => match trigger {
                    Ok(trigger) => self.send(trigger),
                    Err(_) => break,
                },
                recv(reset) -> _ => self.reset(),
                recv(stopped) -> _ => break,
            }
        }
        triggers.try_iter().for_each(|trigger| self.send(trigger));
        if self.reset_at.is_some() {
            self.reset();
        }
    }

    fn send(&mut self, trigger: Trigger) {
        let (at, took_ns, error) = self.write(trigger.byte);
        // A byte during the pulse of another one replaces it. Both pulses end together.
        if error.is_none() {
            self.reset_at = self.pulse.map(|pulse| Instant::now() + pulse);
        }
        (self.sink)(OutputEvent::Sent { trigger, at, took_ns, error });
    }

    fn reset(&mut self) {
        self.reset_at = None;
        let (at, took_ns, error) = self.write(0);
        (self.sink)(OutputEvent::Reset { at, took_ns, error });
    }

    /// When the system took the byte, how long that took, and why it was not sent.
    fn write(&mut self, byte: u8) -> (Timestamp, i64, Option<NotSent>) {
        let before = self.clock.now();
        let written = self.port.as_mut().map(|port| port.write(byte));
        let at = self.clock.now();
        let error = match written {
            Some(Ok(())) => None,
            Some(Err(e)) if e.kind() == ErrorKind::TimedOut => Some(NotSent::Blocked),
            Some(Err(e)) => Some(NotSent::Refused(e.to_string())),
            None => Some(NotSent::Gone),
        };
        (at, at.since_ns(before).max(0), error)
    }
}
