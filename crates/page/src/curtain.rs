//! Decides what the participant sees: the page, a screen of the program, or plain grey while one of them is being drawn.
//!
//! A page or a screen is shown after it is loaded. So the participant never sees a white or half-drawn page.

use std::cell::Cell;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layer {
    /// Plain grey.
    Curtain,
    /// A screen of the program.
    Screen,
    Page,
}

/// What changes for the participant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// The layer that is to be on top now.
    pub top: Option<Layer>,
    /// Whether the participant sees the page from now on.
    pub is_page_seen: Option<bool>,
}

/// The state behind the layers of the window. Without I/O, so that its rules can be tested.
pub(super) struct Curtain {
    wanted: Cell<Layer>,
    shown: Cell<Layer>,
    /// The window is not hidden behind the operator's view.
    is_front: Cell<bool>,
    is_page_seen: Cell<bool>,
    is_page_ready: Cell<bool>,
    is_screen_ready: Cell<bool>,
    /// Count the loads, so that the end of an earlier load shows nothing.
    page_loads: Cell<u64>,
    screen_loads: Cell<u64>,
    /// The load that WebKit works on.
    running_load: Cell<u64>,
}

impl Curtain {
    pub fn new() -> Curtain {
        Curtain {
            wanted: Cell::new(Layer::Curtain),
            shown: Cell::new(Layer::Curtain),
            is_front: Cell::new(false),
            is_page_seen: Cell::new(false),
            is_page_ready: Cell::new(false),
            is_screen_ready: Cell::new(false),
            page_loads: Cell::new(0),
            screen_loads: Cell::new(0),
            running_load: Cell::new(0),
        }
    }

    pub fn want(&self, layer: Layer) {
        self.wanted.set(layer);
    }

    pub fn set_front(&self, is_front: bool) {
        self.is_front.set(is_front);
    }

    /// The page is to be loaded, or gone. The end of a load that runs already shows nothing.
    pub fn page_is_not_ready(&self) {
        self.is_page_ready.set(false);
        self.page_loads.set(self.page_loads.get() + 1);
    }

    /// WebKit begins a load. A page that is shown stays until the page that the participant went to is there.
    pub fn page_load_begins(&self) {
        if !self.is_page_ready.get() {
            self.page_is_not_ready();
        }
        self.running_load.set(self.page_loads.get());
    }

    /// The screen of the program is loading.
    pub fn screen_is_not_ready(&self) {
        self.is_screen_ready.set(false);
        self.screen_loads.set(self.screen_loads.get() + 1);
    }

