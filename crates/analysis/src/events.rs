//! Selects events by stream, kind, target, value or regular expression.

use std::collections::HashSet;
use std::fmt;
use std::str::FromStr;

use regex::Regex;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::AnalysisError;
use session::{EventData, EventRow, StreamName, TAKEN_BACK, Timeline, Timestamp};

/// The field with the target of an event, in the data of all streams.
const TARGETS: [&str; 2] = ["target", "selector"];
const VALUES: [&str; 6] = ["value", "label", "name", "key", "id", "note"];
/// The kind of event that removes another one. Its data contains the `id` of the other one.
const REMOVED: &str = "removed";

/// All given conditions must be met.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventChoice {
    pub stream: StreamName,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The element's recorded selector, `button#buy`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The event's value, label, name, key, id or note.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// A regular expression found in the kind or in any of the event's data.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// Only in sessions of this condition of the study. The reader of the sessions applies it, because a timeline does not
    /// have the session's header.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
}

/// An event that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Onset {
    pub at: Timestamp,
    /// Of the event in its stream.
    pub seq: u64,
}

impl EventChoice {
    pub fn stream(stream: StreamName) -> EventChoice {
        EventChoice { stream, kind: None, target: None, value: None, matches: None, condition: None }
    }

    /// Selects all events like this one: by stream, kind and target, or by value if it has no target.
    pub fn like(event: &EventRow<EventData>) -> EventChoice {
        let first = |names: &[&str]| names.iter().find_map(|name| event.what.data.get(*name)).map(text);
        let target = first(&TARGETS);
        EventChoice {
            stream: event.stream.as_ref().clone(),
            kind: Some(event.what.kind.clone()),
            value: if target.is_none() { first(&VALUES) } else { None },
            target,
            matches: None,
            condition: None,
        }
    }

    /// Whether a session of this condition is asked for.
    pub fn takes_condition(&self, condition: Option<&str>) -> bool {
        self.condition.as_deref().is_none_or(|wanted| condition == Some(wanted))
    }

    /// Ordered by time, without removed events (annotations).
    pub fn choose(&self, timeline: &Timeline) -> Result<Vec<Onset>, AnalysisError> {
        let pattern = self.pattern()?;
        let ours = || timeline.events().iter().filter(|e| *e.stream == self.stream);
        let removed: HashSet<&str> =
            ours().filter(|e| e.what.kind == REMOVED).filter_map(|e| e.what.data.get("id")?.as_str()).collect();
        let stands = |e: &EventRow<EventData>| {
            e.what.data.get("id").and_then(Value::as_str).is_none_or(|id| !removed.contains(id))
        };
        let chosen = ours().filter(|e| self.takes(&e.what, pattern.as_ref()) && stands(e));
        Ok(chosen.map(|e| Onset { at: e.at, seq: e.seq }).collect())
    }

    pub fn count(&self, timeline: &Timeline) -> Result<usize, AnalysisError> {
        Ok(self.choose(timeline)?.len())
    }

    /// The kinds of events that are needed for the selection, with those that remove events. `None`: all kinds of the stream.
    pub fn kinds(&self) -> Option<[&str; 3]> {
        self.kind.as_deref().map(|kind| [kind, REMOVED, TAKEN_BACK])
    }

    fn pattern(&self) -> Result<Option<Regex>, AnalysisError> {
        let compile = |pattern: &String| {
            Regex::new(pattern)
                .map_err(|e| AnalysisError::Pattern { pattern: pattern.clone(), problem: last_line(&e.to_string()) })
        };
        self.matches.as_ref().map(compile).transpose()
    }

