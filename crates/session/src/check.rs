//! The checks before a recording. A session stores which of them failed and were overridden, by a word that never
//! changes; what people read is made from it.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum CheckId {
    CameraRunning,
    OneFace,
    FaceSize,
    FaceLight,
    NetworksLoaded,
    PageLoaded,
    DiskSpace,
    /// Of a program that knows other checks; as it is stored.
    Other(String),
}

/// Check, stored word, text for people. The texts as they stand here were stored by programs up to file version 3.
const CHECKS: [(CheckId, &str, &str); 7] = [
    (CheckId::CameraRunning, "camera_running", "Camera running"),
    (CheckId::OneFace, "one_face", "One face"),
    (CheckId::FaceSize, "face_size", "Face big enough"),
    (CheckId::FaceLight, "face_light", "Face lit"),
    (CheckId::NetworksLoaded, "networks_loaded", "Networks loaded"),
    (CheckId::PageLoaded, "page_loaded", "Page loaded"),
    (CheckId::DiskSpace, "disk_space", "Disk space"),
];

impl CheckId {
    /// The word stored in files.
    pub fn as_str(&self) -> &str {
        self.known().map_or_else(|| self.other(), |(word, _)| word)
    }

    /// `Face lit, Disk space`
    pub fn texts(checks: &[CheckId]) -> String {
        checks.iter().map(CheckId::to_string).collect::<Vec<_>>().join(", ")
    }

    fn known(&self) -> Option<(&'static str, &'static str)> {
        CHECKS.iter().find(|(id, ..)| id == self).map(|(_, word, text)| (*word, *text))
    }

    fn other(&self) -> &str {
        match self {
            CheckId::Other(word) => word,
            _ => "", // every other one is in the list, as the test says
        }
    }
}

impl From<String> for CheckId {
    fn from(stored: String) -> Self {
        let known = CHECKS.into_iter().find(|(_, word, text)| [*word, *text].contains(&stored.as_str()));
        known.map_or(CheckId::Other(stored), |(id, ..)| id)
    }
}

impl From<&str> for CheckId {
    fn from(stored: &str) -> Self {
        CheckId::from(stored.to_owned())
    }
}

impl From<CheckId> for String {
    fn from(id: CheckId) -> Self {
        id.as_str().to_owned()
    }
}

impl fmt::Display for CheckId {
    /// What people read: `Face big enough`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.known().map_or_else(|| self.other(), |(_, text)| text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_old_texts_are_read_and_words_are_written() {
        for (id, word, text) in CHECKS {
            assert_eq!((CheckId::from(word), CheckId::from(text)), (id.clone(), id.clone()));
            assert_eq!((String::from(id.clone()).as_str(), id.to_string().as_str()), (word, text));
        }
        let stored = r#"["Face lit","disk_space","Moon full"]"#;
        let read: Vec<CheckId> = serde_json::from_str(stored).unwrap();
        assert_eq!(read, [CheckId::FaceLight, CheckId::DiskSpace, CheckId::Other("Moon full".into())]);
        assert_eq!(serde_json::to_string(&read).unwrap(), r#"["face_light","disk_space","Moon full"]"#);
    }
}
