//! The lamp that shows who has the keyboard.

use eframe::egui;
use egui::Ui;

use super::explanations::{Explained, Term};
use super::state::Recording;
use super::{marker_pad, theme, widgets};

/// Who receives the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    Operator,
    Page,
    /// Another program. Markers by key are not possible.
    Nobody,
}

impl Owner {
    /// The page's window and this window report their focus independently. The page's report is the newer one.
    pub fn of(has_window: bool, has_page: bool) -> Owner {
        match (has_page, has_window) {
            (true, _) => Owner::Page,
            (false, true) => Owner::Operator,
            (false, false) => Owner::Nobody,
        }
    }

    fn text(self) -> &'static str {
        match self {
            Owner::Operator => "you",
            Owner::Page => "the page",
            Owner::Nobody => "elsewhere",
        }
    }

    fn hint(self) -> &'static str {
        match self {
            Owner::Operator => "Your keys set markers. F6 gives the keyboard to the page.",
            Owner::Page => {
                "The participant's page receives the keys. Ctrl 1 … 9 still set markers. So does a marker's own key where \
                 the page does not use it. F6 returns the keyboard to this window."
            }
            Owner::Nobody => "Another program has the keyboard. Click into this window, or use the marker pad.",
        }
    }
}

pub fn show(ui: &mut Ui, recording: &Recording) {
    let has_window = ui.input(|i| {
        let is_pad_focused = i.raw.viewports.get(&marker_pad::id()).is_some_and(|v| v.focused == Some(true));
        i.focused || is_pad_focused
    });
    let owner = Owner::of(has_window, recording.page_has_keyboard);
    let p = theme::palette(ui);
    let color = match owner {
        Owner::Operator => p.text,
        Owner::Page => p.accent,
        Owner::Nobody => theme::CAUTION,
    };
    widgets::stat(ui, "keyboard", owner.text(), color).on_hover_text(owner.hint()).explained(Term::Keyboard);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_the_keyboard_although_the_window_that_contains_it_has_the_focus() {
        assert_eq!(Owner::of(true, true), Owner::Page);
        assert_eq!(Owner::of(true, false), Owner::Operator);
        assert_eq!(Owner::of(false, false), Owner::Nobody);
    }
}
