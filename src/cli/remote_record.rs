//! `affectograph record --remote-control`: another program starts and stops the recording.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::output::print_err;
use crate::failure::Failure;
use crate::remote_commands::{EarlyCommands, check, marker_request, note, store};
use recording::{MarkerWatch, Rig, SetUpSources, SourceLevel, SourceState};
use remote_control::{Answer, Command, FileName, Request, Server};
use session::{ParticipantId, SessionNumber, SourceSettings};

/// More than all connections send at once.
const REQUESTS_WAITING: usize = 16;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A port that other programs send commands to.
pub struct RemoteControl {
    requests: Receiver<Request>,
    early: EarlyCommands,
    /// The `start` whose recording is being started.
    starting: Option<Request>,
    /// Until the recording starts.
    markers: Option<MarkerWatch>,
    /// The line that was printed last of each source.
    told: BTreeMap<String, String>,
    _server: Server,
}

impl RemoteControl {
    /// Takes commands at the port, and those of the markers of `sources`.
    pub fn listen(address: SocketAddr, sources: &[SourceSettings]) -> Result<RemoteControl, Failure> {
        let (requests_tx, requests) = bounded(REQUESTS_WAITING);
        let server = Server::start(address, move |request| requests_tx.try_send(request).is_ok())?;
        print_err!("Waiting for `start` at {} (Ctrl-C ends the program)", server.address());
        let markers = MarkerWatch::start(sources)?;
        Ok(RemoteControl {
            requests,
            early: EarlyCommands::default(),
            starting: None,
            markers,
            told: BTreeMap::new(),
            _server: server,
        })
    }

    /// Waits for `start`. `filename` changes participant and session before it. `false`: interrupted.
    pub fn wait_for_start(
        &mut self,
        participant: &mut ParticipantId,
        session: &mut Option<SessionNumber>,
        interrupted: &AtomicBool,
    ) -> bool {
        while !interrupted.load(Ordering::SeqCst) {
            self.tell_of_sources();
            let by_marker = self.markers.as_ref().and_then(|markers| markers.new_commands().next());
            let request = match by_marker {
                Some(marker) => marker_request(&marker),
                None => match self.requests.recv_timeout(LOOK_EVERY) {
                    Ok(request) => request,
                    Err(RecvTimeoutError::Timeout) => continue,
                    Err(RecvTimeoutError::Disconnected) => return false,
                },
            };
            let answer = match &request.command {
                Command::Start => {
                    self.early.keep(note(&request, &Ok(())));
                    self.starting = Some(request);
                    return true;
                }
                Command::FileName(name) => rename(name, participant, session),
                other => check(other, false),
            };
            self.early.keep(note(&request, &answer));
            request.answer(answer);
        }
        false
    }

    /// What has changed since the last call.
    fn tell_of_sources(&mut self) {
        for SourceState { source, level, sentence } in self.markers.iter().flat_map(MarkerWatch::new_states).flatten() {
            let line = match level {
                SourceLevel::Waiting => continue,
                SourceLevel::Failed => sentence,
                SourceLevel::Sound | SourceLevel::Doubtful => {
                    format!("In {source}, the marker `{}` is awaited.", source.start_marker)
                }
            };
            if self.told.get(&source.to_string()) != Some(&line) {
                print_err!("{line}");
                self.told.insert(source.to_string(), line);
            }
        }
    }

    /// What came since the marker that starts the recording.
    pub fn set_up(&mut self) -> Option<SetUpSources> {
        let is_by_marker = self.starting.as_ref().is_some_and(Request::is_of_marker);
        self.markers.take().filter(|_| is_by_marker).map(MarkerWatch::keep_markers)
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
                Command::FileName(_) => Err("the recording runs. Its name stays as it is".to_owned()),
                other => check(other, true),
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
