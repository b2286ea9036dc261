//! `affectograph lag`: the correlation of two signals of a session, and the delay between them.

use std::process::ExitCode;

use serde_json::json;

use super::args::Lag;
use super::output::print_out;
use crate::failure::Failure;
use analysis::{Agreement, Signal, SignalId, agreement, list_signals, signal};
use session::Timeline;
use store::SessionFile;
use study_query::session_folder;

pub fn run(a: &Lag) -> Result<ExitCode, Failure> {
    for path in &a.session {
        let file = SessionFile::open(&session_folder(path))?;
        let timeline = file.timeline()?.with_lsl_times();
        let who = format!("{} {}", file.header().participant, file.header().session);
        let read = |id: &SignalId| read(&timeline, id, &who);
        let (of, with) = (read(&a.signal)?, read(&a.with)?);
        let found = agreement(&of, &with, a.rate, a.bridge, a.longest).map_err(|e| format!("{who}: {e}"))?;
        print(a, &file, &who, &found);
    }
    Ok(ExitCode::SUCCESS)
}

fn read(timeline: &Timeline, id: &SignalId, who: &str) -> Result<Signal, Failure> {
    let found = signal(timeline, id.stream.as_str(), &id.field);
    let missing = || format!("{who} has no signal `{id}`. It has: {}", list_signals(timeline.streams()));
    Ok(found.ok_or_else(missing)?)
}

fn print(a: &Lag, file: &SessionFile, who: &str, found: &Agreement) {
    let Agreement { correlation, delay, pairs, .. } = found;
    if a.json {
        let line = json!({
            "session": file.folder(), "signal": a.signal, "with": a.with, "correlation": correlation, "pairs": pairs,
            "lag_s": delay.map(|d| d.lag_s), "correlation_at_lag": delay.map(|d| d.correlation),
        });
        return print_out!("{line}");
    }
    print_out!("{who}: {} and {}: r = {correlation:+.3} ({pairs} pairs)", a.signal, a.with);
    match delay {
        Some(d) => {
            let direction = if d.lag_s < 0.0 { "earlier" } else { "later" };
            let lag_s = d.lag_s.abs();
            print_out!(
                "  greatest r = {:+.3} with {} {lag_s:.1} s {direction} than {}",
                d.correlation,
                a.signal,
                a.with
            );
        }
        None => print_out!("  no delay: the two signals do not overlap long enough"),
    }
}
