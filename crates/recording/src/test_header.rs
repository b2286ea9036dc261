//! The header of a session, for tests.

use session::{ParticipantId, SessionNumber};
use store::{SessionHeader, StoredStudy};

/// A session without networks, of a study with this text.
pub(crate) fn header(toml: &str) -> SessionHeader {
    SessionHeader::plain(
        ParticipantId::numbered(1),
        SessionNumber(1),
        StoredStudy { name: "demo".into(), title: "Demo".into(), toml: toml.into() },
        chrono::DateTime::UNIX_EPOCH,
    )
}
