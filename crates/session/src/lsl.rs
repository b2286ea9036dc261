//! Streams of Lab Streaming Layer in a session: their descriptions, and the computation of session times from the times that
//! the sender gave.
//!
//! A sender stamps its samples with its own clock. The stored time of a sample is that stamp plus a number of nanoseconds
//! that is constant within a segment (`base_ns`), so the stamp can be computed back. The offset between the clocks is
//! measured every few seconds and stored. [`LslTimes`] computes the session times from both. They are never written back.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    EventData, EventRow, Field, SampleSeries, StreamInfo, StreamKind, StreamName, Timeline, Timestamp, program,
};

/// Prefix of the names of streams that came over Lab Streaming Layer.
pub const LSL: &str = "lsl_";
/// Measurements of the senders' clocks.
pub const LSL_CLOCK: &str = "lsl_clock";

/// Kinds of the events in the stream [`LSL_CLOCK`]. The names are stored in files.
pub mod lsl_clock {
    /// From here on, stamps are converted with another `base_ns`.
    pub const SEGMENT: &str = "segment";
    /// The offset was measured.
    pub const MEASURED: &str = "measured";
    /// The sender's XML, whole.
    pub const DESCRIPTION: &str = "description";
}

/// What a stream of the network is called in the session: `lsl_` and its name in lower case. Characters other than letters and
/// digits become `_`. A number follows if the name is taken.
pub fn lsl_stream_name(name: &str, is_taken: impl Fn(&StreamName) -> bool) -> StreamName {
    let kept = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let plain: String = LSL.chars().chain(name.chars().map(kept)).take(32).collect();
    let numbered = (2..).map(|n: u64| {
        let number = format!("_{n}");
        plain.chars().take(32 - number.len()).chain(number.chars()).collect()
    });
    let mut names = std::iter::once(plain.clone()).chain(numbered).filter_map(|name| name.parse::<StreamName>().ok());
    // The numbers do not end.
    names.find(|name| name.as_str() != LSL_CLOCK && !is_taken(name)).expect("some number is free")
}

/// The stream of one inlet. `fields` is empty for a stream of strings, whose samples become events.
pub fn lsl_stream(
    name: StreamName,
    description: String,
    fields: Vec<Field>,
    rate_hz: Option<f64>,
    software: String,
) -> StreamInfo {
    let kind = if fields.is_empty() { StreamKind::Events } else { StreamKind::Samples };
    StreamInfo { name, kind, description, fields, nominal_rate_hz: rate_hz, software }
}

pub fn lsl_clock_stream() -> StreamInfo {
    StreamInfo {
        name: LSL_CLOCK.parse().expect("a constant name"),
        kind: StreamKind::Events,
        description: "clocks of the senders of Lab Streaming Layer. `segment`: from sample number `first_sample` of `stream` on, \
                      the stored time in nanoseconds is the sender's stamp plus `base_ns`. `measured`: what must be added to \
                      the sender's clock to get the session's (`offset_ns`), its error at most `uncertainty_ns`, when the \
                      sender's clock stood at `remote_ns`. `description`: the sender's XML"
            .to_owned(),
        fields: Vec::new(),
        nominal_rate_hz: None,
        software: program(),
    }
}

/// One measurement of a sender's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LslOffset {
    /// The sender's clock at the measurement.
    pub remote_ns: i64,
    /// What must be added to the sender's clock to get the session's.
    pub offset_ns: i64,
    /// The largest error of `offset_ns`.
    pub uncertainty_ns: i64,
}

/// Clocks of computers drift less than this. A larger change is a change of the clock.
const LARGEST_DRIFT: f64 = 500e-6;
/// Measurements that differ by less than this, beyond drift and uncertainty, are the same clock.
const SMALLEST_JUMP_NS: f64 = 5e6;

impl LslOffset {
    /// Whether the sender's clock was changed between two measurements.
    pub fn has_jumped(&self, later: &LslOffset) -> bool {
        let between_ns = later.remote_ns.abs_diff(self.remote_ns).min(u64::MAX / 2) as f64;
        let uncertainty_ns = self.uncertainty_ns.saturating_add(later.uncertainty_ns) as f64;
        later.offset_ns.abs_diff(self.offset_ns) as f64 > SMALLEST_JUMP_NS + uncertainty_ns + LARGEST_DRIFT * between_ns
    }
}

