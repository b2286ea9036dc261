//! Lists the sessions of a study.

use std::path::PathBuf;

use super::LeftOut;
use store::{Condition, Library, SessionState, StoreError};

/// Whether sessions that the operator recorded to try the study are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pilots {
    LeftOut,
    Included,
}

/// The sessions of a study, ordered by participant and number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StudySessions {
    pub folders: Vec<PathBuf>,
    /// The sessions that cannot be read at present.
    pub left_out: Vec<LeftOut>,
    /// The number of pilots that are left out.
    pub pilots: usize,
}

pub fn study_sessions(library: &Library, study: &str, pilots: Pilots) -> Result<StudySessions, StoreError> {
    let mut found = StudySessions::default();
    for session in library.sessions()?.into_iter().filter(|s| s.study.as_deref() == Some(study)) {
        if session.pilot && pilots == Pilots::LeftOut {
            found.pilots += 1;
            continue;
        }
        match session.condition {
            Condition::Opens(SessionState::Recording) => {
                let why = StoreError::Recording(session.folder.clone()).to_string();
                found.left_out.push(LeftOut { folder: session.folder, why });
            }
            Condition::Opens(_) => found.folders.push(session.folder),
            Condition::Damaged(why) => found.left_out.push(LeftOut { folder: session.folder, why }),
        }
    }
    Ok(found)
}
