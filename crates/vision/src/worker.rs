//! The thread `vision`: it takes the newest frame, decodes it in the networks' format, scores it, and passes the result on.
//! It never blocks the camera. Frames that it cannot score in time are skipped, counted and reported.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::picture::{Colour, OwnedPicture};
use super::reading::Reading;
use super::{Vision, VisionError};
use session::{Frame, Latest, SharedFrame, Taken};

/// The thread waits for a frame at most this long before it checks whether it should end.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// One scored frame.
#[derive(Debug)]
pub struct Scored {
    pub frame: SharedFrame,
    pub reading: Result<Reading, VisionError>,
    /// Number of frames since the previous one that were not scored. They are in the video.
    pub skipped_before: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VisionCounters {
    pub scored: u64,
    pub skipped: u64,
    /// Frames that could not be decoded or scored. They are not counted in the other two.
    pub failed: u64,
}

#[derive(Debug, Default)]
struct Shared {
    scored: AtomicU64,
    skipped: AtomicU64,
    failed: AtomicU64,
}

#[derive(Debug)]
pub struct VisionWorker {
    frames: SlotHandle,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<Vision>>,
}

struct SlotHandle(Latest<SharedFrame>);

impl std::fmt::Debug for SlotHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Latest<SharedFrame>")
    }
}

impl VisionWorker {
    /// Starts the thread. Frames are numbered from 0 without gaps. A jump in their numbers is therefore the number of
    /// skipped frames.
    ///
    /// `decode` converts a frame to the pixels that the networks need (grey, or RGB for a colour network). Its error is a
    /// message for the user. `out` receives each scored frame, in order, on the thread. It must not block.
    pub fn start<D, O>(
        vision: Vision,
        frames: Latest<SharedFrame>,
        decode: D,
        out: O,
    ) -> Result<VisionWorker, VisionError>
    where
        D: FnMut(&Frame, Colour) -> Result<OwnedPicture, String> + Send + 'static,
        O: FnMut(Scored) + Send + 'static,
    {
        let shared = Arc::new(Shared::default());
        let (slot, counters) = (frames.clone(), shared.clone());
        let thread = std::thread::Builder::new()
            .name("vision".to_owned())
            .spawn(move || work(vision, &slot, decode, out, &counters))
            .map_err(|e| VisionError::Worker { why: e.to_string() })?;
        Ok(VisionWorker { frames: SlotHandle(frames), shared, thread: Some(thread) })
    }

    pub fn counters(&self) -> VisionCounters {
        VisionCounters {
            scored: self.shared.scored.load(Ordering::Relaxed),
            skipped: self.shared.skipped.load(Ordering::Relaxed),
            failed: self.shared.failed.load(Ordering::Relaxed),
        }
    }

    /// Closes the slot, waits until the frame in it is scored, and returns the networks for the next recording.
    pub fn stop(mut self) -> Result<(Vision, VisionCounters), VisionError> {
        match self.join() {
            Some(Ok(vision)) => Ok((vision, self.counters())),
            Some(Err(_)) | None => Err(VisionError::Worker { why: "it panicked".to_owned() }),
        }
    }

    fn join(&mut self) -> Option<std::thread::Result<Vision>> {
        self.frames.0.close();
        self.thread.take().map(JoinHandle::join)
    }
}

impl Drop for VisionWorker {
    fn drop(&mut self) {
        // After `stop`, there is no thread to join. The panic hook has reported a panic.
        drop(self.join());
    }
}

fn work(
    mut vision: Vision,
    frames: &Latest<SharedFrame>,
    mut decode: impl FnMut(&Frame, Colour) -> Result<OwnedPicture, String>,
    mut out: impl FnMut(Scored),
    counters: &Shared,
) -> Vision {
    let colour = vision.colour();
    let mut expected_number = 0;
    loop {
        let frame = match frames.take(POLL_INTERVAL) {
            Taken::New(frame) => frame,
            Taken::TimedOut => continue,
            Taken::Closed => return vision,
        };
        // A number below the expected one is the first of another recording.
        let skipped_before = frame.meta.number.checked_sub(expected_number).unwrap_or(frame.meta.number);
        expected_number = frame.meta.number + 1;
        let reading = score(&mut vision, &frame, &mut decode, colour);
        let counter = if reading.is_ok() { &counters.scored } else { &counters.failed };
        counter.fetch_add(1, Ordering::Relaxed);
        counters.skipped.fetch_add(skipped_before, Ordering::Relaxed);
        out(Scored { frame, reading, skipped_before });
    }
}

fn score(
    vision: &mut Vision,
    frame: &Frame,
    decode: &mut impl FnMut(&Frame, Colour) -> Result<OwnedPicture, String>,
    colour: Colour,
) -> Result<Reading, VisionError> {
    let picture = decode(frame, colour).map_err(|why| VisionError::Decode { frame: frame.meta.number, why })?;
    vision.step(picture.as_picture()?, frame.meta.at)
}
