//! One recording from start to stop: connects camera, vision, page and store.
//!
//! The window, the command line and the self-test all use a [`Rig`]. It runs camera, networks and page. With a
//! [`SessionPlan`] it records. Without one it is a rehearsal, which stores nothing.

mod affect_sink;
mod answers;
mod beginning;
mod description;
mod guide;
mod marker;
mod plan;
mod rescore;
mod rig;
mod rig_event;
mod rig_page;
mod router;
mod stored_view;
mod unscored;
mod video_import;

pub use affect_sink::FrameReading;
pub use beginning::{Participation, page_spec, questionnaire_items};
pub use guide::{Guided, Part};
pub use marker::MarkerText;
pub use plan::{RigPlan, SessionPlan};
pub use rescore::{RescoreError, Rescored, Rescoring};
pub use rig::{Rig, RigError};
pub use rig_event::{Counters, RigEvent};
pub use video_import::{ImportOutcome, ImportProgress, ImportedFile, VideoImporter};
