//! `cargo xtask assets`: the scripts that the program embeds, built from client/ into assets/.

use crate::repository;

pub fn run(arguments: &[String]) -> Result<(), String> {
    let client = repository::root()?.join("client");
    if !client.join("node_modules").is_dir() {
        return Err("client/node_modules is missing: run ./test once, or `npm ci` in client/".to_owned());
    }
    repository::run(
        repository::command("npm")?.args(["run", "--silent", "build", "--prefix"]).arg(client).args(arguments),
    )
}
