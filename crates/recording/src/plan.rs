//! What a rig runs, and which session it records.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::Guided;
use capture::{CameraSpec, Pace};
use page::{PageHost, PageSpec};
use session::{CameraSettings, CheckId, Marker, ParticipantId, SessionNumber, SourceSettings};
use store::{Consent, SessionCondition, StoredStudy};

/// What a rig runs.
#[derive(Clone, Debug)]
pub struct RigPlan {
    /// `None`: the study records no camera. No network is loaded then.
    pub camera: Option<CameraSpec>,
    pub camera_settings: CameraSettings,
    pub pace: Pace,
    /// Folder with one folder per network.
    pub models: PathBuf,
    /// Folder of the affect network in `models`.
    pub affect_model: String,
    pub page: Option<PageSpec>,
    /// The markers of the study, for keys that are pressed while the page has the keyboard.
    pub markers: Vec<Marker>,
    /// Other instruments to record.
    pub sources: Vec<SourceSettings>,
    /// Whether affect, events and frames are offered over Lab Streaming Layer.
    pub lsl_out: bool,
    /// A participant window that is open already and stays open. It shows the page. `None`: the rig opens `page` and closes
    /// it.
    pub window: Option<Arc<PageHost>>,
}

impl RigPlan {
    pub fn has_page(&self) -> bool {
        self.page.is_some() || self.window.is_some()
    }
}

/// The folder of a recording, and the parts of its header that the rig does not provide.
#[derive(Clone, Debug)]
pub struct SessionPlan {
    /// A new folder that the library created.
    pub folder: PathBuf,
    pub participant: ParticipantId,
    pub session: SessionNumber,
    pub study: StoredStudy,
    /// The git revision of the program. `None`: not known.
    pub revision: Option<String>,
    /// The parts that the program leads through.
    pub guided: Guided,
    /// The participant's condition.
    pub condition: Option<SessionCondition>,
    pub consent: Option<Consent>,
    /// Recorded by the operator to try the study.
    pub pilot: bool,
    pub overridden_checks: Vec<CheckId>,
    /// Planned length, if known.
    pub planned: Option<Duration>,
}
