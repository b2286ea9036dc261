//! The three layers of the participant window on Linux: the page, a screen of the program above it, and grey above both.
//!
//! All three stay mapped while they are drawn, because WebKit draws no hidden view. The preview of set-up is drawn in a
//! window of GTK that is on no screen. The participant cannot see it, no screen reader finds it, and it is drawn while their
//! window is hidden.

use std::cell::RefCell;

use gtk::prelude::*;
use gtk::{atk, cairo, gdk};
use tao::dpi::LogicalSize;
use tao::platform::unix::WindowExtUnix;
use tao::window::{Fullscreen, Window};
use wry::{WebView, WebViewBuilder, WebViewBuilderExtUnix, WebViewExtUnix};

use super::OperatorKey;
use super::curtain::Layer;
use super::host_screen::GREY;
use super::operator_keys;

pub(super) struct Layers {
    window: gtk::ApplicationWindow,
    page_place: gtk::Box,
    /// On no screen.
    preview: gtk::OffscreenWindow,
    preview_place: gtk::Box,
    screen_place: gtk::Box,
    curtain: gtk::EventBox,
    withdraw: gtk::Button,
    has_withdraw: bool,
    page: RefCell<Option<WebView>>,
    screen: RefCell<Option<WebView>>,
}

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

/// The size that the window has, or will have when it is shown.
fn size_of(window: &Window) -> LogicalSize<i32> {
    match window.fullscreen() {
        Some(Fullscreen::Borderless(Some(monitor))) => monitor.size().to_logical(monitor.scale_factor()),
        _ => window.inner_size().to_logical(window.scale_factor()),
    }
}

/// GTK does not list a redundant window. Called before the window is shown for the first time.
fn hide_from_screen_readers(window: &gtk::OffscreenWindow) {
    if let Some(accessible) = window.accessible() {
        accessible.set_role(atk::Role::RedundantObject);
    }
}

impl Layers {
    /// `withdraw`: the text of the participant's button, if there is one.
    pub fn new(window: &Window, withdraw: Option<&str>) -> Layers {
        let gtk_window = window.gtk_window().clone();
        let overlay = gtk::Overlay::new();
        let [page_place, preview_place, screen_place] =
            [(), (), ()].map(|()| gtk::Box::new(gtk::Orientation::Vertical, 0));
        let preview = gtk::OffscreenWindow::new();
        let LogicalSize { width, height } = size_of(window);
        preview.set_default_size(width, height);
        preview.add(&preview_place);
        hide_from_screen_readers(&preview);
        let curtain = gtk::EventBox::new();
        curtain.style_context().add_class("curtain");
        curtain.set_can_focus(true);
        let button = gtk::Button::with_label(withdraw.unwrap_or_default());
        button.style_context().add_class("withdraw");
        button.set_halign(gtk::Align::End);
        button.set_valign(gtk::Align::End);
        button.set_can_focus(false);
        overlay.add(&page_place);
        overlay.add_overlay(&screen_place);
        overlay.add_overlay(&curtain);
        overlay.add_overlay(&button);
        match window.default_vbox() {
            Some(place) => place.pack_start(&overlay, true, true, 0),
            None => gtk_window.add(&overlay),
        }
        let layers = Layers {
            window: gtk_window,
            page_place,
            preview,
            preview_place,
            screen_place,
            curtain,
            withdraw: button,
            has_withdraw: withdraw.is_some(),
            page: RefCell::new(None),
            screen: RefCell::new(None),
        };
        layers.window.connect_realize(|window| {
            // The X server paints this before GTK draws, also when the window is mapped or grows.
            if let Some(window) = window.window() {
                let [red, green, blue] = [GREY.0, GREY.1, GREY.2].map(|c| f64::from(c) / 255.0);
                let grey = cairo::SolidPattern::from_rgb(red, green, blue);
                #[allow(deprecated, reason = "GTK 3 has no other call for the background of the X window")]
                window.set_background_pattern(Some(&*grey));
            }
        });
        layers
    }

    /// Opens the window. Only the curtain is visible.
    pub fn open(&self, is_in_front: bool) {
        if let Some(content) = self.window.child() {
            content.show_all();
        }
        self.withdraw.hide();
        self.set_front(is_in_front);
    }

    /// `is_preview`: the page is for the operator only.
    pub fn set_page(&self, builder: WebViewBuilder<'_>, is_preview: bool) -> Result<(), wry::Error> {
        self.remove_page();
        let place = if is_preview { &self.preview_place } else { &self.page_place };
        let view = builder.with_focused(false).build_gtk(place)?;
        view.webview().show();
        if is_preview {
            self.preview.show_all();
        }
        self.page.replace(Some(view));
        Ok(())
    }

    pub fn remove_page(&self) {
        self.page.replace(None);
        self.preview.hide();
    }

    pub fn set_screen(&self, builder: WebViewBuilder<'_>) -> Result<(), wry::Error> {
        let view = builder.with_focused(false).build_gtk(&self.screen_place)?;
        view.webview().show();
        self.screen.replace(Some(view));
        Ok(())
    }

    pub fn on_page<R>(&self, act: impl FnOnce(&WebView) -> R) -> Option<R> {
        self.page.borrow().as_ref().map(act)
    }

    pub fn on_screen<R>(&self, act: impl FnOnce(&WebView) -> R) -> Option<R> {
        self.screen.borrow().as_ref().map(act)
    }

    /// Puts a layer on top, with the keyboard. What is below is not visible and gets no input.
    pub fn raise(&self, top: Layer) {
        self.screen_place.set_visible(top != Layer::Page);
        self.curtain.set_visible(top == Layer::Curtain);
        self.withdraw.set_visible(top == Layer::Page && self.has_withdraw);
        match top {
            Layer::Curtain => self.curtain.grab_focus(),
            Layer::Screen => {
                self.on_screen(|view| view.webview().grab_focus());
            }
            Layer::Page => {
                self.on_page(|view| view.webview().grab_focus());
            }
        }
    }

    pub fn set_front(&self, is_in_front: bool) {
        if is_in_front {
            self.window.present();
        } else {
            self.window.hide();
        }
    }

    /// The window's X or Wayland window, if it is visible.
    pub fn gdk_window(&self) -> Option<gdk::Window> {
        self.window.window().filter(|w| w.is_visible())
    }

    /// Calls `act` at the operator's key chord, Ctrl+Shift+F12. The page does not get these keys.
    pub fn connect_chord(&self, act: impl Fn() + 'static) {
        self.window.connect_key_press_event(move |_, event| {
            let held = gdk::ModifierType::CONTROL_MASK | gdk::ModifierType::SHIFT_MASK;
            if event.keyval() == gdk::keys::constants::F12 && event.state().contains(held) {
                act();
                return gtk::glib::Propagation::Stop;
            }
            gtk::glib::Propagation::Proceed
        });
    }

    /// Watches the window and not a view, because grey or a screen of the program may have the keyboard.
    pub fn watch_keys(&self, report: impl Fn(i64, OperatorKey) + 'static, give_back: impl Fn() + 'static) {
        operator_keys::watch(&self.window, report, give_back);
    }

    pub fn connect_withdraw(&self, act: impl Fn() + 'static) {
        self.withdraw.connect_clicked(move |_| act());
    }
}
