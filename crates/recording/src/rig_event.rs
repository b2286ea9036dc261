//! Events that a rig sends to its owner, in addition to the records that it stores.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::marker_command::MarkerCommand;
use capture::{CameraInfo, CaptureCounters};
use session::{GapReason, Phase, Timestamp};
use store::StoreCounters;

/// Events that the operator may need to see at once. The rig itself stores the related records.
#[derive(Clone, Debug)]
pub enum RigEvent {
    CameraOpened(CameraInfo),
    CameraLost {
        at: Timestamp,
        why: String,
    },
    CameraBack {
        at: Timestamp,
        info: CameraInfo,
    },
    /// Frames that are missing in the video.
    FramesMissing {
        at: Timestamp,
        lost: u64,
        reason: GapReason,
    },
    /// The camera failed permanently. Page and markers are still recorded.
    CameraFailed {
        at: Timestamp,
        why: String,
    },
    /// The video file or the phantom has ended.
    CameraEnded {
        at: Timestamp,
    },
    /// A guided phase began: the cross is on the screen.
    PhaseStarted {
        /// Of the part, for [`Rig::go_on`](super::Rig::go_on).
        number: usize,
        phase: Phase,
        at: Timestamp,
        until: Timestamp,
    },
    /// The guided phase stands still, or goes on and ends at another time. `until: None`: it stands still.
    PhaseMoved {
        number: usize,
        phase: Phase,
        until: Option<Timestamp>,
    },
    PhaseEnded {
        name: String,
    },
    /// A part without a planned length began: a questionnaire, the page before one, or the time until the cross is seen.
    /// `is_last`: after it, the participant sees the closing screen.
    PartStarted {
        /// For [`Rig::go_on`](super::Rig::go_on).
        number: usize,
        name: String,
        is_last: bool,
    },
    /// All parts of the session are over, and the participant sees the closing screen. The recording goes on until the
    /// operator stops it.
    PartsOver,
    /// The participant's window shows a questionnaire, the cross or the calm screen.
    WindowReady,
    PageLoaded {
        address: String,
    },
    /// The page did not load. The sentence says what to do.
    PageFailed(String),
    /// A process of the page died. The sentence says what happens next.
    PageDied {
        why: String,
        is_restarted: bool,
    },
    /// The page sent messages that were refused.
    PageRefused {
        count: u64,
        reason: String,
    },
    /// Whether the page has the keyboard.
    PageKeyboard(bool),
    /// The operator pressed the key that returns the keyboard from the page to the operator's window.
    KeyboardReturned,
    /// The page's window was closed.
    PageClosed,
    /// The networks failed on a frame.
    VisionFailed(String),
    /// A source was found, lost, or is in trouble.
    Source {
        at: Timestamp,
        /// The name of its stream in the session.
        name: String,
        news: SourceNews,
    },
    /// A marker of a source asks to start or stop the recording.
    MarkerCommand(MarkerCommand),
    /// Number of events that were dropped before this one, because nobody read them. Their records are stored anyway.
    Unread {
        count: u64,
    },
}

/// What happened to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceNews {
    /// It is recorded. The text describes it.
    Found(String),
    /// It is not required and was not found at the start.
    Missing(String),
    Lost(String),
    /// It is back, or sends again.
    Back,
    Silent,
    /// Its times are not what they should be.
    Clock(String),
    /// It could not be opened so far, and is looked for.
    Awaited(String),
    /// A serial port was disconnected, and is looked for.
    Unplugged(String),
    /// A byte for a serial port was not sent.
    NotSent(String),
}

impl fmt::Display for SourceNews {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceNews::Found(what) => write!(f, "is recorded: {what}"),
            SourceNews::Missing(why) => write!(f, "is not recorded: {why}"),
            SourceNews::Lost(why) | SourceNews::Unplugged(why) => {
                write!(f, "was lost: {why}. It is looked for until the recording ends")
            }
            SourceNews::Back => f.write_str("sends again"),
            SourceNews::Silent => f.write_str("sends nothing. Check its device and its program"),
            SourceNews::Awaited(why) => write!(f, "is not there: {why}. It is looked for until the recording ends"),
            SourceNews::NotSent(why) => write!(f, "did not get a byte: {why}"),
            SourceNews::Clock(why) => write!(f, "has a problem with its times: {why}"),
        }
    }
}

/// The owner of a rig reads events several times per second. The bound is minutes of a page that reloads all the time.
const EVENTS_WAITING: usize = 1024;
/// Room that is reserved for the events that end a recording.
const KEPT_FREE: usize = 16;

/// Sends events and never waits, because waiting would delay the storing of records.
#[derive(Clone)]
pub(super) struct EventSender {
    to: Sender<RigEvent>,
    unread: Arc<AtomicU64>,
}

pub(super) fn event_channel() -> (EventSender, Receiver<RigEvent>) {
    let (to, events) = bounded(EVENTS_WAITING);
    (EventSender { to, unread: Arc::default() }, events)
}

impl EventSender {
    pub(super) fn send(&self, event: RigEvent) {
        let is_final =
            matches!(event, RigEvent::CameraEnded { .. } | RigEvent::CameraFailed { .. } | RigEvent::PageClosed);
        let has_room = is_final || self.to.len() < EVENTS_WAITING - KEPT_FREE;
        if has_room {
            let count = self.unread.swap(0, Ordering::Relaxed);
            if count > 0 && self.to.try_send(RigEvent::Unread { count }).is_err() {
                self.unread.fetch_add(count, Ordering::Relaxed);
            }
        }
        // The receiver is gone only while the rig stops.
        if !has_room || self.to.try_send(event).is_err_and(|e| e.is_full()) {
            self.unread.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// All counters at one time.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    pub capture: CaptureCounters,
    /// `None` in a rehearsal.
    pub store: Option<StoreCounters>,
    pub frames_scored: u64,
    pub frames_skipped: u64,
    pub vision_failures: u64,
    /// Running mean time of a vision step; `None` while nothing is scored.
    pub inference_ms: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_that_nobody_reads_are_bounded_and_counted_and_the_end_is_told() {
        let (sender, events) = event_channel();
        for k in 0..100_000 {
            sender.send(RigEvent::PageLoaded { address: format!("page {k}") });
        }
        sender.send(RigEvent::CameraEnded { at: Timestamp::ZERO });
        assert!(events.len() <= EVENTS_WAITING);
        let read: Vec<RigEvent> = events.try_iter().collect();
        assert!(matches!(read.last(), Some(RigEvent::CameraEnded { .. })));
        let loaded = read.iter().filter(|n| matches!(n, RigEvent::PageLoaded { .. })).count() as u64;
        let unread = read.iter().map(|n| if let RigEvent::Unread { count } = n { *count } else { 0 }).sum::<u64>();
        assert_eq!((loaded, loaded + unread), ((EVENTS_WAITING - KEPT_FREE) as u64, 100_000));
    }
}
