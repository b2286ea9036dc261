//! The events of an XDF 1.0 file: streams of text, and streams of numbers without a fixed rate.
//!
//! Recorders may crash, disks may fill up and clocks may be set. Each step therefore reports what it left out. [`chunks`]
//! resumes after damage. [`clock`] converts a stream's clock to its recorder's clock with the measured offsets.

mod bytes;
mod chunks;
mod clock;
mod header;
mod parts;
mod regular;
mod samples;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use self::bytes::Bytes;
use self::chunks::{At, BOUNDARY, CLOCK_OFFSET, FILE_HEADER, Frame, SAMPLES, STREAM_FOOTER, STREAM_HEADER};
use self::clock::{MOST_OFFSETS, Offset};
use self::stream::Stream;
use super::{EventFile, ForeignEvent};

pub(super) const MAGIC: &[u8] = b"XDF:";

/// The largest numbers of events, and of values in all their channels. They limit the memory.
const MOST_EVENTS: usize = 1_000_000;
const MOST_VALUES: usize = 4_000_000;
/// The search for the next chunk may read the file so many times.
const MAX_SEARCH_READS: usize = 8;
/// The number of damaged places that are reported one by one.
const MAX_REPORTED_PLACES: usize = 5;

/// Reads a file. The error is the end of a sentence. The first bytes are not compared with [`MAGIC`] again.
pub(super) fn read(file: &[u8]) -> Result<EventFile, String> {
    let mut reader = Reader {
        file,
        streams: Vec::new(),
        by_id: BTreeMap::new(),
        orphans: BTreeMap::new(),
        damage: Vec::new(),
        events: 0,
        values: 0,
        bytes_to_look_at: file.len().saturating_mul(MAX_SEARCH_READS),
    };
    reader.read_chunks()?;
    reader.finish()
}

struct Reader<'a> {
    file: &'a [u8],
    streams: Vec<Stream<'a>>,
    /// The index of each stream number. `None`: the header cannot be read.
    by_id: BTreeMap<u32, Option<usize>>,
    /// Chunks before the header of their stream.
    orphans: BTreeMap<u32, Vec<Frame<'a>>>,
    damage: Vec<String>,
    events: usize,
    values: usize,
    bytes_to_look_at: usize,
}

/// The result of reading a chunk.
enum ChunkResult {
    Whole,
    /// The damage, as the end of a sentence.
    Damaged(String),
}

impl<'a> Reader<'a> {
    fn read_chunks(&mut self) -> Result<(), String> {
        let mut position = MAGIC.len();
        while position < self.file.len() {
            position = match chunks::at(self.file, position) {
                At::Frame(frame) => self.whole(position, frame)?,
                At::Cut { tag, id, content, missing_bytes } => match self.next_chunk(position + 1, self.file.len()) {
                    Some(next) => self.skip(position, next),
                    None => {
                        self.damage.push(self.cut(tag, id, content, missing_bytes));
                        break;
                    }
                },
                At::Nothing => {
                    let next = self.next_chunk(position + 1, self.file.len()).unwrap_or(self.file.len());
                    self.skip(position, next)
                }
            };
        }
        Ok(())
    }

    /// Reads a chunk and returns the position of the next one.
    fn whole(&mut self, position: usize, frame: Frame<'a>) -> Result<usize, String> {
        let goes_on = chunks::goes_on(self.file, frame.end);
        let is_unknown = frame.tag > STREAM_FOOTER;
        let is_of_none = frame.id.is_some_and(|id| frame.tag != STREAM_HEADER && !self.by_id.contains_key(&id));
        // If another chunk begins inside this one, this one is torn. Otherwise there are other bytes after this one.
        if (!goes_on || is_unknown || is_of_none)
            && let Some(next) = self.next_chunk(position + 1, frame.end)
        {
            return Ok(self.skip(position, next));
        }
        if is_unknown && !goes_on {
            let next = self.next_chunk(frame.end, self.file.len()).unwrap_or(self.file.len());
            return Ok(self.skip(position, next));
        }
        match self.take(&frame)? {
            ChunkResult::Whole => Ok(frame.end),
            ChunkResult::Damaged(what) => {
                self.damage.push(format!("the chunk at byte {position}: {what}"));
                Ok(self.next_chunk(position + 1, frame.end).unwrap_or(frame.end))
            }
        }
    }

