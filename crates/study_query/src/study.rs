//! Lists the sessions of a study.

use std::path::PathBuf;

use super::LeftOut;
use store::{Condition, Library, SessionState, StoreError};

/// The folders of a study's sessions, ordered by participant and number, and the sessions that cannot be read at present.
pub fn study_sessions(library: &Library, study: &str) -> Result<(Vec<PathBuf>, Vec<LeftOut>), StoreError> {
    let (mut folders, mut left_out) = (Vec::new(), Vec::new());
    for session in library.sessions()?.into_iter().filter(|s| s.study.as_deref() == Some(study)) {
        match session.condition {
            Condition::Opens(SessionState::Recording) => {
                let why = StoreError::Recording(session.folder.clone()).to_string();
                left_out.push(LeftOut { folder: session.folder, why });
            }
            Condition::Opens(_) => folders.push(session.folder),
            Condition::Damaged(why) => left_out.push(LeftOut { folder: session.folder, why }),
        }
    }
    Ok((folders, left_out))
}
