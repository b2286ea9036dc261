//! One page while it is shown: starts it, brings it back when it dies, and tells the session what happens.
//!
//! A thread of its own, `page-sequencer`, reads what the page's host tells and writes to the session's queue. Nothing here
//! makes its caller wait, but for [`PageHost::close`], which waits a bounded time.

use std::path::{Path, PathBuf};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError};
use thiserror::Error;

use super::address::{AddressError, PageAddress};
#[cfg(target_os = "linux")]
use super::embedded::Embedded;
use super::event_sequencer::PageEventSequencer;
use super::host_protocol::{Note, Order};
use super::participant::{ParticipantWindow, WindowSpec};
use super::view::ViewSpec;
use super::{PageEvent, PageProcess};
use session::{Clock, Latest, PageSettings, monotonic_ns};

const QUEUE: usize = 8192;
const TICK: Duration = Duration::from_millis(50);
const GOODBYE_LIMIT: Duration = Duration::from_secs(2);
const CLOSE_LIMIT: Duration = Duration::from_secs(8);

/// A page, where it is shown, and what of it is kept secret.
#[derive(Debug, Clone)]
pub struct PageSpec {
    pub address: PageAddress,
    pub placement: Placement,
    /// CSS selectors: of these elements only that something happened is recorded, never what.
    pub mask: Vec<String>,
    /// Other origins that the page may navigate to.
    pub allow: Vec<String>,
    /// Where cookies and stored data live; `None`: nowhere, so each session begins clean.
    pub data_dir: Option<PathBuf>,
}

impl PageSpec {
    /// A study's page; `beside` is the study file's folder. Nothing stays of it when it is closed.
    pub fn of_study(page: &PageSettings, beside: &Path, placement: Placement) -> Result<PageSpec, AddressError> {
        Ok(PageSpec {
            address: PageAddress::parse(&page.address, beside)?,
            placement,
            mask: page.mask.clone(),
            allow: page.allow.clone(),
            data_dir: None,
        })
    }
}

#[derive(Debug, Clone)]
pub enum Placement {
    /// Inside our window, on X11. `zoom` is physical pixels for one of the page's.
    Embedded { parent_xid: u64, bounds: BoundsPx, zoom: f64 },
    /// In a window and a process of its own; see [`Placement::WINDOW`] for the usual one.
    ParticipantWindow {
        /// `None`: the second monitor, or a plain window where there is one monitor.
        monitor: Option<usize>,
        /// The program to run; `None`: this one.
        program: Option<PathBuf>,
        /// An X display other than ours.
        display: Option<String>,
    },
}

impl Placement {
    /// A participant window of this program, on the second monitor where there is one.
    pub const WINDOW: Placement = Placement::ParticipantWindow { monitor: None, program: None, display: None };
}

/// A rectangle in physical pixels of the window it lies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BoundsPx {
    pub left: i32,
    pub top: i32,
    pub width: u32,
    pub height: u32,
}

#[derive(Debug, Error)]
pub enum PageError {
    #[error(transparent)]
    Address(#[from] AddressError),
    #[error("a page inside our window needs X11: choose the participant window")]
    NotEmbeddable,
    #[error("the participant window cannot be started: {0}")]
    Start(std::io::Error),
    #[error("the page cannot be shown, a thread does not start: {0}")]
    Thread(std::io::Error),
    #[error("the page did not close within {} s; its window may still be open", CLOSE_LIMIT.as_secs())]
    CloseTimedOut,
}

/// What is wished of the page and was not carried out yet. A newer wish takes the place of an older one, so that a page
/// that hangs costs nothing.
#[derive(Debug, Default)]
struct Wishes {
    begin: bool,
    reload: bool,
    #[cfg(target_os = "linux")]
    place: Option<(BoundsPx, f64)>,
    #[cfg(target_os = "linux")]
    show: Option<bool>,
    #[cfg(target_os = "linux")]
    focus: Option<bool>,
}

/// Wishes, and a bell that says that there are some. Where the last bell is gone the page is closed.
#[derive(Clone)]
struct Controls {
    wishes: Latest<Wishes>,
    bell: Sender<()>,
}

impl std::fmt::Debug for Controls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Controls")
    }
}

