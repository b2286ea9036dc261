//! Gives a closed session another participant or another number.
//!
//! A file in the session's folder states the change first. Then the new participant is listed, the session file is
//! changed in one transaction, the folder is renamed, and the session's condition is entered for its new participant. After a
//! kill, the next start of the program finishes a change
//! that the session file contains, and takes back one that it does not.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use rusqlite::Connection;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::folders::force_to_disk;
use super::header_rows::{self, Closed};
use super::participants::{self, PARTICIPANTS_FILE};
use super::place::{Place, in_use, remove_if_empty};
use super::record_rows::{self, Inserter};
use super::{Addition, Ledger, Library, SessionCondition, SessionHeader, StoreError, schema};
use session::{Body, HEALTH, HealthKind, ParticipantId, SessionNumber, program};

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
    /// `None` if the new participant has the session's condition.
    pub other_condition: Option<OtherCondition>,
}

/// The new participant has another condition than the session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherCondition {
    pub of_session: String,
    pub of_participant: String,
}

impl Reassigned {
    /// What was done, for the user.
    pub fn sentence(&self) -> String {
        let Reassigned { from, to, is_participant_removed, other_condition, .. } = self;
        let removed = if *is_participant_removed {
            format!(" {} has no session left and was removed from participants.tsv.", from.participant)
        } else {
            String::new()
        };
        let condition = other_condition.as_ref().map_or_else(String::new, |other| {
            let OtherCondition { of_session, of_participant } = other;
            let who = &to.participant;
            format!(
                " This session was recorded in the condition {of_session}, but participants.tsv states {of_participant} for \
                 {who}, and later sessions get that one: correct the list if it is wrong."
            )
        });
        format!("{from} is now {to}.{removed}{condition} To go back: reassign it to {from}.")
    }
}

