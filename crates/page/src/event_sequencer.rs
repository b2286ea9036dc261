//! Turns all events of a page's host into events of the session. This is a state machine without I/O. Its inputs are
//! host events and the time, so it is the same for both placements.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::clock::{PageClock, Ping};
use super::deaths::Deaths;
use super::gate::{Refusal, Refusals, Tally};
use super::host_protocol::{HostCommand, HostEvent};
use super::pings::{BURST, FIRST_BURST, Pings, Step};
use super::{PageEvent, PageProcess, PageRecord};
use session::page_message::{Body, Event, Message};
use session::{Clock, Timestamp};

const MS: i64 = 1_000_000;
const SECOND: i64 = 1_000 * MS;
const LOAD_LIMIT_NS: i64 = 15 * SECOND;
/// Events wait this long for the first measurement of their document's clock.
const HOLD_LIMIT_NS: i64 = 5 * SECOND;
const HOLD_LIMIT: usize = 4000;
/// A count of refusals may arrive after the missing numbers that it explains.
const MISSING_GRACE_NS: i64 = 3 * SECOND;
/// A clock with a larger uncertainty is measured each second, until a reading is better.
const COARSE_NS: i64 = 3 * MS;
const DOCUMENTS: usize = 32;
/// The largest number of events that wait for room in the session's queue.
const BACKLOG: usize = 10_000;

struct HeldEvent {
    event: Event,
    page_ms: f64,
    arrived_ns: i64,
}

struct Document {
    id: String,
    number: u32,
    clock: PageClock,
    next_message: u64,
    held: Vec<HeldEvent>,
    held_since_ns: i64,
    /// Its clock could not be measured in time. Its events are placed at their arrival.
    is_timed_by_arrival: bool,
}

/// Message numbers that did not arrive, until it is known whether these messages were refused or lost.
#[derive(Clone, Copy)]
struct MissingMessages {
    count: u64,
    from_ns: i64,
    until_ns: i64,
}

pub(super) struct PageEventSequencer {
    clock: Clock,
    documents: Vec<Document>,
    current: Option<String>,
    documents_seen: u32,
    next_seq: u64,
    pings: Pings,
    loading_since_ns: Option<i64>,
    /// The load that began last.
    loading_url: String,
    missing: Option<MissingMessages>,
    /// Messages that were refused and counted.
    explained: u64,
    tally: Tally,
    example: Option<String>,
    deaths: Deaths,
    /// A page that died is loaded again by the operator, not by itself.
    waits_after_crash: bool,
    /// The page cannot be shown at all. A restart would not help.
    cannot_be_shown: bool,
    backlog: VecDeque<PageEvent>,
    commands: Vec<HostCommand>,
}

impl PageEventSequencer {
    pub fn new(clock: Clock, now_ns: i64, waits_after_crash: bool) -> Self {
        PageEventSequencer {
            clock,
            documents: Vec::new(),
            current: None,
            documents_seen: 0,
            next_seq: 0,
            pings: Pings::new(),
            loading_since_ns: Some(now_ns),
            loading_url: String::new(),
            missing: None,
            explained: 0,
            tally: Tally::default(),
            example: None,
            deaths: Deaths::default(),
            waits_after_crash,
            cannot_be_shown: false,
            backlog: VecDeque::new(),
            commands: Vec::new(),
        }
    }

    /// The events for the session, oldest first. Events that the session has no room for stay here.
    pub fn events(&mut self) -> &mut VecDeque<PageEvent> {
        &mut self.backlog
    }

    pub fn take_commands(&mut self) -> Vec<HostCommand> {
        std::mem::take(&mut self.commands)
    }

