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
}

impl Places {
    /// The recordings are in `sessions` if it is given, otherwise in `$AFFECTOGRAPH_SESSIONS`, otherwise in `sessions` in
    /// the current folder. Shipped folders are beside the executable, in the current folder, or where the program was
    /// built.
    pub fn find(sessions: Option<&Path>) -> Places {
        let from_env = || std::env::var_os("AFFECTOGRAPH_SESSIONS").filter(|v| !v.is_empty()).map(PathBuf::from);
        let sessions = sessions.map(Path::to_owned).or_else(from_env).unwrap_or_else(|| PathBuf::from("sessions"));
        Places { sessions, studies: shipped(Path::new("assets/studies")) }
    }

    /// The same places with an absolute path of the recordings, for the window, which shows it.
    pub fn absolute(self) -> Places {
        // Fails only if there is no current folder. Then the given path is shown.
        let sessions = std::path::absolute(&self.sessions).unwrap_or(self.sessions);
        Places { sessions, ..self }
    }

    /// Opens the library. Creates its folder if it does not exist.
    pub fn library(&self) -> Result<Library, StoreError> {
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
