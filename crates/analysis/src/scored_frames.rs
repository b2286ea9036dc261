//! The frames that the networks scored.

use super::frame_times::FrameHole;
use super::pauses::Pauses;
use session::{AFFECT, AFFECT_LATER, GapReason, SampleSeries, Timeline, Timestamp};

/// The sum of `lost` over the gaps of one stream and one reason.
pub fn lost_in(timeline: &Timeline, stream: &str, reason: GapReason) -> u64 {
    let gaps = timeline.gaps().iter().filter(|g| g.stream.as_str() == stream && g.what.reason == reason);
    gaps.map(|g| g.what.lost).sum()
}

/// Numbers of frames that the networks scored: live, and later where the live worker skipped frames. Scores by another
/// network are not counted.
pub struct ScoredFrames {
    pub with_face: u64,
    pub later: u64,
    pub all: u64,
}

impl ScoredFrames {
    pub fn of(timeline: &Timeline) -> ScoredFrames {
        let samples = |stream| timeline.series(stream).map_or(0, SampleSeries::len) as u64;
        let without_face = |stream| lost_in(timeline, stream, GapReason::NoFace);
        let with_face = samples(AFFECT) + samples(AFFECT_LATER);
        ScoredFrames {
            with_face,
            later: samples(AFFECT_LATER) + without_face(AFFECT_LATER),
            all: with_face + without_face(AFFECT) + without_face(AFFECT_LATER),
        }
    }
}

/// The longest time between two scored frames, with or without a face. Pauses do not count.
pub fn longest_unscored(timeline: &Timeline, pauses: &Pauses) -> FrameHole {
    let with_face = timeline.series(AFFECT).into_iter().flat_map(|s| s.times().iter().map(|at| (*at, *at)));
    let is_absence =
        |g: &&session::EventRow<session::Gap>| g.stream.as_str() == AFFECT && g.what.reason == GapReason::NoFace;
    let without_face = timeline.gaps().iter().filter(is_absence).map(|g| (g.at, g.what.until));
    let mut scored: Vec<_> = with_face.chain(without_face).collect();
    scored.sort_unstable();
    let mut longest = FrameHole::default();
    let mut last: Option<Timestamp> = None;
    for (from, until) in scored {
        longest = last.map_or(longest, |last| longest.longer(FrameHole::since(last, pauses.expected_s(last, from))));
        last = last.max(Some(until));
    }
    longest
}
