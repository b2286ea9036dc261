//! `affectograph import`

mod clock;
mod outside;

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::json;

use super::args::Import;
use crate::cli::exit_code::INCOMPLETE;
use crate::cli::output::print_out;
use crate::failure::Failure;
use analysis::import::{EventFile, ForeignEvent, IMPORTED_S, TableOptions, UNTIL_NS, read_events};
use clock::Clock;
use outside::{Recorded, stop_if_most_are_outside};
use session::{Body, StreamInfo, StreamName, Timestamp, imported_stream, program};
use store::{AdditionLock, SessionFile, StoreError};
use study_query::session_folder;

/// Another import takes seconds. Rescoring or an open review takes longer, and then the import fails with a message.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

pub fn run(a: &Import) -> Result<ExitCode, Failure> {
    let folder = session_folder(&a.session);
    // The session is read after the turn was taken, because an earlier import may still be writing.
    let turn = AdditionLock::take(&folder, LONGEST_WAIT)?;
    let session = SessionFile::open(&folder)?;
    let mut file = read_events(&a.events, &options(a, &session))?;
    let name = a.name.clone().unwrap_or_else(|| file_stem(&a.events));
    let info = imported_stream(&name);
    refuse_taken(session.streams(), &info.name)?;
    // Markers of Lab Streaming Layer are compared at their session times.
    let timeline = session.timeline()?.with_lsl_times();
    let recorded = Recorded::of(&session, &timeline)?;
    drop(session);
    let (clock, note) = Clock::choose(a, &file, &timeline)?;
    file.notes.extend(note);
    let events = file.events.iter().map(|e| Ok((clock.to_session(e.at_s)?, body(e, &clock)?)));
    let bodies: Vec<(Timestamp, Body)> = match events.collect::<Result<_, Failure>>() {
        Ok(bodies) => bodies,
        // Such times are probably in another unit.
        Err(problem) => return Err(outside::proposal(&file, &clock, &recorded).unwrap_or(problem)),
    };
    let count = bodies.len();
    let outside = bodies.iter().filter(|(at, _)| !recorded.holds(*at)).count();
    if !a.force {
        stop_if_most_are_outside(&file, outside, &clock, &recorded)?;
    }
    let software = format!("{} from {}, {}", program(), file_name(&a.events), clock.description());
    let description = described(&info.description, &file.notes);
    store(turn, &StreamInfo { software, description, ..info.clone() }, &a.author, bodies)?;
    print_result(a, &info.name, count, outside, &clock, &file);
    Ok(if file.damaged_places + file.unplaced_events == 0 { ExitCode::SUCCESS } else { ExitCode::from(INCOMPLETE) })
}

fn options(a: &Import, session: &SessionFile) -> TableOptions {
    TableOptions {
        time: a.table.time.clone(),
        date: a.table.date.clone(),
        kind: a.table.kind.clone(),
        unit: a.table.unit,
        rate_hz: a.table.rate,
        zone: a.table.zone,
        encoding: a.table.encoding,
        zero_utc: session.header().zero_utc,
    }
}

fn refuse_taken(streams: &[StreamInfo], name: &StreamName) -> Result<(), Failure> {
    if streams.iter().any(|s| s.name == *name) {
        let message = format!("the session already has a stream `{name}`: use --name to choose another name");
        return Err(message.into());
    }
    Ok(())
}

/// Stores all events or none.
fn store(turn: AdditionLock, info: &StreamInfo, author: &str, bodies: Vec<(Timestamp, Body)>) -> Result<(), Failure> {
    let mut streams = turn.added_streams()?;
    let add = || -> Result<(), StoreError> {
        let mut draft = streams.draft()?;
        draft.add_stream(info, author)?;
        draft.append(info.name.as_str(), bodies)?;
        draft.commit()
    };
    let added = add();
    streams.close()?;
    Ok(added?)
}

fn print_result(a: &Import, stream: &StreamName, count: usize, outside: usize, clock: &Clock, file: &EventFile) {
    let EventFile { notes, damaged_places, rows_without_time, unplaced_events, .. } = file;
    if a.json {
        print_out!(
            "{}",
            json!({
                "stream": stream,
                "events": count,
                "outside_the_recording": outside,
                "rows_without_time": rows_without_time,
                "damaged_places": damaged_places,
                "unplaced_events": unplaced_events,
                "clock": clock.json(),
                "notes": notes,
            })
        );
        return;
    }
    print_out!("{count} event(s) in the stream {stream}: {}", clock.description());
    if outside > 0 {
        print_out!("{outside} of them are outside the recording");
    }
    notes.iter().for_each(|note| print_out!("{note}"));
    if *unplaced_events > 0 {
        print_out!("BUT {unplaced_events} event(s) were left out, because their times are not known");
    }
    if *damaged_places > 0 {
        print_out!("BUT the file is damaged at {damaged_places} place(s): events may be missing");
    }
}

/// The other program's time is stored beside the session time.
fn body(event: &ForeignEvent, clock: &Clock) -> Result<Body, Failure> {
    let mut data = event.data.clone();
    data.insert(IMPORTED_S.to_owned(), json!(event.at_s));
    if let Some(duration_s) = event.duration_s {
        data.insert(UNTIL_NS.to_owned(), json!(clock.to_session(event.at_s + duration_s)?.as_ns()));
    }
    Ok(Body::Event { kind: event.kind.clone(), data })
}

/// The stream's description, with the notes about how its file was read.
fn described(description: &str, notes: &[String]) -> String {
    notes.iter().fold(description.to_owned(), |text, note| format!("{text}; {note}"))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Removes the extensions: `events.csv.gz` becomes `events`.
fn file_stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default();
    let is_packed = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("gz"));
    let stem = if is_packed { Path::new(stem).file_stem().unwrap_or(stem) } else { stem };
    stem.to_string_lossy().into_owned()
}
