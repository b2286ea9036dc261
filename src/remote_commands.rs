//! Commands of other programs, as a session stores them. The window and `record` have this in common.

use chrono::Utc;

use recording::{MarkerCommand, RemoteCommandNote, Rig};
use remote_control::{Answer, Command, Request};

/// Commands before the recording that it stores when it begins. A program that sends more repeats itself.
const KEPT: usize = 64;

/// The error: the window and `record` refuse the command. `Ok`: its answer depends on more than whether a recording runs.
pub fn check(command: &Command, is_recording: bool) -> Answer {
    let why = match (command, is_recording) {
        (Command::Start, true) => "a recording runs already",
        (Command::Stop, false) => "no recording runs",
        (Command::SelectNone, _) => "the study decides which sources are recorded",
        _ => return Ok(()),
    };
    Err(why.to_owned())
}

pub fn note(request: &Request, answer: &Answer) -> RemoteCommandNote {
    RemoteCommandNote {
        command: request.command.to_string(),
        from: request.from.clone(),
        received_utc: Utc::now(),
        stamp_s: request.stamp_s,
        left_out_before: 0,
        refused: answer.as_ref().err().cloned(),
    }
}

/// A marker as a command.
pub fn marker_request(marker: &MarkerCommand) -> Request {
    let command = if marker.is_start { Command::Start } else { Command::Stop };
    Request::of_marker(command, format!("marker `{}` of {}", marker.text, marker.source), marker.stamp_s)
}

pub fn store(rig: &Rig, note: &RemoteCommandNote) {
    rig.note_remote_command(rig.clock().now(), note);
}

/// Commands that came before the recording.
#[derive(Default)]
pub struct EarlyCommands(Vec<RemoteCommandNote>);

impl EarlyCommands {
    /// The first ones and the last one stay. The last one states how many before it were left out.
    pub fn keep(&mut self, mut note: RemoteCommandNote) {
        if self.0.len() == KEPT
            && let Some(last) = self.0.pop()
        {
            note.left_out_before = last.left_out_before + 1;
        }
        self.0.push(note);
    }

    /// Stores them when the recording begins.
    pub fn store(&mut self, rig: &Rig) {
        self.0.drain(..).for_each(|note| store(rig, &note));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_are_left_out_are_counted() {
        let mut early = EarlyCommands::default();
        for number in 0..100 {
            let request = Request::of_marker(Command::Update, number.to_string(), 0.0);
            early.keep(note(&request, &Ok(())));
        }
        let kept: Vec<(&str, u64)> = early.0.iter().map(|n| (n.from.as_str(), n.left_out_before)).collect();
        assert_eq!((kept.len(), kept[62], kept[63]), (64, ("62", 0), ("99", 36)));
    }
}
