//! The folders of a library and their names.

use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, NaiveDateTime, Utc};

use super::StoreError;
use session::SessionNumber;

pub(super) const TIME_FORMAT: &str = "%Y%m%dT%H%M%SZ";
/// Begins the name of a session's folder while the session is being made from a file.
pub(super) const DRAFT: &str = ".draft_";

/// Begins the name of a folder that is being erased.
pub(super) const ERASING: &str = ".erasing-";

/// The parts of a name such as `ses-01_20261123T100000Z_demo`.
#[derive(Debug)]
pub(super) struct FolderName {
    pub session: Option<SessionNumber>,
    pub started: Option<DateTime<Utc>>,
    pub study: Option<String>,
}

impl FolderName {
    pub(super) fn parse(name: &str) -> FolderName {
        let mut parts = name.splitn(3, '_');
        let session = parts.next().filter(|p| p.starts_with("ses-")).and_then(|p| p.parse().ok());
        let started = parts.next().and_then(|p| NaiveDateTime::parse_from_str(p, TIME_FORMAT).ok());
        FolderName { session, started: started.map(|t| t.and_utc()), study: parts.next().map(str::to_owned) }
    }
}

/// After a power cut, the entries of the folder are as they are now.
pub(super) fn force_to_disk(folder: &Path) -> Result<(), StoreError> {
    // Windows does not open folders. Its file systems order renames themselves.
    if cfg!(unix) {
        std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(StoreError::io("force to the disk", folder))?;
    }
    Ok(())
}

/// The file that [`replace_file`] writes first. It exists only after a kill.
pub(super) fn draft_of(path: &Path) -> PathBuf {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    draft.into()
}

/// Replaces the file atomically: after a power cut, the old or the new file exists.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let draft = draft_of(path);
    let written = std::fs::File::create(&draft).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| std::fs::rename(&draft, path));
    replaced.map_err(|e| {
        // The first error is reported. A draft that stays is overwritten by the next one.
        std::fs::remove_file(&draft).ok();
        StoreError::io("write", path)(e)
    })
}

/// Path and name of each subfolder. Empty if the folder does not exist.
pub(super) fn subfolders(folder: &Path) -> Result<Vec<(PathBuf, String)>, StoreError> {
    let failed = |e| StoreError::io("read the folder", folder)(e);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(e) => return Err(failed(e)),
    };
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(failed)?;
        if let Ok(name) = entry.file_name().into_string()
            && entry.path().is_dir()
        {
            folders.push((entry.path(), name));
        }
    }
    folders.sort();
    Ok(folders)
}

/// The first link: the folder itself, or an entry in it at any depth.
pub(super) fn first_link(folder: &Path) -> Result<Option<PathBuf>, StoreError> {
    let failed = || StoreError::io("read the folder", folder);
    let kind = folder.symlink_metadata().map_err(failed())?.file_type();
    if kind.is_symlink() {
        return Ok(Some(folder.to_owned()));
    }
    if !kind.is_dir() {
        return Ok(None);
    }
    for entry in std::fs::read_dir(folder).map_err(failed())? {
        if let Some(link) = first_link(&entry.map_err(failed())?.path())? {
            return Ok(Some(link));
        }
    }
    Ok(None)
}
