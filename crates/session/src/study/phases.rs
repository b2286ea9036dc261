//! `[[phases]]` and `[[markers]]`: the course of a session, and the operator's keys.

use serde::{Deserialize, Serialize};

/// A marker of the operator: a key and a label.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// A single key: `1`–`9` or a letter.
    pub key: char,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    pub name: String,
    pub seconds: f64,
    #[serde(default)]
    pub kind: PhaseKind,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhaseKind {
    /// A task. On a page, the page times it and the plan informs the operator. Without a page, the program times it.
    #[default]
    Task,
    /// The participant rests and looks at a cross before the task begins. It gives the participant's own zero of valence
    /// and arousal.
    Baseline,
}

impl PhaseKind {
    /// The name stored in files.
    pub fn as_str(self) -> &'static str {
        match self {
            PhaseKind::Task => "task",
            PhaseKind::Baseline => "baseline",
        }
    }
}
