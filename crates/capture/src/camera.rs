//! The [`Camera`] trait of all sources of frames, the description of an opened camera, and the errors.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use session::{CameraSettings, Frame, FrameMeta, Pixels, TimeSource, Timestamp};

/// A source of frames. One thread owns it.
pub trait Camera: Send {
    /// Describes what was opened. [`Camera::adjust`] may change it.
    fn info(&self) -> &CameraInfo;

    /// Waits for the next frame, at most `timeout`.
    ///
    /// After [`CameraError::Silent`], no frame arrived in that time, and `next` may be called again. After any other error
    /// the camera must be dropped and opened again.
    fn next(&mut self, timeout: Duration) -> Result<Captured, CameraError>;

    /// Applies exposure, white balance and focus while running. [`CameraInfo::notes`] lists what failed.
    fn adjust(&mut self, _settings: &CameraSettings) {}
}

/// The result of [`Camera::next`].
#[derive(Debug)]
pub enum Captured {
    Frame(CapturedFrame),
    /// A damaged frame. It cannot be used.
    Corrupt {
        at: Timestamp,
        device_sequence: Option<u64>,
        why: String,
    },
    /// Frames of a file are missing. `frames` is their number as far as it is known. It is 0 if the file has a fault that
    /// may not have cost any frame.
    Missing {
        from: Timestamp,
        until: Timestamp,
        frames: u64,
        why: String,
    },
    /// The end of a file.
    End,
}

/// A frame as a camera delivers it. It has no number yet.
#[derive(Debug)]
pub struct CapturedFrame {
    pub at: Timestamp,
    pub time_source: TimeSource,
    /// The driver's sequence number, if it has one.
    pub device_sequence: Option<u64>,
    pub width_px: u32,
    pub height_px: u32,
    pub pixels: Pixels,
}

impl CapturedFrame {
    /// The frame with this number in its recording.
    pub fn numbered(self, number: u64) -> Frame {
        let CapturedFrame { at, time_source, device_sequence, width_px, height_px, pixels } = self;
        Frame { meta: FrameMeta { number, at, time_source, device_sequence }, width_px, height_px, pixels }
    }
}

/// The description of an opened camera, as stored in the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraInfo {
    /// The camera's own name, the file's name, or `Phantom`.
    pub name: String,
    pub kind: CameraKind,
    /// Device node, path, or the phantom's description.
    pub address: String,
    /// The port of the device, if the system reports it.
    pub bus: Option<String>,
    /// The mode that the driver reports, not the requested one.
    pub mode: Mode,
    /// A live camera loses frames that are not read in time. A file waits.
    pub is_live: bool,
    /// The number of frames, if it is known in advance. For files it is an estimate.
    pub expected_frames: Option<u64>,
    pub controls: Vec<Control>,
    /// Requested settings that failed, one message each.
    pub notes: Vec<String>,
}

/// The library that reads the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraKind {
    V4l,
    Nokhwa,
    File,
    Phantom,
}

/// Size, rate and format of a camera's frames.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mode {
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    pub format: PixelFormat,
}

impl Mode {
    /// The nominal time between two frames. One second if the rate of a file is unknown.
    pub fn interval(&self) -> Duration {
        if self.rate_hz.is_finite() && self.rate_hz > 1e-3 {
            Duration::from_secs_f64(1.0 / self.rate_hz)
        } else {
            Duration::from_secs(1)
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = format!("{:.2}", self.rate_hz);
        let rate = rate.trim_end_matches('0').trim_end_matches('.');
        write!(f, "{} × {} px, {rate} fps, {}", self.width_px, self.height_px, self.format)
    }
}

/// The format of a camera's pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PixelFormat {
    Mjpeg,
    Yuyv,
    /// Its interleaved chroma becomes planes: [`session::Pixels::I420`].
    Nv12,
    /// Planes of luma and chroma, as video files contain them.
    I420,
    Rgb,
    Grey,
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PixelFormat::Mjpeg => "MJPEG",
            PixelFormat::Yuyv => "YUYV",
            PixelFormat::Nv12 => "NV12",
            PixelFormat::I420 => "I420",
            PixelFormat::Rgb => "RGB",
            PixelFormat::Grey => "grey",
        })
    }
}

/// A setting of the camera that can be fixed, with the camera's own units and limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    pub kind: ControlKind,
    /// The driver's name of the control.
    pub name: String,
    pub minimum: i64,
    pub maximum: i64,
    pub step: i64,
    pub default: i64,
    pub value: i64,
    /// Whether the camera chooses the value. `None` if the control has no automatic mode.
    pub is_automatic: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlKind {
    /// In units of 100 µs on Linux.
    Exposure,
    /// In kelvin.
    WhiteBalance,
    /// In units of the camera.
    Focus,
}

impl ControlKind {
    pub const ALL: [ControlKind; 3] = [ControlKind::Exposure, ControlKind::WhiteBalance, ControlKind::Focus];

    /// The value in the settings. `None` leaves the control automatic.
    pub fn wanted(self, settings: &CameraSettings) -> Option<i64> {
        match self {
            ControlKind::Exposure => settings.exposure,
            ControlKind::WhiteBalance => settings.white_balance_k,
            ControlKind::Focus => settings.focus,
        }
    }
}

impl fmt::Display for ControlKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ControlKind::Exposure => "exposure",
            ControlKind::WhiteBalance => "white balance",
            ControlKind::Focus => "focus",
        })
    }
}

/// Why a camera delivers no frames. The messages are shown on the set-up screen.
#[derive(Debug, Error)]
pub enum CameraError {
    #[error("no frame arrived within {} ms", .waited.as_millis())]
    Silent { waited: Duration },
    #[error("there is no camera {address}: connect it, or choose another from the list of `affectograph cameras`")]
    NotFound { address: String },
    #[error("camera {address} is in use by another program: close it there and try again")]
    Busy { address: String },
    #[error("this user has no permission to open camera {address}: add the user to the group `video` and log in again")]
    NotAllowed { address: String },
    #[error("camera {address} was disconnected")]
    Gone { address: String },
    #[error("camera {address} offers none of the formats MJPEG, YUYV, NV12, RGB and grey (it offers {offered})")]
    NoUsableMode { address: String, offered: String },
    #[error("camera {address} does not offer {mode}: choose a mode from its list")]
    NoSuchMode { address: String, mode: Mode },
    #[error("camera {address} failed to {action}: {why}")]
    Device { address: String, action: &'static str, why: String },
    #[error("the cameras of this computer cannot be listed: {why}")]
    List { why: String },
    #[error("video file {} cannot be read: {source}", .path.display())]
    FileUnreadable { path: PathBuf, source: std::io::Error },
    #[error("{} is not a video: {why}", .path.display())]
    NotAVideo { path: PathBuf, why: String },
    #[error("{} uses the codec `{codec}`, which this computer's FFmpeg cannot decode: convert the file, for example to H.264", .path.display())]
    UnknownCodec { path: PathBuf, codec: String },
    #[error(
        "`{program}` is needed to read video files and was not found: install FFmpeg (Debian, Ubuntu: `sudo apt install ffmpeg`)"
    )]
    NoFfmpeg { program: &'static str },
    #[error("reading {} stopped after {frames} frames: {why}", .path.display())]
    FileBroken { path: PathBuf, frames: u64, why: String },
    #[error("the thread of the camera could not be started: {0}")]
    Thread(std::io::Error),
    #[error(
        "`{0}` is not a camera: use `phantom`, a number such as `0`, a device such as `/dev/video0`, or a video file"
    )]
    BadSpec(String),
}
