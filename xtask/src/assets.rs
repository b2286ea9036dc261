//! `cargo xtask assets`: the web parts that the program embeds, built from client/ into build/web.

use crate::repository;

pub fn run(arguments: &[String]) -> Result<(), String> {
    repository::run(repository::command("scripts/build-web")?.args(arguments))
}
