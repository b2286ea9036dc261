//! The frames of a recording on the session clock: how long no frame came, and whether the last ones are missing.

use super::pauses::Pauses;
use session::{AFFECT, AFFECT_LATER, EventRow, Gap, GapReason, HEALTH, HealthKind, PULSE, SKIN, Timeline, Timestamp};

/// Gaps of `affect_<model>` are another network's findings about the same frames. Gaps of `skin_later`, `pulse`, `pulse_2` … are
/// findings of `affectograph pulse`. A gap of `skin` is a loss of the recording.
pub fn is_of_recording(stream: &str, reason: GapReason) -> bool {
    // In a session of an older program, `skin` is added by `affectograph pulse`. It has gaps for damaged pictures only.
    let is_of_pulse = stream == "skin_later" || stream == SKIN && reason == GapReason::Corrupt || is_pulse(stream);
    stream == AFFECT || stream == AFFECT_LATER || !(stream.starts_with("affect_") || is_of_pulse)
}

/// `pulse`, `pulse_2` …
fn is_pulse(stream: &str) -> bool {
    let number = stream.strip_prefix(PULSE).map(|rest| rest.strip_prefix('_').unwrap_or(rest));
    number.is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

/// Closing a recording takes at most this time, in which no frame is due.
const LONGEST_CLOSING_S: f64 = 1.0;

fn recording_stopped(timeline: &Timeline) -> Option<Timestamp> {
    let is_it = |stream: &str, kind: &str| stream == HEALTH && kind == HealthKind::RecordingStopped.as_str();
    timeline.events().iter().rev().find(|e| is_it(e.stream.as_str(), &e.what.kind)).map(|e| e.at)
}

/// A time without a new frame. Pauses do not count.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FrameHole {
    /// Of the last frame before it. `None`: there is no hole.
    pub from: Option<Timestamp>,
    pub seconds: f64,
}

impl FrameHole {
    pub fn since(from: Timestamp, seconds: f64) -> FrameHole {
        FrameHole { from: Some(from), seconds }
    }

    /// The first one of two that are equally long.
    pub fn longer(self, other: FrameHole) -> FrameHole {
        if other.seconds > self.seconds { other } else { self }
    }
}

/// From the frame before a loss to the one after it; `None` at the ends of the recording.
fn hole_around(frame_times: &[Timestamp], from: Timestamp, until: Timestamp) -> Option<FrameHole> {
    let before = frame_times.partition_point(|t| *t < from).checked_sub(1)?;
    let after = frame_times.partition_point(|t| *t < until.max(from)).max(before + 1);
    let last = frame_times[before];
    Some(FrameHole::since(last, frame_times.get(after)?.since_ns(last) as f64 * 1e-9))
}

pub struct FrameTimes<'a> {
    /// Of the frames that are still in the video.
    present: &'a [Timestamp],
    pauses: &'a Pauses,
    /// From the first stored frame to the stop of the recording, without pauses.
    pub video_s: f64,
    /// From the last stored frame to the stop of the recording, without pauses. Zero for the time that closing takes.
    pub silent_end_s: f64,
    /// From the last present frame to the stop of the recording, without pauses.
    silence_s: f64,
    pub is_film: bool,
}

impl<'a> FrameTimes<'a> {
    /// `gone` frames at the end were stored and are no longer in the video.
    pub fn of(timeline: &Timeline, stored: &'a [Timestamp], gone: u64, pauses: &'a Pauses) -> FrameTimes<'a> {
        // Frames were due until the recording was stopped. A camera that delivered none before that leaves a gap, too.
        let silent_end_s = match (stored.last(), recording_stopped(timeline)) {
            (Some(last), Some(stopped)) => {
                Some(pauses.expected_s(*last, stopped)).filter(|s| *s > LONGEST_CLOSING_S).unwrap_or(0.0)
            }
            _ => 0.0,
        };
        let video_s = match stored {
            [first, .., last] => pauses.expected_s(*first, *last) + silent_end_s,
            _ => 0.0,
        };
        let present = &stored[..stored.len() - (gone as usize).min(stored.len())];
        let silence_s = match (gone, present.last(), stored.last()) {
            (1.., Some(present), Some(last)) => pauses.expected_s(*present, *last) + silent_end_s,
            _ => silent_end_s,
        };
        let is_film =
            timeline.events().iter().any(|e| e.stream.as_str() == HEALTH && e.what.kind == HealthKind::Film.as_str());
        FrameTimes { present, pauses, video_s, silent_end_s, silence_s, is_film }
    }

    pub fn largest_hole(&self, timeline: &Timeline, gone: u64) -> FrameHole {
        let at_end = match self.present.last() {
            Some(last) if self.silence_s > 0.0 && (!self.is_film || gone > 0) => {
                FrameHole::since(*last, self.silence_s)
            }
            _ => FrameHole::default(),
        };
        if !self.is_film {
            let holes = self.present.windows(2).map(|w| FrameHole::since(w[0], self.pauses.expected_s(w[0], w[1])));
            return holes.fold(at_end, FrameHole::longer);
        }
        // The times of a video file may be uneven. Only lost frames make a hole.
        let is_lost = |g: &&EventRow<Gap>| is_of_recording(g.stream.as_str(), g.what.reason) && g.what.reason.is_loss();
        let losses = timeline.gaps().iter().filter(is_lost);
        losses.filter_map(|g| hole_around(self.present, g.at, g.what.until)).fold(at_end, FrameHole::longer)
    }
}
