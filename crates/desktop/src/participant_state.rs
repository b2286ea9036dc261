//! What the window knows of the participant's screen.

use super::photo::Photo;

#[derive(Default)]
pub struct ParticipantView {
    /// Whether the participant window covers this window. `None`: it is beside it, or there is none.
    pub front: Option<bool>,
    /// The newest picture of what the participant sees; in set-up, of the page that follows.
    pub photo: Option<Photo>,
}