    pub fn handle(&mut self, event: HostEvent, now_ns: i64) {
        match event {
            HostEvent::Message { arrived_ns, json } => self.message(&json, arrived_ns),
            HostEvent::Refused(refusals) => {
                if refusals.reason.is_loss() {
                    self.explained += refusals.count;
                }
                self.report_refusals(refusals);
            }
            HostEvent::PingSent { id, sent_ns } => self.pings.sent(id, sent_ns),
            HostEvent::LoadStarted { at_ns, url } => (self.loading_since_ns, self.loading_url) = (Some(at_ns), url),
            // The load that replaced this one may have begun already. Its time limit stays.
            HostEvent::LoadInterrupted { url, .. } => {
                self.loading_since_ns.take_if(|_| url == self.loading_url);
            }
            HostEvent::Loaded { at_ns, url, status } => {
                self.loading_since_ns = None;
                let at = self.at(at_ns);
                self.emit(if status >= 400 {
                    let why =
                        format!("the server answered {status} for {url}: correct `page.address` in the study file");
                    PageEvent::LoadFailed { at, url, why }
                } else {
                    PageEvent::Loaded { at, url }
                });
            }
            HostEvent::LoadFailed { at_ns, url, why } => {
                self.loading_since_ns = None;
                let at = self.at(at_ns);
                self.emit(PageEvent::LoadFailed { at, url, why });
            }
            HostEvent::ActionDenied { at_ns, action, detail } => {
                let data = Map::from_iter([("detail".to_owned(), Value::from(detail))]);
                self.record(at_ns, action.event_kind(), data);
            }
            HostEvent::WebProcessDied { at_ns, why } => {
                self.process_died(PageProcess::Web, why, at_ns, HostCommand::Reload)
            }
            HostEvent::CannotShow { at_ns, why } => {
                self.cannot_be_shown = true;
                self.loading_since_ns = None;
                let at = self.at(at_ns);
                self.emit(PageEvent::LoadFailed { at, url: String::new(), why });
            }
            HostEvent::OperatorKey { at_ns, key } => {
                let at = self.at(at_ns);
                self.emit(PageEvent::OperatorKey { at, key });
            }
            HostEvent::Keyboard { has_page } => self.emit(PageEvent::Keyboard { has_page }),
            HostEvent::Ended => {
                let restart = HostCommand::Respawn { has_page: true };
                self.process_died(PageProcess::Window, "it ended".into(), now_ns, restart);
            }
            HostEvent::Revealed { at_ns, url } => {
                self.record(at_ns, "shown", Map::from_iter([("url".to_owned(), Value::from(url.as_str()))]));
                let at = self.at(at_ns);
                self.emit(PageEvent::Shown { at, url });
            }
            HostEvent::Covered { at_ns } => self.record(at_ns, "hidden", Map::new()),
            // The host handles these itself.
            HostEvent::Unloaded
            | HostEvent::Answered(_)
            | HostEvent::OperatorViewShown
            | HostEvent::ScreenFailed { .. }
            | HostEvent::Picture { .. } => {}
        }
    }

    /// The operator asks for the page again. So it may die again, and a window that could not be shown may be shown now.
    pub fn operator_loads(&mut self, now_ns: i64) {
        self.deaths = Deaths::default();
        self.cannot_be_shown = false;
        self.loading_since_ns = Some(now_ns);
    }

    /// A process died. `restart` is the command that restores the page. It is not sent if the page dies too often.
    pub fn process_died(&mut self, what: PageProcess, why: String, at_ns: i64, restart: HostCommand) {
        self.end_documents();
        let is_allowed = self.deaths.is_one_more_allowed(at_ns);
        let is_restarted = is_allowed && !self.cannot_be_shown && !self.waits_after_crash;
        if what == PageProcess::Window {
            self.emit(PageEvent::Keyboard { has_page: false });
        }
        let at = self.at(at_ns);
        self.emit(PageEvent::ProcessDied { at, what, why, is_restarted });
        self.loading_since_ns = is_restarted.then_some(at_ns);
        if is_restarted {
            self.commands.push(restart);
        } else if self.waits_after_crash && is_allowed && !self.cannot_be_shown {
            // The window comes back without the page, so that the participant sees a screen of the program.
            if what == PageProcess::Window {
                self.commands.push(HostCommand::Respawn { has_page: false });
            }
        } else if !self.cannot_be_shown {
            let why = format!(
                "{what} ended {} times within a minute and is not started again: check the page, then place it again",
                self.deaths.count()
            );
            self.emit(PageEvent::LoadFailed { at, url: String::new(), why });
        }
    }

