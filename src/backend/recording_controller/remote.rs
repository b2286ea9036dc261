//! Remote control: other programs start and stop the recording, as the operator would.

use super::{RecordingController, Running};
use crate::backend::recording_command::RecordingCommand;
use crate::backend::remote_control::RemoteControl;
use crate::remote_commands::{check, marker_request, note, store};
use desktop::port::BackendEvent;
use recording::MarkerCommand;
use remote_control::{Answer, Command, FileName, Request, Server};

impl RecordingController {
    /// Listens if the study wants it. A port that is taken does not prevent the session.
    pub(super) fn open_remote_control(&mut self) {
        self.remote = RemoteControl::default();
        let Some(settings) = self.plan.as_ref().and_then(|plan| plan.study.remote_control.as_ref()) else { return };
        let commands = self.commands.clone();
        match Server::start(settings.address(), move |request| commands.push(RecordingCommand::Remote(request))) {
            Ok(server) => self.remote.server = Some(server),
            Err(e) => self.remote.problem = Some(e.to_string()),
        }
    }

    pub(super) fn command_remotely(&mut self, request: Request) {
        let answer = match (check(&request.command, self.is_recording()), &request.command) {
            (Ok(()), Command::Start) => return self.start_remotely(request),
            (Ok(()), Command::Stop) => return self.stop_remotely(request),
            (Ok(()), Command::FileName(name)) => self.check_name(name),
            (checked, _) => checked,
        };
        self.answer(request, answer);
    }

    /// A marker of a source, in the set-up or in the recording.
    pub(super) fn command_by_marker(&mut self, command: &MarkerCommand) {
        self.command_remotely(marker_request(command));
    }

    /// The window starts the recording, because it knows the consent and the checks.
    fn start_remotely(&mut self, request: Request) {
        let refusal = if self.plan.is_none() {
            "no session is set up. Set one up in the window"
        } else if self.remote.starting.is_some() {
            "the recording is being started"
        } else {
            self.remote.starting = Some(request);
            self.window.send(BackendEvent::RemoteStart);
            return;
        };
        self.answer(request, Err(refusal.to_owned()));
    }

    /// Answers when the session is closed.
    fn stop_remotely(&mut self, request: Request) {
        self.note(&request, &Ok(()));
        self.window.send(BackendEvent::RecordingStopping);
        // `stop` ends the remote control. The connection has to live until it has its answer.
        let remote = std::mem::take(&mut self.remote);
        self.stop();
        request.answer(Ok(()));
        drop(remote);
    }

    /// Answers the `start` that waits, if there is one.
    pub(super) fn answer_remote_start(&mut self, answer: Answer) {
        if let Some(request) = self.remote.starting.take() {
            self.answer(request, answer);
        }
    }

    /// The window names the session. Another program can only confirm it.
    fn check_name(&self, name: &FileName) -> Answer {
        let Some(plan) = &self.plan else { return Err("no session is set up. Set one up in the window".to_owned()) };
        let (participant, session) = plan.who();
        let named = name.participant.is_empty() || name.participant.parse().as_ref() == Ok(participant);
        let numbered = name.session.is_empty() || name.session.parse().as_ref() == Ok(session);
        if named && numbered {
            return Ok(());
        }
        Err(format!("the session that is set up is {participant} {session}. Set up the other one in the window"))
    }

    fn answer(&mut self, request: Request, answer: Answer) {
        self.note(&request, &answer);
        request.answer(answer);
    }

    fn note(&mut self, request: &Request, answer: &Answer) {
        let note = note(request, answer);
        match self.rig() {
            Some(rig) if self.is_recording() => store(rig, &note),
            _ => self.remote.early.keep(note),
        }
    }

    /// Stores what was sent before the recording began.
    pub(super) fn store_early_commands(&mut self) {
        if let Some(rig) = self.running.as_ref().and_then(Running::rig) {
            self.remote.early.store(rig);
        }
    }
}
