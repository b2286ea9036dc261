//! The remote control of a session: its port, and what other programs sent.

use crate::remote_commands::EarlyCommands;
use remote_control::{Request, Server};

/// Listens from the set-up until the session is over.
#[derive(Default)]
pub struct RemoteControl {
    pub server: Option<Server>,
    /// Why it does not listen, although the study wants it.
    pub problem: Option<String>,
    /// A `start` that the window has not carried out yet.
    pub starting: Option<Request>,
    /// What was sent since the set-up began.
    pub early: EarlyCommands,
}

impl RemoteControl {
    /// What the set-up shows. `None`: the study has no remote control.
    pub fn known(&self) -> Option<Result<String, String>> {
        match (&self.server, &self.problem) {
            (Some(server), _) => Some(Ok(server.address().to_string())),
            (None, problem) => problem.clone().map(Err),
        }
    }
}
