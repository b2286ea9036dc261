//! One picture of a camera or a video file, and its metadata.

use std::sync::Arc;

use crate::Timestamp;

/// Shared, because the video writer, the vision worker and the preview read the same bytes.
pub type SharedFrame = Arc<Frame>;

/// What identifies a frame and when it was captured. The same for a frame in memory, in the video file and in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameMeta {
    /// Counts the frames of this recording from 0. Each number is used once.
    pub number: u64,
    /// Capture time on the session clock.
    pub at: Timestamp,
    pub time_source: TimeSource,
    /// The driver's own frame count; `None` if the driver gives none. A jump in it means lost frames.
    pub device_sequence: Option<u64>,
}

#[derive(Clone, Debug)]
pub struct Frame {
    pub meta: FrameMeta,
    pub width_px: u32,
    pub height_px: u32,
    pub pixels: Pixels,
}

impl Frame {
    /// The same frame with its picture in another form.
    pub fn with_pixels(&self, pixels: Pixels) -> Frame {
        Frame { meta: self.meta, width_px: self.width_px, height_px: self.height_px, pixels }
    }
}

/// Where [`FrameMeta::at`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeSource {
    /// The driver stamped the start of exposure or of transfer.
    Driver,
    /// The time at which the program received the frame.
    Arrival,
    /// The presentation time in a video file, converted to the session clock.
    File,
    /// The phantom rendered the frame for this time.
    Rendered,
}

impl TimeSource {
    pub const ALL: [TimeSource; 4] = [TimeSource::Driver, TimeSource::Arrival, TimeSource::File, TimeSource::Rendered];

    /// The name stored in files.
    pub fn as_str(self) -> &'static str {
        match self {
            TimeSource::Driver => "driver",
            TimeSource::Arrival => "arrival",
            TimeSource::File => "file",
            TimeSource::Rendered => "rendered",
        }
    }

    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == word)
    }
}

/// Bytes as the source delivered them, row by row without padding.
#[derive(Clone)]
pub enum Pixels {
    /// One complete JPEG, cut after its end marker.
    Jpeg(Vec<u8>),
    /// 4:2:2, `Y0 U Y1 V`, 2 bytes per pixel.
    Yuyv(Vec<u8>),
    /// 4:2:0: the plane of luma, then two planes of chroma ([`crate::Planes`]), in full range and BT.601, as in a JPEG.
    I420(Vec<u8>),
    /// 4:2:2: the same with chroma of full height.
    I422(Vec<u8>),
    /// 3 bytes per pixel.
    Rgb(Vec<u8>),
    /// 1 byte per pixel.
    Grey(Vec<u8>),
}

impl Pixels {
    /// The bytes in any of the forms.
    pub fn bytes(&self) -> &[u8] {
        match self {
            Pixels::Jpeg(b)
            | Pixels::Yuyv(b)
            | Pixels::I420(b)
            | Pixels::I422(b)
            | Pixels::Rgb(b)
            | Pixels::Grey(b) => b,
        }
    }
}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self {
            Pixels::Jpeg(_) => "Jpeg",
            Pixels::Yuyv(_) => "Yuyv",
            Pixels::I420(_) => "I420",
            Pixels::I422(_) => "I422",
            Pixels::Rgb(_) => "Rgb",
            Pixels::Grey(_) => "Grey",
        };
        write!(f, "{name}({} bytes)", self.bytes().len())
    }
}
