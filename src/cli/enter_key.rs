//! The Enter key of the terminal, which ends the current part of a session.

use std::io::{IsTerminal, stdin};

use super::output::print_err;
use crossbeam_channel::{Receiver, TrySendError, bounded};

/// Presses of Enter. Nothing is read if standard input is a file or another program's output.
pub struct EnterKey(Option<Receiver<()>>);

impl EnterKey {
    /// Reads the terminal from now on, in the thread `enter key`. It is not joined, because it waits for a person.
    pub fn listen() -> EnterKey {
        // The system would stop a program in the background that reads from its terminal, and the recording with it.
        if !stdin().is_terminal() || !is_in_foreground() {
            return EnterKey(None);
        }
        let (to, presses) = bounded(1);
        let read = move || {
            for line in stdin().lines() {
                // A full channel means that a press waits already.
                if line.is_err() || matches!(to.try_send(()), Err(TrySendError::Disconnected(()))) {
                    break;
                }
            }
        };
        match std::thread::Builder::new().name("enter key".into()).spawn(read) {
            Ok(_) => EnterKey(Some(presses)),
            Err(error) => {
                print_err!("affectograph: Enter does not go on, because a thread could not be started: {error}");
                EnterKey(None)
            }
        }
    }

    /// A key that is never pressed.
    #[cfg(test)]
    pub fn silent() -> EnterKey {
        EnterKey(None)
    }

    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Whether Enter was pressed since the last call.
    pub fn was_pressed(&self) -> bool {
        self.0.as_ref().is_some_and(|presses| presses.try_recv().is_ok())
    }
}

fn is_in_foreground() -> bool {
    // Only Linux has this file.
    std::fs::read_to_string("/proc/self/stat").map_or(true, |stat| owns_terminal(&stat))
}

/// Whether the process group of this line of `/proc/PID/stat` is the one in the foreground of its terminal. The name before
/// the last parenthesis may have spaces.
fn owns_terminal(stat: &str) -> bool {
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let [_state, _parent, group, _session, _terminal, foreground, ..] = fields[..] else { return false };
    group == foreground
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_in_the_background_does_not_read_from_its_terminal() {
        let stat = |group: u32, foreground: &str| format!("7 (a b) c) S 1 {group} 5 34816 {foreground} 4194304 1");
        assert!(owns_terminal(&stat(7, "7")));
        assert!(!owns_terminal(&stat(7, "5")), "another program is in the foreground");
        assert!(!owns_terminal(&stat(7, "-1")), "it has no terminal");
        assert!(!owns_terminal(""));
    }
}
