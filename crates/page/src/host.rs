//! One page while it is shown: starts it, restarts it when it dies, and reports to the session what happens.
//!
//! A participant window outlives sessions: [`PageHost::attach`] gives its page to a session, [`PageHost::detach`] takes it
//! away. The thread `page-sequencer` reads the events of the page's host and writes to the session's queue. No function
//! here blocks its caller, except [`PageHost::close`], which waits for a bounded time.

mod attached;

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

use super::PageEvent;
use super::deaths::Deaths;
use super::error::{CLOSE_LIMIT, PageError};
use super::host_protocol::{HostCommand, HostEvent, PageLoad};
use super::host_screen::{HostAnswer, HostScreen};
use super::page_spec::PageSpec;
use super::placed_page::PlacedPage;
#[cfg(target_os = "linux")]
use super::placement::BoundsPx;
use super::view::ViewSpec;
use super::window_opening::WindowOpening;
use attached::Attached;
use session::{Clock, Latest, monotonic_ns};

const QUEUE: usize = 8192;
const TICK: Duration = Duration::from_millis(50);
const LAST_EVENTS_LIMIT: Duration = Duration::from_secs(2);

/// An event of the participant window that belongs to no session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WindowEvent {
    Answered(HostAnswer),
    /// The key chord showed the operator's view.
    OperatorViewShown,
    /// The window cannot be shown. The text is a message for the operator.
    Failed(String),
}

/// A session that a page is given to.
#[derive(Debug)]
pub struct PageSession {
    pub clock: Clock,
    /// Should have room for some thousand events. The last event is [`PageEvent::Closed`].
    pub out: Sender<PageEvent>,
    /// The sentence below the cross that is shown before the page. `None`: the page at once.
    pub fixation: Option<String>,
    /// Without a cross: the questionnaire that is shown before the page.
    pub questionnaire: Option<usize>,
    /// The participant's condition, for the page.
    pub condition: Option<String>,
    /// The page is loaded but stays behind the present screen.
    pub is_preview: bool,
}

#[derive(Debug)]
enum SessionRequest {
    Attach(PageSession),
    Detach,
}

/// Requests of the program that are not carried out yet. A newer request replaces an older one of the same kind, so a
/// page that hangs does not fill the memory.
#[derive(Debug, Default)]
struct PageRequests {
    /// The part of the session that is shown.
    part: Option<HostCommand>,
    reload: bool,
    session: Option<SessionRequest>,
    screen: Option<HostScreen>,
    shows_page: bool,
    front: Option<bool>,
    #[cfg(target_os = "linux")]
    bounds: Option<(BoundsPx, f64)>,
    #[cfg(target_os = "linux")]
    visibility: Option<bool>,
    focus: Option<bool>,
}

/// The waiting requests, and a channel that wakes the thread. The page closes when the last sender is dropped.
#[derive(Clone)]
struct RequestSender {
    requests: Latest<PageRequests>,
    wake: Sender<()>,
}

impl std::fmt::Debug for RequestSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RequestSender")
    }
}

impl RequestSender {
    fn request(&self, change: impl FnOnce(&mut PageRequests)) {
        self.requests.change(|waiting| change(waiting.get_or_insert_default()));
        // If the channel is full, the thread is woken already. If it is disconnected, the page has closed and reported it.
        self.wake.try_send(()).ok();
    }
}

pub struct PageHost {
    /// `None` once the page is being closed.
    requests: Option<RequestSender>,
    closed: Receiver<()>,
    thread: Option<JoinHandle<()>>,
    picture: Latest<Vec<u8>>,
}

impl std::fmt::Debug for PageHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageHost")
    }
}

impl PageHost {
    /// Returns before the page is loaded: [`PageEvent::Loaded`] or [`PageEvent::LoadFailed`] follows. `out` should have
    /// room for some thousand events. Further events wait in the sequencer; events that exceed its limit are counted
    /// and reported.
    pub fn start(spec: PageSpec, clock: Clock, out: Sender<PageEvent>) -> Result<PageHost, PageError> {
        PageHost::start_behind(None, None, spec, clock, out)
    }

    /// Like [`PageHost::start`]. If there is a `sentence`, a fixation cross with it is shown first, else the questionnaire
    /// with this number if there is one. The page is shown when [`PageStage::begin`] is called.
    pub fn start_behind(
        sentence: Option<String>,
        first_questionnaire: Option<usize>,
        spec: PageSpec,
        clock: Clock,
        out: Sender<PageEvent>,
    ) -> Result<PageHost, PageError> {
        let opening = WindowOpening { screen: HostScreen::Grey, is_in_front: true, has_chord: false, withdraw: None };
        let load = PageLoad::new(sentence, first_questionnaire, spec.condition.clone(), false);
        PageHost::spawn(spec, opening, Some((load, clock, out)), None)
    }

