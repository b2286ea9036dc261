//! The condition of a participant in a study, and its columns in `participants.tsv`.

use super::SessionHeader;

/// Begins the columns of `participants.tsv` with conditions.
pub(super) const CONDITION_PREFIX: &str = "condition_";
/// Ends the column with what the random order proposed.
pub(super) const CONDITION_ASSIGNED: &str = "_assigned";

/// The condition of a participant in a study.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionCondition {
    pub name: String,
    /// What the random order proposed. It differs from the name if the operator chose by hand. `None`: the order proposed
    /// nothing, because the laboratory had written the condition into the list.
    pub assigned: Option<String>,
}

impl SessionCondition {
    /// The condition that a session's participant has. A pilot has no participant.
    pub(super) fn of(header: &SessionHeader) -> Option<SessionCondition> {
        let name = header.condition.clone().filter(|_| !header.pilot)?;
        Some(SessionCondition { name, assigned: header.condition_assigned.clone() })
    }

    /// The cells of `participants.tsv` that state it.
    pub(super) fn cells(&self, study: &str) -> Vec<(String, String)> {
        let assigned = self.assigned.clone().map(|assigned| (assigned_column(study), assigned));
        [(condition_column(study), self.name.clone())].into_iter().chain(assigned).collect()
    }
}

/// The column of `participants.tsv` with the conditions of a study.
pub fn condition_column(study: &str) -> String {
    format!("{CONDITION_PREFIX}{study}")
}

/// The column of `participants.tsv` with what the random order of a study proposed.
pub fn assigned_column(study: &str) -> String {
    format!("{CONDITION_PREFIX}{study}{CONDITION_ASSIGNED}")
}
