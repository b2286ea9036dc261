//! The way of a page's events to the sequencer: through the gate, into a bounded queue.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::address::Origins;
use super::fixation;
use super::gate::{Gate, Refusal, Refusals};
use super::host_page;
use super::host_protocol::{DeniedAction, HostEvent};
use session::monotonic_ns;

/// Sends events to the sequencer if the gate lets them pass. Used by the view's thread only.
pub(super) struct HostEventSender {
    gate: RefCell<Gate>,
    /// The study's page is shown. From then on the page cannot navigate back to the cross.
    has_begun: Cell<bool>,
    /// The address of the program's own page that is shown. Nothing leads away from it, and the study's page cannot navigate
    /// to it.
    own_page: RefCell<Option<String>>,
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
            own_page: RefCell::default(),
            queue,
        })
    }

    pub fn set_begun(&self) {
        self.has_begun.set(true);
    }

    pub fn set_own_page(&self, url: Option<String>) {
        self.own_page.replace(url);
    }

    /// Whether the page may navigate to `url` now.
    pub fn may_navigate(&self, url: &str, origins: &Origins) -> bool {
        match &*self.own_page.borrow() {
            Some(own) => url == own,
            None if host_page::is_host_page(url) => false,
            None if fixation::is_fixation(url) => !self.has_begun.get(),
            None => origins.allows(url),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::PageAddress;

    #[test]
    fn nothing_leads_back_from_the_programs_own_pages() {
        let page = PageAddress::Url("https://example.org/task".into());
        let origins = Origins::new(&page, &[]).unwrap();
        let sender = HostEventSender::new("token".into(), false, Box::new(|_| true));
        let may = |url: &str| sender.may_navigate(url, &origins);
        let (study, first) = ("https://example.org/next", host_page::questionnaire_url(0));
        assert!(may(fixation::URL) && may(study) && !may(&first) && !may(host_page::CALM));
        sender.set_begun();
        assert!(!may(fixation::URL) && may(study) && !may("https://elsewhere.org/"));
        sender.set_own_page(Some(host_page::questionnaire_url(1)));
        assert!(may(&host_page::questionnaire_url(1)));
        assert!(!may(study), "the mouse's back button does not lead to the task");
        assert!(!may(&first), "nor to an earlier questionnaire");
        sender.set_own_page(None);
        assert!(may(study) && !may(&first));
    }
}
