//! Converts the file's times to session times: by shared markers, by a given offset, or by the wall clock.

use serde_json::{Value, json};

use crate::cli::args::Import;
use crate::failure::Failure;
use analysis::import::{EventFile, FileClock, ForeignEvent, SharedMarkers, TimeUnit, shared_markers};
use analysis::{DriftFit, LeftOut, fit_drift};
use session::{Timeline, Timestamp};

/// Shared markers with a larger distance from the fitted line are not the same events.
const LARGEST_RESIDUAL_S: f64 = 0.1;
/// The largest number of names in a message.
const LISTED_NAMES: usize = 12;

pub(super) enum Clock {
    Given { offset_s: f64 },
    Fitted { fit: DriftFit, names: Vec<String> },
    Wall,
}

impl Clock {
    /// The clock, and a note for the user about the choice.
    pub fn choose(a: &Import, file: &EventFile, timeline: &Timeline) -> Result<(Clock, Option<String>), Failure> {
        if let Some(offset_s) = a.offset {
            return match offset_s.is_finite() {
                true => Ok((Clock::Given { offset_s }, None)),
                false => Err(format!("`{offset_s}` is not an offset in seconds: use a finite number").into()),
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

    /// Fails for a time that does not fit into a session. Such a time is not clamped.
    pub fn to_session(&self, other_s: f64) -> Result<Timestamp, Failure> {
        let at = match self {
            Clock::Given { offset_s } => Timestamp::checked_from_secs_f64(other_s + offset_s),
            Clock::Wall => Timestamp::checked_from_secs_f64(other_s),
            // The fit clamps large times, so the input is checked first.
            Clock::Fitted { fit, .. } => Timestamp::checked_from_secs_f64(other_s)
                .and_then(|_| Timestamp::checked_from_secs_f64(fit.to_session(other_s).as_secs_f64())),
        };
        at.ok_or_else(|| {
            format!("the time {other_s:e} s is centuries away: nothing was imported. Check --unit and --time").into()
        })
    }

    pub fn description(&self) -> String {
        match self {
            Clock::Given { offset_s } => format!("{offset_s} s added to its times"),
            Clock::Wall => {
                "placed by wall-clock times, with the difference between the two computers' clocks as error".to_owned()
            }
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

/// Describes the shared markers that are not the same events.
fn left_out(markers: &[LeftOut]) -> String {
    let Some(farthest) = markers.iter().max_by(|a, b| a.residual_s.abs().total_cmp(&b.residual_s.abs())) else {
        return String::new();
    };
    format!(
        "; {} shared marker(s) left out because they do not fit (the largest difference is that of the one at {:.3} s of the file's time: {:.3} s)",
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
            "the file and the session share no marker{uneven}. The file's events are: {}. Set the same markers in both, or \
             use --offset with the number of seconds to add to the file's times",
            listed(kinds(&file.events))
        )
        .into());
    }
    let fits = |pairs: &[(f64, Timestamp)]| {
        let fit = fit_drift(pairs)?;
        match fit.largest_residual_s.filter(|r| *r > LARGEST_RESIDUAL_S) {
            None => Ok(fit),
            Some(residual_s) => Err(Failure::from(format!(
                "the shared markers ({}) disagree by up to {residual_s:.3} s: some of them are not the same events. Use \
                 --shared to select those that are",
                shared.names.join(", ")
            ))),
        }
    };
    match fits(&shared.pairs) {
        Ok(fit) => Ok(Clock::Fitted { fit, names: shared.names.clone() }),
        // Units differ by a factor of 1000. No line fits times in a wrong unit, so other units are tried.
        Err(problem) => Err(match other_unit(file, &shared.pairs, |pairs| fits(pairs).is_ok()) {
            Some(unit) => format!("{problem}. In the unit {unit} they agree: try --unit {unit}").into(),
            None => problem,
        }),
    }
}

/// With one or two pairs each unit fits, so at least three pairs are needed.
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

/// The message about markers of `--shared` that are not shared: how often each occurs, and which names are shared.
fn not_shared(shared: &SharedMarkers, events: &[ForeignEvent], timeline: &Timeline) -> String {
    let missing: Vec<String> = shared.uneven.iter().map(ToString::to_string).collect();
    let both = shared_markers(events, timeline, &[]).names;
    let known = if both.is_empty() {
        format!("No name occurs in both equally often; the file's events are: {}", listed(kinds(events)))
    } else {
        format!("Names that occur in both equally often: {}", listed(both))
    };
    format!("these markers are not shared: {}. {known}", missing.join("; "))
}

fn kinds(events: &[ForeignEvent]) -> Vec<String> {
    let mut kinds: Vec<String> = events.iter().map(|e| e.kind.clone()).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds
}

fn listed(mut names: Vec<String>) -> String {
    let more = names.len().saturating_sub(LISTED_NAMES);
    names.truncate(LISTED_NAMES);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    names.join(", ") + &more
}