    fn takes(&self, what: &EventData, pattern: Option<&Regex>) -> bool {
        let says = |names: &[&str], wanted: &Option<String>| {
            wanted.as_ref().is_none_or(|wanted| {
                names.iter().any(|name| what.data.get(*name).is_some_and(|v| !v.is_null() && text(v) == *wanted))
            })
        };
        self.kind.as_ref().map_or(what.kind != REMOVED, |kind| *kind == what.kind)
            && says(&TARGETS, &self.target)
            && says(&VALUES, &self.value)
            && pattern.is_none_or(|p| p.is_match(&what.kind) || any_text(&what.data, &|t| p.is_match(t)))
    }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Whether the text of any leaf passes, at any depth.
fn any_text(data: &Map<String, Value>, passes: &dyn Fn(&str) -> bool) -> bool {
    fn leaf(value: &Value, passes: &dyn Fn(&str) -> bool) -> bool {
        match value {
            Value::Object(fields) => fields.values().any(|v| leaf(v, passes)),
            Value::Array(items) => items.iter().any(|v| leaf(v, passes)),
            Value::String(s) => passes(s),
            other => passes(&other.to_string()),
        }
    }
    data.values().any(|v| leaf(v, passes))
}

/// The last line of a regex error. The lines before it draw the pattern.
fn last_line(message: &str) -> String {
    message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
}

/// `page/click target=button#buy value="Buy now" matches=^b`, the format of the command line and of reports.
impl fmt::Display for EventChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.stream)?;
        if let Some(kind) = &self.kind {
            write!(f, "/{kind}")?;
        }
        let fields = [
            ("target", &self.target),
            ("value", &self.value),
            ("matches", &self.matches),
            ("condition", &self.condition),
        ];
        for (name, value) in fields {
            match value {
                Some(v) if v.is_empty() || v.contains(|c: char| c.is_whitespace() || c == '"' || c == '\\') => {
                    write!(f, " {name}=\"{}\"", v.replace('\\', "\\\\").replace('"', "\\\""))?;
                }
                Some(v) => write!(f, " {name}={v}")?,
                None => {}
            }
        }
        Ok(())
    }
}

impl FromStr for EventChoice {
    type Err = AnalysisError;

    fn from_str(s: &str) -> Result<Self, AnalysisError> {
        let wrong = |problem: String| AnalysisError::EventChoice { text: s.to_owned(), problem };
        let words = words(s).map_err(wrong)?;
        let (first, rest) = words.split_first().ok_or_else(|| wrong("it is empty".into()))?;
        let (stream, kind) = match first.split_once('/') {
            Some((stream, kind)) => (stream, Some(kind.to_owned())),
            None => (first.as_str(), None),
        };
        let mut choice = EventChoice::stream(stream.parse().map_err(wrong)?);
        if kind.as_ref().is_some_and(String::is_empty) {
            return Err(wrong("the kind after `/` is empty".into()));
        }
        choice.kind = kind;
        for word in rest {
            let (name, value) = word.split_once('=').ok_or_else(|| wrong(format!("`{word}` says no name")))?;
            let slot = match name {
                "target" => &mut choice.target,
                "value" => &mut choice.value,
                "matches" => &mut choice.matches,
                "condition" => &mut choice.condition,
                _ => return Err(wrong(format!("`{name}` is none of target, value, matches, condition"))),
            };
            if slot.replace(value.to_owned()).is_some() {
                return Err(wrong(format!("`{name}` is given twice")));
            }
        }
        choice.pattern()?;
        Ok(choice)
    }
}

