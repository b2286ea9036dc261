//! What stands behind the window: carries out its commands off the UI thread and tells it what came of them.
//!
//! [`BackendHandle`] is the window's side and never waits. The thread `recording_controller` runs the rig (camera, networks, page,
//! recorder); the thread `review_worker` reads and writes stored sessions; `event_count_worker` and `study_query_worker` go through those of a study;
//! `download_worker` fetches sessions from a server. So
//! a slow disk holds up no recording, a long question no review, and none of them the screen.

mod active_rig;
mod alarms;
mod checks;
mod command_queue;
mod download_worker;
mod event_count_worker;
mod gamepad;
mod handle;
mod recording_controller;
mod review_worker;
mod rows;
mod study_query_worker;
mod tail;
mod to_window;

pub use handle::{open_window, start};
