//! What a page's host and the sequencer say to each other; between processes each is a line of JSON.

use serde::{Deserialize, Serialize};

use super::gate::Refusals;

/// What the page's host tells. Times are raw readings of the monotonic clock, which processes share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Note {
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
    Happened {
        at_ns: i64,
        what: Denied,
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
    /// Nothing more will come from this host.
    Gone,
}

/// What a page or a participant tried and may not. Each is an event of the page's stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Denied {
    Navigation,
    Window,
    Download,
    Permission,
    Close,
}

impl Denied {
    pub fn kind(self) -> &'static str {
        match self {
            Denied::Navigation => "navigation_refused",
            Denied::Window => "window_refused",
            Denied::Download => "download_refused",
            Denied::Permission => "permission_refused",
            Denied::Close => "close_refused",
        }
    }
}

/// What the sequencer wants of the page's host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Order {
    Ping {
        id: u64,
    },
    Reload,
    /// From the fixation cross to the study's page.
    Begin,
    /// Start the host's process anew.
    Respawn,
}
