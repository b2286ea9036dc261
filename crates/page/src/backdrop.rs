//! What is seen where WebKit has not drawn an embedded page yet. Without this it is black: X fills new parts of a window, and
//! GTK draws a view without contents.

use gtk::glib;
use gtk::prelude::*;
use wry::{WebView, WebViewExtUnix};

use super::host_screen::GREY;

/// X leaves new parts of the page's windows as they are, so that the window that contains the page is seen. GTK draws the
/// grey of the program's screens below what WebKit draws. `Err`: the X library could not be loaded.
pub(super) fn prepare(view: &WebView) -> Result<(), String> {
    let xlib = x11_dl::xlib::Xlib::open().map_err(|e| e.to_string())?;
    let view = view.webview();
    let windows = [view.window(), view.toplevel().and_then(|toplevel| toplevel.window())];
    for window in windows.into_iter().flatten() {
        leave_as_it_is(&xlib, &window);
    }
    view.connect_draw(|_, context| {
        let [red, green, blue] = [GREY.0, GREY.1, GREY.2].map(|c| f64::from(c) / 255.0);
        context.set_source_rgb(red, green, blue);
        if let Err(error) = context.paint() {
            tracing::warn!("an embedded page without contents is black: {error}");
        }
        glib::Propagation::Proceed
    });
    Ok(())
}

fn leave_as_it_is(xlib: &x11_dl::xlib::Xlib, window: &gtk::gdk::Window) {
    let display = window.display();
    let (Some(window), Some(display)) =
        (window.downcast_ref::<gdkx11::X11Window>(), display.downcast_ref::<gdkx11::X11Display>())
    else {
        return;
    };
    // SAFETY: the display and the window are alive, and this thread owns GDK's connection.
    unsafe {
        let display = gdkx11::ffi::gdk_x11_display_get_xdisplay(display.as_ptr());
        (xlib.XSetWindowBackgroundPixmap)(display.cast(), window.xid(), 0);
    }
}
