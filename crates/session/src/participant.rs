//! Pseudonyms of participants, such as `sub-01`. The label becomes part of folder names, file names and BIDS entities.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A BIDS subject label with its prefix: `sub-` and 1–32 ASCII letters or digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ParticipantId(String);

impl ParticipantId {
    /// `sub-07` for 7.
    pub fn numbered(number: u32) -> Self {
        ParticipantId(format!("sub-{number:02}"))
    }

    /// `sub-lab07` for the prefix `lab` and 7.
    pub fn with_prefix(prefix: &str, number: u32) -> Result<Self, String> {
        format!("sub-{prefix}{number:02}").parse()
    }

    /// `sub-pilot`, for sessions in which the operator tries a study.
    pub fn pilot() -> Self {
        ParticipantId("sub-pilot".to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number in a label such as `sub-07`. Used to propose the next label.
    pub fn number(&self) -> Option<u32> {
        self.0["sub-".len()..].parse().ok()
    }
}

impl FromStr for ParticipantId {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let label = s.strip_prefix("sub-").unwrap_or_default();
        if label.is_empty() || label.len() > 32 || !label.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return Err(format!(
                "`{}` is not a participant label: use `sub-` followed by 1 to 32 letters or digits, for example `sub-01`. Use a pseudonym, not a name",
                s.escape_debug()
            ));
        }
        Ok(ParticipantId(s.to_owned()))
    }
}

impl TryFrom<String> for ParticipantId {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        s.parse()
    }
}

impl From<ParticipantId> for String {
    fn from(id: ParticipantId) -> String {
        id.0
    }
}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// `ses-01`: number of a session of one participant, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionNumber(pub u32);

impl fmt::Display for SessionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ses-{:02}", self.0)
    }
}

impl FromStr for SessionNumber {
    type Err = String;
    fn from_str(s: &str) -> Result<Self, String> {
        let digits = s.strip_prefix("ses-").unwrap_or(s);
        match digits.parse() {
            Ok(n) if n > 0 => Ok(SessionNumber(n)),
            _ => Err(format!("`{}` is not a session number: write `ses-01` or `1`", s.escape_debug())),
        }
    }
}

/// Participant and session of `sub-07_ses-02_anything.mp4`.
pub fn participant_in_file_name(name: &str) -> (Option<ParticipantId>, Option<SessionNumber>) {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let mut parts = stem.split('_');
    let participant = parts.next().and_then(|part| part.parse().ok());
    let session = parts.next().filter(|part| part.starts_with("ses-")).and_then(|part| part.parse().ok());
    let session = session.filter(|_| participant.is_some());
    (participant, session)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_and_names_are_refused() {
        for bad in ["", "01", "sub-", "sub-../../etc", "sub-Anna Karenina", "sub-a_b", "SUB-01", "sub-é"] {
            assert!(bad.parse::<ParticipantId>().is_err(), "{bad}");
        }
        assert_eq!("sub-07".parse::<ParticipantId>().ok().and_then(|p| p.number()), Some(7));
        assert_eq!(ParticipantId::with_prefix("lab", 7).unwrap().as_str(), "sub-lab07");
        assert!(ParticipantId::with_prefix("../", 7).is_err());
        assert!("ses-0".parse::<SessionNumber>().is_err());
        let of_length = |letters: usize| format!("sub-{}", "a".repeat(letters)).parse::<ParticipantId>();
        assert!(of_length(32).is_ok() && of_length(33).is_err());
    }

    #[test]
    fn a_file_names_its_participant_or_nobody() {
        let names = |name| {
            let (participant, session) = participant_in_file_name(name);
            (participant.map(|p| p.to_string()), session.map(|s| s.0))
        };
        assert_eq!(names("sub-07_talk.mp4"), (Some("sub-07".into()), None));
        assert_eq!(names("sub-07_ses-02_talk.v2.mp4"), (Some("sub-07".into()), Some(2)));
        assert_eq!(names("sub-07.mkv"), (Some("sub-07".into()), None));
        assert_eq!(names("sub-07_ses-x.mkv"), (Some("sub-07".into()), None));
        for nobody in ["Anna.mp4", "ses-02_sub-07.mp4", "sub-_a.mp4", "talk sub-07.mp4", ""] {
            assert_eq!(names(nobody), (None, None), "{nobody}");
        }
    }

    proptest! {
        #[test]
        fn whatever_parses_is_one_safe_path_component(s in "\\PC{0,40}") {
            if let Ok(id) = s.parse::<ParticipantId>() {
                prop_assert!(id.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
            }
        }

        #[test]
        fn numbers_round_trip(n in 1u32..100_000) {
            prop_assert_eq!(ParticipantId::numbered(n).number(), Some(n));
            prop_assert_eq!(SessionNumber(n).to_string().parse(), Ok(SessionNumber(n)));
        }
    }
}
