//! The errors of exports.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use session::{ParticipantId, SessionNumber};
use store::StoreError;
use study_query::LeftOut;

/// The reasons why an export fails.
#[derive(Debug, Error)]
pub enum ExportError {
    #[error("could not {op} `{}`: {source}. No partial files were left. Existing files are unchanged", path.display())]
    File { op: &'static str, path: PathBuf, source: io::Error },
    #[error("`{}` exists already and is not empty: choose a new folder", .0.display())]
    NotEmpty(PathBuf),
    #[error("the export was stopped: no files were left")]
    Cancelled,
    #[error("this build has no export as {0}: build affectograph with the feature `{0}`")]
    NotBuilt(&'static str),
    #[error("the figure cannot be drawn: the session has no samples of the stream `affect`")]
    NothingToDraw,
    #[error("the average cannot be drawn: no epoch was kept")]
    NoAverage,
    #[error("could not draw the figure `{}`: {reason}", path.display())]
    Draw { path: PathBuf, reason: String },
    #[error("there is no session to export{}", because(.0))]
    NothingSelected(Vec<LeftOut>),
    #[error(
        "{first} and {second} are both {participant} {session} of the study `{study}`: export them one by one, because one file cannot contain both",
        first = .0.display(), second = .1.display(), participant = .2, session = .3, study = .4
    )]
    Twice(PathBuf, PathBuf, ParticipantId, SessionNumber, String),
    #[error(
        "the stream `{stream}` of {} has a length of {seconds:.0} s with {samples} samples: the file is damaged, `affectograph verify` shows where",
        folder.display()
    )]
    Implausible { stream: String, folder: PathBuf, seconds: f64, samples: usize },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The reasons why sessions were left out, each after a semicolon.
fn because(left_out: &[LeftOut]) -> String {
    let mut text = String::new();
    for one in left_out {
        text.push_str("; ");
        text.push_str(&one.why);
    }
    text
}

/// The error of a failed operation `op` on the file or folder `path`.
pub(super) fn file_error(op: &'static str, path: &Path, source: io::Error) -> ExportError {
    ExportError::File { op, path: path.to_owned(), source }
}
