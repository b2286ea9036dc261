//! The page inside the program's window, on X11: a GTK thread shows it as a child of that window.
//!
//! Only one thread of a process may use GTK, until the process ends. This thread, named `page`, starts with the first
//! embedded page and runs until the program ends. All pages share it. Other threads send it work as sources of its main
//! loop and do not wait for it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::Sender;
use gtk::glib;
use raw_window_handle::{HandleError, HasWindowHandle, RawWindowHandle, WindowHandle, XlibWindowHandle};
use wry::dpi::{PhysicalPosition, PhysicalSize};
use wry::{Rect, WebContext, WebView};

use super::backdrop;
use super::host_event_sender::HostEventSender;
use super::host_protocol::{HostCommand, HostEvent};
use super::keys::Keyboard;
use super::placement::BoundsPx;
use super::stage::DRAWN_AFTER;
use super::timer;
use super::view::{self, ViewSpec};
use super::webkit_signals;
use session::monotonic_ns;

/// A handle for one embedded page. Any thread can use it.
#[derive(Debug, Clone, Copy)]
pub(super) struct EmbeddedPage {
    id: u64,
}

struct Shown {
    bounds: Cell<BoundsPx>,
    /// Before it is seen for the first time, the page is beside the window that contains it: WebKit draws it there, too.
    is_placed: Cell<bool>,
    is_visible: Cell<bool>,
    /// The address that loaded last, while the page is not placed.
    loaded: RefCell<Option<String>>,
    // The view is declared before its context, so it is dropped first.
    view: WebView,
    keyboard: Rc<Keyboard>,
    spec: ViewSpec,
    sender: Rc<HostEventSender>,
    _context: WebContext,
}

thread_local! {
    static SHOWN: RefCell<HashMap<u64, Shown>> = RefCell::new(HashMap::new());
}

/// The X window that contains the page.
struct Parent(u64);

impl HasWindowHandle for Parent {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        // SAFETY: the page is closed before the window that contains it (see `PageHost::close`).
        Ok(unsafe { WindowHandle::borrow_raw(RawWindowHandle::Xlib(XlibWindowHandle::new(self.0))) })
    }
}

impl EmbeddedPage {
    /// Returns at once. Failures are reported as events.
    pub fn show(
        spec: ViewSpec,
        parent_xid: u64,
        bounds: BoundsPx,
        zoom: f64,
        events: Sender<HostEvent>,
    ) -> std::io::Result<EmbeddedPage> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        start_gtk()?;
        on_gtk(move || {
            let queue = events.clone();
            let sender = spec.event_sender(Box::new(move |event| {
                let loaded = loaded(&event);
                let is_taken = queue.try_send(event).is_ok();
                if let Some(url) = loaded {
                    EmbeddedPage { id }.has_loaded(url);
                }
                is_taken
            }));
            match build(spec, parent_xid, bounds, zoom, sender) {
                Ok(shown) => SHOWN.with_borrow_mut(|all| {
                    all.insert(id, shown);
                }),
                Err(why) => {
                    let why =
                        format!("the page could not be embedded in the window: {why}. Choose the participant window");
                    // The sequencer reads until `Ended`, so there is room. The send fails only if the page was closed.
                    events.send(HostEvent::CannotShow { at_ns: monotonic_ns(), why }).ok();
                }
            }
        });
        Ok(EmbeddedPage { id })
    }

    pub fn send(self, command: HostCommand) {
        self.with(move |shown| match command {
            HostCommand::Ping { id } => view::ping(&shown.view, &shown.spec, &shown.sender, id),
            HostCommand::Begin => view::begin(&shown.view, &shown.spec, &shown.sender),
            HostCommand::Questionnaire(_) | HostCommand::Calm | HostCommand::Closing => {
                view::show_own(&shown.view, &command, &shown.sender);
            }
            HostCommand::Focus => shown.keyboard.give(true),
            HostCommand::Reload | HostCommand::Respawn { .. } => {
                // The view keeps its address after a crash.
                if let Err(error) = shown.view.reload() {
                    let why = format!("the page could not be loaded again: {error}");
                    shown.sender.send(HostEvent::LoadFailed { at_ns: monotonic_ns(), url: String::new(), why });
                }
            }
            // An embedded page has no screens of the program. It belongs to one session.
            HostCommand::Load(_)
            | HostCommand::Unload
            | HostCommand::Show(_)
            | HostCommand::ShowPage
            | HostCommand::SetFront(_) => {}
        });
    }

    pub fn set_bounds(self, bounds: BoundsPx, zoom: f64) {
        self.with(move |shown| {
            shown.bounds.set(bounds);
            if let Err(error) = shown.place().and_then(|()| shown.view.zoom(zoom)) {
                tracing::warn!("the embedded page could not be moved: {error}");
            }
        });
    }

    /// Shows the page when it is drawn. A page that was seen before stays where it is.
    fn has_loaded(self, url: String) {
        self.with(move |shown| {
            shown.loaded.replace(Some(url));
            self.show_soon(shown);
        });
    }

    fn show_soon(self, shown: &Shown) {
        let is_next = shown.is_visible.get() && shown.loaded.borrow().is_some();
        let wait = if shown.is_placed.get() { Duration::ZERO } else { DRAWN_AFTER };
        if is_next {
            timer::after(wait, move || {
                SHOWN.with_borrow(|all| all.get(&self.id).map(Shown::reveal).unwrap_or_default())
            });
        }
    }

    pub fn set_visible(self, is_visible: bool) {
        self.with(move |shown| {
            if !is_visible {
                shown.keyboard.give(false);
            }
            let shown_or_hidden = shown.view.set_visible(is_visible);
            shown.is_visible.set(is_visible);
            // GTK ignores the bounds of a hidden view. They are set again when it is shown.
            let placed = if is_visible { shown.place() } else { Ok(()) };
            // On X11 neither fails.
            if let Err(error) = shown_or_hidden.and(placed) {
                tracing::warn!("the embedded page could not be shown or hidden: {error}");
            }
            self.show_soon(shown);
        });
    }

    pub fn focus(self, to_page: bool) {
        self.with(move |shown| shown.keyboard.give(to_page));
    }

    /// Removes the page. The last event is `Ended`.
    pub fn close(self, events: Sender<HostEvent>) {
        on_gtk(move || {
            if let Some(shown) = SHOWN.with_borrow_mut(|all| all.remove(&self.id)) {
                shown.keyboard.give(false);
                shown.sender.send_all_refusals();
                drop(shown);
            }
            // Fails only if the sequencer has ended already.
            events.send(HostEvent::Ended).ok();
        });
    }

    fn with(self, act: impl FnOnce(&Shown) + Send + 'static) {
        on_gtk(move || SHOWN.with_borrow(|all| all.get(&self.id).map(act).unwrap_or_default()));
    }
}

