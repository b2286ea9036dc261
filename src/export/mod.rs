//! Files for others: CSV tables and figures. Everything is written beside and then renamed, so that a full disk
//! leaves nothing half-written behind.

mod csv_tables;
mod epoch_tables;
mod figure;

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use csv_tables::{FrameRow, write_csv};
pub use epoch_tables::write_epochs;
pub use figure::{FigureFormat, write_figure};

#[derive(Debug, Error)]
pub enum ExportError {
    #[error("could not {op} `{}`: {source}. What was there before is unchanged", path.display())]
    File { op: &'static str, path: PathBuf, source: io::Error },
    #[error("`{}` exists already and is not empty: choose a new folder", .0.display())]
    NotEmpty(PathBuf),
    #[error("the session holds no samples of the stream `affect`, so there is nothing to draw")]
    NothingToDraw,
    #[error("could not draw the figure `{}`: {reason}", path.display())]
    Draw { path: PathBuf, reason: String },
}

/// A sibling of `path` to write into before it takes `path`'s place.
fn beside(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.part", std::process::id()));
    path.with_file_name(name)
}
