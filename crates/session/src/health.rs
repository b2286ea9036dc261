//! The kinds of events of the stream `health`, which reports technical incidents of a recording.

use std::fmt;

/// In the data of [`HealthKind::Paused`]: true if camera and page are captured during the pause.
pub const CAPTURED_IN_PAUSE: &str = "is_captured";

/// The names are stored in files and never change. Remote browsers may send other kinds. [`HealthKind::meaning`] explains each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HealthKind {
    RecordingStarted,
    RecordingStopped,
    Paused,
    Resumed,
    StoringFailed,
    CameraLost,
    CameraBack,
    CameraFailed,
    PageNotLoaded,
    PageProcessDied,
    PageRefused,
    ParticipantWithdrew,
    Film,
    CameraStarted,
    CameraAbsent,
    CameraRefused,
    CameraTaken,
    ScoresStarted,
    ScoresUnavailable,
    VideoLost,
    SourceMissing,
    SourceLost,
    SourceBack,
    SourceSilent,
    SourceClock,
    TriggerNotSent,
    RemoteCommand,
    Reassigned,
}

impl HealthKind {
    pub const ALL: [HealthKind; 28] = [
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
        HealthKind::TriggerNotSent,
        HealthKind::RemoteCommand,
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
            HealthKind::TriggerNotSent => "trigger_not_sent",
            HealthKind::RemoteCommand => "remote_command",
            HealthKind::Reassigned => "reassigned",
        }
    }

    /// `None` if the name is unknown to this program version.
    pub fn from_stored(word: &str) -> Option<HealthKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// One sentence for people, without its full stop.
    pub const fn meaning(self) -> &'static str {
        match self {
            HealthKind::RecordingStarted => "the recording began",
            HealthKind::RecordingStopped => "the recording was ended",
            HealthKind::Paused => "a person paused the recording; `is_captured`: camera and page are still captured",
            HealthKind::Resumed => "the pause ended",
            HealthKind::StoringFailed => "nothing was stored after this event",
            HealthKind::CameraLost => "the camera was disconnected or delivered no frames",
            HealthKind::CameraBack => "the camera delivers frames again",
            HealthKind::CameraFailed => "the camera failed for good",
            HealthKind::PageNotLoaded => "the page could not be loaded",
            HealthKind::PageProcessDied => "the process that shows the page crashed",
            HealthKind::PageRefused => "an event of the page was refused; the data has the reason",
            HealthKind::ParticipantWithdrew => "the participant pressed the button to stop",
            HealthKind::Film => "the video file that the session was made from",
            HealthKind::CameraStarted => "a browser's camera delivers pictures",
            HealthKind::CameraAbsent => "a browser gets no pictures from its camera; the data has the reason",
            HealthKind::CameraRefused => "the visitor refused the camera",
            HealthKind::CameraTaken => "another program uses the camera",
            HealthKind::ScoresStarted => "the networks in the browser deliver scores",
            HealthKind::ScoresUnavailable => "the networks in the browser do not run; the data has the reason",
            HealthKind::VideoLost => "the browser could not keep part of its video",
            HealthKind::SourceMissing => "a source that is not required was not found at the start",
            HealthKind::SourceLost => "a source was lost",
            HealthKind::SourceBack => "a source that was lost delivers again",
            HealthKind::SourceSilent => "a source is connected and sends nothing, although it promised a rate",
            HealthKind::SourceClock => "a source's stamps are not of its sender's clock, or the clock was changed",
            HealthKind::TriggerNotSent => "a byte for a serial port was not sent; the data has the reason",
            HealthKind::RemoteCommand => {
                "another program sent a command to the remote control; the data has command, sender and answer"
            }
            HealthKind::Reassigned => "a person gave the session another participant or number, after the recording",
        }
    }

    /// Whether the event is an action of a person or of their program, and not a fault.
    pub fn is_marker(self) -> bool {
        use HealthKind::{Film, Paused, Reassigned, RecordingStarted, RecordingStopped, RemoteCommand, Resumed};
        matches!(self, RecordingStarted | RecordingStopped | Film | Reassigned | RemoteCommand | Paused | Resumed)
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
