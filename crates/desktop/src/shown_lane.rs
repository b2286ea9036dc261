//! A chosen signal that the session has.

use super::indexed_timeline::IndexedTimeline;
use super::lane_choice::{LaneChoice, LaneList};
use super::lane_curve::Track;

pub struct ShownLane<'a> {
    pub choice: &'a LaneChoice,
    pub track: Track<'a>,
}

/// The lanes of a session. A signal that it lacks has none.
pub fn of<'a>(log: &'a IndexedTimeline, choices: &'a LaneList) -> Vec<ShownLane<'a>> {
    let shown = |choice: &'a LaneChoice| {
        let signal = &choice.signal;
        let series = log.timeline().series(signal.stream.as_str())?;
        let field = series.info.field_index(&signal.field)?;
        let breaks = log.breaks(&signal.stream)?;
        Some(ShownLane { choice, track: Track { series, breaks, field } })
    };
    choices.iter().filter_map(shown).collect()
}