/// Samples that were stamped by one clock.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LslSegment {
    /// Of the stream, from 0, in the order of arrival.
    pub first_sample: u64,
    /// Stored time minus stamp.
    pub base_ns: i64,
    /// False: the stamps are of another clock than the sender's own, such as UTC. Their base is the time of the first
    /// arrival, and measurements of the sender's clock say nothing about them.
    pub is_senders_clock: bool,
    /// In the order of `remote_ns`.
    offsets: Vec<LslOffset>,
    knots: Vec<LslOffset>,
}

impl LslSegment {
    pub fn new(first_sample: u64, base_ns: i64, is_senders_clock: bool, mut offsets: Vec<LslOffset>) -> LslSegment {
        offsets.sort_by_key(|o| o.remote_ns);
        let knots = knots(&offsets);
        LslSegment { first_sample, base_ns, is_senders_clock, offsets, knots }
    }

    pub fn offsets(&self) -> &[LslOffset] {
        &self.offsets
    }

    /// The sender's stamp of a sample that is stored at `stored`.
    pub fn stamp_ns(&self, stored: Timestamp) -> i64 {
        stored.as_ns().saturating_sub(self.base_ns)
    }

    /// The session time of a stamp: between two measurements on the line through them, before the first and after the last
    /// with the nearest one.
    pub fn time_of(&self, stamp_ns: i64) -> Timestamp {
        Timestamp::from_ns(stamp_ns.saturating_add(self.offset_ns(stamp_ns)))
    }

    fn offset_ns(&self, stamp_ns: i64) -> i64 {
        let after = self.knots.partition_point(|k| k.remote_ns <= stamp_ns);
        match (after.checked_sub(1).and_then(|k| self.knots.get(k)), self.knots.get(after)) {
            _ if !self.is_senders_clock => self.base_ns,
            (Some(a), Some(b)) => {
                // A damaged file may contain any number.
                let [part, run, rise] =
                    [(stamp_ns, a.remote_ns), (b.remote_ns, a.remote_ns), (b.offset_ns, a.offset_ns)]
                        .map(|(later, earlier)| later.saturating_sub(earlier) as f64);
                a.offset_ns.saturating_add((rise * (part / run)).round() as i64)
            }
            (Some(only), None) | (None, Some(only)) => only.offset_ns,
            (None, None) => self.base_ns,
        }
    }
}

/// Of the measurements of this length, the most certain one is used. A network delays some of them.
const KNOT_EVERY_NS: i64 = 30_000_000_000;
/// The steepest line between two measurements. A steeper one is an error of a measurement, and would turn the order of
/// samples round.
const STEEPEST: f64 = 0.01;

/// The measurements that the line goes through: the first, the most certain one of every 30 s, and the last.
fn knots(sorted: &[LslOffset]) -> Vec<LslOffset> {
    let mut knots: Vec<LslOffset> = Vec::new();
    let mut add = |knot: LslOffset| match knots.last_mut() {
        Some(last) if is_too_steep(last, &knot) => {
            if knot.uncertainty_ns < last.uncertainty_ns && knots.len() == 1 {
                knots[0] = knot;
            }
        }
        _ => knots.push(knot),
    };
    let Some(first) = sorted.first() else { return Vec::new() };
    add(*first);
    let pieces = sorted.chunk_by(|a, b| {
        let piece = |o: &LslOffset| o.remote_ns.saturating_sub(first.remote_ns) / KNOT_EVERY_NS;
        piece(a) == piece(b)
    });
    pieces.filter_map(|piece| piece.iter().min_by_key(|o| o.uncertainty_ns)).for_each(|best| add(*best));
    sorted.last().into_iter().for_each(|last| add(*last));
    knots
}

fn is_too_steep(a: &LslOffset, b: &LslOffset) -> bool {
    let run = b.remote_ns.saturating_sub(a.remote_ns);
    run <= 0 || b.offset_ns.abs_diff(a.offset_ns) as f64 > STEEPEST * run as f64
}

/// The segments of each stream of a session.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LslTimes(BTreeMap<String, Vec<LslSegment>>);

