//! One recording from start to stop: connects camera, vision, page and store.
//!
//! The window, the command line and the self-test all use a [`Rig`]. It runs camera, networks and page. With a
//! [`SessionPlan`] it records. Without one it is a rehearsal, which stores nothing.

mod affect_sink;
mod answers;
mod beginning;
mod compact;
mod compact_error;
mod description;
mod film_pipeline;
mod guide;
mod hand_over;
mod kept_film;
mod lsl_inputs;
mod lsl_output;
mod lsl_sink;
mod marker;
mod marker_command;
mod picture_quality;
mod plan;
mod pulse_error;
mod pulse_of_session;
mod remote_note;
mod rescore;
mod rig;
mod rig_event;
mod rig_page;
mod router;
mod serial_ports;
mod skin_of_video;
mod source_error;
mod source_health;
mod source_watch;
mod stored_view;
#[cfg(test)]
mod test_header;
mod unscored;
mod video_import;
mod watched_port;

pub use affect_sink::FrameReading;
pub use beginning::{Participation, page_spec, questionnaire_items};
pub use compact::{CompactStep, Compacted, CompactedVideo, Compaction};
pub use compact_error::CompactError;
pub use guide::{Guided, Part};
pub use hand_over::SetUpSources;
pub use marker::MarkerText;
pub use marker_command::MarkerCommand;
pub use picture_quality::{PictureQuality, SMALLEST_SSIM, SMALLEST_SSIM_OF_A_PICTURE};
pub use plan::{RigPlan, SessionPlan};
pub use pulse_error::PulseError;
pub use pulse_of_session::{PulseAdded, PulseAddition};
pub use remote_note::RemoteCommandNote;
pub use rescore::{RescoreError, Rescored, Rescoring};
pub use rig::{Rig, RigError};
pub use rig_event::{Counters, RigEvent, SourceNews};
pub use source_error::SourceError;
pub use source_health::SourceLevel;
pub use source_watch::{MarkerWatch, SourceState};
pub use video_import::{ImportOutcome, ImportProgress, ImportedFile, VideoImporter};
