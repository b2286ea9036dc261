//! The data model of a session. It has no I/O, no threads and no window.
//!
//! All other crates depend on this crate, and it depends on none of them. A live session and a reopened session are the
//! same types with a different [`Playhead`].

mod absence;
mod annotation;
mod assignment;
mod check;
mod conditions;
mod frame;
mod health;
mod latest;
pub mod luma;
mod numbers;
pub mod page_message;
mod participant;
mod path_text;
mod planes;
mod playhead;
mod pyramid;
mod record;
mod remote_study;
mod rows;
mod series;
mod stream;
mod streams;
mod study;
mod time;
mod timeline;
mod video_loss;
mod visitor_settings;

pub use absence::{Absence, Piece};
pub use annotation::{Annotation, annotations, coding};
pub use assignment::assign;
pub use check::CheckId;
pub use conditions::{AssignmentSettings, StudyCondition};
pub use frame::{Frame, FrameMeta, Pixels, SharedFrame, TimeSource};
pub use health::HealthKind;
pub use latest::{Latest, Taken};
pub use numbers::Numbers;
pub use participant::{ParticipantId, SessionNumber, participant_in_file_name};
pub use path_text::{path_in_line, path_text};
pub use planes::{Planes, chroma_size, planes_len};
pub use playhead::{Playhead, PlayheadMode};
pub use pyramid::{Bucket, Pyramid};
pub use record::{Body, Gap, GapReason, Record};
pub use remote_study::{RemoteCamera, RemoteSettings};
pub use rows::{LATER, Rows};
pub use series::SampleSeries;
pub use stream::{Field, StreamInfo, StreamKind, StreamName};
pub use streams::*;
pub use study::{
    CameraSettings, ConsentSettings, Marker, PagePlacement, PageSettings, Phase, PhaseKind, Study, StudyError,
};
pub use time::{CLOCK_DRIFT, Clock, Timestamp, monotonic_ns};
pub use timeline::{EventData, EventRow, Timeline};
pub use video_loss::{VideoLoss, VideoTrouble};
pub use visitor_settings::VisitorSettings;
