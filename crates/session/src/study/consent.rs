//! `[consent]`: the text that the participant agrees to.

use serde::{Deserialize, Serialize};

use super::participant::ConsentBy;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ConsentSettings {
    /// The consent text. It is shown at set-up, and its hash is stored with the session.
    pub text: String,
    /// If true, the consent must be given before a recording can start from the window.
    pub required: bool,
    pub by: ConsentBy,
    /// The participant's button; empty: "I agree".
    pub button: String,
    /// The label of the field in which the participant types initials. Empty: no initials are asked for.
    pub initials: String,
}
