//! One recording from start to stop: wires camera, vision, page and store together.
//!
//! The window, the command line and the self-test all run this same line: a [`Rig`] runs camera, networks and page;
//! with a [`SessionPlan`] it is a recording, without one a rehearsal that stores nothing.

mod affect_sink;
mod beginning;
mod description;
mod guide;
mod marker;
mod news;
mod rescore;
mod rig;
mod router;
mod unscored;
mod video_import;

pub use affect_sink::Seen;
pub use beginning::Participation;
pub use guide::Guided;
pub use marker::MarkerText;
pub use news::{Counters, News};
pub use rescore::{RescoreError, Rescored, Rescoring};
pub use rig::{Rig, RigError, RigPlan, SessionPlan};
pub use video_import::{FilmFile, FilmOutcome, FilmProgress, Films};
