//! The command line. The arguments are parsed once, and then one function runs each command.
//!
//! Exit codes: 0 success; 1 failure, with the reason on standard error; 2 wrong arguments; 3 damaged or missing data was
//! found by `verify`, `selftest`, `analyze`, `rescore`, `pulse`, `compact`, `score`, `import` or `export`, or a full disk ended `record`.

mod analyze;
mod args;
mod cameras;
mod compact;
mod enter_key;
mod epochs;
mod erase;
mod exit_code;
mod export;
mod import;
mod interrupt;
mod lag;
mod list;
mod log;
mod lsl;
mod output;
mod problems;
mod progress;
#[cfg(feature = "server")]
mod pull;
mod pulse;
mod reassign;
mod record;
mod remote;
mod remote_record;
mod rescore;
mod run_rig;
mod score;
mod selftest;
#[cfg(feature = "server")]
mod serve;
mod show;
mod triggers;
mod verify;

use std::process::ExitCode;

use clap::Parser;

use crate::failure::Failure;
use crate::places::Places;
use crate::version::version;
use args::{Arguments, Command};
use output::{print_err, print_out};

pub use log::start as start_log;

/// What the process is to do.
pub enum Invocation {
    /// Print the version, as JSON or as text.
    Version {
        is_json: bool,
    },
    /// Open the window. Recordings are in these places.
    Window(Places),
    Command(Box<CommandLine>),
}

/// A command with its arguments.
pub struct CommandLine(Command);

impl Invocation {
    /// Parses the process's arguments. Ends the process with code 2 if they are wrong.
    pub fn parse() -> Invocation {
        let arguments = Arguments::parse();
        match arguments.command {
            _ if arguments.version => Invocation::Version { is_json: arguments.json },
            None => Invocation::Window(Places::find(arguments.sessions.as_deref()).absolute()),
            Some(command) => Invocation::Command(Box::new(CommandLine(command))),
        }
    }
}

impl CommandLine {
    pub fn run(self) -> Result<ExitCode, Failure> {
        if self.only_reads() {
            output::end_without_reader();
        }
        match self.0 {
            Command::Record(a) => record::run(&a, &Places::find(a.sessions.as_deref())),
            Command::List(a) => list::run(&a, &Places::find(a.sessions.as_deref())),
            Command::Show(a) => show::run(&a),
            Command::Import(a) => import::run(&a),
            Command::Export(a) => export::run(&a, &Places::find(a.sessions.as_deref())),
            Command::Analyze(a) => analyze::run(&a, &Places::find(a.sessions.as_deref())),
            Command::Rescore(a) => rescore::run(&a),
            Command::Pulse(a) => pulse::run(&a),
            Command::Compact(a) => compact::run(&a),
            Command::Epochs(a) => epochs::run(&a, &Places::find(a.sessions.as_deref())),
            Command::Lag(a) => lag::run(&a),
            Command::Verify(a) => verify::run(&a),
            Command::Reassign(a) => reassign::run(&a, &Places::find(a.sessions.as_deref())),
            Command::Erase(a) => erase::run(&a, &Places::find(a.sessions.as_deref())),
            Command::Selftest(a) => selftest::run(&a, &Places::find(None)),
            Command::Cameras(a) => cameras::run(&a),
            Command::Lsl(a) => lsl::run(&a),
            Command::Remote(a) => remote::run(&a),
            Command::Triggers(a) => triggers::run(&a),
            Command::Score(a) => score::score(&a),
            Command::Models(a) => score::models(&a),
            #[cfg(feature = "server")]
            Command::Serve(a) => serve::run(&a),
            #[cfg(feature = "server")]
            Command::Pull(a) => pull::run(&a, &Places::find(a.sessions.as_deref())),
            #[cfg(feature = "desktop")]
            Command::ParticipantWindow => Ok(page::participant_window_main()),
            #[cfg(feature = "desktop")]
            Command::ReplayWindow => Ok(page::replay_window_main()),
        }
    }

    /// Whether the command does nothing but print. `verify` is not among them: its exit code is its answer.
    fn only_reads(&self) -> bool {
        match &self.0 {
            Command::List(_) | Command::Show(_) | Command::Cameras(_) | Command::Lsl(_) => true,
            Command::Score(_) | Command::Models(_) | Command::Lag(_) => true,
            Command::Epochs(a) => a.to.is_none(),
            _ => false,
        }
    }
}

/// Prints the version, as JSON or as text.
pub fn print_version(is_json: bool) {
    output::end_without_reader();
    print_out!("{}", version(is_json));
}

/// Prints a failure and returns the exit code of the process.
pub fn report_failure(result: Result<ExitCode, Failure>) -> ExitCode {
    output::checked(result.unwrap_or_else(|e| {
        print_err!("affectograph: {e}");
        ExitCode::FAILURE
    }))
}
