//! `affectograph import`

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::Failure;
use super::args::Import;
use super::show::session_folder;
use crate::analysis::{DriftFit, fit_drift};
use crate::import::{Columns, ForeignEvent, SharedMarkers, read_events, shared_markers};
use crate::session::{Body, StreamInfo, Timestamp, imported_stream, program};
use crate::store::{Annex, SessionFile};

/// Shared markers that lie farther from the fitted line are not the same events.
const LARGEST_RESIDUAL_S: f64 = 0.1;

pub fn run(a: &Import) -> Result<ExitCode, Failure> {
    let folder = session_folder(&a.session);
    let events = read_events(&a.events, &Columns { time: a.time.clone(), kind: a.kind.clone() })?;
    let file = SessionFile::open(&folder)?;
    let timeline = file.timeline()?;
    let name = a.name.clone().unwrap_or_else(|| file_stem(&a.events));
    let info = imported_stream(&name);
    if file.streams().iter().any(|s| s.name == info.name) {
        return Err(format!(
            "the session has a stream `{}` already: give these events another name with --name",
            info.name
        )
        .into());
    }
    let clock = match a.offset {
        Some(offset_s) if offset_s.is_finite() => Clock::Given { offset_s },
        Some(offset_s) => return Err(format!("`{offset_s}` is no offset in seconds").into()),
        None => fitted(&events, &shared_markers(&events, &timeline, &a.shared))?,
    };
    let info =
        StreamInfo { software: format!("{} from {}, {}", program(), file_name(&a.events), clock.told()), ..info };
    let span = timeline.span().unwrap_or_default();
    let bodies: Vec<_> = events.iter().map(|e| (clock.to_session(e.at_s), body(e, &clock))).collect();
    let outside = bodies.iter().filter(|(at, _)| *at < span.0 || *at > span.1).count();
    let count = bodies.len();
    drop(file);

    let mut annex = Annex::open(&folder)?;
    let mut draft = annex.draft()?;
    draft.add_stream(&info, &a.author)?;
    draft.append(info.name.as_str(), bodies)?;
    draft.commit()?;
    annex.close()?;

    if a.json {
        println!(
            "{}",
            json!({ "stream": info.name, "events": count, "outside_the_recording": outside, "clock": clock.json() })
        );
    } else {
        println!("{count} event(s) in the stream {}: {}", info.name, clock.told());
        if outside > 0 {
            println!("{outside} of them outside the recording");
        }
    }
    Ok(ExitCode::SUCCESS)
}

enum Clock {
    Given { offset_s: f64 },
    Fitted { fit: DriftFit, names: Vec<String> },
}

impl Clock {
    fn to_session(&self, other_s: f64) -> Timestamp {
        match self {
            Clock::Given { offset_s } => Timestamp::from_secs_f64(other_s + offset_s),
            Clock::Fitted { fit, .. } => fit.to_session(other_s),
        }
    }

    fn told(&self) -> String {
        match self {
            Clock::Given { offset_s } => format!("{offset_s} s added to its times"),
            Clock::Fitted { fit, names } => {
                let residual =
                    fit.largest_residual_s.map_or(String::new(), |r| format!(", at most {:.1} ms off", 1e3 * r));
                format!(
                    "offset {:.6} s and drift {:.2} ppm fitted from {} shared markers ({}){residual}",
                    fit.offset_s,
                    1e6 * fit.drift,
                    fit.markers,
                    names.join(", ")
                )
            }
        }
    }

    fn json(&self) -> Value {
        match self {
            Clock::Given { offset_s } => json!({ "offset_s": offset_s }),
            Clock::Fitted { fit, names } => json!({ "fit": fit, "shared": names }),
        }
    }
}

fn fitted(events: &[ForeignEvent], shared: &SharedMarkers) -> Result<Clock, Failure> {
    if shared.pairs.is_empty() {
        let mut kinds: Vec<&str> = events.iter().map(|e| e.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.truncate(12);
        let uneven = match &shared.uneven[..] {
            [] => String::new(),
            names => format!(" ({} stand in both, but not equally often)", names.join(", ")),
        };
        return Err(format!(
            "the file and the session share no marker{uneven}. The file's events are: {}. Mark the same moments in both, or \
             say with --offset how many seconds to add to the file's times",
            kinds.join(", ")
        )
        .into());
    }
    let fit = fit_drift(&shared.pairs)?;
    if let Some(residual_s) = fit.largest_residual_s.filter(|r| *r > LARGEST_RESIDUAL_S) {
        return Err(format!(
            "the shared markers ({}) disagree by up to {residual_s:.3} s: some of them are not the same events. Say with \
             --shared which are",
            shared.names.join(", ")
        )
        .into());
    }
    Ok(Clock::Fitted { fit, names: shared.names.clone() })
}

/// The other program's own time stays beside what was made of it.
fn body(event: &ForeignEvent, clock: &Clock) -> Body {
    let mut data = event.data.clone();
    data.insert("imported_s".to_owned(), json!(event.at_s));
    if let Some(duration_s) = event.duration_s {
        data.insert("until_ns".to_owned(), json!(clock.to_session(event.at_s + duration_s).as_ns()));
    }
    Body::Event { kind: event.kind.clone(), data }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn file_stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
