//! One recording from start to stop: wires camera, vision, page and store together.
//!
//! The window, the command line and the self-test all run this same line: a [`Rig`] runs camera, networks and page;
//! with a [`SessionPlan`] it is a recording, without one a rehearsal that stores nothing.

mod absence;
mod affect_sink;
mod marker;
mod news;
mod rig;
mod router;

pub use absence::{Absence, Piece};
pub use affect_sink::Seen;
pub use marker::MarkerText;
pub use news::{Counters, News};
pub use rig::{Rig, RigError, RigPlan, SessionPlan};
