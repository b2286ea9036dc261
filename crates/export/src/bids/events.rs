//! `_events.tsv`: actions of participant and operator, and missing data, on the session clock.

use std::collections::{BTreeMap, HashSet};
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::files::{with_suffix, write_json};
use super::hed;
use crate::atomic_write::write_file;
use crate::cells::{UNKNOWN, seconds, seconds_of_ns, tsv_cell};
use crate::{ExportError, ExportedSession};
use session::{EventData, EventRow, LSL_CLOCK, PAGE, PAGE_CLOCK, Timeline, Timestamp, program};

/// Annotations from after the session. `removed` removes one.
const ANNOTATION: &str = "annotation";
const PHASE: &str = "phase";

struct Row<'a> {
    at: Timestamp,
    duration_ns: i64,
    stream: &'a str,
    kind: &'a str,
    data: Map<String, Value>,
}

pub(super) fn write(session: &ExportedSession, stem: &Path) -> Result<(), ExportError> {
    let rows = rows(&session.timeline);
    write_file(&with_suffix(stem, "_events.tsv"), |out| {
        writeln!(out, "onset\tduration\ttrial_type\tstream\tkind\tlabel\ttarget\tpointer_device\tdata_json")?;
        for row in &rows {
            let word = |key| row.data.get(key).and_then(Value::as_str).map_or(UNKNOWN.to_owned(), tsv_cell);
            let label = match word("label") {
                none if none == UNKNOWN => word("name"),
                label => label,
            };
            let data =
                if row.data.is_empty() { UNKNOWN.to_owned() } else { Value::Object(row.data.clone()).to_string() };
            writeln!(
                out,
                "{}\t{}\t{}/{}\t{}\t{}\t{label}\t{}\t{}\t{data}",
                seconds(row.at),
                seconds_of_ns(row.duration_ns),
                row.stream,
                tsv_cell(row.kind),
                row.stream,
                tsv_cell(row.kind),
                word("target"),
                word("device"),
            )?;
        }
        Ok(())
    })?;
    write_json(&with_suffix(stem, "_events.json"), &sidecar(session, &rows))
}

fn rows(timeline: &Timeline) -> Vec<Row<'_>> {
    let removed: HashSet<&Value> = timeline
        .events()
        .iter()
        .filter(|e| e.stream.as_str() == ANNOTATION && e.what.kind == "removed")
        .filter_map(|e| e.what.data.get("id"))
        .collect();
    let is_shown = |e: &&EventRow<EventData>| match e.stream.as_str() {
        // Measurements of the clock are not actions.
        PAGE_CLOCK | LSL_CLOCK => false,
        ANNOTATION => e.what.kind != "removed" && e.what.data.get("id").is_none_or(|id| !removed.contains(id)),
        _ => true,
    };
    let events = timeline.events();
    let happened = events.iter().enumerate().filter(|(_, e)| is_shown(e)).map(|(k, e)| Row {
        at: e.at,
        duration_ns: duration_ns(e, &events[k..]),
        stream: e.stream.as_str(),
        kind: &e.what.kind,
        data: e.what.data.clone(),
    });
    let missing = timeline.gaps().iter().map(|g| {
        let mut data = Map::from_iter([
            ("stream".to_owned(), Value::from(g.stream.as_str())),
            ("lost".to_owned(), Value::from(g.what.lost)),
        ]);
        if !g.what.note.is_empty() {
            data.insert("note".to_owned(), Value::from(g.what.note.as_str()));
        }
        let duration_ns = g.what.until.since_ns(g.at).max(0);
        Row { at: g.at, duration_ns, stream: "gap", kind: g.what.reason.as_str(), data }
    });
    let mut rows: Vec<_> = happened.chain(missing).collect();
    rows.sort_by_key(|r| r.at);
    rows
}

/// The duration of an event: its own, or until its end event in `following`. Otherwise 0 s.
fn duration_ns(event: &EventRow<EventData>, following: &[EventRow<EventData>]) -> i64 {
    if let Some(until_ns) = event.what.data.get("until_ns").and_then(Value::as_i64) {
        return until_ns.saturating_sub(event.at.as_ns()).max(0);
    }
    // An unresponsive page. Several such times that are reported as one event have no common end.
    if event.stream.as_str() == PAGE && event.what.kind == "busy" && !event.what.data.contains_key("count") {
        let length_ms = event.what.data.get("length_ms").and_then(Value::as_f64).unwrap_or(0.0);
        return (length_ms * 1e6) as i64;
    }
    if event.stream.as_str() != PHASE || event.what.kind != "start" {
        return 0;
    }
    let name = event.what.data.get("name");
    let end = following
        .iter()
        .find(|e| e.stream.as_str() == PHASE && e.what.kind == "end" && e.what.data.get("name") == name);
    end.map_or(0, |e| e.at.since_ns(event.at))
}

fn sidecar(session: &ExportedSession, rows: &[Row<'_>]) -> Value {
    let kinds: BTreeMap<String, (&str, &str)> =
        rows.iter().map(|r| (format!("{}/{}", r.stream, tsv_cell(r.kind)), (r.stream, r.kind))).collect();
    let described =
        |(word, (stream, kind)): (&String, &(&str, &str))| (word.clone(), json!(meaning(session, stream, kind)));
    let levels: Map<_, _> = kinds.iter().map(described).collect();
    let tags: Map<_, _> =
        kinds.iter().map(|(word, (stream, kind))| (word.clone(), json!(hed::tags(stream, kind)))).collect();
    let devices: Map<_, _> = hed::POINTERS.iter().map(|(word, says, _)| ((*word).to_owned(), json!(says))).collect();
    let device_tags: Map<_, _> = hed::POINTERS.iter().map(|(word, _, tag)| ((*word).to_owned(), json!(tag))).collect();
    json!({
        "TaskName": session.header.study.name,
        "TaskDescription": task_description(session),
        "PageClockUncertainty_ms": session.quality.clock_uncertainty_ms,
        "StimulusPresentation": {
            "SoftwareName": "affectograph",
            "SoftwareVersion": session.header.software,
            "OperatingSystem": session.header.host,
        },
        "GeneratedBy": program(),
        "onset": { "Description": "time of the event on the session clock; its zero is in the sessions table", "Units": "s" },
        "duration": { "Description": "duration of the event; 0 for a momentary event", "Units": "s" },
        "trial_type": { "Description": "stream and kind", "Levels": levels, "HED": tags },
        "stream": { "Description": "stream of the session; `gap`: data is missing" },
        "kind": { "Description": "kind of the event; for a gap, why data is missing" },
        "label": { "Description": "name given by the operator, the page's author or the annotator" },
        "target": { "Description": "CSS selector of the page's element" },
        "pointer_device": { "Description": "pointing device of the participant", "Levels": devices, "HED": device_tags },
        "data_json": { "Description": "all other data of the event, as a JSON object" },
    })
}

/// The study's description, or its title if it has none.
pub(super) fn task_description(session: &ExportedSession) -> String {
    let said = session.header.study.excerpt().map(|s| s.description).unwrap_or_default();
    if said.trim().is_empty() { session.header.study.title.clone() } else { said }
}

fn meaning(session: &ExportedSession, stream: &str, kind: &str) -> String {
    if stream == "gap" {
        let reason = session::GapReason::from_stored(kind);
        return format!("data is missing: {}", reason.map_or(kind.to_owned(), |r| r.to_string()));
    }
    let described = session.timeline.streams().find(|s| s.name.as_str() == stream).map(|s| s.description.as_str());
    format!("{kind}: {}", described.unwrap_or("an event"))
}
