//! The messages between a page's host and the sequencer. Between processes, each message is one line of JSON.

use serde::{Deserialize, Serialize};

use super::OperatorKey;
use super::gate::Refusals;

/// A message from the page's host. Times are raw readings of the monotonic clock, which all processes share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HostEvent {
    Message {
        arrived_ns: i64,
        json: String,
    },
    Refused(Refusals),
    PingSent {
        id: u64,
        sent_ns: i64,
    },
    LoadStarted {
        at_ns: i64,
    },
    Loaded {
        at_ns: i64,
        url: String,
        status: u32,
    },
    LoadFailed {
        at_ns: i64,
        url: String,
        why: String,
    },
    ActionDenied {
        at_ns: i64,
        action: DeniedAction,
        detail: String,
    },
    WebProcessDied {
        at_ns: i64,
        why: String,
    },
    /// The page cannot be shown at all.
    CannotShow {
        at_ns: i64,
        why: String,
    },
    /// The operator pressed a key while the page had the keyboard.
    OperatorKey {
        at_ns: i64,
        key: OperatorKey,
    },
    /// Whether the page has the keyboard. Sent after each change.
    Keyboard {
        has_page: bool,
    },
    /// The last event of this host.
    Ended,
}

/// An action of the page or the participant that is not allowed. Each one becomes an event of the stream `page`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum DeniedAction {
    Navigation,
    Window,
    Download,
    Permission,
    Close,
}

impl DeniedAction {
    pub fn event_kind(self) -> &'static str {
        match self {
            DeniedAction::Navigation => "navigation_refused",
            DeniedAction::Window => "window_refused",
            DeniedAction::Download => "download_refused",
            DeniedAction::Permission => "permission_refused",
            DeniedAction::Close => "close_refused",
        }
    }
}

/// A message to the page's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum HostCommand {
    Ping {
        id: u64,
    },
    Reload,
    /// Replace the fixation cross by the study's page.
    Begin,
    /// Show the questionnaire with this number.
    Questionnaire(usize),
    /// Show the calm screen, after the last part of the session.
    Calm,
    /// Give the keyboard to the page's window. An embedded page has its own request.
    Focus,
    /// Start the host's process again.
    Respawn,
}
