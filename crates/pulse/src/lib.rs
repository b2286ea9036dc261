//! Heart rate from the mean colours of the skin (stream `skin`). Pure functions, no I/O.
//!
//! A window of 10 s gives a rate, or the reason why none can be given. A rate is given only if, in the simulation of
//! [`simulation`], fewer than 5 % of windows of the same quality are wrong by more than 5 beats per minute. No number in this
//! crate was fitted to a recording of a person. One limit was added after recordings had been seen: frame rates that the
//! simulation lacks are refused, because wrong rates of clips at 15 Hz had shown that it lacks them.

pub mod calibration;
mod features;
mod grid;
mod linear;
mod projections;
mod rate;
mod row;
mod silence;
pub mod simulation;
mod spectrum;

pub use calibration::{Calibration, MAX_ERROR_BPM, Rate};
pub use features::{FEATURES, Features};
pub use grid::WINDOW_S;
pub use rate::{Outcome, STEP_S, WindowResult, rates};
pub use row::{Patch, SkinRow};
pub use silence::Silence;
pub use spectrum::{HIGHEST_BPM, LOWEST_BPM};
