//! Conditions of participants: proposed by the study's random order, stored in `participants.tsv`. This list is the only
//! one, for the window, the command line and the server.

use std::fs::File;
use std::io::{Read, Write};

use chrono::Utc;
use rusqlite::Connection;

use super::participants::{self, PARTICIPANTS_FILE, ParticipantTable, UNKNOWN};
use super::session_condition::{SessionCondition, assigned_column, condition_column};
use super::{Library, StoreError};
use session::{AssignmentSettings, ConditionTable, ParticipantId, Study};

/// A random number, from which the orders of studies without a seed follow.
const SECRET_FILE: &str = ".assignment.secret";

impl Library {
    /// The conditions of a study, and who has which one.
    pub fn condition_table(&self, study: &Study) -> Result<ConditionTable, StoreError> {
        if study.conditions.is_empty() {
            return Ok(ConditionTable::default());
        }
        let list = ParticipantTable::read(&self.root().join(PARTICIPANTS_FILE))?;
        let taken = list.map_or_else(|| Ok(Vec::new()), |list| list.column(&condition_column(&study.name)))?;
        Ok(ConditionTable { conditions: study.conditions.clone(), assignment: self.order_of(study)?, taken })
    }

    /// Gives a participant the proposed condition, or the one that the operator chose, and stores it in `participants.tsv`.
    /// A participant who came before keeps the condition.
    pub fn assign_condition(
        &self,
        study: &Study,
        participant: &ParticipantId,
        chosen: Option<&str>,
    ) -> Result<Option<SessionCondition>, StoreError> {
        let _lock = self.lock_folders()?;
        let Some(condition) = self.choose_condition(study, participant, chosen)? else { return Ok(None) };
        let (list, today) = (self.root().join(PARTICIPANTS_FILE), Utc::now().date_naive());
        participants::enter(&list, participant, today, &condition.cells(&study.name))?;
        Ok(Some(condition))
    }

    /// The condition that [`Self::assign_condition`] would give. Stores nothing, so that a pilot takes no place in the order.
    pub fn choose_condition(
        &self,
        study: &Study,
        participant: &ParticipantId,
        chosen: Option<&str>,
    ) -> Result<Option<SessionCondition>, StoreError> {
        let table = self.condition_table(study)?;
        let kept = table.kept(participant);
        let assigned = match kept {
            Some(_) => {
                participants::value(&self.root().join(PARTICIPANTS_FILE), participant, &assigned_column(&study.name))?
            }
            None => table.proposed(participant).map(str::to_owned),
        };
        let Some(name) = chosen.or(kept).or(assigned.as_deref()) else { return Ok(None) };
        if !study.conditions.iter().any(|c| c.name == name) {
            return Err(unknown(study, name));
        }
        Ok(Some(SessionCondition { name: name.to_owned(), assigned }))
    }

    /// Lists a participant with the condition that another book states, for example the ledger of a server. A condition that
    /// the study does not have is left out.
    pub fn keep_condition(
        &self,
        study: &Study,
        participant: &ParticipantId,
        condition: &SessionCondition,
    ) -> Result<(), StoreError> {
        if study.conditions.iter().all(|c| c.name != condition.name) {
            return Ok(());
        }
        let _lock = self.lock_folders()?;
        self.list_participant(participant, Utc::now())?;
        self.note_condition(participant, &study.name, condition).map(drop)
    }

    /// Enters the condition of a listed participant who has none in this study. Returns the other one that the participant
    /// has. The caller holds the lock of [`Library::lock_folders`].
    pub(super) fn note_condition(
        &self,
        participant: &ParticipantId,
        study: &str,
        condition: &SessionCondition,
    ) -> Result<Option<String>, StoreError> {
        let list = self.root().join(PARTICIPANTS_FILE);
        match participants::value(&list, participant, &condition_column(study))? {
            Some(known) => Ok(Some(known).filter(|known| *known != condition.name)),
            None => participants::set(&list, participant, &condition.cells(study)).map(|()| None),
        }
    }

    /// Empties the cells of a participant without a session of the study, so that the place in the order is free again. A
    /// condition that the laboratory wrote stays. The caller holds the lock of [`Library::lock_folders`].
    pub(super) fn free_condition(&self, participant: &ParticipantId, study: &str) -> Result<(), StoreError> {
        let list = self.root().join(PARTICIPANTS_FILE);
        let is_drawn = participants::value(&list, participant, &assigned_column(study))?.is_some();
        if !is_drawn || self.has_session_of(participant, study)? {
            return Ok(());
        }
        let empty = SessionCondition { name: UNKNOWN.to_owned(), assigned: Some(UNKNOWN.to_owned()) };
        participants::set(&list, participant, &empty.cells(study))
    }

