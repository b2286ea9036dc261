//! The events of an XDF 1.0 file: streams of strings, and streams of whole numbers that come when they come.
//!
//! A stream's own clock is carried over to its recorder's by the clock offsets that the recorder measured.

use std::collections::BTreeMap;

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::{Map, Value};

use super::{EventFile, ForeignEvent};
use crate::analysis::fit_drift;
use crate::session::Timestamp;

pub(super) const MAGIC: &[u8] = b"XDF:";

const STREAM_HEADER: u16 = 2;
const SAMPLES: u16 = 3;
const CLOCK_OFFSET: u16 = 4;
/// More channels has no marker stream.
const MOST_CHANNELS: usize = 1024;

#[derive(Default)]
struct Stream {
    name: String,
    format: String,
    channels: usize,
    rate_hz: f64,
    /// Collection time on the stream's clock, and what is to be added there.
    offsets: Vec<(f64, f64)>,
    /// Time on the stream's clock and the channels' values.
    samples: Vec<(f64, Vec<String>)>,
}

impl Stream {
    fn is_of_events(&self) -> bool {
        self.format == "string" || (self.rate_hz == 0.0 && self.format.starts_with("int"))
    }
}

pub(super) fn read(content: &[u8]) -> Result<EventFile, String> {
    let mut bytes = Bytes { rest: content.get(MAGIC.len()..).unwrap_or_default() };
    let mut streams = BTreeMap::<u32, Stream>::new();
    while !bytes.rest.is_empty() {
        // A recorder that died leaves half a chunk at the end; what stands before it is whole.
        let Ok(length) = bytes.length() else { break };
        let Ok(chunk) = bytes.take(length) else { break };
        let mut chunk = Bytes { rest: chunk };
        let tag = chunk.u16()?;
        match tag {
            STREAM_HEADER => {
                let id = chunk.u32()?;
                streams.insert(id, header(chunk.rest)?);
            }
            SAMPLES => {
                let id = chunk.u32()?;
                let stream = streams.get_mut(&id).ok_or("samples stand before their stream's header")?;
                if stream.is_of_events() {
                    samples(stream, &mut chunk)?;
                }
            }
            CLOCK_OFFSET => {
                let id = chunk.u32()?;
                let pair = (chunk.f64()?, chunk.f64()?);
                if let Some(stream) = streams.get_mut(&id).filter(|_| pair.0.is_finite() && pair.1.is_finite()) {
                    stream.offsets.push(pair);
                }
            }
            // File header, boundaries and footers hold nothing that is needed here.
            _ => {}
        }
    }
    let events: Result<Vec<_>, String> = streams.into_values().filter(Stream::is_of_events).map(events).collect();
    Ok(EventFile { events: events?.into_iter().flatten().collect(), ..EventFile::default() })
}

/// On the recorder's clock. The first channel says what happened, the others stay beside it.
fn events(stream: Stream) -> Result<Vec<ForeignEvent>, String> {
    let pairs: Vec<_> =
        stream.offsets.iter().map(|(at, offset)| (*at, Timestamp::from_secs_f64(at + offset))).collect();
    let clock = match pairs.is_empty() {
        true => None,
        false => Some(fit_drift(&pairs).map_err(|e| format!("the clock offsets of `{}`: {e}", stream.name))?),
    };
    let event = |(at_s, values): (f64, Vec<String>)| {
        let mut values = values.into_iter();
        let kind = values.next().filter(|v| !v.is_empty()).unwrap_or_else(|| "event".to_owned());
        let mut data = Map::from_iter([("source_stream".to_owned(), Value::from(stream.name.as_str()))]);
        data.extend((2..).zip(values).map(|(k, value): (u32, String)| (format!("channel_{k}"), Value::from(value))));
        let at_s = clock.as_ref().map_or(at_s, |c| c.to_session(at_s).as_secs_f64());
        ForeignEvent { at_s, duration_s: None, kind, data }
    };
    Ok(stream.samples.into_iter().map(event).collect())
}