/// The stated change.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Intent {
    from: Assignment,
    to: Assignment,
    /// The new participant had a row in `participants.tsv` already.
    was_listed: bool,
    /// The names of the old folder in the library. After a kill, the folder may have its new name already.
    old_label: String,
    /// The date of the new participant's row.
    started_utc: DateTime<Utc>,
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
                lock.release();
                return Err(e);
            }
        };
        let done = self.carry_out(&place, &intent);
        if done.is_err() && place.folder.exists() {
            // What the session file does not contain yet is taken back. The first error is reported: if this fails, too, the next
            // start tries again.
            self.resume(&place.folder).ok();
        }
        match &done {
            Ok(done) => lock.moved(&done.folder).release(),
            Err(_) => lock.release(),
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
        let listed = participants::read(&self.root().join(PARTICIPANTS_FILE))?;
        if from == to && place.folder == self.target(place, &to) {
            return Err(StoreError::SameAssignment(to.to_string()));
        }
        let taken = self.numbered_folders(&self.root().join(participant.as_str()))?.into_iter();
        let is_other = |path: &Path| path.canonicalize().map_or(true, |path| path != place.folder);
        match taken.filter(|(path, _)| is_other(path)).find(|(_, name)| name.session == Some(session)) {
            Some((taken, _)) => Err(StoreError::NumberTaken { taken, next: self.next_session(participant)? }),
            None => Ok(Intent {
                from,
                to,
                was_listed: listed.contains(participant),
                old_label: place.label(),
                started_utc: header.zero_utc,
            }),
        }
    }

    fn carry_out(&self, place: &Place, intent: &Intent) -> Result<Reassigned, StoreError> {
        write_intent(&place.folder, intent)?;
        self.list_participant(&intent.to.participant, intent.started_utc)?;
        change_session_file(&place.folder, intent)?;
        self.move_and_tidy(place, intent)
    }

    /// What follows the change of the session file.
    fn move_and_tidy(&self, place: &Place, intent: &Intent) -> Result<Reassigned, StoreError> {
        self.list_participant(&intent.to.participant, intent.started_utc)?;
        let target = self.target(place, &intent.to);
        if target != place.folder {
            let parent = self.root().join(intent.to.participant.as_str());
            std::fs::create_dir_all(&parent).map_err(StoreError::io("create the folder", &parent))?;
            std::fs::rename(&place.folder, &target).map_err(StoreError::io("move", &place.folder))?;
            force_to_disk(&parent)?;
        }
        let (from, to) = (&intent.old_label, self.label_of(&target)?);
        self.rename_in_exports(from, &to)?;
        // A visitor of a website may still read or withdraw the session.
        if let Some(ledger) = Ledger::open_existing(self.root())? {
            ledger.session_moved(from, &to, intent.to.participant.as_str())?;
        }
        let header = header_of(&target)?;
        let other_condition = self.move_condition(&header, &intent.to.participant)?;
        let mut is_participant_removed = false;
        let of_folder = from.split('/').next().and_then(|name| name.parse::<ParticipantId>().ok());
        for old in of_folder.iter().chain([&intent.from.participant]) {
            if *old != intent.to.participant {
                self.free_condition(old, &header.study.name)?;
                is_participant_removed |= self.drop_if_unused(old)?;
            }
        }
        remove_intent(&target)?;
        let (from, to) = (intent.from.clone(), intent.to.clone());
        Ok(Reassigned { folder: target, from, to, is_participant_removed, other_condition })
    }

    /// Enters the session's condition for its new participant, who may have another one.
    fn move_condition(&self, header: &SessionHeader, to: &ParticipantId) -> Result<Option<OtherCondition>, StoreError> {
        let Some(condition) = SessionCondition::of(header) else { return Ok(None) };
        let of_participant = self.note_condition(to, &header.study.name, &condition)?;
        Ok(of_participant.map(|of_participant| OtherCondition { of_session: condition.name, of_participant }))
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
            Ok(moved) => {
                lock.moved(&moved).release();
                Ok(())
            }
            Err(e) => {
                lock.release();
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
        if intent.from.participant != intent.to.participant && !intent.was_listed {
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
        let root = place.folder.ancestors().nth(2).unwrap_or(self.root());
        root.join(to.participant.as_str()).join(format!("{}{}", to.session, place.after_number()))
    }
}

fn header_of(folder: &Path) -> Result<SessionHeader, StoreError> {
    let (header, ..) = header_rows::get_header(&schema::open_read(folder)?, &schema::session_file(folder))?;
    Ok(header)
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
    let Intent { from, to, .. } = intent;
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
        let name = session::health_stream().name;
        record_rows::append(&tx, &mut Inserter::new(&tx)?, (stream, &name), summary.end, body.clone())?;
        header_rows::put_assignment(&tx, &to.participant, to.session)?;
        tx.commit()
    };
    write(&mut conn).map_err(StoreError::sql("write into", &path))?;
    header_rows::settle(&conn).map_err(StoreError::sql("close", &path))?;
    conn.close().map_err(|(_, e)| StoreError::sql("close", &path)(e))
}

#[cfg(test)]
mod tests {
    use crossbeam_channel::bounded;
    use session::Study;

    use super::*;
    use crate::{Recorder, SessionEnd, StoredStudy};

    const STUDY: &str = "name = \"demo\"\ntitle = \"Demo\"\n[page]\naddress = \"page\"\n";

    fn sub(n: u32) -> ParticipantId {
        ParticipantId::numbered(n)
    }

    /// A closed session of `sub-01`, recorded on 2026-11-23.
    fn library() -> (tempfile::TempDir, Library, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let folder = record(&library, &sub(1), STUDY, None);
        (dir, library, folder)
    }

