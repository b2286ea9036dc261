//! Starts the window, a command, or the process of a page's window.

use std::process::ExitCode;

use affectograph::cli::{self, Invocation};
use affectograph::failure::Failure;
use affectograph::{backend, version};

fn main() -> ExitCode {
    cli::report_failure(run(Invocation::parse()))
}

fn run(invocation: Invocation) -> Result<ExitCode, Failure> {
    match invocation {
        Invocation::Version { is_json } => {
            println!("{}", version::version(is_json));
            Ok(ExitCode::SUCCESS)
        }
        Invocation::Window(places) => {
            cli::start_log()?;
            backend::open_window(places)
        }
        Invocation::Command(command) => {
            cli::start_log()?;
            command.run()
        }
    }
}