    /// Opens a participant window without a page. [`PageHost::attach`] loads the page. `events` should have room for some
    /// events. Events that find no room are lost.
    pub fn open(spec: PageSpec, opening: WindowOpening, events: Sender<WindowEvent>) -> Result<PageHost, PageError> {
        PageHost::spawn(spec, opening, None, Some(events))
    }

    fn spawn(
        spec: PageSpec,
        opening: WindowOpening,
        session: Option<(PageLoad, Clock, Sender<PageEvent>)>,
        window_events: Option<Sender<WindowEvent>>,
    ) -> Result<PageHost, PageError> {
        let PageSpec { address, placement, mask, allow, data_dir, questionnaires, closing, waits_after_crash, .. } =
            spec;
        let mut view = ViewSpec::new(address, mask, allow, data_dir)?;
        (view.questionnaires, view.closing) = (questionnaires, closing);
        let (event_sender, events) = crossbeam_channel::bounded(QUEUE);
        let load = session.as_ref().map(|(load, ..)| load.clone());
        let page = PlacedPage::open(placement, view, opening, load, event_sender)?;
        let (wake, woken) = crossbeam_channel::bounded(1);
        let requests = Latest::default();
        let sender = RequestSender { requests: requests.clone(), wake };
        let (done, closed) = crossbeam_channel::bounded(1);
        let picture = Latest::default();
        let worker = Worker {
            attached: session.map(|(_, clock, out)| Attached::new(clock, out, waits_after_crash)),
            next: None,
            waits_after_crash,
            deaths: Deaths::default(),
            page,
            events,
            requests,
            woken,
            window_events,
            picture: picture.clone(),
        };
        let thread = std::thread::Builder::new()
            .name("page-sequencer".into())
            .spawn(move || {
                worker.run();
                // Fails only if `close` has stopped waiting.
                done.send(()).ok();
            })
            .map_err(PageError::Thread)?;
        Ok(PageHost { requests: Some(sender), closed, thread: Some(thread), picture })
    }

    /// Loads the page anew for a session, without anything that an earlier page has stored. A session that has the page is
    /// detached first.
    pub fn attach(&self, session: PageSession) {
        self.request(|requests| requests.session = Some(SessionRequest::Attach(session)));
    }

    /// Removes the page and sends its last events. The last one is [`PageEvent::Closed`]. The window stays.
    pub fn detach(&self) {
        self.request(|requests| requests.session = Some(SessionRequest::Detach));
    }

    /// Shows a screen of the program in front of the page.
    pub fn show(&self, screen: HostScreen) {
        self.request(|requests| {
            requests.shows_page = false;
            requests.screen = Some(screen);
        });
    }

    /// Shows the page again, after a screen of the program.
    pub fn show_page(&self) {
        self.request(|requests| {
            requests.screen = None;
            requests.shows_page = true;
        });
    }

    /// Shows the participant window, or hides it, so that the operator's view is seen.
    pub fn set_front(&self, is_in_front: bool) {
        self.request(|requests| requests.front = Some(is_in_front));
    }

    /// The newest picture of what the participant sees, as JPEG; about one each second.
    pub fn picture(&self) -> &Latest<Vec<u8>> {
        &self.picture
    }

    /// Sets the place of an embedded page in its window. A participant window keeps its place.
    #[cfg(target_os = "linux")]
    pub fn set_bounds(&self, bounds: BoundsPx, zoom: f64) {
        self.request(|requests| requests.bounds = Some((bounds, zoom)));
    }

    /// An embedded page covers everything that the program draws below it. Hide it under dialogs.
    #[cfg(target_os = "linux")]
    pub fn set_visible(&self, is_visible: bool) {
        self.request(|requests| requests.visibility = Some(is_visible));
    }

    /// Gives the keyboard to the page, or from an embedded page back to the window. A press in the page takes the keyboard
    /// by itself. Call `focus(false)` when a press reached the program's own window.
    pub fn focus(&self, to_page: bool) {
        self.request(|requests| requests.focus = Some(to_page));
    }

    /// Lets another thread decide what is shown. Drop it before the page is closed or given back.
    pub fn stage(&self) -> Option<PageStage> {
        self.requests.clone().map(PageStage)
    }