impl Shown {
    fn place(&self) -> Result<(), wry::Error> {
        let bounds = self.bounds.get();
        self.view.set_bounds(rect(if self.is_placed.get() { bounds } else { beside_window(bounds) }))
    }

    /// No grey screen covers an embedded page, so it is seen where it is placed.
    fn reveal(&self) {
        if !self.is_visible.get() {
            return;
        }
        let Some(url) = self.loaded.take() else { return };
        if !self.is_placed.replace(true)
            && let Err(error) = self.place()
        {
            tracing::warn!("the embedded page could not be placed: {error}");
        }
        self.sender.send(HostEvent::Revealed { at_ns: monotonic_ns(), url });
    }
}

/// The address of a page that can be seen. The place of a page that failed keeps the message of the window.
fn loaded(event: &HostEvent) -> Option<String> {
    match event {
        HostEvent::Loaded { url, status, .. } if *status < 400 => Some(url.clone()),
        // The page stopped its own load.
        HostEvent::LoadInterrupted { url, is_committed: true } => Some(url.clone()),
        _ => None,
    }
}

/// As large, and outside of the window.
fn beside_window(bounds: BoundsPx) -> BoundsPx {
    let width = i32::try_from(bounds.width).unwrap_or(i32::MAX / 2);
    BoundsPx { left: -width - 100, top: 0, ..bounds }
}

fn build(
    spec: ViewSpec,
    parent_xid: u64,
    bounds: BoundsPx,
    zoom: f64,
    sender: Rc<HostEventSender>,
) -> Result<Shown, String> {
    if !gtk::is_initialized_main_thread() {
        return Err("GTK found no X display. Set DISPLAY".into());
    }
    let mut context = WebContext::new(spec.data_dir.clone());
    let view = view::builder(&mut context, &spec, &sender)
        .map_err(|e| format!("its folder could not be read: {e}"))?
        .with_bounds(rect(beside_window(bounds)))
        .with_focused(false)
        .build_as_child(&Parent(parent_xid))
        .map_err(|e| e.to_string())?;
    backdrop::prepare(&view)?;
    webkit_signals::watch(&view, &sender);
    view.zoom(zoom).map_err(|e| e.to_string())?;
    let keyboard = Keyboard::new(&view, parent_xid, &sender)?;
    Ok(Shown {
        bounds: Cell::new(bounds),
        is_placed: Cell::new(false),
        is_visible: Cell::new(true),
        loaded: RefCell::default(),
        view,
        keyboard,
        spec,
        sender,
        _context: context,
    })
}

fn rect(bounds: BoundsPx) -> Rect {
    Rect {
        position: PhysicalPosition::new(bounds.left, bounds.top).into(),
        size: PhysicalSize::new(bounds.width.max(1), bounds.height.max(1)).into(),
    }
}

fn start_gtk() -> std::io::Result<()> {
    static STARTED: OnceLock<Result<(), std::io::ErrorKind>> = OnceLock::new();
    let started = STARTED.get_or_init(|| {
        let (ready, is_ready) = crossbeam_channel::bounded(1);
        let thread = std::thread::Builder::new().name("page".into()).spawn(move || {
            // Embedding works on X11 only. This must be set before GTK opens a display.
            gtk::gdk::set_allowed_backends("x11");
            // The loop also runs without GTK, so that each page reports its own failure.
            let has_gtk = gtk::init().is_ok();
            // Fails only if the starting thread has ended.
            ready.send(()).ok();
            if has_gtk {
                gtk::main();
            } else {
                glib::MainLoop::new(None, false).run();
            }
        });
        // Sources must not be added before GTK has tried to take the main context. This takes a few milliseconds.
        match thread {
            Ok(_) => {
                // Fails only if the thread panicked before it was ready.
                is_ready.recv().ok();
            }
            Err(error) => return Err(error.kind()),
        }
        Ok(())
    });
    (*started).map_err(std::io::Error::from)
}

/// Runs `act` on the GTK thread with default priority, before idle work.
fn on_gtk(act: impl FnOnce() + Send + 'static) {
    let mut act = Some(act);
    let source = glib::idle_source_new(Some("affectograph"), glib::Priority::DEFAULT, move || {
        if let Some(act) = act.take() {
            act();
        }
        glib::ControlFlow::Break
    });
    source.attach(Some(&glib::MainContext::default()));
}
