//! The window's backend: executes the window's commands outside the UI thread and sends events back.
//!
//! `BackendHandle` is the window's end. It never blocks. The thread `recording_controller` runs the rig (camera, networks,
//! page, recorder). `review_worker` reads and writes stored sessions. `event_count_worker` and `study_query_worker` read the
//! sessions of a study. `download_worker` copies sessions from a server. `job_worker` exports
//! sessions and imports video files. So a slow disk does not delay a recording, a long
//! study query does not delay the review, and none of them delays the screen.

mod active_rig;
mod alarms;
mod checks;
mod command_queue;
mod download_worker;
mod embedded_place;
mod event_count_worker;
mod gamepad;
mod handle;
mod job_worker;
mod participant_window;
mod phone;
mod recording_command;
mod recording_controller;
mod remote_control;
mod review_worker;
mod rows;
mod session_changes;
mod session_export;
mod signals;
mod source_lamp;
mod study_files;
mod study_query_worker;
mod tail;
mod to_window;
mod video_size;

pub use handle::{open_window, start};
