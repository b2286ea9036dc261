//! Enrols participants in studies: pseudonym and place in the quota.

use super::super::enrolment::{EnrolRequest, Enrolled};
use super::super::problem::Problem;
use super::Hub;
use store::Enrolment;

impl Hub {
    /// A participant who came before keeps the pseudonym. A new one gets a place of the quota.
    pub(super) fn enrol(&mut self, request: &EnrolRequest) -> Result<Enrolled, Problem> {
        let EnrolRequest { study, participant, link, remote } = request;
        let known = match (link, participant) {
            (Some(link), _) => self.ledger.enrolment_of_link(study, link)?,
            (None, Some(participant)) => self.ledger.enrolment(study, participant.as_str())?,
            (None, None) => None,
        };
        if let Some(known) = known {
            return enrolled(known);
        }
        if remote.is_full(self.ledger.enrolled(study)?) {
            let why = "This study has all its participants. Nobody new can take part.";
            return Err(Problem::forbidden("study-full", why));
        }
        let participant = match (participant, link) {
            (Some(participant), None) => participant.to_string(),
            _ => self.new_participant()?.to_string(),
        };
        let enrolment = Enrolment { study: study.clone(), participant, link: *link, condition: None };
        self.ledger.enrol(&enrolment, self.clock.utc())?;
        enrolled(enrolment)
    }
}

fn enrolled(enrolment: Enrolment) -> Result<Enrolled, Problem> {
    let participant = enrolment.participant.parse().map_err(|why| {
        tracing::error!("the ledger has a participant whose label is not valid: {why}");
        Problem::busy()
    })?;
    Ok(Enrolled { participant, known_condition: enrolment.condition })
}
