//! Labels that a person gives to moments or ranges of a session after the recording.
//!
//! Annotations are events, and events are never deleted. A second event with the same id withdraws an annotation. The id
//! of a withdrawn annotation is not used again.

use std::collections::HashSet;

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value, json};

use super::{ANNOTATION, Body, Timeline, Timestamp};

#[derive(Clone, Debug, PartialEq)]
pub struct Annotation {
    /// Unique in its session.
    pub id: u64,
    pub label: String,
    pub from: Timestamp,
    /// `None` for a point.
    pub until: Option<Timestamp>,
    pub author: String,
    pub made_utc: DateTime<Utc>,
}

impl Annotation {
    pub fn body(&self) -> Body {
        let mut data = json!({
            "id": self.id.to_string(), "label": self.label, "author": self.author,
            "made_utc": self.made_utc.to_rfc3339_opts(SecondsFormat::Millis, true),
        });
        if let Some(until) = self.until {
            data["until_ns"] = Value::from(until.as_ns());
        }
        Body::event(if self.until.is_some() { "range" } else { "point" }, data)
    }

    /// The event that withdraws the annotation.
    pub fn removal(&self, author: &str, at_utc: DateTime<Utc>) -> Body {
        let made_utc = at_utc.to_rfc3339_opts(SecondsFormat::Millis, true);
        Body::event("removed", json!({"id": self.id.to_string(), "author": author, "made_utc": made_utc}))
    }

    /// `None` if the event lacks a field of an annotation.
    fn parse(at: Timestamp, kind: &str, data: &Map<String, Value>) -> Option<Annotation> {
        let text = |name: &str| data.get(name).and_then(Value::as_str);
        let until = match kind {
            "point" => None,
            "range" => Some(Timestamp::from_ns(data.get("until_ns")?.as_i64()?).max(at)),
            _ => return None,
        };
        Some(Annotation {
            id: id(data)?,
            label: text("label")?.to_owned(),
            from: at,
            until,
            author: text("author")?.to_owned(),
            made_utc: DateTime::parse_from_rfc3339(text("made_utc")?).ok()?.to_utc(),
        })
    }
}

fn id(data: &Map<String, Value>) -> Option<u64> {
    data.get("id")?.as_str()?.parse().ok()
}

/// The annotations that are not withdrawn, by time, and the lowest id above all used ids.
pub fn annotations(timeline: &Timeline) -> (Vec<Annotation>, u64) {
    let ours = || timeline.events().iter().filter(|e| e.stream.as_str() == ANNOTATION);
    let removed: HashSet<u64> = ours().filter(|e| e.what.kind == "removed").filter_map(|e| id(&e.what.data)).collect();
    let next = ours().filter_map(|e| id(&e.what.data)).max().map_or(0, |id| id.saturating_add(1));
    let all = ours().filter_map(|e| Annotation::parse(e.at, &e.what.kind, &e.what.data));
    let mut standing: Vec<Annotation> = all.filter(|a| !removed.contains(&a.id)).collect();
    standing.sort_by_key(|a| (a.from, a.id));
    (standing, next)
}

/// An author's labels at steps of `step_s` seconds. Each step has the label of the last range or point that begins at
/// or before it, or none. Cohen's kappa compares two such lists.
pub fn coding<'a>(
    annotations: &'a [Annotation],
    author: &str,
    span: (Timestamp, Timestamp),
    step_s: f64,
) -> Vec<Option<&'a str>> {
    let steps = (span.1.since_ns(span.0) as f64 * 1e-9 / step_s).ceil().clamp(0.0, 1e7) as usize;
    let step_of = |at: Timestamp| ((at.since_ns(span.0) as f64 * 1e-9 / step_s).floor().max(0.0) as usize).min(steps);
    let mut coded = vec![None; steps];
    for annotation in annotations.iter().filter(|a| a.author == author) {
        let first = step_of(annotation.from);
        let end = annotation.until.map_or(first, step_of).max(first) + 1;
        coded[first.min(steps)..end.min(steps)].fill(Some(annotation.label.as_str()));
    }
    coded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Record, StreamInfo, StreamKind};
    use std::sync::Arc;

    fn at(s: f64) -> Timestamp {
        Timestamp::from_secs_f64(s)
    }

    fn annotation(id: u64, from_s: f64, until_s: Option<f64>, author: &str) -> Annotation {
        Annotation {
            id,
            label: "smile".into(),
            from: at(from_s),
            until: until_s.map(at),
            author: author.into(),
            made_utc: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
        }
    }

    fn stored(bodies: Vec<(Timestamp, Body)>) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.declare(StreamInfo {
            name: ANNOTATION.parse().unwrap(),
            kind: StreamKind::Events,
            description: String::new(),
            fields: Vec::new(),
            nominal_rate_hz: None,
            software: String::new(),
        });
        let stream = Arc::new(ANNOTATION.parse().unwrap());
        for (seq, (at, body)) in bodies.into_iter().enumerate() {
            timeline.ingest(&Record { stream: Arc::clone(&stream), seq: seq as u64, at, body });
        }
        timeline
    }

    #[test]
    fn what_was_taken_back_is_gone() {
        let (a, b) = (annotation(0, 5.0, None, "ann"), annotation(1, 2.0, Some(4.0), "bob"));
        let utc = a.made_utc;
        let mut bodies = vec![(a.from, a.body()), (b.from, b.body())];
        assert_eq!(annotations(&stored(bodies.clone())), (vec![b.clone(), a.clone()], 2));
        bodies.push((a.from, a.removal("ann", utc)));
        assert_eq!(annotations(&stored(bodies)), (vec![b], 2));
    }

    #[test]
    fn a_damaged_event_is_no_annotation_but_keeps_its_number() {
        let broken = Body::event("range", json!({"id": "7", "label": "x", "author": "ann"}));
        assert_eq!(annotations(&stored(vec![(at(1.0), broken)])), (Vec::new(), 8));
    }

    #[test]
    fn coding_says_for_each_step_what_an_author_saw() {
        let all =
            [annotation(0, 0.25, Some(0.55), "ann"), annotation(1, 0.8, None, "ann"), annotation(2, 0.0, None, "bob")];
        let coded = coding(&all, "ann", (at(0.0), at(1.0)), 0.1);
        let marked: Vec<usize> = (0..coded.len()).filter(|k| coded[*k].is_some()).collect();
        assert_eq!(marked, [2, 3, 4, 5, 8]);
        assert_eq!(coding(&all, "eve", (at(0.0), at(1.0)), 0.1).iter().flatten().count(), 0);
    }
}
