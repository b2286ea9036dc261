//! Who wants to take part in a study, and by which rules.

use session::{AssignmentSettings, ParticipantId, Study, StudyCondition};
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
        EnrolRules { max_participants: study.remote.max_participants, conditions: study.conditions.clone(), assignment }
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
