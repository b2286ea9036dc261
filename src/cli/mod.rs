//! The command line: arguments are parsed once, into types that carry the proof, and then one function runs each
//! command.
//!
//! Exit codes: 0 done; 1 it failed, and a sentence on standard error says why; 2 the arguments were wrong; 3 `verify`,
//! `selftest`, `analyze`, `rescore`, `score` or `import` found something damaged or missing.

mod analyze;
mod args;
mod cameras;
mod epochs;
mod export;
mod import;
mod list;
mod log;
mod paths;
mod progress;
mod pull;
mod record;
mod rescore;
mod run_rig;
mod score;
mod selftest;
mod serve;
mod show;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use serde_json::json;

use args::{Arguments, Command};
pub use export::{figure_title, frame_rows};
pub use paths::{Places, recover_crashed};
pub use run_rig::reopen;
pub use show::Loaded;

/// What a command says when it fails: one sentence, already complete.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Parses the process's arguments and runs what they ask for.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    if arguments.version {
        println!("{}", version(arguments.json));
        return ExitCode::SUCCESS;
    }
    let result = log::start().and_then(|()| run_command(arguments));
    match result {
        Ok(code) => code,
        Err(e) => {
            eprintln!("affectograph: {e}");
            ExitCode::FAILURE
        }
    }
}

fn run_command(arguments: Arguments) -> Result<ExitCode, Failure> {
    match arguments.command {
        None => crate::backend::open_window(Places::find(arguments.sessions.as_deref()).absolute()),
        Some(Command::Record(a)) => record::run(&a, &Places::find(a.sessions.as_deref())),
        Some(Command::List(a)) => list::run(&a, &Places::find(a.sessions.as_deref())),
        Some(Command::Show(a)) => show::run(&a),
        Some(Command::Import(a)) => import::run(&a),
        Some(Command::Export(a)) => export::run(&a, &Places::find(a.sessions.as_deref())),
        Some(Command::Analyze(a)) => analyze::run(&a, &Places::find(a.sessions.as_deref())),
        Some(Command::Rescore(a)) => rescore::run(&a),
        Some(Command::Epochs(a)) => epochs::run(&a, &Places::find(a.sessions.as_deref())),
        Some(Command::Verify(a)) => verify::run(&a),
        Some(Command::Selftest(a)) => selftest::run(&a, &Places::find(None)),
        Some(Command::Cameras(a)) => cameras::run(&a),
        Some(Command::Score(a)) => score::score(&a),
        Some(Command::Models(a)) => score::models(&a),
        Some(Command::Serve(a)) => serve::run(&a),
        Some(Command::Pull(a)) => pull::run(&a, &Places::find(a.sessions.as_deref())),
        Some(Command::ParticipantWindow) => Ok(page::participant_window_main()),
        Some(Command::ReplayWindow) => Ok(page::replay_window_main()),
    }
}

/// `affectograph 0.1.0 (15aad2a)`, or the same as JSON.
fn version(is_json: bool) -> String {
    let (program, version) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
    let revision = env!("AFFECTOGRAPH_REVISION");
    if is_json {
        return json!({ "program": program, "version": version, "revision": revision }).to_string();
    }
    format!("{program} {version} ({revision})")
}

/// Something is missing, and the command has said what.
const INCOMPLETE: u8 = 3;
