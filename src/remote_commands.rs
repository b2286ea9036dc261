//! Commands of other programs, as a session stores them. The window and `record` have this in common.

use chrono::Utc;

use recording::{RemoteCommandNote, Rig};
use remote_control::{Answer, Request};

/// Commands before the recording that it stores when it begins. A program that sends more repeats itself.
const KEPT: usize = 64;

pub fn note(request: &Request, answer: &Answer) -> RemoteCommandNote {
    RemoteCommandNote {
        command: request.command.to_string(),
        from: request.from.to_string(),
        received_utc: Utc::now(),
        refused: answer.as_ref().err().cloned(),
    }
}

pub fn store(rig: &Rig, note: &RemoteCommandNote) {
    rig.note_remote_command(rig.clock().now(), note);
}

/// Commands that came before the recording.
#[derive(Default)]
pub struct EarlyCommands(Vec<RemoteCommandNote>);

impl EarlyCommands {
    pub fn keep(&mut self, note: RemoteCommandNote) {
        self.0.truncate(KEPT - 1);
        self.0.push(note);
    }

    /// Stores them when the recording begins.
    pub fn store(&mut self, rig: &Rig) {
        self.0.drain(..).for_each(|note| store(rig, &note));
    }
}
