//! The description of the video track that is decoded, as `ffprobe` reports it.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use session::{half_planes_len, planes_len};

use super::yuv_colour::YuvColour;

/// The video track of a file that is played. A session that keeps its film stores it, so that later pictures are decoded
/// in the same way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileVideo {
    #[serde(skip)]
    pub path: PathBuf,
    pub stream_index: u32,
    pub codec: String,
    /// FFmpeg's name of the container, such as `matroska,webm`.
    pub container: String,
    /// As displayed: rotated upright, with square pixels.
    pub width_px: u32,
    pub height_px: u32,
    /// How FFmpeg turns the stored pictures.
    pub turn: Turn,
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
    /// Every decoder must give the same bytes: its standard defines them, and nothing is scaled or rounded afterwards.
    pub is_exact: bool,
    /// Decisions for the user, one message each.
    pub notes: Vec<String>,
}

/// The rotation from stored to displayed pictures, clockwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    None,
    Quarter,
    Half,
    ThreeQuarters,
    /// An angle that is no multiple of 90°.
    Odd,
}

impl Turn {
    pub fn of_clockwise_deg(deg: f64) -> Turn {
        match deg.rem_euclid(360.0).round() as i64 {
            0 | 360 => Turn::None,
            90 => Turn::Quarter,
            180 => Turn::Half,
            270 => Turn::ThreeQuarters,
            _ => Turn::Odd,
        }
    }
}

/// The format of decoded pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecodedFormat {
    /// Planes in the colour of the file.
    Planes(YuvColour),
    /// Planes in 4:2:2, in the colour of a JPEG.
    HalfPlanes,
    /// FFmpeg converts pictures of other formats, or scales them, to RGB.
    Rgb,
}

#[cfg(test)]
impl FileVideo {
    /// A film for tests: 8 × 8 px, 25 frames per second.
    pub(super) fn small_h264() -> FileVideo {
        FileVideo {
            path: "a.mp4".into(),
            stream_index: 0,
            codec: "h264".into(),
            container: "mov,mp4,m4a,3gp,3g2,mj2".into(),
            width_px: 8,
            height_px: 8,
            turn: Turn::None,
            rate_hz: 25.0,
            time_base: TimeBase { numerator: 1, denominator: 25 },
            expected_frames: None,
            declared_s: None,
            reordered_frames: 0,
            is_plain_mjpeg: false,
            decoded: DecodedFormat::Rgb,
            is_exact: false,
            notes: Vec::new(),
        }
    }
}

impl FileVideo {
    /// Bytes of one decoded picture.
    pub fn picture_bytes(&self) -> usize {
        let (width, height) = (self.width_px as usize, self.height_px as usize);
        match self.decoded {
            DecodedFormat::Planes(_) => planes_len(width, height),
            DecodedFormat::HalfPlanes => half_planes_len(width, height),
            DecodedFormat::Rgb => 3 * width * height,
        }
    }
}

/// Seconds in one tick, as a fraction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
