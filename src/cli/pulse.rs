//! `affectograph pulse`: heart rate of stored sessions, as an added stream.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::args::Pulse;
use super::exit_code::INCOMPLETE;
use super::interrupt::cancel_at_signal;
use super::output::{print_err, print_out};
use super::progress::Progress;
use crate::failure::Failure;
use recording::{PulseAdded, PulseAddition, PulseError};
use study_query::session_folder;

pub fn run(a: &Pulse) -> Result<ExitCode, Failure> {
    let cancel = cancel_at_signal()?;
    let (mut is_complete, mut done) = (true, 0);
    for session in &a.session {
        let folder = session_folder(session);
        let addition = PulseAddition { folder: folder.clone(), author: session::program() };
        let mut bar = Progress::start();
        let added = addition.run(cancel.flag(), |what, done, all| {
            bar.show(done as f64 / all as f64, &format!("{done} of {all} {what}"))
        });
        drop(bar);
        match added {
            Ok(added) => {
                done += 1;
                is_complete &= added.frames_failed == 0;
                print(&folder, &added, a.json);
            }
            Err(e @ PulseError::Cancelled) => return Err(e.into()),
            // The other sessions do not depend on this one.
            Err(e) if a.session.len() > 1 => {
                is_complete = false;
                print_err!("{}: {e}", folder.display());
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(match (is_complete, done) {
        (true, _) => ExitCode::SUCCESS,
        (false, 0) => ExitCode::FAILURE,
        (false, _) => ExitCode::from(INCOMPLETE),
    })
}

fn print(folder: &Path, added: &PulseAdded, is_json: bool) {
    if is_json {
        let silent = &added.silent;
        let line = json!({
            "session": folder, "stream": added.stream, "windows": added.windows, "shown": added.shown, "silent": silent,
            "median_bpm": added.median_bpm, "frames_read": added.frames_read, "frames_failed": added.frames_failed,
            "from_compacted_video": added.is_compacted,
        });
        return print_out!("{line}");
    }
    let PulseAdded { stream, shown, windows, .. } = added;
    print_out!("{}: a heart rate in {shown} of {windows} windows of 10 s (stream `{stream}`)", folder.display());
    if let Some(bpm) = added.median_bpm {
        print_out!("  median {bpm:.0} per minute");
    }
    if added.is_compacted {
        print_out!("  The colours are those of a compacted video: a part of the pulse's signal is lost");
    }
    for (reason, windows) in &added.silent {
        print_out!("  {windows} without: {reason}");
    }
    if added.frames_failed > 0 {
        print_out!("  {} pictures could not be read. Each one is a gap of the stream of colours.", added.frames_failed);
    }
}
