//! The samples of a chunk.

use super::bytes::{Bytes, ReadError};
use super::header::Header;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Text,
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Double64,
}

impl Format {
    pub(super) fn named(name: &str) -> Option<Format> {
        Some(match name {
            "string" => Format::Text,
            "int8" => Format::Int8,
            "int16" => Format::Int16,
            "int32" => Format::Int32,
            "int64" => Format::Int64,
            "float32" => Format::Float32,
            "double64" => Format::Double64,
            _ => return None,
        })
    }

    /// The size of a value. `None`: each value contains its own size.
    fn bytes(self) -> Option<usize> {
        Some(match self {
            Format::Text => return None,
            Format::Int8 => 1,
            Format::Int16 => 2,
            Format::Int32 | Format::Float32 => 4,
            Format::Int64 | Format::Double64 => 8,
        })
    }

    pub(super) fn is_whole_numbers(self) -> bool {
        matches!(self, Format::Int8 | Format::Int16 | Format::Int32 | Format::Int64)
    }

    /// Reads a value as text, so that no digit of a 64-bit number is lost.
    fn value(self, bytes: &mut Bytes<'_>) -> Result<String, ReadError> {
        Ok(match self {
            Format::Text => {
                let length = bytes.length()?;
                String::from_utf8_lossy(bytes.take(length)?).into_owned()
            }
            Format::Int8 => i8::from_le_bytes(bytes.array()?).to_string(),
            Format::Int16 => i16::from_le_bytes(bytes.array()?).to_string(),
            Format::Int32 => i32::from_le_bytes(bytes.array()?).to_string(),
            Format::Int64 => i64::from_le_bytes(bytes.array()?).to_string(),
            Format::Float32 => f32::from_le_bytes(bytes.array()?).to_string(),
            Format::Double64 => f64::from_le_bytes(bytes.array()?).to_string(),
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sample {
    /// On the stream's clock.
    pub(super) at_s: f64,
    pub(super) values: Vec<String>,
    /// The position of its chunk in the file.
    pub(super) place: usize,
}

/// The error if the file contains more than the reader may keep.
pub(super) const TOO_MANY: ReadError = "there are too many";

/// The numbers that the reader may still keep.
#[derive(Clone, Copy)]
pub(super) struct Capacity {
    pub(super) events: usize,
    pub(super) values: usize,
}

/// The samples of a stream that were read so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    pub(super) timed: Vec<Sample>,
    /// The number of samples whose time is unknown.
    pub(super) untimed: u64,
    /// The stream's first sample had no time. The times are counted from 0, as in other readers.
    pub(super) began_without_time: bool,
    last: Last,
}

#[derive(Clone, Copy, Debug, Default)]
enum Last {
    #[default]
    NoneYet,
    At(f64),
    Unknown,
}

impl Samples {
    /// Reads a whole chunk. After an error nothing of it is kept.
    pub(super) fn read(
        &mut self,
        header: &Header,
        format: Format,
        content: &[u8],
        place: usize,
        capacity: Capacity,
    ) -> Result<(), ReadError> {
        let before = (self.timed.len(), self.untimed, self.began_without_time, self.last);
        let read = self.read_all(header, format, content, place, capacity);
        if read.is_err() {
            self.timed.truncate(before.0);
            (self.untimed, self.began_without_time, self.last) = (before.1, before.2, before.3);
        }
        read
    }

    fn read_all(
        &mut self,
        header: &Header,
        format: Format,
        content: &[u8],
        place: usize,
        capacity: Capacity,
    ) -> Result<(), ReadError> {
        let mut bytes = Bytes { rest: content };
        let most = self.timed.len() + capacity.events.min(capacity.values / header.channels.max(1));
        for _ in 0..bytes.length()? {
            if self.timed.len() == most {
                return Err(TOO_MANY);
            }
            let at_s = self.time(header.rate_hz, stamp(&mut bytes)?);
            let values = (0..header.channels).map(|_| format.value(&mut bytes)).collect::<Result<_, _>>()?;
            match at_s {
                Some(at_s) => self.timed.push(Sample { at_s, values, place }),
                None => self.untimed += 1,
            }
        }
        is_over(&bytes)
    }

    /// A sample without a time follows the previous sample at the nominal rate. Without a rate it has the same time.
    fn time(&mut self, rate_hz: f64, stamp: Option<f64>) -> Option<f64> {
        let at_s = match (stamp, self.last) {
            (Some(at_s), _) => at_s,
            (None, Last::At(before)) if rate_hz > 0.0 => before + 1.0 / rate_hz,
            (None, Last::At(before)) => before,
            (None, Last::NoneYet) if rate_hz > 0.0 => {
                self.began_without_time = true;
                1.0 / rate_hz
            }
            (None, Last::NoneYet | Last::Unknown) => f64::NAN,
        };
        self.last = if at_s.is_finite() { Last::At(at_s) } else { Last::Unknown };
        at_s.is_finite().then_some(at_s)
    }
}

/// Whether the content is exactly a chunk of samples.
pub(super) fn fit(header: &Header, format: Format, content: &[u8]) -> bool {
    let mut bytes = Bytes { rest: content };
    let mut skip = || -> Result<(), ReadError> {
        for _ in 0..bytes.length()? {
            stamp(&mut bytes)?;
            match format.bytes() {
                Some(size) => {
                    bytes.take(size.saturating_mul(header.channels))?;
                }
                None => {
                    for _ in 0..header.channels {
                        let length = bytes.length()?;
                        bytes.take(length)?;
                    }
                }
            }
        }
        is_over(&bytes)
    };
    skip().is_ok()
}

/// The time of a sample. `None`: it has none.
fn stamp(bytes: &mut Bytes<'_>) -> Result<Option<f64>, ReadError> {
    match bytes.u8()? {
        8 => Ok(Some(bytes.f64()?)),
        0 => Ok(None),
        _ => Err("a time does not have 0 or 8 bytes"),
    }
}

fn is_over(bytes: &Bytes<'_>) -> Result<(), ReadError> {
    if bytes.rest.is_empty() { Ok(()) } else { Err("a chunk is longer than its samples") }
}