    fn has_session_of(&self, participant: &ParticipantId, study: &str) -> Result<bool, StoreError> {
        let sessions = self.numbered_folders(&self.root().join(participant.as_str()))?;
        Ok(sessions.iter().any(|(_, name)| name.study.as_deref() == Some(study)))
    }

    /// The study's settings, with a seed. Without a secret, all laboratories would have the same order.
    fn order_of(&self, study: &Study) -> Result<AssignmentSettings, StoreError> {
        match study.assignment.seed {
            0 => Ok(study.assignment.seeded(self.order_secret()?, &study.name)),
            _ => Ok(study.assignment.clone()),
        }
    }

    /// Makes the secret if there is none. Two programs may ask at the same time, so the file is locked.
    fn order_secret(&self) -> Result<u64, StoreError> {
        let path = self.root().join(SECRET_FILE);
        if let Some(secret) = std::fs::read_to_string(&path).ok().and_then(|text| secret_of(&text)) {
            return Ok(secret);
        }
        let open = File::options().create(true).truncate(false).read(true).write(true).open(&path);
        let mut file = open.map_err(StoreError::io("open", &path))?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(StoreError::io("read", &path))?;
        if !text.is_empty() {
            return secret_of(&text).ok_or(StoreError::OrderSecret(path));
        }
        // SQLite's generator gets its seed from the system.
        let random = |conn: Connection| conn.query_row("SELECT random()", [], |r| r.get::<_, i64>(0));
        let secret = Connection::open_in_memory().and_then(random).map_err(StoreError::sql("write", &path))? as u64;
        let written = file.write_all(format!("{secret:016x}\n").as_bytes()).and_then(|()| file.sync_all());
        written.map_err(StoreError::io("write", &path))?;
        Ok(secret)
    }
}

fn secret_of(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_suffix('\n')?, 16).ok()
}

