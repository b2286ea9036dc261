//! The pure data model: what a session *is*, without I/O, threads or a window.
//!
//! Everything else depends on this room and it depends on nobody, so a live session and a reopened one are
//! the same types with another [`Playhead`].

mod absence;
mod annotation;
mod check;
mod frame;
mod health;
mod latest;
pub mod luma;
mod numbers;
pub mod page_message;
mod participant;
mod path_text;
mod playhead;
mod pyramid;
mod record;
mod rows;
mod stream;
mod streams;
mod study;
mod time;
mod timeline;
mod video_loss;

pub use absence::{Absence, Piece};
pub use annotation::{Annotation, annotations, coding};
pub use check::CheckId;
pub use frame::{Frame, Pixels, SharedFrame, TimeSource};
pub use health::HealthKind;
pub use latest::{Latest, Taken};
pub use numbers::Numbers;
pub use participant::{ParticipantId, SessionNumber};
pub use path_text::{path_in_line, path_text};
pub use playhead::{Playhead, PlayheadMode};
pub use pyramid::{Bucket, Pyramid};
pub use record::{Body, Gap, GapReason, Record};
pub use rows::{LATER, Rows};
pub use stream::{Field, StreamInfo, StreamKind, StreamName};
pub use streams::*;
pub use study::{
    CameraSettings, ConsentSettings, Marker, PagePlacement, PageSettings, Phase, PhaseKind, Study, StudyError,
};
pub use time::{Clock, Timestamp, monotonic_ns};
pub use timeline::{EventData, EventRow, SampleSeries, Timeline};
pub use video_loss::{VideoLoss, VideoTrouble};
