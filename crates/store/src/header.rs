//! What a session says about itself before its first record, and what is added when it is closed.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use session::{CameraSettings, CheckId, ParticipantId, SessionNumber, Study, StudyError, Timestamp};

/// Everything needed to understand the session in ten years, known when it starts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SessionHeader {
    pub participant: ParticipantId,
    pub session: SessionNumber,
    pub study: StoredStudy,
    /// When the session's clock stood at zero.
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
    /// `None` where the study asks for none.
    pub consent: Option<Consent>,
    /// Failing checks that the operator chose to record with.
    pub overridden_checks: Vec<CheckId>,
}

/// A study as it was when the session was recorded.
///
/// The text is the truth: a later program may know other keys, and the session must open all the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StoredStudy {
    pub name: String,
    pub title: String,
    pub toml: String,
}

impl StoredStudy {
    /// `toml` is the file that `study` was parsed from.
    pub fn new(study: &Study, toml: &str) -> Self {
        StoredStudy { name: study.name.clone(), title: study.title.clone(), toml: toml.to_owned() }
    }

    /// Fails where this program does not know all that the study says.
    pub fn parse(&self) -> Result<Study, StudyError> {
        Study::parse(&self.toml)
    }
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CameraDescription {
    /// What the operator asked for: `phantom`, `/dev/video0`, a path.
    pub spec: String,
    /// What the camera calls itself.
    pub name: String,
    pub backend: String,
    /// Pixel format as the camera delivers it.
    pub format: String,
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    /// Controls as the study fixed them.
    pub settings: CameraSettings,
}

impl fmt::Display for CameraDescription {
    /// Without a size where no picture was stored.
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
    /// Of the file that ran, 64 hexadecimal digits; empty where whoever ran it made no sum.
    pub sha256: String,
    /// Who says all this, where it was not this program that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reported_by: Option<String>,
    /// What does not agree with what else is known, for a person to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl ModelDescription {
    /// The sum, or that there is none.
    pub fn sum(&self) -> &str {
        if self.sha256.is_empty() { "not hashed" } else { &self.sha256 }
    }

    /// As much of it as tells networks apart.
    pub fn short_sum(&self) -> &str {
        self.sha256.get(..12).unwrap_or(&self.sha256)
    }

    /// Who says so and what does not agree, to stand behind the sum; empty where there is nothing to say.
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

/// A network that whoever records elsewhere says to have run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportedNetwork {
    pub model: ModelDescription,
    /// What it fills.
    pub streams: &'static [&'static str],
    /// What those streams name as their software.
    pub software: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    pub given_at: DateTime<Utc>,
    /// Of the text that was shown.
    pub text_sha256: String,
}

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// A living process holds it.
    Recording,
    /// Open, and nobody holds it: the program ended abruptly. [`recover`](super::recover) closes it.
    Crashed,
    Closed,
    /// Closed by [`recover`](super::recover) after a crash.
    Recovered,
}

/// What the store counted, written when the session is closed, so that a list need not read the records.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Summary {
    /// When recording was stopped; after a crash, the last thing stored.
    pub end: Timestamp,
    pub records: u64,
    pub events: u64,
    pub frames: u64,
    /// Records and frames lost for good, as the gaps say.
    pub lost: u64,
    /// Records refused because another one had their stream and number.
    pub conflicts: u64,
    /// The quality report, where it was stored.
    pub quality: Option<serde_json::Value>,
}
