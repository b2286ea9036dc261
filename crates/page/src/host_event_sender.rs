//! The way of a page's events to the sequencer: through the gate, into a bounded queue.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::gate::{Gate, Refusal, Refusals};
use super::host_protocol::{DeniedAction, HostEvent};
use session::monotonic_ns;

/// Sends events to the sequencer if the gate lets them pass. Used by the view's thread only.
pub(super) struct HostEventSender {
    gate: RefCell<Gate>,
    /// The study's page is shown. From then on the page cannot navigate back to the cross.
    has_begun: Cell<bool>,
    /// One of the program's own pages is shown. The study's page cannot navigate to them.
    own_page: Cell<bool>,
    /// No script of the page listens for the key that was pressed last.
    is_key_unused: Cell<bool>,
    /// The message of `unused_keys.js`.
    unused_key: String,
    /// Returns `false` if there is no room. Does not block, because the page waits for this thread.
    queue: Box<dyn Fn(HostEvent) -> bool>,
}

impl HostEventSender {
    /// `token` begins each message of the recording script. `has_begun`: the page is shown without a cross before it.
    pub fn new(token: String, has_begun: bool, queue: Box<dyn Fn(HostEvent) -> bool>) -> Rc<HostEventSender> {
        Rc::new(HostEventSender {
            has_begun: Cell::new(has_begun),
            is_key_unused: Cell::new(false),
            unused_key: format!("{token}k"),
            gate: RefCell::new(Gate::new(token)),
            own_page: Cell::new(false),
            queue,
        })
    }

    pub fn has_begun(&self) -> bool {
        self.has_begun.get()
    }

    pub fn set_begun(&self) {
        self.has_begun.set(true);
    }

    pub fn set_own_page(&self, is_own: bool) {
        self.own_page.set(is_own);
    }

    pub fn shows_own_page(&self) -> bool {
        self.own_page.get()
    }

    /// Whether no script of the page listens for the key that was pressed last. Forgets it.
    pub fn take_unused_key(&self) -> bool {
        self.is_key_unused.take()
    }

    pub fn forget_unused_key(&self) {
        self.is_key_unused.set(false);
    }

    pub fn send(&self, event: HostEvent) {
        if !(self.queue)(event) {
            self.gate.borrow_mut().tally.add(Refusal::QueueFull, 1, monotonic_ns());
        }
    }

    pub fn send_message(&self, text: &str) {
        if text == self.unused_key {
            self.is_key_unused.set(true);
            return;
        }
        let arrived_ns = monotonic_ns();
        let passed = self.gate.borrow_mut().pass(text, arrived_ns).map(str::to_owned);
        if let Some(json) = passed {
            self.send(HostEvent::Message { arrived_ns, json });
        }
        self.send_due_refusals(arrived_ns);
    }

    /// A denied action becomes an event of the page. The rate of these events has a limit.
    pub fn send_denied(&self, action: DeniedAction, detail: &str) {
        let at_ns = monotonic_ns();
        if self.gate.borrow_mut().pass_denied(at_ns) {
            self.send(HostEvent::ActionDenied { at_ns, action, detail: detail.to_owned() });
        }
    }

    pub fn send_due_refusals(&self, now_ns: i64) {
        let due = self.gate.borrow_mut().tally.due(now_ns);
        self.send_refusals(due);
    }

    /// Called when the page closes.
    pub fn send_all_refusals(&self) {
        let all = self.gate.borrow_mut().tally.all();
        self.send_refusals(all);
    }

    fn send_refusals(&self, refusals: Vec<Refusals>) {
        for refusals in refusals {
            if !(self.queue)(HostEvent::Refused(refusals)) {
                // They stay counted and are sent when there is room.
                let mut gate = self.gate.borrow_mut();
                gate.tally.put_back(refusals);
            }
        }
    }
}
