//! What a rig tells whoever runs it, besides the records it stores.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};

use capture::{CameraInfo, CaptureCounters};
use session::{GapReason, Phase, Timestamp};
use store::StoreCounters;

/// Things a person may have to know at once. What is stored of them is stored by the rig itself.
#[derive(Clone, Debug)]
pub enum News {
    CameraOpened(CameraInfo),
    CameraLost {
        at: Timestamp,
        why: String,
    },
    CameraBack {
        at: Timestamp,
        info: CameraInfo,
    },
    /// Frames that never reached the video.
    FramesMissing {
        at: Timestamp,
        lost: u64,
        reason: GapReason,
    },
    /// It ended for good; recording of the page and of markers goes on.
    CameraFailed {
        at: Timestamp,
        why: String,
    },
    /// A video file is over, or a phantom's time.
    CameraEnded {
        at: Timestamp,
    },
    /// The participant is guided through it: the cross is on the screen.
    PhaseStarted {
        phase: Phase,
        at: Timestamp,
        until: Timestamp,
    },
    PhaseEnded {
        name: String,
    },
    PageLoaded {
        address: String,
    },
    /// It did not load, or its process died; the sentence says what happens next.
    PageTrouble(String),
    /// The page sent what may not be recorded.
    PageRefused {
        count: u64,
        reason: String,
    },
    /// The page's window was closed.
    PageClosed,
    /// The networks failed on a frame.
    VisionTrouble(String),
    /// So many news found no room before this one, because nobody read them. What the session stores of them is stored.
    Unread {
        count: u64,
    },
}

/// Whoever runs a rig reads its news several times a second, so these are minutes of a page that does nothing but load.
const NEWS_WAITING: usize = 1024;
/// Kept free for what is told once a rig, and ends a recording.
const KEPT_FREE: usize = 16;

/// Tells news and never waits: a thread that waited for a reader would hold up what it stores.
#[derive(Clone)]
pub(super) struct NewsSender {
    to: Sender<News>,
    unread: Arc<AtomicU64>,
}

pub(super) fn news_channel() -> (NewsSender, Receiver<News>) {
    let (to, news) = bounded(NEWS_WAITING);
    (NewsSender { to, unread: Arc::default() }, news)
}

impl NewsSender {
    pub(super) fn tell(&self, news: News) {
        let is_final = matches!(news, News::CameraEnded { .. } | News::CameraFailed { .. } | News::PageClosed);
        let has_room = is_final || self.to.len() < NEWS_WAITING - KEPT_FREE;
        if has_room {
            let count = self.unread.swap(0, Ordering::Relaxed);
            if count > 0 && self.to.try_send(News::Unread { count }).is_err() {
                self.unread.fetch_add(count, Ordering::Relaxed);
            }
        }
        // Nobody listens any more only when the rig is being stopped.
        if !has_room || self.to.try_send(news).is_err_and(|e| e.is_full()) {
            self.unread.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One look at everything that is counted.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    pub capture: CaptureCounters,
    /// `None` in a rehearsal.
    pub store: Option<StoreCounters>,
    pub frames_scored: u64,
    pub frames_skipped: u64,
    pub vision_failures: u64,
    /// Mean of the last second's vision steps; `None` while nothing is scored.
    pub inference_ms: Option<f64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_that_nobody_reads_are_bounded_and_counted_and_the_end_is_told() {
        let (sender, news) = news_channel();
        for k in 0..100_000 {
            sender.tell(News::PageLoaded { address: format!("page {k}") });
        }
        sender.tell(News::CameraEnded { at: Timestamp::ZERO });
        assert!(news.len() <= NEWS_WAITING);
        let read: Vec<News> = news.try_iter().collect();
        assert!(matches!(read.last(), Some(News::CameraEnded { .. })));
        let loaded = read.iter().filter(|n| matches!(n, News::PageLoaded { .. })).count() as u64;
        let unread = read.iter().map(|n| if let News::Unread { count } = n { *count } else { 0 }).sum::<u64>();
        assert_eq!((loaded, loaded + unread), ((NEWS_WAITING - KEPT_FREE) as u64, 100_000));
    }
}