impl Controls {
    fn wish(&self, wish: impl FnOnce(&mut Wishes)) {
        self.wishes.change(|waiting| wish(waiting.get_or_insert_default()));
        // Full: it rings already. Gone: a page that has closed by itself has said so and needs no more orders.
        let _ringing = self.bell.try_send(());
    }
}

#[derive(Debug)]
pub struct PageHost {
    controls: Option<Controls>,
    closed: Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl PageHost {
    /// Returns before the page is there: [`PageEvent::Loaded`] or [`PageEvent::LoadFailed`] tells. `out` should hold
    /// some thousands; what it has no room for waits, and what does not fit there either is counted and told.
    pub fn start(spec: PageSpec, clock: Clock, out: Sender<PageEvent>) -> Result<PageHost, PageError> {
        PageHost::start_behind(None, spec, clock, out)
    }

    /// Shows a cross with a sentence first, where there is one, and the page when it is told to
    /// [begin](PageBeginner::begin). See [`PageHost::start`].
    pub fn start_behind(
        sentence: Option<String>,
        spec: PageSpec,
        clock: Clock,
        out: Sender<PageEvent>,
    ) -> Result<PageHost, PageError> {
        let PageSpec { address, placement, mask, allow, data_dir } = spec;
        let mut view = ViewSpec::new(address, mask, allow, data_dir)?;
        view.fixation = sentence;
        let (notes, unread) = crossbeam_channel::bounded(QUEUE);
        let stage = Stage::open(placement, view, notes)?;
        let (bell, orders) = crossbeam_channel::bounded(1);
        let wishes = Latest::default();
        let controls = Controls { wishes: wishes.clone(), bell };
        let (done, closed) = crossbeam_channel::bounded(1);
        let sequencer = PageEventSequencer::new(clock, monotonic_ns());
        let thread = std::thread::Builder::new()
            .name("page-sequencer".into())
            .spawn(move || {
                Worker { sequencer, stage, unread, wishes, orders, out }.run();
                let _closer_waits = done.send(());
            })
            .map_err(PageError::Thread)?;
        Ok(PageHost { controls: Some(controls), closed, thread: Some(thread) })
    }

    /// Where an embedded page lies in its window. A participant window has its place.
    #[cfg(target_os = "linux")]
    pub fn set_bounds(&self, bounds: BoundsPx, zoom: f64) {
        self.wish(|wishes| wishes.place = Some((bounds, zoom)));
    }

    /// An embedded page covers whatever is drawn below it: hide it under dialogs.
    #[cfg(target_os = "linux")]
    pub fn set_visible(&self, is_visible: bool) {
        self.wish(|wishes| wishes.show = Some(is_visible));
    }

    /// Gives the keyboard to an embedded page, or back. A press in the page takes it by itself; call `focus(false)`
    /// when a press reached our own window.
    #[cfg(target_os = "linux")]
    pub fn focus(&self, to_page: bool) {
        self.wish(|wishes| wishes.focus = Some(to_page));
    }

    /// For whoever decides when the study's page begins. It must be dropped before the page is closed.
    pub fn beginner(&self) -> Option<PageBeginner> {
        self.controls.clone().map(PageBeginner)
    }

    pub fn reload(&self) {
        self.wish(|wishes| wishes.reload = true);
    }

    /// Takes the page away, tells what was still to be told and [`PageEvent::Closed`]. Waits for it at most 8 s. Close
    /// an embedded page before its window.
    pub fn close(mut self) -> Result<(), PageError> {
        self.end()
    }

    fn wish(&self, wish: impl FnOnce(&mut Wishes)) {
        if let Some(controls) = &self.controls {
            controls.wish(wish);
        }
    }

    fn end(&mut self) -> Result<(), PageError> {
        self.controls = None;
        let Some(thread) = self.thread.take() else { return Ok(()) };
        match self.closed.recv_timeout(CLOSE_LIMIT) {
            Err(RecvTimeoutError::Timeout) => Err(PageError::CloseTimedOut),
            Ok(()) | Err(RecvTimeoutError::Disconnected) => {
                let _its_panic_was_printed = thread.join();
                Ok(())
            }
        }
    }
}

/// Takes the cross away and shows the study's page.
pub struct PageBeginner(Controls);

impl PageBeginner {
    pub fn begin(self) {
        self.0.wish(|wishes| wishes.begin = true);
    }
}

impl Drop for PageHost {
    fn drop(&mut self) {
        // Whoever wants to know how it went calls `close`.
        let _unasked = self.end();
    }
}

/// Where the page is shown.
enum Stage {
    #[cfg(target_os = "linux")]
    Embedded {
        page: Embedded,
        notes: Sender<Note>,
    },
    Window {
        window: Option<ParticipantWindow>,
        recipe: Box<Recipe>,
        notes: Sender<Note>,
    },
}

/// How to start the participant window once more.
struct Recipe {
    program: PathBuf,
    display: Option<String>,
    spec: WindowSpec,
}

impl Recipe {
    fn start(&self, notes: Sender<Note>) -> std::io::Result<ParticipantWindow> {
        ParticipantWindow::start(&self.program, self.display.as_deref(), &self.spec, notes)
    }
}

impl Stage {
    fn open(placement: Placement, view: ViewSpec, notes: Sender<Note>) -> Result<Stage, PageError> {
        match placement {
            #[cfg(target_os = "linux")]
            Placement::Embedded { parent_xid, bounds, zoom } => {
                let page = Embedded::show(view, parent_xid, bounds, zoom, notes.clone()).map_err(PageError::Thread)?;
                Ok(Stage::Embedded { page, notes })
            }
            #[cfg(not(target_os = "linux"))]
            Placement::Embedded { .. } => Err(PageError::NotEmbeddable),
            Placement::ParticipantWindow { monitor, program, display } => {
                let program = match program {
                    Some(program) => program,
                    None => std::env::current_exe().map_err(PageError::Start)?,
                };
                let recipe = Box::new(Recipe { program, display, spec: WindowSpec { view, monitor } });
                let window = recipe.start(notes.clone()).map_err(PageError::Start)?;
                Ok(Stage::Window { window: Some(window), recipe, notes })
            }
        }
    }

