//! Changes of stored sessions that the operator has confirmed: erase, reassign, note.

use std::time::Duration;

use chrono::Utc;

use crate::places::Places;
use desktop::port::{Activity, BackendEvent, Erasure, Reassignment, SessionNote};
use session::{Annotation, annotation_stream, annotations};
use store::{AdditionLock, SessionFile};

pub enum SessionChange {
    Erase(Erasure),
    Reassign(Reassignment),
    Note(SessionNote),
}

/// How long a note waits for another program that adds to the session.
const LONGEST_WAIT: Duration = Duration::from_secs(5);
/// Stored as the author of a note, because the report asks for no name.
const AUTHOR: &str = "operator";

impl SessionChange {
    pub fn activity(&self) -> Activity {
        match self {
            SessionChange::Erase(_) => Activity::Erase,
            SessionChange::Reassign(_) => Activity::Reassign,
            SessionChange::Note(_) => Activity::Note,
        }
    }

    /// An error is a message for the operator.
    pub fn carry_out(&self, places: &Places) -> Result<BackendEvent, String> {
        match self {
            SessionChange::Erase(erasure) => erase(places, erasure),
            SessionChange::Reassign(request) => {
                let library = places.library().map_err(|e| e.to_string())?;
                let Reassignment { folder, participant, session } = request;
                let done = library.reassign(folder, participant, Some(*session)).map_err(|e| e.to_string())?;
                Ok(BackendEvent::Reassigned { sentence: done.sentence(), folder: done.folder })
            }
            SessionChange::Note(note) => add_note(note),
        }
    }
}

/// A session that cannot be erased does not stop the others.
fn erase(places: &Places, erasure: &Erasure) -> Result<BackendEvent, String> {
    let library = places.library().map_err(|e| e.to_string())?;
    match erasure {
        Erasure::Sessions(folders) => {
            let failed: Vec<String> =
                folders.iter().filter_map(|folder| library.erase(folder).err()).map(|e| e.to_string()).collect();
            if !failed.is_empty() {
                return Err(failed.join("\n"));
            }
            let count = if folders.len() == 1 { "1 session".to_owned() } else { format!("{} sessions", folders.len()) };
            Ok(BackendEvent::Notice(format!("{count} erased.")))
        }
        Erasure::Participant(participant) => {
            library.erase_participant(participant).map_err(|e| e.to_string())?;
            Ok(BackendEvent::Notice(format!(
                "{participant} was erased, with all sessions and the row in participants.tsv."
            )))
        }
    }
}

/// The note is an annotation at the end of the session.
fn add_note(note: &SessionNote) -> Result<BackendEvent, String> {
    let store = || -> Result<(), store::StoreError> {
        let lock = AdditionLock::take(&note.folder, LONGEST_WAIT)?;
        let file = SessionFile::open(&note.folder)?;
        let (_, id) = annotations(&file.timeline()?);
        let from = file.summary().map_or(session::Timestamp::ZERO, |summary| summary.end);
        drop(file);
        let (label, author) = (note.text.clone(), AUTHOR.to_owned());
        let annotation = Annotation { id, label, from, until: None, author, made_utc: Utc::now() };
        let mut streams = lock.added_streams()?;
        let stream = annotation_stream();
        let added = streams
            .add_stream(&stream, AUTHOR)
            .and_then(|()| streams.append(stream.name.as_str(), vec![(from, annotation.body())]));
        streams.close()?;
        added.map(drop)
    };
    store().map_err(|e| e.to_string())?;
    Ok(BackendEvent::NoteStored { folder: note.folder.clone() })
}
