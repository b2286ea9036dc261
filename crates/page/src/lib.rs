//! The participant's page in a web view. Only this crate uses wry.
//!
//! Two placements share everything except the window: *embedded* in the program's window (X11), and a *participant
//! window* in a process of its own. A page can only add events. Its messages pass a gate (origin, size, rate), the
//! parser, and a sequencer that places them on the session clock.

#![cfg_attr(not(feature = "webview"), allow(dead_code, reason = "the web view uses the rest of these modules"))]

mod address;
#[cfg(all(feature = "webview", target_os = "linux"))]
mod backdrop;
#[cfg(feature = "webview")]
mod clock;
#[cfg(feature = "webview")]
mod curtain;
#[cfg(feature = "webview")]
mod deaths;
#[cfg(all(feature = "webview", target_os = "linux"))]
mod embedded;
mod error;
#[cfg(feature = "webview")]
mod event_sequencer;
mod fixation;
mod gate;
#[cfg(feature = "webview")]
mod host;
#[cfg(feature = "webview")]
mod host_event_sender;
mod host_page;
#[cfg(feature = "webview")]
mod host_protocol;
mod host_screen;
#[cfg(all(feature = "webview", target_os = "linux"))]
pub mod keys;
#[cfg(all(feature = "webview", target_os = "linux"))]
mod layers_gtk;
#[cfg(all(feature = "webview", not(target_os = "linux")))]
mod layers_plain;
#[cfg(feature = "webview")]
mod line_process;
#[cfg(feature = "webview")]
mod monitors;
mod operator_key;
#[cfg(all(feature = "webview", target_os = "linux"))]
mod operator_keys;
mod own_page;
mod page_spec;
#[cfg(feature = "webview")]
mod participant;
#[cfg(all(feature = "webview", target_os = "linux"))]
mod picture;
#[cfg(feature = "webview")]
mod pings;
#[cfg(feature = "webview")]
mod placed_page;
mod placement;
mod questionnaire;
#[cfg(feature = "webview")]
mod replay;
#[cfg(feature = "webview")]
mod serve;
#[cfg(feature = "webview")]
mod stage;
#[cfg(feature = "webview")]
mod timer;
#[cfg(feature = "webview")]
mod view;
#[cfg(all(feature = "webview", target_os = "linux"))]
mod webkit_signals;
#[cfg(feature = "webview")]
mod window_opening;
#[cfg(not(feature = "webview"))]
mod without_webview;

use std::fmt;

use serde_json::{Map, Value};

use session::Timestamp;

pub use address::{AddressError, PageAddress};
pub use error::PageError;
pub use fixation::is_fixation;
pub use gate::Refusal;
#[cfg(feature = "webview")]
pub use host::{PageHost, PageSession, PageStage, WindowEvent};
pub use host_page::{is_host_page, questionnaire_number};
pub use host_screen::{GREY, HostAnswer, HostScreen};
#[cfg(feature = "webview")]
pub use monitors::monitor_count;
pub use operator_key::OperatorKey;
pub use page_spec::PageSpec;
#[cfg(feature = "webview")]
pub use participant::{PARTICIPANT_WINDOW, participant_window_main};
pub use placement::{BoundsPx, Placement};
pub use questionnaire::questionnaire_page;
#[cfg(feature = "webview")]
pub use replay::{REPLAY_WINDOW, ReplayEvent, ReplayMoment, ReplaySpec, ReplayWindow, replay_window_main};
#[cfg(feature = "webview")]
pub use window_opening::{WindowOpening, Withdraw};
#[cfg(not(feature = "webview"))]
pub use without_webview::{PageHost, PageSession, PageStage};

/// An event of the page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRecord {
    pub at: Timestamp,
    /// Counts the records of one [`PageHost`] from 0 without gaps.
    pub page_seq: u64,
    pub kind: String,
    /// The fields of the kind. An event that a document sent also has `page_ms` and `document`.
    pub data: Map<String, Value>,
}

/// An event of a [`PageHost`] for the session.
#[derive(Clone, Debug, PartialEq)]
pub enum PageEvent {
    Record(PageRecord),
    Loaded {
        at: Timestamp,
        url: String,
    },
    /// The participant sees the page from now on. Also a record of kind `shown`.
    Shown {
        at: Timestamp,
        url: String,
    },
    /// `why` is a message for the operator. If the page loads later, [`PageEvent::Loaded`] follows.
    LoadFailed {
        at: Timestamp,
        url: String,
        why: String,
    },
    ProcessDied {
        at: Timestamp,
        what: PageProcess,
        why: String,
        is_restarted: bool,
    },
    /// Messages that did not become records. `example` is the error of the first malformed message.
    Refused {
        count: u64,
        reason: Refusal,
        example: Option<String>,
        from: Timestamp,
        until: Timestamp,
    },
    /// `offset_ms` is session time minus `performance.now()`. Its error is at most `uncertainty_ms`. `document` counts
    /// the documents from 1.
    ClockMeasured {
        at: Timestamp,
        offset_ms: f64,
        uncertainty_ms: f64,
        document: u32,
    },
    /// The operator pressed a key while the page had the keyboard. The page did not get it, or did not use it.
    OperatorKey {
        at: Timestamp,
        key: OperatorKey,
    },
    /// Whether the page has the keyboard.
    Keyboard {
        has_page: bool,
    },
    /// The last event.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageProcess {
    /// The process that runs the page's scripts.
    Web,
    /// The process of the participant window.
    Window,
}

impl fmt::Display for PageProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PageProcess::Web => "the page's process",
            PageProcess::Window => "the participant window",
        })
    }
}