/// Splits at spaces. Text in double quotes stays together. In it, `\"` and `\\` mean `"` and `\`.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), None::<String>, false);
    let mut letters = text.chars();
    while let Some(c) = letters.next() {
        match c {
            '"' => {
                is_quoted = !is_quoted;
                word.get_or_insert_default();
            }
            '\\' if is_quoted => word.get_or_insert_default().push(letters.next().ok_or("it ends after `\\`")?),
            c if c.is_whitespace() && !is_quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    if is_quoted {
        return Err("a quote is not closed".into());
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;
    use session::{Body, Record, marker_stream, page_stream};
    use std::sync::Arc;

    fn timeline() -> Timeline {
        let mut t = Timeline::default();
        [page_stream(), marker_stream()].into_iter().for_each(|s| t.declare(s));
        let events = [
            ("page", "click", json!({"target": "button#buy", "label": "Buy", "x_px": 10.5})),
            ("page", "click", json!({"target": "button#sell", "label": "Sell"})),
            ("page", "mark", json!({"name": "trial", "data": {"n": 3, "words": ["lemon", "boat"]}})),
            ("marker", "marker", json!({"label": "start", "key": "1", "id": "a1"})),
            ("marker", "removed", json!({"id": "a1"})),
            ("marker", "marker", json!({"label": "start", "key": "1", "id": "a2"})),
        ];
        for (seq, (stream, kind, data)) in events.into_iter().enumerate() {
            let stream = Arc::new(stream.parse().unwrap());
            let at = Timestamp::from_ns(seq as i64);
            t.ingest(&Record { stream, seq: seq as u64, at, body: Body::event(kind, data) });
        }
        t
    }

    fn chosen(text: &str) -> Vec<u64> {
        text.parse::<EventChoice>().unwrap().choose(&timeline()).unwrap().iter().map(|o| o.seq).collect()
    }

    #[test]
    fn events_are_chosen_by_all_that_is_said() {
        assert_eq!(chosen("page"), [0, 1, 2]);
        assert_eq!(chosen("page/click"), [0, 1]);
        assert_eq!(chosen("page/click target=button#buy"), [0]);
        assert_eq!(chosen("page value=Sell"), [1]);
        assert_eq!(chosen("page matches=^(Buy|lemon)$"), [0, 2]);
        assert_eq!(chosen("page/click target=button#buy value=Sell"), [] as [u64; 0]);
        assert_eq!(chosen("marker value=start"), [5], "one of them was taken back");
        assert_eq!(chosen("pulse"), [] as [u64; 0]);
    }

    #[test]
    fn a_marker_that_was_taken_back_is_not_chosen() {
        let mut t = Timeline::default();
        t.declare(marker_stream());
        let at = |s: i64| Timestamp::from_ns(s * 1_000_000_000);
        let press = |label: &str| Body::event("marker", json!({ "label": label }));
        let stream = Arc::new("marker".parse().unwrap());
        let bodies = [(1, press("go")), (2, press("go")), (3, session::taken_back(at(2))), (4, press("go"))];
        for (seq, (s, body)) in bodies.into_iter().enumerate() {
            t.ingest(&Record { stream: Arc::clone(&stream), seq: seq as u64, at: at(s), body });
        }
        for choice in ["marker", "marker/marker", "marker value=go"] {
            let found = choice.parse::<EventChoice>().unwrap();
            assert_eq!(found.choose(&t).unwrap().iter().map(|o| o.seq).collect::<Vec<_>>(), [0, 3], "{choice}");
        }
        let kinds = "marker/marker".parse::<EventChoice>().unwrap();
        assert!(kinds.kinds().unwrap().contains(&TAKEN_BACK), "read from the file with the markers");
    }

    #[test]
    fn all_like_this_one_finds_it_again() {
        let t = timeline();
        for event in t.events().iter().filter(|e| e.what.kind != REMOVED && e.seq != 3) {
            let like = EventChoice::like(event);
            assert!(like.choose(&t).unwrap().iter().any(|o| o.seq == event.seq), "{like}");
        }
    }

    #[test]
    fn what_chooses_nothing_is_refused_with_a_sentence() {
        for (bad, says) in [
            ("", "empty"),
            ("Page", "is not a stream name"),
            ("page/", "kind after"),
            ("page click", "says no name"),
            ("page size=3", "none of target"),
            ("page value=a value=b", "twice"),
            ("page value=\"a", "not closed"),
            ("page matches=(", "no regular expression"),
        ] {
            let error = bad.parse::<EventChoice>().unwrap_err().to_string();
            assert!(error.contains(says), "{bad}: {error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            kind in prop::option::of("[a-z_]{1,9}"), target in prop::option::of("\\PC{0,20}"),
            value in prop::option::of("\\PC{0,20}"), matches in prop::option::of("[a-z ^$.\"]{0,9}"),
            condition in prop::option::of("[a-z_-]{1,9}"),
        ) {
            let choice = EventChoice { stream: "page".parse().unwrap(), kind, target, value, matches, condition };
            prop_assert_eq!(choice.to_string().parse::<EventChoice>(), Ok(choice.clone()), "{}", choice);
            let json = serde_json::to_string(&choice).unwrap();
            prop_assert_eq!(serde_json::from_str::<EventChoice>(&json).unwrap(), choice);
        }
    }
}
