//! Who gets the keyboard when the page is a window inside ours.
//!
//! X gives keys to the window with the focus, and where that has the pointer in a child window, to the child. wry never
//! moves the focus: its `focus()` moves it inside GTK only. So a press in the page takes the X focus to the page's own
//! window, a press outside of it gives it back, and keys that reach the page by the pointer alone are refused.

use std::cell::Cell;
use std::rc::Rc;

use gtk::glib;
use gtk::prelude::*;
use wry::{WebView, WebViewExtUnix};

/// The hand-over for one view. Lives on the GTK thread.
pub(super) struct Keyboard {
    view: webkit2gtk::WebView,
    parent_xid: u64,
    has_page_focus: Cell<bool>,
    xlib: x11_dl::xlib::Xlib,
}

impl Keyboard {
    /// `Err` where the X library cannot be loaded.
    pub fn new(view: &WebView, parent_xid: u64) -> Result<Rc<Keyboard>, String> {
        let xlib = x11_dl::xlib::Xlib::open().map_err(|e| e.to_string())?;
        let keyboard = Rc::new(Keyboard { view: view.webview(), parent_xid, has_page_focus: Cell::new(false), xlib });
        let weak = Rc::downgrade(&keyboard);
        keyboard.view.connect_key_press_event(move |_, _| match weak.upgrade() {
            Some(keyboard) if keyboard.has_page_focus.get() => glib::Propagation::Proceed,
            _ => glib::Propagation::Stop,
        });
        let weak = Rc::downgrade(&keyboard);
        keyboard.view.connect_button_press_event(move |_, _| {
            // After GTK has dealt with the press, which moves its own focus.
            let weak = weak.clone();
            glib::idle_add_local_once(move || {
                if let Some(keyboard) = weak.upgrade() {
                    keyboard.give(true);
                }
            });
            glib::Propagation::Proceed
        });
        Ok(keyboard)
    }

    /// To the page or back to our window; nothing happens where it is there already.
    pub fn give(&self, to_page: bool) {
        if !to_page && !self.has_page_focus.get() {
            return;
        }
        self.has_page_focus.set(to_page);
        if to_page {
            self.view.grab_focus();
        }
        // The inner window: GDK selects key events there, not on the container that wry makes.
        let Some(window) = self.view.window() else { return };
        let Some(x_window) = window.downcast_ref::<gdkx11::X11Window>() else { return };
        let display = window.display();
        let Some(x_display) = display.downcast_ref::<gdkx11::X11Display>() else { return };
        let xid = if to_page { x_window.xid() } else { self.parent_xid };
        // SAFETY: the display and both windows are alive, the view and its parent outlive this object, and this is
        // the thread that owns GDK's connection. The trap takes the error of a window that is being unmapped.
        unsafe {
            gtk::gdk::ffi::gdk_error_trap_push();
            let display = gdkx11::ffi::gdk_x11_display_get_xdisplay(x_display.as_ptr());
            (self.xlib.XSetInputFocus)(display.cast(), xid, x11_dl::xlib::RevertToParent, x11_dl::xlib::CurrentTime);
            gtk::gdk::ffi::gdk_error_trap_pop_ignored();
        }
        self.tell_gtk(&window, to_page);
    }

    /// GDK tells no focus change to a foreign toplevel, and without one `document.hasFocus()` and the caret stay off.
    fn tell_gtk(&self, window: &gtk::gdk::Window, is_in: bool) {
        let Some(toplevel) = self.view.toplevel() else { return };
        let mut event = gtk::gdk::Event::new(gtk::gdk::EventType::FocusChange);
        // SAFETY: an event of this type is a `GdkEventFocus`; the event owns the reference given to it.
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

/// Lets winit overlook the error that GLX raises when the page's window inside ours goes away. Call it once, before
/// the event loop.
pub fn overlook_lost_page_window() {
    const GLX_BAD_WINDOW: u8 = 170;
    winit::platform::x11::register_xlib_error_hook(Box::new(|_, error| {
        // SAFETY: winit hands on the `XErrorEvent` that Xlib gave it, alive during this call.
        let error = unsafe { error.cast::<x11_dl::xlib::XErrorEvent>().as_ref() };
        error.is_some_and(|e| e.error_code == GLX_BAD_WINDOW)
    }));
}
