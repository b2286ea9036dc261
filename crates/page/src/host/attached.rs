//! A session that has the page: the sequencer of its events, and the session's queue.

use std::time::{Duration, Instant};

use crossbeam_channel::{Sender, TrySendError};

use crate::event_sequencer::PageEventSequencer;
use crate::host_protocol::{HostCommand, HostEvent};
use crate::{PageEvent, PageProcess};
use session::{Clock, monotonic_ns};

pub(super) struct Attached {
    sequencer: PageEventSequencer,
    out: Sender<PageEvent>,
    /// The page is being removed. The session ends at this time at the latest.
    ends_at: Option<Instant>,
}

impl Attached {
    pub fn new(clock: Clock, out: Sender<PageEvent>, waits_after_crash: bool) -> Attached {
        let sequencer = PageEventSequencer::new(clock, monotonic_ns(), waits_after_crash);
        Attached { sequencer, out, ends_at: None }
    }

    pub fn handle(&mut self, event: HostEvent, now_ns: i64) {
        if event == HostEvent::Unloaded {
            self.ends_at = self.ends_at.map(|_| Instant::now());
        } else {
            self.sequencer.handle(event, now_ns);
        }
    }

    pub fn window_ended(&mut self, why: String, now_ns: i64) {
        let restart = HostCommand::Respawn { has_page: self.ends_at.is_none() };
        self.sequencer.process_died(PageProcess::Window, why, now_ns, restart);
        self.ends_at = self.ends_at.map(|_| Instant::now());
    }

    /// The operator asks for the page again.
    pub fn operator_loads(&mut self, now_ns: i64) {
        self.sequencer.operator_loads(now_ns);
    }

    /// Returns the commands that are due, and sends events.
    pub fn drive(&mut self, now_ns: i64) -> Vec<HostCommand> {
        self.sequencer.tick(now_ns);
        self.forward();
        self.sequencer.take_commands()
    }

    /// Returns whether this is the first call.
    pub fn begin_end(&mut self, at_the_latest: Instant) -> bool {
        let is_first = self.ends_at.is_none();
        self.ends_at.get_or_insert(at_the_latest);
        is_first
    }

    pub fn has_ended(&self) -> bool {
        self.ends_at.is_some_and(|at| Instant::now() >= at)
    }

    /// Sends as many events as the session's queue has room for.
    fn forward(&mut self) {
        while let Some(event) = self.sequencer.events().pop_front() {
            match self.out.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.sequencer.events().push_front(event);
                    return;
                }
                // The session has dropped its receiver: its end follows.
                Err(TrySendError::Disconnected(_)) => {}
            }
        }
    }

    /// Sends all events that are left, and [`PageEvent::Closed`].
    pub fn finish(mut self, limit: Duration) {
        self.sequencer.finish();
        self.sequencer.events().push_back(PageEvent::Closed);
        let deadline = Instant::now() + limit;
        while let Some(event) = self.sequencer.events().pop_front() {
            // A session that takes no event for so long has failed and reports that itself.
            if self.out.send_deadline(event, deadline).is_err() {
                return;
            }
        }
    }
}
