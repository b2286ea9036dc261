//! Who wants to take part in a study, and by which rules.

use session::{AssignmentSettings, ParticipantId, RemoteSettings, Study, StudyCondition};
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
    pub conditions: Vec<StudyCondition>,
    pub assignment: AssignmentSettings,
}

impl EnrolRules {
    /// `secret_seed` is the seed of a study that names none.
    pub fn of(study: &Study, secret_seed: u64) -> EnrolRules {
        let mut assignment = study.assignment.clone();
        if assignment.seed == 0 {
            assignment.seed = secret_seed;
        }
        EnrolRules { remote: study.remote.clone(), conditions: study.conditions.clone(), assignment }
    }
}

#[derive(Clone, Debug)]
pub struct Enrolled {
    pub participant: ParticipantId,
    pub condition: Option<String>,
}
