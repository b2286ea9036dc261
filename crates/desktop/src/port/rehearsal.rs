//! What runs before a recording: camera, page, checks and the newest picture.

use std::path::PathBuf;
use std::sync::Arc;

use session::{CheckId, ParticipantId, SessionNumber, Study, Timestamp, affect};

#[derive(Clone, Debug, PartialEq)]
pub struct SessionPlan {
    /// [`StudyRow::file`]
    pub study_file: PathBuf,
    pub participant: ParticipantId,
    pub session: SessionNumber,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RehearsalInfo {
    pub plan: SessionPlan,
    pub study: Study,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CameraRow {
    /// What [`Backend::choose_camera`] takes and `--camera` would: `/dev/video0`, `phantom`.
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
    /// `MJPEG`, `YUYV`: as people read it.
    pub format: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CameraState {
    pub spec: String,
    pub name: String,
    /// As it really runs, which may differ from what was asked.
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

/// A control that the camera has; those it lacks are not listed.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlState {
    pub control: CameraControl,
    pub min: i64,
    pub max: i64,
    pub step: i64,
    pub default: i64,
    /// `K`, `× 0.1 ms`; empty for raw units of the camera's own.
    pub unit: String,
    /// `None` while the camera decides by itself.
    pub value: Option<i64>,
    pub has_automatic: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Stored where it is overridden.
    pub id: CheckId,
    pub state: CheckState,
    /// The finding with its figures, and where it is not [`CheckState::Ok`], what to do.
    pub sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    Waiting,
    Ok,
    /// Recording may start without a question.
    Warning,
    /// Recording starts only after the operator confirms that it shall, which is stored.
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
    /// In a window of its own; `screen` as people call it: `screen 2 (1920 × 1080)`.
    ParticipantWindow {
        screen: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStatus {
    Loading,
    /// The participant looks at a cross; the page comes after it.
    Guided {
        phase: String,
        until: Timestamp,
    },
    Loaded {
        title: String,
    },
    /// Did not load, or its process died; the sentence says what happens next.
    Failed(String),
}

/// The newest camera picture with what the networks see in it.
#[derive(Clone, Debug)]
pub struct Preview {
    pub at: Timestamp,
    pub picture: Arc<Picture>,
    pub face: Option<FaceOverlay>,
    /// Faces in the picture, the participant's included.
    pub faces: u32,
    /// As the `affect` stream's fields. For the rehearsal, where nothing is stored yet.
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

/// In picture pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceOverlay {
    pub left_px: f32,
    pub top_px: f32,
    pub width_px: f32,
    pub height_px: f32,
    /// 68 points in iBUG 300-W order, or none.
    pub landmarks_px: Vec<[f32; 2]>,
    /// 0 … 1.
    pub score: f32,
    /// Mean grey level of the face, 0 … 1.
    pub brightness: f32,
    /// Distance of the outer eye corners.
    pub inter_ocular_px: f32,
}
