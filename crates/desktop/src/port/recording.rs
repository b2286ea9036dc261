//! A recording in progress, and its result.

use std::path::PathBuf;
use std::time::Duration;

use super::{GivenConsent, Grade, SessionRow};
use analysis::Busy;
use session::{CheckId, Timestamp};

#[derive(Clone, Debug, PartialEq)]
pub struct RecordingRequest {
    /// The failed or waiting checks that the operator has overridden. They are stored.
    pub overridden_checks: Vec<CheckId>,
    /// The consent text as it was shown, if the operator has confirmed the participant's consent. Its hash is stored.
    pub consent_text: Option<String>,
    /// The consent that the participant gave on their own screen. `None`: the operator confirmed it.
    pub given_consent: Option<GivenConsent>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StartedInfo {
    pub folder: PathBuf,
    /// The start of the elapsed time.
    pub at: Timestamp,
}

/// A part of the session: a phase, a questionnaire or the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionPart {
    /// Among the parts of the session.
    pub number: usize,
    pub name: String,
    /// `None`: it has no planned length.
    pub until: Option<Timestamp>,
    /// Nothing follows, so the operator cannot go on.
    pub is_last: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct NewMarker {
    /// The time of the key press. For a note, the time at which the operator began to write.
    pub at: Timestamp,
    /// The marker key of the study. `None` for a note.
    pub key: Option<char>,
    pub label: String,
    /// May be empty.
    pub note: String,
    pub via: MarkerVia,
}

/// What the operator used to set a marker. Markers of the page are stored by the rig.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum MarkerVia {
    #[default]
    Window,
    Pad,
    /// The phone's name.
    Phone(String),
}

impl MarkerVia {
    /// The text in files. `None` for the window.
    pub fn stored(&self) -> Option<String> {
        match self {
            MarkerVia::Window => None,
            MarkerVia::Pad => Some("pad".to_owned()),
            MarkerVia::Phone(name) => Some(format!("phone {name}")),
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthFigures {
    /// In the last second.
    pub camera_hz: f64,
    pub asked_hz: f64,
    pub frames_stored: u64,
    pub frames_scored: u64,
    /// Frames that were not scored live. The video contains them.
    pub frames_skipped: u64,
    /// Lost frames and records. They cannot be recovered.
    pub lost: u64,
    /// Mean of the last second. `None` while no frame is scored.
    pub inference_ms: Option<f64>,
    /// Fill of the fullest queue of records or frames, 0 … 1.
    pub queue_fill: f64,
    pub disk_left_bytes: u64,
    /// How long the free space lasts at the present rate.
    pub disk_left: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// Identifies the alarm, for example `camera`, `records` or `disk`. Each key has at most one alarm.
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

/// The quality of a session. Shown after a recording and in review.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityReport {
    pub grade: Grade,
    /// The reasons for the grade, most important first. Empty if there are none.
    pub findings: Vec<String>,
    pub length: Duration,
    pub frames_expected: u64,
    pub frames_stored: u64,
    pub frames_scored: u64,
    pub frames_skipped: u64,
    /// Lost frames and records.
    pub lost: u64,
    pub largest_gap: Option<LargestGap>,
    /// 0 … 1. `None` if no frame was scored.
    pub face_share: Option<f64>,
    pub page_clock_uncertainty_ms: Option<f64>,
    /// `None` if no page was recorded, or if it sent no measurement.
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

/// A rectangle in physical pixels, relative to the top left corner of the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelRect {
    pub left_px: i32,
    pub top_px: i32,
    pub width_px: u32,
    pub height_px: u32,
}
