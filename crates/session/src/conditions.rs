//! The conditions of a study, and how participants are assigned to them.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

/// A condition of a study: `[[conditions]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyCondition {
    pub name: String,
}

/// How participants are assigned: `[assignment]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AssignmentSettings {
    /// Participants in a block. Each block contains every condition equally often. 0: two of each condition.
    pub block_size: usize,
}

const MAX_CONDITIONS: usize = 50;
const MAX_BLOCK: usize = 1_000;
const MAX_NAME_CHARS: usize = 60;

impl AssignmentSettings {
    /// The size of a block for this number of conditions.
    pub fn block_size_for(self, conditions: usize) -> usize {
        if self.block_size == 0 { 2 * conditions } else { self.block_size }
    }

    /// The key that is wrong, and why.
    pub(super) fn check(self, conditions: &[StudyCondition]) -> Result<(), (&'static str, String)> {
        if conditions.len() > MAX_CONDITIONS {
            return Err(("[[conditions]]", format!("a study can have at most {MAX_CONDITIONS} conditions")));
        }
        let mut names = HashSet::new();
        for StudyCondition { name } in conditions {
            if name.trim() != name || name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
                let message = format!(
                    "condition `{}` needs a name of 1 to {MAX_NAME_CHARS} characters, without spaces at its ends",
                    name.escape_debug()
                );
                return Err(("[[conditions]]", message));
            }
            if !names.insert(name) {
                return Err(("[[conditions]]", format!("condition `{name}` is named twice: remove one")));
            }
        }
        if self.block_size > MAX_BLOCK {
            return Err(("block_size", format!("`assignment.block_size` must be at most {MAX_BLOCK}")));
        }
        Ok(())
    }
}
