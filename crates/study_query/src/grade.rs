//! How good a stored session is: the report from all of it, and the grade that a list shows without reading it.

use analysis::{Ending, Footage, Grade, QualityReport, quality};
use session::Timeline;
use store::{SessionEntry, SessionFile, SessionState, StoreError};

/// `timeline` is all of the session. Nothing else makes a report of a stored session.
pub fn session_quality(file: &SessionFile, timeline: &Timeline) -> Result<QualityReport, StoreError> {
    let state = file.state()?;
    let footage = Footage {
        times: &file.frames()?.times(),
        nominal_rate_hz: file.header().camera.rate_hz,
        // What is being recorded is on its way.
        loss: file.video_loss()?.filter(|_| state != SessionState::Recording),
        ending: (state == SessionState::Crashed).then(|| match file.storage_failure() {
            Some(words) if words.is_disk_full => Ending::DiskFull,
            Some(_) => Ending::StoringFailed,
            None => Ending::Crashed,
        }),
    };
    Ok(quality(timeline, &footage))
}

/// The grade of the stored report, or a worse one where pictures are gone since.
pub fn listed_grade(entry: &SessionEntry) -> Option<Grade> {
    let stored = entry.summary.as_ref().and_then(|m| m.quality.as_ref()?.get("grade").cloned());
    let stored = stored.and_then(|grade| serde_json::from_value::<Grade>(grade).ok());
    let now = entry.video_loss.as_ref().map(|loss| Grade::of_loss(loss.share()));
    stored.into_iter().chain(now).max()
}
