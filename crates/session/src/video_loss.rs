//! Frames that a session says it has, and whose pictures are gone.

use std::fmt;

use serde::Serialize;

use super::Timestamp;

/// What became of the video file since it was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoTrouble {
    Missing,
    Empty,
    /// It ends before its last frames.
    Short,
    /// It does not begin as a video.
    Foreign,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VideoLoss {
    pub trouble: VideoTrouble,
    /// Frames whose pictures are gone.
    pub frames: u64,
    /// Frames that the session says it has.
    pub of: u64,
    /// When the first of the lost ones was captured.
    pub from: Timestamp,
}

impl VideoLoss {
    /// 0 … 1
    pub fn share(&self) -> f64 {
        self.frames as f64 / self.of.max(1) as f64
    }
}

impl fmt::Display for VideoLoss {
    /// Without a full stop.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VideoLoss { trouble, frames, of, from } = self;
        match trouble {
            VideoTrouble::Missing => write!(f, "video.mkv is missing, and with it the pictures of {of} frames"),
            VideoTrouble::Empty => write!(f, "video.mkv is empty: the pictures of {of} frames are gone"),
            VideoTrouble::Short => {
                write!(f, "video.mkv is too short: from {from} on the pictures of {frames} of {of} frames are gone")
            }
            VideoTrouble::Foreign => {
                write!(f, "video.mkv is no Matroska video: the pictures of {of} frames cannot be found in it")
            }
        }
    }
}
