//! The stream `skin` of frames that were scored without it: frames of a camera that delivers JPEG, frames scored later, and
//! sessions of an older program. Stored pictures and stored landmarks are enough; no network runs.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use super::pulse_error::PulseError;
use session::{
    Body, COMPACTION, Gap, GapReason, LANDMARKS, LATER, Rows, SKIN, StreamInfo, Timeline, Timestamp, later, skin_stream,
};
use store::SessionFile;
use stored_frames::FrameReader;
use vision::SkinReader;

/// Samples and gaps to add, in order of time.
pub(super) struct SkinRead {
    pub info: StreamInfo,
    pub bodies: Vec<(Timestamp, Body)>,
    /// Pictures that could not be read. Each is a gap.
    pub failed: u64,
    /// The pictures were compressed again after the recording.
    pub is_compacted: bool,
}

/// `None` if every frame with landmarks has its colours, or a gap from an earlier run. `progress` gets the number of
/// frames that were read, and of all.
pub(super) fn missing_skin(
    file: &SessionFile,
    timeline: &Timeline,
    cancelled: &AtomicBool,
    mut progress: impl FnMut(u64, u64),
) -> Result<Option<SkinRead>, PulseError> {
    let landmarks = Rows::of(timeline, LANDMARKS).ok_or(PulseError::NoLandmarks)?;
    let known: HashSet<u64> = frames_of(timeline);
    let unreadable = unreadable_at(timeline);
    let is_wanted = |k: &usize| {
        landmarks.frame(*k).is_some_and(|f| !known.contains(&f)) && !unreadable.contains(&landmarks.time(*k))
    };
    let wanted: Vec<usize> = (0..landmarks.len()).filter(is_wanted).collect();
    if wanted.is_empty() || !file.has_frames()? {
        return Ok(None);
    }
    let is_compacted = file.streams().iter().any(|stream| stream.name.as_str() == COMPACTION);
    let mut software = landmarks.info().software.clone();
    if is_compacted {
        software.push_str("; colours of a compacted video");
    }
    let live = skin_stream(file.header().camera.rate_hz, &software);
    // A session of an older program has no such stream. A recorded stream is never changed.
    let info = if timeline.series(SKIN).is_some() { later(live) } else { live };
    let mut read = SkinRead { info, bodies: Vec::with_capacity(wanted.len()), failed: 0, is_compacted };
    let mut reader = SkinReader::default();
    let mut frames = FrameReader::open(file)?;
    for (done, k) in wanted.iter().enumerate() {
        if cancelled.load(Ordering::Relaxed) {
            return Err(PulseError::Cancelled);
        }
        let (at, number) = (landmarks.time(*k), landmarks.frame(*k).unwrap_or_default());
        let points = std::array::from_fn(|p| [landmarks.value(*k, 2 * p), landmarks.value(*k, 2 * p + 1)]);
        let values = frames.frame(file, number).map_err(|e| e.to_string());
        let values = values.and_then(|frame| reader.read(&frame, &points).map_err(|e| e.to_string()));
        read.bodies.push(match values {
            Ok(values) => (at, Body::sample(Some(number), &values)),
            Err(note) => {
                read.failed += 1;
                (at, Body::Gap(Gap { until: at, reason: GapReason::Corrupt, lost: 1, note }))
            }
        });
        progress(done as u64 + 1, wanted.len() as u64);
    }
    Ok(Some(read))
}

/// The times of pictures that an earlier run could not read.
fn unreadable_at(timeline: &Timeline) -> HashSet<Timestamp> {
    let is_skin = |stream: &str| stream.strip_suffix(LATER).unwrap_or(stream) == SKIN;
    let gaps = timeline.gaps().iter().filter(|g| is_skin(g.stream.as_str()) && g.what.reason == GapReason::Corrupt);
    gaps.map(|g| g.at).collect()
}

/// The frames whose colours are stored.
fn frames_of(timeline: &Timeline) -> HashSet<u64> {
    let Some(rows) = Rows::of(timeline, SKIN) else { return HashSet::new() };
    (0..rows.len()).filter_map(|k| rows.frame(k)).collect()
}
