//! `affectograph verify`

use std::process::ExitCode;

use super::args::Verify;
use super::show::session_folder;
use super::{Failure, INCOMPLETE};
use store::{Finding, verify};

pub fn run(a: &Verify) -> Result<ExitCode, Failure> {
    let found = verify(&session_folder(&a.session))?;
    if a.json {
        println!("{}", serde_json::to_string(&found)?);
    } else {
        println!("{}: {} records, {} frames", found.session.display(), found.records, found.frames);
        for finding in &found.findings {
            println!("- {finding}");
        }
        if found.frames_damaged > 0 {
            println!("pictures damaged or gone: {}", found.frames_damaged);
        }
        let is_unchecked = found.findings.iter().any(Finding::is_unchecked);
        println!(
            "{}",
            match (found.is_intact, is_unchecked) {
                (false, _) => "NOT intact",
                (true, true) => "intact as far as can be told: it was recorded without checksums",
                (true, false) => "intact",
            }
        );
    }
    Ok(if found.is_intact { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}
