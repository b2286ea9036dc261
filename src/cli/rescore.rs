//! `affectograph rescore`: scores stored frames that were skipped live, or all frames with another network.

use std::process::ExitCode;

use serde_json::json;

use super::args::Rescore;
use super::exit_code::INCOMPLETE;
use super::interrupt::cancel_at_signal;
use super::output::print_out;
use super::progress::Progress;
use super::show::print_quality;
use crate::failure::Failure;
use crate::processors::processors;
use crate::session_json::session_json;
use recording::{Rescored, Rescoring};
use study_query::{StoredSession, session_folder};
use vision::models_folder;

/// The largest number of failures that are listed.
const LISTED_FAILURES: usize = 20;

pub fn run(a: &Rescore) -> Result<ExitCode, Failure> {
    let folder = session_folder(&a.session);
    let rescoring = Rescoring {
        folder: folder.clone(),
        model: a.model.clone(),
        models: models_folder()?,
        threads: a.threads.map_or_else(processors, usize::from),
        author: session::program(),
    };
    let cancel = cancel_at_signal()?;
    let mut bar = Progress::start();
    let Rescored { stream, frames, with_face, failed, failures } = rescoring
        .run(cancel.flag(), |done, all| bar.show(done as f64 / all as f64, &format!("{done} of {all} frames")))?;
    drop(bar);
    // The grade includes the new scores.
    let stored = StoredSession::open_and_store_quality(&folder)?;
    if a.json {
        let mut object = session_json(&stored)?;
        object["rescored"] = json!({ "stream": stream, "frames": frames, "with_face": with_face, "frames_failed": failed, "failures": failures });
        print_out!("{object}");
    } else {
        match &stream {
            None => print_out!("All stored frames are scored already."),
            Some(stream) => print_out!("{frames} frames were scored into `{stream}`, {with_face} of them with a face."),
        }
        if failed > 0 {
            print_out!("{failed} frames could not be scored. Each one is stored as a gap of the stream:");
            failures.iter().take(LISTED_FAILURES).for_each(|why| print_out!("- {why}"));
            if failures.len() > LISTED_FAILURES {
                print_out!("- and {} more: `affectograph verify` lists all of them", failures.len() - LISTED_FAILURES);
            }
        }
        print_quality(&stored.quality);
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}
