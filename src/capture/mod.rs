//! Pictures in, each stamped once at its source. Only this room knows nokhwa, V4L2 and FFmpeg.

mod frame;
mod latest;

pub use frame::{Frame, Pixels, SharedFrame, TimeSource};
pub use latest::{Latest, Taken};
