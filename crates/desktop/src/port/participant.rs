//! The participant's screen: what it shows, and what the participant answers.

use chrono::{DateTime, Utc};

/// A request about the participant window. Without a window it does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParticipantCommand {
    /// Shows the participant window, or hides it, so that this window is seen.
    SetFront(bool),
    /// Shows the consent to the participant. Answered by [`BackendEvent::ConsentGiven`](super::BackendEvent::ConsentGiven).
    AskConsent,
    /// Shows the waiting screen again.
    Wait,
    /// Closes the participant window after a session.
    Close,
}

/// A consent that the participant gave on their own screen.
#[derive(Clone, Debug, PartialEq)]
pub struct GivenConsent {
    pub at: DateTime<Utc>,
    /// The initials that the participant typed, if the study asks for them.
    pub typed: Option<String>,
}
