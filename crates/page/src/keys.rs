//! The keyboard focus when the page is embedded in the program's window.
//!
//! X sends keys to the window with the focus. If the pointer is in a child of that window, X sends them to the child. wry
//! does not move the X focus: its `focus()` moves the focus inside GTK only. So this module moves the X focus to the
//! page's window on a press in the page, and back on a press outside of it. Keys that reach the page only because of the
//! pointer are sent on to the program's window, so that no marker and no letter of a note is lost.

use std::cell::Cell;
use std::rc::Rc;

use gtk::glib;
use gtk::prelude::*;
use wry::{WebView, WebViewExtUnix};

use super::host_event_sender::HostEventSender;
use super::host_protocol::HostEvent;
use super::operator_keys::{self, KeyboardLamp};

/// How often the focus is compared with that of X.
const FOCUS_CHECK: std::time::Duration = std::time::Duration::from_millis(300);

/// The focus of one view. Used on the GTK thread only.
pub(super) struct Keyboard {
    view: webkit2gtk::WebView,
    parent_xid: u64,
    has_page_focus: Cell<bool>,
    lamp: KeyboardLamp,
    xlib: x11_dl::xlib::Xlib,
}

impl Keyboard {
    /// `Err`: the X library could not be loaded.
    pub fn new(view: &WebView, parent_xid: u64, sender: &Rc<HostEventSender>) -> Result<Rc<Keyboard>, String> {
        let xlib = x11_dl::xlib::Xlib::open().map_err(|e| e.to_string())?;
        let lamp = KeyboardLamp::new(sender);
        let view = view.webview();
        let keyboard = Rc::new(Keyboard { view, parent_xid, has_page_focus: Cell::new(false), lamp, xlib });
        let weak = Rc::downgrade(&keyboard);
        keyboard.view.connect_key_press_event(move |_, event| match weak.upgrade() {
            Some(keyboard) if keyboard.has_page_focus.get() => glib::Propagation::Proceed,
            Some(keyboard) => keyboard.send_on(event, x11_dl::xlib::KeyPress),
            None => glib::Propagation::Stop,
        });
        let weak = Rc::downgrade(&keyboard);
        keyboard.view.connect_key_release_event(move |_, event| match weak.upgrade() {
            Some(keyboard) if keyboard.has_page_focus.get() => glib::Propagation::Proceed,
            Some(keyboard) => keyboard.send_on(event, x11_dl::xlib::KeyRelease),
            None => glib::Propagation::Stop,
        });
        let weak = Rc::downgrade(&keyboard);
        keyboard.view.connect_button_press_event(move |_, _| {
            // Runs after GTK has handled the press, because GTK moves its own focus then.
            let weak = weak.clone();
            glib::idle_add_local_once(move || {
                if let Some(keyboard) = weak.upgrade() {
                    keyboard.give(true);
                }
            });
            glib::Propagation::Proceed
        });
        // After the handler above: the operator's keys count only while the page has the keyboard.
        let weak = Rc::downgrade(&keyboard);
        let give_back = move || {
            if let Some(keyboard) = weak.upgrade() {
                keyboard.give(false);
            }
        };
        let to = sender.clone();
        let report = move |at_ns, key| to.send(HostEvent::OperatorKey { at_ns, key });
        operator_keys::watch(&keyboard.view, report, give_back);
        operator_keys::watch_unused(&keyboard.view, sender);
        let weak = Rc::downgrade(&keyboard);
        glib::timeout_add_local(FOCUS_CHECK, move || match weak.upgrade() {
            Some(keyboard) => {
                keyboard.notice_loss();
                glib::ControlFlow::Continue
            }
            None => glib::ControlFlow::Break,
        });
        Ok(keyboard)
    }

    /// Moves the focus to the page, or back to the program's window if the page has it.
    pub fn give(&self, to_page: bool) {
        if !to_page && !self.has_page_focus.get() {
            return;
        }
        self.has_page_focus.set(to_page);
        self.lamp.show(to_page);
        if to_page {
            self.view.grab_focus();
        }
        let Some((window, page_xid, display)) = self.x_window() else { return };
        let xid = if to_page { page_xid } else { self.parent_xid };
        // SAFETY: the display and both windows are alive, the view and its parent live longer than this object, and this
        // thread owns GDK's connection. The trap catches the error of a window that is being unmapped.
        unsafe {
            gtk::gdk::ffi::gdk_error_trap_push();
            (self.xlib.XSetInputFocus)(display, xid, x11_dl::xlib::RevertToParent, x11_dl::xlib::CurrentTime);
            gtk::gdk::ffi::gdk_error_trap_pop_ignored();
        }
        self.send_focus_event(&window, to_page);
    }

