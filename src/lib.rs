//! affectograph records a participant's face, the affect read from it and every action on a web page, on one clock.
//!
//! ARCHITECTURE.md has the plan; each crate's first lines say why it exists and what it may know.

pub mod backend;
pub mod cli;
#[doc(hidden)]
pub mod fuzz_bodies;

pub use analysis::{self, import};
pub use {capture, desktop, export, page, recording, server, session, store, study_query, vision};
