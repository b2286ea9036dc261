//! The description of a stream. It is stored in the session file, so that the file can be read without other documents.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A stream's name: 1–32 lower-case letters, digits or `_`, starting with a letter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamName(String);

impl StreamName {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamName {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let letters_only = s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !letters_only || !s.starts_with(|c: char| c.is_ascii_lowercase()) || s.len() > 32 {
            return Err(format!(
                "`{}` is not a stream name: use 1 to 32 lower-case letters, digits or `_`, starting with a letter",
                s.escape_debug()
            ));
        }
        Ok(StreamName(s.to_owned()))
    }
}

impl TryFrom<String> for StreamName {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<StreamName> for String {
    fn from(name: StreamName) -> String {
        name.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StreamKind {
    /// Rows of numbers, one value per field.
    Samples,
    /// Events, each with a kind and data.
    Events,
}

/// One column of a sample stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    pub name: String,
    /// SI symbol, `px`, `deg`, or `1` for a plain number.
    pub unit: String,
    pub description: String,
}

impl Field {
    pub fn new(name: impl Into<String>, unit: &str, description: impl Into<String>) -> Self {
        Field { name: name.into(), unit: unit.to_owned(), description: description.into() }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamInfo {
    pub name: StreamName,
    pub kind: StreamKind,
    pub description: String,
    /// Empty for events.
    pub fields: Vec<Field>,
    /// `None` if the records have no fixed rate.
    pub nominal_rate_hz: Option<f64>,
    /// What produced the stream: program and version, or a network's name, version and sha256.
    pub software: String,
}

impl StreamInfo {
    pub fn field_index(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_safe_in_every_format() {
        let is_name = |name: &str| name.parse::<StreamName>().is_ok_and(|parsed| parsed.to_string() == name);
        assert!(["a", "affect_2", &"a".repeat(32)].into_iter().all(is_name));
        for bad in ["", "2a", "_a", "Affect", "a-b", "a b", "ä", &"a".repeat(33)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
