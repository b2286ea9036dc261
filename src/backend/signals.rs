//! Ctrl-C, SIGTERM and log-off (SIGHUP) while the window is open: a recording in progress is stopped and saved, then the
//! window closes.

use super::command_queue::CommandQueue;
use super::recording_command::RecordingCommand;
use super::to_window::ToWindow;
use crate::stop_signal::StopSignal;
use desktop::port::BackendEvent;

/// The recording controller gets its command directly, because a blocked window would not forward it.
pub(super) fn listen(commands: CommandQueue<RecordingCommand>, window: ToWindow) -> Result<(), String> {
    let signal = StopSignal::default();
    let stop = move || {
        // A full queue belongs to a controller that hangs. Then the window closes and waits for it.
        if !commands.push(RecordingCommand::Stop) {
            tracing::error!("the recording controller did not take the command to stop");
        }
        window.send(BackendEvent::Terminate);
    };
    ctrlc::set_handler(move || signal.received(&stop))
        .map_err(|e| format!("The program could not prepare for Ctrl-C and log-off: {e}"))
}
