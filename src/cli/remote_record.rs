//! `affectograph record --remote-control`: another program starts and stops the recording.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::output::print_err;
use crate::failure::Failure;
use crate::remote_commands::{EarlyCommands, note, store};
use recording::Rig;
use remote_control::{Answer, Command, FileName, Request, Server};
use session::{ParticipantId, SessionNumber};

/// More than all connections send at once.
const REQUESTS_WAITING: usize = 16;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A port that other programs send commands to.
pub struct RemoteControl {
    requests: Receiver<Request>,
    early: EarlyCommands,
    /// The `start` whose recording is being started.
    starting: Option<Request>,
    _server: Server,
}

impl RemoteControl {
    pub fn listen(address: SocketAddr) -> Result<RemoteControl, Failure> {
        let (requests_tx, requests) = bounded(REQUESTS_WAITING);
        let server = Server::start(address, move |request| requests_tx.try_send(request).is_ok())?;
        print_err!("Waiting for `start` at {} (Ctrl-C ends the program)", server.address());
        Ok(RemoteControl { requests, early: EarlyCommands::default(), starting: None, _server: server })
    }

    /// Waits for `start`. `filename` changes participant and session before it. `false`: interrupted.
    pub fn wait_for_start(
        &mut self,
        participant: &mut ParticipantId,
        session: &mut Option<SessionNumber>,
        interrupted: &AtomicBool,
    ) -> bool {
        while !interrupted.load(Ordering::SeqCst) {
            let request = match self.requests.recv_timeout(LOOK_EVERY) {
                Ok(request) => request,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return false,
            };
            let answer = match &request.command {
                Command::Start => {
                    self.early.keep(note(&request, &Ok(())));
                    self.starting = Some(request);
                    return true;
                }
                Command::FileName(name) => rename(name, participant, session),
                Command::Stop => Err("no recording runs".to_owned()),
                other => of_sources(other),
            };
            self.early.keep(note(&request, &answer));
            request.answer(answer);
        }
        false
    }

    /// Stores the commands that came before, and answers `start`. The error is why the recording did not start.
    pub fn started(&mut self, rig: Result<&Rig, String>) {
        if let Ok(rig) = rig {
            self.early.store(rig);
        }
        if let Some(request) = self.starting.take() {
            request.answer(rig.map(|_| ()));
        }
    }

    /// Answers what came since the last call. Returns the `stop`, which is answered when the session is closed.
    pub fn poll(&self, rig: &Rig) -> Option<Request> {
        for request in self.requests.try_iter() {
            let answer = match &request.command {
                Command::Stop => Ok(()),
                Command::Start => Err("a recording runs already".to_owned()),
                Command::FileName(_) => Err("the recording runs. Its name stays as it is".to_owned()),
                other => of_sources(other),
            };
            store(rig, &note(&request, &answer));
            if request.command == Command::Stop {
                return Some(request);
            }
            request.answer(answer);
        }
        None
    }
}

fn of_sources(command: &Command) -> Answer {
    match command {
        Command::SelectNone => Err("the study and the command line decide which sources are recorded".to_owned()),
        _ => Ok(()),
    }
}

/// Changes both, or nothing.
fn rename(name: &FileName, participant: &mut ParticipantId, session: &mut Option<SessionNumber>) -> Answer {
    let new_session = match name.session.as_str() {
        "" => *session,
        number => Some(number.parse::<SessionNumber>().map_err(|e| format!("session: {e}"))?),
    };
    if !name.participant.is_empty() {
        *participant = name.participant.parse().map_err(|e| format!("participant: {e}"))?;
    }
    *session = new_session;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_changes_both_or_nothing() {
        let mut who: (ParticipantId, _) = (ParticipantId::numbered(1), None);
        let mut named = |text: &str| {
            let (participant, session) = &mut who;
            let answer = rename(&text.parse().unwrap(), participant, session);
            (answer.is_ok(), participant.to_string(), *session)
        };
        assert_eq!(named("{participant:sub-07} {session:3}"), (true, "sub-07".into(), Some(SessionNumber(3))));
        assert_eq!(named("{task:x}"), (true, "sub-07".into(), Some(SessionNumber(3))));
        assert_eq!(named("{participant:sub-08} {session:many}"), (false, "sub-07".into(), Some(SessionNumber(3))));
        assert_eq!(named("{participant:../x} {session:4}"), (false, "sub-07".into(), Some(SessionNumber(3))));
    }
}
