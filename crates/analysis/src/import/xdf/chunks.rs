//! Splits the file into chunks, and finds the next chunk after damage.
//!
//! The format has no checksums. A chunk is complete if its length leads to another chunk, or if its content is valid. The
//! data after a damaged place is as valuable as the data before it. The reader therefore searches the next chunk byte by
//! byte.

use std::ops::Range;

use super::bytes::Bytes;

pub(super) const FILE_HEADER: u16 = 1;
pub(super) const STREAM_HEADER: u16 = 2;
pub(super) const SAMPLES: u16 = 3;
pub(super) const CLOCK_OFFSET: u16 = 4;
pub(super) const BOUNDARY: u16 = 5;
pub(super) const STREAM_FOOTER: u16 = 6;

/// The content of a boundary chunk. Recorders write one every few seconds, so that readers can resume after damage.
pub(super) const BOUNDARY_UUID: [u8; 16] =
    [0x43, 0xA5, 0x46, 0xDC, 0xCB, 0xF5, 0x41, 0x0F, 0xB3, 0x0E, 0xD5, 0x46, 0x73, 0x83, 0xCB, 0xE4];
const TAG_BYTES: usize = 2;
const ID_BYTES: usize = 4;
const OFFSET_BYTES: usize = 16;

/// One chunk, delimited by its length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Frame<'a> {
    pub(super) tag: u16,
    /// The number of the stream, for tags that belong to a stream.
    pub(super) id: Option<u32>,
    /// The bytes after tag and stream number.
    pub(super) content: &'a [u8],
    /// The position in the file of the first byte after the length.
    pub(super) body: usize,
    pub(super) end: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum At<'a> {
    Frame(Frame<'a>),
    /// A chunk begins here, and the file ends before its end.
    Cut {
        tag: Option<u16>,
        id: Option<u32>,
        content: &'a [u8],
        missing_bytes: usize,
    },
    Nothing,
}

/// Reads the length and the tag at a position.
pub(super) fn at(file: &[u8], position: usize) -> At<'_> {
    let mut bytes = Bytes { rest: file.get(position..).unwrap_or_default() };
    let Some(first) = bytes.rest.first() else { return At::Nothing };
    if ![1, 4, 8].contains(first) {
        return At::Nothing;
    }
    let nothing_yet = At::Cut { tag: None, id: None, content: &[], missing_bytes: 0 };
    if bytes.rest.len() < 1 + usize::from(*first) + TAG_BYTES {
        return nothing_yet;
    }
    let Ok(length) = bytes.length() else { return At::Nothing };
    let body = file.len() - bytes.rest.len();
    let Ok(tag) = bytes.u16() else { return nothing_yet };
    let has_id = [STREAM_HEADER, SAMPLES, CLOCK_OFFSET, STREAM_FOOTER].contains(&tag);
    let smallest = match tag {
        CLOCK_OFFSET => TAG_BYTES + ID_BYTES + OFFSET_BYTES,
        _ if has_id => TAG_BYTES + ID_BYTES,
        _ => TAG_BYTES,
    };
    if tag == 0 || length < smallest {
        return At::Nothing;
    }
    let id = if has_id { bytes.u32().ok() } else { None };
    let Some(end) = body.checked_add(length).filter(|end| *end <= file.len()) else {
        let is_known = (FILE_HEADER..=STREAM_FOOTER).contains(&tag);
        let missing_bytes = body.saturating_add(length) - file.len();
        return if is_known { At::Cut { tag: Some(tag), id, content: bytes.rest, missing_bytes } } else { At::Nothing };
    };
    let content = &bytes.rest[..bytes.rest.len() - (file.len() - end)];
    At::Frame(Frame { tag, id, content, body, end })
}

/// Whether a chunk with a tag of the format seems to begin here, or the file ends here.
pub(super) fn goes_on(file: &[u8], position: usize) -> bool {
    match at(file, position) {
        At::Frame(frame) => frame.tag <= STREAM_FOOTER,
        At::Cut { tag, .. } => tag.is_some_and(|tag| tag <= STREAM_FOOTER) || file.len() - position < 11,
        At::Nothing => position == file.len(),
    }
}

/// The first of the positions at which a chunk begins whose content is valid for its tag. `samples_fit` checks the samples of a
/// stream. `is_known` checks whether the stream exists.
pub(super) fn next(
    file: &[u8],
    mut among: Range<usize>,
    mut samples_fit: impl FnMut(u32, &[u8]) -> bool,
    is_known: impl Fn(u32) -> bool,
) -> Option<usize> {
    let mut fits = |frame: Frame<'_>| match (frame.tag, frame.id) {
        (SAMPLES, Some(id)) => samples_fit(id, frame.content),
        (CLOCK_OFFSET, Some(id)) => {
            is_known(id) && frame.content.len() == OFFSET_BYTES && clock_offset(frame.content).is_some()
        }
        (FILE_HEADER | STREAM_HEADER, _) => is_like_xml(frame.content),
        (STREAM_FOOTER, Some(id)) => is_known(id) && is_like_xml(frame.content),
        (BOUNDARY, _) => frame.content == BOUNDARY_UUID,
        _ => false,
    };
    among.find(|position| {
        has_known_tag(&file[*position..]) && matches!(at(file, *position), At::Frame(frame) if fits(frame))
    })
}

/// A fast check that most positions fail. It limits the search in a gigabyte of invalid data to seconds.
fn has_known_tag(bytes: &[u8]) -> bool {
    let Some(length_bytes @ (1 | 4 | 8)) = bytes.first() else { return false };
    let tag = 1 + usize::from(*length_bytes);
    bytes.get(tag + 1) == Some(&0) && bytes.get(tag).is_some_and(|tag| u16::from(*tag) <= STREAM_FOOTER)
}

/// The time of the measurement on the stream's clock, and the offset to add to it. `None`: not finite.
pub(super) fn clock_offset(content: &[u8]) -> Option<(f64, f64)> {
    let mut bytes = Bytes { rest: content };
    let pair = (bytes.f64().ok()?, bytes.f64().ok()?);
    (pair.0.is_finite() && pair.1.is_finite()).then_some(pair)
}

pub(super) fn is_like_xml(content: &[u8]) -> bool {
    let text = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    let is_nothing = |byte: &u8| byte.is_ascii_whitespace() || *byte == 0;
    text.iter().find(|byte| !is_nothing(byte)) == Some(&b'<')
        && text.iter().rev().find(|byte| !is_nothing(byte)) == Some(&b'>')
}
