//! The messages between a page's host and the sequencer. Between processes, each message is one line of JSON.

use serde::{Deserialize, Serialize};

use super::OperatorKey;
use super::gate::Refusals;
use super::host_screen::{HostAnswer, HostScreen};

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
        url: String,
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
    /// Another load replaced this one, the page stopped it, or this program denied it and reported that.
    LoadInterrupted {
        url: String,
        /// A part of the page has arrived.
        is_committed: bool,
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
    /// The participant sees the page. Before, a grey screen, a screen of the program or the operator's view covered it.
    Revealed {
        at_ns: i64,
        url: String,
    },
    /// The participant does not see the page any more.
    Covered {
        at_ns: i64,
    },
    /// The page was removed. No message of it follows.
    Unloaded,
    /// An answer on a screen of the program.
    Answered(HostAnswer),
    /// The key chord showed the operator's view.
    OperatorViewShown,
    /// The screens of the program cannot be shown. The participant sees grey.
    ScreenFailed {
        why: String,
    },
    /// A small picture of the window's contents, as JPEG in base64.
    Picture {
        jpeg: String,
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Show the calm screen, while the program times a phase.
    Calm,
    /// Show the closing screen, after the last part of the session.
    Closing,
    /// Give the keyboard to the page's window. An embedded page has its own request.
    Focus,
    /// Start the host's process again. Without `has_page`, only with the screen of the program.
    Respawn {
        has_page: bool,
    },
    /// Load the page anew, without anything that an earlier one has stored.
    Load(PageLoad),
    /// Remove the page. [`HostEvent::Unloaded`] follows.
    Unload,
    /// Show a screen of the program in front of the page.
    Show(HostScreen),
    /// Show the page again, after a screen of the program.
    ShowPage,
    /// Show the window, or hide it, so that the operator's view is seen.
    SetFront(bool),
}

/// How a page is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PageLoad {
    /// The sentence below the cross that is shown before the page. `None`: the page at once.
    pub fixation: Option<String>,
    /// The program's own page that is shown now instead of the study's.
    pub own_page: Option<String>,
    /// The participant's condition, for the study's page.
    pub condition: Option<String>,
    /// The page is loaded behind the screen of the program, without sound, and is never shown.
    pub is_preview: bool,
}
