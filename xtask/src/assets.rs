//! `cargo xtask assets`: builds the embedded web parts from client/ into build/web.

use crate::repository;

pub fn run(arguments: &[String]) -> Result<(), String> {
    repository::run(repository::command("scripts/build-web")?.args(arguments))
}
