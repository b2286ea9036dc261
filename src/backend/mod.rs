//! What stands behind the window: carries out its commands off the UI thread and tells it what came of them.
//!
//! [`Desk`] is the window's side and never waits. The thread `conductor` runs the rig (camera, networks, page,
//! recorder); the thread `shelf` reads and writes stored sessions; `counter` and `asker` go through those of a study;
//! `puller` fetches sessions from a server. So
//! a slow disk holds up no recording, a long question no review, and none of them the screen.

mod alarms;
mod asker;
mod checks;
mod conductor;
mod counter;
mod desk;
mod gamepad;
mod orders;
mod puller;
mod rows;
mod shelf;
mod tail;
mod take;
mod to_window;

pub use desk::{open_window, start};