    /// Handles everything that depends on the time. Called several times a second.
    pub fn tick(&mut self, now_ns: i64) {
        if self.loading_since_ns.is_some_and(|since| now_ns - since > LOAD_LIMIT_NS) {
            self.loading_since_ns = None;
            let why = format!(
                "the page did not load within {} s: check the network and `page.address` in the study file",
                LOAD_LIMIT_NS / SECOND
            );
            let at = self.at(now_ns);
            self.emit(PageEvent::LoadFailed { at, url: String::new(), why });
        }
        if let Some(step) = self.pings.expire(now_ns) {
            self.carry_out(step, now_ns);
        }
        if self.pings.is_due(now_ns) {
            self.begin_burst(BURST, now_ns);
        }
        let overdue = |d: &Document| !d.held.is_empty() && now_ns - d.held_since_ns > HOLD_LIMIT_NS;
        if let Some(k) = self.documents.iter().position(overdue) {
            self.release_held(k);
        }
        if self.missing.is_some_and(|m| now_ns - m.until_ns > MISSING_GRACE_NS) {
            self.report_missing();
        }
        for refusals in self.tally.due(now_ns) {
            self.report_refusals(refusals);
        }
    }

    /// Called after the last host event. Releases all held events and counts.
    pub fn finish(&mut self) {
        self.end_documents();
        for refusals in self.tally.all() {
            self.report_refusals(refusals);
        }
    }

    fn message(&mut self, json: &str, arrived_ns: i64) {
        let message = match Message::parse(json.as_bytes()) {
            Ok(message) => message,
            Err(error) => {
                self.explained += 1;
                self.example.get_or_insert_with(|| error.to_string());
                self.tally.add(Refusal::Malformed, 1, arrived_ns);
                return;
            }
        };
        self.pings.page_responded();
        let k = self.document(&message, arrived_ns);
        let document = &mut self.documents[k];
        let missing = message.number.saturating_sub(document.next_message);
        document.next_message = document.next_message.max(message.number.saturating_add(1));
        if missing > 0 {
            let open =
                self.missing.get_or_insert(MissingMessages { count: 0, from_ns: arrived_ns, until_ns: arrived_ns });
            open.count = open.count.saturating_add(missing);
            open.until_ns = arrived_ns;
        }
        match message.body {
            Body::Pong { id } => self.pong(id, &message.document, message.page_ms, arrived_ns),
            Body::Event(event) => {
                let is_loaded = matches!(event, Event::Load(_));
                self.event(k, event, message.page_ms, arrived_ns);
                if is_loaded && !self.pings.has_ping_in_flight() {
                    self.begin_burst(BURST, arrived_ns);
                }
            }
        }
    }

    /// The document that sent a message. A new document starts with a burst of pings.
    fn document(&mut self, message: &Message, now_ns: i64) -> usize {
        if let Some(k) = self.documents.iter().position(|d| d.id == message.document) {
            return k;
        }
        let tick_ms = match &message.body {
            Body::Event(Event::Document(document)) => document.tick_ms.get(),
            // Its first message was lost. 1 ms is the coarsest resolution of a browser's clock.
            _ => 1.0,
        };
        // The earlier documents cannot be measured any more: a page answers pings only while it is shown.
        for k in 0..self.documents.len() {
            self.release_held(k);
        }
        if self.documents.len() == DOCUMENTS {
            self.documents.remove(0);
        }
        self.documents_seen += 1;
        self.documents.push(Document {
            id: message.document.clone(),
            number: self.documents_seen,
            clock: PageClock::new(tick_ms),
            next_message: 0,
            held: Vec::new(),
            held_since_ns: now_ns,
            is_timed_by_arrival: false,
        });
        self.current = Some(message.document.clone());
        self.begin_burst(FIRST_BURST, now_ns);
        self.documents.len() - 1
    }

