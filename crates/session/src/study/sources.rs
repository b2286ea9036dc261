//! `[[sources]]`: other instruments that a session records.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A stream of Lab Streaming Layer.
    #[default]
    Lsl,
    /// A serial port: bytes in and out.
    Serial,
}

/// Which stream of the network belongs to the session. Nothing is recorded only because it is on the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSettings {
    pub kind: SourceKind,
    /// The stream's name. Empty: any. Of a serial port: what its stream in the session is called. Empty: as the port.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// The stream's content type, such as `EEG` or `Markers`. Empty: any.
    #[serde(default, rename = "type", skip_serializing_if = "String::is_empty")]
    pub content_type: String,
    /// The identifier that the sender gives its device. Empty: any.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source_id: String,
    /// A stream of texts can start the recording with this text. Empty: it cannot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub start_marker: String,
    /// A stream of texts can stop the recording with this text. Empty: it cannot.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub stop_marker: String,
    /// The path of a serial port, such as `/dev/ttyUSB0` or `COM3`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub port: String,
    /// Of a serial port. Numbers of a serial port are read as any integer, so that [`SourceSettings::check`] words the error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baud_rate: Option<i64>,
    /// A serial port gets the byte 0 this long after each byte. `None`: it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulse_ms: Option<i64>,
    /// Without a required source, no recording starts.
    #[serde(default = "required_by_default")]
    pub required: bool,
    /// The byte that a serial port gets for a mark of the page or a marker of the operator with this label.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub send: BTreeMap<String, i64>,
}

fn required_by_default() -> bool {
    true
}

impl SourceSettings {
    pub fn matches(&self, name: &str, content_type: &str, source_id: &str) -> bool {
        let is_it = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        is_it(&self.name, name) && is_it(&self.content_type, content_type) && is_it(&self.source_id, source_id)
    }

    /// What tells the source from others.
    fn keys(&self) -> [(&'static str, &str); 3] {
        match self.kind {
            SourceKind::Lsl => [("name", &self.name), ("type", &self.content_type), ("source_id", &self.source_id)],
            SourceKind::Serial => [("port", &self.port), ("", ""), ("", "")],
        }
    }

    /// Of a stream of Lab Streaming Layer.
    pub(super) fn check(&self) -> Result<(), String> {
        if !self.port.is_empty() || self.baud_rate.is_some() || self.pulse_ms.is_some() || !self.send.is_empty() {
            return Err(
                "`port`, `baud_rate`, `pulse_ms` and `send` belong to a source of `kind = \"serial\"`".to_owned()
            );
        }
        if !self.start_marker.is_empty() && self.start_marker == self.stop_marker {
            return Err("`start_marker` and `stop_marker` are the same text: give each its own".to_owned());
        }
        if self.keys().iter().all(|(_, value)| value.is_empty()) {
            return Err("a source needs `name`, `type` or `source_id`, so that no other stream is recorded".to_owned());
        }
        Ok(())
    }
}

/// `name=EDA,type=GSR`
impl fmt::Display for SourceSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given: Vec<String> =
            self.keys().iter().filter(|(_, v)| !v.is_empty()).map(|(key, value)| format!("{key}={value}")).collect();
        f.write_str(&given.join(","))
    }
}

/// Reads `EDA` (a name) or `name=EDA,type=GSR,source_id=…`. A source of the command line is required.
impl FromStr for SourceSettings {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut source = SourceSettings { required: true, ..SourceSettings::default() };
        if text.contains('=') {
            for part in text.split(',') {
                let (key, value) = part.split_once('=').unwrap_or((part, ""));
                let field = match key.trim() {
                    "name" => &mut source.name,
                    "type" => &mut source.content_type,
                    "source_id" => &mut source.source_id,
                    _ => {
                        return Err(format!(
                            "`{part}` is not known: write name=…, type=… or source_id=…, with commas between"
                        ));
                    }
                };
                value.trim().clone_into(field);
            }
        } else {
            text.trim().clone_into(&mut source.name);
        }
        source.check()?;
        Ok(source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Study;

    #[test]
    fn a_query_is_read_as_it_is_written() {
        let source: SourceSettings = "EDA".parse().unwrap();
        assert!(source.required && source.matches("EDA", "GSR", "x") && !source.matches("EDA 2", "GSR", "x"));
        let source: SourceSettings = "type=EEG, source_id=amp 7".parse().unwrap();
        assert_eq!(source.to_string(), "type=EEG,source_id=amp 7");
        assert!(source.matches("any", "EEG", "amp 7") && !source.matches("any", "EEG", "amp 8"));
        assert_eq!(source.to_string().parse(), Ok(source));
        for bad in ["", " ", "name=", "nome=EDA", "name=a,b"] {
            assert!(bad.parse::<SourceSettings>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_study_lists_its_sources() {
        let text = "name = \"a\"\ntitle = \"A\"\n[[sources]]\nkind = \"lsl\"\ntype = \"EEG\"\n\
            [[sources]]\nkind = \"lsl\"\nname = \"Marks\"\nrequired = false\n";
        let study = Study::parse(text).unwrap();
        let required: Vec<bool> = study.sources.iter().map(|s| s.required).collect();
        assert_eq!((required, study.sources[1].name.as_str()), (vec![true, false], "Marks"));
        let marked = text.replace("required = false\n", "start_marker = \"go\"\nstop_marker = \"end\"\n");
        assert_eq!(Study::parse(&marked).unwrap().sources[1].start_marker, "go");
        let e = Study::parse(&marked.replace("\"end\"", "\"go\"")).unwrap_err();
        assert!(e.message.contains("the same text"), "{e}");
        let e = Study::parse(&text.replace("name = \"Marks\"\n", "")).unwrap_err();
        assert!(e.line == 6 && e.message.contains("`source_id`"), "{e}");
        let e = Study::parse(&text.replace("\"lsl\"\ntype", "\"lls\"\ntype")).unwrap_err();
        assert_eq!(e.line, 4, "{e}");
    }
}
