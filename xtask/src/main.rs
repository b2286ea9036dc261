//! Checks and chores of this repository that are longer than a line: `cargo xtask COMMAND`.

mod cycles;
mod repository;

use std::process::ExitCode;

type Run = fn(&[String]) -> Result<(), String>;

const COMMANDS: &[(&str, &str, Run)] = &[
    ("cycles", "circles between the files of a crate", cycles::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else { return usage("") };
    let Some((_, _, run)) = COMMANDS.iter().find(|(known, _, _)| known == name) else {
        return usage(&format!("{name} is not a command.\n"));
    };
    match run(rest) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn usage(problem: &str) -> ExitCode {
    eprintln!("{problem}cargo xtask COMMAND");
    for (name, what, _) in COMMANDS {
        eprintln!("  {name:<8} {what}");
    }
    ExitCode::from(2)
}
