//! Turns the readings of a session's frames into records of the streams `affect`, `face` and `landmarks`.

use super::reading::Reading;
use session::{AFFECT, Absence, Body, FACE, FrameMeta, LANDMARKS, Piece, Timestamp};

/// The streams that the networks fill, in the order of [`FrameRecords::samples`].
pub const VISION_STREAMS: [&str; 3] = [AFFECT, FACE, LANDMARKS];

/// The records of one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct FrameRecords {
    /// Gaps of the stream `affect` that are complete now, each with its start.
    pub gaps: Vec<(Timestamp, Body)>,
    /// One sample for each of [`VISION_STREAMS`]; `None` if the frame shows no face.
    pub samples: Option<[Body; 3]>,
}

/// Needs every scored frame of a session, in order.
#[derive(Debug, Default)]
pub struct RecordBuilder {
    absence: Absence,
}

impl RecordBuilder {
    /// `skipped_before` frames between the previous frame and this one were not scored.
    pub fn add(&mut self, frame: &FrameMeta, reading: &Reading, skipped_before: u64) -> FrameRecords {
        let pieces = self.absence.scored(frame.at, reading.face.is_some(), skipped_before);
        let sample = |values: &[f32]| Body::sample(Some(frame.number), values);
        let values = (reading.affect_values(), reading.face_values(), reading.landmark_values());
        let samples = match values {
            (Some(affect), Some(face), Some(landmarks)) => Some([sample(&affect), sample(&face), sample(&landmarks)]),
            _ => None,
        };
        FrameRecords { gaps: pieces.into_iter().map(gap).collect(), samples }
    }

    /// The gap that is still open when the frames end.
    pub fn finish(&mut self) -> Option<(Timestamp, Body)> {
        self.absence.finish().map(gap)
    }
}

fn gap(Piece { from, gap }: Piece) -> (Timestamp, Body) {
    (from, Body::Gap(gap))
}
