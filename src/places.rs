//! Where things lie: recordings and shipped studies. The networks are found by `vision::models_folder`.

use std::path::{Path, PathBuf};

use store::{Library, Recovered, StoreError};

/// The folders the program works with, found once.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Recordings.
    pub sessions: PathBuf,
    /// Shipped studies, each a folder with a `study.toml`.
    pub studies: PathBuf,
}

impl Places {
    /// `sessions` as asked, else `$AFFECTOGRAPH_SESSIONS`, else `sessions` in the current folder.
    /// Shipped folders lie beside the executable, in the current folder, or where the program was built.
    pub fn find(sessions: Option<&Path>) -> Places {
        let from_env = || std::env::var_os("AFFECTOGRAPH_SESSIONS").filter(|v| !v.is_empty()).map(PathBuf::from);
        let sessions = sessions.map(Path::to_owned).or_else(from_env).unwrap_or_else(|| PathBuf::from("sessions"));
        Places { sessions, studies: shipped(Path::new("assets/studies")) }
    }

    /// The same from the root on, for whoever shows paths to people that did not type them.
    pub fn absolute(self) -> Places {
        // Fails only where there is no current folder; then what was asked for is all that can be told.
        let sessions = std::path::absolute(&self.sessions).unwrap_or(self.sessions);
        Places { sessions, ..self }
    }

    /// Made where it does not exist.
    pub fn library(&self) -> Result<Library, StoreError> {
        Ok(Library::open(&self.sessions)?.with_studies(&self.studies))
    }
}

/// Closes what a crash left open, and says so: a sentence a session.
pub fn recover_crashed(library: &Library) -> Result<Vec<String>, StoreError> {
    let closed = library.recover_all()?;
    let sentences = closed.into_iter().map(|Recovered { folder, outcome }| match outcome {
        Ok(r) => format!(
            "{} was left open by a crash and has been closed at {} ({} frames adopted from the video, {} without a picture)",
            folder.display(),
            r.end,
            r.frames_adopted,
            r.frames_missing
        ),
        Err(e) => format!("{} was left open by a crash and could not be closed: {e}", folder.display()),
    });
    Ok(sentences.collect())
}

/// How many threads can work at a time.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn shipped(relative: &Path) -> PathBuf {
    let beside_program = std::env::current_exe().ok().and_then(|exe| Some(exe.parent()?.to_owned()));
    let roots = beside_program.into_iter().chain([PathBuf::from("."), PathBuf::from(env!("CARGO_MANIFEST_DIR"))]);
    roots.map(|root| root.join(relative)).find(|path| path.is_dir()).unwrap_or_else(|| relative.to_owned())
}