    /// The load that WebKit works on, or worked on last.
    pub fn running_load(&self) -> u64 {
        self.running_load.get()
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

    /// What has changed since the last call.
    pub fn change(&self) -> Change {
        let top = match (self.wanted.get(), self.shown.get()) {
            (Layer::Page, _) if self.is_page_ready.get() => Layer::Page,
            // The screen before the page stays until the page is drawn.
            (Layer::Page, Layer::Screen) => Layer::Screen,
            (Layer::Screen, _) if self.is_screen_ready.get() => Layer::Screen,
            _ => Layer::Curtain,
        };
        let is_page_seen = top == Layer::Page && self.is_front.get();
        Change {
            top: (self.shown.replace(top) != top).then_some(top),
            is_page_seen: (self.is_page_seen.replace(is_page_seen) != is_page_seen).then_some(is_page_seen),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(curtain: &Curtain) -> Option<Layer> {
        curtain.change().top
    }

    /// A page that was loaded for the recording and is seen.
    fn seen() -> Curtain {
        let curtain = Curtain::new();
        curtain.set_front(true);
        curtain.want(Layer::Page);
        load(&curtain);
        assert_eq!(curtain.change(), Change { top: Some(Layer::Page), is_page_seen: Some(true) });
        curtain
    }

    /// The program loads a page, and WebKit finishes.
    fn load(curtain: &Curtain) {
        curtain.page_is_not_ready();
        curtain.page_load_begins();
        curtain.page_is_ready(curtain.running_load());
    }

    #[test]
    fn from_waiting_over_the_cross_to_the_page_and_back() {
        let curtain = Curtain::new();
        curtain.set_front(true);
        curtain.want(Layer::Screen);
        assert_eq!(shown(&curtain), None, "grey until the screen is drawn");
        curtain.screen_is_ready(curtain.screen_load());
        assert_eq!(shown(&curtain), Some(Layer::Screen));
        // The preview of set-up is never shown.
        load(&curtain);
        assert_eq!(curtain.change(), Change { top: None, is_page_seen: None });
        // The recording: the waiting screen stays until the cross is drawn.
        curtain.page_is_not_ready();
        curtain.page_load_begins();
        curtain.want(Layer::Page);
        assert_eq!(shown(&curtain), None);
        curtain.page_is_ready(curtain.running_load());
        assert_eq!(curtain.change(), Change { top: Some(Layer::Page), is_page_seen: Some(true) });
        // The page follows the cross behind grey.
        curtain.page_is_not_ready();
        assert_eq!(curtain.change(), Change { top: Some(Layer::Curtain), is_page_seen: Some(false) });
        curtain.page_load_begins();
        curtain.page_is_ready(curtain.running_load());
        assert_eq!(shown(&curtain), Some(Layer::Page));
        let earlier = curtain.screen_load();
        curtain.screen_is_not_ready();
        curtain.want(Layer::Screen);
        curtain.screen_is_ready(earlier);
        assert_eq!(shown(&curtain), Some(Layer::Curtain));
        curtain.screen_is_ready(curtain.screen_load());
        assert_eq!(shown(&curtain), Some(Layer::Screen));
        // The screen's process died.
        curtain.screen_is_not_ready();
        assert_eq!(shown(&curtain), Some(Layer::Curtain), "a view without a process is not shown");
    }

    #[test]
    fn the_end_of_a_load_that_was_replaced_shows_nothing() {
        let curtain = seen();
        // *Load again*, and *Go on* before WebKit has begun the second load.
        curtain.page_is_not_ready();
        curtain.page_load_begins();
        curtain.page_is_not_ready();
        let of_the_first = curtain.running_load();
        curtain.page_is_ready(of_the_first);
        assert_eq!(shown(&curtain), Some(Layer::Curtain));
        curtain.page_load_begins();
        curtain.page_is_ready(of_the_first);
        assert_eq!(shown(&curtain), None, "the timer of the first load fires late");
        curtain.page_is_ready(curtain.running_load());
        assert_eq!(shown(&curtain), Some(Layer::Page));
    }

    #[test]
    fn a_page_that_leads_to_another_one_while_it_loads_is_not_shown() {
        let curtain = seen();
        curtain.page_is_not_ready();
        curtain.page_load_begins();
        let redirect = curtain.running_load();
        curtain.page_load_begins();
        curtain.page_is_ready(redirect);
        assert_eq!(shown(&curtain), Some(Layer::Curtain));
        curtain.page_is_ready(curtain.running_load());
        assert_eq!(shown(&curtain), Some(Layer::Page));
        // The participant follows a link.
        curtain.page_load_begins();
        assert_eq!(curtain.change(), Change { top: None, is_page_seen: None }, "the page stays meanwhile");
        curtain.page_is_ready(curtain.running_load());
        assert_eq!(curtain.change(), Change { top: None, is_page_seen: None });
    }

    #[test]
    fn a_page_behind_the_operators_view_is_not_seen() {
        let curtain = seen();
        curtain.set_front(false);
        assert_eq!(curtain.change(), Change { top: None, is_page_seen: Some(false) });
        load(&curtain);
        assert_eq!(curtain.change(), Change { top: None, is_page_seen: None }, "it loads behind the operator's view");
        curtain.set_front(true);
        assert_eq!(curtain.change(), Change { top: None, is_page_seen: Some(true) });
    }
}