    pub fn reload(&self) {
        self.request(|requests| requests.reload = true);
    }

    /// Closes the page, sends the events that still wait and then [`PageEvent::Closed`]. Waits at most 8 s. Close an
    /// embedded page before its window.
    pub fn close(mut self) -> Result<(), PageError> {
        self.end()
    }

    fn request(&self, change: impl FnOnce(&mut PageRequests)) {
        if let Some(requests) = &self.requests {
            requests.request(change);
        }
    }

    fn end(&mut self) -> Result<(), PageError> {
        self.requests = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        match self.closed.recv_timeout(CLOSE_LIMIT) {
            Err(RecvTimeoutError::Timeout) => Err(PageError::CloseTimedOut),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                // A panic of the thread was printed when it happened.
                thread.join().ok();
                Ok(())
            }
        }
    }
}

/// Decides which part of a session is shown: the study's page, a questionnaire, the calm or the closing screen.
pub struct PageStage(RequestSender);

impl PageStage {
    /// Shows the study's page.
    pub fn begin(&self) {
        self.show(HostCommand::Begin);
    }

    pub fn show_questionnaire(&self, number: usize) {
        self.show(HostCommand::Questionnaire(number));
    }

    /// While the program times a phase.
    pub fn calm(&self) {
        self.show(HostCommand::Calm);
    }

    /// After the last part. The page is removed.
    pub fn close(&self) {
        self.show(HostCommand::Closing);
    }

    fn show(&self, part: HostCommand) {
        self.0.request(|requests| requests.part = Some(part));
    }
}

impl Drop for PageHost {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::warn!("{error}");
        }
    }
}

struct Worker {
    /// The session that has the page.
    attached: Option<Attached>,
    /// Waits until the page of the earlier session is removed.
    next: Option<PageSession>,
    waits_after_crash: bool,
    /// Deaths of the window without a session.
    deaths: Deaths,
    page: PlacedPage,
    events: Receiver<HostEvent>,
    requests: Latest<PageRequests>,
    /// Receives a message when there are requests. Disconnected: the page is to close.
    woken: Receiver<()>,
    window_events: Option<Sender<WindowEvent>>,
    picture: Latest<Vec<u8>>,
}

impl Worker {
    fn run(mut self) {
        loop {
            crossbeam_channel::select! {
                recv(self.events) -> event => match event {
                    Ok(event) => self.handle(event),
                    // Not reached while `self.page` exists, because it holds a sender.
                    Err(_) => break,
                },
                recv(self.woken) -> woken => match woken {
                    Ok(()) => self.carry_out_requests(),
                    Err(_) => break,
                },
                default(TICK) => {}
            }
            self.drive();
        }
        self.close();
    }

    /// Does what is due: commands and events of the session, and its end.
    fn drive(&mut self) {
        let Some(attached) = &mut self.attached else { return };
        for command in attached.drive(monotonic_ns()) {
            self.send(command);
        }
        if self.attached.as_ref().is_some_and(Attached::has_ended) {
            self.end_session();
        }
    }

    fn end_session(&mut self) {
        self.attached.take().into_iter().for_each(|attached| attached.finish(LAST_EVENTS_LIMIT));
        if let Some(session) = self.next.take() {
            self.begin_session(session);
        }
    }

    fn begin_session(&mut self, session: PageSession) {
        let PageSession { clock, out, fixation, questionnaire, condition, is_preview } = session;
        // The window may have ended for good. The page of this session starts it again.
        self.deaths = Deaths::default();
        self.attached = Some(Attached::new(clock, out, self.waits_after_crash));
        self.send(HostCommand::Load(PageLoad::new(fixation, questionnaire, condition, is_preview)));
    }

    fn handle(&mut self, event: HostEvent) {
        match event {
            HostEvent::Ended => self.window_ended(),
            HostEvent::Answered(answer) => self.report(WindowEvent::Answered(answer)),
            HostEvent::OperatorViewShown => {
                self.page.is_hidden_by_chord();
                self.report(WindowEvent::OperatorViewShown);
            }
            HostEvent::ScreenFailed { why } => self.report(WindowEvent::Failed(format!(
                "A screen could not be shown to the participant, who sees grey: {why}. Show it again, or go back to the sessions and set up again."
            ))),
            HostEvent::Picture { jpeg } => {
                use base64::{Engine, engine::general_purpose::STANDARD};
                // Not readable only if the window's process is damaged. The next picture follows in a second.
                STANDARD.decode(jpeg).ok().map(|jpeg| self.picture.put(jpeg));
            }
            event => match &mut self.attached {
                Some(attached) => attached.handle(event, monotonic_ns()),
                None => {
                    if let HostEvent::CannotShow { why, .. } = event {
                        self.report(WindowEvent::Failed(why));
                    }
                }
            },
        }
    }

