//! affectograph records a participant's face, the affect read from it and every action on a web page, on one clock.
//!
//! ARCHITECTURE.md has the plan of the house; each room's first lines say why it exists and what it may know.

pub mod analysis;
pub mod capture;
pub mod cli;
pub mod desktop;
pub mod export;
#[doc(hidden)]
pub mod fuzz_bodies;
pub mod import;
pub mod instrument;
pub mod page;
pub mod recording;
pub mod server;
pub mod session;
pub mod store;
pub mod survey;
pub mod vision;
