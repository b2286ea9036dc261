//! One picture with the moment of its capture.

use std::sync::Arc;

use crate::Timestamp;

/// Shared, because the video writer, the vision worker and the preview all look at the same bytes.
pub type SharedFrame = Arc<Frame>;

#[derive(Clone, Debug)]
pub struct Frame {
    /// Counts the frames of this recording from 0; every frame handed on has one, none is used twice.
    pub number: u64,
    pub at: Timestamp,
    pub time_source: TimeSource,
    /// The driver's own count, where it gives one: jumps in it are frames that never reached us.
    pub device_sequence: Option<u64>,
    pub width_px: u32,
    pub height_px: u32,
    pub pixels: Pixels,
}

/// Where [`Frame::at`] comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeSource {
    /// The driver stamped the start of exposure or of transfer.
    Driver,
    /// The moment at which the frame reached us.
    Arrival,
    /// The presentation time in a video file, laid onto the session clock.
    File,
    /// Rendered for this instant.
    Rendered,
}

impl TimeSource {
    pub const ALL: [TimeSource; 4] = [TimeSource::Driver, TimeSource::Arrival, TimeSource::File, TimeSource::Rendered];

    /// The word stored in files.
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

/// Bytes as the camera gave them, row by row without padding.
#[derive(Clone)]
pub enum Pixels {
    /// One complete JPEG, trimmed behind its end marker.
    Jpeg(Vec<u8>),
    /// 4:2:2, `Y0 U Y1 V`, 2 bytes a pixel.
    Yuyv(Vec<u8>),
    /// 3 bytes a pixel.
    Rgb(Vec<u8>),
    /// 1 byte a pixel.
    Grey(Vec<u8>),
}

impl std::fmt::Debug for Pixels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, bytes) = match self {
            Pixels::Jpeg(b) => ("Jpeg", b),
            Pixels::Yuyv(b) => ("Yuyv", b),
            Pixels::Rgb(b) => ("Rgb", b),
            Pixels::Grey(b) => ("Grey", b),
        };
        write!(f, "{name}({} bytes)", bytes.len())
    }
}
