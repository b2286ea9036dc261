//! What can happen to a recording itself: the kinds of events of the stream `health`.

use std::fmt;

/// The words stored in files, which never change. Browsers far away may tell of more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthKind {
    RecordingStarted,
    RecordingStopped,
    /// From here on nothing could be stored.
    StoringFailed,
    CameraLost,
    CameraBack,
    /// It does not come back.
    CameraFailed,
    PageNotLoaded,
    PageProcessDied,
    PageRefused,
    /// Which video file the session was made from.
    Film,
    /// A browser's camera gives pictures.
    CameraStarted,
    /// A browser gets no pictures from its camera, and why.
    CameraAbsent,
    CameraRefused,
    /// Another program uses it.
    CameraTaken,
    /// A browser's own networks give scores.
    ScoresStarted,
    ScoresUnavailable,
    /// A browser could not keep some of its video.
    VideoLost,
}

impl HealthKind {
    pub const ALL: [HealthKind; 17] = [
        HealthKind::RecordingStarted,
        HealthKind::RecordingStopped,
        HealthKind::StoringFailed,
        HealthKind::CameraLost,
        HealthKind::CameraBack,
        HealthKind::CameraFailed,
        HealthKind::PageNotLoaded,
        HealthKind::PageProcessDied,
        HealthKind::PageRefused,
        HealthKind::Film,
        HealthKind::CameraStarted,
        HealthKind::CameraAbsent,
        HealthKind::CameraRefused,
        HealthKind::CameraTaken,
        HealthKind::ScoresStarted,
        HealthKind::ScoresUnavailable,
        HealthKind::VideoLost,
    ];

    /// The word stored in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            HealthKind::RecordingStarted => "recording_started",
            HealthKind::RecordingStopped => "recording_stopped",
            HealthKind::StoringFailed => "storing_failed",
            HealthKind::CameraLost => "camera_lost",
            HealthKind::CameraBack => "camera_back",
            HealthKind::CameraFailed => "camera_failed",
            HealthKind::PageNotLoaded => "page_not_loaded",
            HealthKind::PageProcessDied => "page_process_died",
            HealthKind::PageRefused => "page_refused",
            HealthKind::Film => "film",
            HealthKind::CameraStarted => "camera_started",
            HealthKind::CameraAbsent => "camera_absent",
            HealthKind::CameraRefused => "camera_refused",
            HealthKind::CameraTaken => "camera_taken",
            HealthKind::ScoresStarted => "scores_started",
            HealthKind::ScoresUnavailable => "scores_unavailable",
            HealthKind::VideoLost => "video_lost",
        }
    }

    /// `None` for a word that this program does not know.
    pub fn from_stored(word: &str) -> Option<HealthKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether it is the operator's doing, and nothing that went wrong.
    pub fn is_marker(self) -> bool {
        matches!(self, HealthKind::RecordingStarted | HealthKind::RecordingStopped | HealthKind::Film)
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
