//! A recording in progress, and what it leaves behind.

use std::path::PathBuf;
use std::time::Duration;

use super::{Grade, SessionRow};
use analysis::Busy;
use session::{CheckId, Timestamp};

#[derive(Clone, Debug, PartialEq)]
pub struct RecordingRequest {
    /// Names of the checks that were not [`CheckState::Ok`] or [`CheckState::Warning`] and that the operator
    /// overrode on purpose. Stored.
    pub overridden_checks: Vec<CheckId>,
    /// The consent text as it was shown, where the operator confirmed the participant's consent. Its hash is stored.
    pub consent_text: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StartedInfo {
    pub folder: PathBuf,
    /// Elapsed time counts from here.
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewMarker {
    /// The key press, or for a note the moment at which the operator began to write.
    pub at: Timestamp,
    /// The study's hot key; `None` for a note.
    pub key: Option<char>,
    pub label: String,
    /// May be empty.
    pub note: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthFigures {
    /// Over the last second.
    pub camera_hz: f64,
    pub asked_hz: f64,
    pub frames_stored: u64,
    pub frames_scored: u64,
    /// Not scored live, still in the video.
    pub frames_skipped: u64,
    /// Captured or announced and gone for good: frames and records.
    pub lost: u64,
    /// Mean of the last second; `None` while nothing is scored.
    pub inference_ms: Option<f64>,
    /// The fullest of the record and frame queues, 0 … 1.
    pub queue_fill: f64,
    pub disk_left_bytes: u64,
    /// How long the disk lasts at the present rate.
    pub disk_left: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// `camera`, `disk`, `queue`: one alarm each.
    pub key: String,
    /// What is being lost: "No pictures since 00:12:41: the camera is silent."
    pub losing: String,
    /// What to do: "Check its cable. Recording goes on and it reconnects by itself."
    pub remedy: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FinishedSession {
    pub session: SessionRow,
    pub quality: QualityReport,
}

/// How good a session is, in figures. Also shown in review.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityReport {
    pub grade: Grade,
    /// Why that grade, most important first; empty for a flawless session.
    pub findings: Vec<String>,
    pub length: Duration,
    pub frames_expected: u64,
    pub frames_stored: u64,
    pub frames_scored: u64,
    pub frames_skipped: u64,
    /// Frames and records.
    pub lost: u64,
    pub largest_gap: Option<LargestGap>,
    /// 0 … 1; `None` where nothing was scored.
    pub face_share: Option<f64>,
    pub page_clock_uncertainty_ms: Option<f64>,
    /// `None` where no page was recorded or nothing is known of it.
    pub page_busy: Option<Busy>,
    /// Most frequent first.
    pub events_by_kind: Vec<(String, u64)>,
    pub size_bytes: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LargestGap {
    pub at: Timestamp,
    pub lasted: Duration,
    pub stream: String,
    pub reason: String,
}

/// A rectangle in physical pixels of the window, from its top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelRect {
    pub left_px: i32,
    pub top_px: i32,
    pub width_px: u32,
    pub height_px: u32,
}
