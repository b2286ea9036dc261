//! Captures frames. Each one gets its time once, at its source. Only this crate uses nokhwa, V4L2 and FFmpeg.

mod camera;
mod capture_thread;
mod container_end;
mod controls;
mod controls_nokhwa;
mod counters;
mod decode;
mod device_id;
mod devices;
mod drops;
mod events;
mod ffmpeg;
mod ffmpeg_messages;
mod ffprobe;
mod file_camera;
mod file_video;
mod film_damage;
mod film_frames;
mod film_index;
mod film_reader;
mod jpeg;
mod layout;
mod matroska_packets;
mod modes;
mod nokhwa_camera;
pub mod phantom;
mod picture_shape;
mod sampled_planes;
mod spec;
mod stale;
#[cfg(target_os = "linux")]
mod v4l_camera;
#[cfg(target_os = "linux")]
mod v4l_device;
mod video_encoder;
mod yuv_colour;

pub use camera::{
    Camera, CameraError, CameraInfo, CameraKind, Captured, CapturedFrame, Control, ControlKind, Mode, PixelFormat,
};
pub use capture_thread::{Capture, Pace, Sinks};
pub use counters::CaptureCounters;
pub use decode::{DecodeError, Decoder, GreyPicture, RgbPicture, to_grey, to_rgb};
pub use device_id::{Backend, DeviceId};
pub use devices::{DeviceInfo, list_devices};
pub use events::CaptureEvent;
pub use ffprobe::{FilmDate, recorded_at};
pub use file_camera::FileCamera;
pub use film_frames::{FilmDecoding, FilmFrames, ReadPacket};
pub use film_index::{FilmIndex, FilmNotIndexed, describe_film, index_film};
pub use jpeg::{JpegCheck, jpeg_len};
pub use matroska_packets::EncodedPacket;
pub use sampled_planes::{SampledPlanes, Sampling, planes_of_jpeg};
pub use spec::{CameraSpec, open};
pub use video_encoder::{EncoderInput, PacketReader, PictureWriter, VideoEncoder, encoder_options, encoder_program};
pub use yuv_colour::{YuvColour, YuvMatrix, YuvRange, to_jpeg_colour};
