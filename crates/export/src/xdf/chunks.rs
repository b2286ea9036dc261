//! The chunks of an XDF file: length, tag and content.

use std::io::{self, Write};

use chrono::{DateTime, Utc};

use crate::markup::escaped;

pub(super) const MAGIC: &[u8; 4] = b"XDF:";
/// The boundary in the XDF standard. A reader can resume there in a damaged file.
pub(super) const BOUNDARY: [u8; 16] =
    [0x43, 0xA5, 0x46, 0xDC, 0xCB, 0xF5, 0x41, 0x0F, 0xB3, 0x0E, 0xD5, 0x46, 0x73, 0x83, 0xCB, 0xE4];

pub(super) mod tag {
    pub const FILE_HEADER: u16 = 1;
    pub const STREAM_HEADER: u16 = 2;
    pub const SAMPLES: u16 = 3;
    pub const CLOCK_OFFSET: u16 = 4;
    pub const BOUNDARY: u16 = 5;
    pub const STREAM_FOOTER: u16 = 6;
}

pub(super) struct ChunkWriter<'a, W: Write> {
    out: &'a mut W,
}

impl<'a, W: Write> ChunkWriter<'a, W> {
    pub(super) fn begin(out: &'a mut W, at: DateTime<Utc>) -> io::Result<Self> {
        out.write_all(MAGIC)?;
        let mut this = ChunkWriter { out };
        let at = at.format("%Y-%m-%dT%H:%M:%S%z");
        let xml = format!("<?xml version=\"1.0\"?><info><version>1.0</version><datetime>{at}</datetime></info>");
        this.chunk(tag::FILE_HEADER, &[xml.as_bytes()])?;
        Ok(this)
    }

    pub(super) fn stream_header(&mut self, id: u32, xml: &str) -> io::Result<()> {
        self.chunk(tag::STREAM_HEADER, &[&id.to_le_bytes(), xml.as_bytes()])
    }

    /// `bytes` contains complete samples, each with its time.
    pub(super) fn samples(&mut self, id: u32, count: usize, bytes: &[u8]) -> io::Result<()> {
        let mut number = Vec::with_capacity(9);
        put_length(&mut number, count);
        self.chunk(tag::SAMPLES, &[&id.to_le_bytes(), &number, bytes])
    }

    pub(super) fn clock_offset(&mut self, id: u32, at_s: f64, offset_s: f64) -> io::Result<()> {
        self.chunk(tag::CLOCK_OFFSET, &[&id.to_le_bytes(), &at_s.to_le_bytes(), &offset_s.to_le_bytes()])
    }

    pub(super) fn boundary(&mut self) -> io::Result<()> {
        self.chunk(tag::BOUNDARY, &[&BOUNDARY])
    }

    pub(super) fn stream_footer(&mut self, id: u32, xml: &str) -> io::Result<()> {
        self.chunk(tag::STREAM_FOOTER, &[&id.to_le_bytes(), xml.as_bytes()])
    }

    fn chunk(&mut self, tag: u16, parts: &[&[u8]]) -> io::Result<()> {
        let mut length = Vec::with_capacity(9);
        put_length(&mut length, 2 + parts.iter().map(|p| p.len()).sum::<usize>());
        self.out.write_all(&length)?;
        self.out.write_all(&tag.to_le_bytes())?;
        parts.iter().try_for_each(|part| self.out.write_all(part))
    }
}

/// A number, preceded by the number of its bytes: 1, 4 or 8.
pub(super) fn put_length(to: &mut Vec<u8>, n: usize) {
    if let Ok(small) = u8::try_from(n) {
        to.extend([1, small]);
    } else if let Ok(middle) = u32::try_from(n) {
        to.push(4);
        to.extend(middle.to_le_bytes());
    } else {
        to.push(8);
        to.extend((n as u64).to_le_bytes());
    }
}

/// Escapes text for XML. Characters that XML does not allow become a space.
pub(super) fn xml(text: &str) -> String {
    escaped(text).replace(['\u{fffe}', '\u{ffff}'], " ")
}
