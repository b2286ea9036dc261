//! Times of capture for the frames of one recording of the browser, read from the session's stream `video_frame` while
//! the browser still sends.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::chunk_bytes::{POLL_INTERVAL, Progress};
use super::frame_clock::CaptureTimes;
use session::{Body, Timestamp, VIDEO_FRAME};
use store::{SessionFile, StoreError};

/// The browser sends times of capture after the frames. A time that has not arrived by then counts as absent.
const TIMES_TIMEOUT: Duration = Duration::from_secs(20);

/// How the times of a recording's frames are determined.
#[derive(Clone, Copy, Debug)]
pub enum Timing {
    /// The browser sent times of capture. `add_s` added to the video's own seconds gives the browser's media time.
    Captured { add_s: f64 },
    /// The browser sent only the time at which the recording began.
    StartOnly(Timestamp),
    /// The browser sent no time.
    Unknown,
}

pub struct FrameTimes {
    progress: Arc<Progress>,
    file: SessionFile,
    captured: CaptureTimes,
    /// First chunk of each recording of the browser, and the time at which the recording began.
    starts: Vec<(u64, Timestamp)>,
    /// The next record of the stream `video_frame` to be read.
    next_seq: u64,
}

impl FrameTimes {
    pub fn open(folder: &Path, progress: Arc<Progress>) -> Result<FrameTimes, StoreError> {
        let file = SessionFile::open(folder)?;
        Ok(FrameTimes { progress, file, captured: CaptureTimes::default(), starts: Vec::new(), next_seq: 0 })
    }

    /// The time at which the last recording began that starts at or before this chunk.
    pub fn start_at_or_before(&self, chunk: u64) -> Option<Timestamp> {
        self.starts.iter().rev().find(|s| s.0 <= chunk).map(|s| s.1)
    }

    /// Chooses how to determine the times of a recording. `video_s` are the video times of its first frames, `start` is
    /// its first chunk. The text is a note for the analyst.
    pub fn timing(&mut self, video_s: &[f64], start: u64) -> Result<(Timing, Option<String>), String> {
        let aligned = self.align(video_s, start)?;
        Ok(match (aligned, self.start_of(start)) {
            (Some((add_s, share)), _) if share > 0.5 => (Timing::Captured { add_s }, None),
            (Some((add_s, share)), Some(_)) => {
                let note = format!(
                    "only {:.0} % of the frames match a time of capture that the browser sent: the times of this \
                     recording are less exact",
                    100.0 * share
                );
                (Timing::Captured { add_s }, Some(note))
            }
            (None, Some(start)) => {
                let note = "the browser sent no times of capture: the times of this recording are counted from its \
                            start, which is less exact";
                (Timing::StartOnly(start), Some(note.to_owned()))
            }
            (_, None) => (Timing::Unknown, None),
        })
    }

    fn start_of(&self, chunk: u64) -> Option<Timestamp> {
        self.starts.iter().find(|s| s.0 == chunk).map(|s| s.1)
    }

    /// What to add to the recording's video times to get media times, and the share of frames that then match a time of
    /// capture.
    fn align(&mut self, video_s: &[f64], start: u64) -> Result<Option<(f64, f64)>, String> {
        let end_s = video_s.last().copied().unwrap_or(0.0);
        let mut last_share = None;
        let mut waited = Duration::ZERO;
        loop {
            self.read_new_records()?;
            if let Some((add_s, share)) = self.captured.align(video_s, self.start_of(start)) {
                last_share = Some((add_s, share));
                let has_all_times = self.captured.last_media_s().is_some_and(|s| s >= end_s + add_s);
                if has_all_times && share > 0.5 {
                    return Ok(last_share);
                }
            }
            if self.is_too_late(&mut waited) {
                return Ok(last_share);
            }
        }
    }

    /// When the picture at `video_s` was captured. `None` where that is unknown.
    pub fn time_of(&mut self, video_s: f64, timing: Timing) -> Result<Option<Timestamp>, String> {
        let add_s = match timing {
            Timing::Unknown => return Ok(None),
            Timing::StartOnly(start) => {
                return Ok(Some(Timestamp::from_ns(start.as_ns().saturating_add((video_s * 1e9) as i64))));
            }
            Timing::Captured { add_s } => add_s,
        };
        let media_s = video_s + add_s;
        let mut waited = Duration::ZERO;
        while self.captured.last_media_s().is_none_or(|s| s < media_s) {
            self.read_new_records()?;
            if self.captured.last_media_s().is_some_and(|s| s >= media_s) || self.is_too_late(&mut waited) {
                break;
            }
        }
        Ok(self.captured.at(media_s))
    }

    fn is_too_late(&self, waited: &mut Duration) -> bool {
        let is_over =
            self.progress.is_cancelled.load(Ordering::Acquire) || self.progress.is_ended.load(Ordering::Acquire);
        if is_over || *waited >= TIMES_TIMEOUT {
            return true;
        }
        std::thread::sleep(POLL_INTERVAL);
        *waited += POLL_INTERVAL;
        false
    }

    fn read_new_records(&mut self) -> Result<(), String> {
        let records = self.file.records_from(VIDEO_FRAME, self.next_seq).map_err(|e| e.to_string())?;
        for record in records {
            self.next_seq = self.next_seq.max(record.seq.saturating_add(1));
            let Body::Event { kind, data } = record.body else { continue };
            let numbers =
                |name: &str| data.get(name).and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
            if let ("started", Some(chunk)) = (kind.as_str(), data.get("chunk").and_then(serde_json::Value::as_u64)) {
                self.starts.push((chunk, record.at));
            }
            if kind == "frames" {
                for (at, media) in numbers("at_ns").iter().zip(numbers("media_s")) {
                    if let (Some(ns), Some(s)) = (at.as_i64(), media.as_f64()) {
                        self.captured.add(s, Timestamp::from_ns(ns));
                    }
                }
            }
        }
        Ok(())
    }
}
