//! Calls of the window's thread at a later time.

use std::time::Duration;

#[cfg(target_os = "linux")]
pub(super) fn after(wait: Duration, act: impl FnOnce() + 'static) {
    gtk::glib::timeout_add_local_once(wait, act);
}

/// Until `act` returns `false`.
#[cfg(target_os = "linux")]
pub(super) fn every(interval: Duration, mut act: impl FnMut() -> bool + 'static) {
    gtk::glib::timeout_add_local(interval, move || match act() {
        true => gtk::glib::ControlFlow::Continue,
        false => gtk::glib::ControlFlow::Break,
    });
}

/// Without GTK there is no timer here, and a view is shown at once.
#[cfg(not(target_os = "linux"))]
pub(super) fn after(_: Duration, act: impl FnOnce() + 'static) {
    act();
}