    fn skip(&mut self, from: usize, to: usize) -> usize {
        self.damage.push(format!("{} bytes at byte {from} are not a chunk", to - from));
        to
    }

    /// Describes the last chunk of a file that was cut off.
    fn cut(&self, tag: Option<u16>, id: Option<u32>, content: &[u8], missing_bytes: usize) -> String {
        let missing = if missing_bytes > 0 { format!(" ({missing_bytes} bytes are missing)") } else { String::new() };
        let stream = id.filter(|_| tag == Some(SAMPLES)).and_then(|id| self.by_id.get(&id).copied().flatten());
        let of = stream.map(|k| &self.streams[k]).filter(|stream| stream.is_of_events()).map(|stream| {
            let count = Bytes { rest: content }.length();
            let count = count.map_or_else(|_| "events".to_owned(), |count| format!("{count} event(s)"));
            format!(": {count} of `{}` were left out", stream.name())
        });
        format!("the file was cut off within its last chunk{missing}{}", of.unwrap_or_default())
    }

    /// The position of the next chunk between two positions.
    fn next_chunk(&mut self, from: usize, to: usize) -> Option<usize> {
        let Reader { file, streams, by_id, bytes_to_look_at, .. } = self;
        let stream = |id: u32| by_id.get(&id).copied().flatten().map(|k| &streams[k]);
        let samples_fit = |id: u32, content: &[u8]| {
            // Limits the work for a file with nested chunks.
            let Some(left) = bytes_to_look_at.checked_sub(content.len()) else { return false };
            *bytes_to_look_at = left;
            stream(id).is_some_and(|s| s.format.is_some_and(|format| samples::fit(&s.header, format, content)))
        };
        chunks::next(file, from..to, samples_fit, |id| by_id.contains_key(&id))
    }

    fn take(&mut self, frame: &Frame<'a>) -> Result<ChunkResult, String> {
        match (frame.tag, frame.id) {
            (STREAM_HEADER, Some(id)) => self.take_header(id, frame.content),
            (SAMPLES | CLOCK_OFFSET | STREAM_FOOTER, Some(id)) => match self.by_id.get(&id) {
                Some(Some(stream)) => self.take_part(*stream, frame),
                Some(None) => Ok(ChunkResult::Whole),
                None => {
                    self.orphans.entry(id).or_default().push(*frame);
                    Ok(ChunkResult::Whole)
                }
            },
            // The content of these chunks is not used. Chunks with other tags are unknown.
            (FILE_HEADER, _) if !chunks::is_like_xml(frame.content) => {
                Ok(ChunkResult::Damaged("the file's header is not XML".to_owned()))
            }
            (BOUNDARY, _) if frame.content != chunks::BOUNDARY_UUID => {
                Ok(ChunkResult::Damaged("it is not a boundary".to_owned()))
            }
            _ => Ok(ChunkResult::Whole),
        }
    }

    fn take_header(&mut self, id: u32, xml: &'a [u8]) -> Result<ChunkResult, String> {
        if let Some(Some(known)) = self.by_id.get(&id)
            && self.streams[*known].xml == xml
        {
            return Ok(ChunkResult::Whole);
        }
        let read = header::header(xml);
        let problem = read.as_ref().err().map(|e| format!("the header of stream number {id} cannot be read ({e})"));
        // If a number is used again, it is the newer stream's.
        self.by_id.insert(id, read.is_ok().then_some(self.streams.len()));
        self.streams.extend(read.ok().map(|header| Stream::new(id, xml, header)));
        if let Some(problem) = problem {
            return Ok(ChunkResult::Damaged(problem));
        }
        for frame in self.orphans.remove(&id).unwrap_or_default() {
            if let ChunkResult::Damaged(what) = self.take(&frame)? {
                self.damage.push(format!("the chunk at byte {}: {what}", frame.body));
            }
        }
        Ok(ChunkResult::Whole)
    }

