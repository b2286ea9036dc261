//! The participant window: what the operator asks of it, and what the participant does in it.

use std::sync::Arc;

use chrono::Utc;

use super::RecordingController;
use crate::backend::participant_window::ParticipantWindow;
use desktop::port::{Activity, Alarm, BackendEvent, GivenConsent, ParticipantCommand};
use page::{HostAnswer, WindowEvent};
use recording::RigEvent;

impl RecordingController {
    /// Opens the participant window of the plan. An earlier one is closed.
    pub(super) fn open_participant(&mut self) {
        let opened = self.plan.as_ref().and_then(|plan| plan.participant_window(self.parent_xid));
        // The rehearsal that follows reports the problem as one of the page.
        self.participant_problem = None;
        match opened {
            Some(Err(sentence)) => {
                self.set_participant(None);
                self.participant_problem = Some(sentence);
            }
            opened => self.set_participant(opened.and_then(Result::ok)),
        }
    }

    pub(super) fn set_participant(&mut self, participant: Option<ParticipantWindow>) {
        self.participant = participant;
        self.send_front();
    }

    fn send_front(&self) {
        let front = self.participant.as_ref().and_then(ParticipantWindow::front);
        self.window.send(BackendEvent::ParticipantFront(front));
    }

    pub(super) fn set_front(&mut self, is_in_front: bool) {
        if let Some(participant) = &mut self.participant {
            participant.set_front(is_in_front);
            self.send_front();
        }
    }

    /// Shows the window at the start of a recording. A window that was open for the consent alone has nothing to show.
    pub(super) fn show_to_participant(&mut self) {
        if self.plan.as_ref().is_some_and(|plan| plan.study.needs_window()) {
            self.set_front(true);
        }
    }

    /// Shows the consent. If the window could not be opened before, this tries it again.
    fn ask_consent(&mut self) {
        if self.participant.is_none() && !self.is_recording() {
            self.rehearse_in_new_window();
        }
        match &mut self.participant {
            Some(participant) => participant.ask_consent(),
            None => {
                let why = self.participant_problem.as_deref().unwrap_or("there is no participant's window");
                let sentence = format!(
                    "The consent was not shown to the participant: {why}. Try it again, or let the operator confirm it \
                     (`by = \"operator\"` in the study)."
                );
                self.window.send(BackendEvent::Notice(sentence));
            }
        }
        self.send_front();
    }

    /// The waiting screen stays in front of the operator's view, so that the participant does not see their own face and the
    /// plots before the operator comes. A window that was open for the consent alone has nothing to wait for.
    fn wait_after_consent(&mut self) {
        if let Some(participant) = &self.participant {
            participant.wait();
        }
        if self.plan.as_ref().is_some_and(|plan| !plan.study.needs_window()) {
            self.set_front(false);
        }
    }

    pub(super) fn command_participant(&mut self, command: ParticipantCommand) {
        match command {
            ParticipantCommand::SetFront(is_in_front) => self.set_front(is_in_front),
            ParticipantCommand::AskConsent => self.ask_consent(),
            ParticipantCommand::Wait => {
                if let Some(participant) = &self.participant {
                    participant.wait();
                }
                self.set_front(false);
            }
            ParticipantCommand::Close => {
                // A new set-up may have begun since, which has a window of its own.
                if self.plan.is_none() {
                    self.set_participant(None);
                }
            }
        }
    }

    /// Takes the events and the newest picture of the participant window.
    pub(super) fn poll_participant(&mut self) {
        let Some(participant) = &self.participant else { return };
        if let Some(picture) = participant.picture() {
            self.window.send(BackendEvent::ParticipantPicture(Arc::new(picture)));
        }
        let events: Vec<WindowEvent> = participant.events().try_iter().collect();
        for event in events {
            match event {
                WindowEvent::Answered(HostAnswer::Agreed { typed }) => {
                    self.window.send(BackendEvent::ConsentGiven(GivenConsent { at: Utc::now(), typed }));
                    self.wait_after_consent();
                }
                WindowEvent::Answered(HostAnswer::Withdrawn) => self.withdraw(),
                WindowEvent::Answered(HostAnswer::GoesOn) => {}
                WindowEvent::OperatorViewShown => {
                    if let Some(participant) = &mut self.participant {
                        participant.is_hidden_by_chord();
                    }
                    self.send_front();
                }
                WindowEvent::Failed(sentence) => self.window.failed(Activity::Page, sentence),
            }
        }
    }

    /// The participant stops the recording.
    fn withdraw(&mut self) {
        if !self.is_recording() {
            return;
        }
        if let Some(rig) = self.running.as_ref().and_then(super::Running::rig) {
            rig.participant_withdrew();
        }
        self.window.send(BackendEvent::RecordingStopping);
        self.window.send(BackendEvent::Notice(
            "The participant stopped the recording. Ask whether the data may be kept.".to_owned(),
        ));
        self.stop();
    }

    /// A page that crashed waits behind the waiting screen, if the study wants that, until something is loaded again.
    pub(super) fn wait_after_crash(&mut self, event: &RigEvent) {
        let waits = self.plan.as_ref().is_some_and(|plan| plan.waits_after_crash());
        let (Some(participant), Some(running)) = (&self.participant, &mut self.running) else { return };
        let key = "page-waits".to_owned();
        match event {
            RigEvent::PageDied { .. } if waits => {
                participant.wait();
                running.waits_after_crash = true;
                let alarm = Alarm {
                    key,
                    losing: "The page crashed. The participant sees the waiting screen.".to_owned(),
                    remedy: "Press Load again when the participant is ready.".to_owned(),
                };
                self.alarm(|_| vec![BackendEvent::Alarm(alarm)]);
            }
            // The operator pressed Load again, or Go on.
            RigEvent::PageLoaded { .. } | RigEvent::WindowReady if running.waits_after_crash => {
                participant.host().show_page();
                running.waits_after_crash = false;
                self.alarm(|_| vec![BackendEvent::AlarmCleared { key }]);
            }
            _ => {}
        }
    }
}
