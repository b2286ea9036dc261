//! `affectograph reassign`

use std::process::ExitCode;

use serde_json::json;

use super::args::Reassign;
use super::output::print_out;
use super::problems::print_problems;
use crate::failure::Failure;
use crate::places::{Places, finish_interrupted};
use store::verify;
use study_query::session_folder;

pub fn run(a: &Reassign, places: &Places) -> Result<ExitCode, Failure> {
    let library = places.library()?;
    print_problems(&finish_interrupted(&library)?);
    let done = library.reassign(&session_folder(&a.session), &a.participant, a.number)?;
    let is_intact = verify(&done.folder)?.is_intact;
    if a.json {
        print_out!("{}", json!({ "reassigned": done, "is_intact": is_intact }));
    } else {
        print_out!("{}", done.sentence());
        print_out!("{}", done.folder.display());
        if !is_intact {
            print_out!("The session has damage. `affectograph verify` lists it.");
        }
    }
    Ok(ExitCode::SUCCESS)
}
