//! `affectograph remote`: sends one command to a program with remote control.

use std::process::ExitCode;

use super::args::Remote;
use super::output::print_out;
use crate::failure::Failure;
use remote_control::Command;

pub fn run(a: &Remote) -> Result<ExitCode, Failure> {
    let command: Command = a.words.join(" ").parse()?;
    a.to.send(&command)?;
    print_out!("OK");
    Ok(ExitCode::SUCCESS)
}
