//! Drafts of long work on sessions, and the work in progress.

use std::path::{Path, PathBuf};

use session::{ParticipantId, SessionNumber, participant_in_file_name, path_text};

use super::port::{DatasetFormat, FilmImport, JobProgress, Library, Reassignment, SessionRow, SessionsExport};

/// The job in progress. Its draft is shown again if it fails.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    pub draft: JobDraft,
    pub progress: JobProgress,
    pub is_cancelled: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub enum JobDraft {
    Export(SessionsExportDraft),
    Import(ImportDraft),
}

impl JobDraft {
    pub fn title(&self) -> &'static str {
        match self {
            JobDraft::Export(_) => "Export",
            JobDraft::Import(_) => "Import of video files",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SessionsExportDraft {
    pub sessions: Vec<PathBuf>,
    /// The sessions in words.
    pub names: String,
    pub format: DatasetFormat,
    pub to: String,
    /// Whether the folder exists.
    pub exists: bool,
    /// Why the last attempt failed.
    pub problem: Option<String>,
}

impl SessionsExportDraft {
    /// Checks whether the path exists.
    pub fn checked(self) -> Self {
        SessionsExportDraft { exists: is_taken(&self.to), ..self }
    }

    /// The path is given and free.
    pub fn is_ready(&self) -> bool {
        !self.to.trim().is_empty() && !self.exists && !self.sessions.is_empty()
    }

    /// `None` while the path is missing or taken.
    pub fn request(&self) -> Option<SessionsExport> {
        let (sessions, format, to) = (self.sessions.clone(), self.format, self.to.trim().into());
        self.is_ready().then_some(SessionsExport { sessions, format, to })
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportDraft {
    pub films: Vec<PathBuf>,
    /// The name of the study. Empty: no study.
    pub study: String,
    pub participant: String,
    pub problem: Option<String>,
}

impl ImportDraft {
    /// The error is a message for the operator.
    pub fn request(&self) -> Result<FilmImport, String> {
        if self.films.is_empty() {
            return Err("Choose video files.".to_owned());
        }
        let study = Some(self.study.clone()).filter(|name| !name.is_empty());
        let participant = match self.participant.trim() {
            "" => None,
            text => Some(text.parse::<ParticipantId>()?),
        };
        let nameless = self.films.iter().find(|film| participant.is_none() && named_participant(film).is_none());
        match nameless {
            Some(film) => Err(format!(
                "The name of {} does not begin with a participant, as in sub-01_talk.mp4. Type the participant.",
                film.file_name().unwrap_or_default().to_string_lossy()
            )),
            None => Ok(FilmImport { films: self.films.clone(), study, participant }),
        }
    }
}

/// The participant in the file's name, as the import reads it.
fn named_participant(film: &Path) -> Option<ParticipantId> {
    participant_in_file_name(&path_text(Path::new(film.file_name()?))).0
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReassignDraft {
    pub row: SessionRow,
    /// Exports are in the session's own folder.
    pub has_export: bool,
    pub participant: String,
    pub session: String,
}

impl ReassignDraft {
    /// The error is a message for the operator.
    pub fn request(&self, library: Option<&Library>) -> Result<Reassignment, String> {
        let participant = self.participant.trim().parse::<ParticipantId>()?;
        let session = self.session.trim().parse::<SessionNumber>()?;
        if self.row.participant.as_ref() == Some(&participant) && self.row.session == Some(session) {
            return Err("Type another participant or another number.".to_owned());
        }
        if let Some(library) = library
            && library.is_taken(&participant, session)
        {
            return Err(taken(library, &participant, session));
        }
        Ok(Reassignment { folder: self.row.folder.clone(), participant, session })
    }
}

/// The message for a session number in use. It proposes the next one.
pub fn taken(library: &Library, participant: &ParticipantId, session: SessionNumber) -> String {
    format!("{participant} {session} exists already. The next free number is {}.", library.next_session(participant))
}

/// Something has this path already.
pub(super) fn is_taken(path: &str) -> bool {
    !path.trim().is_empty() && Path::new(path.trim()).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_needs_a_participant_for_each_film() {
        let mut draft = ImportDraft::default();
        assert!(draft.request().unwrap_err().contains("Choose"));
        draft.films = vec!["/films/sub-07_talk.mp4".into(), "/films/talk.mp4".into()];
        assert!(draft.request().unwrap_err().contains("talk.mp4"));
        draft.participant = "Anna".into();
        assert!(draft.request().is_err());
        draft.participant = " sub-03 ".into();
        let request = draft.request().unwrap();
        assert_eq!((request.study, request.participant.unwrap().as_str()), (None, "sub-03"));
        draft.films.pop();
        draft.participant.clear();
        assert_eq!(draft.request().unwrap().participant, None);
    }
}
