//! What the capturing thread reports, and a sender that neither blocks it nor loses a report.

use std::collections::VecDeque;

use crossbeam_channel::{Sender, TrySendError};

use super::CameraInfo;
use session::{GapReason, Timestamp};

#[derive(Clone, Debug, PartialEq)]
pub enum CaptureEvent {
    Opened(CameraInfo),
    /// Controls were changed while running.
    Adjusted(CameraInfo),
    /// Frames that exist nowhere: a gap to be stored.
    Missing {
        from: Timestamp,
        until: Timestamp,
        lost: u64,
        reason: GapReason,
        note: String,
    },
    /// The camera is gone or silent; it is being looked for. Comes again where it is found but cannot be had, with the
    /// reason. What was lost comes as `Missing` when it is back.
    Lost {
        at: Timestamp,
        why: String,
    },
    Reconnected {
        at: Timestamp,
        info: CameraInfo,
    },
    /// A file's end.
    Ended {
        at: Timestamp,
    },
    /// Nothing more will come.
    Failed {
        at: Timestamp,
        why: String,
    },
}

/// Reports that wait before older ones of the same kind give way to newer ones.
const WAITING: usize = 256;

/// Keeps what a full channel does not take, and joins what can be joined, so that a slow reader costs little memory and
/// no count.
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

    /// Where hundreds wait, a camera comes and goes and nobody looks: then losses of one reason are one loss, and of
    /// what it came and went with the newest is told.
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
                // Nobody listens any more.
                Err(TrySendError::Disconnected(_)) => return self.waiting.clear(),
            }
        }
    }

    /// The last chance: waits for the reader a little.
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
