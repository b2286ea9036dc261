//! A marker or note of the operator.

use serde_json::{Value, json};

use session::Body;

#[derive(Clone, Debug, PartialEq)]
pub struct MarkerText {
    /// The marker's key in the study; `None` for a typed note.
    pub key: Option<char>,
    pub label: String,
    /// May be empty.
    pub note: String,
}

impl MarkerText {
    pub(super) fn body(&self) -> Body {
        let kind = if self.key.is_some() { "marker" } else { "note" };
        let mut data = json!({ "label": self.label });
        if let Some(key) = self.key {
            data["key"] = Value::from(key.to_string());
        }
        if !self.note.is_empty() {
            data["note"] = Value::from(self.note.as_str());
        }
        Body::event(kind, data)
    }
}
