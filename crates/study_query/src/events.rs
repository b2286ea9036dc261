//! Reads the events of a question: stored events, and events that are derived from them.

use analysis::{EventChoice, deleted_events};
use session::{DELETED, PAGE, Timeline, deleted_stream, page_stream};
use store::{SessionFile, StoreError};

/// Reads all events that `choice` may select into `timeline`, which has the session's streams.
pub fn read_events(file: &SessionFile, choice: &EventChoice, timeline: &mut Timeline) -> Result<(), StoreError> {
    if choice.stream.as_str() != DELETED {
        let kinds = choice.kinds();
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
