//! From the file's times to the session's: by markers that both recorded, by a given offset, or by the wall clock.

use serde_json::{Value, json};

use crate::cli::Failure;
use crate::cli::args::Import;
use analysis::import::{EventFile, FileClock, ForeignEvent, SharedMarkers, TimeUnit, shared_markers};
use analysis::{DriftFit, LeftOut, fit_drift};
use session::{Timeline, Timestamp};

/// Shared markers that lie farther from the fitted line are not the same events.
const LARGEST_RESIDUAL_S: f64 = 0.1;
/// So many names are told as an example.
const TOLD_NAMES: usize = 12;

pub(super) enum Clock {
    Given { offset_s: f64 },
    Fitted { fit: DriftFit, names: Vec<String> },
    Wall,
}

impl Clock {
    /// With what a person should know of the choice.
    pub fn choose(a: &Import, file: &EventFile, timeline: &Timeline) -> Result<(Clock, Option<String>), Failure> {
        if let Some(offset_s) = a.offset {
            return match offset_s.is_finite() {
                true => Ok((Clock::Given { offset_s }, None)),
                false => Err(format!("`{offset_s}` is no offset in seconds").into()),
            };
        }
        let shared = shared_markers(&file.events, timeline, &a.shared);
        if !a.shared.is_empty() && !shared.uneven.is_empty() {
            return Err(not_shared(&shared, &file.events, timeline).into());
        }
        let is_wall = file.clock == FileClock::Wall && a.shared.is_empty();
        match fitted(file, &shared) {
            Ok(clock) => Ok((clock, None)),
            Err(_) if is_wall && shared.pairs.is_empty() => Ok((Clock::Wall, None)),
            Err(problem) if is_wall => Ok((Clock::Wall, Some(format!("shared markers were not used: {problem}")))),
            Err(problem) => Err(problem),
        }
    }

    /// A time that no session can hold is refused, never bent.
    pub fn to_session(&self, other_s: f64) -> Result<Timestamp, Failure> {
        let at = match self {
            Clock::Given { offset_s } => Timestamp::checked_from_secs_f64(other_s + offset_s),
            Clock::Wall => Timestamp::checked_from_secs_f64(other_s),
            // The fit itself bends what is too large.
            Clock::Fitted { fit, .. } => Timestamp::checked_from_secs_f64(other_s)
                .and_then(|_| Timestamp::checked_from_secs_f64(fit.to_session(other_s).as_secs_f64())),
        };
        at.ok_or_else(|| format!("the time {other_s:e} s lies centuries away: nothing was imported").into())
    }

    pub fn told(&self) -> String {
        match self {
            Clock::Given { offset_s } => format!("{offset_s} s added to its times"),
            Clock::Wall => "placed by its wall-clock times, as far as the two computers' clocks agree".to_owned(),
            Clock::Fitted { fit, names } => {
                let residual =
                    fit.largest_residual_s.map_or(String::new(), |r| format!(", at most {:.1} ms off", 1e3 * r));
                format!(
                    "offset {:.6} s and drift {:.2} ppm fitted from {} shared markers ({}){residual}{}",
                    fit.offset_s,
                    1e6 * fit.drift,
                    fit.markers,
                    names.join(", "),
                    left_out(&fit.left_out)
                )
            }
        }
    }

    pub fn json(&self) -> Value {
        match self {
            Clock::Given { offset_s } => json!({ "offset_s": offset_s }),
            Clock::Wall => json!({ "wall_clock": true }),
            Clock::Fitted { fit, names } => json!({ "fit": fit, "shared": names }),
        }
    }
}

/// The markers that both have by name and that cannot be the same moments.
fn left_out(markers: &[LeftOut]) -> String {
    let Some(farthest) = markers.iter().max_by(|a, b| a.residual_s.abs().total_cmp(&b.residual_s.abs())) else {
        return String::new();
    };
    format!(
        "; {} shared marker(s) left out that lie elsewhere (the one at {:.3} s of the file's time by {:.3} s)",
        markers.len(),
        farthest.other_s,
        farthest.residual_s
    )
}

fn fitted(file: &EventFile, shared: &SharedMarkers) -> Result<Clock, Failure> {
    if shared.pairs.is_empty() {
        let uneven = match &shared.uneven[..] {
            [] => String::new(),
            uneven => format!(" (not equally often: {})", listed(uneven.iter().map(ToString::to_string).collect())),
        };
        return Err(format!(
            "the file and the session share no marker{uneven}. The file's events are: {}. Mark the same moments in both, or \
             say with --offset how many seconds to add to the file's times",
            listed(kinds(&file.events))
        )
        .into());
    }
    let fits = |pairs: &[(f64, Timestamp)]| {
        let fit = fit_drift(pairs)?;
        match fit.largest_residual_s.filter(|r| *r > LARGEST_RESIDUAL_S) {
            None => Ok(fit),
            Some(residual_s) => Err(Failure::from(format!(
                "the shared markers ({}) disagree by up to {residual_s:.3} s: some of them are not the same events. Say with \
                 --shared which are",
                shared.names.join(", ")
            ))),
        }
    };
    match fits(&shared.pairs) {
        Ok(fit) => Ok(Clock::Fitted { fit, names: shared.names.clone() }),
        // Two units differ by a thousand, and then no line fits: one of another unit may.
        Err(problem) => Err(match other_unit(file, &shared.pairs, |pairs| fits(pairs).is_ok()) {
            Some(unit) => format!("{problem}. Read in {unit} they would agree: try --unit {unit}").into(),
            None => problem,
        }),
    }
}

/// With one pair or two any unit fits somehow, so that says nothing.
fn other_unit(
    file: &EventFile,
    pairs: &[(f64, Timestamp)],
    fits: impl Fn(&[(f64, Timestamp)]) -> bool,
) -> Option<TimeUnit> {
    let read = file.unit.filter(|_| pairs.len() > 2)?;
    TimeUnit::ALL.into_iter().filter(|unit| *unit != read).find(|unit| {
        let scale = unit.ns() as f64 / read.ns() as f64;
        fits(&pairs.iter().map(|(other_s, at)| (other_s * scale, *at)).collect::<Vec<_>>())
    })
}

/// Says of every marker that was asked for and is not shared how often it stands where, and which would do.
fn not_shared(shared: &SharedMarkers, events: &[ForeignEvent], timeline: &Timeline) -> String {
    let asked: Vec<String> = shared.uneven.iter().map(ToString::to_string).collect();
    let both = shared_markers(events, timeline, &[]).names;
    let known = if both.is_empty() {
        format!("No name is in both equally often; the file's events are: {}", listed(kinds(events)))
    } else {
        format!("Names that both have equally often: {}", listed(both))
    };
    format!("no marker to rely on: {}. {known}", asked.join("; "))
}

fn kinds(events: &[ForeignEvent]) -> Vec<String> {
    let mut kinds: Vec<String> = events.iter().map(|e| e.kind.clone()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(TOLD_NAMES);
    names.truncate(TOLD_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &more
}