    /// A closed session, recorded on 2026-11-23.
    fn record(library: &Library, who: &ParticipantId, toml: &str, condition: Option<SessionCondition>) -> PathBuf {
        let zero_utc = "2026-11-23T10:00:00.000Z".parse().unwrap();
        let (study, session) = (Study::parse(toml).unwrap(), library.next_session(who).unwrap());
        let folder = library.create_session(who, session, &study.name, zero_utc).unwrap();
        let header = SessionHeader {
            condition: condition.as_ref().map(|c| c.name.clone()),
            condition_assigned: condition.and_then(|c| c.assigned),
            ..SessionHeader::plain(who.clone(), session, StoredStudy::new(&study, toml), zero_utc)
        };
        let recorder = Recorder::create(&folder, header, vec![session::health_stream()], bounded(0).0).unwrap();
        recorder.finish(SessionEnd { at: session::Timestamp::ZERO, quality: None }).unwrap();
        folder
    }

    fn list(library: &Library) -> String {
        std::fs::read_to_string(library.root().join(PARTICIPANTS_FILE)).unwrap()
    }

    #[test]
    fn a_change_that_is_taken_back_leaves_a_row_that_the_laboratory_wrote() {
        let (_dir, library, folder) = library();
        let before = "participant_id\tadded\nsub-01\t2026-11-23\nsub-07\tn/a\n";
        std::fs::write(library.root().join(PARTICIPANTS_FILE), before).unwrap();
        // Killed before the session file was changed.
        for participant in [7, 8] {
            let intent = library.intent(&library.place_of(&folder).unwrap(), &sub(participant), None).unwrap();
            write_intent(&folder, &intent).unwrap();
            library.list_participant(&sub(participant), Utc::now()).unwrap();
            assert!(library.finish_interrupted().unwrap().is_empty());
            assert_eq!(list(&library), before, "sub-0{participant}");
        }
    }

    #[test]
    fn a_change_killed_after_the_folder_was_renamed_reaches_the_exports() {
        let (dir, library, folder) = library();
        library.note_export("csv", &dir.path().join("export"), std::slice::from_ref(&folder)).unwrap();
        let ledger = Ledger::open(library.root()).unwrap();
        let (from, note) = (library.label_of(&folder).unwrap(), "slept");
        ledger.set_session_note(&from, note, Utc::now()).unwrap();
        let place = library.place_of(&folder).unwrap();
        let intent = library.intent(&place, &sub(2), None).unwrap();
        write_intent(&folder, &intent).unwrap();
        change_session_file(&folder, &intent).unwrap();
        let target = library.target(&place, &intent.to);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::rename(&folder, &target).unwrap();
        assert!(library.finish_interrupted().unwrap().is_empty());
        let to = library.label_of(&target).unwrap();
        assert_eq!(library.exports().unwrap()[0].sessions, std::slice::from_ref(&to));
        assert_eq!(ledger.session_note(&to).unwrap().as_deref(), Some(note));
        assert_eq!(ledger.session_note(&from).unwrap(), None);
        assert_eq!(library.participants().unwrap(), [sub(2)]);
    }

    #[test]
    fn a_change_and_its_reversal_leave_the_list_as_it_was() {
        let (_dir, library, folder) = library();
        let before = list(&library);
        let there = library.reassign(&folder, &sub(2), None).unwrap();
        assert_eq!(list(&library), before.replace("sub-01", "sub-02"));
        assert_eq!(library.reassign(&there.folder, &sub(1), None).unwrap().folder, folder);
        assert_eq!(list(&library), before);
    }

    const GROUPS: &str = "name = \"mood\"\ntitle = \"Mood\"\n[[conditions]]\nname = \"a\"\n[[conditions]]\nname = \"b\"\n\
                          [assignment]\nseed = 3\n";

    /// A session in which the participant gets a condition.
    fn assigned(library: &Library, who: u32, chosen: Option<&str>) -> (PathBuf, SessionCondition) {
        let study = Study::parse(GROUPS).unwrap();
        let given = library.assign_condition(&study, &sub(who), chosen).unwrap().unwrap();
        (record(library, &sub(who), GROUPS, Some(given.clone())), given)
    }

    fn condition_of(library: &Library, who: u32) -> Option<String> {
        let table = library.condition_table(&Study::parse(GROUPS).unwrap()).unwrap();
        table.kept(&sub(who)).map(str::to_owned)
    }

