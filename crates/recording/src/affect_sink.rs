//! From what the networks saw to records: runs on the vision thread, never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::News;
use super::news::NewsSender;
use capture::{Decoder, to_grey, to_rgb};
use session::{AFFECT, Absence, FACE, Frame, LANDMARKS, Latest, Piece, SharedFrame};
use store::{Recorder, StoreError, StreamWriter};
use vision::{Colour, OwnedPicture, Reading, Scored};

/// A frame with what was seen in it, for the preview.
#[derive(Clone, Debug)]
pub struct Seen {
    pub frame: SharedFrame,
    pub reading: Reading,
}

/// A frame as the networks want it. What is wrong with it is a sentence.
pub(super) fn picture_of(frame: &Frame, colour: Colour, decoder: &mut Decoder) -> Result<OwnedPicture, String> {
    let (width_px, height_px, pixels) = match colour {
        Colour::Grey => to_grey(frame, decoder).map(|p| (p.width_px, p.height_px, p.pixels)),
        Colour::Rgb => to_rgb(frame, decoder).map(|p| (p.width_px, p.height_px, p.pixels)),
    }
    .map_err(|e| e.to_string())?;
    Ok(OwnedPicture { width_px, height_px, colour, pixels })
}

/// The three streams that the networks feed. `None` in a rehearsal.
pub(super) struct VisionStreams {
    affect: StreamWriter,
    face: StreamWriter,
    landmarks: StreamWriter,
}

impl VisionStreams {
    pub(super) fn of(recorder: &Recorder) -> Result<Self, StoreError> {
        Ok(VisionStreams {
            affect: recorder.stream(AFFECT)?,
            face: recorder.stream(FACE)?,
            landmarks: recorder.stream(LANDMARKS)?,
        })
    }
}

pub(super) struct AffectSink {
    streams: Option<VisionStreams>,
    absence: Absence,
    seen: Latest<Seen>,
    pace: Arc<InferenceMean>,
    news: NewsSender,
    is_in_trouble: bool,
}

impl AffectSink {
    pub(super) fn new(
        streams: Option<VisionStreams>,
        seen: Latest<Seen>,
        pace: Arc<InferenceMean>,
        news: NewsSender,
    ) -> Self {
        AffectSink { streams, absence: Absence::default(), seen, pace, news, is_in_trouble: false }
    }

    pub(super) fn take(&mut self, scored: Scored) {
        let reading = match scored.reading {
            Ok(reading) => reading,
            Err(e) => return self.trouble(&e.to_string()),
        };
        self.is_in_trouble = false;
        self.pace.add(reading.step_ms.total_ms);
        let (frame, at) = (scored.frame.number, scored.frame.at);
        let pieces = self.absence.scored(at, reading.face.is_some(), scored.skipped_before);
        if let Some(streams) = &self.streams {
            store_gaps(&streams.affect, pieces);
            let values = (reading.affect_values(), reading.face_values(), reading.landmark_values());
            if let (Some(affect), Some(face), Some(landmarks)) = values {
                // The store counts what it could not take, shows it and stores it as a gap: nothing is left to do here.
                let _ = streams.affect.sample(at, Some(frame), &affect);
                let _ = streams.face.sample(at, Some(frame), &face);
                let _ = streams.landmarks.sample(at, Some(frame), &landmarks);
            }
        }
        self.seen.put(Seen { frame: scored.frame, reading });
    }

    /// Said once, not thirty times a second.
    fn trouble(&mut self, sentence: &str) {
        if !std::mem::replace(&mut self.is_in_trouble, true) {
            self.news.tell(News::VisionTrouble(sentence.to_owned()));
        }
    }
}

impl Drop for AffectSink {
    /// The worker drops its sink when it ends: what is still open of an absence is stored then.
    fn drop(&mut self) {
        if let Some(streams) = &self.streams {
            store_gaps(&streams.affect, self.absence.finish());
        }
    }
}

fn store_gaps(affect: &StreamWriter, pieces: impl IntoIterator<Item = Piece>) {
    for Piece { from, gap } in pieces {
        // Counted by the store itself, as above.
        let _ = affect.gap(from, gap.until, gap.reason, gap.lost, &gap.note);
    }
}

/// Mean time of a vision step over about the last thirty, readable without waiting.
#[derive(Debug)]
pub(super) struct InferenceMean(AtomicU32);

impl Default for InferenceMean {
    fn default() -> Self {
        InferenceMean(AtomicU32::new(f32::NAN.to_bits()))
    }
}

impl InferenceMean {
    /// Called by one thread only.
    fn add(&self, ms: f32) {
        let mean = f32::from_bits(self.0.load(Ordering::Relaxed));
        let next = if mean.is_nan() { ms } else { mean + (ms - mean) / 30.0 };
        self.0.store(next.to_bits(), Ordering::Relaxed);
    }

    pub(super) fn get_ms(&self) -> Option<f64> {
        let mean = f32::from_bits(self.0.load(Ordering::Relaxed));
        (!mean.is_nan()).then_some(f64::from(mean))
    }
}
