//! The header of a session, and the summary that is added when the session is closed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use session::{
    CameraSettings, CheckId, ConsentBy, ParticipantId, SessionNumber, StreamName, Study, StudyError, StudyExcerpt,
    Timestamp,
};

/// The data that describe a session. They are known at its start.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionHeader {
    pub participant: ParticipantId,
    pub session: SessionNumber,
    pub study: StoredStudy,
    /// UTC time of the session clock's zero.
    pub zero_utc: DateTime<Utc>,
    /// The program that recorded, with its version.
    pub software: String,
    /// The git revision of that program: `15aad2a`, or `15aad2a-dirty` if its sources were changed. `None`: not known, as
    /// in files of versions 1 to 4.
    pub revision: Option<String>,
    /// Operating system and machine.
    pub host: String,
    pub camera: CameraDescription,
    pub models: Vec<ModelDescription>,
    /// Recorded by the operator to try the study, without a participant.
    pub pilot: bool,
    /// `None` if the study requires none.
    pub consent: Option<Consent>,
    /// Failed checks that the operator overrode.
    pub overridden_checks: Vec<CheckId>,
    /// The participant's condition. `None` if the study has no conditions. In a session of an earlier server, it is from the
    /// event `condition` of the stream `server`.
    pub condition: Option<String>,
    /// The condition that the random order proposed. Another one than `condition` if the operator chose by hand. `None`: it
    /// proposed nothing, because the laboratory had written the condition into its list.
    pub condition_assigned: Option<String>,
}

impl SessionHeader {
    /// The header of a session without camera, networks, consent and condition, recorded by this version of the program. For
    /// tests and benches: a recording names each field, so that none is forgotten.
    pub fn plain(
        participant: ParticipantId,
        session: SessionNumber,
        study: StoredStudy,
        zero_utc: DateTime<Utc>,
    ) -> Self {
        SessionHeader {
            participant,
            session,
            study,
            zero_utc,
            software: session::program(),
            revision: None,
            host: "test".to_owned(),
            camera: CameraDescription::default(),
            models: Vec::new(),
            pilot: false,
            consent: None,
            overridden_checks: Vec::new(),
            condition: None,
            condition_assigned: None,
        }
    }

    /// `affectograph 0.1.0 (15aad2a)`, or without the revision if it is not known.
    pub fn software_with_revision(&self) -> String {
        match &self.revision {
            Some(revision) => format!("{} ({revision})", self.software),
            None => self.software.clone(),
        }
    }
}

/// The study at the time of the recording.
///
/// The text is authoritative. The session must open even if a later program version has other keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredStudy {
    pub name: String,
    pub title: String,
    pub toml: String,
}

impl StoredStudy {
    /// `toml` is the text that `study` was parsed from.
    pub fn new(study: &Study, toml: &str) -> Self {
        StoredStudy { name: study.name.clone(), title: study.title.clone(), toml: toml.to_owned() }
    }

    /// What is read later from the study, which another version of the program may have stored.
    pub fn excerpt(&self) -> Result<StudyExcerpt, StudyError> {
        StudyExcerpt::read(&self.toml)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CameraDescription {
    /// The operator's choice: `phantom`, `/dev/video0`, a path.
    pub spec: String,
    /// The camera's own name.
    pub name: String,
    pub backend: String,
    /// Pixel format as the camera delivers it.
    pub format: String,
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    /// The study's settings of the controls.
    pub settings: CameraSettings,
}

/// Of a session that was asked to record no camera.
const NO_CAMERA: &str = "none";

impl CameraDescription {
    /// A recording in the laboratory without a camera.
    pub fn none(settings: CameraSettings) -> CameraDescription {
        CameraDescription {
            spec: NO_CAMERA.to_owned(),
            name: "no camera".to_owned(),
            backend: NO_CAMERA.to_owned(),
            settings,
            ..CameraDescription::default()
        }
    }

    pub fn is_none(&self) -> bool {
        self.backend == NO_CAMERA
    }
}

impl fmt::Display for CameraDescription {
    /// Without a size if no picture was stored.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        if self.width_px > 0 {
            write!(f, ", {} × {} px, {:.2} Hz", self.width_px, self.height_px, self.rate_hz)?;
        }
        if self.format.is_empty() { Ok(()) } else { write!(f, ", {}", self.format) }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelDescription {
    pub name: String,
    pub version: String,
    /// Checksum of the network's file, 64 hexadecimal digits; empty if none was computed.
    pub sha256: String,
    /// Who reported the network, if this program did not run it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<String>,
    /// Contradictions to other data, as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ModelDescription {
    /// The checksum, or `not hashed`.
    pub fn sum(&self) -> &str {
        if self.sha256.is_empty() { "not hashed" } else { &self.sha256 }
    }

    /// The beginning of the checksum, enough to tell networks apart.
    pub fn short_sum(&self) -> &str {
        self.sha256.get(..12).unwrap_or(&self.sha256)
    }

    /// Who reported the network, and contradictions; written after the checksum. May be empty.
    pub fn remark(&self) -> String {
        let said = self.reported_by.iter().map(|who| format!("as {who} says"));
        said.chain(self.note.clone()).map(|remark| format!("; {remark}")).collect()
    }
}

impl fmt::Display for ModelDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sha256 = if self.sha256.is_empty() { "" } else { "sha256 " };
        write!(f, "{} {} ({sha256}{}{})", self.name, self.version, self.sum(), self.remark())
    }
}

/// A network that a remote source reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedNetwork {
    pub model: ModelDescription,
    /// The streams that it fills.
    pub streams: &'static [&'static str],
    /// The software of those streams.
    pub software: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub given_at: DateTime<Utc>,
    /// Checksum of the displayed text.
    pub text_sha256: String,
    /// Who confirmed it. Older files and browsers do not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<ConsentBy>,
    /// The initials that the participant typed, if the study asks for them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_typed: Option<String>,
}

/// When and by whom a stream was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addition {
    pub stream: StreamName,
    pub added: DateTime<Utc>,
    pub author: String,
}

/// State of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// A running process has locked it.
    Recording,
    /// Open and not locked: the program crashed. [`recover`](super::recover) closes it.
    Crashed,
    Closed,
    /// Closed by [`recover`](super::recover) after a crash.
    Recovered,
}

/// Data that are known when the recording stops.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SessionEnd {
    pub at: Timestamp,
    /// The quality report, if it is known. [`store_quality`](super::store_quality) can add it later.
    pub quality: Option<serde_json::Value>,
}

/// Counts that are written when the session is closed, so that a list does not need to read the records.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// End of the recording; after a crash, the time of the last stored data.
    pub end: Timestamp,
    pub records: u64,
    pub events: u64,
    pub frames: u64,
    /// Records and frames that were lost permanently, by the gaps.
    pub lost: u64,
    /// Records that were refused because another record had their stream and number.
    pub conflicts: u64,
    /// The quality report, if it was stored.
    pub quality: Option<serde_json::Value>,
}
