//! Who wants to take part in a study, and by which rules.

use session::{ParticipantId, Study};
use store::Sha256;

/// Who wants to take part.
#[derive(Clone, Debug)]
pub struct EnrolRequest {
    pub study: String,
    /// The pseudonym that the page or its browser knows. A link is stronger.
    pub participant: Option<ParticipantId>,
    pub link: Option<Sha256>,
    pub rules: EnrolRules,
}

/// What the study says about its participants.
#[derive(Clone, Debug)]
pub struct EnrolRules {
    pub max_participants: Option<u64>,
    pub conditions: Vec<String>,
    pub block_size: usize,
    pub seed: u64,
}

impl EnrolRules {
    pub fn of(study: &Study, seed: u64) -> EnrolRules {
        let conditions: Vec<String> = study.conditions.iter().map(|c| c.name.clone()).collect();
        EnrolRules {
            max_participants: study.remote.max_participants,
            block_size: study.assignment.block_size_for(conditions.len()),
            conditions,
            seed,
        }
    }

    /// Why nobody new can take part.
    pub fn full(&self, enrolled: u64) -> Option<&'static str> {
        let is_full = self.max_participants.is_some_and(|most| enrolled >= most);
        is_full.then_some("This study has all its participants. Nobody new can take part.")
    }
}

#[derive(Clone, Debug)]
pub struct Enrolled {
    pub participant: ParticipantId,
    pub condition: Option<String>,
}
