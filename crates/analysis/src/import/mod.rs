//! Imports events of other programs to the session clock.
//!
//! A file of any format is read as [`ForeignEvent`]s on the other program's clock. [`shared_markers`] finds the events that
//! both recorded. The fitted line converts the other times. The files are untrusted input.

mod event_file;
mod foreign_format;
mod gzip;
mod shared;
mod table;
mod xdf;

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use event_file::{EventFile, FileClock, ForeignEvent, IMPORTED_S, IMPORTED_TIME, UNTIL_NS};
pub use shared::{SharedMarkers, Uneven, shared_markers};
pub use table::{TableOptions, TextEncoding, TimeUnit, parse_encoding, parse_zone};

/// The largest size of an imported file, compressed or not.
const MOST_BYTES: u64 = 1 << 30;

#[derive(Debug, Error)]
pub enum ImportError {
    #[error("could not read {path}: {source}")]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{path} has {bytes} bytes, more than a list of events: check that it is the right file")]
    TooLarge { path: PathBuf, bytes: u64 },
    #[error(
        "{path} was not imported: its decompressed size is more than {MOST_BYTES} bytes. Check that it is the right file"
    )]
    UnpacksTooLarge { path: PathBuf },
    #[error("{path} is not a list of events, but {format}")]
    Foreign { path: PathBuf, format: &'static str },
    #[error("{path} is not a table of events: {problem}")]
    Table { path: PathBuf, problem: String },
    #[error("{path} is no XDF file that can be read: {problem}")]
    Xdf { path: PathBuf, problem: String },
    #[error(
        "{path} is an XDF file, which has times, units and names of its own: leave out --time, --kind, --unit, --rate, \
         --zone and --encoding"
    )]
    OptionsOfTables { path: PathBuf },
    #[error("{0} holds no event: nothing was imported")]
    Empty(PathBuf),
}

/// Reads the events of a file. XDF and gzip are recognised by their first bytes. Any other file is a table.
pub fn read_events(path: &Path, options: &TableOptions) -> Result<EventFile, ImportError> {
    let path_buf = || path.to_owned();
    let unreadable = |source| ImportError::Unreadable { path: path_buf(), source };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MOST_BYTES {
        return Err(ImportError::TooLarge { path: path_buf(), bytes });
    }
    let stored = std::fs::read(path).map_err(unreadable)?;
    let (content, damage) = unpacked(&stored).ok_or_else(|| ImportError::UnpacksTooLarge { path: path_buf() })?;
    if let Some(format) = foreign_format::foreign_format(&content) {
        return Err(ImportError::Foreign { path: path_buf(), format });
    }
    let mut file = if content.starts_with(xdf::MAGIC) {
        // Options that have no effect are refused, so that the user notices.
        if *options != (TableOptions { zero_utc: options.zero_utc, ..TableOptions::default() }) {
            return Err(ImportError::OptionsOfTables { path: path_buf() });
        }
        xdf::read(&content).map_err(|problem| ImportError::Xdf { path: path_buf(), problem })?
    } else {
        // A table does not contain its length. If it is incomplete, the missing part is unknown.
        let whole = damage.as_ref().map_or(Ok(()), |problem| Err(format!("{problem}: fetch it again")));
        whole
            .and_then(|()| table::read(&content, options))
            .map_err(|problem| ImportError::Table { path: path_buf(), problem })?
    };
    if let Some(damage) = damage {
        file.notes.push(damage);
        file.damaged_places += 1;
    }
    if file.events.is_empty() {
        return Err(ImportError::Empty(path_buf()));
    }
    file.events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
    Ok(file)
}

/// The events of an XDF file's content, which may be any bytes: for fuzzing; [`read_events`] reads files.
#[doc(hidden)]
pub fn read_xdf(content: &[u8]) -> Result<EventFile, String> {
    xdf::read(content)
}

/// The decompressed content, with its damage if it is incomplete. `None` if it is too large.
fn unpacked(stored: &[u8]) -> Option<(Cow<'_, [u8]>, Option<String>)> {
    if !gzip::is_gzip(stored) {
        return Some((Cow::Borrowed(stored), None));
    }
    let unpacked = gzip::unpack_gzip(stored, MOST_BYTES)?;
    Some((Cow::Owned(unpacked.bytes), unpacked.damage))
}