    fn event(&mut self, k: usize, event: Event, page_ms: f64, arrived_ns: i64) {
        let document = &mut self.documents[k];
        if let Some(at_ns) = document.clock.map(page_ms, arrived_ns) {
            let number = document.number;
            self.record_of_page(at_ns, &event, page_ms, number, false);
        } else if document.is_timed_by_arrival {
            // The arrival is the only known bound. The page's own clock gives the delay of its handler.
            let late_ms = event.handled_ms().map_or(0.0, |handled_ms| (handled_ms - page_ms).max(0.0));
            let number = document.number;
            self.record_of_page(arrived_ns.saturating_sub((late_ms * 1e6) as i64), &event, page_ms, number, true);
        } else {
            if document.held.is_empty() {
                document.held_since_ns = arrived_ns;
            }
            document.held.push(HeldEvent { event, page_ms, arrived_ns });
            if document.held.len() >= HOLD_LIMIT {
                self.release_held(k);
            }
        }
    }

    /// Places the held events of a document: by its clock if that is known, otherwise by arrival.
    fn release_held(&mut self, k: usize) {
        let document = &mut self.documents[k];
        if document.clock.offset().is_none() {
            document.is_timed_by_arrival = true;
        }
        for held in std::mem::take(&mut document.held) {
            self.event(k, held.event, held.page_ms, held.arrived_ns);
        }
    }

    fn end_documents(&mut self) {
        for k in 0..self.documents.len() {
            self.release_held(k);
        }
        self.documents.clear();
        self.current = None;
        self.pings.stop();
        self.report_missing();
    }

    fn begin_burst(&mut self, pings: usize, now_ns: i64) {
        let step = self.pings.begin(pings, now_ns);
        self.carry_out(step, now_ns);
    }

    fn pong(&mut self, id: u64, document: &str, page_ms: f64, arrived_ns: i64) {
        if !self.pings.is_waiting_for(id) {
            return; // too late
        }
        if self.current.as_deref() != Some(document) {
            // The page returned to a document of its history.
            self.current = Some(document.to_owned());
            self.pings.discard_answers();
        }
        let step = self.pings.answered(page_ms, arrived_ns);
        self.carry_out(step, arrived_ns);
    }

    fn carry_out(&mut self, step: Step, now_ns: i64) {
        match step {
            Step::Send(id) => self.commands.push(HostCommand::Ping { id }),
            Step::Finished(answered) => self.measure(&answered, now_ns),
        }
    }

    fn measure(&mut self, answered: &[Ping], now_ns: i64) {
        let Some(k) = self.documents.iter().position(|d| Some(&d.id) == self.current.as_ref()) else { return };
        let document = &mut self.documents[k];
        let Some(offset) = document.clock.measure(answered) else {
            if document.clock.offset().is_none() {
                self.pings.schedule_at(now_ns + SECOND);
            }
            return;
        };
        document.clock.learn(offset);
        if document.clock.offset().is_some_and(|best| best.uncertainty_ns > COARSE_NS) {
            self.pings.schedule_at(now_ns + SECOND);
        }
        let event = PageEvent::ClockMeasured {
            at: self.clock.from_monotonic_ns(offset.at_ns),
            // Converted from raw monotonic time to session time.
            offset_ms: self.clock.from_monotonic_ns(offset.offset_ns).as_ns() as f64 * 1e-6,
            uncertainty_ms: offset.uncertainty_ns as f64 * 1e-6,
            document: document.number,
        };
        self.emit(event);
        self.release_held(k);
    }

    fn report_missing(&mut self) {
        let explained = std::mem::take(&mut self.explained);
        let Some(missing) = self.missing.take() else { return };
        let lost = missing.count.saturating_sub(explained);
        if lost > 0 {
            let MissingMessages { from_ns, until_ns, .. } = missing;
            self.report_refusals(Refusals { reason: Refusal::Lost, count: lost, from_ns, until_ns });
        }
    }

    fn report_refusals(&mut self, refusals: Refusals) {
        let example = if refusals.reason == Refusal::Malformed { self.example.take() } else { None };
        let (from, until) = (self.at(refusals.from_ns), self.at(refusals.until_ns));
        self.emit(PageEvent::Refused { count: refusals.count, reason: refusals.reason, example, from, until });
    }

