//! The formats of an export of whole sessions.

use std::path::{Path, PathBuf};

use super::{ExportError, Selection, write_bids, write_csv_sessions, write_report, write_tidy, write_xdf};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DatasetFormat {
    Csv,
    Tidy,
    Bids,
    Xdf,
    Parquet,
    /// Without averages around events.
    Report,
}

impl DatasetFormat {
    pub fn as_str(self) -> &'static str {
        match self {
            DatasetFormat::Csv => "csv",
            DatasetFormat::Tidy => "tidy",
            DatasetFormat::Bids => "bids",
            DatasetFormat::Xdf => "xdf",
            DatasetFormat::Parquet => "parquet",
            DatasetFormat::Report => "report",
        }
    }

    /// Whether this program was built with the format.
    pub fn is_built(self) -> bool {
        self != DatasetFormat::Parquet || cfg!(feature = "parquet")
    }
}

/// Writes the selection into the new folder `to`. `progress` gets the label of each session.
pub fn write_dataset(
    selection: &Selection,
    format: DatasetFormat,
    to: &Path,
    progress: impl FnMut(&str),
) -> Result<(), ExportError> {
    match format {
        DatasetFormat::Csv => write_csv_sessions(selection, to, progress),
        DatasetFormat::Tidy => write_tidy(selection, to, progress),
        DatasetFormat::Bids => write_bids(selection, participants_file(selection).as_deref(), to, progress),
        DatasetFormat::Xdf => write_xdf(selection, to, progress),
        DatasetFormat::Report => write_report(selection, None, to, progress),
        #[cfg(feature = "parquet")]
        DatasetFormat::Parquet => super::write_parquet(selection, to, progress),
        #[cfg(not(feature = "parquet"))]
        DatasetFormat::Parquet => Err(ExportError::NotBuilt("parquet")),
    }
}

/// `participants.tsv` of the library: two folders above the first session.
fn participants_file(selection: &Selection) -> Option<PathBuf> {
    let first = selection.sessions().first()?;
    Some(first.folder.parent()?.parent()?.join("participants.tsv"))
}
