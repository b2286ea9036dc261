//! The layers of the participant window where there is no GTK: two child views, of which one is visible.

use std::cell::RefCell;

use tao::window::Window;
use wry::{Rect, WebView, WebViewBuilder};

use super::curtain::Layer;

pub(super) struct Layers {
    window: std::rc::Rc<Window>,
    page: RefCell<Option<WebView>>,
    screen: RefCell<Option<WebView>>,
}

impl Layers {
    pub fn new(window: &std::rc::Rc<Window>) -> Layers {
        Layers { window: window.clone(), page: RefCell::new(None), screen: RefCell::new(None) }
    }

    pub fn open(&self, is_in_front: bool) {
        self.set_front(is_in_front);
    }

    fn build(&self, builder: WebViewBuilder<'_>) -> Result<WebView, wry::Error> {
        let size = self.window.inner_size();
        let position = wry::dpi::PhysicalPosition::new(0, 0).into();
        let bounds = Rect { position, size: wry::dpi::PhysicalSize::new(size.width, size.height).into() };
        builder.with_bounds(bounds).with_visible(false).build_as_child(&*self.window)
    }

    /// A preview has no place of its own here. It is not visible, because no layer shows it.
    pub fn set_page(&self, builder: WebViewBuilder<'_>, _is_preview: bool) -> Result<(), wry::Error> {
        self.page.replace(None);
        self.page.replace(Some(self.build(builder)?));
        Ok(())
    }

    pub fn remove_page(&self) {
        self.page.replace(None);
    }

    pub fn set_screen(&self, builder: WebViewBuilder<'_>) -> Result<(), wry::Error> {
        self.screen.replace(Some(self.build(builder)?));
        Ok(())
    }

    pub fn on_page<R>(&self, act: impl FnOnce(&WebView) -> R) -> Option<R> {
        self.page.borrow().as_ref().map(act)
    }

    pub fn on_screen<R>(&self, act: impl FnOnce(&WebView) -> R) -> Option<R> {
        self.screen.borrow().as_ref().map(act)
    }

    pub fn raise(&self, top: Layer) {
        // Fails only if a view is closing.
        self.on_page(|view| view.set_visible(top == Layer::Page).ok());
        self.on_screen(|view| view.set_visible(top == Layer::Screen).ok());
    }

    pub fn set_front(&self, is_in_front: bool) {
        self.window.set_visible(is_in_front);
    }
}
