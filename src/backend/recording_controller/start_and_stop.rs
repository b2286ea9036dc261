//! A recording, from its start until it is stopped or discarded.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::{RecordingController, Running};
use crate::backend::active_rig::ActiveRig;
use crate::backend::recording_command::RecordingCommand;
use crate::backend::remote_control::RemoteControl;
use crate::backend::review_worker::ReviewCommand;
use crate::backend::rows;
use desktop::NOT_DISCARDED;
use desktop::port::{Activity, BackendEvent, ParticipantCommand, RecordingRequest, StartedInfo};
use recording::Rig;
use remote_control::Request;
use store::Committed;

pub(super) const ENDED_BEFORE: &str = "The recording had ended already.";

impl RecordingController {
    pub(super) fn record(&mut self, request: RecordingRequest) {
        let is_by_marker = self.remote.starting.as_ref().is_some_and(Request::is_of_marker);
        let set_up = self.end_set_up(is_by_marker);
        // The baseline begins when the participant sees the cross.
        self.show_to_participant();
        let Some(plan) = &self.plan else { return };
        let window = self.participant.as_ref();
        match ActiveRig::record(plan, &self.places, request, set_up, (self.parent_xid, self.page), window) {
            Ok(active) => {
                let mut since = None;
                if let (Some(rig), Some(folder)) = (&active.rig, &active.folder) {
                    self.clock.put(rig.clock());
                    if let Some(sentence) = plan.changed_condition(rig.condition()) {
                        self.window.send(BackendEvent::Notice(sentence));
                    }
                    let at = rig.clock().now();
                    since = Some(at);
                    self.window.send(BackendEvent::RecordingStarted(StartedInfo { folder: folder.clone(), at }));
                    for stream in rig.streams() {
                        self.window.send(BackendEvent::StreamDeclared(stream.clone()));
                    }
                }
                let mut running = Running { recording_since: since, ..Running::new(active) };
                running.known.remote_control = self.remote.known();
                self.running = Some(running);
                self.store_early_commands();
                self.answer_remote_start(Ok(()));
            }
            Err(sentence) => {
                self.answer_remote_start(Err(sentence.clone()));
                self.window.failed(Activity::Start, sentence);
                self.command_participant(ParticipantCommand::Wait);
                self.rehearse();
            }
        }
    }

    pub(super) fn stop(&mut self) {
        // Without a recording, the rehearsal goes on.
        if !self.is_recording() {
            self.window.failed(Activity::Record, ENDED_BEFORE);
            return;
        }
        self.end_phone();
        let Some((rig, folder)) = self.take_recording() else { return };
        if let Err(e) = rig.stop() {
            self.close_after(&e.to_string(), &folder);
        }
        match rows::finished(&folder) {
            Ok(finished) => self.window.send(BackendEvent::RecordingFinished(Box::new(finished))),
            Err(e) => self.window.failed(Activity::Record, e),
        }
        self.plan = None;
        self.remote = RemoteControl::default();
        self.send_to_review(ReviewCommand::Library);
    }

    /// Takes the rig and the folder of the recording, which is to be stopped. The participant sees the closing screen.
    fn take_recording(&mut self) -> Option<(Rig, PathBuf)> {
        let mut running = self.running.take()?;
        running.phone.switch_off();
        if let Some(participant) = &self.participant {
            participant.close_session();
        }
        // The report and the review read the last records from the file. The receiver is dropped here, so that the recorder
        // does not wait for it.
        running.active.rig.zip(running.active.folder)
    }

    /// Ends the phone pad, which refuses each tap from now on. The taps before were confirmed to the phone, so those that
    /// still wait are stored.
    fn end_phone(&mut self) {
        let Some(running) = &mut self.running else { return };
        running.phone.switch_off();
        let (taps, others): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.taken).into_iter().partition(RecordingCommand::is_of_a_marker);
        self.taken = others;
        let waiting = self.commands.take_those(RecordingCommand::is_of_a_marker);
        taps.into_iter().chain(waiting).for_each(|tap| self.execute(tap));
    }

    /// Closes a session whose recording could not be closed as intended, for example on a full disk. Its space was
    /// reserved.
    fn close_after(&self, why: &str, folder: &Path) {
        match store::recover(folder) {
            Ok(_) => self.window.send(BackendEvent::Notice(why.to_owned())),
            Err(e) => self.window.failed(
                Activity::Record,
                format!("{why}. The session could not be closed: {e}. The data that was stored before is in {}. The next start of the program closes it.", folder.display()),
            ),
        }
    }

    /// Stops the recording and removes its session completely.
    pub(super) fn discard(&mut self) {
        if !self.is_recording() {
            // It ended by itself before the command came.
            self.window.send(BackendEvent::Notice(NOT_DISCARDED.to_owned()));
            return;
        }
        let Some((rig, folder)) = self.take_recording() else { return };
        // A session that could not be closed is removed, too.
        if let Err(e) = rig.stop() {
            tracing::warn!("the discarded recording could not be closed: {e}");
        }
        self.plan = None;
        self.remote = RemoteControl::default();
        // No report follows.
        self.set_participant(None);
        match self.places.library().and_then(|library| library.erase(&folder)) {
            Ok(()) => self.window.send(BackendEvent::RecordingDiscarded),
            Err(e) => {
                self.window.failed(Activity::Record, format!("The recording was stopped, but not discarded: {e}"))
            }
        }
        self.send_to_review(ReviewCommand::Library);
    }

    /// Sends the records since the last poll to the window. Returns the messages of failures.
    pub(super) fn send_committed(&mut self) -> Vec<String> {
        let Some(running) = &mut self.running else { return Vec::new() };
        let mut failures = Vec::new();
        for committed in running.active.committed.try_iter() {
            match committed {
                Committed::Records(records) => running.tail.committed(&records, &self.window),
                Committed::Failed(why) => failures.push(why),
            }
        }
        if let Err(sentence) = running.tail.catch_up(&self.window) {
            self.window.send(BackendEvent::Notice(sentence));
        }
        failures
    }
}
