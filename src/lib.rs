//! affectograph records a participant's face, the affect read from it and every action on a web page, on one clock.
//!
//! ARCHITECTURE.md describes the structure. The first lines of each crate give its purpose.

#[cfg(feature = "desktop")]
pub mod backend;
pub mod cli;
pub mod failure;
mod film_import;
#[cfg(feature = "server")]
#[doc(hidden)]
pub mod fuzz_bodies;
#[cfg(feature = "desktop")]
mod manual_page;
mod noted_export;
pub mod places;
mod processors;
mod remote_commands;
mod session_json;
mod stop_signal;
pub mod version;

pub use analysis::{self, import};
#[cfg(feature = "desktop")]
pub use desktop;
#[cfg(feature = "server")]
pub use server;
pub use {
    capture, export, lsl, page, recording, remote_control, serial, session, store, stored_frames, study_query, vision,
};
