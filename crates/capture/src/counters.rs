//! The camera's counters for the health bar. The capture thread writes them. Any thread can read them without a lock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

use session::{GapReason, Timestamp};

#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CaptureCounters {
    /// Frames that were numbered and passed on.
    pub frames: u64,
    /// Frames that the store's queue accepted.
    pub stored: u64,
    /// Frames in the last second.
    pub fps: f64,
    /// Frames that the camera did not send or its driver dropped. Inferred if the driver has no sequence numbers.
    pub dropped_by_driver: u64,
    pub corrupt: u64,
    /// Frames that were lost because the store's queue was full.
    pub queue_full: u64,
    /// Frames that are missing while the camera was disconnected, computed from the rate.
    pub camera_lost: u64,
    /// Number of disconnections.
    pub losses: u64,
    /// Frames that newer ones replaced before they were scored. They are stored.
    pub vision_skipped: u64,
    pub preview_skipped: u64,
}

impl CaptureCounters {
    /// Frames that are missing in the video.
    pub fn lost(&self) -> u64 {
        self.dropped_by_driver + self.corrupt + self.queue_full + self.camera_lost
    }
}

/// The atomic counters behind [`CaptureCounters`].
#[derive(Default)]
pub struct Counting {
    frames: AtomicU64,
    stored: AtomicU64,
    dropped_by_driver: AtomicU64,
    corrupt: AtomicU64,
    queue_full: AtomicU64,
    camera_lost: AtomicU64,
    losses: AtomicU64,
    vision_skipped: AtomicU64,
    preview_skipped: AtomicU64,
    last_ns: AtomicI64,
    /// Ring buffer of the last frames' times.
    recent: Ring,
}

struct Ring([AtomicI64; RING]);

impl Default for Ring {
    fn default() -> Self {
        Ring([const { AtomicI64::new(0) }; RING])
    }
}

/// Sufficient for one second at up to 255 frames per second.
const RING: usize = 256;
const SECOND_NS: i64 = 1_000_000_000;

impl Counting {
    pub fn frame(&self, at: Timestamp) {
        let number = self.frames.load(Relaxed);
        self.recent.0[number as usize % RING].store(at.as_ns(), Relaxed);
        self.last_ns.store(at.as_ns(), Relaxed);
        self.frames.store(number + 1, Relaxed);
    }

    pub fn stored(&self) {
        self.stored.fetch_add(1, Relaxed);
    }

    pub fn vision_skipped(&self) {
        self.vision_skipped.fetch_add(1, Relaxed);
    }

    pub fn preview_skipped(&self) {
        self.preview_skipped.fetch_add(1, Relaxed);
    }

    pub fn lost_camera(&self) {
        self.losses.fetch_add(1, Relaxed);
    }

    pub fn dropped(&self, reason: GapReason, count: u64) {
        let counter = match reason {
            GapReason::DroppedByDriver => &self.dropped_by_driver,
            GapReason::Corrupt => &self.corrupt,
            GapReason::QueueFull => &self.queue_full,
            // The capture thread reports no other reason.
            _ => &self.camera_lost,
        };
        counter.fetch_add(count, Relaxed);
    }

    pub fn read(&self, now: Timestamp) -> CaptureCounters {
        let frames = self.frames.load(Relaxed);
        CaptureCounters {
            frames,
            stored: self.stored.load(Relaxed),
            fps: self.fps(frames, now),
            dropped_by_driver: self.dropped_by_driver.load(Relaxed),
            corrupt: self.corrupt.load(Relaxed),
            queue_full: self.queue_full.load(Relaxed),
            camera_lost: self.camera_lost.load(Relaxed),
            losses: self.losses.load(Relaxed),
            vision_skipped: self.vision_skipped.load(Relaxed),
            preview_skipped: self.preview_skipped.load(Relaxed),
        }
    }

    fn fps(&self, frames: u64, now: Timestamp) -> f64 {
        let last_ns = self.last_ns.load(Relaxed);
        if frames < 2 || now.as_ns().saturating_sub(last_ns) > SECOND_NS {
            return 0.0;
        }
        let there = (frames as usize).min(RING);
        let recent = self.recent.0[..there].iter().map(|t| t.load(Relaxed));
        let (mut count, mut first_ns) = (0u32, last_ns);
        for ns in recent.filter(|ns| (0..=SECOND_NS).contains(&(last_ns - ns))) {
            count += 1;
            first_ns = first_ns.min(ns);
        }
        if count < 2 || last_ns == first_ns { 0.0 } else { f64::from(count - 1) * 1e9 / (last_ns - first_ns) as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_is_that_of_the_last_second() {
        let counting = Counting::default();
        let mut at = Timestamp::ZERO;
        for k in 0..400 {
            // First slow, then fast.
            at = at + std::time::Duration::from_micros(if k < 300 { 66_667 } else { 33_333 });
            counting.frame(at);
        }
        let fps = counting.read(at).fps;
        assert!((29.9..30.1).contains(&fps), "{fps}");
        assert_eq!(counting.read(at + std::time::Duration::from_secs(2)).fps, 0.0);
    }
}
