//! One entry of a stream.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{StreamName, Timestamp};

/// `(stream, seq)` is unique in a session, so a record that is sent twice is stored once.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    pub stream: Arc<StreamName>,
    pub seq: u64,
    pub at: Timestamp,
    pub body: Body,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// One value per field of the stream. `frame` is the number of the video frame that the values were read from.
    Sample { frame: Option<u64>, values: Box<[f32]> },
    /// Something that happened at one time.
    Event { kind: String, data: Map<String, Value> },
    /// Data is missing from the record's time until [`Gap::until`].
    Gap(Gap),
}

impl Body {
    pub fn sample(frame: Option<u64>, values: &[f32]) -> Body {
        Body::Sample { frame, values: values.into() }
    }

    pub fn event(kind: &str, data: Value) -> Body {
        let data = match data {
            Value::Object(map) => map,
            Value::Null => Map::new(),
            other => Map::from_iter([("value".to_owned(), other)]),
        };
        Body::Event { kind: kind.to_owned(), data }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Gap {
    pub until: Timestamp,
    pub reason: GapReason,
    /// Number of missing samples, frames or records; 0 if unknown.
    pub lost: u64,
    /// Further explanation for people; may be empty.
    pub note: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// No face in the picture. No data was lost.
    NoFace,
    /// The live worker took a newer frame. If the session has a video, the skipped frames are in it and can be scored later.
    Skipped,
    /// The camera was disconnected or delivered no frames.
    CameraLost,
    /// The driver's sequence numbers show that frames were dropped before the program received them.
    DroppedByDriver,
    /// A frame was damaged on arrival.
    Corrupt,
    /// The capture time of a frame is unknown.
    TimeUnknown,
    /// A queue of this program was full. This raises an alarm.
    QueueFull,
    /// The page sent more than the limit.
    PageFlood,
    /// The sender of a source was not on the network.
    SourceLost,
    /// A source was connected and sent nothing, although it promised a rate.
    SourceSilent,
    /// The program ended without closing the session.
    Crash,
    /// A value was computed and is not given, because it would not be reliable. The note has the reason. No data was lost.
    Unreliable,
}

impl GapReason {
    pub const ALL: [GapReason; 12] = [
        GapReason::NoFace,
        GapReason::Skipped,
        GapReason::CameraLost,
        GapReason::DroppedByDriver,
        GapReason::Corrupt,
        GapReason::TimeUnknown,
        GapReason::QueueFull,
        GapReason::PageFlood,
        GapReason::SourceLost,
        GapReason::SourceSilent,
        GapReason::Crash,
        GapReason::Unreliable,
    ];

    /// The name stored in files.
    pub fn as_str(self) -> &'static str {
        match self {
            GapReason::NoFace => "no_face",
            GapReason::Skipped => "skipped",
            GapReason::CameraLost => "camera_lost",
            GapReason::DroppedByDriver => "dropped_by_driver",
            GapReason::Corrupt => "corrupt",
            GapReason::TimeUnknown => "time_unknown",
            GapReason::QueueFull => "queue_full",
            GapReason::PageFlood => "page_flood",
            GapReason::SourceLost => "source_lost",
            GapReason::SourceSilent => "source_silent",
            GapReason::Crash => "crash",
            GapReason::Unreliable => "unreliable",
        }
    }

    pub fn from_stored(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.as_str() == word)
    }

    /// Whether captured data was lost permanently.
    pub fn is_loss(self) -> bool {
        !matches!(self, GapReason::NoFace | GapReason::Skipped | GapReason::Unreliable)
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            GapReason::NoFace => "no face in the picture",
            GapReason::Skipped => "not scored live",
            GapReason::CameraLost => "camera lost",
            GapReason::DroppedByDriver => "dropped by the camera or its driver",
            GapReason::Corrupt => "damaged",
            GapReason::TimeUnknown => "captured at an unknown time",
            GapReason::QueueFull => "our queue was full",
            GapReason::PageFlood => "the page sent too much",
            GapReason::SourceLost => "the source was lost",
            GapReason::SourceSilent => "the source was silent",
            GapReason::Crash => "storing ended early",
            GapReason::Unreliable => "not reliable enough to be given",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_words_round_trip_and_agree_with_serde() {
        for reason in GapReason::ALL {
            assert_eq!(GapReason::from_stored(reason.as_str()), Some(reason));
            assert_eq!(serde_json::to_value(reason).ok(), Some(Value::from(reason.as_str())));
        }
        assert_eq!(GapReason::from_stored("tired"), None);
    }
}
