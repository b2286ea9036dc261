//! A session that is about to be recorded: its folder, its participant in the list, and the condition. If the recording
//! cannot start, all of it is taken back.

use std::path::PathBuf;

use chrono::{DateTime, Utc};

use super::library::make_session_folder;
use super::participants::{self, PARTICIPANTS_FILE, UNKNOWN};
use super::place::remove_if_empty;
use super::session_condition::{assigned_column, condition_column};
use super::{Library, SessionCondition, StoreError};
use session::{ParticipantId, SessionNumber, Study};

/// Who is to be recorded.
#[derive(Clone, Debug)]
pub struct SessionStart<'a> {
    pub study: &'a Study,
    pub participant: &'a ParticipantId,
    pub session: SessionNumber,
    /// The condition that the operator chose by hand.
    pub chosen: Option<&'a str>,
    /// A pilot is not listed and takes no place in the order of conditions.
    pub pilot: bool,
    pub at: DateTime<Utc>,
}

#[derive(Clone, Debug)]
pub struct StartedSession {
    pub folder: PathBuf,
    /// `None` if the study has no conditions.
    pub condition: Option<SessionCondition>,
    participant: ParticipantId,
    /// `None` for a pilot.
    before: Option<Before>,
}

/// What the list of participants had before.
#[derive(Clone, Debug)]
struct Before {
    was_listed: bool,
    cells: Vec<(String, String)>,
}

impl Library {
    /// Creates the folder of a new session, lists the participant and assigns the condition, in one step. A used session
    /// number is refused.
    pub fn start_session(&self, start: &SessionStart<'_>) -> Result<StartedSession, StoreError> {
        let SessionStart { study, participant, session, chosen, pilot, at } = *start;
        let _lock = self.lock_folders()?;
        let folder = self.free_folder(participant, session, &study.name, at)?;
        let condition = self.choose_condition(study, participant, chosen)?;
        let before = if pilot { None } else { Some(self.before(participant, &study.name)?) };
        if !pilot {
            let cells = condition.iter().flat_map(|condition| condition.cells(&study.name)).collect::<Vec<_>>();
            participants::enter(&self.root().join(PARTICIPANTS_FILE), participant, at.date_naive(), &cells)?;
        }
        let started = StartedSession { folder, condition, participant: participant.clone(), before };
        if let Err(e) = make_session_folder(&started.folder) {
            self.undo(&started)?;
            return Err(e);
        }
        Ok(started)
    }

    /// Takes back what [`Self::start_session`] has made and written. A folder with content stays, and so does all the rest.
    pub fn take_back(&self, started: &StartedSession) -> Result<(), StoreError> {
        let _lock = self.lock_folders()?;
        match std::fs::remove_dir(&started.folder) {
            Err(e) if e.kind() == std::io::ErrorKind::DirectoryNotEmpty => Ok(()),
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io("remove", &started.folder)(e)),
            _ => self.undo(started),
        }
    }

    fn undo(&self, started: &StartedSession) -> Result<(), StoreError> {
        remove_if_empty(&self.root().join(started.participant.as_str()));
        let Some(before) = &started.before else { return Ok(()) };
        participants::set(&self.root().join(PARTICIPANTS_FILE), &started.participant, &before.cells)?;
        if before.was_listed { Ok(()) } else { self.drop_if_unused(&started.participant).map(drop) }
    }

    fn before(&self, participant: &ParticipantId, study: &str) -> Result<Before, StoreError> {
        let list = self.root().join(PARTICIPANTS_FILE);
        let cell = |column: String| {
            let value = participants::value(&list, participant, &column)?;
            Ok((column, value.unwrap_or_else(|| UNKNOWN.to_owned())))
        };
        let cells = [condition_column(study), assigned_column(study)].into_iter().map(cell);
        let cells = cells.collect::<Result<Vec<_>, StoreError>>()?;
        Ok(Before { was_listed: participants::read(&list)?.contains(participant), cells })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STUDY: &str =
        "name = \"mood\"\ntitle = \"Mood\"\n[[conditions]]\nname = \"a\"\n[[conditions]]\nname = \"b\"\n";

    fn sub(n: u32) -> ParticipantId {
        ParticipantId::numbered(n)
    }

    fn start<'a>(study: &'a Study, participant: &'a ParticipantId, chosen: Option<&'a str>) -> SessionStart<'a> {
        SessionStart { study, participant, session: SessionNumber(1), chosen, pilot: false, at: Utc::now() }
    }

    fn list(library: &Library) -> String {
        std::fs::read_to_string(library.root().join(PARTICIPANTS_FILE)).unwrap()
    }

    #[test]
    fn a_recording_that_cannot_start_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let (study, who) = (Study::parse(STUDY).unwrap(), sub(1));
        let first = library.start_session(&start(&study, &who, None)).unwrap();
        library.take_back(&first).unwrap();
        assert_eq!(library.participants().unwrap(), []);
        assert!(!dir.path().join("sub-01").exists());
        assert_eq!(library.condition_table(&study).unwrap().taken, []);

        // Someone whom the laboratory has listed, with a condition, and for whom another one is chosen.
        std::fs::write(dir.path().join(PARTICIPANTS_FILE), "participant_id\tcondition_mood\nsub-01\ta\n").unwrap();
        let by_hand = library.start_session(&start(&study, &who, Some("b"))).unwrap();
        assert_eq!(by_hand.condition, Some(SessionCondition { name: "b".into(), assigned: None }));
        assert!(list(&library).contains("sub-01\tb"));
        library.take_back(&by_hand).unwrap();
        assert!(list(&library).contains("sub-01\ta"), "{}", list(&library));
    }

    #[test]
    fn a_session_with_content_is_not_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let (study, who) = (Study::parse(STUDY).unwrap(), sub(1));
        let started = library.start_session(&start(&study, &who, None)).unwrap();
        std::fs::write(started.folder.join("session.sqlite"), "data").unwrap();
        library.take_back(&started).unwrap();
        assert!(started.folder.exists() && library.condition_table(&study).unwrap().kept(&who).is_some());
    }

    #[test]
    fn a_used_number_is_refused_before_anything_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let (study, who) = (Study::parse(STUDY).unwrap(), sub(1));
        library.create_session(&who, SessionNumber(1), "other", Utc::now()).unwrap();
        let before = list(&library);
        let refused = library.start_session(&start(&study, &who, None)).unwrap_err();
        assert!(matches!(refused, StoreError::Exists(_)), "{refused}");
        assert_eq!(list(&library), before);
    }

    #[test]
    fn a_pilot_is_not_listed_and_takes_no_pseudonym() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let (study, who) = (Study::parse(STUDY).unwrap(), "sub-pilot".parse().unwrap());
        let pilot = library.start_session(&SessionStart { pilot: true, ..start(&study, &who, None) }).unwrap();
        assert!(pilot.condition.is_some() && pilot.folder.exists() && !dir.path().join(PARTICIPANTS_FILE).exists());
        assert_eq!(library.next_participant().unwrap(), sub(1));
        library.take_back(&pilot).unwrap();
        assert_eq!(library.participants().unwrap(), []);
    }
}
