//! Writes and reads the Matroska elements that a recording needs.
//!
//! No crate is used, because muxers hide what matters here: one write per frame, the offset of its picture, fields at known
//! places that are patched at the end, and a reader that finds the last whole frame of a torn file.

/// Element names from the Matroska specification (RFC 9559).
pub(super) mod id {
    pub const EBML: u32 = 0x1A45_DFA3;
    pub const EBML_VERSION: u32 = 0x4286;
    pub const EBML_READ_VERSION: u32 = 0x42F7;
    pub const EBML_MAX_ID_LENGTH: u32 = 0x42F2;
    pub const EBML_MAX_SIZE_LENGTH: u32 = 0x42F3;
    pub const DOC_TYPE: u32 = 0x4282;
    pub const DOC_TYPE_VERSION: u32 = 0x4287;
    pub const DOC_TYPE_READ_VERSION: u32 = 0x4285;
    pub const VOID: u32 = 0xEC;
    pub const SEGMENT: u32 = 0x1853_8067;
    pub const SEEK_HEAD: u32 = 0x114D_9B74;
    pub const SEEK: u32 = 0x4DBB;
    pub const SEEK_ID: u32 = 0x53AB;
    pub const SEEK_POSITION: u32 = 0x53AC;
    pub const INFO: u32 = 0x1549_A966;
    pub const TIMESTAMP_SCALE: u32 = 0x2A_D7B1;
    pub const DURATION: u32 = 0x4489;
    pub const MUXING_APP: u32 = 0x4D80;
    pub const WRITING_APP: u32 = 0x5741;
    pub const TRACKS: u32 = 0x1654_AE6B;
    pub const TRACK_ENTRY: u32 = 0xAE;
    pub const TRACK_NUMBER: u32 = 0xD7;
    pub const TRACK_UID: u32 = 0x73C5;
    pub const TRACK_TYPE: u32 = 0x83;
    pub const FLAG_LACING: u32 = 0x9C;
    pub const LANGUAGE: u32 = 0x22_B59C;
    pub const CODEC_ID: u32 = 0x86;
    pub const VIDEO: u32 = 0xE0;
    pub const FLAG_INTERLACED: u32 = 0x9A;
    pub const PIXEL_WIDTH: u32 = 0xB0;
    pub const PIXEL_HEIGHT: u32 = 0xBA;
    pub const CLUSTER: u32 = 0x1F43_B675;
    pub const TIMESTAMP: u32 = 0xE7;
    pub const SIMPLE_BLOCK: u32 = 0xA3;
    pub const CUES: u32 = 0x1C53_BB6B;
    pub const CUE_POINT: u32 = 0xBB;
    pub const CUE_TIME: u32 = 0xB3;
    pub const CUE_TRACK_POSITIONS: u32 = 0xB7;
    pub const CUE_TRACK: u32 = 0xF7;
    pub const CUE_CLUSTER_POSITION: u32 = 0xF1;
}

/// Bytes of a size field. The longest form is always used, so that every field can be patched in place.
pub(super) const SIZE_BYTES: usize = 8;
pub(super) const UNKNOWN_SIZE: [u8; SIZE_BYTES] = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];

pub(super) fn size_field(bytes: u64) -> [u8; SIZE_BYTES] {
    (bytes | 1 << 56).to_be_bytes()
}

/// Appends elements to a buffer.
pub(super) trait Ebml {
    fn id(&mut self, id: u32);
    fn head(&mut self, id: u32, content_bytes: u64);
    fn binary(&mut self, id: u32, content: &[u8]);
    fn uint(&mut self, id: u32, value: u64) {
        self.binary(id, &value.to_be_bytes());
    }
    fn float(&mut self, id: u32, value: f64) {
        self.binary(id, &value.to_be_bytes());
    }
    fn text(&mut self, id: u32, text: &str) {
        self.binary(id, text.as_bytes());
    }
    fn master(&mut self, id: u32, fill: impl FnOnce(&mut Vec<u8>)) {
        let mut content = Vec::new();
        fill(&mut content);
        self.binary(id, &content);
    }
}

impl Ebml for Vec<u8> {
    fn id(&mut self, id: u32) {
        self.extend(&id.to_be_bytes()[id.leading_zeros() as usize / 8..]);
    }

    fn head(&mut self, id: u32, content_bytes: u64) {
        self.id(id);
        self.extend(size_field(content_bytes));
    }

    fn binary(&mut self, id: u32, content: &[u8]) {
        self.head(id, content.len() as u64);
        self.extend(content);
    }
}

/// The head of an element in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub id: u32,
    pub head_bytes: usize,
    /// `None` if the size is unknown, as during a recording.
    pub content_bytes: Option<u64>,
}

/// `None` if `bytes` is too short or not the head of an element.
pub(super) fn read_head(bytes: &[u8]) -> Option<Head> {
    let id_bytes = bytes.first()?.leading_zeros() as usize + 1;
    if id_bytes > 4 {
        return None;
    }
    let id = bytes.get(..id_bytes)?.iter().fold(0, |id, b| id << 8 | u32::from(*b));
    let rest = &bytes[id_bytes..];
    let size_bytes = rest.first()?.leading_zeros() as usize + 1;
    if size_bytes > 8 {
        return None;
    }
    let raw = rest.get(..size_bytes)?.iter().fold(0, |n, b| n << 8 | u64::from(*b));
    let mask = (1 << (7 * size_bytes)) - 1;
    let content_bytes = (raw & mask != mask).then_some(raw & mask);
    Some(Head { id, head_bytes: id_bytes + size_bytes, content_bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_unknown_size_is_known_as_such() {
        let mut bytes = Vec::new();
        bytes.id(id::SEGMENT);
        bytes.extend(UNKNOWN_SIZE);
        assert_eq!(read_head(&bytes), Some(Head { id: id::SEGMENT, head_bytes: 12, content_bytes: None }));
        assert_eq!(read_head(&[0xA3, 0x85]).and_then(|h| h.content_bytes), Some(5));
        assert_eq!(read_head(&[0x00; 12]), None);
    }

    proptest! {
        #[test]
        fn heads_round_trip(n in 0u64..(1 << 56) - 1, id in prop::sample::select(vec![id::CLUSTER, id::VOID, id::INFO, id::SEEK])) {
            let mut bytes = Vec::new();
            bytes.head(id, n);
            prop_assert_eq!(read_head(&bytes), Some(Head { id, head_bytes: bytes.len(), content_bytes: Some(n) }));
            for cut in 0..bytes.len() {
                prop_assert_eq!(read_head(&bytes[..cut]), None);
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..16)) {
            read_head(&bytes);
        }
    }
}
