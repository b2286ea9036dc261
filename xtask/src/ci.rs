//! `cargo xtask ci`: the checks of the Rust code and the documents without the tests. `./test` also runs them, except the lints of
//! smaller selections of features.

use std::process::{Command, Stdio};

use crate::{cycles, links, repository};

/// Runs all checks even if one fails, so that one run reports all problems.
pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("cargo xtask ci takes no arguments".to_owned());
    }
    let mut failed = Vec::new();
    let mut check = |name: String, result: Result<(), String>| {
        println!("{name}: {}", if result.is_ok() { "passed" } else { "failed" });
        if let Err(message) = result {
            eprintln!("{message}");
            failed.push(name);
        }
    };
    check("format".to_owned(), cargo(&["fmt", "--all", "--check"]));
    check(
        "lints".to_owned(),
        cargo(&["clippy", "--quiet", "--locked", "--workspace", "--all-targets", "--", "-D", "warnings"]),
    );
    for features in ["", "desktop", "server"] {
        let selection = ["--no-default-features", "--features", features];
        let clippy =
            ["clippy", "--quiet", "--locked", "--bins"].into_iter().chain(selection).chain(["--", "-D", "warnings"]);
        let name = if features.is_empty() {
            "lints without features".to_owned()
        } else {
            format!("lints with the feature `{features}` alone")
        };
        check(name, cargo(&clippy.collect::<Vec<_>>()));
    }
    check("links".to_owned(), links::run(&[]));
    check("circles between files".to_owned(), cycles::run(&["--strict".to_owned()]));
    if is_installed("cargo-deny") {
        check("licences, faults and sources of dependencies".to_owned(), cargo(&["deny", "--locked", "check"]));
    } else {
        println!("cargo-deny is not installed: dependencies are not checked (cargo install --locked cargo-deny)");
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("Failed: {}", failed.join(", "))) }
}

fn cargo(arguments: &[&str]) -> Result<(), String> {
    repository::run(repository::cargo()?.args(arguments))
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}
