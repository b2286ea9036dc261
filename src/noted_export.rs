//! Exports that the library notes, so that erasing a session lists what stays.

use std::path::{Path, PathBuf};

use store::StoreError;

use crate::places::Places;

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

#[cfg(test)]
mod tests {
    use super::*;
    use session::{ParticipantId, SessionNumber};

    #[test]
    fn an_export_is_noted_while_it_is_written_and_not_if_it_failed() {
        let dir = tempfile::tempdir().unwrap();
        let places = Places { sessions: dir.path().join("sessions"), studies: PathBuf::new(), must_exist: false };
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
