//! The description of the video track that is decoded, as `ffprobe` reports it.

use std::path::PathBuf;

use session::planes_len;

use super::yuv_colour::YuvColour;

/// The video track of a file that is played.
#[derive(Clone, Debug, PartialEq)]
pub struct FileVideo {
    pub path: PathBuf,
    pub stream_index: u32,
    pub codec: String,
    /// FFmpeg's name of the container, such as `matroska,webm`.
    pub container: String,
    /// As displayed: rotated upright, with square pixels.
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    pub time_base: TimeBase,
    pub expected_frames: Option<u64>,
    /// The duration of the track that the file declares. A file that was cut off still declares the original duration.
    pub declared_s: Option<f64>,
    /// The number of frames that the decoder may delay for reordering.
    pub reordered_frames: u64,
    /// The file contains complete JPEGs that are used unchanged.
    pub is_plain_mjpeg: bool,
    /// The format in which FFmpeg delivers decoded pictures.
    pub decoded: DecodedFormat,
    /// Decisions for the user, one message each.
    pub notes: Vec<String>,
}

/// The format of decoded pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodedFormat {
    /// Planes in the colour of the file.
    Planes(YuvColour),
    /// FFmpeg converts pictures of other formats, or scales them, to RGB.
    Rgb,
}

impl FileVideo {
    /// Bytes of one decoded picture.
    pub fn picture_bytes(&self) -> usize {
        let (width, height) = (self.width_px as usize, self.height_px as usize);
        match self.decoded {
            DecodedFormat::Planes(_) => planes_len(width, height),
            DecodedFormat::Rgb => 3 * width * height,
        }
    }
}

/// Seconds in one tick, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeBase {
    pub numerator: i64,
    pub denominator: i64,
}

impl TimeBase {
    pub fn ns(self, ticks: i64) -> i64 {
        let ns = i128::from(ticks) * i128::from(self.numerator) * 1_000_000_000 / i128::from(self.denominator.max(1));
        i64::try_from(ns).unwrap_or(if ticks < 0 { i64::MIN } else { i64::MAX })
    }
}

impl std::str::FromStr for TimeBase {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        let (n, d) = s.trim().split_once('/').ok_or(())?;
        let base = TimeBase { numerator: n.parse().map_err(drop)?, denominator: d.parse().map_err(drop)? };
        if base.numerator > 0 && base.denominator > 0 { Ok(base) } else { Err(()) }
    }
}
