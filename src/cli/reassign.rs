//! `affectograph reassign`

use std::process::ExitCode;

use serde_json::json;

use super::args::Reassign;
use crate::failure::Failure;
use crate::places::Places;
use store::{Reassigned, verify};
use study_query::session_folder;

pub fn run(a: &Reassign, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    for problem in library.finish_interrupted()? {
        eprintln!("affectograph: an interrupted change could not be completed: {problem}");
    }
    let done = library.reassign(&session_folder(&a.session), &a.participant, a.number)?;
    let is_intact = verify(&done.folder)?.is_intact;
    if a.json {
        println!("{}", json!({ "reassigned": done, "is_intact": is_intact }));
    } else {
        println!("{}", sentence(&done));
        println!("{}", done.folder.display());
        if !is_intact {
            println!("The session has damage. `affectograph verify` lists it.");
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What was done, for the user.
pub fn sentence(done: &Reassigned) -> String {
    let Reassigned { from, to, is_participant_removed, .. } = done;
    let removed = if *is_participant_removed {
        format!(" {} has no session left and was removed from participants.tsv.", from.participant)
    } else {
        String::new()
    };
    format!("{from} is now {to}.{removed} To go back: reassign it to {from}.")
}
