//! What a rig tells whoever runs it, besides the records it stores.

use crate::capture::{CameraInfo, CaptureCounters};
use crate::session::{GapReason, Phase, Timestamp};
use crate::store::StoreCounters;

/// Things a person may have to know at once. What is stored of them is stored by the rig itself.
#[derive(Clone, Debug)]
pub enum News {
    CameraOpened(CameraInfo),
    CameraLost {
        at: Timestamp,
        why: String,
    },
    CameraBack {
        at: Timestamp,
        info: CameraInfo,
    },
    /// Frames that never reached the video.
    FramesMissing {
        at: Timestamp,
        lost: u64,
        reason: GapReason,
    },
    /// It ended for good; recording of the page and of markers goes on.
    CameraFailed {
        at: Timestamp,
        why: String,
    },
    /// A video file is over, or a phantom's time.
    CameraEnded {
        at: Timestamp,
    },
    /// The participant is guided through it: the cross is on the screen.
    PhaseStarted {
        phase: Phase,
        at: Timestamp,
        until: Timestamp,
    },
    PhaseEnded {
        name: String,
    },
    PageLoaded {
        address: String,
    },
    /// It did not load, or its process died; the sentence says what happens next.
    PageTrouble(String),
    /// The page sent what may not be recorded.
    PageRefused {
        count: u64,
        reason: String,
    },
    /// The page's window was closed.
    PageClosed,
    /// The networks failed on a frame.
    VisionTrouble(String),
}

/// One look at everything that is counted.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    pub capture: CaptureCounters,
    /// `None` in a rehearsal.
    pub store: Option<StoreCounters>,
    pub frames_scored: u64,
    pub frames_skipped: u64,
    pub vision_failures: u64,
    /// Mean of the last second's vision steps; `None` while nothing is scored.
    pub inference_ms: Option<f64>,
}
