//! Checks whether a video file was cut off. FFmpeg reports this only if a picture is incomplete. This file compares the
//! lengths that are stored in the container with the size of the file.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

/// Why the end of the file is missing. `None` if the file is complete, or if its format contains no length.
pub fn missing_end(path: &Path) -> std::io::Result<Option<String>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    missing_end_of(file, bytes)
}

fn missing_end_of(mut file: impl Read + Seek, bytes: u64) -> std::io::Result<Option<String>> {
    let mut head = [0; 208];
    let len = read_some(&mut file, &mut head)?;
    let head = &head[..len];
    if head.starts_with(b"RIFF") {
        return Ok(riff(head, bytes));
    }
    if head.starts_with(&[0x1a, 0x45, 0xdf, 0xa3]) {
        return Ok(matroska(head, bytes));
    }
    if head.get(4..8).is_some_and(|kind| BOXES.contains(&kind)) {
        return boxes(file, bytes);
    }
    Ok(transport_stream(head, bytes))
}

fn promised(what: &str, promised: u64, bytes: u64) -> Option<String> {
    (promised > bytes).then(|| format!("the file is cut off: its {what} declares {promised} bytes, but it has {bytes}"))
}

fn riff(head: &[u8], bytes: u64) -> Option<String> {
    let size = u32::from_le_bytes(*head.get(4..8)?.first_chunk()?);
    // Recorders write the length at the end. Until then it is 0 or the largest number.
    if size == 0 || size == u32::MAX { None } else { promised("RIFF header", 8 + u64::from(size), bytes) }
}

/// An EBML header, followed by the segment with all data.
fn matroska(head: &[u8], bytes: u64) -> Option<String> {
    let (size, width) = ebml_size(head.get(4..)?)?;
    let segment = 4 + width + usize::try_from(size?).ok()?;
    let rest = head.get(segment..)?.strip_prefix(&[0x18, 0x53, 0x80, 0x67])?;
    let (size, width) = ebml_size(rest)?;
    promised("segment", (segment + 4 + width) as u64 + size?, bytes)
}

/// A length and the number of its bytes. If all bits are set, the length is unknown.
pub(super) fn ebml_size(bytes: &[u8]) -> Option<(Option<u64>, usize)> {
    let width = bytes.first()?.leading_zeros() as usize + 1;
    let field = bytes.get(..width)?;
    let value = field.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
    let ones = (1u64 << (7 * width)) - 1;
    let size = value & ones;
    Some(((size != ones).then_some(size), width))
}

/// The top-level boxes of MP4 and QuickTime. Other data after them is ignored.
const BOXES: [&[u8]; 14] = [
    b"ftyp", b"moov", b"mdat", b"moof", b"mfra", b"free", b"skip", b"wide", b"styp", b"sidx", b"emsg", b"prft",
    b"pnot", b"uuid",
];

fn boxes(mut file: impl Read + Seek, bytes: u64) -> std::io::Result<Option<String>> {
    let mut at = 0u64;
    while at < bytes {
        file.seek(SeekFrom::Start(at))?;
        let mut head = [0; 16];
        let len = read_some(&mut file, &mut head)?;
        let inside = "the file is cut off inside the header of a box";
        if len < 8 {
            let is_filling = head[..len].iter().all(|b| *b == 0);
            return Ok((!is_filling).then(|| inside.to_owned()));
        }
        let kind = &head[4..8];
        if !BOXES.contains(&kind) {
            return Ok(None);
        }
        let name = format!("box `{}` at byte {at}", String::from_utf8_lossy(kind));
        let [a, b, c, d, _, _, _, _, long @ ..] = head;
        let size = match u32::from_be_bytes([a, b, c, d]) {
            0 => return Ok(None), // up to the end of the file
            1 if len < 16 => return Ok(Some(inside.to_owned())),
            1 => u64::from_be_bytes(long),
            size => u64::from(size),
        };
        if size < 8 {
            return Ok(None);
        }
        let end = at.saturating_add(size);
        if let Some(why) = promised(&name, end, bytes) {
            return Ok(Some(why));
        }
        at = end;
    }
    Ok(None)
}

