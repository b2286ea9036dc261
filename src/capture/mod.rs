//! Pictures in, each stamped once at its source. Only this room knows nokhwa, V4L2 and FFmpeg.

mod camera;
mod decode;
mod frame;
mod latest;

pub use camera::{Camera, CameraError, CameraInfo, CameraKind, Captured, Control, ControlKind, Mode, PixelFormat};
pub use decode::{DecodeError, Decoder, GreyPicture, RgbPicture, to_grey, to_rgb};
pub use frame::{Frame, Pixels, SharedFrame, TimeSource};
pub use latest::{Latest, Taken};