fn unknown(study: &Study, name: &str) -> StoreError {
    StoreError::UnknownCondition {
        study: study.name.clone(),
        name: name.to_owned(),
        known: study.conditions.iter().map(|c| c.name.clone()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study() -> Study {
        Study::parse("name = \"calm\"\ntitle = \"Calm\"\n[[conditions]]\nname = \"a\"\n[[conditions]]\nname = \"b\"\n[assignment]\nseed = 3\nblock_repeats = 1\n").unwrap()
    }

    fn id(n: u32) -> ParticipantId {
        ParticipantId::numbered(n)
    }

    #[test]
    fn conditions_are_balanced_kept_and_stored() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let study = study();
        let given: Vec<String> =
            (1..=6).map(|n| library.assign_condition(&study, &id(n), None).unwrap().unwrap().name).collect();
        assert_eq!(given.iter().filter(|c| *c == "a").count(), 3, "{given:?}");
        assert_eq!(library.condition_table(&study).unwrap().proposed(&id(2)), Some(given[1].as_str()));
        let table = std::fs::read_to_string(dir.path().join(PARTICIPANTS_FILE)).unwrap();
        let head = "participant_id\tadded\tcondition_calm\tcondition_calm_assigned\nsub-01\t";
        assert!(table.starts_with(head), "{table}");
        assert_eq!(table.lines().filter(|l| l.ends_with("\ta\ta")).count(), 3, "{table}");

        // Two by hand in the same condition: the other one follows.
        let by_hand = |n| library.assign_condition(&study, &id(n), Some("a")).unwrap().unwrap();
        by_hand(7);
        let second = by_hand(8);
        assert_eq!((second.name.as_str(), second.assigned.as_deref()), ("a", Some("b")));
        for n in [9, 10] {
            assert_eq!(library.assign_condition(&study, &id(n), None).unwrap().unwrap().name, "b");
        }
        let e = library.assign_condition(&study, &id(11), Some("c")).unwrap_err();
        assert!(e.to_string().contains("choose a or b"), "{e}");
        assert!(!std::fs::read_to_string(dir.path().join(PARTICIPANTS_FILE)).unwrap().contains("sub-11"));
    }

    #[test]
    fn a_pilot_takes_no_place_in_the_order() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let study = study();
        let pilot = library.choose_condition(&study, &id(1), None).unwrap().unwrap();
        assert!(!dir.path().join(PARTICIPANTS_FILE).exists());
        assert_eq!(library.assign_condition(&study, &id(2), None).unwrap(), Some(pilot));
    }

    #[test]
    fn an_erased_participants_place_is_filled_again() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let study = study();
        let first = library.assign_condition(&study, &id(1), None).unwrap().unwrap().name;
        library.assign_condition(&study, &id(2), None).unwrap();
        library.erase_participant(&id(1)).unwrap();
        assert_eq!(library.condition_table(&study).unwrap().proposed(&id(3)), Some(first.as_str()));
    }

    #[test]
    fn a_study_without_conditions_assigns_none() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let study = Study::parse("name = \"x\"\ntitle = \"X\"\n").unwrap();
        assert_eq!(library.assign_condition(&study, &id(1), None).unwrap(), None);
        assert!(library.assign_condition(&study, &id(1), Some("a")).is_err());
        assert!(!dir.path().join(PARTICIPANTS_FILE).exists());
    }

    #[test]
    fn what_the_order_proposed_is_kept_also_for_later_sessions() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let study = study();
        let proposed = library.condition_table(&study).unwrap().proposed(&id(1)).unwrap().to_owned();
        let other = if proposed == "a" { "b" } else { "a" };
        let by_hand = library.assign_condition(&study, &id(1), Some(other)).unwrap().unwrap();
        assert_eq!(by_hand, SessionCondition { name: other.into(), assigned: Some(proposed) });
        assert_eq!(library.assign_condition(&study, &id(1), None).unwrap(), Some(by_hand.clone()));
        assert_eq!(library.choose_condition(&study, &id(1), None).unwrap(), Some(by_hand));
    }

    #[test]
    fn a_condition_that_was_removed_from_the_study_is_drawn_anew() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let study = study();
        library.assign_condition(&study, &id(1), Some("a")).unwrap();
        let only_b = Study { conditions: study.conditions[1..].to_vec(), ..study };
        let anew = Some(SessionCondition { name: "b".into(), assigned: Some("b".into()) });
        assert_eq!(library.assign_condition(&only_b, &id(1), None).unwrap(), anew);
        assert_eq!(library.assign_condition(&only_b, &id(1), None).unwrap(), anew);
    }

    #[test]
    fn another_book_fills_what_is_empty_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let study = study();
        let condition = |name: &str| SessionCondition { name: name.into(), assigned: Some(name.into()) };
        for (name, kept) in [("gone", None), ("b", Some("b")), ("a", Some("b"))] {
            library.keep_condition(&study, &id(1), &condition(name)).unwrap();
            assert_eq!(library.condition_table(&study).unwrap().kept(&id(1)), kept, "{name}");
        }
    }

    #[test]
    fn a_study_without_a_seed_has_an_order_of_its_own_in_each_library() {
        let open = Study { assignment: AssignmentSettings::default(), ..study() };
        let seed_in = |library: &Library| library.condition_table(&open).unwrap().assignment.seed;
        let libraries = [(), ()].map(|()| tempfile::tempdir().unwrap());
        let [first, second] = libraries.each_ref().map(|dir| seed_in(&Library::open(dir.path()).unwrap()));
        assert!(first != second && first != 0 && second != 0);
        let library = Library::open(libraries[0].path()).unwrap();
        assert_eq!(seed_in(&library), first, "it stays the same");
        assert_eq!(library.condition_table(&study()).unwrap().assignment, study().assignment);
        std::fs::write(libraries[0].path().join(SECRET_FILE), "changed\n").unwrap();
        let e = library.condition_table(&open).unwrap_err().to_string();
        assert!(e.contains(SECRET_FILE) && e.contains("remove the file"), "{e}");
    }

    #[test]
    fn a_visit_that_is_withdrawn_frees_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let library = Library::open(dir.path()).unwrap();
        let study = study();
        let visit = |number| {
            let first = library.assign_condition(&study, &id(1), None).unwrap().unwrap().name;
            (first, library.create_session(&id(1), session::SessionNumber(number), "calm", Utc::now()).unwrap())
        };
        let ((first, folder), (_, again)) = (visit(1), visit(2));
        library.erase_visit(&folder).unwrap();
        assert_eq!(library.condition_table(&study).unwrap().kept(&id(1)), Some(first.as_str()));
        library.erase_visit(&again).unwrap();
        assert_eq!(library.participants().unwrap(), []);
        assert_eq!(library.condition_table(&study).unwrap().proposed(&id(2)), Some(first.as_str()));
    }
}
