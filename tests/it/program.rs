//! The program's own binary, without a display.

use std::path::Path;
use std::process::{Child, Command, Output};

/// A command that records into, or reads, the library `sessions`.
pub fn command(arguments: &[&str], sessions: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_affectograph"));
    command
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("AFFECTOGRAPH_SESSIONS", sessions)
        .env_remove("DISPLAY");
    command
}

pub fn run(arguments: &[&str], sessions: &Path) -> Output {
    command(arguments, sessions).output().unwrap()
}

/// Sends a signal such as `TERM`.
pub fn signal(process: &Child, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status().unwrap();
    assert!(sent.success(), "{name} could not be sent");
}
