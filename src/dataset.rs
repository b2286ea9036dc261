//! Exports of whole sessions in all formats, for `affectograph export` and the window.

use std::path::{Path, PathBuf};

use export::{ExportError, Selection, write_bids, write_csv_sessions, write_report, write_tidy, write_xdf};
use store::{Library, StoreError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Csv,
    Tidy,
    Bids,
    Xdf,
    Parquet,
    /// Without averages around events.
    Report,
}

impl Format {
    pub fn as_str(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::Tidy => "tidy",
            Format::Bids => "bids",
            Format::Xdf => "xdf",
            Format::Parquet => "parquet",
            Format::Report => "report",
        }
    }
}

/// Writes the selection into the new folder `to`. `progress` gets the label of each session.
pub fn write(selection: &Selection, format: Format, to: &Path, progress: impl FnMut(&str)) -> Result<(), ExportError> {
    match format {
        Format::Csv => write_csv_sessions(selection, to, progress),
        Format::Tidy => write_tidy(selection, to, progress).map(drop),
        Format::Bids => write_bids(selection, laboratory(selection).as_deref(), to, progress).map(drop),
        Format::Xdf => write_xdf(selection, to, progress).map(drop),
        Format::Report => write_report(selection, None, to, progress).map(drop),
        #[cfg(feature = "parquet")]
        Format::Parquet => export::write_parquet(selection, to, progress).map(drop),
        #[cfg(not(feature = "parquet"))]
        Format::Parquet => Err(ExportError::NotBuilt("parquet")),
    }
}

/// Notes the export in the library, which lists it when its sessions are erased.
pub fn note(library: &Library, selection: &Selection, format: &str, to: &Path) -> Result<(), StoreError> {
    let folders: Vec<PathBuf> = selection.sessions().iter().map(|s| s.folder.clone()).collect();
    library.note_export(format, to, &folders)
}

/// `participants.tsv` of the library: two folders above the first session.
fn laboratory(selection: &Selection) -> Option<PathBuf> {
    let first = selection.sessions().first()?;
    Some(first.folder.parent()?.parent()?.join("participants.tsv"))
}
