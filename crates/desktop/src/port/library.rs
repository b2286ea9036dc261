//! The library: stored sessions, studies and participants, as the lists show them.

use std::path::PathBuf;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::ExportRow;
use super::TemplateRow;
pub use analysis::Grade;
use session::{ConditionTable, ParticipantId, Seat, SessionNumber};

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// The library's folder. It is shown to the operator.
    pub root: PathBuf,
    /// The folder of this library's own studies.
    pub studies_folder: PathBuf,
    pub studies: Vec<StudyRow>,
    pub templates: Vec<TemplateRow>,
    /// A sentence for each template that cannot be read.
    pub template_problems: Vec<String>,
    /// All known participants, including those without a session.
    pub participants: Vec<ParticipantId>,
    pub sessions: Vec<SessionRow>,
    /// The exports that the library knows of.
    pub exports: Vec<ExportRow>,
}

impl Library {
    pub fn is_taken(&self, participant: &ParticipantId, session: SessionNumber) -> bool {
        self.sessions.iter().any(|s| s.participant.as_ref() == Some(participant) && s.session == Some(session))
    }

    /// The exports that contain a session of the participant, also of sessions that were erased before.
    pub fn exports_of(&self, participant: &ParticipantId) -> impl Iterator<Item = &ExportRow> {
        let folder = self.root.join(participant.as_str());
        self.exports.iter().filter(move |export| export.sessions.iter().any(|s| s.starts_with(&folder)))
    }

    /// The number after the highest one in use. No pseudonym is proposed twice.
    pub fn next_participant(&self) -> ParticipantId {
        let of_sessions = self.sessions.iter().filter_map(|s| s.participant.as_ref());
        let highest = self.participants.iter().chain(of_sessions).filter_map(ParticipantId::number).max();
        ParticipantId::numbered(highest.unwrap_or(0).saturating_add(1))
    }

    /// Whom a new session proposes. A pilot takes no participant's number.
    pub fn proposed_participant(&self, seat: Seat) -> ParticipantId {
        match seat {
            Seat::Participant => self.next_participant(),
            Seat::Pilot => ParticipantId::pilot(),
        }
    }

    /// The number after this participant's highest session number.
    pub fn next_session(&self, participant: &ParticipantId) -> SessionNumber {
        let own = self.sessions.iter().filter(|s| s.participant.as_ref() == Some(participant));
        SessionNumber(own.filter_map(|s| s.session).map(|n| n.0).max().unwrap_or(0).saturating_add(1))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct StudyRow {
    /// The label in `study.toml`, or the folder's name if the file cannot be read.
    pub name: String,
    pub title: String,
    pub description: String,
    pub file: PathBuf,
    pub planned_minutes: f64,
    /// Who sits at the participant's screen, if the study has chosen it.
    pub seat: Option<Seat>,
    /// Why this study cannot be recorded, with line and column in `study.toml`.
    pub problem: Option<String>,
    /// It came with the program and is not changed. A copy can be.
    pub is_shipped: bool,
    pub conditions: ConditionTable,
}

/// One stored session. `None` is what cannot be read from a damaged session.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    /// Identifies the session.
    pub folder: PathBuf,
    pub participant: Option<ParticipantId>,
    pub session: Option<SessionNumber>,
    pub study: String,
    pub started: Option<DateTime<Utc>>,
    pub length: Option<Duration>,
    pub size_bytes: u64,
    pub grade: Option<Grade>,
    /// Recorded by the operator to try the study. Left out of averages unless asked for.
    pub is_pilot: bool,
    pub state: SessionState,
}

impl SessionRow {
    /// `sub-07 ses-02`, or the folder's name if they are unknown.
    pub fn title(&self) -> String {
        match (&self.participant, self.session) {
            (Some(participant), Some(session)) => format!("{participant} {session}"),
            _ => self.folder.file_name().unwrap_or(self.folder.as_os_str()).to_string_lossy().into_owned(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum SessionState {
    /// Closed normally.
    Complete,
    /// Ended by a crash and closed afterwards. It can be opened.
    Recovered(String),
    /// It can be opened, but some pictures are missing. The text names them.
    Incomplete(String),
    /// Being recorded by this program or another one.
    Recording,
    /// It cannot be opened. The text gives the reason and what to do.
    Damaged(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(participant: &str, session: u32) -> SessionRow {
        SessionRow {
            folder: PathBuf::from(format!("{participant}/{session}")),
            participant: participant.parse().ok(),
            session: Some(SessionNumber(session)),
            study: "demo".into(),
            started: None,
            length: None,
            size_bytes: 0,
            grade: None,
            is_pilot: false,
            state: SessionState::Complete,
        }
    }

    #[test]
    fn proposals_follow_the_highest_number_in_use() {
        let mut library = Library::default();
        assert_eq!(library.next_participant().as_str(), "sub-01");
        library.sessions = vec![row("sub-03", 1), row("sub-03", 4), row("sub-pilot", 9)];
        library.participants = vec![ParticipantId::numbered(7)];
        assert_eq!(library.next_participant().as_str(), "sub-08");
        assert_eq!(library.proposed_participant(Seat::Participant).as_str(), "sub-08");
        assert_eq!(library.proposed_participant(Seat::Pilot).as_str(), "sub-pilot");
        assert_eq!(library.next_session(&ParticipantId::numbered(3)), SessionNumber(5));
        assert_eq!(library.next_session(&ParticipantId::numbered(1)), SessionNumber(1));
    }

    #[test]
    fn an_export_of_an_erased_session_is_an_export_of_its_participant() {
        let root = PathBuf::from("/sessions");
        let export = |to: &str, session: &str| ExportRow {
            to: to.into(),
            format: "csv".into(),
            is_reachable: false,
            sessions: vec![root.join(session)],
        };
        let exports = vec![export("/a", "sub-01/ses-01_x_demo"), export("/b", "sub-012/ses-01_x_demo")];
        let library = Library { root: root.clone(), exports, ..Library::default() };
        let of = |n| library.exports_of(&ParticipantId::numbered(n)).map(|e| e.to.clone()).collect::<Vec<_>>();
        assert_eq!((of(1), of(2)), (vec![PathBuf::from("/a")], vec![]));
    }
}

// --- Downloads from a server -----------------------------------------------------------------------------------

#[derive(Clone, Debug, PartialEq)]
pub struct DownloadRequest {
    /// `https://example.org`
    pub server: String,
    /// An API token. It is not stored.
    pub token: String,
    /// `None` is all studies.
    pub study: Option<String>,
}

/// The session being downloaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DownloadProgress {
    pub number: usize,
    pub of: usize,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DownloadResult {
    pub server: String,
    pub fetched: Vec<PathBuf>,
    pub there_already: usize,
    /// One message for each session that was not downloaded.
    pub refused: Vec<String>,
    pub is_cancelled: bool,
}
