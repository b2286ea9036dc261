//! A command of another program, for the session.

use serde_json::{Value, json};

/// Stored as an event `remote_command` of `health`.
#[derive(Clone, Debug, PartialEq)]
pub struct RemoteCommandNote {
    /// As it was sent.
    pub command: String,
    /// Address and port of the sender, or the marker and its source.
    pub from: String,
    /// The time by the computer's clock. A command may come before the session's clock starts.
    pub received_utc: chrono::DateTime<chrono::Utc>,
    /// The sender's time of a marker that is a command.
    pub stamp_s: Option<f64>,
    /// Commands before this one that are not stored, because too many came before the recording.
    pub left_out_before: u64,
    /// Why it was not carried out.
    pub refused: Option<String>,
}

impl RemoteCommandNote {
    pub(super) fn data(&self) -> Value {
        let received = self.received_utc.to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
        let mut data = json!({ "command": self.command, "from": self.from, "received_utc": received });
        if let Some(stamp_s) = self.stamp_s {
            data["stamp_s"] = Value::from(stamp_s);
        }
        if self.left_out_before > 0 {
            data["left_out_before"] = Value::from(self.left_out_before);
        }
        if let Some(why) = &self.refused {
            data["refused"] = Value::from(why.as_str());
        }
        data
    }
}
