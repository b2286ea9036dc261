//! The operator's keys while the page has the keyboard. GTK hands each key to this module before WebKit sees it.
//!
//! - Ctrl with a digit never reaches the page. It sets a marker.
//! - F6 returns the keyboard to the operator's window.
//! - A plain letter or digit goes to the page. It is reported only if no script of the page listens for keys
//!   (`unused_keys.js`) and WebKit did not use it, for example in a text field.

use std::cell::{Cell, RefCell};
use std::collections::{HashSet, VecDeque};
use std::rc::Rc;

use gtk::gdk::{self, ModifierType};
use gtk::glib;
use gtk::prelude::*;

use super::OperatorKey;
use super::host_event_sender::HostEventSender;
use super::host_protocol::HostEvent;
use session::monotonic_ns;

/// The keys `1` to `9` have these numbers on every layout.
const FIRST_DIGIT: u16 = 10;
/// Plain keys that WebKit has not answered yet.
const ASKED: usize = 16;

/// Watches Ctrl with a digit, and F6. `report` gets the time of the press. `give_back` is called for F6, before the report.
pub(super) fn watch(
    widget: &impl IsA<gtk::Widget>,
    report: impl Fn(i64, OperatorKey) + 'static,
    give_back: impl Fn() + 'static,
) {
    // The keys that are held down: X repeats their press, and the page does not get their release.
    let held = Rc::new(RefCell::new(HashSet::<u16>::new()));
    let pressed = held.clone();
    widget.connect_key_press_event(move |_, event| {
        let at_ns = monotonic_ns();
        let code = event.hardware_keycode();
        let Some(key) = operator_key(event) else { return glib::Propagation::Proceed };
        if pressed.borrow_mut().insert(code) {
            if key == OperatorKey::Return {
                give_back();
                // From now on the releases go to another window.
                pressed.borrow_mut().clear();
            }
            report(at_ns, key);
        }
        glib::Propagation::Stop
    });
    let released = held.clone();
    widget.connect_key_release_event(move |_, event| match released.borrow_mut().remove(&event.hardware_keycode()) {
        true => glib::Propagation::Stop,
        false => glib::Propagation::Proceed,
    });
    widget.connect_focus_out_event(move |_, _| {
        // The release of a held key goes to another window.
        held.borrow_mut().clear();
        glib::Propagation::Proceed
    });
}

/// The key if it is the operator's, whatever the page does with keys.
fn operator_key(event: &gdk::EventKey) -> Option<OperatorKey> {
    let modifiers = modifiers(event);
    if modifiers == ModifierType::CONTROL_MASK {
        digit(event).map(OperatorKey::Digit)
    } else if modifiers.is_empty() && event.keyval() == gdk::keys::constants::F6 {
        Some(OperatorKey::Return)
    } else {
        None
    }
}

fn modifiers(event: &gdk::EventKey) -> ModifierType {
    event.state() & (ModifierType::CONTROL_MASK | ModifierType::MOD1_MASK | ModifierType::SUPER_MASK)
}

/// 1 to 9, in the row above the letters or on the number pad.
fn digit(event: &gdk::EventKey) -> Option<u8> {
    let in_row = event.hardware_keycode().checked_sub(FIRST_DIGIT).map(|k| k + 1);
    let on_pad = event.keyval().to_unicode().and_then(|c| c.to_digit(10)).and_then(|d| u16::try_from(d).ok());
    let found = in_row.filter(|d| (1..=9).contains(d)).or(on_pad.filter(|d| (1..=9).contains(d)));
    found.and_then(|d| u8::try_from(d).ok())
}

/// Plain keys on their way through WebKit.
struct UnusedKeys {
    sender: Rc<HostEventSender>,
    /// The keys that are held down. X repeats the press of such a key.
    held: RefCell<HashSet<u16>>,
    /// Plain keys that were given to WebKit: number and time in X, time of the press, and whether it was a repetition.
    asked: RefCell<VecDeque<(u16, u32, i64, bool)>>,
}

/// Watches the plain keys that the page does not use.
pub(super) fn watch_unused(view: &webkit2gtk::WebView, sender: &Rc<HostEventSender>) {
    let keys = Rc::new(UnusedKeys { sender: sender.clone(), held: RefCell::default(), asked: RefCell::default() });
    let pressed = keys.clone();
    view.connect_key_press_event(move |_, event| {
        pressed.press(event);
        glib::Propagation::Proceed
    });
    let released = keys.clone();
    view.connect_key_release_event(move |_, event| {
        released.held.borrow_mut().remove(&event.hardware_keycode());
        glib::Propagation::Proceed
    });
    view.connect_focus_out_event(move |_, _| {
        // The release of a held key goes to another window.
        keys.held.borrow_mut().clear();
        glib::Propagation::Proceed
    });
}

impl UnusedKeys {
    fn press(&self, event: &gdk::EventKey) {
        let at_ns = monotonic_ns();
        let code = event.hardware_keycode();
        if let Some((first_ns, is_repeated)) = self.take_asked(code, event.time()) {
            // GTK gets a key again that WebKit did not use.
            if !is_repeated && self.sender.take_unused_key() {
                let letter = event.keyval().to_unicode().filter(char::is_ascii_alphanumeric);
                let key = letter.map(OperatorKey::Unused);
                key.into_iter().for_each(|key| self.sender.send(HostEvent::OperatorKey { at_ns: first_ns, key }));
            }
            return;
        }
        let is_repeated = !self.held.borrow_mut().insert(code);
        if modifiers(event).is_empty() {
            self.ask(code, event.time(), at_ns, is_repeated);
        }
    }

    fn ask(&self, code: u16, time: u32, at_ns: i64, is_repeated: bool) {
        self.sender.forget_unused_key();
        let mut asked = self.asked.borrow_mut();
        if asked.len() == ASKED {
            asked.pop_front();
        }
        asked.push_back((code, time, at_ns, is_repeated));
    }

    fn take_asked(&self, code: u16, time: u32) -> Option<(i64, bool)> {
        let mut asked = self.asked.borrow_mut();
        let place = asked.iter().position(|(c, t, ..)| (*c, *t) == (code, time))?;
        asked.remove(place).map(|(_, _, at_ns, is_repeated)| (at_ns, is_repeated))
    }
}

/// Reports who has the keyboard, each time that it changes.
pub(super) struct KeyboardLamp {
    sender: Rc<HostEventSender>,
    has_page: Cell<bool>,
}

impl KeyboardLamp {
    pub fn new(sender: &Rc<HostEventSender>) -> KeyboardLamp {
        KeyboardLamp { sender: sender.clone(), has_page: Cell::new(false) }
    }

    pub fn show(&self, has_page: bool) {
        if self.has_page.replace(has_page) != has_page {
            self.sender.send(HostEvent::Keyboard { has_page });
        }
    }
}
