//! The JSON bodies of requests and answers between browser and server. Other fields are refused.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use session::{RemoteCamera, RemoteSettings};

/// Size of the body as received, compressed or not.
pub const MAX_BATCH_BYTES: usize = 1 << 20;
/// Size after decompression.
pub const MAX_INFLATED_BYTES: usize = 4 << 20;
pub const MAX_BATCH_RECORDS: usize = 5_000;
pub const MAX_VIDEO_CHUNK_BYTES: usize = 8 << 20;

/// The server's clock: wall time at its start and monotonic time since.
#[derive(Debug, Serialize, ToSchema)]
pub struct ClockReading {
    pub utc_ms: f64,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The study of the write key.
    pub study: String,
    /// A pseudonym such as `sub-01`. The server assigns a new one if it is absent.
    #[serde(default)]
    pub participant: Option<String>,
    /// The identifier in the participant's recruiting link, for example Prolific's. Only its keyed hash is stored. It is
    /// stronger than `participant`.
    #[serde(default)]
    pub link: Option<String>,
    /// Required unless the study requires no consent.
    #[serde(default)]
    pub consent: Option<ConsentGiven>,
    pub camera: CameraMode,
    pub client: ClientInfo,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConsentGiven {
    pub given_utc_ms: f64,
    /// SHA-256 of the shown text, 64 hexadecimal digits.
    pub text_sha256: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum CameraMode {
    /// The browser sends video, and the server scores it.
    Video,
    /// The browser scores and sends no picture.
    Scores,
    Off,
}

impl CameraMode {
    pub fn as_str(self) -> &'static str {
        RemoteCamera::from(self).as_str()
    }

    /// Whether the study permits this use of the camera.
    pub fn is_permitted(self, study: Option<RemoteCamera>) -> bool {
        study.is_none_or(|most| RemoteCamera::from(self) <= most)
    }

    pub fn from_stored(name: &str) -> Option<CameraMode> {
        [CameraMode::Video, CameraMode::Scores, CameraMode::Off].into_iter().find(|m| m.as_str() == name)
    }
}

impl From<CameraMode> for RemoteCamera {
    fn from(mode: CameraMode) -> RemoteCamera {
        match mode {
            CameraMode::Video => RemoteCamera::Video,
            CameraMode::Scores => RemoteCamera::Scores,
            CameraMode::Off => RemoteCamera::Off,
        }
    }
}

/// The recording client. Stored in the session's header.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientInfo {
    pub version: String,
    #[serde(default)]
    pub user_agent: String,
    #[serde(default)]
    pub language: String,
    /// Size and pixel ratio, as the client writes them.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub screen: Option<serde_json::Value>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct SessionBegun {
    pub session: String,
    /// Permits access to this session only. It is sent once and stored as a hash.
    pub token: String,
    pub participant: String,
    /// The condition that the participant is assigned to. Absent if the study has no conditions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    pub number: u32,
    /// The zero of the session's clock, on the server's clock.
    pub zero_utc_ms: f64,
    /// CSS selectors of elements for which only the occurrence of events may be recorded.
    pub mask: Vec<String>,
    /// CSS selectors of fields whose typed text may be recorded.
    pub content: Vec<String>,
    /// The study lets visitors read what is stored of them.
    pub own_data: bool,
    pub max_batch_bytes: usize,
    pub max_inflated_bytes: usize,
    pub max_batch_records: usize,
    pub max_video_chunk_bytes: usize,
    pub committed: BTreeMap<String, u64>,
}

/// Records of one session, of any of its streams and in any order.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Batch {
    /// Every document to which a record refers.
    #[serde(default)]
    pub documents: Vec<Document>,
    pub records: Vec<RemoteRecord>,
}

/// One document of the page. Each document has its own zero of `performance.now()`.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// Number of the document in the session, counted from 1.
    #[schema(minimum = 1)]
    pub document: u32,
    /// `performance.timeOrigin`
    pub time_origin_utc_ms: f64,
    /// `null` if the document ended before its clock was measured.
    #[serde(default)]
    pub clock: Option<DocumentClock>,
}

/// The best measurement of a document's clock so far.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DocumentClock {
    /// `performance.now()` at the time of the measurement.
    pub at_ms: f64,
    /// Server's `utc_ms` minus `performance.now()`.
    pub offset_ms: f64,
    /// The largest possible error of `offset_ms`.
    pub uncertainty_ms: f64,
}

/// A sample has `values`. An event has `kind` and `data`. A gap has `gap`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteRecord {
    pub stream: String,
    /// Number of the record in its stream, counted from 0 over all documents.
    pub seq: u64,
    pub document: u32,
    /// `performance.now()`
    pub page_ms: f64,
    #[serde(default)]
    pub kind: Option<String>,
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    pub data: Option<Box<RawValue>>,
    #[serde(default)]
    pub frame: Option<u64>,
    /// One value for each field, in the order of the stream. `null` for a missing value.
    #[serde(default)]
    pub values: Option<Vec<Option<f32>>>,
    #[serde(default)]
    pub gap: Option<RemoteGap>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteGap {
    pub until_ms: f64,
    /// `no_face`, `skipped`, `camera_lost`, `queue_full` …
    pub reason: String,
    #[serde(default)]
    pub lost: u64,
    #[serde(default)]
    pub note: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Acknowledged {
    /// For each stream: all records below this number are on the disk.
    pub committed: BTreeMap<String, u64>,
}

#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct RefusedRecord {
    pub stream: String,
    pub seq: u64,
    pub why: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct ChunksStored {
    /// All chunks below this number are on the disk.
    pub chunks: u64,
}

#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Finish {
    /// Number of records of each stream.
    pub streams: BTreeMap<String, u64>,
    /// Number of video chunks.
    #[serde(default)]
    pub video_chunks: u64,
}

#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Finished {
    pub committed: BTreeMap<String, u64>,
    pub video_chunks: u64,
    /// What the participant gets at the end. Absent if the study has nothing for the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
}

/// What a participant gets at the end of a study.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Completion {
    /// For the recruiting service. Absent if the study has no code.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The `https` address to go to. `{participant}` in it is the identifier of the participant's link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redirect: Option<String>,
}

impl Completion {
    /// `None` if the study has nothing for the end.
    pub fn of(settings: &RemoteSettings) -> Option<Completion> {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let (code, redirect) = (given(&settings.completion_code), given(&settings.redirect));
        (code.is_some() || redirect.is_some()).then_some(Completion { code, redirect })
    }
}

/// What is missing before a session can be finished.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Missing {
    pub streams: BTreeMap<String, Vec<Span>>,
    pub video_chunks: Vec<u64>,
}

/// The numbers from `from` up to, but not including, `until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Span {
    pub from: u64,
    pub until: u64,
}
