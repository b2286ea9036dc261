//! A command of another program, for the session.

use serde_json::{Value, json};

/// Stored as an event `remote_command` of `health`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoteCommandNote {
    /// As it was sent.
    pub command: String,
    /// Address and port of the sender.
    pub from: String,
    /// The time by the computer's clock. A command may come before the session's clock starts.
    pub received_utc: chrono::DateTime<chrono::Utc>,
    /// Why it was not carried out.
    pub refused: Option<String>,
}

impl RemoteCommandNote {
    pub(super) fn data(&self) -> Value {
        let received = self.received_utc.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let mut data = json!({ "command": self.command, "from": self.from, "received_utc": received });
        if let Some(why) = &self.refused {
            data["refused"] = Value::from(why.as_str());
        }
        data
    }
}
