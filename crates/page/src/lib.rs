//! The participant's page and the ONE parser from its messages to records. Only this room knows wry.
//!
//! Two placements share everything but the window: *embedded* in ours (X11), and a *participant window* in a process
//! of its own. A page can do nothing but add events: what it sends passes a gate (who, how large, how many), the
//! parser, and a sequencer that puts it on the session clock.

mod address;
mod clock;
#[cfg(target_os = "linux")]
mod embedded;
mod event_sequencer;
mod fixation;
mod gate;
mod host;
mod host_protocol;
#[cfg(target_os = "linux")]
pub mod keys;
mod line_process;
mod monitors;
mod participant;
mod pings;
mod replay;
mod serve;
mod view;

use std::fmt;

use serde_json::{Map, Value};

use session::Timestamp;

pub use address::{AddressError, PageAddress};
pub use fixation::is_fixation;
pub use gate::Refusal;
pub use host::{BoundsPx, PageBeginner, PageError, PageHost, PageSpec, Placement};
pub use monitors::monitor_count;
pub use participant::{PARTICIPANT_WINDOW, participant_window_main};
pub use replay::{REPLAY_WINDOW, ReplayMoment, ReplayNote, ReplaySpec, ReplayWindow, replay_window_main};

/// One thing that happened in the page.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRecord {
    pub at: Timestamp,
    /// Counts the records of one [`PageHost`] from 0, without holes.
    pub page_seq: u64,
    pub kind: String,
    /// The fields of the kind, and `page_ms` and `document` where a document told it.
    pub data: Map<String, Value>,
}

/// What a [`PageHost`] tells the session.
#[derive(Clone, Debug, PartialEq)]
pub enum PageEvent {
    Record(PageRecord),
    Loaded {
        at: Timestamp,
        url: String,
    },
    /// `why` is a sentence for the operator. The page may still come: then [`PageEvent::Loaded`] follows.
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
    /// Messages that did not become records. `example` says of malformed ones what was wrong with the first.
    Refused {
        count: u64,
        reason: Refusal,
        example: Option<String>,
        from: Timestamp,
        until: Timestamp,
    },
    /// `offset_ms` is session time minus `performance.now()`; the error is at most `uncertainty_ms`. `document` counts
    /// the documents from 1.
    ClockMeasured {
        at: Timestamp,
        offset_ms: f64,
        uncertainty_ms: f64,
        document: u32,
    },
    /// The last event.
    Closed,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageProcess {
    /// The one in which the page's scripts run.
    Web,
    /// The one that shows the participant window.
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
