//! Converts the samples of a stream to events on the recorder's clock.

use serde_json::{Map, Value};

use super::clock::{Offset, StreamClock, stream_clock};
use super::header::Header;
use super::parts::{Assigned, assigned};
use super::regular::on_grid;
use super::samples::{Format, Sample, Samples};
use crate::import::event_file::ForeignEvent;

/// Content types of streams of numbers in which each number is an event contain one of these words.
const EVENT_TYPES: [&str; 6] = ["mark", "event", "trigger", "stim", "annot", "ttl"];
/// An event with a larger uncertainty of its time is left out.
const MOST_UNSURE_S: f64 = 0.05;
/// The largest product of events and parts of the clock. It limits the memory.
const MOST_COMPARED: usize = 16_000_000;
/// A larger scatter of the offsets is reported.
const REPORTED_SCATTER_S: f64 = 0.005;
/// If an outlet is closed while a recorder is connected, the file may contain invalid samples and an invalid last offset. That
/// offset is off by more than so many intervals or standard deviations.
const INVALID_LAST: f64 = 10.0;
const SD_OF_MEDIAN: f64 = 1.4826;

pub(super) struct Stream<'a> {
    pub(super) id: u32,
    pub(super) xml: &'a [u8],
    pub(super) header: Header,
    /// `None`: not a format of XDF.
    pub(super) format: Option<Format>,
    pub(super) samples: Samples,
    pub(super) offsets: Vec<Offset>,
    pub(super) footer_samples: Option<usize>,
}

impl<'a> Stream<'a> {
    pub(super) fn new(id: u32, xml: &'a [u8], header: Header) -> Self {
        let format = Format::named(&header.format);
        let (samples, offsets) = (Samples::default(), Vec::new());
        Stream { id, xml, header, format, samples, offsets, footer_samples: None }
    }

    /// Text is always events. Numbers are events if the stream has no fixed rate. Fractions must also be a single channel, or have
    /// a content type of events.
    pub(super) fn is_of_events(&self) -> bool {
        let kind = self.header.content_type.to_lowercase();
        let has_event_type = EVENT_TYPES.iter().any(|word| kind.contains(word));
        match self.format {
            None => false,
            Some(Format::Text) => true,
            Some(_) if self.header.rate_hz > 0.0 => false,
            Some(format) => format.is_whole_numbers() || has_event_type || self.header.channels == 1,
        }
    }

    pub(super) fn name(&self) -> String {
        if self.header.name.is_empty() { format!("stream {}", self.id) } else { self.header.name.clone() }
    }

    /// Converts the samples. `has_own_name`: no other stream has the same name. The error is the reason why no sample has a
    /// time.
    pub(super) fn events(mut self, has_own_name: bool, notes: &mut Vec<String>) -> Result<Placed, String> {
        let name = self.name();
        if self.drop_invalid_end() {
            notes.push(format!(
                "`{name}`: the invalid samples that its outlet left behind when it was closed were left out"
            ));
        }
        if self.samples.untimed > 0 {
            notes.push(format!("`{name}`: {} event(s) without a time were left out", self.samples.untimed));
        }
        if self.samples.began_without_time {
            notes.push(format!("`{name}` has no time at its beginning: its times were counted from 0 s at its rate"));
        }
        let (kept, times) = self.placed(notes)?;
        let (rate_hz, grid) = (self.header.rate_hz, on_grid(&self.header, &times));
        match grid {
            Some(_) => notes.push(format!("`{name}`: its times were placed on a grid of {rate_hz} Hz")),
            None if rate_hz > 0.0 => notes
                .push(format!("`{name}` does not keep its nominal rate of {rate_hz} Hz: its times were not changed")),
            None => {}
        }
        let source = Source { name, id: (!has_own_name).then_some(self.id) };
        let unplaced = kept.iter().filter(|is_kept| !**is_kept).count() as u64;
        let samples = self.samples.timed.into_iter().zip(kept).filter(|(_, is_kept)| *is_kept);
        let times = grid.unwrap_or(times);
        Ok(Placed {
            events: samples.zip(times).map(|((sample, _), at_s)| source.event(sample, at_s)).collect(),
            unplaced,
        })
    }

    /// For each sample whether it has a time on the recorder's clock, and the times of the samples that have one.
    fn placed(&self, notes: &mut Vec<String>) -> Result<(Vec<bool>, Vec<f64>), String> {
        let (name, samples) = (self.name(), &self.samples.timed);
        let clock = stream_clock(&self.offsets).map_err(|e| {
            format!(
                "`{name}` was left out, because the clock offsets for its {} event(s) cannot be used: {e}",
                samples.len()
            )
        })?;
        let mut kept = vec![true; samples.len()];
        if clock.parts.is_empty() {
            return Ok((kept, samples.iter().map(|s| s.at_s).collect()));
        }
        if samples.len().saturating_mul(clock.parts.len()) > MOST_COMPARED {
            let (events, parts) = (samples.len(), clock.parts.len());
            return Err(format!(
                "`{name}` was left out: {events} events on a clock of {parts} parts are too many to assign"
            ));
        }
        let places: Vec<_> = samples.iter().map(|s| (s.at_s, s.place)).collect();
        let found = assigned(&places, &clock.parts);
        notes.extend(self.clock_notes(&clock, &found));
        found.unsure.iter().filter(|(_, by_s)| *by_s > MOST_UNSURE_S).for_each(|(k, _)| kept[*k] = false);
        let mut times: Vec<f64> =
            samples.iter().zip(&found.part).map(|(s, part)| clock.parts[*part].to_recorder_s(s.at_s)).collect();
        // The sum of a very large time and its offset may be infinite.
        kept.iter_mut().zip(&times).for_each(|(is_kept, at_s)| *is_kept &= at_s.is_finite());
        let mut is_kept = kept.iter();
        times.retain(|_| is_kept.next() == Some(&true));
        Ok((kept, times))
    }

