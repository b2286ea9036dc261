//! Events of the capture thread, and a sender that neither blocks the thread nor loses an event.

use std::collections::VecDeque;

use crossbeam_channel::{Sender, TrySendError};

use super::CameraInfo;
use session::{GapReason, Timestamp};

#[derive(Clone, Debug, PartialEq)]
pub enum CaptureEvent {
    Opened(CameraInfo),
    /// Controls were changed while running.
    Adjusted(CameraInfo),
    /// Lost frames. They are stored as a gap.
    Missing {
        from: Timestamp,
        until: Timestamp,
        lost: u64,
        reason: GapReason,
        note: String,
    },
    /// The camera is disconnected or sends no frames. The thread searches for it. The event is repeated with the reason if
    /// the camera is found but cannot be opened. Lost frames are reported as `Missing` when it is back.
    Lost {
        at: Timestamp,
        why: String,
    },
    Reconnected {
        at: Timestamp,
        info: CameraInfo,
    },
    /// The end of a file.
    Ended {
        at: Timestamp,
    },
    /// The last event.
    Failed {
        at: Timestamp,
        why: String,
    },
}

/// The number of waiting events above which older events of the same kind are merged or replaced.
const WAITING: usize = 256;

/// Keeps events that a full channel does not accept, and merges them if possible. A slow reader thus needs little memory,
/// and all counts stay correct.
pub struct EventSender {
    to: Sender<CaptureEvent>,
    waiting: VecDeque<CaptureEvent>,
}

impl EventSender {
    pub fn new(to: Sender<CaptureEvent>) -> Self {
        EventSender { to, waiting: VecDeque::new() }
    }

    pub fn send(&mut self, event: CaptureEvent) {
        match (self.waiting.back_mut(), &event) {
            (
                Some(CaptureEvent::Missing { until: end, lost: sum, reason: a, .. }),
                CaptureEvent::Missing { until, lost, reason: b, .. },
            ) if a == b => {
                *end = (*end).max(*until);
                *sum += lost;
            }
            _ => self.keep(event),
        }
        self.flush();
    }

    /// Hundreds of events wait only if a camera disconnects repeatedly and the reader is stopped. Losses of the same reason
    /// are then merged. Of the other events, the newest is kept.
    fn keep(&mut self, event: CaptureEvent) {
        if self.waiting.len() >= WAITING {
            if let CaptureEvent::Missing { from, until, lost, reason, .. } = &event {
                for older in self.waiting.iter_mut().rev() {
                    if let CaptureEvent::Missing { from: begin, until: end, lost: sum, reason: same, .. } = older
                        && same == reason
                    {
                        (*begin, *end) = ((*begin).min(*from), (*end).max(*until));
                        *sum += lost;
                        return;
                    }
                }
            } else if let Some(k) =
                self.waiting.iter().position(|e| std::mem::discriminant(e) == std::mem::discriminant(&event))
            {
                self.waiting.remove(k);
            }
        }
        self.waiting.push_back(event);
    }

    pub fn flush(&mut self) {
        while let Some(event) = self.waiting.pop_front() {
            match self.to.try_send(event) {
                Ok(()) => {}
                Err(TrySendError::Full(event)) => return self.waiting.push_front(event),
                // The receiver is closed.
                Err(TrySendError::Disconnected(_)) => return self.waiting.clear(),
            }
        }
    }

    /// Waits for the reader for a short time before the thread ends.
    pub fn finish(&mut self) {
        for event in self.waiting.drain(..) {
            if self.to.send_timeout(event, std::time::Duration::from_millis(500)).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossbeam_channel::bounded;

    #[test]
    fn a_full_channel_loses_no_count() {
        let (to, from) = bounded(1);
        let mut sender = EventSender::new(to);
        let t = Timestamp::from_ns;
        for k in 0..100 {
            let (reason, note) = (GapReason::Corrupt, String::new());
            sender.send(CaptureEvent::Missing { from: t(k), until: t(k + 1), lost: 1, reason, note });
        }
        assert_eq!(sender.waiting.len(), 1);
        let mut seen = Vec::new();
        while let Ok(event) = from.try_recv() {
            let CaptureEvent::Missing { from, until, lost, .. } = event else { panic!() };
            seen.push((from.as_ns(), until.as_ns(), lost));
            sender.flush();
        }
        assert_eq!(seen, [(0, 1, 1), (1, 100, 99)]);
    }

    #[test]
    fn a_camera_that_comes_and_goes_costs_little_while_nobody_reads() {
        let (to, from) = bounded(1);
        let mut sender = EventSender::new(to);
        for k in 0..30_000 {
            let (at, note) = (Timestamp::from_ns(k), String::new());
            let reason = if k % 2 == 0 { GapReason::Corrupt } else { GapReason::CameraLost };
            sender.send(CaptureEvent::Missing { from: at, until: at, lost: 1, reason, note });
            sender.send(CaptureEvent::Lost { at, why: "pulled out".into() });
        }
        assert!(sender.waiting.len() <= WAITING + 1, "{}", sender.waiting.len());
        let (mut lost, mut last) = (0, Timestamp::ZERO);
        while let Ok(event) = from.try_recv() {
            match event {
                CaptureEvent::Missing { lost: n, .. } => lost += n,
                CaptureEvent::Lost { at, .. } => last = at,
                _ => panic!("{event:?}"),
            }
            sender.flush();
        }
        assert_eq!((lost, last), (30_000, Timestamp::from_ns(29_999)));
    }
}
