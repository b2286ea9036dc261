//! Starts the window, a command, or the process of a page's window.

use std::process::ExitCode;

use affectograph::cli::{self, Invocation};
use affectograph::failure::Failure;
use affectograph::places::Places;

fn main() -> ExitCode {
    cli::report_failure(run(Invocation::parse()))
}

fn run(invocation: Invocation) -> Result<ExitCode, Failure> {
    match invocation {
        Invocation::Version { is_json } => {
            cli::print_version(is_json);
            Ok(ExitCode::SUCCESS)
        }
        Invocation::Window(places) => {
            cli::start_log()?;
            open_window(places)
        }
        Invocation::Command(command) => {
            cli::start_log()?;
            command.run()
        }
    }
}

#[cfg(feature = "desktop")]
fn open_window(places: Places) -> Result<ExitCode, Failure> {
    affectograph::backend::open_window(places)
}

#[cfg(not(feature = "desktop"))]
fn open_window(_: Places) -> Result<ExitCode, Failure> {
    Err("This build has no window. `affectograph --help` lists its commands.".into())
}