    fn order(&mut self, order: Order) -> std::io::Result<()> {
        match self {
            #[cfg(target_os = "linux")]
            Stage::Embedded { page, .. } => page.order(order),
            Stage::Window { window, recipe, notes } => {
                if order == Order::Begin {
                    // A window that has to be started anew from now on shows the page at once.
                    recipe.spec.view.fixation = None;
                }
                match (order, window.as_mut()) {
                    (Order::Respawn, None) => *window = Some(recipe.start(notes.clone())?),
                    (order, Some(window)) => window.order(order),
                    (_, None) => {}
                }
            }
        }
        Ok(())
    }

    fn ask_to_close(&mut self) {
        match self {
            #[cfg(target_os = "linux")]
            Stage::Embedded { page, notes } => page.close(notes.clone()),
            Stage::Window { window, .. } => {
                if let Some(window) = window {
                    window.ask_to_end();
                }
            }
        }
    }

    /// How the participant window ended, where it has.
    fn bury(&mut self) -> Option<String> {
        match self {
            #[cfg(target_os = "linux")]
            Stage::Embedded { .. } => None,
            Stage::Window { window, .. } => window.take().map(ParticipantWindow::end),
        }
    }

    fn is_open(&self) -> bool {
        match self {
            #[cfg(target_os = "linux")]
            Stage::Embedded { .. } => true,
            Stage::Window { window, .. } => window.is_some(),
        }
    }
}

struct Worker {
    sequencer: PageEventSequencer,
    stage: Stage,
    unread: Receiver<Note>,
    wishes: Latest<Wishes>,
    /// The bell.
    orders: Receiver<()>,
    out: Sender<PageEvent>,
}

impl Worker {
    fn run(mut self) {
        loop {
            crossbeam_channel::select! {
                recv(self.unread) -> note => match note {
                    Ok(note) => self.note(note),
                    // Unless the stage is gone, which it is not, it holds a sender.
                    Err(_) => break,
                },
                recv(self.orders) -> bell => match bell {
                    Ok(()) => self.carry_out(),
                    Err(_) => break,
                },
                default(TICK) => {}
            }
            let now_ns = monotonic_ns();
            self.sequencer.tick(now_ns);
            for order in self.sequencer.orders() {
                if let Err(error) = self.stage.order(order) {
                    self.sequencer.died(PageProcess::Window, error.to_string(), now_ns, order);
                }
            }
            self.hand_on();
        }
        self.say_goodbye();
    }

