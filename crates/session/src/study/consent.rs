//! `[consent]`: the text that the participant agrees to.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentSettings {
    /// The consent text. It is shown at set-up, and its hash is stored with the session.
    pub text: String,
    /// If true, the operator must confirm the consent before a recording can start from the window.
    pub required: bool,
}
