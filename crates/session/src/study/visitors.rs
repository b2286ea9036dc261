//! What a study offers the visitors of websites that are recorded by a server.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct VisitorSettings {
    /// A visitor may read what is stored of the own session.
    pub own_data: bool,
}
