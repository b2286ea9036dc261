//! Events that other programs recorded, laid onto a session's clock.
//!
//! Whatever the file is, it becomes [`ForeignEvent`]s on the other program's clock; [`shared_markers`] finds what both
//! recorded, and the fitted line carries the rest over. The files come from anywhere: nothing in them is believed.

mod shared;
mod table;
mod xdf;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use thiserror::Error;

pub use shared::{SharedMarkers, shared_markers};
pub use table::Columns;

/// Larger files are no lists of events.
const MOST_BYTES: u64 = 1 << 30;

#[derive(Clone, Debug, PartialEq)]
pub struct ForeignEvent {
    /// On the other program's clock.
    pub at_s: f64,
    /// `None` where it was over at once.
    pub duration_s: Option<f64>,
    pub kind: String,
    /// Everything else the file says of it.
    pub data: Map<String, Value>,
}

#[derive(Debug, Error)]
pub enum ImportError {
    #[error("could not read {path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path} is larger than a list of events can be ({bytes} bytes): is it the right file?")]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error("{path} is no table of events: {problem}")]
    Table { path: PathBuf, problem: String },
    #[error("{path} is no XDF file that can be read: {problem}")]
    Xdf { path: PathBuf, problem: String },
    #[error("{0} holds no event: nothing was imported")]
    Empty(PathBuf),
}

/// The events of a file, by time. XDF is known by its first bytes, everything else is a table.
pub fn read_events(path: &Path, columns: &Columns) -> Result<Vec<ForeignEvent>, ImportError> {
    let unreadable = |source| ImportError::Unreadable { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MOST_BYTES {
        return Err(ImportError::TooLarge { path: path.to_owned(), bytes });
    }
    let content = std::fs::read(path).map_err(unreadable)?;
    let mut events = if content.starts_with(xdf::MAGIC) {
        xdf::read(&content).map_err(|problem| ImportError::Xdf { path: path.to_owned(), problem })?
    } else {
        table::read(&content, columns).map_err(|problem| ImportError::Table { path: path.to_owned(), problem })?
    };
    if events.is_empty() {
        return Err(ImportError::Empty(path.to_owned()));
    }
    events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    Ok(events)
}
