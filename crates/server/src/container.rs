//! The containers of a browser's video: WebM, and fragmented MP4 of browsers that write no WebM.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The first bytes of every Matroska and WebM file.
const EBML: [u8; 4] = [0x1A, 0x45, 0xDF, 0xA3];
/// The first bytes of a cluster. All that describes the video is before the first cluster.
const CLUSTER: [u8; 4] = [0x1F, 0x43, 0xB6, 0x75];
/// The first box of an MP4 file, and the box before the first fragment. All that describes the video is before it.
const FTYP: [u8; 4] = *b"ftyp";
const MOOF: [u8; 4] = *b"moof";
/// An MP4 file begins with the size of its first box, which is below 256, and the box's name.
const SIZE_BYTES: usize = 4;
/// So many bytes show how a file begins.
pub const FIRST_BYTES: usize = SIZE_BYTES + FTYP.len();

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Container {
    WebM,
    Mp4,
}

impl Container {
    pub fn extension(self) -> &'static str {
        match self {
            Container::WebM => "webm",
            Container::Mp4 => "mp4",
        }
    }

    /// WebM unless the file begins like MP4.
    pub fn of(path: &Path) -> io::Result<Container> {
        let mut first = Vec::new();
        File::open(path)?.take(FIRST_BYTES as u64).read_to_end(&mut first)?;
        Ok(if is_mp4(&first) { Container::Mp4 } else { Container::WebM })
    }
}

fn is_mp4(first: &[u8]) -> bool {
    first.len() >= FIRST_BYTES
        && first[..SIZE_BYTES - 1] == [0; SIZE_BYTES - 1]
        && first[SIZE_BYTES..FIRST_BYTES] == FTYP
}

/// Whether a recording begins with these bytes. `None` if more bytes must be known.
pub fn begins_recording(first: &[u8]) -> Option<bool> {
    if first.starts_with(&EBML) || is_mp4(first) {
        return Some(true);
    }
    let size_until = first.len().min(SIZE_BYTES - 1);
    let could_be_mp4 = first.len() < FIRST_BYTES
        && first[..size_until].iter().all(|byte| *byte == 0)
        && first.get(SIZE_BYTES..).is_none_or(|name| FTYP.starts_with(name));
    (!EBML.starts_with(first) && !could_be_mp4).then_some(false)
}

/// Whether all that describes the video is in these bytes, from the beginning of a recording.
pub fn has_head(bytes: &[u8]) -> bool {
    let end = if is_mp4(bytes) { MOOF } else { CLUSTER };
    bytes.windows(end.len()).any(|w| w == end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_is_known_by_its_first_bytes() {
        let mp4 = b"\0\0\0\x1cftypiso5";
        for (bytes, begins) in [
            (&EBML[..], Some(true)),
            (&EBML[..3], None),
            (&b""[..], None),
            (&mp4[..], Some(true)),
            (&mp4[..8], Some(true)),
            (&mp4[..7], None),
            (&mp4[..1], None),
            (&b"\0\0\0\x1cfree"[..], Some(false)),
            (&b"\0\0\x01\x1cmoof"[..], Some(false)),
            (&b"\0\0\0\x1cm"[..], Some(false)),
            (&b"\x1a\x45\0"[..], Some(false)),
            (&CLUSTER[..], Some(false)),
        ] {
            assert_eq!(begins_recording(bytes), begins, "{bytes:?}");
        }
        assert!(has_head(&[&mp4[..], b"moov..", &MOOF].concat()) && !has_head(&[&mp4[..], b"moov", &CLUSTER].concat()));
        assert!(has_head(&[&EBML[..], b"x", &CLUSTER].concat()) && !has_head(&EBML));
    }
}
