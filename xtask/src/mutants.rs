//! `cargo xtask mutants CRATE [--shard k/n] [OPTION…]`: cargo-mutants changes a line of a crate at a time and counts the
//! changes that no test of this crate notices. Needs `cargo install --locked cargo-mutants`.

use crate::repository;

pub fn run(arguments: &[String]) -> Result<(), String> {
    let Some((package, options)) = arguments.split_first().filter(|(package, _)| !package.starts_with('-')) else {
        return Err("cargo xtask mutants CRATE [--shard k/n] [options of cargo mutants]".to_owned());
    };
    let root = repository::root()?;
    let mut command = repository::cargo()?;
    // One target folder for all runs: dependencies are compiled once, not again for each copy of the tree.
    command.env("CARGO_TARGET_DIR", root.join("target/mutants/target"));
    // cargo-mutants copies the tree, so that an interrupted run leaves no change in ours, and runs this package's tests only.
    command.args(["mutants", "--package", package, "--output", "target/mutants", "--no-shuffle", "--jobs", "1"]);
    repository::run(command.args(options))
}
