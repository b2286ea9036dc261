//! Stored frames whose pictures are lost.

use std::fmt;

use serde::Serialize;

use super::Timestamp;

/// What is wrong with the video file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum VideoTrouble {
    Missing,
    Empty,
    /// The file ends before its last frames.
    Short,
    /// The file does not begin like a video.
    Foreign,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VideoLoss {
    /// `video.mkv`, or the name or path of the film.
    pub file: String,
    pub trouble: VideoTrouble,
    /// Number of frames whose pictures are lost.
    pub frames: u64,
    /// Number of frames in the session file.
    pub of: u64,
    /// Capture time of the first lost frame.
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
        let VideoLoss { file, trouble, frames, of, from } = self;
        match trouble {
            VideoTrouble::Missing => {
                write!(f, "{file} is missing, and with it the pictures of {of} frames: move it back")
            }
            VideoTrouble::Empty => write!(f, "{file} is empty: the pictures of {of} frames are gone"),
            VideoTrouble::Short => {
                write!(f, "{file} is too short: from {from} on the pictures of {frames} of {of} frames are gone")
            }
            VideoTrouble::Foreign => {
                write!(f, "{file} is no Matroska video: the pictures of {of} frames cannot be found in it")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_is_told_with_its_numbers() {
        let loss = |trouble| VideoLoss {
            file: "video.mkv".to_owned(),
            trouble,
            frames: 3,
            of: 12,
            from: Timestamp::from_ns(1_500_000_000),
        };
        assert_eq!(loss(VideoTrouble::Short).share(), 0.25);
        assert_eq!(VideoLoss { frames: 0, of: 0, ..loss(VideoTrouble::Empty) }.share(), 0.0);
        let short = loss(VideoTrouble::Short).to_string();
        assert!(short.contains("from 00:00:01.500 on") && short.contains("3 of 12 frames"), "{short}");
        for trouble in [VideoTrouble::Missing, VideoTrouble::Empty, VideoTrouble::Foreign] {
            assert!(loss(trouble).to_string().contains("12 frames"), "{trouble:?}");
        }
    }
}
