//! The state of a session, as the owner sees it. The list of sessions and one session's view have it from here.

use super::hub_client::OpenSession;
use store::{Condition, RemoteState, SessionState};

/// `recording`, `silent` (no request for some minutes), `finished` (its video is being scored), `closed`, `recovered`,
/// `crashed` or `damaged`. `open` is what the hub knows of the session, if it is open.
pub fn state_name(condition: &Condition, open: Option<&OpenSession>) -> &'static str {
    match (condition, open) {
        (Condition::Damaged(_), _) => "damaged",
        (_, Some(OpenSession { state: RemoteState::Finished, .. })) => "finished",
        (Condition::Opens(SessionState::Recording | SessionState::Crashed), Some(open)) if open.is_silent => "silent",
        (Condition::Opens(SessionState::Recording), _) => "recording",
        (Condition::Opens(SessionState::Crashed), _) => "crashed",
        (Condition::Opens(SessionState::Closed), _) => "closed",
        (Condition::Opens(SessionState::Recovered), _) => "recovered",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_that_the_hub_knows_is_not_crashed() {
        let open = |state, is_silent| OpenSession { folder: "x".into(), state, seen_s_ago: 0.0, is_silent };
        let crashed = Condition::Opens(SessionState::Crashed);
        assert_eq!(state_name(&crashed, None), "crashed");
        assert_eq!(state_name(&crashed, Some(&open(RemoteState::Open, true))), "silent");
        let recording = Condition::Opens(SessionState::Recording);
        assert_eq!(state_name(&recording, Some(&open(RemoteState::Open, false))), "recording");
        assert_eq!(state_name(&recording, Some(&open(RemoteState::Finished, false))), "finished");
        assert_eq!(state_name(&Condition::Opens(SessionState::Closed), None), "closed");
    }
}
