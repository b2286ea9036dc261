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
    /// the current folder if that exists, also as a link to a disk that is not mounted, otherwise in the user's data folder. Shipped folders are beside the executable, in
    /// the current folder, or where the program was built.
    pub fn find(sessions: Option<&Path>) -> Places {
        let named = sessions.map(Path::to_owned).or_else(|| variable("AFFECTOGRAPH_SESSIONS"));
        let sessions = named.unwrap_or_else(|| default_sessions(Path::new(""), user_data_folder()));
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

    fn missing(&self) -> Option<&'static str> {
        if self.must_exist && !(self.sessions.is_absolute() && self.sessions.is_dir()) {
            return Some(
                "the folder is not there. Connect its disk, or choose another folder in the preferences and start the \
                 program again",
            );
        }
        let is_broken_link = self.sessions.is_symlink() && !self.sessions.exists();
        is_broken_link.then_some("it is a link to a folder that is not there. Connect its disk, or remove the link")
    }

    /// Opens the library. Creates its folder if it does not exist, unless it must exist.
    pub fn library(&self) -> Result<Library, StoreError> {
        if let Some(why) = self.missing() {
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

/// A program that is started from a menu has an arbitrary current folder. Recordings must not be spread over such folders.
fn default_sessions(current: &Path, user_data: Option<PathBuf>) -> PathBuf {
    let here = current.join("sessions");
    // A link counts, also if its disk is not mounted: then opening fails. Otherwise recordings would be on another disk.
    let is_there = here.symlink_metadata().is_ok_and(|entry| !entry.is_file());
    if is_there { here } else { user_data.map_or(here, |folder| folder.join("affectograph").join("sessions")) }
}

/// The system's folder for data of this user. It is not a folder that services copy to other computers, as documents may be.
/// `None` if the system names none.
fn user_data_folder() -> Option<PathBuf> {
    let home = std::env::home_dir().filter(|home| home.is_absolute());
    if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library/Application Support"))
    } else {
        // The specification of XDG says to ignore a path that is not absolute.
        let named = variable("XDG_DATA_HOME").filter(|folder| folder.is_absolute());
        named.or_else(|| home.map(|home| home.join(".local/share")))
    }
}

fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
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
    fn recordings_are_in_the_current_folder_only_if_a_folder_for_them_is_there() {
        let current = tempfile::tempdir().unwrap();
        let data = Some(PathBuf::from("/home/lab/.local/share"));
        let in_data = Path::new("/home/lab/.local/share/affectograph/sessions");
        assert_eq!(default_sessions(current.path(), data.clone()), in_data);
        std::fs::write(current.path().join("sessions"), "a file").unwrap();
        assert_eq!(default_sessions(current.path(), data.clone()), in_data, "a file is no folder");
        assert_eq!(
            default_sessions(current.path(), None),
            current.path().join("sessions"),
            "no folder for data is known"
        );
        std::fs::remove_file(current.path().join("sessions")).unwrap();
        std::fs::create_dir(current.path().join("sessions")).unwrap();
        assert_eq!(default_sessions(current.path(), data), current.path().join("sessions"));
    }

    #[cfg(unix)]
    #[test]
    fn recordings_do_not_go_elsewhere_while_the_disk_of_a_linked_folder_is_missing() {
        let current = tempfile::tempdir().unwrap();
        let data = tempfile::tempdir().unwrap();
        let linked = current.path().join("sessions");
        std::os::unix::fs::symlink(current.path().join("mnt/encrypted"), &linked).unwrap();
        let sessions = default_sessions(current.path(), Some(data.path().to_owned()));
        assert_eq!(sessions, linked);
        let problem = Places::find(Some(&sessions)).library().err().unwrap().to_string();
        assert!(problem.contains(&linked.display().to_string()) && problem.contains("Connect its disk"), "{problem}");
    }

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
