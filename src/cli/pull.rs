//! `affectograph pull`

use std::process::ExitCode;

use serde_json::json;

use super::args::Pull;
use super::exit_code::INCOMPLETE;
use super::interrupt::cancel_at_signal;
use super::output::{print_err, print_out};
use crate::failure::Failure;
use crate::places::Places;
use server::{PullPlan, pull};

pub fn run(a: &Pull, places: &Places) -> Result<ExitCode, Failure> {
    let token = match &a.token_file {
        Some(path) => std::fs::read_to_string(path).map_err(|e| format!("could not read {}: {e}", path.display()))?,
        None => std::env::var("AFFECTOGRAPH_TOKEN").map_err(
            |_| "the API token is missing: use --token-file or set $AFFECTOGRAPH_TOKEN (`affectograph serve token` creates one)",
        )?,
    };
    let plan = PullPlan {
        server: a.server.clone(),
        token: token.trim().to_owned(),
        study: a.study.clone(),
        are_same_people: a.same_people,
    };
    let pulled = pull(&plan, &places.library()?, &cancel_at_signal()?, |progress| {
        if !a.json {
            print_err!("{} of {}: {}", progress.number, progress.sessions, progress.name);
        }
    })?;
    if a.json {
        print_out!(
            "{}",
            json!({
                "fetched": pulled.fetched, "there_already": pulled.there_already, "refused": pulled.refused,
                "damaged": pulled.damaged,
            })
        );
    } else {
        print_out!("Sessions copied: {}. Already in the library: {}.", pulled.fetched.len(), pulled.there_already);
        pulled.refused.iter().chain(&pulled.damaged).for_each(|why| print_err!("affectograph: {why}"));
    }
    Ok(if pulled.refused.is_empty() && pulled.damaged.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(INCOMPLETE)
    })
}
