//! Stores the readings of the networks as records. Runs on the vision thread and never waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::RigEvent;
use super::rig_event::EventSender;
use session::{Body, Frame, Latest, Pixels, SKIN, SharedFrame, Timestamp, skin};
use store::{Recorder, StoreError, StreamWriter};
use vision::{FrameRecords, Reading, RecordBuilder, Scored, SkinReader, VISION_EVENTS, VISION_STREAMS};

/// A frame with its reading, for the preview.
#[derive(Clone, Debug)]
pub struct FrameReading {
    pub frame: SharedFrame,
    pub reading: Reading,
}

/// The streams that the networks fill.
pub(super) struct VisionStreams {
    /// In the order of [`VISION_STREAMS`].
    samples: [StreamWriter; VISION_STREAMS.len()],
    blinks: StreamWriter,
    skin: StreamWriter,
}

// The results of the stream writers are ignored: the recorder counts each record that it could not take, reports it and
// stores a gap.
impl VisionStreams {
    pub(super) fn of(recorder: &Recorder) -> Result<Self, StoreError> {
        let [affect, face, landmarks, action, eyes] = VISION_STREAMS.map(|name| recorder.stream(name));
        Ok(VisionStreams {
            samples: [affect?, face?, landmarks?, action?, eyes?],
            blinks: recorder.stream(VISION_EVENTS)?,
            skin: recorder.stream(SKIN)?,
        })
    }

    fn store(&self, at: Timestamp, records: FrameRecords) {
        self.store_gaps(records.gaps);
        for (stream, sample) in self.samples.iter().zip(records.samples) {
            if let Some(sample) = sample {
                stream.append(at, sample).ok();
            }
        }
        if let Some((onset, blink)) = records.blink {
            self.blinks.append(onset, blink).ok();
        }
    }

    fn store_gaps(&self, gaps: impl IntoIterator<Item = (Timestamp, Body)>) {
        for (from, gap) in gaps {
            self.samples[0].append(from, gap).ok();
        }
    }
}

pub(super) struct AffectSink {
    streams: Option<VisionStreams>,
    records: RecordBuilder,
    readings: Latest<FrameReading>,
    pace: Arc<InferenceMean>,
    events: EventSender,
    is_in_trouble: bool,
    skin: SkinReader,
}

impl AffectSink {
    pub(super) fn new(
        streams: Option<VisionStreams>,
        readings: Latest<FrameReading>,
        pace: Arc<InferenceMean>,
        events: EventSender,
    ) -> Self {
        AffectSink {
            streams,
            records: RecordBuilder::default(),
            readings,
            pace,
            events,
            is_in_trouble: false,
            skin: SkinReader::default(),
        }
    }

    /// Stores a frame of a camera, with the colours of its skin.
    pub(super) fn take(&mut self, scored: Scored) {
        let skin = match &scored.reading {
            Ok(reading) if self.streams.is_some() => uncompressed_skin(&mut self.skin, &scored.frame, reading),
            _ => None,
        };
        self.take_with_skin(scored, skin);
    }

    pub(super) fn take_with_skin(&mut self, scored: Scored, skin: Option<[f32; skin::FIELDS]>) {
        let reading = match scored.reading {
            Ok(reading) => reading,
            Err(e) => return self.trouble(&e.to_string()),
        };
        self.is_in_trouble = false;
        self.pace.add(reading.step_ms.total_ms);
        let meta = scored.frame.meta;
        if let Some(streams) = &self.streams {
            streams.store(meta.at, self.records.add(&meta, &reading, scored.skipped_before));
            if let Some(values) = skin {
                streams.skin.append(meta.at, Body::sample(Some(meta.number), &values)).ok();
            }
        }
        self.readings.put(FrameReading { frame: scored.frame, reading });
    }

    /// Reports a failure once, not for every frame.
    fn trouble(&mut self, sentence: &str) {
        if !std::mem::replace(&mut self.is_in_trouble, true) {
            self.events.send(RigEvent::VisionFailed(sentence.to_owned()));
        }
    }
}

impl Drop for AffectSink {
    /// The worker drops its sink when it ends. A gap that is still open is stored then.
    fn drop(&mut self) {
        if let Some(streams) = &self.streams {
            streams.store_gaps(self.records.finish());
        }
    }
}

/// The colours of the skin in a frame with a face. `None` for a JPEG: a camera's JPEG is stored as it is, and `affectograph
/// pulse` reads the same colours from the video later, so that the picture is not decoded twice here.
pub(super) fn uncompressed_skin(
    reader: &mut SkinReader,
    frame: &Frame,
    reading: &Reading,
) -> Option<[f32; skin::FIELDS]> {
    let face = reading.face.as_ref().filter(|_| !matches!(frame.pixels, Pixels::Jpeg(_)))?;
    // Only a JPEG can fail to decode.
    reader.read(frame, &face.points).ok()
}

/// Running mean of the time of a vision step, over about 30 steps. Can be read without waiting.
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
