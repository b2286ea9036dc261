//! Gives a closed session another participant or another number.
//!
//! A file in the session's folder states the change first. Then the new participant is listed, the session file is
//! changed in one transaction, and the folder is renamed. After a kill, the next start of the program finishes a change
//! that the session file contains, and takes back one that it does not.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::{SecondsFormat, Utc};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::erase::{Place, in_use, remove_if_empty};
use super::folders::{FolderName, force_to_disk};
use super::header_rows::{self, Closed};
use super::participants::{self, PARTICIPANTS_FILE};
use super::record_rows::{self, Inserter};
use super::{Addition, Ledger, Library, StoreError, schema};
use session::{Body, HEALTH, HealthKind, ParticipantId, Record, SessionNumber, program};

const INTENT_FILE: &str = "reassign.json";

/// Whom a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    pub participant: ParticipantId,
    pub session: SessionNumber,
}

impl std::fmt::Display for Assignment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.participant, self.session)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reassigned {
    pub folder: PathBuf,
    pub from: Assignment,
    pub to: Assignment,
    /// The old participant has no session left and was removed from `participants.tsv`. The row had no data of the laboratory.
    pub is_participant_removed: bool,
}

/// The stated change.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Intent {
    from: Assignment,
    to: Assignment,
}

impl Library {
    /// Changes the session file, its folder and `participants.tsv`, and stores the change in the session's own log. With
    /// `session` = `None` the participant's next number is used. A used number is refused, and so is a session that is open,
    /// damaged or used by another program. Another `reassign` reverses it.
    pub fn reassign(
        &self,
        folder: &Path,
        participant: &ParticipantId,
        session: Option<SessionNumber>,
    ) -> Result<Reassigned, StoreError> {
        let _lock = self.lock_folders()?;
        self.check_list()?;
        let place = self.place_of(folder)?;
        let lock = in_use(&place.folder)?;
        let intent = match self.intent(&place, participant, session) {
            Ok(intent) => intent,
            Err(e) => {
                lock.remove().ok();
                return Err(e);
            }
        };
        let done = self.carry_out(&place, &intent);
        if done.is_err() && place.folder.exists() {
            // What the session file does not contain yet is taken back.
            self.resume(&place.folder).ok();
        }
        match &done {
            Ok(done) => lock.moved(&done.folder).remove()?,
            Err(_) => drop(lock.remove()),
        }
        done
    }

    /// Checks everything that can be checked before the first change.
    fn intent(
        &self,
        place: &Place,
        participant: &ParticipantId,
        session: Option<SessionNumber>,
    ) -> Result<Intent, StoreError> {
        let conn = schema::open_read(&place.folder)?;
        let (header, closed, _) = header_rows::get_header(&conn, &schema::session_file(&place.folder))?;
        if closed == Closed::Not {
            return Err(StoreError::LeftOpen(place.folder.clone()));
        }
        let session = match session {
            Some(session) => session,
            None => self.next_session(participant)?,
        };
        let from = Assignment { participant: header.participant, session: header.session };
        let to = Assignment { participant: participant.clone(), session };
        if from == to && place.folder == self.target(place, &to) {
            return Err(StoreError::SameAssignment(to.to_string()));
        }
        let taken = self.numbered_folders(&self.root().join(participant.as_str()))?.into_iter();
        let is_other = |path: &Path| path.canonicalize().map_or(true, |path| path != place.folder);
        match taken.filter(|(path, _)| is_other(path)).find(|(_, name)| name.session == Some(session)) {
            Some((taken, _)) => Err(StoreError::NumberTaken { taken, next: self.next_session(participant)? }),
            None => Ok(Intent { from, to }),
        }
    }

    fn carry_out(&self, place: &Place, intent: &Intent) -> Result<Reassigned, StoreError> {
        write_intent(&place.folder, intent)?;
        self.list_participant(&intent.to.participant, Utc::now())?;
        change_session_file(&place.folder, intent)?;
        self.move_and_tidy(place, intent)
    }

    /// What follows the change of the session file.
    fn move_and_tidy(&self, place: &Place, intent: &Intent) -> Result<Reassigned, StoreError> {
        self.list_participant(&intent.to.participant, Utc::now())?;
        let target = self.target(place, &intent.to);
        if target != place.folder {
            let parent = self.root().join(intent.to.participant.as_str());
            std::fs::create_dir_all(&parent).map_err(StoreError::io("create the folder", &parent))?;
            std::fs::rename(&place.folder, &target).map_err(StoreError::io("move", &place.folder))?;
            force_to_disk(&parent)?;
        }
        let label = |path: &Path| {
            let names: Vec<_> = path.iter().rev().take(2).map(|n| n.to_string_lossy()).collect();
            names.into_iter().rev().collect::<Vec<_>>().join("/")
        };
        self.rename_in_exports(&label(&place.folder), &label(&target))?;
        // A visitor of a website may still read or withdraw the session.
        if let Some(ledger) = Ledger::open_existing(self.root())? {
            ledger.session_moved(&label(&place.folder), &label(&target), intent.to.participant.as_str())?;
        }
        let mut is_participant_removed = false;
        for old in [&place.participant, &intent.from.participant] {
            is_participant_removed |= *old != intent.to.participant && self.drop_if_unused(old)?;
        }
        remove_intent(&target)?;
        Ok(Reassigned { folder: target, from: intent.from.clone(), to: intent.to.clone(), is_participant_removed })
    }

