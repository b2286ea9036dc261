//! The quality of a stored session: the full report, and the grade in lists, which does not need the records.

use analysis::{Ending, FaceRecord, Footage, Grade, QualityReport, quality};
use session::Timeline;
use store::{CameraDescription, SessionEntry, SessionFile, SessionState, StoreError};

/// Computes the report of a stored session. `timeline` is the complete session. All reports of stored sessions come from
/// this function.
pub fn session_quality(file: &SessionFile, timeline: &Timeline) -> Result<QualityReport, StoreError> {
    let state = file.state()?;
    let footage = Footage {
        times: &file.frames()?.times(),
        nominal_rate_hz: file.header().camera.rate_hz,
        face_record: face_record(&file.header().camera),
        // During a recording, the newest frames may not yet be in the video.
        loss: file.video_loss()?.filter(|_| state != SessionState::Recording),
        ending: (state == SessionState::Crashed).then(|| match file.storage_failure() {
            Some(words) if words.is_disk_full => Ending::DiskFull,
            Some(_) => Ending::StoringFailed,
            None => Ending::Crashed,
        }),
    };
    Ok(quality(timeline, &footage))
}

/// A browser's session states what its page asked for. Other sessions store pictures, unless their study records no camera.
fn face_record(camera: &CameraDescription) -> FaceRecord {
    match (camera.backend.as_str(), camera.spec.as_str()) {
        ("browser", "scores") => FaceRecord::Scores,
        ("browser", "off") => FaceRecord::Nothing,
        _ if camera.is_none() => FaceRecord::Nothing,
        _ => FaceRecord::Pictures,
    }
}

/// The grade of the stored report, or a worse one if frames have disappeared from the video since.
pub fn listed_grade(entry: &SessionEntry) -> Option<Grade> {
    let stored = entry.summary.as_ref().and_then(|m| m.quality.as_ref()?.get("grade").cloned());
    let stored = stored.and_then(|grade| serde_json::from_value::<Grade>(grade).ok());
    let now = entry.video_loss.as_ref().map(|loss| Grade::of_loss(loss.share()));
    stored.into_iter().chain(now).max()
}
