//! Conditions of participants: proposed by the study's random order, stored in `participants.tsv`.

use chrono::Utc;

use super::participants::{self, PARTICIPANTS_FILE, ParticipantTable};
use super::{Library, StoreError};
use session::{ConditionTable, ParticipantId, Study};

/// The condition of a participant in a study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCondition {
    pub name: String,
    /// What the random order proposed. It differs from the name if the operator chose by hand.
    pub assigned: String,
}

/// The column of `participants.tsv` with the conditions of a study.
pub fn condition_column(study: &str) -> String {
    format!("condition_{study}")
}

impl Library {
    /// The conditions of a study, and who has which one.
    pub fn condition_table(&self, study: &Study) -> Result<ConditionTable, StoreError> {
        let taken = match study.conditions.is_empty() {
            true => Vec::new(),
            false => ParticipantTable::read(&self.root().join(PARTICIPANTS_FILE))?
                .map(|table| table.column(&condition_column(&study.name)))
                .transpose()?
                .unwrap_or_default(),
        };
        Ok(ConditionTable { conditions: study.conditions.clone(), assignment: study.assignment.clone(), taken })
    }

    /// Gives a participant the proposed condition, or the one that the operator chose, and stores it in `participants.tsv`.
    pub fn assign_condition(
        &self,
        study: &Study,
        participant: &ParticipantId,
        chosen: Option<&str>,
    ) -> Result<Option<SessionCondition>, StoreError> {
        let _lock = self.lock_folders()?;
        let Some(condition) = self.choose_condition(study, participant, chosen)? else { return Ok(None) };
        let path = self.root().join(PARTICIPANTS_FILE);
        participants::add(&path, participant, Utc::now().date_naive())?;
        participants::set(&path, participant, &condition_column(&study.name), &condition.name)?;
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
        let Some(assigned) = table.proposed(participant).map(str::to_owned) else {
            return match chosen {
                None => Ok(None),
                Some(name) => Err(unknown(study, name)),
            };
        };
        let name = chosen.unwrap_or(&assigned).to_owned();
        if !study.conditions.iter().any(|c| c.name == name) {
            return Err(unknown(study, &name));
        }
        Ok(Some(SessionCondition { name, assigned }))
    }
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
        Study::parse("name = \"calm\"\ntitle = \"Calm\"\n[[conditions]]\nname = \"a\"\n[[conditions]]\nname = \"b\"\n[assignment]\nseed = 3\n").unwrap()
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
        assert!(table.starts_with("participant_id\tadded\tcondition_calm\nsub-01\t"), "{table}");
        assert_eq!(table.lines().filter(|l| l.ends_with("\ta")).count(), 3, "{table}");

        // Two by hand in the same condition: the other one follows.
        let by_hand = |n| library.assign_condition(&study, &id(n), Some("a")).unwrap().unwrap();
        by_hand(7);
        let second = by_hand(8);
        assert_eq!((second.name.as_str(), second.assigned.as_str()), ("a", "b"));
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
}
