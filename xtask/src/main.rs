//! Checks and maintenance commands of this repository: `cargo xtask COMMAND`.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a developer reads the output of these chores")]

mod assets;
mod bench;
mod ci;
mod cycles;
mod dist;
mod files;
mod fuzz;
mod links;
mod manual;
mod markdown;
mod mutants;
mod notices;
mod repository;
mod streams;
mod test_names;

use std::process::ExitCode;

type Run = fn(&[String]) -> Result<(), String>;

const COMMANDS: &[(&str, &str, Run)] = &[
    ("ci", "format, lints, links, circles between files, dependencies", ci::run),
    ("cycles", "circles between the files of a crate: [--strict] [--all] [--list] [FOLDER…]", cycles::run),
    ("links", "checks the files, headings and tests that documents name", links::run),
    ("notices", "licence texts of the crates in the program, into build/THIRD_PARTY_LICENSES.txt", notices::run),
    ("streams", "the page docs/streams.md from the code that describes streams", streams::run),
    ("manual", "the manual from docs/, with search, into build/manual/html", manual::run),
    ("dist", "the packages of Linux, into dist/: [--program FILE]", dist::run),
    ("assets", "the web parts that the program embeds, from client/ into build/web", assets::run),
    ("bench", "benches, and their ratios to baselines: NAME…", bench::run),
    ("fuzz", "one fuzz target for some time: TARGET SECONDS", fuzz::run),
    ("mutants", "mutation testing of one crate: CRATE [--shard k/n]", mutants::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else { return usage("") };
    let Some((_, _, run)) = COMMANDS.iter().find(|(known, _, _)| known == name) else {
        return usage(&format!("{name} is not a command of xtask.\n"));
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
