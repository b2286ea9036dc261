//! Finds the stored frames that were not scored, from the `affect` streams alone.

use std::collections::HashSet;

use session::{AFFECT, AFFECT_LATER, Body, GapReason, Record, Timestamp};
use store::{FrameRow, SessionFile};
use stored_frames::{FrameError, FrameReader};

/// For each frame, whether it was scored neither live nor later.
pub(super) fn unscored(file: &SessionFile) -> Result<Vec<bool>, FrameError> {
    let mut found = Found::default();
    file.each_record(|record| found.take(&record))?;
    let frames = file.frames()?.rows();
    let damaged: Vec<bool> = frames.iter().map(|f| found.damaged.contains(&f.meta.at)).collect();
    let mut wanted = found.unscored(frames);
    // A damaged picture is not tried again, unless it is readable now.
    let mut reader = None;
    for ((frame, wanted), _) in frames.iter().zip(&mut wanted).zip(damaged).filter(|(_, damaged)| *damaged) {
        let reader = match &mut reader {
            Some(reader) => reader,
            None => reader.insert(FrameReader::open(file)?),
        };
        *wanted &= reader.frame_of(file, frame).is_ok();
    }
    Ok(wanted)
}

/// The information of the `affect` streams about frames.
#[derive(Default)]
struct Found {
    scored: HashSet<u64>,
    /// Times of frames that were damaged when they were scored later.
    damaged: HashSet<Timestamp>,
    faceless: Vec<(Timestamp, Timestamp)>,
    skipped: Vec<(Timestamp, Timestamp)>,
    /// Skipped live and found faceless later.
    faceless_later: Vec<(Timestamp, Timestamp)>,
}

impl Found {
    fn take(&mut self, record: &Record) {
        let is_later = record.stream.as_str() == AFFECT_LATER;
        if record.stream.as_str() != AFFECT && !is_later {
            return;
        }
        match &record.body {
            Body::Sample { frame: Some(frame), .. } => drop(self.scored.insert(*frame)),
            Body::Gap(gap) => match (gap.reason, is_later) {
                (GapReason::NoFace, false) => self.faceless.push((record.at, gap.until)),
                (GapReason::NoFace, true) => self.faceless_later.push((record.at, gap.until)),
                (GapReason::Corrupt, true) => drop(self.damaged.insert(record.at)),
                (GapReason::Skipped, _) => self.skipped.push((record.at, gap.until)),
                _ => {}
            },
            _ => {}
        }
    }

    fn unscored(mut self, frames: &[FrameRow]) -> Vec<bool> {
        for spans in [&mut self.faceless, &mut self.skipped, &mut self.faceless_later] {
            spans.sort();
        }
        let wanted = frames.iter().map(|f| {
            // A skipped span is between the scored frames before and after it. Both are excluded.
            let is_skipped =
                spans_over(&self.skipped, f.meta.at).any(|(from, until)| from < f.meta.at && f.meta.at < until);
            let is_faceless =
                |spans| spans_over(spans, f.meta.at).any(|(from, until)| from <= f.meta.at && f.meta.at <= until);
            let was_scored = is_faceless(&self.faceless) && !is_skipped || is_faceless(&self.faceless_later);
            !self.scored.contains(&f.meta.number) && !was_scored
        });
        wanted.collect()
    }
}

/// The spans that may contain `at`. Spans are short and hardly overlap, so the four before `at` are enough.
fn spans_over(spans: &[(Timestamp, Timestamp)], at: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
    let behind = spans.partition_point(|(from, _)| *from <= at);
    spans[behind.saturating_sub(4)..behind].iter().copied()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;
    use session::{Absence, FrameMeta, Gap, Piece, TimeSource};

    /// A frame of a film at 30 Hz.
    pub(crate) fn row(number: u64) -> FrameRow {
        let at = Timestamp::from_ns(number as i64 * 33_333_333);
        FrameRow {
            meta: FrameMeta { number, at, time_source: TimeSource::File, device_sequence: None },
            offset: 0,
            length: 1,
            checksum: None,
        }
    }

    proptest! {
        /// For any sequence of scored and skipped frames, exactly the skipped frames are found.
        #[test]
        fn what_was_skipped_is_found(frames in prop::collection::vec(0u8..3, 1..300)) {
            // 0: skipped, 1: scored with a face, 2: scored without one
            let mut absence = Absence::default();
            let mut found = Found::default();
            let stream = std::sync::Arc::new(AFFECT.parse().unwrap());
            let mut skipped = 0;
            let store = |found: &mut Found, at, body| {
                found.take(&Record { stream: std::sync::Arc::clone(&stream), seq: 0, at, body });
            };
            for (k, what) in frames.iter().enumerate() {
                let row = row(k as u64);
                if *what == 0 {
                    skipped += 1;
                    continue;
                }
                for Piece { from, gap } in absence.scored(row.meta.at, *what == 1, std::mem::take(&mut skipped)) {
                    // The first frames may be skipped before any was scored: their gap then has no length.
                    store(&mut found, from, Body::Gap(gap));
                }
                if *what == 1 {
                    store(&mut found, row.meta.at, Body::Sample { frame: Some(row.meta.number), values: [].into() });
                }
            }
            if let Some(Piece { from, gap }) = absence.finish() {
                store(&mut found, from, Body::Gap(gap));
            }
            let rows: Vec<_> = (0..frames.len() as u64).map(row).collect();
            let wanted = found.unscored(&rows);
            let expected: Vec<_> = frames.iter().map(|what| *what == 0).collect();
            prop_assert_eq!(wanted, expected);
        }
    }

    #[test]
    fn frames_scored_later_are_not_scored_again() {
        let mut found = Found::default();
        let later = std::sync::Arc::new(AFFECT_LATER.parse().unwrap());
        let live = std::sync::Arc::new(AFFECT.parse().unwrap());
        let skipped = Gap { until: row(9).meta.at, reason: GapReason::Skipped, lost: 8, note: String::new() };
        found.take(&Record { stream: live, seq: 0, at: row(0).meta.at, body: Body::Gap(skipped) });
        let faceless = Gap { until: row(4).meta.at, reason: GapReason::NoFace, lost: 4, note: String::new() };
        found.take(&Record { stream: later, seq: 0, at: row(1).meta.at, body: Body::Gap(faceless) });
        let rows: Vec<_> = (1..9).map(row).collect();
        assert_eq!(found.unscored(&rows), [false, false, false, false, true, true, true, true]);
    }
}
