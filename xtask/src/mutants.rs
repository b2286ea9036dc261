//! `cargo xtask mutants CRATE [--shard k/n] [OPTION…]`: mutation testing. cargo-mutants changes one line of a crate at a
//! time and counts the changes that no test of the crate detects. Needs `cargo install --locked cargo-mutants`.

use crate::repository;

pub fn run(arguments: &[String]) -> Result<(), String> {
    let Some((package, options)) = arguments.split_first().filter(|(package, _)| !package.starts_with('-')) else {
        return Err("Usage: cargo xtask mutants CRATE [--shard k/n] [options of cargo mutants]".to_owned());
    };
    let root = repository::root()?;
    let mut command = repository::cargo()?;
    // All runs share one target folder, so that dependencies are compiled once.
    command.env("CARGO_TARGET_DIR", root.join("target/mutants/target"));
    // cargo-mutants changes a copy of the tree, and runs only the tests of this package.
    command.args(["mutants", "--package", package, "--output", "target/mutants", "--no-shuffle", "--jobs", "1"]);
    repository::run(command.args(options))
}
