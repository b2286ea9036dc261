//! One page while it is shown: starts it, restarts it when it dies, and reports to the session what happens.
//!
//! The thread `page-sequencer` reads the events of the page's host and writes to the session's queue. No function here
//! blocks its caller, except [`PageHost::close`], which waits for a bounded time.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};

use super::error::{CLOSE_LIMIT, PageError};
use super::event_sequencer::PageEventSequencer;
use super::host_protocol::{HostCommand, HostEvent};
use super::page_spec::PageSpec;
use super::placed_page::PlacedPage;
#[cfg(target_os = "linux")]
use super::placement::BoundsPx;
use super::view::ViewSpec;
use super::{PageEvent, PageProcess};
use session::{Clock, Latest, monotonic_ns};

const QUEUE: usize = 8192;
const TICK: Duration = Duration::from_millis(50);
const LAST_EVENTS_LIMIT: Duration = Duration::from_secs(2);

/// Requests of the program that are not carried out yet. A newer request replaces an older one of the same kind, so a
/// page that hangs does not fill the memory.
#[derive(Debug, Default)]
struct PageRequests {
    begin: bool,
    questionnaire: Option<usize>,
    calm: bool,
    reload: bool,
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

#[derive(Debug)]
pub struct PageHost {
    /// `None` once the page is being closed.
    requests: Option<RequestSender>,
    closed: Receiver<()>,
    thread: Option<JoinHandle<()>>,
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
        let PageSpec { address, placement, mask, allow, data_dir, questionnaires, condition } = spec;
        let mut view = ViewSpec::new(address, mask, allow, data_dir)?;
        (view.fixation, view.questionnaires, view.condition) = (sentence, questionnaires, condition);
        if view.fixation.is_none()
            && let Some(number) = first_questionnaire
        {
            view.go_on(&HostCommand::Questionnaire(number));
        }
        let (event_sender, events) = crossbeam_channel::bounded(QUEUE);
        let page = PlacedPage::open(placement, view, event_sender)?;
        let (wake, woken) = crossbeam_channel::bounded(1);
        let requests = Latest::default();
        let sender = RequestSender { requests: requests.clone(), wake };
        let (done, closed) = crossbeam_channel::bounded(1);
        let sequencer = PageEventSequencer::new(clock, monotonic_ns());
        let thread = std::thread::Builder::new()
            .name("page-sequencer".into())
            .spawn(move || {
                Worker { sequencer, page, events, requests, woken, out }.run();
                // Fails only if `close` has stopped waiting.
                done.send(()).ok();
            })
            .map_err(PageError::Thread)?;
        Ok(PageHost { requests: Some(sender), closed, thread: Some(thread) })
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

    /// Lets another thread decide what is shown. Drop it before the page is closed.
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

/// Decides which part of a session is shown: the study's page, a questionnaire or the calm screen.
pub struct PageStage(RequestSender);

impl PageStage {
    /// Shows the study's page.
    pub fn begin(&self) {
        self.0.request(|requests| (requests.begin, requests.questionnaire, requests.calm) = (true, None, false));
    }

    pub fn show_questionnaire(&self, number: usize) {
        self.0.request(|requests| (requests.questionnaire, requests.calm) = (Some(number), false));
    }

    /// After the last part.
    pub fn calm(&self) {
        self.0.request(|requests| (requests.questionnaire, requests.calm) = (None, true));
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
    sequencer: PageEventSequencer,
    page: PlacedPage,
    events: Receiver<HostEvent>,
    requests: Latest<PageRequests>,
    /// Receives a message when there are requests. Disconnected: the page is to close.
    woken: Receiver<()>,
    out: Sender<PageEvent>,
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
            self.sequencer.tick(monotonic_ns());
            for command in self.sequencer.take_commands() {
                self.send(command);
            }
            self.forward_events();
        }
        self.close();
    }

    fn handle(&mut self, event: HostEvent) {
        let now_ns = monotonic_ns();
        if event == HostEvent::Ended {
            let why = self.page.wait_for_window_end().unwrap_or_default();
            self.sequencer.process_died(PageProcess::Window, why, now_ns, HostCommand::Respawn);
        } else {
            self.sequencer.handle(event, now_ns);
        }
    }

    fn send(&mut self, command: HostCommand) {
        if let Err(error) = self.page.send(command) {
            self.sequencer.process_died(PageProcess::Window, error.to_string(), monotonic_ns(), command);
        }
    }

    fn carry_out_requests(&mut self) {
        let Some(requests) = self.requests.try_take() else { return };
        if requests.begin {
            self.send(HostCommand::Begin);
        }
        if let Some(number) = requests.questionnaire {
            self.send(HostCommand::Questionnaire(number));
        }
        if requests.calm {
            self.send(HostCommand::Calm);
        }
        if requests.reload {
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

    /// Sends as many events as the session's queue has room for.
    fn forward_events(&mut self) {
        while let Some(event) = self.sequencer.events().pop_front() {
            match self.out.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.sequencer.events().push_front(event);
                    return;
                }
                // The session has dropped its receiver: `close` follows.
                Err(TrySendError::Disconnected(_)) => {}
            }
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
                self.sequencer.handle(event, monotonic_ns());
            }
        }
        self.end_window();
        self.sequencer.finish();
        self.sequencer.events().push_back(PageEvent::Closed);
        let deadline = Instant::now() + LAST_EVENTS_LIMIT;
        while let Some(event) = self.sequencer.events().pop_front() {
            // A session that takes no event for so long has failed and reports that itself.
            if self.out.send_deadline(event, deadline).is_err() {
                return;
            }
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