    /// Finishes or takes back the changes that a kill interrupted. Returns what could not be finished. The caller holds the
    /// lock of [`Library::lock_folders`].
    pub(super) fn finish_reassigning(&self) -> Vec<StoreError> {
        let folders = match self.folders() {
            Ok(folders) => folders,
            Err(e) => return vec![e],
        };
        let stated = folders.into_iter().filter(|folder| folder.join(INTENT_FILE).exists());
        stated.filter_map(|folder| self.resume_locked(&folder).err()).collect()
    }

    fn resume_locked(&self, folder: &Path) -> Result<(), StoreError> {
        let lock = in_use(folder)?;
        match self.resume(folder) {
            Ok(moved) => lock.moved(&moved).remove(),
            Err(e) => {
                lock.remove().ok();
                Err(e)
            }
        }
    }

    /// Returns where the session is now.
    fn resume(&self, folder: &Path) -> Result<PathBuf, StoreError> {
        let path = folder.join(INTENT_FILE);
        let text = std::fs::read(&path).map_err(StoreError::io("read", &path))?;
        let Ok(intent) = serde_json::from_slice::<Intent>(&text) else {
            // The kill came before the file was complete, and nothing was changed.
            remove_intent(folder)?;
            return Ok(folder.to_owned());
        };
        let now = stored_assignment(folder)?;
        if now == intent.to && now != intent.from {
            return self.move_and_tidy(&self.place_of(folder)?, &intent).map(|done| done.folder);
        }
        if intent.from.participant != intent.to.participant {
            self.drop_if_unused(&intent.to.participant)?;
        }
        remove_intent(folder)?;
        Ok(folder.to_owned())
    }

    /// Removes a participant without a session from the list, if the row has only what this program wrote.
    pub(super) fn drop_if_unused(&self, participant: &ParticipantId) -> Result<bool, StoreError> {
        let (folder, list) = (self.root().join(participant.as_str()), self.root().join(PARTICIPANTS_FILE));
        if folder.exists() && !remove_if_empty(&folder) || participants::has_own_data(&list, participant)? {
            return Ok(false);
        }
        participants::remove(&list, participant)
    }

    /// The folder that a session of this place gets.
    fn target(&self, place: &Place, to: &Assignment) -> PathBuf {
        let rest = place.name.find('_').map_or("", |at| &place.name[at..]);
        debug_assert!(FolderName::parse(&place.name).session.is_some());
        let root = place.folder.ancestors().nth(2).unwrap_or(self.root());
        root.join(to.participant.as_str()).join(format!("{}{rest}", to.session))
    }
}

/// Opens the file for writing: a kill may leave a log that only a writer can finish.
fn stored_assignment(folder: &Path) -> Result<Assignment, StoreError> {
    let path = schema::session_file(folder);
    let conn = schema::open_write(folder)?;
    let (header, ..) = header_rows::get_header(&conn, &path)?;
    header_rows::settle(&conn).map_err(StoreError::sql("close", &path))?;
    conn.close().map_err(|(_, e)| StoreError::sql("close", &path)(e))?;
    Ok(Assignment { participant: header.participant, session: header.session })
}

fn write_intent(folder: &Path, intent: &Intent) -> Result<(), StoreError> {
    let path = folder.join(INTENT_FILE);
    let write = || -> std::io::Result<()> {
        let mut file = File::create(&path)?;
        file.write_all(&serde_json::to_vec(intent)?)?;
        file.sync_all()
    };
    write().map_err(StoreError::io("write", &path))?;
    force_to_disk(folder)
}

fn remove_intent(folder: &Path) -> Result<(), StoreError> {
    let path = folder.join(INTENT_FILE);
    std::fs::remove_file(&path).map_err(StoreError::io("remove", &path))
}

/// Changes the header and stores the change in the log, in one transaction.
fn change_session_file(folder: &Path, intent: &Intent) -> Result<(), StoreError> {
    let path = schema::session_file(folder);
    let mut conn = schema::open_annex(folder)?;
    let streams = header_rows::get_streams(&conn, &path)?;
    let (_, _, summary) = header_rows::get_header(&conn, &path)?;
    let Intent { from, to } = intent;
    let data = json!({
        "from_participant": from.participant, "from_session": from.session,
        "to_participant": to.participant, "to_session": to.session,
        "at_utc": Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true), "software": program(),
    });
    let body = Body::event(HealthKind::Reassigned.as_str(), data);
    let health = streams.iter().position(|s| s.name.as_str() == HEALTH);
    let write = |conn: &mut Connection| -> rusqlite::Result<()> {
        let tx = conn.transaction()?;
        let stream = match health {
            Some(stream) => stream,
            // Files of other programs may have no log.
            None => {
                let info = session::health_stream();
                header_rows::put_stream(&tx, streams.len(), &info)?;
                let addition = Addition { stream: info.name, added: Utc::now(), author: program() };
                header_rows::put_addition(&tx, streams.len(), &addition)?;
                streams.len()
            }
        };
        let seq = record_rows::next_seq(&tx, stream)?;
        let name = Arc::new(session::health_stream().name);
        Inserter::new(&tx)?.record(stream, &Record { stream: name, seq, at: summary.end, body: body.clone() })?;
        header_rows::put_assignment(&tx, &to.participant, to.session)?;
        tx.commit()
    };
    write(&mut conn).map_err(StoreError::sql("write into", &path))?;
    header_rows::settle(&conn).map_err(StoreError::sql("close", &path))?;
    conn.close().map_err(|(_, e)| StoreError::sql("close", &path)(e))
}
