//! The rehearsal before a recording: camera, page, checks and the newest picture.

use std::path::PathBuf;
use std::sync::Arc;

use session::{CheckId, ParticipantId, Seat, SessionNumber, Study, Timestamp, affect};

#[derive(Clone, Debug, PartialEq)]
pub struct SessionPlan {
    /// [`StudyRow::file`]
    pub study_file: PathBuf,
    pub participant: ParticipantId,
    pub session: SessionNumber,
    /// The condition that the operator chose by hand.
    pub condition: Option<String>,
    /// The condition that the participant had or would get when the session was set up. `None`: the study has no conditions.
    pub proposed: Option<String>,
    /// Who sits at the participant's screen. A choice of the study goes before it.
    pub seat: Seat,
}

impl SessionPlan {
    /// The condition that the set-up shows. The recording may get another one, if it was not chosen by hand.
    pub fn shown_condition(&self) -> Option<&str> {
        self.condition.as_deref().or(self.proposed.as_deref())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct RehearsalInfo {
    pub plan: SessionPlan,
    pub study: Study,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CameraRow {
    /// The argument of [`Backend::choose_camera`](super::Backend::choose_camera) and of `--camera`: `/dev/video0`,
    /// `phantom`.
    pub spec: String,
    pub name: String,
    pub modes: Vec<CameraMode>,
    /// "in use by another program", "may not be read by this user: …".
    pub problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CameraMode {
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    /// `MJPEG`, `YUYV`.
    pub format: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CameraState {
    pub spec: String,
    pub name: String,
    /// The actual mode. It can differ from the requested mode.
    pub mode: Option<CameraMode>,
    pub controls: Vec<ControlState>,
    pub problem: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CameraControl {
    Exposure,
    WhiteBalance,
    Focus,
}

/// A control of the camera. Controls that the camera does not have are not listed.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlState {
    pub control: CameraControl,
    pub min: i64,
    pub max: i64,
    pub step: i64,
    pub default: i64,
    /// `K`, `× 0.1 ms`. Empty for the camera's own units.
    pub unit: String,
    /// `None` while the control is automatic.
    pub value: Option<i64>,
    pub has_automatic: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Stored if the operator overrides the check.
    pub id: CheckId,
    pub state: CheckState,
    /// The finding with its figures. If the state is not [`CheckState::Ok`], also what to do.
    pub sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    Waiting,
    Ok,
    /// Recording can start without a confirmation.
    Warning,
    /// Recording starts only after the operator confirms it. The confirmation is stored.
    Failed,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PageState {
    pub address: String,
    pub place: PagePlace,
    pub status: PageStatus,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PagePlace {
    Embedded,
    /// In a window of its own. `screen` is for display: `screen 2 (1920 × 1080)`.
    ParticipantWindow {
        screen: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStatus {
    Loading,
    /// The participant sees the fixation cross. The page follows.
    Guided {
        phase: String,
        until: Timestamp,
    },
    Loaded {
        title: String,
    },
    /// The page did not load, or its process ended. The text says what happens next.
    Failed(String),
}

impl PageStatus {
    /// What the operator reads.
    pub fn sentence(&self) -> String {
        match self {
            PageStatus::Loading => "Loading …".to_owned(),
            PageStatus::Guided { phase, .. } => format!("Phase “{phase}”: the participant sees the fixation cross."),
            PageStatus::Loaded { title } if title.is_empty() => "Loaded.".to_owned(),
            PageStatus::Loaded { title } => format!("Loaded: {title}"),
            PageStatus::Failed(sentence) => sentence.clone(),
        }
    }
}

/// The newest camera picture with the outputs of the networks.
#[derive(Clone, Debug)]
pub struct Preview {
    pub at: Timestamp,
    pub picture: Arc<Picture>,
    pub face: Option<FaceOverlay>,
    /// Number of faces in the picture, including the participant's.
    pub faces: u32,
    /// The fields of the `affect` stream. Shown in the rehearsal, which stores no stream.
    pub affect: Option<[f32; affect::FIELDS]>,
}

/// 8-bit RGB, row by row without padding.
#[derive(Clone, PartialEq)]
pub struct Picture {
    pub width_px: u32,
    pub height_px: u32,
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} × {})", self.width_px, self.height_px)
    }
}

/// In pixels of the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceOverlay {
    pub left_px: f32,
    pub top_px: f32,
    pub width_px: f32,
    pub height_px: f32,
    /// 68 points in the order of iBUG 300-W, or empty.
    pub landmarks_px: Vec<[f32; 2]>,
    /// 0 … 1.
    pub score: f32,
    /// Mean grey level of the face, 0 … 1.
    pub brightness: f32,
    /// Distance between the outer eye corners.
    pub inter_ocular_px: f32,
}
