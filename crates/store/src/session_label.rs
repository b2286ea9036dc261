//! The label of a session in lists, addresses and file names: `sub-01_ses-01_20261123T100000Z_demo`. It is the names of the
//! participant's folder and the session's folder.

use std::path::{Path, PathBuf};

use super::folders::FolderName;
use super::{Library, SessionName};
use session::ParticipantId;

const MAX_FOLDER_BYTES: usize = 100;

/// The label of the session in `folder`.
pub fn session_label(folder: &Path) -> String {
    let name = |path: Option<&Path>| path.and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
    format!("{}_{}", name(folder.parent()), name(Some(folder)))
}

/// The participant and the name of the session's folder. `None` if this is no label. Labels come from outside, so only plain
/// names are accepted.
pub fn split_session_label(label: &str) -> Option<(ParticipantId, &str)> {
    let (participant, folder) = label.split_once('_')?;
    let is_plain = folder.starts_with("ses-")
        && folder.len() < MAX_FOLDER_BYTES
        && folder.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c));
    Some((participant.parse().ok().filter(|_| is_plain)?, folder))
}

impl Library {
    /// What a label states about its session, which may have been erased. `None` if this is no label.
    pub fn session_named(&self, label: &str) -> Option<SessionName> {
        let (participant, name) = split_session_label(label)?;
        let FolderName { session, started, study } = FolderName::parse(name);
        let folder = self.root().join(participant.as_str()).join(name);
        Some(SessionName { folder, participant, session, study, started })
    }

    /// The folder of the session with this label. `None` if there is none.
    pub fn session_folder(&self, label: &str) -> Option<PathBuf> {
        self.session_named(label).map(|name| name.folder).filter(|folder| folder.is_dir())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_names_one_folder_inside_the_library() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let folder = dir.path().join("sub-01/ses-01_20261123T100000Z_demo");
        std::fs::create_dir_all(&folder).unwrap();
        let label = session_label(&folder);
        assert_eq!(label, "sub-01_ses-01_20261123T100000Z_demo");
        assert_eq!(library.session_folder(&label), Some(folder));
        for wrong in
            ["", "sub-01", "sub-01_ses-02_x", "sub-01_..", "sub-01_ses-01/../..", "../sub-01_ses-01", "sub-01_."]
        {
            assert_eq!(library.session_folder(wrong), None, "{wrong}");
        }
    }
}
