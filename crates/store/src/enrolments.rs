//! Who takes part in which study of a server: pseudonym, recruiting link and condition.

use chrono::{DateTime, Utc};
use rusqlite::{OptionalExtension, Row, params};

use super::StoreError;
use super::ledger::{Ledger, Sha256, text};

/// A participant of a study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    pub study: String,
    pub participant: String,
    /// The keyed hash of the identifier in the participant's recruiting link.
    pub link: Option<Sha256>,
    pub condition: Option<String>,
}

/// How many participants of a study are in one condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnrolmentCount {
    pub study: String,
    pub condition: Option<String>,
    pub participants: u64,
}

impl Ledger {
    /// The random key of this name. `make` makes it if there is none yet.
    pub fn secret(&self, name: &str, make: [u8; 32]) -> Result<[u8; 32], StoreError> {
        self.run("write into", |c| {
            c.execute("INSERT OR IGNORE INTO secret (name, value) VALUES (?1, ?2)", params![name, make])?;
            c.query_row("SELECT value FROM secret WHERE name = ?1", [name], |r| r.get(0))
        })
    }

    pub fn enrolment(&self, study: &str, participant: &str) -> Result<Option<Enrolment>, StoreError> {
        self.run("read", |c| {
            let found = "SELECT * FROM enrolment WHERE study = ?1 AND participant = ?2";
            c.query_row(found, params![study, participant], enrolment_of).optional()
        })
    }

    /// The participant who came with a link.
    pub fn enrolment_of_link(&self, study: &str, link: &Sha256) -> Result<Option<Enrolment>, StoreError> {
        self.run("read", |c| {
            let found = "SELECT * FROM enrolment WHERE study = ?1 AND link = ?2";
            c.query_row(found, params![study, link], enrolment_of).optional()
        })
    }

    /// Adds a participant to a study.
    pub fn enrol(&self, enrolment: &Enrolment, now: DateTime<Utc>) -> Result<(), StoreError> {
        let Enrolment { study, participant, link, condition } = enrolment;
        self.run("write into", |c| {
            c.execute(
                "INSERT INTO enrolment (study, participant, link, condition, enrolled_utc) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![study, participant, link, condition, text(now)],
            )
        })?;
        Ok(())
    }

    /// Copies the condition of an enrolled participant from `participants.tsv`, for the counts.
    pub fn set_condition(&self, study: &str, participant: &str, condition: Option<&str>) -> Result<(), StoreError> {
        self.run("write into", |c| {
            c.execute(
                "UPDATE enrolment SET condition = ?3 WHERE study = ?1 AND participant = ?2",
                params![study, participant, condition],
            )
        })?;
        Ok(())
    }

    /// By study, then condition.
    pub fn enrolment_counts(&self) -> Result<Vec<EnrolmentCount>, StoreError> {
        self.run("read", |c| {
            c.prepare_cached(
                "SELECT study, condition, count(*) FROM enrolment GROUP BY study, condition ORDER BY study, condition",
            )?
            .query_map([], |r| {
                let participants = r.get::<_, i64>(2)? as u64;
                Ok(EnrolmentCount { study: r.get(0)?, condition: r.get(1)?, participants })
            })?
            .collect()
        })
    }

    pub fn enrolled(&self, study: &str) -> Result<u64, StoreError> {
        let count = self.run("read", |c| {
            c.query_row("SELECT count(*) FROM enrolment WHERE study = ?1", [study], |r| r.get::<_, i64>(0))
        })?;
        Ok(count as u64)
    }

    /// The owner's note about the session in `folder`, relative to the folder of sessions.
    pub fn session_note(&self, folder: &str) -> Result<Option<String>, StoreError> {
        self.run("read", |c| {
            c.query_row("SELECT text FROM session_note WHERE folder = ?1", [folder], |r| r.get(0)).optional()
        })
    }

    /// An empty note removes the note.
    pub fn set_session_note(&self, folder: &str, note: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
        self.run("write into", |c| match note {
            "" => c.execute("DELETE FROM session_note WHERE folder = ?1", [folder]),
            note => c.execute(
                "INSERT INTO session_note VALUES (?1, ?2, ?3) ON CONFLICT (folder) DO UPDATE SET text = ?2, changed_utc = ?3",
                params![folder, note, text(now)],
            ),
        })?;
        Ok(())
    }
}

fn enrolment_of(row: &Row) -> rusqlite::Result<Enrolment> {
    Ok(Enrolment {
        study: row.get("study")?,
        participant: row.get("participant")?,
        link: row.get("link")?,
        condition: row.get("condition")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_participant_keeps_link_and_condition_until_erased() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path()).unwrap();
        let now = Utc::now();
        assert_eq!(ledger.secret("links", [1; 32]).unwrap(), [1; 32]);
        assert_eq!(ledger.secret("links", [2; 32]).unwrap(), [1; 32], "a key is made once");
        let one = Enrolment {
            study: "demo".into(),
            participant: "sub-w01".into(),
            link: Some([7; 32]),
            condition: Some("calm".into()),
        };
        ledger.enrol(&one, now).unwrap();
        assert_eq!(ledger.enrolment_of_link("demo", &[7; 32]).unwrap().as_ref(), Some(&one));
        assert_eq!(ledger.enrolment_of_link("other", &[7; 32]).unwrap(), None);
        assert_eq!(ledger.enrolment("demo", "sub-w01").unwrap(), Some(one.clone()));
        let twice = Enrolment { participant: "sub-w02".into(), ..one.clone() };
        assert!(ledger.enrol(&twice, now).is_err(), "one link is one participant");
        let second = Enrolment { participant: "sub-w02".into(), link: None, ..one };
        ledger.enrol(&second, now).unwrap();
        assert_eq!(ledger.enrolled("demo").unwrap(), 2);
        let count = |condition: &str, participants| EnrolmentCount {
            study: "demo".into(),
            condition: Some(condition.into()),
            participants,
        };
        assert_eq!(ledger.enrolment_counts().unwrap(), [count("calm", 2)]);
        ledger.set_condition("demo", "sub-w02", Some("loud")).unwrap();
        assert_eq!(ledger.enrolment_counts().unwrap(), [count("calm", 1), count("loud", 1)]);

        ledger.set_session_note("sub-w01/ses-01_x_demo", "slept", now).unwrap();
        ledger.set_session_note("sub-w01/ses-02_x_demo", "late", now).unwrap();
        ledger.forget_session("sub-w01/ses-02_x_demo").unwrap();
        assert_eq!(ledger.session_note("sub-w01/ses-02_x_demo").unwrap(), None);
        assert_eq!(ledger.session_note("sub-w01/ses-01_x_demo").unwrap().as_deref(), Some("slept"));
        ledger.forget_participant("sub-w01").unwrap();
        assert_eq!(ledger.session_note("sub-w01/ses-01_x_demo").unwrap(), None);
        assert_eq!(ledger.enrolment_of_link("demo", &[7; 32]).unwrap(), None);
        assert_eq!(ledger.enrolled("demo").unwrap(), 1);
    }
}
