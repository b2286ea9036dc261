//! Who wants to take part in a study, and what a participant gets.

use session::{ParticipantId, RemoteSettings};
use store::{SessionCondition, Sha256};

/// Who wants to take part.
#[derive(Clone, Debug)]
pub struct EnrolRequest {
    pub study: String,
    /// The pseudonym that the page or its browser knows. A link is stronger.
    pub participant: Option<ParticipantId>,
    pub link: Option<Sha256>,
    pub remote: RemoteSettings,
}

/// A participant who has a place in the study.
#[derive(Clone, Debug)]
pub struct Enrolled {
    pub participant: ParticipantId,
    /// The ledger's copy of the condition. `None` for a new participant.
    pub known_condition: Option<String>,
}

/// A participant of a session that begins.
#[derive(Clone, Debug)]
pub struct Assigned {
    pub participant: ParticipantId,
    /// `None` if the study has no conditions.
    pub condition: Option<SessionCondition>,
}
