//! Ctrl-C, SIGTERM and log-off (SIGHUP) while the window is open: a recording in progress is stopped and saved, then the
//! window closes.

use std::sync::atomic::{AtomicBool, Ordering};

use super::command_queue::CommandQueue;
use super::recording_controller::RecordingCommand;
use super::to_window::ToWindow;
use desktop::port::BackendEvent;

/// The recording controller gets its command directly, because a blocked window would not forward it. A second signal ends
/// the process, which loses at most the last moments.
pub(super) fn listen(commands: CommandQueue<RecordingCommand>, window: ToWindow) -> Result<(), String> {
    let is_second = AtomicBool::new(false);
    let handler = move || {
        if is_second.swap(true, Ordering::SeqCst) {
            std::process::exit(130);
        }
        // A full queue belongs to a controller that hangs. Then the window closes and waits for it.
        if !commands.push(RecordingCommand::Stop) {
            tracing::error!("the recording controller did not take the command to stop");
        }
        window.send(BackendEvent::Terminate);
    };
    ctrlc::set_handler(handler).map_err(|e| format!("The program could not prepare for Ctrl-C and log-off: {e}"))
}
