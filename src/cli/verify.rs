//! `affectograph verify`

use std::process::ExitCode;

use super::args::Verify;
use super::exit_code::INCOMPLETE;
use super::output::print_out;
use crate::failure::Failure;
use store::{Finding, verify};
use study_query::session_folder;

pub fn run(a: &Verify) -> Result<ExitCode, Failure> {
    let found = verify(&session_folder(&a.session))?;
    if a.json {
        print_out!("{}", serde_json::to_string(&found)?);
    } else {
        print_out!("{}: {} records, {} frames", found.session.display(), found.records, found.frames);
        for finding in &found.findings {
            print_out!("- {finding}");
        }
        if found.frames_damaged > 0 {
            print_out!("damaged or missing pictures: {}", found.frames_damaged);
        }
        let has_unchecked = found.findings.iter().any(Finding::is_unchecked);
        print_out!(
            "{}",
            match (found.is_intact, has_unchecked) {
                (false, _) => "NOT intact",
                (true, true) => "intact as far as it can be checked: the session has no checksums",
                (true, false) => "intact",
            }
        );
    }
    Ok(if found.is_intact { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}
