//! A stored session with all of its records and its quality report.

use std::path::{Path, PathBuf};

use analysis::QualityReport;
use session::Timeline;
use store::{SessionFile, StoreError, store_quality};

use super::grade::session_quality;

pub struct StoredSession {
    pub file: SessionFile,
    pub timeline: Timeline,
    pub quality: QualityReport,
}

impl StoredSession {
    /// `path` is the session's folder, or a file in it.
    pub fn open(path: &Path) -> Result<StoredSession, StoreError> {
        let file = SessionFile::open(&session_folder(path))?;
        let timeline = file.timeline()?;
        let quality = session_quality(&file, &timeline)?;
        Ok(StoredSession { file, timeline, quality })
    }

    /// Opens a session that was just closed and stores its quality report in its file. Reopening also checks that the
    /// session can be read.
    pub fn open_and_store_quality(folder: &Path) -> Result<StoredSession, StoreError> {
        let stored = StoredSession::open(folder)?;
        // The report contains only numbers and texts, so it can always be written as JSON.
        let quality = serde_json::to_value(&stored.quality).map_err(|e| StoreError::Poisoned(e.to_string()))?;
        store_quality(folder, &quality)?;
        Ok(stored)
    }
}

/// The folder of a session. `path` is that folder, or a file in it.
pub fn session_folder(path: &Path) -> PathBuf {
    let is_file = path.is_file();
    path.parent().filter(|p| is_file && !p.as_os_str().is_empty()).unwrap_or(path).to_owned()
}