    #[test]
    fn a_condition_goes_to_the_right_participant_and_the_wrong_one_keeps_no_place() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let (folder, given) = assigned(&library, 12, None);
        let next = |library: &Library| {
            let table = library.condition_table(&Study::parse(GROUPS).unwrap()).unwrap();
            table.proposed(&sub(30)).unwrap().to_owned()
        };
        let proposed = next(&library);
        let done = library.reassign(&folder, &sub(21), None).unwrap();
        assert!(done.is_participant_removed && done.other_condition.is_none(), "{done:?}");
        assert!(!list(&library).contains("sub-12"), "{}", list(&library));
        assert_eq!(condition_of(&library, 21), Some(given.name.clone()));
        assert_eq!(next(&library), proposed);
        // The second session of the right participant is assigned as the first one.
        let (_, again) = assigned(&library, 21, None);
        assert_eq!(again, given);
    }

    #[test]
    fn a_participant_with_another_session_of_the_study_keeps_the_condition() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let (_, given) = assigned(&library, 1, Some("a"));
        let (second, _) = assigned(&library, 1, None);
        assigned(&library, 2, Some("b"));
        let done = library.reassign(&second, &sub(2), None).unwrap();
        assert_eq!((condition_of(&library, 1), condition_of(&library, 2)), (Some(given.name), Some("b".into())));
        let other = OtherCondition { of_session: "a".into(), of_participant: "b".into() };
        assert_eq!(done.other_condition, Some(other));
        assert!(done.sentence().contains("states b for sub-02"), "{}", done.sentence());
    }

    #[test]
    fn a_condition_that_the_laboratory_wrote_stays() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        std::fs::write(library.root().join(PARTICIPANTS_FILE), "participant_id\tcondition_mood\nsub-01\tb\n").unwrap();
        let (folder, given) = assigned(&library, 1, None);
        assert_eq!(given, SessionCondition { name: "b".into(), assigned: None });
        let done = library.reassign(&folder, &sub(2), None).unwrap();
        assert!(!done.is_participant_removed);
        assert_eq!((condition_of(&library, 1), condition_of(&library, 2)), (Some("b".into()), Some("b".into())));
    }

    #[test]
    fn a_session_from_elsewhere_brings_its_condition() {
        let dirs = [(), ()].map(|()| tempfile::tempdir().unwrap());
        let [server, here] = dirs.each_ref().map(|dir| Library::open(dir.path()).unwrap());
        let ((first, given), (second, _)) = (assigned(&server, 1, Some("b")), assigned(&server, 2, Some("b")));
        let name = |folder: &Path| folder.file_name().unwrap().to_str().unwrap().to_owned();
        here.adopt(&first, &sub(1), &name(&first)).unwrap();
        assert_eq!(condition_of(&here, 1), Some(given.name.clone()));
        let kept = here.choose_condition(&Study::parse(GROUPS).unwrap(), &sub(1), None).unwrap();
        assert_eq!(kept, Some(given));
        here.assign_condition(&Study::parse(GROUPS).unwrap(), &sub(2), Some("a")).unwrap();
        here.adopt(&second, &sub(2), &name(&second)).unwrap();
        assert_eq!(condition_of(&here, 2), Some("a".into()), "what the list states is not changed");
    }

    #[test]
    fn a_change_killed_before_the_condition_was_entered_enters_it() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let (folder, given) = assigned(&library, 1, None);
        let place = library.place_of(&folder).unwrap();
        let intent = library.intent(&place, &sub(2), None).unwrap();
        write_intent(&folder, &intent).unwrap();
        change_session_file(&folder, &intent).unwrap();
        assert!(library.finish_interrupted().unwrap().is_empty());
        assert_eq!((condition_of(&library, 1), condition_of(&library, 2)), (None, Some(given.name)));
        assert_eq!(library.participants().unwrap(), [sub(2)]);
    }
}
