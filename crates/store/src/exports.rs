//! The exports that the library knows of: `exports.jsonl`, one line per export outside the session's own folder. An erasure
//! lists them, because it does not remove them. Only the erasure of a participant forgets them.

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::folders::replace_file;
use super::{Library, StoreError};

const EXPORTS_FILE: &str = "exports.jsonl";

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotedExport {
    pub at_utc: DateTime<Utc>,
    /// `csv`, `bids`, `figure` …
    pub format: String,
    /// Absolute.
    pub to: String,
    /// The folders of its sessions in the library: `sub-01/ses-01_20261123T100000Z_demo`.
    pub sessions: Vec<String>,
}

impl NotedExport {
    /// Whether it contains a session of this folder, or of this participant's folder.
    pub fn has(&self, label: &str) -> bool {
        let is_in = |s: &String| s == label || s.strip_prefix(label).is_some_and(|rest| rest.starts_with('/'));
        self.sessions.iter().any(is_in)
    }

    /// Whether something is there now. The export may be on a medium that is not attached, or it was moved or removed.
    pub fn is_reachable(&self) -> bool {
        Path::new(&self.to).exists()
    }
}

impl Library {
    /// Notes an export of these sessions, before its first byte is written. Returns the note, for
    /// [`Library::take_back_export`]. Sessions of other libraries, and exports into a session's own folder, are not noted.
    pub fn note_export(
        &self,
        format: &str,
        to: &Path,
        sessions: &[PathBuf],
    ) -> Result<Option<NotedExport>, StoreError> {
        let root = self.root().canonicalize().map_err(StoreError::io("find", self.root()))?;
        let to = real_path(&std::path::absolute(to).map_err(StoreError::io("find", to))?);
        let mut labels = Vec::new();
        for session in sessions {
            let Ok(session) = session.canonicalize() else { continue };
            if to.starts_with(&session) {
                continue;
            }
            labels.extend(session.strip_prefix(&root).ok().map(|label| label.to_string_lossy().into_owned()));
        }
        if labels.is_empty() {
            return Ok(None);
        }
        let (format, to) = (format.to_owned(), to.to_string_lossy().into_owned());
        let noted = NotedExport { at_utc: Utc::now(), format, to, sessions: labels };
        let _lock = self.lock_folders()?;
        let path = self.exports_file();
        let append = || {
            let mut file = std::fs::File::options().create(true).append(true).open(&path)?;
            writeln!(file, "{}", serde_json::to_string(&noted)?)?;
            file.sync_all()
        };
        append().map_err(StoreError::io("write", &path))?;
        Ok(Some(noted))
    }

    /// Removes the note of an export that wrote nothing.
    pub fn take_back_export(&self, noted: &NotedExport) -> Result<(), StoreError> {
        let _lock = self.lock_folders()?;
        let is_it = |e: &NotedExport| (e.at_utc, &e.format, &e.to) == (noted.at_utc, &noted.format, &noted.to);
        self.change_exports(|export| (!is_it(&export)).then_some(export))
    }

    /// All noted exports, oldest first. Also those that are not reachable now.
    pub fn exports(&self) -> Result<Vec<NotedExport>, StoreError> {
        Ok(self.noted()?.into_iter().filter_map(Result::ok).collect())
    }

    /// Removes sessions from the notes. A note without a session is removed. The caller holds the lock of
    /// [`Library::lock_folders`].
    pub(super) fn forget_exports(&self, is_erased: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        self.change_exports(|mut export| {
            export.sessions.retain(|label| !is_erased(label));
            (!export.sessions.is_empty()).then_some(export)
        })
    }

    /// Follows a session to its new folder. The caller holds the lock of [`Library::lock_folders`].
    pub(super) fn rename_in_exports(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.change_exports(|mut export| {
            export.sessions.iter_mut().filter(|label| *label == from).for_each(|label| to.clone_into(label));
            Some(export)
        })
    }

    /// `None` removes a note. The file is written only if a note changes, because a full disk may have no space for it.
    fn change_exports(&self, change: impl Fn(NotedExport) -> Option<NotedExport>) -> Result<(), StoreError> {
        let path = self.exports_file();
        let mut is_changed = false;
        let mut text = String::new();
        for noted in self.noted()? {
            let line = match noted {
                Ok(noted) => {
                    let changed = change(noted.clone());
                    is_changed |= changed.as_ref() != Some(&noted);
                    let Some(changed) = changed else { continue };
                    serde_json::to_string(&changed).map_err(|e| StoreError::io("write", &path)(e.into()))?
                }
                Err(line) => line,
            };
            text += &line;
            text.push('\n');
        }
        if is_changed { replace_file(&path, text.as_bytes()) } else { Ok(()) }
    }

    /// The lines of the file. A line that is not a note is returned as it is, and stays in the file.
    fn noted(&self) -> Result<Vec<Result<NotedExport, String>>, StoreError> {
        let path = self.exports_file();
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(StoreError::io("read", &path)(e)),
        };
        Ok(text.lines().map(|line| serde_json::from_str(line).map_err(|_| line.to_owned())).collect())
    }

    fn exports_file(&self) -> PathBuf {
        self.root().join(EXPORTS_FILE)
    }
}

/// Without links, also if the end of the path does not exist yet.
fn real_path(path: &Path) -> PathBuf {
    let existing = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    let Some((above, real)) = existing else { return path.to_owned() };
    path.strip_prefix(above).map_or_else(|_| path.to_owned(), |rest| real.join(rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use session::{ParticipantId, SessionNumber};

    #[test]
    fn an_export_is_noted_before_it_is_written_and_a_failed_one_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(&dir.path().join("sessions")).unwrap();
        let one = library.create_session(&ParticipantId::numbered(1), SessionNumber(1), "demo", Utc::now()).unwrap();
        let to = dir.path().join("not there yet/export");
        let noted = library.note_export("csv", &to, std::slice::from_ref(&one)).unwrap().unwrap();
        let second = library.note_export("bids", &to, std::slice::from_ref(&one)).unwrap().unwrap();
        assert_eq!(library.exports().unwrap(), [noted.clone(), second.clone()]);
        // The session is erased while the export runs.
        library.erase(&one).unwrap();
        assert_eq!(library.exports().unwrap().len(), 2);
        library.take_back_export(&noted).unwrap();
        assert_eq!(library.exports().unwrap(), [second]);
        // An export into the session's own folder, which does not exist yet, is erased with it.
        let own = library.create_session(&ParticipantId::numbered(1), SessionNumber(2), "demo", Utc::now()).unwrap();
        assert_eq!(library.note_export("figure", &own.join("export/a.png"), std::slice::from_ref(&own)).unwrap(), None);
    }
}