/// Packets of 188 bytes, or of 192 with a time before each.
fn transport_stream(head: &[u8], bytes: u64) -> Option<String> {
    let is_packed =
        |packet: usize, first: usize| head.get(first) == Some(&0x47) && head.get(first + packet) == Some(&0x47);
    let packet = [(188, 0), (192, 4)].into_iter().find(|(packet, first)| is_packed(*packet, *first))?.0 as u64;
    let rest = bytes % packet;
    (rest != 0).then(|| format!("the file is cut off: its last packet has {rest} of {packet} bytes"))
}

fn read_some(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Cursor;

    fn missing(bytes: &[u8]) -> Option<String> {
        missing_end_of(Cursor::new(bytes), bytes.len() as u64).unwrap()
    }

    fn mp4_box(kind: &[u8; 4], content: usize) -> Vec<u8> {
        let mut all = (8 + content as u32).to_be_bytes().to_vec();
        all.extend(kind);
        all.resize(8 + content, 7);
        all
    }

    fn mp4() -> Vec<u8> {
        let mut all = [mp4_box(b"ftyp", 16), mp4_box(b"moov", 300), mp4_box(b"free", 0)].concat();
        all.extend([0, 0, 0, 1]);
        all.extend(b"mdat");
        all.extend((16u64 + 500).to_be_bytes());
        all.resize(all.len() + 500, 9);
        all
    }

    fn avi() -> Vec<u8> {
        let mut all = b"RIFF".to_vec();
        all.extend(1000u32.to_le_bytes());
        all.resize(1008, 1);
        all
    }

    fn mkv() -> Vec<u8> {
        let mut all = vec![0x1a, 0x45, 0xdf, 0xa3, 0x84, 1, 2, 3, 4, 0x18, 0x53, 0x80, 0x67, 0x01, 0, 0, 0, 0, 0, 3, 0];
        all.resize(all.len() + 768, 3);
        all
    }

    fn ts() -> Vec<u8> {
        let mut packet = [0xff; 188];
        packet[0] = 0x47;
        packet.repeat(5)
    }

    #[test]
    fn whole_files_are_whole() {
        for whole in [mp4(), avi(), mkv(), ts(), Vec::new(), b"not a film".to_vec()] {
            assert_eq!(missing(&whole), None);
        }
        // What others put behind the film, and lengths that are not known yet.
        for tail in [&b"\0\0\x13\x88SEFTrest"[..], b"\0\0\0", b"\0\0\0\x05abcdefgh"] {
            assert_eq!(missing(&[&mp4()[..], tail].concat()), None, "{tail:?}");
        }
        let mut growing = mkv();
        growing[13..21].copy_from_slice(&[0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
        let mut open = avi();
        open[4..8].fill(0xff);
        assert_eq!((missing(&growing[..300]), missing(&open[..300])), (None, None));
    }

    proptest! {
        #[test]
        fn no_cut_passes(share in 0.0f64..1.0) {
            for whole in [mp4(), avi(), mkv(), ts()] {
                let cut = 200 + ((whole.len() - 200) as f64 * share) as usize;
                let is_cut = missing(&whole[..cut]).is_some();
                // Packets have no count, between two boxes a file may end, and a box's first zeros look like filling.
                let is_between = [332..=335, 340..=343].iter().any(|places| places.contains(&cut));
                let may_end = cut == whole.len() || whole == ts() && cut.is_multiple_of(188) || whole == mp4() && is_between;
                prop_assert!(is_cut || may_end, "{cut} of {}", whole.len());
            }
        }

        #[test]
        fn junk_never_panics(junk in prop::collection::vec(any::<u8>(), 0..300), kind in 0usize..4) {
            let start: &[u8] = [&b"RIFF"[..], &[0x1a, 0x45, 0xdf, 0xa3], &b"\0\0\0\x10ftyp"[..], &[0x47][..]][kind];
            missing(&[start, &junk[..]].concat());
        }
    }
}
