//! Stops an import if most events are outside the recording: in another unit, from another day, or on another clock.

use super::Clock;
use crate::failure::Failure;
use analysis::import::{EventFile, TimeUnit};
use session::{Timeline, Timestamp};
use store::{SessionFile, StoreError};

/// The time range of the recording: from the session's zero to its end, extended to the first and last record and frame.
/// A camera may need a second for its first frame. Streams that were added later are not included.
pub(super) struct Recorded(Option<(Timestamp, Timestamp)>);

impl Recorded {
    pub fn of(session: &SessionFile, timeline: &Timeline) -> Result<Recorded, StoreError> {
        let frames = session.frames()?.rows();
        let frames = frames.iter().map(|f| f.meta.at).min().zip(frames.iter().map(|f| f.meta.at).max());
        let stopped = session.summary().map(|s| (Timestamp::ZERO, s.end)).filter(|(zero, end)| end > zero);
        let known = frames.into_iter().chain(timeline.span()).chain(stopped);
        Ok(Recorded(known.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))))
    }

    pub fn holds(&self, at: Timestamp) -> bool {
        self.0.is_some_and(|(first, last)| (first..=last).contains(&at))
    }
}

/// A session without records has no time range, so no event is outside of it.
pub(super) fn stop_if_most_are_outside(
    file: &EventFile,
    outside: usize,
    clock: &Clock,
    recorded: &Recorded,
) -> Result<(), Failure> {
    if recorded.0.is_none() || outside * 2 <= file.events.len() {
        return Ok(());
    }
    Err(proposal(file, clock, recorded).unwrap_or_else(|| {
        let advice = match clock {
            Clock::Given { .. } => "Check --offset, --unit and --time",
            Clock::Fitted { .. } => "Use --shared to select the markers that are the same",
            Clock::Wall => "Check that the file belongs to this session, and --zone",
        };
        format!("{}. {advice}; --force imports them anyway", outside_text(file, outside, clock, recorded)).into()
    }))
}

/// Proposes a unit in which most events are inside the recording, if there is one.
pub(super) fn proposal(file: &EventFile, clock: &Clock, recorded: &Recorded) -> Option<Failure> {
    // With a fitted line, the markers determine the unit.
    let (Clock::Given { .. }, Some(read)) = (clock, file.unit) else { return None };
    let inside = |unit: TimeUnit| {
        let scale = unit.ns() as f64 / read.ns() as f64;
        let is_inside = |at_s: f64| clock.to_session(at_s * scale).is_ok_and(|at| recorded.holds(at));
        file.events.iter().filter(|e| is_inside(e.at_s)).count()
    };
    let units = TimeUnit::ALL.into_iter().filter(|unit| *unit != read);
    let (best, unit) = units.map(|unit| (inside(unit), unit)).rev().max_by_key(|(n, _)| *n)?;
    let all = file.events.len();
    if best * 2 <= all {
        return None;
    }
    let outside = all - inside(read);
    Some(
        format!(
            "{}. In the unit {unit} instead of {read}, {best} of them are inside: try --unit {unit}, or --force if the times are \
             correct",
            outside_text(file, outside, clock, recorded)
        )
        .into(),
    )
}

fn outside_text(file: &EventFile, outside: usize, clock: &Clock, recorded: &Recorded) -> String {
    let (first, last) = recorded.0.unwrap_or_default();
    let at =
        |s: f64| clock.to_session(s).map_or_else(|_| format!("{s:e} s"), |at| format!("{:.3} s", at.as_secs_f64()));
    let ends = file.events.first().zip(file.events.last());
    let theirs = ends.map_or_else(String::new, |(a, b)| format!("from {} to {}", at(a.at_s), at(b.at_s)));
    format!(
        "{outside} of {} events would be outside the recording, so nothing was imported: the recording lasts from {:.3} s to \
         {:.3} s, the events {theirs}",
        file.events.len(),
        first.as_secs_f64(),
        last.as_secs_f64()
    )
}
