//! The phone pad of a recording: starts it, gives it the alarms, and turns its taps into commands.

use std::collections::BTreeMap;

use super::command_queue::CommandQueue;
use super::recording_command::RecordingCommand;
use desktop::port::BackendEvent;
use session::{Clock, Study, Timestamp};

/// What the phone shows, and the pad itself while it is switched on.
#[derive(Default)]
pub struct Phone {
    alarms: BTreeMap<String, String>,
    is_paused: bool,
    #[cfg(feature = "server")]
    status: session::Latest<server::phone_pad::PhoneStatus>,
    #[cfg(feature = "server")]
    pad: Option<server::phone_pad::PhonePad>,
}

impl Phone {
    /// Keeps what the phone shows. The pad may be switched on later.
    pub fn note(&mut self, update: &BackendEvent) {
        match update {
            BackendEvent::Alarm(alarm) => {
                self.alarms.insert(alarm.key.clone(), alarm.losing.clone());
            }
            BackendEvent::AlarmCleared { key } => {
                self.alarms.remove(key);
            }
            _ => return,
        }
        self.publish();
    }

    pub fn note_pause(&mut self, is_paused: bool) {
        self.is_paused = is_paused;
        self.publish();
    }
}

#[cfg(feature = "server")]
mod with_server {
    use super::*;
    use desktop::port::{MarkerVia, NewMarker};
    use server::phone_pad::{PhoneAction, PhonePad, PhonePadPlan, PhoneStatus};

    impl Phone {
        pub(super) fn publish(&self) {
            let alarms = self.alarms.values().cloned().collect();
            self.status.put(PhoneStatus { alarms, is_paused: self.is_paused });
        }

        /// Starts the pad. Returns its address, or a message for the operator.
        pub fn switch_on(
            &mut self,
            study: &Study,
            clock: Clock,
            started: Timestamp,
            commands: CommandQueue<RecordingCommand>,
        ) -> Result<String, String> {
            if let Some(pad) = &self.pad {
                return Ok(pad.url().to_owned());
            }
            let plan = PhonePadPlan {
                title: study.title.clone(),
                markers: study.markers.clone(),
                clock,
                started,
                status: self.status.clone(),
                act: Box::new(move |action| commands.push(command(action))),
            };
            let pad = PhonePad::start(plan).map_err(|e| e.to_string())?;
            let url = pad.url().to_owned();
            self.pad = Some(pad);
            Ok(url)
        }

        pub fn switch_off(&mut self) {
            self.pad = None;
        }
    }

    fn command(action: PhoneAction) -> RecordingCommand {
        match action {
            PhoneAction::Mark { at, marker, phone } => RecordingCommand::Mark(NewMarker {
                at,
                key: Some(marker.key),
                label: marker.label,
                note: String::new(),
                via: MarkerVia::Phone(phone),
            }),
            PhoneAction::TakeBack { at } => RecordingCommand::TakeBack(at),
        }
    }
}

#[cfg(not(feature = "server"))]
impl Phone {
    fn publish(&self) {}

    pub fn switch_on(
        &mut self,
        _: &Study,
        _: Clock,
        _: Timestamp,
        _: CommandQueue<RecordingCommand>,
    ) -> Result<String, String> {
        Err("This build of the program has no phone pad: build it with the feature `server`.".to_owned())
    }

    pub fn switch_off(&mut self) {}
}
