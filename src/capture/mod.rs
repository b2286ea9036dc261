//! Pictures in, each stamped once at its source. Only this room knows nokhwa, V4L2 and FFmpeg.

mod camera;
mod frame;
mod latest;
pub mod phantom;

pub use camera::{Camera, CameraError, CameraInfo, CameraKind, Captured, Control, ControlKind, Mode, PixelFormat};
pub use frame::{Frame, Pixels, SharedFrame, TimeSource};
pub use latest::{Latest, Taken};
