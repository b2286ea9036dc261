//! Who wants to take part in a study, and by which rules.

use session::{ParticipantId, RemoteSettings, Study};
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
    pub remote: RemoteSettings,
    pub conditions: Vec<String>,
    pub block_size: usize,
    pub seed: u64,
}

impl EnrolRules {
    pub fn of(study: &Study, seed: u64) -> EnrolRules {
        let conditions: Vec<String> = study.conditions.iter().map(|c| c.name.clone()).collect();
        EnrolRules {
            remote: study.remote.clone(),
            block_size: study.assignment.block_size_for(conditions.len()),
            conditions,
            seed,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Enrolled {
    pub participant: ParticipantId,
    pub condition: Option<String>,
}
