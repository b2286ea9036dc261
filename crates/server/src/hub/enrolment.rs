//! Enrols participants in studies: pseudonym, place in the quota, and condition.

use super::super::enrolment::{EnrolRequest, Enrolled};
use super::super::problem::Problem;
use super::Hub;
use store::Enrolment;

impl Hub {
    /// A participant who came before keeps pseudonym and condition. A new one gets a place of the quota.
    pub(super) fn enrol(&mut self, request: &EnrolRequest) -> Result<Enrolled, Problem> {
        let EnrolRequest { study, participant, link, rules } = request;
        let known = match (link, participant) {
            (Some(link), _) => self.ledger.enrolment_of_link(study, link)?,
            (None, Some(participant)) => self.ledger.enrolment(study, participant.as_str())?,
            (None, None) => None,
        };
        if let Some(known) = &known
            && (known.condition.is_some() || rules.conditions.is_empty())
        {
            return enrolled(known);
        }
        if known.is_none() && rules.remote.is_full(self.ledger.enrolled(study)?) {
            let why = "This study has all its participants. Nobody new can take part.";
            return Err(Problem::forbidden("study-full", why));
        }
        let participant = match (known, participant, link) {
            (Some(known), ..) => known.participant,
            (None, Some(participant), None) => participant.to_string(),
            (None, ..) => self.new_participant()?.to_string(),
        };
        let taken = self.ledger.participants_by_condition(study)?;
        let taken = |condition: &str| taken.get(condition).map_or(0, |participants| *participants as usize);
        let condition = rules.assignment.next_by_count(&rules.conditions, taken).map(str::to_owned);
        let enrolment = Enrolment { study: study.clone(), participant, link: *link, condition };
        self.ledger.enrol(&enrolment, self.clock.utc())?;
        enrolled(&enrolment)
    }
}

fn enrolled(enrolment: &Enrolment) -> Result<Enrolled, Problem> {
    let participant = enrolment.participant.parse().map_err(|why| {
        tracing::error!("the ledger has a participant whose label is not valid: {why}");
        Problem::busy()
    })?;
    Ok(Enrolled { participant, condition: enrolment.condition.clone() })
}
