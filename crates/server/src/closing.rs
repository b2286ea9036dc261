//! Closes a session file and grades it.

use std::path::Path;

use session::Timestamp;
use store::{CameraDescription, Recorder, SessionEnd, SessionFile, StoreError, store_camera, store_quality};

/// Ends the recorder at `at` or at the time of the last stored record, whichever is later.
pub fn close(
    recorder: Recorder,
    folder: &Path,
    at: Timestamp,
    camera: Option<&CameraDescription>,
) -> Result<(), StoreError> {
    // After a restart the file has records that this task has not seen.
    let at = last_record(folder)?.max(at);
    recorder.finish(SessionEnd { at, quality: None })?;
    if let Some(camera) = camera {
        store_camera(folder, camera)?;
    }
    store_grade(folder)
}

fn last_record(folder: &Path) -> Result<Timestamp, StoreError> {
    let mut last = Timestamp::ZERO;
    SessionFile::open(folder)?.each_record(|record| last = last.max(record.at))?;
    Ok(last)
}

/// Reads the closed session as a review does. This also proves that the session can be read.
fn store_grade(folder: &Path) -> Result<(), StoreError> {
    let file = SessionFile::open(folder)?;
    let timeline = file.timeline()?;
    let quality = study_query::session_quality(&file, &timeline)?;
    drop(file);
    match serde_json::to_value(&quality) {
        Ok(quality) => store_quality(folder, &quality),
        // Serializing plain numbers and texts does not fail.
        Err(e) => Err(StoreError::Poisoned(e.to_string())),
    }
}