    /// Notes on the clock and on events with uncertain times.
    fn clock_notes(&self, clock: &StreamClock, found: &Assigned) -> Vec<String> {
        let name = self.name();
        let mut notes = Vec::new();
        let is_used = |k: usize| found.part.contains(&k);
        let doubtful = (0..clock.parts.len()).filter(|k| clock.parts[*k].is_doubtful && !is_used(*k));
        let outliers = clock.left_out + doubtful.map(|k| clock.parts[k].measurements).sum::<usize>();
        if outliers > 0 {
            notes.push(format!(
                "`{name}`: {outliers} of its {} clock offsets were outliers and left out",
                clock.offsets
            ));
        }
        let changes = (0..clock.parts.len()).filter(|k| is_used(*k)).count().saturating_sub(1);
        if changes > 0 {
            notes.push(format!("`{name}`: its clock was changed {changes} time(s); each part was fitted separately"));
        }
        if clock.scatter_s > REPORTED_SCATTER_S {
            let ms = 1e3 * clock.scatter_s;
            notes.push(format!(
                "`{name}`: its clock offsets scatter by {ms:.0} ms, and its times may have errors of that size"
            ));
        }
        let (left_out, vague): (Vec<_>, Vec<_>) = found.unsure.iter().partition(|(_, by_s)| *by_s > MOST_UNSURE_S);
        let most_s = |unsure: &[(usize, f64)]| unsure.iter().map(|(_, by_s)| *by_s).fold(0.0, f64::max);
        if let (Some((first, _)), Some((last, _))) = (left_out.first(), left_out.last()) {
            notes.push(format!(
                "`{name}`: {} event(s), from {:.3} s to {:.3} s on its clock, were left out: it cannot be determined whether \
                 they are before or after a change of that clock, which would move them by up to {:.3} s",
                left_out.len(),
                self.samples.timed[*first].at_s,
                self.samples.timed[*last].at_s,
                most_s(&left_out)
            ));
        }
        if !vague.is_empty() {
            let (count, ms) = (vague.len(), 1e3 * most_s(&vague));
            notes.push(format!(
                "`{name}`: {count} event(s) are near a change of its clock: their times are accurate to {ms:.0} ms only"
            ));
        }
        notes
    }

    /// Drops the samples and the offset that an outlet left when it was closed. There are then more samples than the recorder
    /// counted, and the last offset differs from all others.
    fn drop_invalid_end(&mut self) -> bool {
        let Some(count) = self.footer_samples.filter(|count| *count < self.samples.timed.len()) else { return false };
        let Some((last, before)) = self.offsets.split_last().filter(|(_, before)| before.len() >= 2) else {
            return false;
        };
        let median = |mut values: Vec<f64>| {
            values.sort_by(f64::total_cmp);
            (values[(values.len() - 1) / 2] + values[values.len() / 2]) / 2.0
        };
        let interval_s = median(before.windows(2).map(|w| w[1].at_s - w[0].at_s).collect());
        let level_s = median(before.iter().map(|o| o.offset_s).collect());
        let sd_s = SD_OF_MEDIAN * median(before.iter().map(|o| (o.offset_s - level_s).abs()).collect());
        let passed_s = (last.at_s - before[before.len() - 1].at_s).abs();
        let is_late = interval_s > 0.0 && passed_s > INVALID_LAST * interval_s;
        let is_off = sd_s > f64::EPSILON && (last.offset_s - level_s).abs() > INVALID_LAST * sd_s;
        if is_late || is_off {
            self.offsets.pop();
            self.samples.timed.truncate(count);
        }
        is_late || is_off
    }
}

pub(super) struct Placed {
    pub(super) events: Vec<ForeignEvent>,
    /// The number of events that were left out because their times cannot be determined.
    pub(super) unplaced: u64,
}

struct Source {
    name: String,
    id: Option<u32>,
}

impl Source {
    /// The first channel is the kind of the event. The others are its data.
    fn event(&self, sample: Sample, at_s: f64) -> ForeignEvent {
        let mut values = sample.values.into_iter();
        let kind = values.next().filter(|v| !v.is_empty()).unwrap_or_else(|| "event".to_owned());
        let mut data = Map::from_iter([("source_stream".to_owned(), Value::from(self.name.as_str()))]);
        data.extend(self.id.map(|id| ("source_stream_id".to_owned(), Value::from(id))));
        data.extend((2..).zip(values).map(|(k, value): (u32, String)| (format!("channel_{k}"), Value::from(value))));
        ForeignEvent { at_s, duration_s: None, kind, data }
    }
}
