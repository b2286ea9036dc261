//! Errors of stored data. Each text is for the user.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use session::{SessionNumber, StreamName, Timestamp};

#[derive(Debug, Error)]
pub enum StoreError {
    #[error("could not {doing} {path}: {source}")]
    Io { doing: &'static str, path: PathBuf, source: io::Error },
    #[error("could not {doing} {path}: {source}")]
    Sql { doing: &'static str, path: PathBuf, source: rusqlite::Error },
    #[error("{0} is not a session: it has no session.sqlite. Choose a session folder")]
    NoSession(PathBuf),
    #[error("{0} is no session file of affectograph: it was not changed")]
    Foreign(PathBuf),
    #[error(
        "{path} was written by a newer affectograph (file version {found}, this program reads up to {known}): update the program"
    )]
    Newer { path: PathBuf, found: u32, known: u32 },
    #[error(
        "{path} is cut off: it has {found} of {expected} bytes. It was not changed. Copy the whole file again from the computer that recorded it"
    )]
    Truncated { path: PathBuf, found: u64, expected: u64 },
    #[error("{path} is damaged ({problem}): `affectograph verify` lists what is still readable")]
    Damaged { path: PathBuf, problem: String },
    #[error("{0} already has a session, and recordings are not overwritten: choose another session number")]
    Exists(PathBuf),
    #[error("{0} is being recorded at this moment: stop the recording first")]
    Recording(PathBuf),
    #[error(
        "another program is adding data to {0}: try again when it has finished (a review with annotations or ratings locks \
         the session until the review is closed)"
    )]
    BeingAddedTo(PathBuf),
    #[error(
        "{0} was left open by a crash: start `affectograph` or `affectograph record`, which closes it, then try again"
    )]
    LeftOpen(PathBuf),
    #[error(
        "the stream `{0}` was recorded live and cannot be changed: records can only be added to streams that were added after the recording"
    )]
    Raw(StreamName),
    #[error("the session already has a stream `{stream}`, made by {software}: it was not changed")]
    StreamTaken { stream: StreamName, software: String },
    #[error("a record at {at} does not fit the description of the stream `{stream}`: nothing was added")]
    DoesNotFit { stream: StreamName, at: Timestamp },
    #[error("the recording of {0} is closed: no more records can be added")]
    Ended(PathBuf),
    #[error("the study `{study}` has no condition `{name}`: choose {}", known.join(" or "))]
    UnknownCondition { study: String, name: String, known: Vec<String> },
    #[error("the session has no stream `{0}`")]
    NoStream(String),
    #[error("frame {number} is not in the video of {path}")]
    NoFrame { number: u64, path: PathBuf },
    #[error(
        "the picture of frame {number} ({at}) in {path} is damaged: its bytes are not those that were stored. Restore the file from a backup"
    )]
    DamagedFrame { number: u64, at: Timestamp, path: PathBuf },
    #[error(
        "the film {0} was moved, renamed or removed: move the film back to see its pictures. Its scores stay readable"
    )]
    FilmGone(PathBuf),
    #[error(
        "the film {path} has changed since the import (bytes {from} to {until}): put the original film back. Its scores stay readable"
    )]
    FilmChanged { path: PathBuf, from: u64, until: u64 },
    #[error(
        "the film {path} has {found} bytes and had {expected} at the import: put the original film back. Its scores stay readable"
    )]
    FilmOtherSize { path: PathBuf, found: u64, expected: u64 },
    #[error("the pictures of {0} are not at the places that FFmpeg reports")]
    FilmPackets(PathBuf),
    #[error(
        "the path {0:?} contains bytes that are not text, so a session cannot refer to it: rename it, or keep the film in the session"
    )]
    FilmPath(PathBuf),
    #[error("frame {number} of {path} is part of a film and no JPEG")]
    FilmFrame { number: u64, path: PathBuf },
    #[error("{path} is no Matroska video that affectograph wrote ({problem}): it was not changed")]
    ForeignVideo { path: PathBuf, problem: &'static str },
    #[error("the JPEG compressor could not be started: {0}")]
    Compressor(String),
    #[error("recording stopped early: {0}")]
    Poisoned(String),
    #[error("the thread `{0}` failed: the session stays open, and the next start of the program recovers it")]
    ThreadDied(&'static str),
    #[error("{0} is not a session in the library {1}: only sessions of this library can be moved or erased")]
    OutsideLibrary(PathBuf, PathBuf),
    #[error(
        "{link} is a link to {target}: erasing would remove the link and leave the data. Nothing was erased. Move the data here, or remove the link and the data yourself"
    )]
    Link { link: PathBuf, target: PathBuf },
    #[error("{taken} has this session number already. The next free number is {next}")]
    NumberTaken { taken: PathBuf, next: SessionNumber },
    #[error("the session is {0} already: nothing was changed")]
    SameAssignment(String),
    #[error("the study in the session {folder} cannot be read, so its network is not known: {why}")]
    StoredStudy { folder: PathBuf, why: String },
    #[error(
        "{0} does not contain the secret of the random orders: remove the file, and the program makes a new one. Participants keep their conditions"
    )]
    OrderSecret(PathBuf),
    #[error("{path}, line {line}: {message}")]
    Participants { path: PathBuf, line: usize, message: String },
}

impl StoreError {
    /// Whether the same operation may succeed later, for example when other files are closed or the disk has room.
    pub fn may_pass(&self) -> bool {
        use rusqlite::ErrorCode;
        match self {
            StoreError::Io { .. } | StoreError::Recording(_) => true,
            StoreError::Sql { source, .. } => matches!(
                source.sqlite_error_code(),
                Some(
                    ErrorCode::CannotOpen
                        | ErrorCode::DatabaseBusy
                        | ErrorCode::DatabaseLocked
                        | ErrorCode::DiskFull
                        | ErrorCode::SystemIoFailure
                )
            ),
            _ => false,
        }
    }

    pub(super) fn io(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> StoreError {
        let path = path.as_ref().to_owned();
        move |source| StoreError::Io { doing, path, source }
    }

    pub(super) fn sql(doing: &'static str, path: impl AsRef<Path>) -> impl FnOnce(rusqlite::Error) -> StoreError {
        let path = path.as_ref().to_owned();
        move |source| StoreError::Sql { doing, path, source }
    }

    /// Whether the file exists but is damaged, so that other parts of it may be readable.
    pub(super) fn is_damage(&self) -> bool {
        match self {
            StoreError::Damaged { .. } | StoreError::Truncated { .. } => true,
            StoreError::Sql { source, .. } => is_damage(source),
            _ => false,
        }
    }

    /// The problem alone, for a list of problems of one session.
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

/// Whether SQLite found invalid data. A missing or renamed table counts, too.
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
