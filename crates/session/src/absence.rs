//! Turns frames without a face and frames that were not scored into gaps of the `affect` stream.
//!
//! A long absence of the face is stored in pieces of at most one second. A crash then loses at most one second of it.

use crate::{Gap, GapReason, Timestamp};

const LONGEST_PIECE_NS: i64 = 1_000_000_000;

/// A gap with its start.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub from: Timestamp,
    pub gap: Gap,
}

/// Needs every scored frame, in order.
#[derive(Debug, Default)]
pub struct Absence {
    open: Option<Piece>,
    last: Option<Timestamp>,
}

impl Absence {
    /// A frame was scored at `at`. Before it, `skipped` frames were not scored. Returns the gaps that are now complete.
    pub fn scored(&mut self, at: Timestamp, has_face: bool, skipped: u64) -> Vec<Piece> {
        let mut complete = Vec::new();
        if skipped > 0 {
            let from = self.last.unwrap_or(at);
            complete.push(piece(from, at, GapReason::Skipped, skipped));
        }
        self.last = Some(at);
        if has_face {
            if let Some(mut open) = self.open.take() {
                open.gap.until = at;
                complete.push(open);
            }
            return complete;
        }
        match &mut self.open {
            None => self.open = Some(piece(at, at, GapReason::NoFace, 1)),
            Some(open) if at.since_ns(open.from) >= LONGEST_PIECE_NS => {
                open.gap.until = at;
                complete.push(std::mem::replace(open, piece(at, at, GapReason::NoFace, 1)));
            }
            Some(open) => {
                open.gap.until = at;
                open.gap.lost += 1;
            }
        }
        complete
    }

    /// Returns the gap that is still open at the end of the recording.
    pub fn finish(&mut self) -> Option<Piece> {
        self.open.take()
    }
}

fn piece(from: Timestamp, until: Timestamp, reason: GapReason, lost: u64) -> Piece {
    Piece { from, gap: Gap { until, reason, lost, note: String::new() } }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// For any sequence of frames: each frame without a face is counted once, pieces do not overlap, and no piece
        /// is longer than the limit.
        #[test]
        fn every_faceless_frame_is_counted_once(faces in prop::collection::vec((any::<bool>(), 0u64..3), 0..400)) {
            let mut absence = Absence::default();
            let mut pieces = Vec::new();
            for (k, (has_face, skipped)) in faces.iter().enumerate() {
                pieces.extend(absence.scored(Timestamp::from_ns(k as i64 * 33_333_333), *has_face, *skipped));
            }
            pieces.extend(absence.finish());
            let sum = |reason| pieces.iter().filter(|p| p.gap.reason == reason).map(|p| p.gap.lost).sum::<u64>();
            prop_assert_eq!(sum(GapReason::NoFace), faces.iter().filter(|f| !f.0).count() as u64);
            prop_assert_eq!(sum(GapReason::Skipped), faces.iter().map(|f| f.1).sum::<u64>());
            prop_assert!(pieces.iter().all(|p| p.gap.lost > 0), "a gap without a frame");
            let absent: Vec<_> = pieces.iter().filter(|p| p.gap.reason == GapReason::NoFace).collect();
            for pair in absent.windows(2) {
                prop_assert!(pair[0].gap.until <= pair[1].from);
            }
            for p in absent {
                prop_assert!(p.gap.until.since_ns(p.from) <= LONGEST_PIECE_NS + 33_333_333);
            }
        }
    }
}
