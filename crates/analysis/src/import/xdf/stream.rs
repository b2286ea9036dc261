//! One stream, and its samples as events on the recorder's clock.

use serde_json::{Map, Value};

use super::clock::{Offset, StreamClock, stream_clock};
use super::header::Header;
use super::parts::{Assigned, assigned};
use super::regular::on_grid;
use super::samples::{Format, Sample, Samples};
use crate::import::event_file::ForeignEvent;

/// What a stream of numbers calls itself if each of them is an event.
const EVENT_TYPES: [&str; 6] = ["mark", "event", "trigger", "stim", "annot", "ttl"];
/// An event whose time is known less well than this is left out.
const MOST_UNSURE_S: f64 = 0.05;
/// Events times parts of the clock that memory holds.
const MOST_COMPARED: usize = 16_000_000;
/// Offsets that scatter by more are worth a word.
const SCATTER_WORTH_A_WORD_S: f64 = 0.005;
/// An outlet that was closed while somebody listened leaves a last offset that is wild by so many intervals, or so many
/// standard deviations, and samples that nobody sent.
const WILD_LAST: f64 = 10.0;
const SD_OF_MEDIAN: f64 = 1.4826;

pub(super) struct Stream<'a> {
    pub(super) id: u32,
    pub(super) xml: &'a [u8],
    pub(super) header: Header,
    /// `None`: one that the format does not know.
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

    /// Words always; numbers where they come when they come, and fractions only where each stands for itself.
    pub(super) fn is_of_events(&self) -> bool {
        let kind = self.header.content_type.to_lowercase();
        let says_so = EVENT_TYPES.iter().any(|word| kind.contains(word));
        match self.format {
            None => false,
            Some(Format::Text) => true,
            Some(_) if self.header.rate_hz > 0.0 => false,
            Some(format) => format.is_whole_numbers() || says_so || self.header.channels == 1,
        }
    }

    pub(super) fn name(&self) -> String {
        if self.header.name.is_empty() { format!("stream {}", self.id) } else { self.header.name.clone() }
    }

    /// `has_own_name`: no other stream is named like it.
    /// An error is the reason why none of them has a time.
    pub(super) fn events(mut self, has_own_name: bool, notes: &mut Vec<String>) -> Result<Placed, String> {
        let name = self.name();
        if self.drop_what_nobody_sent() {
            notes.push(format!("`{name}`: what its outlet left behind when it closed was left out"));
        }
        if self.samples.untimed > 0 {
            notes.push(format!("`{name}`: {} event(s) without a time were left out", self.samples.untimed));
        }
        if self.samples.began_without_time {
            notes.push(format!("`{name}` gives no time at its beginning: its rate was counted from 0 s"));
        }
        let (kept, times) = self.placed(notes)?;
        let (rate_hz, grid) = (self.header.rate_hz, on_grid(&self.header, &times));
        match grid {
            Some(_) => notes.push(format!("`{name}`: its times were laid onto its grid of {rate_hz} Hz")),
            None if rate_hz > 0.0 => {
                notes.push(format!("`{name}` says {rate_hz} Hz and does not keep it: each time is its own"))
            }
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

    /// Which samples have a time on the recorder's clock, and the times of those.
    fn placed(&self, notes: &mut Vec<String>) -> Result<(Vec<bool>, Vec<f64>), String> {
        let (name, samples) = (self.name(), &self.samples.timed);
        let clock = stream_clock(&self.offsets).map_err(|e| {
            format!("`{name}` was left out, since its clock offsets put its {} event(s) nowhere: {e}", samples.len())
        })?;
        let mut kept = vec![true; samples.len()];
        if clock.parts.is_empty() {
            return Ok((kept, samples.iter().map(|s| s.at_s).collect()));
        }
        if samples.len().saturating_mul(clock.parts.len()) > MOST_COMPARED {
            let (events, parts) = (samples.len(), clock.parts.len());
            return Err(format!(
                "`{name}` was left out: {events} events on a clock of {parts} parts are too many to sort out"
            ));
        }
        let places: Vec<_> = samples.iter().map(|s| (s.at_s, s.place)).collect();
        let found = assigned(&places, &clock.parts);
        notes.extend(self.told(&clock, &found));
        found.unsure.iter().filter(|(_, by_s)| *by_s > MOST_UNSURE_S).for_each(|(k, _)| kept[*k] = false);
        let mut times: Vec<f64> =
            samples.iter().zip(&found.part).map(|(s, part)| clock.parts[*part].to_recorder_s(s.at_s)).collect();
        // A time near the end of all numbers may go beyond it.
        kept.iter_mut().zip(&times).for_each(|(is_kept, at_s)| *is_kept &= at_s.is_finite());
        let mut is_kept = kept.iter();
        times.retain(|_| is_kept.next() == Some(&true));
        Ok((kept, times))
    }

    fn told(&self, clock: &StreamClock, found: &Assigned) -> Vec<String> {
        let name = self.name();
        let mut notes = Vec::new();
        let is_used = |k: usize| found.part.contains(&k);
        let doubtful = (0..clock.parts.len()).filter(|k| clock.parts[*k].is_doubtful && !is_used(*k));
        let wild = clock.left_out + doubtful.map(|k| clock.parts[k].measurements).sum::<usize>();
        if wild > 0 {
            notes.push(format!("`{name}`: {wild} of its {} clock offsets were wild and left out", clock.offsets));
        }
        let changes = (0..clock.parts.len()).filter(|k| is_used(*k)).count().saturating_sub(1);
        if changes > 0 {
            notes.push(format!("`{name}`: its clock was changed {changes} time(s); each part was fitted on its own"));
        }
        if clock.scatter_s > SCATTER_WORTH_A_WORD_S {
            let ms = 1e3 * clock.scatter_s;
            notes.push(format!("`{name}`: its clock offsets scatter by {ms:.0} ms, and so may its times"));
        }
        let (left_out, vague): (Vec<_>, Vec<_>) = found.unsure.iter().partition(|(_, by_s)| *by_s > MOST_UNSURE_S);
        let most_s = |unsure: &[(usize, f64)]| unsure.iter().map(|(_, by_s)| *by_s).fold(0.0, f64::max);
        if let (Some((first, _)), Some((last, _))) = (left_out.first(), left_out.last()) {
            notes.push(format!(
                "`{name}`: {} event(s), from {:.3} s to {:.3} s on its clock, were left out: they may come before or after that \
                 clock was changed, nobody can tell, and it would move them by up to {:.3} s",
                left_out.len(),
                self.samples.timed[*first].at_s,
                self.samples.timed[*last].at_s,
                most_s(&left_out)
            ));
        }
        if !vague.is_empty() {
            let (count, ms) = (vague.len(), 1e3 * most_s(&vague));
            notes.push(format!(
                "`{name}`: {count} event(s) lie where its clock was changed and are known to {ms:.0} ms only"
            ));
        }
        notes
    }

    /// More samples than the recorder counted, together with a last offset unlike all others, come from an outlet that
    /// was closed while somebody listened.
    fn drop_what_nobody_sent(&mut self) -> bool {
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
        let is_late = interval_s > 0.0 && passed_s > WILD_LAST * interval_s;
        let is_off = sd_s > f64::EPSILON && (last.offset_s - level_s).abs() > WILD_LAST * sd_s;
        if is_late || is_off {
            self.offsets.pop();
            self.samples.timed.truncate(count);
        }
        is_late || is_off
    }
}

pub(super) struct Placed {
    pub(super) events: Vec<ForeignEvent>,
    /// How many were left out, since nobody can tell when they were.
    pub(super) unplaced: u64,
}

struct Source {
    name: String,
    id: Option<u32>,
}

impl Source {
    /// The first channel says what happened, the others stay beside it.
    fn event(&self, sample: Sample, at_s: f64) -> ForeignEvent {
        let mut values = sample.values.into_iter();
        let kind = values.next().filter(|v| !v.is_empty()).unwrap_or_else(|| "event".to_owned());
        let mut data = Map::from_iter([("source_stream".to_owned(), Value::from(self.name.as_str()))]);
        data.extend(self.id.map(|id| ("source_stream_id".to_owned(), Value::from(id))));
        data.extend((2..).zip(values).map(|(k, value): (u32, String)| (format!("channel_{k}"), Value::from(value))));
        ForeignEvent { at_s, duration_s: None, kind, data }
    }
}
