//! The folders that the program uses: recordings and shipped studies. `vision::models_folder` finds the networks.

use std::path::{Path, PathBuf};

use store::{Condition, Library, Recovered, SessionEntry, SessionState, StoreError};
use study_query::StoredSession;

/// The folders that the program uses.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Recordings.
    pub sessions: PathBuf,
    /// Shipped studies, one folder each, with a `study.toml`.
    pub studies: PathBuf,
    /// The folder of recordings is one of the preferences. It is never created: its disk may not be mounted, and then the
    /// recordings would be on the wrong disk.
    pub must_exist: bool,
}

impl Places {
    /// The recordings are in `sessions` if it is given, otherwise in `$AFFECTOGRAPH_SESSIONS`, otherwise in `sessions` in
    /// the current folder. Shipped folders are beside the executable, in the current folder, or where the program was
    /// built.
    pub fn find(sessions: Option<&Path>) -> Places {
        let from_env = || std::env::var_os("AFFECTOGRAPH_SESSIONS").filter(|v| !v.is_empty()).map(PathBuf::from);
        let sessions = sessions.map(Path::to_owned).or_else(from_env).unwrap_or_else(|| PathBuf::from("sessions"));
        Places { sessions, studies: shipped(Path::new("assets/studies")), must_exist: false }
    }

    /// The same places with an absolute path of the recordings, for the window, which shows it.
    pub fn absolute(self) -> Places {
        // Fails only if there is no current folder. Then the given path is shown.
        let sessions = std::path::absolute(&self.sessions).unwrap_or(self.sessions);
        Places { sessions, ..self }
    }

    /// The same places with a folder of recordings from the preferences.
    pub fn preferred(self, sessions: PathBuf) -> Places {
        Places { sessions, must_exist: true, ..self }
    }

    /// Opens the library. Creates its folder if it does not exist, unless it must exist.
    pub fn library(&self) -> Result<Library, StoreError> {
        if self.must_exist && !(self.sessions.is_absolute() && self.sessions.is_dir()) {
            let why = "the folder is not there. Connect its disk, or choose another folder in the preferences and start the \
                       program again";
            return Err(StoreError::Io {
                doing: "open the recordings in",
                path: self.sessions.clone(),
                source: std::io::Error::new(std::io::ErrorKind::NotFound, why),
            });
        }
        Ok(Library::open(&self.sessions)?.with_studies(&self.studies))
    }
}

/// Completes erasures and reassignments that a kill interrupted. Returns one message for each that could not be completed.
pub fn finish_interrupted(library: &Library) -> Result<Vec<String>, StoreError> {
    let problems = library.finish_interrupted()?.into_iter();
    Ok(problems.map(|e| format!("An interrupted erasure or reassignment could not be completed: {e}")).collect())
}

/// Completes what a kill interrupted, and closes and grades the sessions that a crash left open. Returns one message per
/// session that was closed, and per problem.
pub fn recover_crashed(library: &Library) -> Result<Vec<String>, StoreError> {
    let mut messages = finish_interrupted(library)?;
    let sessions = library.sessions()?;
    let mut ungraded: Vec<PathBuf> = sessions.iter().filter(|s| is_ungraded(s)).map(|s| s.folder.clone()).collect();
    for Recovered { folder, outcome } in library.recover_all(&sessions)? {
        let shown = folder.display();
        match outcome {
            Ok(r) => {
                messages.push(format!(
                    "{shown} was left open by a crash and has been closed at {} ({} frames adopted from the video, {} without a picture)",
                    r.end, r.frames_adopted, r.frames_missing
                ));
                ungraded.push(folder);
            }
            Err(e) => messages.push(format!("{shown} was left open by a crash and could not be closed: {e}")),
        }
    }
    let problems = ungraded.iter().filter_map(|folder| {
        let problem = StoredSession::open_and_store_quality(folder).err()?;
        Some(format!("{} was closed after a crash and could not be graded: {problem}", folder.display()))
    });
    messages.extend(problems);
    Ok(messages)
}

/// Closed after a crash, without a quality report.
fn is_ungraded(session: &SessionEntry) -> bool {
    session.condition == Condition::Opens(SessionState::Recovered)
        && session.summary.as_ref().is_some_and(|summary| summary.quality.is_none())
}

fn shipped(relative: &Path) -> PathBuf {
    let beside_program = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    let roots = beside_program.into_iter().chain([PathBuf::from("."), PathBuf::from(env!("CARGO_MANIFEST_DIR"))]);
    roots.map(|root| root.join(relative)).find(|path| path.is_dir()).unwrap_or_else(|| relative.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preferred_folder_is_never_created() {
        let disk = tempfile::tempdir().unwrap();
        let folder = disk.path().join("recordings");
        let places = Places::find(None).preferred(folder.clone());
        let problem = places.library().err().unwrap().to_string();
        assert!(problem.contains("recordings") && problem.contains("Connect its disk"), "{problem}");
        assert!(!folder.exists());
        std::fs::create_dir(&folder).unwrap();
        assert!(places.library().is_ok(), "the disk is there now");
        assert!(Places::find(None).preferred("src".into()).library().is_err(), "not a whole path");
        assert!(Places::find(Some(&disk.path().join("given"))).library().is_ok(), "a given folder is created");
    }
}