    fn record_of_page(&mut self, at_ns: i64, event: &Event, page_ms: f64, document: u32, is_by_arrival: bool) {
        let mut data = event.data();
        data.insert("page_ms".to_owned(), Value::from(page_ms));
        data.insert("document".to_owned(), Value::from(document));
        if is_by_arrival {
            data.insert("is_timed_by_arrival".to_owned(), Value::from(true));
        }
        self.record(at_ns, event.kind(), data);
    }

    fn record(&mut self, at_ns: i64, kind: &str, data: Map<String, Value>) {
        if self.backlog.len() >= BACKLOG {
            self.tally.add(Refusal::QueueFull, 1, at_ns);
            return;
        }
        let at = self.at(at_ns);
        let page_seq = self.next_seq;
        self.next_seq += 1;
        self.emit(PageEvent::Record(PageRecord { at, page_seq, kind: kind.to_owned(), data }));
    }

    fn emit(&mut self, event: PageEvent) {
        self.backlog.push_back(event);
    }

    fn at(&self, ns: i64) -> Timestamp {
        self.clock.from_monotonic_ns(ns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    const FIRST: &str = "00000000000000aa";
    const SECOND_ID: &str = "00000000000000bb";

    struct Play {
        sequencer: PageEventSequencer,
        now_ns: i64,
        events: Vec<PageEvent>,
        /// Answers pings automatically, with `delay_ns` in each direction, for a page whose clock started at `zero_ns`.
        answers: Option<(String, u64)>,
        zero_ns: i64,
        delay_ns: i64,
    }

    impl Play {
        fn new() -> Play {
            let sequencer = PageEventSequencer::new(Clock::start(), 0, false);
            Play { sequencer, now_ns: 0, events: Vec::new(), answers: None, zero_ns: 0, delay_ns: 200_000 }
        }

        fn handle(&mut self, event: HostEvent) {
            self.sequencer.handle(event, self.now_ns);
            self.settle();
        }

        fn say(&mut self, document: &str, n: u64, kind: &str, data: Value) {
            let page_ms = (self.now_ns - self.zero_ns) as f64 * 1e-6;
            let json = json!({"d": document, "n": n, "t": page_ms, "k": kind, "x": data}).to_string();
            self.handle(HostEvent::Message { arrived_ns: self.now_ns, json });
        }

        fn hello(&mut self, document: &str, n: u64) {
            let data = json!({"url": "u", "width_px": 1, "height_px": 1, "pixel_ratio": 1, "tick_ms": 0});
            self.say(document, n, "document", data);
        }

        fn mark(&mut self, document: &str, n: u64) {
            self.say(document, n, "mark", json!({"name": n.to_string()}));
        }

        /// Carries out the sequencer's commands, and reads its events.
        fn settle(&mut self) {
            loop {
                let commands = self.sequencer.take_commands();
                self.events.extend(self.sequencer.events().drain(..));
                let Some((document, n)) = self.answers.take() else { break };
                let ids: Vec<u64> = commands
                    .iter()
                    .filter_map(|c| if let HostCommand::Ping { id } = c { Some(*id) } else { None })
                    .collect();
                let count = ids.len() as u64;
                for (k, id) in ids.into_iter().enumerate() {
                    self.sequencer.handle(HostEvent::PingSent { id, sent_ns: self.now_ns }, self.now_ns);
                    let page_ms = (self.now_ns + self.delay_ns - self.zero_ns) as f64 * 1e-6;
                    self.now_ns += 2 * self.delay_ns;
                    let json = json!({"d": document, "n": n + k as u64, "t": page_ms, "k": "pong", "x": {"id": id}});
                    self.sequencer
                        .handle(HostEvent::Message { arrived_ns: self.now_ns, json: json.to_string() }, self.now_ns);
                }
                self.answers = Some((document, n + count));
                if count == 0 {
                    break;
                }
            }
        }

        fn pass(&mut self, span_ns: i64) {
            let end_ns = self.now_ns + span_ns;
            while self.now_ns < end_ns {
                self.now_ns += 50 * MS;
                self.sequencer.tick(self.now_ns);
                self.settle();
            }
        }

        fn records(&self) -> Vec<&PageRecord> {
            self.events.iter().filter_map(|e| if let PageEvent::Record(r) = e { Some(r) } else { None }).collect()
        }

        fn refused(&self, which: Refusal) -> u64 {
            let count = |e: &PageEvent| match e {
                PageEvent::Refused { count, reason, .. } if *reason == which => *count,
                _ => 0,
            };
            self.events.iter().map(count).sum()
        }
    }

    #[test]
    fn events_wait_for_their_clock_and_then_have_exact_times() {
        let mut play = Play::new();
        (play.zero_ns, play.now_ns) = (-3_000 * MS, 10 * MS);
        play.hello(FIRST, 0);
        let said_ns = play.now_ns;
        play.mark(FIRST, 1);
        assert!(play.records().is_empty(), "held");
        // The ping in flight is answered, and so are the following ones.
        let id = 0;
        play.handle(HostEvent::PingSent { id, sent_ns: play.now_ns });
        play.answers = Some((FIRST.into(), 3));
        play.say(FIRST, 2, "pong", json!({"id": id}));
        let expected = play.sequencer.clock.from_monotonic_ns(said_ns);
        let records = play.records();
        assert_eq!(records.len(), 2);
        assert!((records[1].at.since_ns(expected)).abs() <= play.delay_ns, "{:?}", records[1]);
        assert_eq!((records[1].page_seq, &records[1].data["document"]), (1, &json!(1)));
        assert!(!records[1].data.contains_key("is_timed_by_arrival"));
        assert!(matches!(play.events[0], PageEvent::ClockMeasured { document: 1, .. }), "{:?}", play.events);
        let measured =
            |play: &Play| play.events.iter().filter(|e| matches!(e, PageEvent::ClockMeasured { .. })).count();
        play.pass(21 * SECOND);
        assert_eq!(measured(&play), 5, "at the start and every 5 s");
        assert_eq!(play.refused(Refusal::Lost), 0);
    }

    #[test]
    fn a_clock_that_was_measured_under_load_is_measured_again_soon() {
        let mut play = Play::new();
        play.answers = Some((FIRST.into(), 1));
        play.delay_ns = 9 * MS;
        play.hello(FIRST, 0);
        play.pass(2 * SECOND + SECOND / 2);
        let uncertainties = |play: &Play| -> Vec<f64> {
            let of = |e: &PageEvent| match e {
                PageEvent::ClockMeasured { uncertainty_ms, .. } => Some(*uncertainty_ms),
                _ => None,
            };
            play.events.iter().filter_map(of).collect()
        };
        assert_eq!(uncertainties(&play), [9.0, 9.0, 9.0]);
        play.delay_ns = MS;
        play.pass(4 * SECOND);
        assert_eq!(uncertainties(&play), [9.0, 9.0, 9.0, 1.0], "then every 5 s");
    }

    #[test]
    fn a_document_that_ends_unmeasured_is_timed_by_arrival() {
        let mut play = Play::new();
        play.hello(FIRST, 0);
        play.now_ns = 5 * MS;
        play.hello(SECOND_ID, 0);
        let records = play.records();
        assert_eq!(records.len(), 1);
        assert_eq!(records[0].data["is_timed_by_arrival"], true);
        play.pass(HOLD_LIMIT_NS + SECOND);
        assert_eq!(play.records().len(), 2, "nothing is held for ever");
        play.sequencer.finish();
        play.settle();
        assert_eq!(play.records().len(), 2);
    }

    #[test]
    fn what_was_pressed_on_a_busy_page_has_the_time_of_the_press() {
        let mut play = Play::new();
        play.answers = Some((FIRST.into(), 1));
        play.hello(FIRST, 0);
        play.pass(SECOND);
        let n = play.answers.as_ref().unwrap().1 + 1_000;
        let press = |play: &mut Play, n, at_ns: i64| {
            let ms = |ns: i64| (ns - play.zero_ns) as f64 * 1e-6;
            let data = json!({"target": "input#i", "key": "a", "handled_ms": ms(play.now_ns)});
            let json = json!({"d": FIRST, "n": n, "t": ms(at_ns), "k": "keydown", "x": data}).to_string();
            let arrived_ns = play.now_ns;
            play.sequencer.handle(HostEvent::Message { arrived_ns, json }, arrived_ns);
            play.events.extend(play.sequencer.events().drain(..));
        };
        let pressed_ns = play.now_ns;
        play.now_ns += 3 * SECOND;
        let now_ns = play.now_ns;
        press(&mut play, n, now_ns);
        press(&mut play, n + 1, pressed_ns);
        let times: Vec<_> = play.records().iter().filter(|r| r.kind == "keydown").map(|r| r.at).collect();
        let wrong_ns = times[1].since_ns(play.sequencer.clock.from_monotonic_ns(pressed_ns));
        assert!(wrong_ns.abs() <= play.delay_ns, "{wrong_ns}");
        assert!(times[0].since_ns(times[1]) > 2 * SECOND, "sent first, and happened last");
        assert_eq!(play.records().last().unwrap().data["handled_ms"], json!(play.now_ns as f64 * 1e-6));
    }

    #[test]
    fn holes_are_lost_unless_refusals_explain_them() {
        let mut play = Play::new();
        play.hello(FIRST, 0);
        play.mark(FIRST, 4);
        play.mark(FIRST, 10);
        play.handle(HostEvent::Refused(Refusals { reason: Refusal::Flood, count: 6, from_ns: 0, until_ns: 0 }));
        play.handle(HostEvent::Message { arrived_ns: 0, json: "{}".into() });
        play.pass(5 * SECOND);
        assert_eq!(
            (play.refused(Refusal::Lost), play.refused(Refusal::Flood), play.refused(Refusal::Malformed)),
            (1, 6, 1)
        );
        let example = play
            .events
            .iter()
            .find_map(|e| if let PageEvent::Refused { example, .. } = e { example.clone() } else { None });
        assert!(example.is_some_and(|e| e.contains("recording script")));
    }

    #[test]
    fn a_page_that_does_not_come_is_told_once() {
        let mut play = Play::new();
        play.pass(40 * SECOND);
        let failed = |play: &Play| play.events.iter().filter(|e| matches!(e, PageEvent::LoadFailed { .. })).count();
        assert_eq!(failed(&play), 1);
        play.handle(HostEvent::LoadStarted { at_ns: play.now_ns, url: "u".into() });
        play.handle(HostEvent::Loaded { at_ns: play.now_ns, url: "u".into(), status: 200 });
        play.pass(40 * SECOND);
        assert_eq!(failed(&play), 1);
        play.handle(HostEvent::Loaded { at_ns: play.now_ns, url: "u".into(), status: 503 });
        assert!(matches!(play.events.last(), Some(PageEvent::LoadFailed { why, .. }) if why.contains("503")));
    }

    #[test]
    fn a_load_that_was_interrupted_is_no_page() {
        let failed = |play: &Play| play.events.iter().filter(|e| matches!(e, PageEvent::LoadFailed { .. })).count();
        let interrupted = |url: &str| HostEvent::LoadInterrupted { url: url.into(), is_committed: false };
        let started = |play: &mut Play, url: &str| {
            play.handle(HostEvent::LoadStarted { at_ns: play.now_ns, url: url.into() });
        };
        let mut play = Play::new();
        started(&mut play, "first");
        started(&mut play, "second");
        play.handle(interrupted("first"));
        assert!(!play.events.iter().any(|e| matches!(e, PageEvent::Loaded { .. })));
        play.pass(20 * SECOND);
        assert_eq!(failed(&play), 1, "the time limit of the second one stays");
        // A navigation that was denied leaves the page as it is.
        started(&mut play, "denied");
        play.handle(interrupted("denied"));
        play.pass(20 * SECOND);
        assert_eq!(failed(&play), 1);
    }

    #[test]
    fn what_the_participant_sees_is_a_record_and_an_event() {
        let mut play = Play::new();
        play.handle(HostEvent::Revealed { at_ns: 5, url: "u".into() });
        play.handle(HostEvent::Covered { at_ns: 9 });
        let kinds: Vec<_> = play.records().iter().map(|r| r.kind.as_str()).collect();
        assert_eq!(kinds, ["shown", "hidden"]);
        let at = play.sequencer.clock.from_monotonic_ns(5);
        assert!(play.events.contains(&PageEvent::Shown { at, url: "u".into() }));
    }

    #[test]
    fn a_page_that_keeps_dying_is_left_alone() {
        let mut play = Play::new();
        let mut reloads = 0;
        for _ in 0..8 {
            play.now_ns += SECOND;
            play.sequencer.handle(HostEvent::WebProcessDied { at_ns: play.now_ns, why: "crash".into() }, play.now_ns);
            reloads += play.sequencer.take_commands().iter().filter(|o| **o == HostCommand::Reload).count();
        }
        assert_eq!(reloads, 5);
        play.sequencer.operator_loads(play.now_ns);
        play.sequencer.handle(HostEvent::WebProcessDied { at_ns: play.now_ns, why: "crash".into() }, play.now_ns);
        assert_eq!(play.sequencer.take_commands(), [HostCommand::Reload], "the operator tried again");
        play.now_ns += 120 * SECOND;
        play.sequencer.handle(HostEvent::WebProcessDied { at_ns: play.now_ns, why: "crash".into() }, play.now_ns);
        assert_eq!(play.sequencer.take_commands(), [HostCommand::Reload], "a minute later it may try again");
    }

    #[test]
    fn a_full_queue_is_counted_and_told() {
        let mut play = Play::new();
        play.answers = Some((FIRST.into(), 1));
        play.hello(FIRST, 0);
        let before = play.records().len();
        for k in 0..BACKLOG as u64 + 500 {
            // The events are not read meanwhile.
            let json = json!({"d": FIRST, "n": 11 + k, "t": 1.0, "k": "mark", "x": {"name": "m"}}).to_string();
            play.sequencer.handle(HostEvent::Message { arrived_ns: play.now_ns, json }, play.now_ns);
        }
        play.pass(3 * SECOND);
        assert_eq!(play.records().len() - before, BACKLOG);
        assert_eq!(play.refused(Refusal::QueueFull), 500);
        let numbers: Vec<u64> = play.records().iter().map(|r| r.page_seq).collect();
        assert!(numbers.windows(2).all(|w| w[1] == w[0] + 1));
    }

    proptest! {
        /// For all inputs in all orders: no panic, no record is lost without a count, and no number is missing.
        #[test]
        fn nothing_vanishes(
            steps in prop::collection::vec((0u8..8, 0u64..6, 0i64..3_000), 1..120),
        ) {
            let mut play = Play::new();
            let mut next = [0u64; 2];
            let (mut sent, mut skipped) = (0u64, 0u64);
            for (what, amount, pause_ms) in steps {
                play.pass(pause_ms * MS);
                let which = usize::from(what % 2);
                let document = [FIRST, SECOND_ID][which];
                match what {
                    0..=3 => {
                        // `amount` messages before this one are lost.
                        next[which] += amount;
                        skipped += amount;
                        play.mark(document, next[which]);
                        next[which] += 1;
                        sent += 1;
                    }
                    4 => play.handle(HostEvent::PingSent { id: amount, sent_ns: play.now_ns }),
                    5 => play.handle(HostEvent::LoadStarted { at_ns: play.now_ns, url: "u".into() }),
                    6 => {
                        let json = json!({"d": document, "n": next[which], "t": 1, "k": "pong", "x": {"id": amount}});
                        play.handle(HostEvent::Message { arrived_ns: play.now_ns, json: json.to_string() });
                        next[which] += 1;
                    }
                    _ => {}
                }
            }
            play.sequencer.finish();
            play.settle();
            prop_assert_eq!(play.records().len() as u64, sent);
            prop_assert_eq!(play.refused(Refusal::Lost), skipped);
            for (k, record) in play.records().iter().enumerate() {
                prop_assert_eq!(record.page_seq, k as u64);
            }
        }
    }
}