    fn note(&mut self, note: Note) {
        let now_ns = monotonic_ns();
        if note == Note::Gone {
            let why = self.stage.bury().unwrap_or_default();
            self.sequencer.died(PageProcess::Window, why, now_ns, Order::Respawn);
        } else {
            self.sequencer.note(note, now_ns);
        }
    }

    fn carry_out(&mut self) {
        let Some(wishes) = self.wishes.try_take() else { return };
        for order in
            [wishes.begin.then_some(Order::Begin), wishes.reload.then_some(Order::Reload)].into_iter().flatten()
        {
            if let Err(error) = self.stage.order(order) {
                self.sequencer.died(PageProcess::Window, error.to_string(), monotonic_ns(), order);
            }
        }
        #[cfg(target_os = "linux")]
        if let Stage::Embedded { page, .. } = &self.stage {
            // A window of its own has its place.
            wishes.place.into_iter().for_each(|(bounds, zoom)| page.set_bounds(bounds, zoom));
            wishes.show.into_iter().for_each(|is_visible| page.set_visible(is_visible));
            wishes.focus.into_iter().for_each(|to_page| page.focus(to_page));
        }
    }

    /// As much as the session has room for.
    fn hand_on(&mut self) {
        while let Some(event) = self.sequencer.events().pop_front() {
            match self.out.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => {
                    self.sequencer.events().push_front(event);
                    return;
                }
                // Nobody listens any more: `close` follows.
                Err(TrySendError::Disconnected(_)) => {}
            }
        }
    }

    fn say_goodbye(mut self) {
        if self.stage.is_open() {
            self.stage.ask_to_close();
            let deadline = Instant::now() + GOODBYE_LIMIT;
            while let Ok(note) = self.unread.recv_deadline(deadline) {
                if note == Note::Gone {
                    break;
                }
                self.sequencer.note(note, monotonic_ns());
            }
        }
        // A window that has not ended by now is ended; its last words are then lost with it.
        let unread = self.unread.clone();
        let _how = std::thread::scope(|scope| {
            let stage = &mut self.stage;
            let buried = scope.spawn(move || stage.bury());
            // Its reader may still wait for room.
            while !buried.is_finished() {
                let _late = unread.recv_timeout(TICK);
            }
            buried.join()
        });
        self.sequencer.finish();
        self.sequencer.events().push_back(PageEvent::Closed);
        let deadline = Instant::now() + GOODBYE_LIMIT;
        while let Some(event) = self.sequencer.events().pop_front() {
            // A session that takes nothing for so long has failed, and says so itself.
            if self.out.send_deadline(event, deadline).is_err() {
                return;
            }
        }
    }
}