fn header(xml: &[u8]) -> Result<Stream, String> {
    let text = std::str::from_utf8(xml).map_err(|_| "a stream's header is no UTF-8".to_owned())?;
    let mut reader = Reader::from_str(text);
    let (mut stream, mut path) = (Stream::default(), Vec::<String>::new());
    loop {
        match reader.read_event().map_err(|e| format!("a stream's header is no XML: {e}"))? {
            Event::Start(tag) => path.push(String::from_utf8_lossy(tag.name().as_ref()).into_owned()),
            Event::End(_) => {
                path.pop();
            }
            Event::Text(text) => {
                let text = text.decode().map_err(|e| e.to_string())?;
                let text = text.trim();
                // Only what stands directly below the root describes the stream.
                if let [_, name] = &path[..] {
                    match name.as_str() {
                        "name" => stream.name.push_str(text),
                        "channel_format" => stream.format = text.to_owned(),
                        "channel_count" => {
                            stream.channels = text.parse().map_err(|_| "a stream has no number of channels")?
                        }
                        "nominal_srate" => stream.rate_hz = text.parse().map_err(|_| "a stream's rate is no number")?,
                        _ => {}
                    }
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if stream.channels == 0 || stream.channels > MOST_CHANNELS {
        return Err(format!("the stream `{}` claims {} channels", stream.name, stream.channels));
    }
    Ok(stream)
}

fn samples(stream: &mut Stream, chunk: &mut Bytes<'_>) -> Result<(), String> {
    let count = chunk.length()?;
    for _ in 0..count {
        let at_s = match chunk.u8()? {
            8 => chunk.f64()?,
            // A sample without a time of its own follows the one before at the nominal rate.
            0 => {
                let before = stream.samples.last().map_or(0.0, |(at, _)| *at);
                if stream.rate_hz > 0.0 { before + 1.0 / stream.rate_hz } else { before }
            }
            other => return Err(format!("a time of {other} bytes")),
        };
        if !at_s.is_finite() {
            return Err(format!("`{at_s}` is no time"));
        }
        let values = (0..stream.channels).map(|_| value(&stream.format, chunk)).collect::<Result<_, _>>()?;
        stream.samples.push((at_s, values));
    }
    Ok(())
}

fn value(format: &str, chunk: &mut Bytes<'_>) -> Result<String, String> {
    Ok(match format {
        "string" => {
            let length = chunk.length()?;
            String::from_utf8_lossy(chunk.take(length)?).into_owned()
        }
        "int8" => i8::from_le_bytes(chunk.array()?).to_string(),
        "int16" => i16::from_le_bytes(chunk.array()?).to_string(),
        "int32" => i32::from_le_bytes(chunk.array()?).to_string(),
        "int64" => i64::from_le_bytes(chunk.array()?).to_string(),
        other => return Err(format!("a stream of the unknown format `{other}`")),
    })
}

/// Never reads beyond what is there.
struct Bytes<'a> {
    rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    fn take(&mut self, n: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.rest.split_at_checked(n).ok_or("a chunk ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u8(&mut self) -> Result<u8, String> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u16(&mut self) -> Result<u16, String> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn f64(&mut self) -> Result<f64, String> {
        Ok(f64::from_le_bytes(self.array()?))
    }

    /// A count with the number of its own bytes before it.
    fn length(&mut self) -> Result<usize, String> {
        let length = match self.u8()? {
            1 => u64::from(self.u8()?),
            4 => u64::from(self.u32()?),
            8 => u64::from_le_bytes(self.array()?),
            other => return Err(format!("a length of {other} bytes")),
        };
        usize::try_from(length).map_err(|_| "a length beyond all memory".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chunk(tag: u16, content: &[u8]) -> Vec<u8> {
        let mut out = vec![4];
        out.extend((content.len() as u32 + 2).to_le_bytes());
        out.extend(tag.to_le_bytes());
        out.extend(content);
        out
    }

    fn file() -> Vec<u8> {
        let header = "<?xml version=\"1.0\"?><info><name>flashes</name><channel_count>2</channel_count>\
            <channel_format>string</channel_format><nominal_srate>0</nominal_srate><desc><name>not this</name></desc></info>";
        let id = 7u32.to_le_bytes();
        let mut out = MAGIC.to_vec();
        out.extend(chunk(STREAM_HEADER, &[&id[..], header.as_bytes()].concat()));
        for (at, offset) in [(100.0f64, 0.5f64), (200.0, 0.5)] {
            out.extend(chunk(CLOCK_OFFSET, &[&id[..], &at.to_le_bytes(), &offset.to_le_bytes()].concat()));
        }
        let sample = [&[8][..], &150f64.to_le_bytes(), &[1, 2], b"on", &[1, 1], b"x"].concat();
        out.extend(chunk(SAMPLES, &[&id[..], &[1, 1], &sample].concat()));
        out
    }

    #[test]
    fn events_stand_on_the_recorders_clock() {
        let events = read(&file()).unwrap().events;
        assert_eq!((events.len(), events[0].kind.as_str()), (1, "on"));
        assert!((events[0].at_s - 150.5).abs() < 1e-9);
        assert_eq!((&events[0].data["channel_2"], &events[0].data["source_stream"]), (&"x".into(), &"flashes".into()));
        // Cut off in the last chunk: what came before is whole.
        let whole = file();
        assert_eq!(read(&whole[..whole.len() - 3]).unwrap().events, []);
    }

    proptest! {
        #[test]
        fn no_damage_makes_it_panic(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let mut bytes = file();
            let k = at.index(bytes.len());
            bytes[k] = byte;
            let _ = read(&bytes);
            let _ = read(&bytes[..cut.index(bytes.len())]);
        }
    }
}
