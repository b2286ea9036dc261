//! The stamps of a stream of Lab Streaming Layer as its sender gave them, and the measured offsets of the sender's clock.

use serde_json::Value;

use session::{LSL_CLOCK, LslSegment, LslTimes, Timeline, Timestamp, lsl_clock};

pub(super) struct SenderClock<'a> {
    /// Such as `EEG`. `None`: the sender stated none.
    pub content_type: Option<&'a str>,
    stamps_ns: Vec<i64>,
    /// Session time of the measurement; the sender's clock then; what must be added to it.
    offsets: Vec<(i64, i64, i64)>,
    taken: usize,
}

impl<'a> SenderClock<'a> {
    /// `stored` and `seqs` are those of the stream's rows. `None`: the stream is none of Lab Streaming Layer.
    pub fn of(
        timeline: &'a Timeline,
        stream: &str,
        times: &LslTimes,
        stored: &[Timestamp],
        seqs: &[u64],
    ) -> Option<SenderClock<'a>> {
        let segments = times.segments(stream);
        if segments.is_empty() {
            return None;
        }
        let rows = times.segments_of_rows(stream, seqs);
        let stamp = |(at, segment): (&Timestamp, &Option<&LslSegment>)| match segment {
            Some(segment) => segment.stamp_ns(*at),
            None => at.as_ns(),
        };
        let stamps_ns = stored.iter().zip(&rows).map(stamp).collect();
        let mut offsets: Vec<(i64, i64, i64)> = segments.iter().flat_map(offsets_of).collect();
        offsets.extend(unmeasured(stored, &rows));
        offsets.sort_unstable();
        Some(SenderClock { content_type: content_type(timeline, stream), stamps_ns, offsets, taken: 0 })
    }

    pub fn stamp_s(&self, row: usize) -> f64 {
        self.stamps_ns[row] as f64 / 1e9
    }

    /// The next offsets that were measured before `until_ns` of the session's clock.
    pub fn take_until(&mut self, until_ns: i64) -> Vec<(f64, f64)> {
        let next = &self.offsets[self.taken..];
        let count = next.partition_point(|(at_ns, ..)| *at_ns < until_ns);
        self.taken += count;
        next[..count].iter().map(|(_, remote, offset)| (*remote as f64 / 1e9, *offset as f64 / 1e9)).collect()
    }
}

fn offsets_of(segment: &LslSegment) -> impl Iterator<Item = (i64, i64, i64)> {
    let measured = segment.offsets().iter().filter(|_| segment.is_senders_clock);
    measured.map(|o| (o.remote_ns.saturating_add(o.offset_ns), o.remote_ns, o.offset_ns))
}

/// Stamps of a clock that nobody measures get one offset, at the first sample: the one with which they were stored.
fn unmeasured(stored: &[Timestamp], rows: &[Option<&LslSegment>]) -> Vec<(i64, i64, i64)> {
    let foreign = stored.iter().zip(rows).filter_map(|(at, segment)| {
        let segment = segment.filter(|s| !s.is_senders_clock)?;
        Some((at.as_ns(), segment.stamp_ns(*at), segment.base_ns))
    });
    let mut firsts: Vec<_> = foreign.collect();
    firsts.dedup_by_key(|(.., base_ns)| *base_ns);
    firsts
}

fn content_type<'a>(timeline: &'a Timeline, stream: &str) -> Option<&'a str> {
    let mut events = timeline.events().iter().filter(|e| e.stream.as_str() == LSL_CLOCK);
    let text = |data: &'a serde_json::Map<String, Value>, key: &str| data.get(key).and_then(Value::as_str);
    let described =
        events.find(|e| e.what.kind == lsl_clock::DESCRIPTION && text(&e.what.data, "stream") == Some(stream))?;
    text(&described.what.data, "type").filter(|kind| !kind.is_empty())
}
