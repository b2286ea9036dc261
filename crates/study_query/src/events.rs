//! Reads the events of a question: stored events, and events that are derived from them.

use std::ops::Range;

use analysis::{EventChoice, deleted_events};
use session::{Body, DELETED, LSL, LSL_CLOCK, PAGE, Record, Timeline, Timestamp, deleted_stream, page_stream};
use store::{SessionFile, StoreError};

/// Reads all events that `choice` may select into `timeline`, which has the session's streams. Events of Lab Streaming Layer
/// have their session times, as in exports.
pub fn read_events(file: &SessionFile, choice: &EventChoice, timeline: &mut Timeline) -> Result<(), StoreError> {
    if choice.stream.as_str() != DELETED {
        let kinds = choice.kinds();
        if choice.stream.as_str().starts_with(LSL) {
            return read_lsl_events(file, choice, timeline);
        }
        return file.each_event(choice.stream.as_str(), kinds.as_ref().map(|k| &k[..]), |r| timeline.ingest(&r));
    }
    let mut edits = Timeline::default();
    edits.declare(page_stream());
    file.each_event(PAGE, Some(&["input"]), |r| edits.ingest(&r))?;
    let stream = deleted_stream();
    let events = deleted_events(&edits, &stream);
    timeline.declare(stream);
    events.iter().for_each(|r| timeline.ingest(r));
    Ok(())
}

/// The whole stream is read, because a sample's segment follows from the number of samples before it.
fn read_lsl_events(file: &SessionFile, choice: &EventChoice, timeline: &mut Timeline) -> Result<(), StoreError> {
    let mut whole = with_clock(file)?;
    file.each_event(choice.stream.as_str(), None, |r| whole.ingest(&r))?;
    let whole = whole.with_lsl_times();
    let kinds = choice.kinds();
    for event in whole.events().iter().filter(|event| *event.stream == choice.stream) {
        if kinds.is_none_or(|kinds| kinds.contains(&event.what.kind.as_str())) {
            let body = Body::Event { kind: event.what.kind.clone(), data: event.what.data.clone() };
            timeline.ingest(&Record { stream: event.stream.clone(), seq: event.seq, at: event.at, body });
        }
    }
    Ok(())
}

/// As [`SessionFile::each_sample`], for a stream of Lab Streaming Layer, at session times.
pub(super) fn read_lsl_samples(
    file: &SessionFile,
    stream: &str,
    stretches: &[Range<Timestamp>],
    timeline: &mut Timeline,
) -> Result<(), StoreError> {
    let mut whole = with_clock(file)?;
    let always = Timestamp::from_ns(i64::MIN)..Timestamp::from_ns(i64::MAX);
    file.each_sample(stream, &[always], |r| whole.ingest(&r))?;
    let whole = whole.with_lsl_times();
    let Some(series) = whole.series(stream) else { return Ok(()) };
    let name = std::sync::Arc::new(series.info.name.clone());
    let inside = stretches.iter().flat_map(|stretch| series.rows(stretch.start, stretch.end));
    // A row that comes again is ingested once.
    for row in (0..series.len().min(1)).chain(inside).chain(series.len().checked_sub(1)) {
        let values = (0..series.info.fields.len()).map(|field| series.column(field)[row]).collect();
        let body = Body::Sample { frame: series.frames()[row], values };
        timeline.ingest(&Record { stream: name.clone(), seq: series.seqs()[row], at: series.times()[row], body });
    }
    Ok(())
}

/// The session's streams, with the measurements of the senders' clocks.
fn with_clock(file: &SessionFile) -> Result<Timeline, StoreError> {
    let mut timeline = Timeline::default();
    file.declare_streams(&mut timeline);
    file.each_event(LSL_CLOCK, None, |r| timeline.ingest(&r))?;
    Ok(timeline)
}
