//! Reads the epochs of many sessions, one session at a time on each core. Memory contains the epochs, never whole sessions.
//!
//! It uses `store` and `analysis`. The window, the command line and the exports use it.

mod ask;
mod catalogue;
mod events;
mod findings;
mod grade;
mod session;
mod stored_session;
mod study;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use ask::{Cancel, ask};
pub use catalogue::{Catalogue, CountedKind, Found};
pub use events::read_events;
pub use findings::{ConditionFindings, Findings, TestSettings};
pub use grade::{listed_grade, session_quality};
pub use session::session_epochs;
pub use stored_session::{StoredSession, session_folder};
pub use study::{Pilots, StudySessions, study_sessions};

use analysis::{AnalysisError, EpochPlan, EventChoice, SessionEpochs, SignalId};
use store::{ModelDescription, StoreError};

/// One or more event choices, and how their epochs are cut.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    pub conditions: Vec<EventChoice>,
    pub plan: EpochPlan,
}

/// The epochs of one session.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionAnswer {
    pub folder: PathBuf,
    pub study: String,
    /// The recording program and its networks, for the methods text.
    pub software: String,
    pub models: Vec<ModelDescription>,
    /// In the order of the question's conditions.
    pub conditions: Vec<SessionEpochs>,
}

/// A session that could not be read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    pub folder: PathBuf,
    pub why: String,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    pub question: Question,
    /// In the order of the given folders.
    pub sessions: Vec<SessionAnswer>,
    pub left_out: Vec<LeftOut>,
}

impl Answer {
    /// The epochs of one condition of the question, of all sessions.
    pub fn condition(&self, number: usize) -> Vec<&SessionEpochs> {
        self.sessions.iter().filter_map(|s| s.conditions.get(number)).collect()
    }

    /// The sessions that have no such stream or field. All of their events are dropped.
    pub fn sessions_without(&self, signal: &SignalId) -> impl Iterator<Item = &SessionEpochs> {
        self.sessions.iter().filter_map(|s| s.conditions.first()).filter(|cut| cut.lacks(signal))
    }

    /// Returns an error if a condition matches no event in any session.
    pub fn check(&self) -> Result<(), AnalysisError> {
        for (k, choice) in self.question.conditions.iter().enumerate() {
            if self.condition(k).iter().all(|s| s.matched == 0) {
                return Err(AnalysisError::NoEvent { choice: choice.to_string(), sessions: self.sessions.len() });
            }
        }
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Progress {
    pub done: usize,
    pub sessions: usize,
}

#[derive(Debug, Error)]
pub enum StudyQueryError {
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    #[error("no session could be read. {}", .0.first().map_or("", |l| l.why.as_str()))]
    NothingReadable(Vec<LeftOut>),
    #[error("no session has the signal `{signal}`. {session} has: {signals}. Choose one of them as STREAM.FIELD")]
    NoSignal { signal: SignalId, session: String, signals: String },
    #[error("the study query was cancelled before all sessions were read")]
    Cancelled,
    #[error(transparent)]
    Store(#[from] StoreError),
}
