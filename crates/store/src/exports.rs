//! The exports that the library knows of: `exports.jsonl`, one line per export outside the session's own folder. An erasure
//! lists them, because it does not remove them.

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
}

impl Library {
    /// Notes an export of these sessions. Sessions of other libraries, and exports into a session's own folder, are not
    /// noted.
    pub fn note_export(&self, format: &str, to: &Path, sessions: &[PathBuf]) -> Result<(), StoreError> {
        let root = self.root().canonicalize().map_err(StoreError::io("find", self.root()))?;
        let to = std::path::absolute(to).map_err(StoreError::io("find", to))?;
        let to = to.canonicalize().unwrap_or(to);
        let mut labels = Vec::new();
        for session in sessions {
            let Ok(session) = session.canonicalize() else { continue };
            if to.starts_with(&session) {
                continue;
            }
            labels.extend(session.strip_prefix(&root).ok().map(|label| label.to_string_lossy().into_owned()));
        }
        if labels.is_empty() {
            return Ok(());
        }
        let (format, to) = (format.to_owned(), to.to_string_lossy().into_owned());
        let noted = NotedExport { at_utc: Utc::now(), format, to, sessions: labels };
        let _lock = self.lock_folders()?;
        let path = self.exports_file();
        let failed = |e| StoreError::io("write", &path)(e);
        let mut file = std::fs::File::options().create(true).append(true).open(&path).map_err(failed)?;
        let line = serde_json::to_string(&noted).map_err(std::io::Error::other).map_err(failed)?;
        writeln!(file, "{line}").map_err(failed)
    }

    /// The noted exports that still exist, oldest first.
    pub fn exports(&self) -> Result<Vec<NotedExport>, StoreError> {
        let all = self.noted()?.into_iter().filter_map(Result::ok);
        Ok(all.filter(|e: &NotedExport| Path::new(&e.to).exists()).collect())
    }

    /// Removes sessions from the notes. A note without a session is removed. The caller holds the lock of
    /// [`Library::lock_folders`].
    pub(super) fn forget_exports(&self, is_erased: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        self.change_exports(|label| if is_erased(label) { None } else { Some(label.to_owned()) })
    }

    /// Follows a session to its new folder. The caller holds the lock of [`Library::lock_folders`].
    pub(super) fn rename_in_exports(&self, from: &str, to: &str) -> Result<(), StoreError> {
        self.change_exports(|label| Some(if label == from { to.to_owned() } else { label.to_owned() }))
    }

    fn change_exports(&self, change: impl Fn(&str) -> Option<String>) -> Result<(), StoreError> {
        let before = self.noted()?;
        let mut text = String::new();
        for noted in &before {
            let line = match noted {
                Ok(noted) => {
                    let sessions: Vec<String> = noted.sessions.iter().filter_map(|s| change(s)).collect();
                    if sessions.is_empty() {
                        continue;
                    }
                    serde_json::to_string(&NotedExport { sessions, ..noted.clone() }).unwrap_or_default()
                }
                Err(line) => line.clone(),
            };
            text += &line;
            text.push('\n');
        }
        let path = self.exports_file();
        if before.is_empty() {
            return Ok(());
        }
        let draft = path.with_extension("jsonl.new");
        let write = || {
            std::fs::write(&draft, &text)?;
            std::fs::rename(&draft, &path)
        };
        write().map_err(StoreError::io("write", &path))
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
