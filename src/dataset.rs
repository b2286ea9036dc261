//! Exports of whole sessions in all formats, for `affectograph export` and the window.

use std::path::{Path, PathBuf};

use export::{ExportError, Selection, write_bids, write_csv_sessions, write_report, write_tidy, write_xdf};
use store::StoreError;

use crate::places::Places;

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

/// Runs `write`, which exports these sessions to `to`. The library notes the export before the first byte is written, and
/// lists it when the sessions are erased. The note of a failed export is taken back. Also returns why the export could not
/// be noted.
pub fn noted<T, E>(
    places: &Places,
    format: &str,
    to: &Path,
    sessions: &[PathBuf],
    write: impl FnOnce() -> Result<T, E>,
) -> Result<(T, Option<String>), E> {
    let note = || -> Result<_, StoreError> {
        // Sessions elsewhere are not sessions of this library. A library is not created only to note an export.
        if !places.sessions.is_dir() {
            return Ok(None);
        }
        let library = places.library()?;
        Ok(library.note_export(format, to, sessions)?.map(|noted| (library, noted)))
    };
    let note = note();
    let written = write();
    if let (Err(_), Ok(Some((library, noted)))) = (&written, &note)
        && let Err(e) = library.take_back_export(noted)
    {
        tracing::warn!("the note of a failed export stays in the library: {e}");
    }
    let problem = note.err().map(|e| format!("The export was written, but the library could not note it: {e}"));
    Ok((written?, problem))
}

pub fn folders(selection: &Selection) -> Vec<PathBuf> {
    selection.sessions().iter().map(|s| s.folder.clone()).collect()
}

/// `participants.tsv` of the library: two folders above the first session.
fn laboratory(selection: &Selection) -> Option<PathBuf> {
    let first = selection.sessions().first()?;
    Some(first.folder.parent()?.parent()?.join("participants.tsv"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{ParticipantId, SessionNumber};

    #[test]
    fn an_export_is_noted_while_it_is_written_and_not_if_it_failed() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places { sessions: dir.path().join("sessions"), studies: PathBuf::new() };
        let library = places.library().unwrap();
        let (who, started) = (ParticipantId::numbered(1), chrono::Utc::now());
        let session = [library.create_session(&who, SessionNumber(1), "demo", started).unwrap()];
        let to = dir.path().join("export");
        let count = || library.exports().unwrap().len();
        let failed = noted(&places, "csv", &to, &session, || -> Result<(), usize> { Err(count()) });
        assert_eq!((failed.unwrap_err(), count()), (1, 0));
        let written = noted(&places, "csv", &to, &session, || Ok::<_, StoreError>(count())).unwrap();
        assert_eq!((written, count()), ((1, None), 1));
    }
}
