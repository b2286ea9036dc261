//! What stands behind the window: carries out its commands off the UI thread and tells it what came of them.
//!
//! [`Desk`] is the window's side and never waits. The thread `conductor` runs the rig (camera, networks, page,
//! recorder); the thread `shelf` reads and writes stored sessions. So a slow disk holds up no recording, and neither
//! holds up the screen.

mod alarms;
mod checks;
mod conductor;
mod desk;
mod rows;
mod shelf;
mod take;

pub use desk::open_window;
