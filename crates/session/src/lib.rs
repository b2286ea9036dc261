//! The data model of a session. It has no I/O, no threads and no window.
//!
//! All other crates depend on this crate, and it depends on none of them. A live session and a reopened session are the
//! same types with a different [`Playhead`].

mod absence;
mod annotation;
mod block_sums;
mod capitalised;
mod check;
mod encoded_video;
mod face_action;
mod film_packet;
mod frame;
mod health;
mod hex;
mod latest;
mod lsl;
pub mod luma;
mod marker;
mod numbers;
pub mod page_message;
mod participant;
mod path_text;
mod planes;
mod playhead;
mod pyramid;
mod record;
mod rows;
mod serial_port;
mod series;
mod stream;
mod stream_reference;
mod streams;
mod study;
mod time;
mod timeline;
mod video_loss;

pub use absence::{Absence, Piece};
pub use annotation::{Annotation, annotations, coding};
pub use capitalised::capitalised;
pub use check::CheckId;
pub use encoded_video::{EncodedVideo, VideoCodec};
pub use face_action::{FACE_ACTIONS, FaceAction};
pub use film_packet::{FilmOrder, FilmPacket};
pub use frame::{Frame, FrameMeta, Pixels, SharedFrame, TimeSource};
pub use health::{CAPTURED_IN_PAUSE, HealthKind};
pub use hex::hex;
pub use latest::{Latest, Taken};
pub use lsl::{
    LSL, LSL_CLOCK, LslOffset, LslSegment, LslTimes, lsl_clock, lsl_clock_stream, lsl_stream, lsl_stream_name,
};
pub use marker::{
    MARKER_KIND, TAKEN_BACK, UNDO_LIMIT, can_be_taken_back, digit_of_marker, marker_of_digit, marker_taken_back,
    taken_back,
};
pub use numbers::Numbers;
pub use participant::{ParticipantId, SessionNumber, participant_in_file_name};
pub use path_text::{path_in_line, path_text};
pub use planes::{Planes, chroma_size, half_planes_len, planes_len};
pub use playhead::{Playhead, PlayheadMode};
pub use pyramid::{Bucket, Pyramid};
pub use record::{Body, Gap, GapReason, Record};
pub use rows::{LATER, Rows};
pub use serial_port::{SERIAL, serial, serial_stream, serial_stream_name};
pub use series::SampleSeries;
pub use stream::{Field, StreamInfo, StreamKind, StreamName};
pub use stream_reference::markdown as stream_reference;
pub use streams::*;
pub use study::*;
pub use time::{CLOCK_DRIFT, Clock, Timestamp, monotonic_ns};
pub use timeline::{EventData, EventRow, Timeline};
pub use video_loss::{VideoLoss, VideoTrouble};
