//! What the hub does for visitors who read or delete their own session.

use std::path::PathBuf;

use super::super::hub_client::{EndedVisit, Release, Visit, VisitorAccess};
use super::super::problem::Problem;
use super::{Hub, check_access};
use store::RemoteState;

impl Hub {
    pub(super) fn find_visit(&self, access: &VisitorAccess) -> Result<Visit, Problem> {
        let session = self.ledger.session(&access.id)?.ok_or_else(Problem::no_session)?;
        check_access((&session.token_sha256, &session.origin), &access.token_sha256, &access.origins)?;
        let is_erased = session.is_erased();
        Ok(Visit { folder: self.library.root().join(&session.folder), study: session.study, is_erased })
    }

    /// The session is closed for its browser first. If the server is killed before its files are erased, the browser asks again.
    pub(super) fn end_visit(&mut self, access: &VisitorAccess) -> Result<EndedVisit, Problem> {
        let visit = self.find_visit(access)?;
        if visit.is_erased {
            return Ok((visit, Vec::new()));
        }
        let released = self.release_sessions(&Release::Session(visit.folder.clone()));
        self.ledger.set_session_state(&access.id, RemoteState::Closed, None)?;
        self.ledger.forbid_going_on(&access.id)?;
        Ok((visit, released))
    }

    pub(super) fn forget_visit(&mut self, id: &str, folder: PathBuf) -> Result<(), Problem> {
        self.ledger.erase_session(id)?;
        self.refresh_totals()?;
        self.notify_change(folder);
        Ok(())
    }
}
