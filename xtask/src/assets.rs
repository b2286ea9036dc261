//! `cargo xtask assets`: the web parts that the program embeds, built from client/ into build/web.

use crate::repository;

pub fn run(arguments: &[String]) -> Result<(), String> {
    let script = repository::root()?.join("scripts/build-web");
    if !script.is_file() {
        return Err(format!("{} is missing", script.display()));
    }
    repository::run(repository::command(script)?.args(arguments))
}
