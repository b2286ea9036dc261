//! What Enter does in a dialog: it presses the main button, unless the control with the keyboard has a use for it: a button,
//! a menu, a text of several lines. A dialog whose action removes something has no main button. There, Enter presses the
//! answer that changes nothing.

use eframe::egui;
use egui::{Context, Id, Key, Modifiers, Popup, Response};

/// Of one frame.
#[derive(Clone, Default)]
struct Enter {
    /// The controls that have no use for Enter.
    passing_on: Vec<Id>,
    was_pressed: bool,
}

fn id() -> Id {
    Id::unique("enter in a dialog")
}

/// Takes the key from the input. Called before the contents of a dialog are drawn.
pub fn take(ctx: &Context) {
    let before: Enter = ctx.data_mut(|d| d.remove_temp(id())).unwrap_or_default();
    let is_free = ctx.memory(|m| m.focused()).is_none_or(|focused| before.passing_on.contains(&focused));
    let was_pressed =
        is_free && !Popup::is_any_open(ctx) && ctx.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Enter));
    ctx.data_mut(|d| d.insert_temp(id(), Enter { passing_on: Vec::new(), was_pressed }));
}

/// Enter in this control presses the main button.
pub fn pass_on(control: &Response) {
    control.ctx.data_mut(|d| d.get_temp_mut_or_default::<Enter>(id()).passing_on.push(control.id));
}

/// Whether the main button is pressed by Enter in this frame.
pub fn was_pressed(ctx: &Context) -> bool {
    ctx.data(|d| d.get_temp::<Enter>(id())).is_some_and(|enter| enter.was_pressed)
}
