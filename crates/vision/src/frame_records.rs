//! Turns the readings of a session's frames into records of the streams of the networks.

use super::blinks::BlinkDetector;
use super::reading::{FaceReading, Reading};
use session::{ACTION, AFFECT, Absence, BLINK, Body, EYES, FACE, FrameMeta, LANDMARKS, Piece, Timestamp};

/// The sample streams that the networks fill, in the order of [`FrameRecords::samples`].
pub const VISION_STREAMS: [&str; 5] = [AFFECT, FACE, LANDMARKS, ACTION, EYES];
/// The events that follow from the samples.
pub const VISION_EVENTS: &str = BLINK;

/// The records of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameRecords {
    /// Gaps of the stream `affect` that are complete now, each with its start.
    pub gaps: Vec<(Timestamp, Body)>,
    /// Samples of [`VISION_STREAMS`]: all `None` if the frame shows no face; `None` at the end if no network of facial actions is
    /// installed.
    pub samples: [Option<Body>; VISION_STREAMS.len()],
    /// An event of [`VISION_EVENTS`] that is complete now, with its onset.
    pub blink: Option<(Timestamp, Body)>,
}

/// Needs every scored frame of a session, in order.
#[derive(Debug, Default)]
pub struct RecordBuilder {
    absence: Absence,
    blinks: BlinkDetector,
}

impl RecordBuilder {
    /// `skipped_before` frames between the previous frame and this one were not scored.
    pub fn add(&mut self, frame: &FrameMeta, reading: &Reading, skipped_before: u64) -> FrameRecords {
        let pieces = self.absence.scored(frame.at, reading.face.is_some(), skipped_before);
        let sample = |values: &[f32]| Some(Body::sample(Some(frame.number), values));
        let mut samples = [const { None }; VISION_STREAMS.len()];
        if let (Some(face), Some(face_values)) = (&reading.face, reading.face_values()) {
            samples[0] = sample(&face.affect_values());
            samples[1] = sample(&face_values);
            samples[2] = sample(&face.landmark_values());
            samples[3] = face.action_values().as_ref().and_then(|values| sample(values));
            samples[4] = face.eye_values().as_ref().and_then(|values| sample(values));
        }
        let blink = self.blinks.add(frame.at, reading.face.as_ref().and_then(closure));
        FrameRecords { gaps: pieces.into_iter().map(gap).collect(), samples, blink: blink.map(|b| (b.onset, b.event())) }
    }

    /// The gap that is still open when the frames end.
    pub fn finish(&mut self) -> Option<(Timestamp, Body)> {
        self.absence.finish().map(gap)
    }
}

/// Mean closure of both eyes.
fn closure(face: &FaceReading) -> Option<f32> {
    let [left, right] = face.actions.as_ref()?.closure;
    Some((left + right) / 2.0).filter(|closure| closure.is_finite())
}

fn gap(Piece { from, gap }: Piece) -> (Timestamp, Body) {
    (from, Body::Gap(gap))
}
