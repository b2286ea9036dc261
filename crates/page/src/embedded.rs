//! The page inside our window, on X11: a GTK thread shows it as a child of our window.
//!
//! GTK may be used by one thread a process, for ever: so this thread, named `page`, starts with the first embedded page
//! and lives as long as the program. Pages come and go on it; everything is asked of it by sources on its main loop, so
//! nobody waits for it.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::Sender;
use gtk::glib;
use raw_window_handle::{HandleError, HasWindowHandle, RawWindowHandle, WindowHandle, XlibWindowHandle};
use wry::dpi::{PhysicalPosition, PhysicalSize};
use wry::{Rect, WebContext, WebView};

use super::host::BoundsPx;
use super::host_protocol::{Note, Order};
use super::keys::Keyboard;
use super::view::{self, Teller, ViewSpec};
use session::monotonic_ns;

/// One embedded page, as other threads know it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Embedded {
    id: u64,
}

struct Shown {
    bounds: Cell<BoundsPx>,
    // The view goes before the context it lives in.
    view: WebView,
    keyboard: Rc<Keyboard>,
    spec: ViewSpec,
    teller: Rc<Teller>,
    _context: WebContext,
}

thread_local! {
    static SHOWN: RefCell<HashMap<u64, Shown>> = RefCell::new(HashMap::new());
}

/// The window that a page is put into.
struct Parent(u64);

impl HasWindowHandle for Parent {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        // SAFETY: the page is closed before the window it is in (see `PageHost::close`).
        Ok(unsafe { WindowHandle::borrow_raw(RawWindowHandle::Xlib(XlibWindowHandle::new(self.0))) })
    }
}

impl Embedded {
    /// Returns at once; what goes wrong is told by a note.
    pub fn show(
        spec: ViewSpec,
        parent_xid: u64,
        bounds: BoundsPx,
        zoom: f64,
        notes: Sender<Note>,
    ) -> std::io::Result<Embedded> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        start_gtk()?;
        on_gtk(move || {
            let send = notes.clone();
            let teller = Teller::new(&spec, Box::new(move |note| send.try_send(note).is_ok()));
            match build(spec, parent_xid, bounds, zoom, teller) {
                Ok(shown) => SHOWN.with_borrow_mut(|all| drop(all.insert(id, shown))),
                Err(why) => {
                    // The sequencer reads on until `Gone`, so there is room, or nobody is left to be told.
                    let why = format!("the page cannot be shown in this window: {why}");
                    let _nobody_left = notes.send(Note::CannotShow { at_ns: monotonic_ns(), why });
                }
            }
        });
        Ok(Embedded { id })
    }

    pub fn order(self, order: Order) {
        self.with(move |shown| match order {
            Order::Ping { id } => view::ping(&shown.view, &shown.spec, &shown.teller, id),
            Order::Begin => view::begin(&shown.view, &shown.spec, &shown.teller),
            Order::Reload | Order::Respawn => {
                // After a crash the view still knows its address.
                if let Err(error) = shown.view.reload() {
                    let why = format!("the page cannot be loaded again: {error}");
                    shown.teller.tell(Note::LoadFailed { at_ns: monotonic_ns(), url: String::new(), why });
                }
            }
        });
    }

    pub fn set_bounds(self, bounds: BoundsPx, zoom: f64) {
        // Neither fails on X11.
        self.with(move |shown| {
            shown.bounds.set(bounds);
            let _always_ok = shown.view.set_bounds(rect(bounds)).and_then(|()| shown.view.zoom(zoom));
        });
    }

    pub fn set_visible(self, is_visible: bool) {
        self.with(move |shown| {
            if !is_visible {
                shown.keyboard.give(false);
            }
            let _always_ok = shown.view.set_visible(is_visible);
            if is_visible {
                // GTK gives a hidden view no room, so what it was told while hidden must be told again.
                let _always_ok = shown.view.set_bounds(rect(shown.bounds.get()));
            }
        });
    }

    pub fn focus(self, to_page: bool) {
        self.with(move |shown| shown.keyboard.give(to_page));
    }

    /// Takes the page away, and tells `Gone` as the last thing.
    pub fn close(self, notes: Sender<Note>) {
        on_gtk(move || {
            if let Some(shown) = SHOWN.with_borrow_mut(|all| all.remove(&self.id)) {
                shown.keyboard.give(false);
                shown.teller.tell_all_refusals();
                drop(shown);
            }
            let _nobody_left = notes.send(Note::Gone);
        });
    }

    fn with(self, act: impl FnOnce(&Shown) + Send + 'static) {
        on_gtk(move || SHOWN.with_borrow(|all| all.get(&self.id).map(act).unwrap_or_default()));
    }
}

fn build(spec: ViewSpec, parent_xid: u64, bounds: BoundsPx, zoom: f64, teller: Rc<Teller>) -> Result<Shown, String> {
    if !gtk::is_initialized_main_thread() {
        return Err("there is no X display that GTK can use".into());
    }
    let mut context = WebContext::new(spec.data_dir.clone());
    let view = view::builder(&mut context, &spec, &teller)
        .map_err(|e| format!("its folder cannot be read: {e}"))?
        .with_bounds(rect(bounds))
        .with_focused(false)
        .build_as_child(&Parent(parent_xid))
        .map_err(|e| e.to_string())?;
    view::watch(&view, &teller);
    view.zoom(zoom).map_err(|e| e.to_string())?;
    let keyboard = Keyboard::new(&view, parent_xid)?;
    Ok(Shown { bounds: Cell::new(bounds), view, keyboard, spec, teller, _context: context })
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
            // A window of ours can only be a parent on X11; this must come before GTK opens a display.
            gtk::gdk::set_allowed_backends("x11");
            // Without GTK the loop runs all the same, so that each page tells its own failure.
            let has_gtk = gtk::init().is_ok();
            let _starter_waits = ready.send(());
            if has_gtk {
                gtk::main();
            } else {
                glib::MainLoop::new(None, false).run();
            }
        });
        // Sources may be added once GTK has, or has not, taken the main context: a few milliseconds.
        match thread {
            Ok(_) => drop(is_ready.recv()),
            Err(error) => return Err(error.kind()),
        }
        Ok(())
    });
    (*started).map_err(std::io::Error::from)
}

/// Runs `act` on the GTK thread, before its idle work.
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