    fn report(&self, event: WindowEvent) {
        let is_lost = self.window_events.as_ref().is_some_and(|to| to.try_send(event).is_err_and(|e| e.is_full()));
        if is_lost {
            tracing::warn!("an event of the participant window was lost, because the program did not read");
        }
    }

    fn window_ended(&mut self) {
        let why = self.page.wait_for_window_end().unwrap_or_default();
        let now_ns = monotonic_ns();
        match &mut self.attached {
            Some(attached) => attached.window_ended(why, now_ns),
            None if self.deaths.is_one_more_allowed(now_ns) => self.send(HostCommand::Respawn { has_page: false }),
            None => self.report(WindowEvent::Failed(format!(
                "The participant window ended again and again ({why}). Go back to the sessions and set up again."
            ))),
        }
    }

    fn send(&mut self, command: HostCommand) {
        let is_respawn = matches!(command, HostCommand::Respawn { .. });
        let Err(error) = self.page.send(command.clone()) else { return };
        match &mut self.attached {
            Some(attached) if is_respawn => attached.window_ended(error.to_string(), monotonic_ns()),
            _ => self.report(WindowEvent::Failed(format!("The participant window could not be started: {error}."))),
        }
    }

    fn carry_out_requests(&mut self) {
        let Some(requests) = self.requests.try_take() else { return };
        requests.screen.into_iter().for_each(|screen| self.send(HostCommand::Show(screen)));
        if requests.shows_page {
            self.send(HostCommand::ShowPage);
        }
        requests.front.into_iter().for_each(|is_in_front| self.send(HostCommand::SetFront(is_in_front)));
        match requests.session {
            Some(SessionRequest::Attach(session)) if self.attached.is_some() => {
                self.next = Some(session);
                self.begin_end();
            }
            Some(SessionRequest::Attach(session)) => self.begin_session(session),
            Some(SessionRequest::Detach) => {
                self.next = None;
                self.begin_end();
            }
            None => {}
        }
        requests.part.into_iter().for_each(|part| self.send(part));
        if requests.reload {
            self.attached.iter_mut().for_each(|attached| attached.operator_loads(monotonic_ns()));
            self.send(HostCommand::Reload);
        }
        #[cfg(target_os = "linux")]
        if let PlacedPage::Embedded { page, .. } = &self.page {
            requests.bounds.into_iter().for_each(|(bounds, zoom)| page.set_bounds(bounds, zoom));
            requests.visibility.into_iter().for_each(|is_visible| page.set_visible(is_visible));
            requests.focus.into_iter().for_each(|to_page| page.focus(to_page));
            return;
        }
        if requests.focus == Some(true) {
            self.send(HostCommand::Focus);
        }
    }

    /// Removes the page. The session ends when the window confirms it, or after a bounded time.
    fn begin_end(&mut self) {
        if let Some(attached) = &mut self.attached
            && attached.begin_end(Instant::now() + LAST_EVENTS_LIMIT)
        {
            self.send(HostCommand::Unload);
        }
    }

    fn close(mut self) {
        if self.page.is_open() {
            self.page.request_close();
            let deadline = Instant::now() + LAST_EVENTS_LIMIT;
            while let Ok(event) = self.events.recv_deadline(deadline) {
                if event == HostEvent::Ended {
                    break;
                }
                if let Some(attached) = &mut self.attached {
                    attached.handle(event, monotonic_ns());
                }
            }
        }
        self.end_window();
        if let Some(attached) = self.attached.take() {
            attached.finish(LAST_EVENTS_LIMIT);
        }
        // A session that waited for the page never gets one.
        if let Some(next) = self.next.take() {
            next.out.try_send(PageEvent::Closed).ok();
        }
    }

    /// Ends a window that is still open. Its last events are lost then.
    fn end_window(&mut self) {
        let events = &self.events;
        let page = &mut self.page;
        std::thread::scope(|scope| {
            let ending = scope.spawn(move || page.wait_for_window_end());
            // The window's reader thread may still wait for room in the queue.
            while !ending.is_finished() {
                events.recv_timeout(TICK).ok();
            }
            // A panic of this thread was printed when it happened.
            ending.join().ok();
        });
    }
}
