//! `[page]`: the page that the participant uses. A study may have none.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSettings {
    /// `https://…`, or a folder or HTML file relative to the study file.
    pub address: String,
    #[serde(default)]
    pub placement: PagePlacement,
    /// CSS selectors of masked elements. Events on them are recorded without their content.
    #[serde(default)]
    pub mask: Vec<String>,
    /// CSS selectors of fields whose typed text a remote browser may record. For other fields it records only the length.
    #[serde(default)]
    pub content: Vec<String>,
    /// Other origins that the page may navigate to, `https://example.org`.
    #[serde(default)]
    pub allow: Vec<String>,
    #[serde(default)]
    pub on_crash: OnCrash,
}

/// What happens after the page's process has died in a recording.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnCrash {
    /// The page is loaded again at once.
    #[default]
    Restart,
    /// The participant sees the waiting screen until the operator loads the page again.
    Wait,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PagePlacement {
    /// With a second monitor: the participant's window. Otherwise: embedded.
    #[default]
    Auto,
    Embedded,
    ParticipantWindow,
}
