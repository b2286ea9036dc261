//! A row of `frames.csv`.

use session::Timestamp;

/// One stored video frame, as a row of `frames.csv`.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameRow {
    pub number: u64,
    pub at: Timestamp,
    pub time_source: &'static str,
    pub device_sequence: Option<u64>,
}
