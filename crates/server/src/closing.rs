//! Closes a session file and grades it.

use std::path::Path;

use session::Timestamp;
use store::{CameraDescription, Recorder, SessionEnd, SessionFile, StoreError, store_camera};
use study_query::StoredSession;

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
    // This also shows that the closed session can be read.
    StoredSession::open_and_store_quality(folder).map(drop)
}

fn last_record(folder: &Path) -> Result<Timestamp, StoreError> {
    let mut last = Timestamp::ZERO;
    SessionFile::open(folder)?.each_record(|record| last = last.max(record.at))?;
    Ok(last)
}
