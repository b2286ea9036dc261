//! The part of a study file that concerns participants at other computers: `[remote]`.

use serde::{Deserialize, Serialize};

/// How a study records in browsers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RemoteSettings {
    /// The most that a page may use of the camera. Without it, the page decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub camera: Option<RemoteCamera>,
    /// Whether the page itself is recorded for replay. Without it, the page decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replay: Option<bool>,
    /// Number of participants after which nobody new can take part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_participants: Option<u64>,
    /// The code that a participant gets at the end, for example for Prolific.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub completion_code: String,
    /// The `https` address that a participant is sent to at the end. `{participant}` in it is the identifier of the link that
    /// the participant came with.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub redirect: String,
}

/// The use of a browser's camera, from nothing to everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoteCamera {
    Off,
    /// The browser scores, and no picture is sent.
    Scores,
    /// The video is sent and scored on the server.
    Video,
}

impl RemoteCamera {
    /// As the study's file, pages and sessions spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            RemoteCamera::Off => "off",
            RemoteCamera::Scores => "scores",
            RemoteCamera::Video => "video",
        }
    }
}

const MAX_CODE_CHARS: usize = 100;
const MAX_ADDRESS_BYTES: usize = 2_000;

impl RemoteSettings {
    /// Whether nobody new can take part in a study with this number of participants.
    pub fn is_full(&self, enrolled: u64) -> bool {
        self.max_participants.is_some_and(|most| enrolled >= most)
    }

    /// The key that is wrong, and why.
    pub(super) fn check(&self) -> Result<(), (&'static str, String)> {
        if self.max_participants == Some(0) {
            return Err(("max_participants", "`remote.max_participants` must be at least 1".to_owned()));
        }
        let is_shown = self.completion_code.chars().all(|c| !c.is_control());
        if !is_shown || self.completion_code.chars().count() > MAX_CODE_CHARS {
            let message = format!("`remote.completion_code` must be one line of at most {MAX_CODE_CHARS} characters");
            return Err(("completion_code", message));
        }
        if !self.redirect.is_empty() && !is_https(&self.redirect) {
            let message = format!(
                "`remote.redirect` must be an address that begins with https://, without spaces and with at most \
                 {MAX_ADDRESS_BYTES} bytes"
            );
            return Err(("redirect", message));
        }
        Ok(())
    }
}

/// Whether this is an `https` address with a host name, without a user name, spaces or control characters.
fn is_https(address: &str) -> bool {
    let Some(rest) = address.strip_prefix("https://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    address.len() <= MAX_ADDRESS_BYTES
        && address.chars().all(|c| c.is_ascii_graphic())
        && !address.contains(['\\', '"', '<', '>'])
        && host.bytes().any(|b| b.is_ascii_alphanumeric())
        && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_addresses_are_redirects() {
        for good in ["https://a.example", "https://a.example/x?cc=AB12&id={participant}", "https://a.example:8443/#x"] {
            assert!(is_https(good), "{good}");
        }
        for bad in [
            "http://a.example",
            "javascript:alert(1)",
            "HTTPS://a.example",
            "https://",
            "https:///x",
            "https://user@a.example",
            "https://a.example/ x",
            "https://a.example/\"x",
            "https://a.example\\@b.example",
        ] {
            assert!(!is_https(bad), "{bad}");
        }
    }
}
