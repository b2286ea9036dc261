//! Grey before WebKit has drawn anything: in the participant window, and where a page is embedded.

use gtk::prelude::*;
use gtk::{cairo, gdk};

use super::host_screen::GREY;

/// Makes everything grey that GTK draws itself. Called before a window is opened.
pub(super) fn paint_grey() {
    let Some(screen) = gdk::Screen::default() else { return };
    let (red, green, blue) = GREY;
    let css = gtk::CssProvider::new();
    let rules = format!(
        "window, .curtain {{ background: rgb({red},{green},{blue}); }}
         button.withdraw {{ background: rgb(230,230,227); color: #33383d; border: 1px solid #6d7378; box-shadow: none;
           text-shadow: none; border-radius: 6px; padding: 6px 16px; margin: 14px; font-size: 15px; }}"
    );
    match css.load_from_data(rules.as_bytes()) {
        Ok(()) => gtk::StyleContext::add_provider_for_screen(&screen, &css, gtk::STYLE_PROVIDER_PRIORITY_USER),
        // Not reached: the rules are constant.
        Err(error) => tracing::warn!("the participant window is not grey: {error}"),
    }
}

/// The X server paints this before GTK draws, also when the window is mapped or grows.
pub(super) fn paint_window(window: &gdk::Window) {
    let [red, green, blue] = [GREY.0, GREY.1, GREY.2].map(|c| f64::from(c) / 255.0);
    let grey = cairo::SolidPattern::from_rgb(red, green, blue);
    #[allow(deprecated, reason = "GTK 3 has no other call for the background of the X window")]
    window.set_background_pattern(Some(&*grey));
}
