//! What every source of pictures has in common: the [`Camera`] trait, what a camera says of itself, and how it fails.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use session::{CameraSettings, Frame, FrameMeta, Pixels, TimeSource, Timestamp};

/// A source of pictures. Owned by one thread, which only stamps and hands on.
pub trait Camera: Send {
    /// What was really opened; may change with [`Camera::adjust`].
    fn info(&self) -> &CameraInfo;

    /// Waits for the next picture at most `timeout`.
    ///
    /// [`CameraError::Silent`] means that nothing came in that time: the camera may be asked again. After any other
    /// error it must be dropped and opened anew.
    fn next(&mut self, timeout: Duration) -> Result<Captured, CameraError>;

    /// Applies exposure, white balance and focus while running. What could not be done stands in [`CameraInfo::notes`].
    fn adjust(&mut self, _settings: &CameraSettings) {}
}

/// What [`Camera::next`] brought.
#[derive(Debug)]
pub enum Captured {
    Frame(CapturedFrame),
    /// A picture came damaged and is of no use.
    Corrupt {
        at: Timestamp,
        device_sequence: Option<u64>,
        why: String,
    },
    /// A file has no pictures for a time in which there were some. `frames` is how many, as far as the file tells; 0 where
    /// it has a fault of which it is not known that it cost any.
    Missing {
        from: Timestamp,
        until: Timestamp,
        frames: u64,
        why: String,
    },
    /// A file's end: there is nothing more.
    End,
}

/// A picture as a camera delivers it. It has no number yet.
#[derive(Debug)]
pub struct CapturedFrame {
    pub at: Timestamp,
    pub time_source: TimeSource,
    /// The driver's own frame count; `None` if the driver gives none.
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

/// What was opened, as it is stored with the session.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraInfo {
    /// The camera's own name, the file's name, or `Phantom`.
    pub name: String,
    pub kind: CameraKind,
    /// Device node, path, or a phantom's description.
    pub address: String,
    /// Where the device is plugged in, where the system tells.
    pub bus: Option<String>,
    /// As read back from the driver, not as asked.
    pub mode: Mode,
    /// Time passes while nobody reads: a live camera loses what is not fetched, a file waits.
    pub is_live: bool,
    /// How many pictures there will be, where that is known beforehand (an estimate for files).
    pub expected_frames: Option<u64>,
    pub controls: Vec<Control>,
    /// What could not be done as asked, one sentence each.
    pub notes: Vec<String>,
}

/// Which code speaks to the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraKind {
    V4l,
    Nokhwa,
    File,
    Phantom,
}

/// One way in which a camera can deliver.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mode {
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    pub format: PixelFormat,
}

impl Mode {
    /// The nominal time from one frame to the next; a second where a file's rate is unknown.
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

/// How pixels leave the camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PixelFormat {
    Mjpeg,
    Yuyv,
    /// Handed on as [`Pixels::Yuyv`], each chroma row used for two.
    Nv12,
    Rgb,
    Grey,
}

impl fmt::Display for PixelFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PixelFormat::Mjpeg => "MJPEG",
            PixelFormat::Yuyv => "YUYV",
            PixelFormat::Nv12 => "NV12",
            PixelFormat::Rgb => "RGB",
            PixelFormat::Grey => "grey",
        })
    }
}

/// A setting of the camera that can be fixed, with the camera's own units and limits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Control {
    pub kind: ControlKind,
    /// What the driver calls it.
    pub name: String,
    pub minimum: i64,
    pub maximum: i64,
    pub step: i64,
    pub default: i64,
    pub value: i64,
    /// Whether the camera chooses the value itself; `None` where it cannot.
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

    /// What the settings ask of this control; `None` leaves it automatic.
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

/// Why a camera gives no pictures. Each reads as a sentence for the person at the set-up screen.
#[derive(Debug, Error)]
pub enum CameraError {
    #[error("no picture came within {} ms", .waited.as_millis())]
    Silent { waited: Duration },
    #[error("there is no camera {address}: plug it in, or choose another from the list of `affectograph cameras`")]
    NotFound { address: String },
    #[error("camera {address} is in use by another program: close it there and try again")]
    Busy { address: String },
    #[error("camera {address} may not be opened by this user: add the user to the group `video` and log in again")]
    NotAllowed { address: String },
    #[error("camera {address} was unplugged")]
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
    #[error("{} is no video: {why}", .path.display())]
    NotAVideo { path: PathBuf, why: String },
    #[error("{} has its pictures in the codec `{codec}`, which this computer's FFmpeg cannot decode: convert the file, for example to H.264", .path.display())]
    UnknownCodec { path: PathBuf, codec: String },
    #[error(
        "`{program}` is needed to read video files and was not found: install FFmpeg (Debian, Ubuntu: `sudo apt install ffmpeg`)"
    )]
    NoFfmpeg { program: &'static str },
    #[error("reading {} stopped after {frames} frames: {why}", .path.display())]
    FileBroken { path: PathBuf, frames: u64, why: String },
    #[error("the system gives no further thread for the camera: {0}")]
    Thread(std::io::Error),
    #[error(
        "`{0}` is no camera: write `phantom`, a number such as `0`, a device such as `/dev/video0`, or a video file"
    )]
    BadSpec(String),
}
