//! The checks before a recording. A session stores the name of each check that failed and was overridden. The names
//! never change. The displayed text is derived from the name.

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
    /// A stream of another instrument, as the study lists it. There may be several.
    Source,
    /// Other programs can start and stop the recording.
    RemoteControl,
    /// A check of another program version, by its stored name.
    Other(String),
}

/// Check, stored name, displayed text. Programs up to file version 3 stored the text instead of the name,
/// and their files are read by it: do not change the texts.
const CHECKS: [(CheckId, &str, &str); 9] = [
    (CheckId::CameraRunning, "camera_running", "Camera running"),
    (CheckId::OneFace, "one_face", "One face"),
    (CheckId::FaceSize, "face_size", "Face big enough"),
    (CheckId::FaceLight, "face_light", "Face lit"),
    (CheckId::NetworksLoaded, "networks_loaded", "Networks loaded"),
    (CheckId::PageLoaded, "page_loaded", "Page loaded"),
    (CheckId::DiskSpace, "disk_space", "Disk space"),
    (CheckId::Source, "source", "Source"),
    (CheckId::RemoteControl, "remote_control", "Remote control"),
];

impl CheckId {
    /// The name stored in files.
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
            _ => "", // all others are in `CHECKS`, as the test proves
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
    /// The displayed text: `Face big enough`.
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
