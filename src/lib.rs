//! affectograph records a participant's face, the affect read from it and every action on a web page, on one clock.
//!
//! ARCHITECTURE.md describes the structure. The first lines of each crate give its purpose.

pub mod backend;
pub mod cli;
pub mod failure;
#[doc(hidden)]
pub mod fuzz_bodies;
pub mod places;
mod session_json;
pub mod version;

pub use analysis::{self, import};
pub use {capture, desktop, export, page, recording, server, session, store, study_query, vision};
