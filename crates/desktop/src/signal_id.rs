//! The name of a signal: a field of a sample stream, `pulse.rate_bpm`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use session::StreamName;

/// `stream.field`. A stream's name has no dot, so the first dot is between the two.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignalId {
    pub stream: StreamName,
    pub field: String,
}

impl SignalId {
    /// The name on the screen.
    pub fn title(&self) -> String {
        format!("{} · {}", self.stream, self.field)
    }
}

impl FromStr for SignalId {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        match s.split_once('.') {
            Some((stream, field)) if !field.is_empty() => {
                Ok(SignalId { stream: stream.parse()?, field: field.to_owned() })
            }
            _ => Err(format!("`{}` is no signal: write STREAM.FIELD, for example pulse.rate_bpm", s.escape_debug())),
        }
    }
}

impl TryFrom<String> for SignalId {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<SignalId> for String {
    fn from(id: SignalId) -> String {
        id.to_string()
    }
}

impl fmt::Display for SignalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.stream, self.field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_is_written_as_stream_and_field() {
        // Labels of other programs may have any character.
        for (text, stream, field) in
            [("pulse.rate_bpm", "pulse", "rate_bpm"), ("lsl_amp.Fp1. left (µV)", "lsl_amp", "Fp1. left (µV)")]
        {
            let signal: SignalId = text.parse().unwrap();
            assert_eq!((signal.stream.as_str(), signal.field.as_str()), (stream, field));
            assert_eq!(signal.to_string(), text);
        }
        assert_eq!("pulse.rate_bpm".parse::<SignalId>().unwrap().title(), "pulse · rate_bpm");
        for bad in ["", "pulse", "pulse.", ".rate_bpm", "Pulse.rate_bpm"] {
            assert!(bad.parse::<SignalId>().is_err(), "{bad}");
        }
    }
}
