//! One signal of a session, ready to be cut into epochs.

use std::ops::Range;

use super::baseline::zero_of;
use super::plan::ns;
use super::{EpochPlan, Signal, SignalId, Trace, Zero};
use session::{Rows, Timeline, Timestamp};

pub(super) struct SessionSignal {
    signal: Signal,
    pub unit: String,
    pub is_of_the_face: bool,
    step_ns: i64,
    /// The longest time between two samples that is interpolated.
    pub bridge_ns: i64,
    /// From the guided baseline phase. `None` if the session has none.
    guided: Option<Zero>,
    /// First and last time of the stream's records.
    recorded: Option<(Timestamp, Timestamp)>,
}

/// The grid around an event, in nanoseconds from it.
pub(super) struct Grid {
    pub window_ns: Vec<i64>,
    pub before_ns: Option<Vec<i64>>,
}

impl SessionSignal {
    /// `None`: the session has no such stream or field.
    pub fn of(timeline: &Timeline, plan: &EpochPlan, id: &SignalId, phases: &[Range<Timestamp>]) -> Option<Self> {
        let rows = Rows::of(timeline, id.stream.as_str())?;
        let field = rows.info().field_index(&id.field)?;
        let signal = Signal::of(&rows, field);
        let ends = [rows.len().min(1), rows.len()].into_iter().filter_map(|after| after.checked_sub(1));
        let gaps = timeline.gaps().iter().filter(|g| *g.stream == id.stream).flat_map(|g| [g.at, g.what.until]);
        let covered: Vec<Timestamp> = ends.map(|row| rows.time(row)).chain(gaps).collect();
        Some(SessionSignal {
            unit: rows.info().fields[field].unit.clone(),
            is_of_the_face: id.is_of_the_face(),
            step_ns: plan.step_ns(),
            bridge_ns: ns(plan.bridge_s(signal.nominal_rate_hz)),
            guided: zero_of(&signal, phases),
            recorded: covered.iter().min().copied().zip(covered.iter().max().copied()),
            signal,
        })
    }

    /// Whether the stream was recorded for the whole time.
    pub fn covers(&self, from: Timestamp, until: Timestamp) -> bool {
        self.recorded.is_some_and(|(first, last)| from >= first && until <= last)
    }

    /// The values around an event, or the time of the first one that is missing.
    pub fn trace(&self, onset_ns: i64, grid: &Grid) -> Result<Trace, i64> {
        let raw = self.on_grid(onset_ns, &grid.window_ns)?;
        let zero = match &grid.before_ns {
            Some(offsets) => {
                let before = self.on_grid(onset_ns, offsets)?;
                Some(before.iter().map(|v| f64::from(*v)).sum::<f64>() / before.len() as f64)
            }
            None => self.guided.map(|g| g.zero),
        };
        Ok(Trace { raw, zero, spread: self.guided.and_then(|g| g.spread) })
    }

    fn on_grid(&self, onset_ns: i64, offsets: &[i64]) -> Result<Vec<f32>, i64> {
        let values = self.signal.on_grid(offsets, onset_ns, self.step_ns, self.bridge_ns);
        match values.iter().position(|v| !v.is_finite()) {
            None => Ok(values),
            Some(hole) => Err(onset_ns.saturating_add(offsets[hole])),
        }
    }
}
