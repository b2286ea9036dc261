//! `affectograph verify`

use std::process::ExitCode;

use super::args::Verify;
use super::show::session_folder;
use super::{Failure, INCOMPLETE};
use crate::store::verify;

pub fn run(a: &Verify) -> Result<ExitCode, Failure> {
    let found = verify(&session_folder(&a.session))?;
    if a.json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        println!("{}: {} records, {} frames", found.session.display(), found.records, found.frames);
        for finding in &found.findings {
            println!("- {finding}");
        }
        println!("{}", if found.is_intact { "intact" } else { "NOT intact" });
    }
    Ok(if found.is_intact { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}
