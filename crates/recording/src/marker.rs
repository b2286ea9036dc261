//! A marker or note of the operator.

use serde_json::{Value, json};

use session::{Body, MARKER_KIND, Marker};

#[derive(Clone, Debug, PartialEq)]
pub struct MarkerText {
    /// The marker's key in the study; `None` for a typed note.
    pub key: Option<char>,
    pub label: String,
    /// May be empty.
    pub note: String,
    /// What set the marker, if not the operator's window: `pad`, `page`, `phone …`.
    pub via: Option<String>,
}

impl MarkerText {
    /// A marker whose key was pressed while the page had the keyboard.
    pub(super) fn of_page(marker: &Marker) -> MarkerText {
        MarkerText {
            key: Some(marker.key),
            label: marker.label.clone(),
            note: String::new(),
            via: Some("page".to_owned()),
        }
    }

    pub(super) fn body(&self) -> Body {
        let kind = if self.key.is_some() { MARKER_KIND } else { "note" };
        let mut data = json!({ "label": self.label });
        if let Some(key) = self.key {
            data["key"] = Value::from(key.to_string());
        }
        if !self.note.is_empty() {
            data["note"] = Value::from(self.note.as_str());
        }
        if let Some(via) = &self.via {
            data["via"] = Value::from(via.as_str());
        }
        Body::event(kind, data)
    }
}
