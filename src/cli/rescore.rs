//! `affectograph rescore`: scores from the stored video what live work skipped, or everything with another network.

use std::process::ExitCode;

use serde_json::json;

use super::args::Rescore;
use super::progress::Progress;
use super::run_rig::{interrupted, reopen};
use super::show::{print_quality, session_folder};
use super::{Failure, INCOMPLETE};
use recording::{Rescored, Rescoring};
use vision::models_folder;

/// Sentences before the rest is counted.
const MOST_NAMED: usize = 20;

pub fn run(a: &Rescore) -> Result<ExitCode, Failure> {
    let folder = session_folder(&a.session);
    let rescoring = Rescoring {
        folder: folder.clone(),
        model: a.model.clone(),
        models: models_folder()?,
        threads: a.threads.map_or_else(super::paths::processors, usize::from),
        author: session::program(),
    };
    let flag = interrupted()?;
    let mut bar = Progress::start();
    let Rescored { stream, frames, with_face, failed, failures } =
        rescoring.run(&flag, |done, all| bar.show(done as f64 / all as f64, &format!("{done} of {all} frames")))?;
    drop(bar);
    // The grade is of all that was looked at, whenever that was.
    let loaded = reopen(&folder)?;
    if a.json {
        let mut object = loaded.json()?;
        object["rescored"] = json!({ "stream": stream, "frames": frames, "with_face": with_face, "frames_failed": failed, "failures": failures });
        println!("{object}");
    } else {
        match &stream {
            None => println!("Every stored frame was looked at already: there is nothing to score."),
            Some(stream) => println!("{frames} frames scored into `{stream}`, {with_face} of them with a face."),
        }
        if failed > 0 {
            println!("{failed} frames could not be scored. Each is a gap of the stream:");
            failures.iter().take(MOST_NAMED).for_each(|why| println!("- {why}"));
            if failures.len() > MOST_NAMED {
                println!("- and {} more: `affectograph verify` names them all", failures.len() - MOST_NAMED);
            }
        }
        print_quality(&loaded.quality);
    }
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}
