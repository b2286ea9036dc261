//! The name of a signal: a field of a sample stream, `affect.valence`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use session::{ACTION, AFFECT, EYES, FACE, LANDMARKS, StreamInfo, StreamKind, StreamName};

/// The fields of streams about affect, and their short names.
const VALENCE: &str = "valence";
const AROUSAL: &str = "arousal";

/// Streams that are read from the picture of the face. Their later and rescored forms begin with the same word:
/// `affect_later`, `affect_net`.
const OF_THE_FACE: [&str; 5] = [AFFECT, FACE, LANDMARKS, ACTION, EYES];

/// More fields of one stream are not listed in a message.
const MOST_LISTED: usize = 24;

/// `stream.field`. Read from text, `valence` and `arousal` alone are those of the stream `affect`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SignalId {
    pub stream: StreamName,
    pub field: String,
}

impl SignalId {
    pub fn valence() -> SignalId {
        let [valence, _] = SignalId::of_affect(&affect());
        valence
    }

    pub fn arousal() -> SignalId {
        let [_, arousal] = SignalId::of_affect(&affect());
        arousal
    }

    /// Valence and arousal of `affect`, or of another stream that has them.
    pub fn of_affect(stream: &StreamName) -> [SignalId; 2] {
        [VALENCE, AROUSAL].map(|field| SignalId { stream: stream.clone(), field: field.to_owned() })
    }

    /// The name on screens: `pulse · rate_bpm`.
    pub fn title(&self) -> String {
        format!("{} · {}", self.stream, self.field)
    }

    /// Whether the field is valence or arousal, on their scale from −1 to 1.
    pub fn is_affect(&self) -> bool {
        self.is_valence() || self.is_arousal()
    }

    pub fn is_valence(&self) -> bool {
        self.field == VALENCE
    }

    pub fn is_arousal(&self) -> bool {
        self.field == AROUSAL
    }

    /// Whether the values are read from the picture of the face. Only then do the limits of the face's quality apply.
    pub fn is_of_the_face(&self) -> bool {
        OF_THE_FACE.iter().any(|word| {
            self.stream.as_str().strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
        })
    }
}

fn affect() -> StreamName {
    AFFECT.parse().expect("the name of a built-in stream")
}

impl FromStr for SignalId {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        if s == VALENCE || s == AROUSAL {
            return Ok(SignalId { stream: affect(), field: s.to_owned() });
        }
        match s.split_once('.') {
            Some((stream, field)) if !field.is_empty() => {
                Ok(SignalId { stream: stream.parse()?, field: field.to_owned() })
            }
            _ => Err(format!("`{}` is no signal: write STREAM.FIELD, for example affect.valence", s.escape_debug())),
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
        f.pad(&format!("{}.{}", self.stream, self.field))
    }
}

/// A signal with what the sessions' streams state about it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Measure {
    /// What tables and figures call the signal: see [`EpochPlan::label`](crate::EpochPlan::label).
    #[serde(rename = "measure")]
    pub name: String,
    pub signal: SignalId,
    /// Of the stored values.
    #[serde(rename = "measure_unit")]
    pub unit: String,
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// The streams and fields that can be chosen, for a message: `affect (valence, arousal), lsl_eda (EDA)`.
pub fn list_signals<'a>(streams: impl Iterator<Item = &'a StreamInfo>) -> String {
    let listed = |stream: &StreamInfo| {
        let fields: Vec<&str> = stream.fields.iter().take(MOST_LISTED).map(|field| field.name.as_str()).collect();
        let more = if stream.fields.len() > MOST_LISTED { " …" } else { "" };
        format!("{} ({}{more})", stream.name, fields.join(", "))
    };
    let all: Vec<String> = streams.filter(|stream| stream.kind == StreamKind::Samples).map(listed).collect();
    if all.is_empty() { "no sample stream".to_owned() } else { all.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::{affect_stream, landmarks_stream, marker_stream};

    fn id(text: &str) -> SignalId {
        text.parse().unwrap()
    }

    #[test]
    fn a_signal_is_written_as_stream_and_field() {
        assert_eq!(id("valence"), SignalId::valence());
        assert_eq!(id("affect.arousal"), SignalId::arousal());
        // Labels of other programs may have any character.
        let of_lsl = id("lsl_amp.Fp1. left (µV)");
        assert_eq!((of_lsl.stream.as_str(), of_lsl.field.as_str()), ("lsl_amp", "Fp1. left (µV)"));
        for bad in ["", "joy", "affect.", ".valence", "Affect.valence"] {
            assert!(bad.parse::<SignalId>().is_err(), "{bad}");
        }
        assert_eq!(serde_json::to_string(&id("valence")).unwrap(), "\"affect.valence\"");
        assert!(serde_json::from_str::<SignalId>("\"joy\"").is_err());
    }

    #[test]
    fn rules_of_the_face_are_for_what_is_read_from_the_face() {
        for of_face in
            ["affect.valence", "affect_later.valence", "affect_net.joy", "face.yaw", "eyes.left", "action.au12"]
        {
            assert!(id(of_face).is_of_the_face(), "{of_face}");
        }
        for other in ["rating.valence", "pulse.rate_bpm", "lsl_face.x", "skin.forehead_r", "faces.n", "eyesight.x"] {
            assert!(!id(other).is_of_the_face(), "{other}");
        }
    }

    #[test]
    fn the_fields_of_a_session_are_listed() {
        let streams = [affect_stream(30.0, "m"), marker_stream(), landmarks_stream(30.0, "m")];
        let listed = list_signals(streams.iter());
        assert!(listed.starts_with("affect (valence, arousal, ") && !listed.contains("marker"), "{listed}");
        assert!(listed.ends_with("landmarks (x0, y0, x1, y1, x2, y2, x3, y3, x4, y4, x5, y5, x6, y6, x7, y7, x8, y8, x9, y9, x10, y10, x11, y11 …)"), "{listed}");
        assert_eq!(list_signals(std::iter::empty()), "no sample stream");
    }

    proptest! {
        #[test]
        fn text_and_signal_are_the_same(stream in "[a-z][a-z0-9_]{0,31}", field in ".{1,20}") {
            let signal = SignalId { stream: stream.parse().unwrap(), field };
            prop_assert_eq!(signal.to_string().parse::<SignalId>(), Ok(signal));
        }
    }
}
