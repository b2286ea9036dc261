//! `cargo xtask streams`: writes docs/streams.md from the code that describes the streams of a session. A unit test of the crate
//! `session` fails if the page differs from the code.

use crate::files::write;
use crate::repository;

const PAGE: &str = "docs/streams.md";

pub fn run(arguments: &[String]) -> Result<(), String> {
    if !arguments.is_empty() {
        return Err("cargo xtask streams takes no arguments".to_owned());
    }
    let mut print = repository::cargo()?;
    print.args(["run", "--quiet", "--locked", "--package", "session", "--example", "stream_reference"]);
    let page = repository::output(&mut print)?;
    write(&repository::root()?.join(PAGE), &page)?;
    println!("{PAGE}: {} lines", page.lines().count());
    Ok(())
}