impl LslTimes {
    /// From the events of the stream [`LSL_CLOCK`]. An event that lacks a number is left out.
    pub fn of(timeline: &Timeline) -> LslTimes {
        let mut events: Vec<&EventRow<EventData>> =
            timeline.events().iter().filter(|e| e.stream.as_str() == LSL_CLOCK).collect();
        // In the order of storing. The times of a clock that was changed may be in another order.
        events.sort_by_key(|e| e.seq);
        type Open = (u64, i64, bool, Vec<LslOffset>);
        let mut open: BTreeMap<String, Vec<Open>> = BTreeMap::new();
        for event in events {
            let number = |name: &str| event.what.data.get(name).and_then(Value::as_i64);
            let Some(stream) = event.what.data.get("stream").and_then(Value::as_str) else { continue };
            match event.what.kind.as_str() {
                lsl_clock::SEGMENT => {
                    let first = event.what.data.get("first_sample").and_then(Value::as_u64);
                    let is_senders = event.what.data.get("is_senders_clock").and_then(Value::as_bool);
                    if let (Some(first), Some(base_ns), Some(is_senders)) = (first, number("base_ns"), is_senders) {
                        open.entry(stream.to_owned()).or_default().push((first, base_ns, is_senders, Vec::new()));
                    }
                }
                lsl_clock::MEASURED => {
                    let read = (number("remote_ns"), number("offset_ns"), number("uncertainty_ns"));
                    let segment = open.get_mut(stream).and_then(|segments| segments.last_mut());
                    if let ((Some(remote_ns), Some(offset_ns), Some(uncertainty_ns)), Some(segment)) = (read, segment) {
                        segment.3.push(LslOffset { remote_ns, offset_ns, uncertainty_ns });
                    }
                }
                _ => {}
            }
        }
        let close = |(first, base_ns, is_senders, offsets)| LslSegment::new(first, base_ns, is_senders, offsets);
        LslTimes(open.into_iter().map(|(stream, all)| (stream, all.into_iter().map(close).collect())).collect())
    }

    pub fn segments(&self, stream: &str) -> &[LslSegment] {
        self.0.get(stream).map_or(&[], Vec::as_slice)
    }

    pub fn streams(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The segment of the sample with this number. `None`: no segment is stored.
    pub fn segment(&self, stream: &str, sample: u64) -> Option<&LslSegment> {
        let segments = self.segments(stream);
        segments[..segments.partition_point(|s| s.first_sample <= sample)].last()
    }
}

/// The numbers of samples with these record numbers, in their order.
fn sample_numbers(seqs: &[u64]) -> Vec<u64> {
    let mut order: Vec<usize> = (0..seqs.len()).collect();
    order.sort_by_key(|row| seqs[*row]);
    let mut numbers = vec![0; seqs.len()];
    (0..).zip(order).for_each(|(number, row)| numbers[row] = number);
    numbers
}

impl LslTimes {
    /// The segment of each row of a series.
    pub fn segments_of_rows(&self, stream: &str, seqs: &[u64]) -> Vec<Option<&LslSegment>> {
        sample_numbers(seqs).into_iter().map(|number| self.segment(stream, number)).collect()
    }
}

impl Timeline {
    /// The timeline with the session times of all streams of Lab Streaming Layer, computed from all measurements. The stored
    /// times were computed while recording, from the first measurement of each segment.
    pub fn with_lsl_times(mut self) -> Timeline {
        let times = LslTimes::of(&self);
        let names: Vec<String> = times.streams().map(str::to_owned).collect();
        for name in names {
            if let Some(series) = self.series(&name).map(|series| with_times(series, &times)) {
                self.replace_series(series);
            }
            self.move_events(&name, |at, seqs| at_times(at, &times.segments_of_rows(&name, seqs)));
        }
        self
    }
}

fn at_times(stored: &[Timestamp], segments: &[Option<&LslSegment>]) -> Vec<Timestamp> {
    let time = |(at, segment): (&Timestamp, &Option<&LslSegment>)| match segment {
        Some(segment) => segment.time_of(segment.stamp_ns(*at)),
        None => *at,
    };
    stored.iter().zip(segments).map(time).collect()
}

fn with_times(series: &SampleSeries, times: &LslTimes) -> SampleSeries {
    let at = at_times(series.times(), &times.segments_of_rows(series.info.name.as_str(), series.seqs()));
    let mut order: Vec<usize> = (0..at.len()).collect();
    order.sort_by_key(|row| at[*row]);
    fn picked<T: Copy>(order: &[usize], all: &[T]) -> Vec<T> {
        order.iter().map(|row| all[*row]).collect()
    }
    let columns = (0..series.info.fields.len()).map(|field| picked(&order, series.column(field))).collect();
    SampleSeries::from_columns(
        series.info.clone(),
        picked(&order, &at),
        picked(&order, series.frames()),
        picked(&order, series.seqs()),
        columns,
    )
}

#[cfg(test)]
mod tests;
