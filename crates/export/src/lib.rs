//! Exports tables, figures, datasets and reports. Everything is written to a temporary name and then renamed. A full disk
//! thus leaves no partial files.
//!
//! All files for other programs are written here. `session` and `analysis` define the meaning of the values.

mod atomic_write;
mod bids;
mod cells;
mod csv_tables;
mod deleted;
mod epoch_tables;
mod figure;
mod markup;
#[cfg(feature = "parquet")]
mod parquet;
mod report;
mod resample;
mod selection;
mod tidy;
mod xdf;

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use session::{ParticipantId, SessionNumber};
use store::StoreError;
use study_query::LeftOut;

pub use bids::write_bids;
pub use csv_tables::{write_csv, write_csv_sessions};
pub use epoch_tables::write_epochs;
pub use figure::{
    ConditionCurves, FigureFormat, PlaneCounts, write_average_figure, write_figure, write_group_figure,
    write_plane_figure,
};
#[cfg(feature = "parquet")]
pub use parquet::write_parquet;
pub use report::{Asked, write_report};
pub use selection::{ExportedSession, Selected, Selection};
pub use tidy::write_tidy;
pub use xdf::write_xdf;

use atomic_write::file_error;

#[derive(Debug, Error)]
pub enum ExportError {
    #[error("could not {op} `{}`: {source}. No partial files were left. Existing files are unchanged", path.display())]
    File { op: &'static str, path: PathBuf, source: io::Error },
    #[error("`{}` exists already and is not empty: choose a new folder", .0.display())]
    NotEmpty(PathBuf),
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

fn because(left_out: &[LeftOut]) -> String {
    let mut text = String::new();
    for one in left_out {
        text.push_str("; ");
        text.push_str(&one.why);
    }
    text
}