    /// The inner window, because GDK selects key events there and not on wry's container.
    fn x_window(&self) -> Option<(gtk::gdk::Window, u64, *mut x11_dl::xlib::Display)> {
        let window = self.view.window()?;
        let xid = window.downcast_ref::<gdkx11::X11Window>()?.xid();
        let display = window.display();
        let x_display = display.downcast_ref::<gdkx11::X11Display>()?;
        // SAFETY: the display is alive, and this thread owns GDK's connection.
        let raw = unsafe { gdkx11::ffi::gdk_x11_display_get_xdisplay(x_display.as_ptr()) };
        Some((window, xid, raw.cast()))
    }

    /// Sends a key on to the program's window. X gave it to the page only because the pointer is over the page.
    fn send_on(&self, event: &gtk::gdk::EventKey, kind: i32) -> glib::Propagation {
        // Shift, Lock, Control and the five modifiers. GDK adds further bits.
        const MODIFIERS: u32 = 0xFF;
        let Some((_, _, display)) = self.x_window() else { return glib::Propagation::Stop };
        // SAFETY: as in `x_window`. The parent lives longer than this object, and Xlib copies the event.
        unsafe {
            let key = x11_dl::xlib::XKeyEvent {
                type_: kind,
                serial: 0,
                send_event: 1,
                display,
                window: self.parent_xid,
                root: (self.xlib.XDefaultRootWindow)(display),
                subwindow: 0,
                time: event.time().into(),
                x: 0,
                y: 0,
                x_root: 0,
                y_root: 0,
                state: (event.state().bits() & MODIFIERS) | (u32::from(event.group()) << 13),
                keycode: event.hardware_keycode().into(),
                same_screen: 1,
            };
            let mut sent = x11_dl::xlib::XEvent { key };
            let mask = x11_dl::xlib::KeyPressMask | x11_dl::xlib::KeyReleaseMask;
            (self.xlib.XSendEvent)(display, self.parent_xid, 0, mask, &mut sent);
            (self.xlib.XFlush)(display);
        }
        glib::Propagation::Stop
    }

    /// The window manager or another program may take the focus from the page. X does not report that to GTK here.
    fn notice_loss(&self) {
        if !self.has_page_focus.get() {
            return;
        }
        let Some((window, page_xid, display)) = self.x_window() else { return };
        let (mut focused, mut revert_to) = (0, 0);
        // SAFETY: as in `x_window`. Xlib writes both values.
        unsafe {
            (self.xlib.XGetInputFocus)(display, &mut focused, &mut revert_to);
        }
        if focused != page_xid {
            self.has_page_focus.set(false);
            self.lamp.show(false);
            self.send_focus_event(&window, false);
        }
    }

    /// GDK sends no focus change to a foreign toplevel. Without it, `document.hasFocus()` is false and the caret is
    /// hidden.
    fn send_focus_event(&self, window: &gtk::gdk::Window, is_in: bool) {
        let Some(toplevel) = self.view.toplevel() else { return };
        let mut event = gtk::gdk::Event::new(gtk::gdk::EventType::FocusChange);
        // SAFETY: an event of this type is a `GdkEventFocus`, and the event owns the reference that it receives.
        unsafe {
            use glib::translate::{ToGlibPtr, ToGlibPtrMut};
            let raw: *mut gtk::gdk::ffi::GdkEvent = event.to_glib_none_mut().0;
            let focus = raw.cast::<gtk::gdk::ffi::GdkEventFocus>();
            (*focus).window = window.to_glib_full();
            (*focus).send_event = 1;
            (*focus).in_ = i16::from(is_in);
        }
        toplevel.event(&event);
    }
}

/// Makes winit ignore the GLX error that occurs when an embedded page's window is destroyed. Call it once, before the
/// event loop starts.
pub fn ignore_lost_page_window() {
    const GLX_BAD_WINDOW: u8 = 170;
    winit::platform::x11::register_xlib_error_hook(Box::new(|_, error| {
        // SAFETY: winit passes the `XErrorEvent` from Xlib. It is alive during this call.
        let error = unsafe { error.cast::<x11_dl::xlib::XErrorEvent>().as_ref() };
        error.is_some_and(|e| e.error_code == GLX_BAD_WINDOW)
    }));
}
