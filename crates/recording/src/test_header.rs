//! The header of a session, for tests.

use session::{ParticipantId, SessionNumber};
use store::{CameraDescription, SessionHeader, StoredStudy};

/// A session without networks, of a study with this text.
pub(crate) fn header(toml: &str) -> SessionHeader {
    SessionHeader {
        participant: ParticipantId::numbered(1),
        session: SessionNumber(1),
        study: StoredStudy { name: "demo".into(), title: "Demo".into(), toml: toml.into() },
        zero_utc: chrono::DateTime::UNIX_EPOCH,
        software: "test".into(),
        revision: None,
        host: "test".into(),
        camera: CameraDescription::default(),
        models: Vec::new(),
        pilot: false,
        consent: None,
        overridden_checks: Vec::new(),
        condition: None,
        condition_assigned: None,
    }
}
