//! The result of converting a browser's video.

/// What was read from a video.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VideoIngestResult {
    pub frames: u64,
    pub scored: u64,
    /// Frames whose time of capture is unknown. They are not stored.
    pub untimed: u64,
    /// Frames that are damaged or missing in what the browser sent.
    pub damaged: u64,
    pub width_px: u32,
    pub height_px: u32,
    /// Mean over the whole video.
    pub rate_hz: f64,
    /// Container of the first recording: `webm` or `mp4`.
    pub format: &'static str,
    /// Numbers of the chunks with which a recording of the browser begins.
    pub starts: Vec<u64>,
    /// Sentences for the analyst.
    pub notes: Vec<String>,
}
