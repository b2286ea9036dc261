//! How a participant window is opened before a session.

use serde::{Deserialize, Serialize};

use super::host_screen::HostScreen;

/// A participant window that is opened before a session.
#[derive(Clone, Debug)]
pub struct WindowOpening {
    /// Shown first.
    pub screen: HostScreen,
    pub is_in_front: bool,
    /// The window covers the operator's view, so the key chord Ctrl+Shift+F12 hides it.
    pub has_chord: bool,
    /// The participant's button to stop, if the study wants one.
    pub withdraw: Option<Withdraw>,
}

/// The participant's button to stop, and its question.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Withdraw {
    pub button: String,
    pub question: String,
    pub stop: String,
    pub go_on: String,
}
