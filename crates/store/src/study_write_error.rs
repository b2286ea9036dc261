//! Why a study could not be written.

use std::path::PathBuf;

use thiserror::Error;

use super::{StoreError, StudyFileError};
use session::StudyError;

pub(super) const MOST_MEDIA: usize = 2000;

#[derive(Debug, Error)]
pub enum StudyWriteError {
    #[error("there is already a study `{0}`: choose another name")]
    Exists(String),
    #[error("there is no study `{0}`")]
    Unknown(String),
    /// Its page may be a folder beside the file, so a copy of the file alone would not work.
    #[error("the study `{0}` comes with the program and cannot be changed here: make a study of your own")]
    Shipped(String),
    #[error("{} is not in this library's folder of studies: copy the study with “New study …” and edit the copy", .0.display())]
    NotOwn(PathBuf),
    #[error(
        "the name of the study `{0}` cannot be changed, because its sessions and participants are found by it: make a copy \
         of the study with the new name"
    )]
    Renamed(String),
    #[error(
        "the study was changed elsewhere since it was read, and nothing was saved: load it again, then repeat your changes"
    )]
    Changed,
    #[error("another study is being made at this moment: try again when it is complete")]
    Making,
    /// The name of a new study, as its message says.
    #[error("{0}")]
    Name(String),
    #[error(transparent)]
    Wrong(#[from] StudyError),
    #[error("the template {} is wrong: {message}", path.display())]
    Template { path: PathBuf, message: String },
    #[error("{} contains no {kind} ({extensions}): choose another folder", folder.display())]
    NoMedia { folder: PathBuf, kind: &'static str, extensions: String },
    #[error("{} contains more than {MOST_MEDIA} {kind}: choose a folder with fewer", folder.display())]
    TooManyMedia { folder: PathBuf, kind: &'static str },
    #[error("the name of {} is not valid Unicode, so a page cannot load it: rename the file, then try again", .0.display())]
    MediaName(PathBuf),
    #[error("{} is a link or a device, which a study is not copied with: replace it by the file itself, then try again", .0.display())]
    NotAFile(PathBuf),
    #[error(transparent)]
    Unreadable(#[from] StudyFileError),
    #[error(transparent)]
    Store(#[from] StoreError),
}
