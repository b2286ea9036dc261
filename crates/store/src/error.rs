//! Everything that can go wrong with stored data, each as a sentence for a person.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use session::{StreamName, Timestamp};

#[derive(Debug, Error)]
pub enum StoreError {
    #[error("could not {doing} {path}: {source}")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("could not {doing} {path}: {source}")]
    Sql { doing: &'static str, path: PathBuf, source: rusqlite::Error },
    #[error("{0} is no session: it holds no session.sqlite")]
    NoSession(PathBuf),
    #[error("{0} is no session file of affectograph: it was left as it is")]
    Foreign(PathBuf),
    #[error(
        "{path} was written by a newer affectograph (file version {found}, this program knows {known}): update the program"
    )]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error(
        "{path} is cut off: {found} of {expected} bytes are there. It was left as it is; fetch the whole file from where it was recorded"
    )]
    Truncated { path: PathBuf, found: u64, expected: u64 },
    #[error("{path} is damaged ({problem}): `affectograph verify` lists what can still be read")]
    Damaged { path: PathBuf, problem: String },
    #[error("{0} holds a session already, and recordings are never overwritten: choose another session number")]
    Exists(PathBuf),
    #[error("{0} is being recorded at this moment: stop the recording first")]
    Recording(PathBuf),
    #[error(
        "another program is adding to {0} at this moment: try again when it is done (a review in the window that annotates \
         or rates holds the session until it is closed)"
    )]
    BeingAddedTo(PathBuf),
    #[error(
        "{0} was left open by a crash: `affectograph` or `affectograph record` closes it at its start, then try again"
    )]
    LeftOpen(PathBuf),
    #[error("the stream `{0}` was recorded live and stays as it is: records can be added to added streams only")]
    Raw(StreamName),
    #[error("the session has a stream `{stream}` already, made by {software}: it was left as it is")]
    StreamTaken { stream: StreamName, software: String },
    #[error("a record at {at} does not fit the description of the stream `{stream}`: nothing was added")]
    DoesNotFit { stream: StreamName, at: Timestamp },
    #[error("{0} has been closed: nothing can be added to it any more")]
    Ended(PathBuf),
    #[error("the session has no stream `{0}`")]
    NoStream(String),
    #[error("frame {number} is not in the video of {path}")]
    NoFrame { number: u64, path: PathBuf },
    #[error(
        "the picture of frame {number} ({at}) in {path} is damaged: it is not what was stored. Fetch the file from a backup"
    )]
    DamagedFrame { number: u64, at: Timestamp, path: PathBuf },
    #[error("{path} is no Matroska video that affectograph wrote ({problem}): it was left as it is")]
    ForeignVideo { path: PathBuf, problem: &'static str },
    #[error("the JPEG compressor could not be started: {0}")]
    Compressor(String),
    #[error("recording stopped early: {0}")]
    Poisoned(String),
    #[error("the thread `{0}` died: the session stays open until it is recovered at the next start")]
    ThreadDied(&'static str),
    #[error("{0} is not inside the folder of sessions {1}: only sessions of this library can be erased")]
    OutsideLibrary(PathBuf, PathBuf),
    #[error("{path}, line {line}: {message}")]
    Participants { path: PathBuf, line: usize, message: String },
}

impl StoreError {
    pub(super) fn io(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.as_ref().to_owned();
        move |source| StoreError::Io { doing, path, source }
    }

    pub(super) fn sql(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(rusqlite::Error) -> StoreError {
        let path = path.as_ref().to_owned();
        move |source| StoreError::Sql { doing, path, source }
    }

    /// Whether the file is there and its bytes are wrong, so that it may be asked what else can be read.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            StoreError::Damaged { .. } | StoreError::Truncated { .. } => true,
            StoreError::Sql { source, .. } => is_damage(source),
            _ => false,
        }
    }

    /// What is wrong, for a list of what is wrong with a session.
    pub(super) fn problem(&self) -> String {
        match self {
            StoreError::Damaged { problem, .. } => problem.clone(),
            StoreError::Sql { source, .. } => source.to_string(),
            other => other.to_string(),
        }
    }

    pub(super) fn damaged(path: impl AsRef<Path>, problem: impl Into<String>) -> StoreError {
        StoreError::Damaged { path: path.as_ref().to_owned(), problem: problem.into() }
    }
}

/// Whether SQLite found bytes that it cannot have written; an empty or renamed table counts, too.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase, Unknown};
    match error {
        rusqlite::Error::SqliteFailure(e, _) => matches!(e.code, DatabaseCorrupt | NotADatabase | Unknown),
        rusqlite::Error::SqlInputError { .. }
        | rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::Utf8Error(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::InvalidColumnName(_)
        | rusqlite::Error::InvalidColumnIndex(_) => true,
        _ => false,
    }
}
