//! The number of monitors, which decides where the page is shown.

/// The number of monitors with different contents. 1 if the system does not report it.
#[cfg(target_os = "linux")]
pub fn monitor_count() -> usize {
    use x11_dl::{xlib::Xlib, xrandr::Xrandr};
    let (Ok(xlib), Ok(xrandr)) = (Xlib::open(), Xrandr::open()) else { return 1 };
    // SAFETY: the display is opened, used and closed in this function only.
    unsafe {
        let display = (xlib.XOpenDisplay)(std::ptr::null());
        if display.is_null() {
            return 1;
        }
        let mut count = 0;
        let root = (xlib.XDefaultRootWindow)(display);
        let monitors = (xrandr.XRRGetMonitors)(display, root, 1, &mut count);
        if !monitors.is_null() {
            (xrandr.XRRFreeMonitors)(monitors);
        }
        (xlib.XCloseDisplay)(display);
        usize::try_from(count).unwrap_or(1).max(1)
    }
}

#[cfg(not(target_os = "linux"))]
pub fn monitor_count() -> usize {
    1
}
