//! One line of text for an event of any stream.

use serde_json::{Map, Value};

use session::EventData;

/// `click  button#buy`, `marker  looked away`.
pub fn event(what: &EventData) -> String {
    let (kind, details) = (kind(&what.kind), details(&what.data));
    if details.is_empty() { kind } else { format!("{kind}  {details}") }
}

/// The kind of an event in words. The name in the file is the browser's or has underscores.
pub fn kind(stored: &str) -> String {
    match stored {
        "keydown" => "key".to_owned(),
        "keyup" => "key up".to_owned(),
        "input" => "edit".to_owned(),
        "dblclick" => "double click".to_owned(),
        "contextmenu" => "right click".to_owned(),
        "beforeunload" | "pagehide" => "page left".to_owned(),
        "visibilitychange" => "page shown or hidden".to_owned(),
        other => other.replace('_', " "),
    }
}

/// `page: key` for `page/keydown`.
pub fn stream_and_kind(stored: &str) -> String {
    match stored.split_once('/') {
        Some((stream, of_stream)) => format!("{}: {}", stream.replace('_', " "), kind(of_stream)),
        None => kind(stored),
    }
}

/// Whether an event has these words in its text or in its stored name. They are in small letters.
pub fn matches(what: &EventData, words: &str) -> bool {
    what.kind.to_lowercase().contains(words) || event(what).to_lowercase().contains(words)
}

/// The subjects of an event. They come first, in this order and without their field names.
const SUBJECTS: [&str; 11] =
    ["label", "name", "text", "target", "selector", "note", "key", "address", "url", "message", "sentence"];

/// Raw clocks and counters. They are not shown.
const SILENT: [&str; 10] =
    ["page_ms", "page_seq", "document", "rx", "t", "ms", "trusted", "until_ns", "event_ns", "uncertainty_ns"];

/// The data of an event as text, without raw clocks and counters.
pub fn details(data: &Map<String, Value>) -> String {
    let mut parts: Vec<String> = SUBJECTS.iter().filter_map(|name| data.get(*name)).filter_map(plain).collect();
    let others = data.iter().filter(|(name, _)| !SUBJECTS.contains(&name.as_str()) && !SILENT.contains(&name.as_str()));
    for (name, value) in others {
        if let Some(text) = plain(value) {
            parts.push(format!("{name} {text}"));
        }
    }
    parts.join("  ")
}

/// `None` for an empty value.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(s) if s.trim().is_empty() => None,
        // A row of the list has one line.
        Value::String(s) => Some(s.split_whitespace().collect::<Vec<_>>().join(" ")),
        Value::Number(n) => Some(match n.as_f64() {
            Some(f) if n.is_f64() => format!("{}", (f * 10.0).round() / 10.0),
            _ => n.to_string(),
        }),
        Value::Bool(b) => Some(b.to_string()),
        Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn text_of(kind: &str, data: Value) -> String {
        let Value::Object(data) = data else { panic!() };
        event(&EventData { kind: kind.into(), data })
    }

    #[test]
    fn subjects_come_first_and_raw_clocks_stay_silent() {
        assert_eq!(
            text_of("click", json!({"x": 10.04, "page_ms": 1.5, "target": "button#buy"})),
            "click  button#buy  x 10"
        );
        assert_eq!(text_of("note", json!({"label": "", "note": "looked\n away"})), "note  looked away");
        assert_eq!(text_of("blur", json!({})), "blur");
        assert_eq!(text_of("received", json!({"value": 5, "uncertainty_ns": 900_000})), "received  value 5");
    }

    #[test]
    fn kinds_are_words_and_their_stored_names_are_found_too() {
        assert_eq!(text_of("camera_lost", json!({})), "camera lost");
        assert_eq!(text_of("keydown", json!({"key": "a"})), "key  a");
        assert_eq!(stream_and_kind("page_clock/not_measured"), "page clock: not measured");
        let pressed = EventData { kind: "keydown".into(), data: Map::new() };
        assert!(matches(&pressed, "keydown") && matches(&pressed, "key") && !matches(&pressed, "click"));
    }
}