    fn take_part(&mut self, stream: usize, frame: &Frame<'a>) -> Result<ChunkResult, String> {
        let stream = &mut self.streams[stream];
        match frame.tag {
            CLOCK_OFFSET => match chunks::clock_offset(frame.content) {
                Some(_) if stream.offsets.len() == MOST_OFFSETS => {
                    return Err(format!("its stream `{}` has more than {MOST_OFFSETS} clock offsets", stream.name()));
                }
                Some((at_s, offset_s)) => stream.offsets.push(Offset { at_s, offset_s, place: frame.body }),
                None => {
                    return Ok(ChunkResult::Damaged(format!("a clock offset of `{}` is not a number", stream.name())));
                }
            },
            SAMPLES => {
                let Some(format) = stream.format.filter(|_| stream.is_of_events()) else {
                    return Ok(ChunkResult::Whole);
                };
                let before = stream.samples.timed.len();
                let capacity =
                    samples::Capacity { events: MOST_EVENTS - self.events, values: MOST_VALUES - self.values };
                match stream.samples.read(&stream.header, format, frame.content, frame.body, capacity) {
                    Err(samples::TOO_MANY) => {
                        return Err(format!(
                            "it contains more than {MOST_EVENTS} events or {MOST_VALUES} values of events"
                        ));
                    }
                    Err(error) => {
                        return Ok(ChunkResult::Damaged(format!("events of `{}` are lost: {error}", stream.name())));
                    }
                    Ok(()) => {}
                }
                let events = stream.samples.timed.len() - before;
                self.events += events;
                self.values += events * stream.header.channels;
            }
            _ => stream.footer_samples = header::footer_samples(frame.content),
        }
        Ok(ChunkResult::Whole)
    }

    fn finish(mut self) -> Result<EventFile, String> {
        for (id, frames) in &self.orphans {
            let chunks = frames.iter().filter(|frame| frame.tag == SAMPLES).count();
            if chunks > 0 {
                self.damage.push(format!(
                    "{chunks} chunk(s) of stream number {id} were left out, because its header is missing"
                ));
            }
        }
        let mut notes = damage_notes(&self.damage);
        let (of_events, others): (Vec<_>, Vec<_>) = self.streams.into_iter().partition(Stream::is_of_events);
        notes.extend(others.iter().map(left_out));
        let names: Vec<String> = of_events.iter().map(Stream::name).collect();
        let some_have_offsets = of_events.iter().chain(&others).any(|stream| !stream.offsets.is_empty());
        let rows_without_time = of_events.iter().map(|stream| stream.samples.untimed).sum();
        let (mut events, mut unplaced_events) = (Vec::<ForeignEvent>::new(), 0);
        for stream in of_events.into_iter().filter(|s| !s.samples.timed.is_empty() || s.samples.untimed > 0) {
            let (name, samples) = (stream.name(), stream.samples.timed.len() as u64);
            if some_have_offsets && stream.offsets.is_empty() {
                notes.push(format!("`{name}` has no clock offsets: its times are used as the recorder's times"));
            }
            let has_own_name = names.iter().filter(|other| **other == name).count() == 1;
            match stream.events(has_own_name, &mut notes) {
                Ok(placed) => {
                    events.extend(placed.events);
                    unplaced_events += placed.unplaced;
                }
                Err(reason) => {
                    notes.push(reason);
                    unplaced_events += samples;
                }
            }
        }
        if events.is_empty() {
            let none = if unplaced_events > 0 {
                "the times of its events cannot be determined"
            } else {
                "it contains no event"
            };
            let why = if notes.is_empty() { "no stream has a sample".to_owned() } else { notes.join("; ") };
            return Err(format!("{none} ({why})"));
        }
        events.sort_by(|a, b| a.at_s.total_cmp(&b.at_s));
        let damaged_places = self.damage.len() as u64;
        Ok(EventFile { events, notes, damaged_places, rows_without_time, unplaced_events, ..EventFile::default() })
    }
}

/// The first damaged places, and the number of the others.
fn damage_notes(damage: &[String]) -> Vec<String> {
    let more = damage.len().saturating_sub(MAX_REPORTED_PLACES);
    let more = (more > 0).then(|| format!("{more} more damaged place(s)"));
    damage.iter().take(MAX_REPORTED_PLACES).map(|place| format!("damaged: {place}")).chain(more).collect()
}

fn left_out(stream: &Stream<'_>) -> String {
    let (name, header) = (stream.name(), &stream.header);
    if stream.format.is_none() {
        return format!("`{name}` was left out: its format is `{}`, which XDF does not define", header.format);
    }
    let rate = if header.rate_hz > 0.0 { format!(" at {} Hz", header.rate_hz) } else { String::new() };
    format!("`{name}` was left out: {} channel(s) of {}{rate} are samples, not events", header.channels, header.format)
}
