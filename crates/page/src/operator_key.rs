//! A key of the operator.

use serde::{Deserialize, Serialize};

/// A key of the operator that was pressed while the page had the keyboard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OperatorKey {
    /// Ctrl with a digit from 1 to 9, by its place on the keyboard.
    Digit(u8),
    /// A letter or a digit that the page did not use.
    Unused(char),
    /// The keyboard is to return to the operator's window.
    Return,
}
