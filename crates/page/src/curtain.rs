//! Decides what the participant sees: the page, a screen of the program, or plain grey while one of them is being drawn.
//!
//! A page or a screen is shown after it is loaded. So the participant never sees a white or half-drawn page.

use std::cell::Cell;

use super::host_protocol::HostEvent;
use session::monotonic_ns;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// Plain grey.
    Curtain,
    /// A screen of the program.
    Screen,
    Page,
}

/// The state behind the layers of the window. Without I/O, so that its rules can be tested.
pub(super) struct Curtain {
    wanted: Cell<Layer>,
    shown: Cell<Layer>,
    is_page_ready: Cell<bool>,
    is_screen_ready: Cell<bool>,
    /// Count the loads, so that the end of an earlier load shows nothing.
    page_loads: Cell<u64>,
    screen_loads: Cell<u64>,
}

impl Curtain {
    pub fn new() -> Curtain {
        Curtain {
            wanted: Cell::new(Layer::Curtain),
            shown: Cell::new(Layer::Curtain),
            is_page_ready: Cell::new(false),
            is_screen_ready: Cell::new(false),
            page_loads: Cell::new(0),
            screen_loads: Cell::new(0),
        }
    }

    pub fn want(&self, layer: Layer) {
        self.wanted.set(layer);
    }

    /// The page is loading or gone.
    pub fn page_is_not_ready(&self) {
        self.is_page_ready.set(false);
        self.page_loads.set(self.page_loads.get() + 1);
    }

    /// The screen of the program is loading.
    pub fn screen_is_not_ready(&self) {
        self.is_screen_ready.set(false);
        self.screen_loads.set(self.screen_loads.get() + 1);
    }

    pub fn page_load(&self) -> u64 {
        self.page_loads.get()
    }

    pub fn screen_load(&self) -> u64 {
        self.screen_loads.get()
    }

    /// The page of this load is drawn. Ignored if another load has begun since.
    pub fn page_is_ready(&self, load: u64) {
        if load == self.page_loads.get() {
            self.is_page_ready.set(true);
        }
    }

    /// As [`Curtain::page_is_ready`], for the screen of the program.
    pub fn screen_is_ready(&self, load: u64) {
        if load == self.screen_loads.get() {
            self.is_screen_ready.set(true);
        }
    }

    /// The layer that is to be on top now, if it changes, and the event that the change causes.
    pub fn change(&self) -> Option<(Layer, Option<HostEvent>)> {
        let top = match (self.wanted.get(), self.shown.get()) {
            (Layer::Page, _) if self.is_page_ready.get() => Layer::Page,
            // The screen before the page stays until the page is drawn.
            (Layer::Page, Layer::Screen) => Layer::Screen,
            (Layer::Screen, _) if self.is_screen_ready.get() => Layer::Screen,
            _ => Layer::Curtain,
        };
        if self.shown.replace(top) == top {
            return None;
        }
        Some((top, (top == Layer::Page).then(|| HostEvent::Revealed { at_ns: monotonic_ns() })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(curtain: &Curtain) -> Option<Layer> {
        curtain.change().map(|(layer, _)| layer)
    }

    #[test]
    fn from_waiting_over_the_cross_to_the_page_and_back() {
        let curtain = Curtain::new();
        curtain.want(Layer::Screen);
        assert_eq!(shown(&curtain), None, "grey until the screen is drawn");
        curtain.screen_is_ready(curtain.screen_load());
        assert_eq!(shown(&curtain), Some(Layer::Screen));
        // The preview of set-up is never shown.
        curtain.page_is_not_ready();
        curtain.page_is_ready(curtain.page_load());
        assert_eq!(shown(&curtain), None);
        // The recording: the waiting screen stays until the cross is drawn.
        curtain.page_is_not_ready();
        curtain.want(Layer::Page);
        assert_eq!(shown(&curtain), None);
        curtain.page_is_ready(curtain.page_load());
        assert!(matches!(curtain.change(), Some((Layer::Page, Some(HostEvent::Revealed { .. })))));
        // The page follows the cross behind grey.
        curtain.page_is_not_ready();
        assert_eq!(shown(&curtain), Some(Layer::Curtain));
        curtain.page_is_ready(curtain.page_load());
        assert_eq!(shown(&curtain), Some(Layer::Page));
        let earlier = curtain.screen_load();
        curtain.screen_is_not_ready();
        curtain.want(Layer::Screen);
        curtain.screen_is_ready(earlier);
        assert_eq!(shown(&curtain), Some(Layer::Curtain));
        curtain.screen_is_ready(curtain.screen_load());
        assert_eq!(shown(&curtain), Some(Layer::Screen));
    }
}
