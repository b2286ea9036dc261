//! The kinds of events of the stream `health`, which reports technical incidents of a recording.

use std::fmt;

/// In the data of [`HealthKind::Paused`]: true if camera and page are captured during the pause.
pub const CAPTURED_IN_PAUSE: &str = "is_captured";

/// The names are stored in files and never change. Remote browsers may send other kinds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthKind {
    RecordingStarted,
    RecordingStopped,
    /// A person paused the recording. The planned time stands still until `Resumed`. While the visitor of a website pauses,
    /// nothing is captured. The operator's pause has [`CAPTURED_IN_PAUSE`]: camera and page are still captured.
    Paused,
    Resumed,
    /// Nothing was stored after this event.
    StoringFailed,
    CameraLost,
    CameraBack,
    /// The camera failed for good.
    CameraFailed,
    PageNotLoaded,
    PageProcessDied,
    PageRefused,
    /// The participant pressed the button to stop.
    ParticipantWithdrew,
    /// The video file that the session was made from.
    Film,
    /// A browser's camera delivers pictures.
    CameraStarted,
    /// A browser gets no pictures from its camera; the data has the reason.
    CameraAbsent,
    CameraRefused,
    /// Another program uses the camera.
    CameraTaken,
    /// The networks in the browser deliver scores.
    ScoresStarted,
    ScoresUnavailable,
    /// The browser could not keep part of its video.
    VideoLost,
    /// A source that is not required was not found at the start.
    SourceMissing,
    SourceLost,
    SourceBack,
    /// A source is connected and sends nothing, although it promised a rate.
    SourceSilent,
    /// A source's stamps are not of its sender's clock, or the clock was changed.
    SourceClock,
    /// A person gave the session another participant or number, after the recording.
    Reassigned,
}

impl HealthKind {
    pub const ALL: [HealthKind; 26] = [
        HealthKind::RecordingStarted,
        HealthKind::RecordingStopped,
        HealthKind::Paused,
        HealthKind::Resumed,
        HealthKind::StoringFailed,
        HealthKind::CameraLost,
        HealthKind::CameraBack,
        HealthKind::CameraFailed,
        HealthKind::PageNotLoaded,
        HealthKind::PageProcessDied,
        HealthKind::PageRefused,
        HealthKind::ParticipantWithdrew,
        HealthKind::Film,
        HealthKind::CameraStarted,
        HealthKind::CameraAbsent,
        HealthKind::CameraRefused,
        HealthKind::CameraTaken,
        HealthKind::ScoresStarted,
        HealthKind::ScoresUnavailable,
        HealthKind::VideoLost,
        HealthKind::SourceMissing,
        HealthKind::SourceLost,
        HealthKind::SourceBack,
        HealthKind::SourceSilent,
        HealthKind::SourceClock,
        HealthKind::Reassigned,
    ];

    /// The name stored in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            HealthKind::RecordingStarted => "recording_started",
            HealthKind::RecordingStopped => "recording_stopped",
            HealthKind::Paused => "paused",
            HealthKind::Resumed => "resumed",
            HealthKind::StoringFailed => "storing_failed",
            HealthKind::CameraLost => "camera_lost",
            HealthKind::CameraBack => "camera_back",
            HealthKind::CameraFailed => "camera_failed",
            HealthKind::PageNotLoaded => "page_not_loaded",
            HealthKind::PageProcessDied => "page_process_died",
            HealthKind::PageRefused => "page_refused",
            HealthKind::ParticipantWithdrew => "participant_withdrew",
            HealthKind::Film => "film",
            HealthKind::CameraStarted => "camera_started",
            HealthKind::CameraAbsent => "camera_absent",
            HealthKind::CameraRefused => "camera_refused",
            HealthKind::CameraTaken => "camera_taken",
            HealthKind::ScoresStarted => "scores_started",
            HealthKind::ScoresUnavailable => "scores_unavailable",
            HealthKind::VideoLost => "video_lost",
            HealthKind::SourceMissing => "source_missing",
            HealthKind::SourceLost => "source_lost",
            HealthKind::SourceBack => "source_back",
            HealthKind::SourceSilent => "source_silent",
            HealthKind::SourceClock => "source_clock",
            HealthKind::Reassigned => "reassigned",
        }
    }

    /// `None` if the name is unknown to this program version.
    pub fn from_stored(word: &str) -> Option<HealthKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether the event is an action of a person and not a fault.
    pub fn is_marker(self) -> bool {
        use HealthKind::{Film, Paused, Reassigned, RecordingStarted, RecordingStopped, Resumed};
        matches!(self, RecordingStarted | RecordingStopped | Film | Reassigned | Paused | Resumed)
    }
}

impl fmt::Display for HealthKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_word_of_its_own_and_comes_back_from_it() {
        for kind in HealthKind::ALL {
            assert_eq!(HealthKind::from_stored(kind.as_str()), Some(kind));
        }
        assert_eq!(HealthKind::from_stored("camera_confused"), None);
    }
}
