//! Reads the packets of a video that FFmpeg writes as Matroska into a pipe.

use std::io::{self, Read};

use super::container_end::ebml_size;

/// One compressed picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedPacket {
    /// Time on FFmpeg's clock, in milliseconds.
    pub ms: u64,
    /// Decoding can begin here.
    pub is_key: bool,
    pub bytes: Vec<u8>,
}

/// Larger than any element that an encoder writes.
const LARGEST_ELEMENT_BYTES: u64 = 256 << 20;

mod id {
    pub const SEGMENT: u32 = 0x1853_8067;
    pub const CLUSTER: u32 = 0x1F43_B675;
    pub const TIMESTAMP: u32 = 0xE7;
    pub const SIMPLE_BLOCK: u32 = 0xA3;
    pub const BLOCK_GROUP: u32 = 0xA0;
}

/// The packets of track 1, one after the other.
pub struct MatroskaPackets<R> {
    input: R,
    head: Vec<u8>,
    is_in_head: bool,
    cluster_ms: u64,
}

/// The name and the length of an element, and the bytes that gave them.
struct Element {
    id: u32,
    /// `None`: unknown, as in a stream.
    content_bytes: Option<u64>,
    bytes: Vec<u8>,
}

impl<R: Read> MatroskaPackets<R> {
    pub fn new(input: R) -> Self {
        MatroskaPackets { input, head: Vec::new(), is_in_head: true, cluster_ms: 0 }
    }

    /// The bytes before the first cluster. Complete when the first packet is read.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// `None` at the end.
    pub fn read_packet(&mut self) -> io::Result<Option<EncodedPacket>> {
        while let Some(element) = self.element()? {
            match element.id {
                id::CLUSTER => self.is_in_head = false,
                id::SEGMENT => self.head.extend(element.bytes),
                id::TIMESTAMP if !self.is_in_head => {
                    self.cluster_ms = self.content(&element)?.iter().fold(0, |n, byte| n << 8 | u64::from(*byte));
                }
                id::SIMPLE_BLOCK if !self.is_in_head => return self.block(&element).map(Some),
                id::BLOCK_GROUP if !self.is_in_head => {
                    return Err(damaged("FFmpeg wrote a group of blocks, which this program does not read"));
                }
                _ => {
                    let content = self.content(&element)?;
                    if self.is_in_head {
                        self.head.extend(element.bytes);
                        self.head.extend(content);
                    }
                }
            }
        }
        Ok(None)
    }

    fn block(&mut self, element: &Element) -> io::Result<EncodedPacket> {
        let mut bytes = self.content(element)?;
        let [0x81, high, low, flags, ..] = bytes[..] else {
            return Err(damaged("FFmpeg wrote a block of another track"));
        };
        if flags & 0x06 != 0 {
            return Err(damaged("FFmpeg wrote several packets into one block"));
        }
        let ms = self.cluster_ms.saturating_add_signed(i64::from(i16::from_be_bytes([high, low])));
        bytes.drain(..4);
        Ok(EncodedPacket { ms, is_key: flags & 0x80 != 0, bytes })
    }

    /// `None` at the end of the stream.
    fn element(&mut self) -> io::Result<Option<Element>> {
        let mut bytes = vec![0];
        loop {
            match self.input.read(&mut bytes) {
                Ok(0) => return Ok(None),
                Ok(_) => break,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        let id_bytes = bytes[0].leading_zeros() as usize + 1;
        if id_bytes > 4 {
            return Err(damaged("FFmpeg wrote something that is not Matroska"));
        }
        self.more(&mut bytes, id_bytes)?;
        let id = bytes[..id_bytes].iter().fold(0, |id, byte| id << 8 | u32::from(*byte));
        let size_bytes = bytes[id_bytes].leading_zeros() as usize + 1;
        if size_bytes > 8 {
            return Err(damaged("FFmpeg wrote an element without a length"));
        }
        self.more(&mut bytes, size_bytes - 1)?;
        let size = ebml_size(&bytes[id_bytes..]).ok_or_else(|| damaged("FFmpeg wrote an element without a length"))?;
        Ok(Some(Element { id, content_bytes: size.0, bytes }))
    }

    fn more(&mut self, bytes: &mut Vec<u8>, count: usize) -> io::Result<()> {
        let from = bytes.len();
        bytes.resize(from + count, 0);
        self.input.read_exact(&mut bytes[from..])
    }

    fn content(&mut self, element: &Element) -> io::Result<Vec<u8>> {
        let length = element.content_bytes.filter(|length| *length <= LARGEST_ELEMENT_BYTES);
        let length = length.ok_or_else(|| damaged("FFmpeg wrote an element of an impossible length"))?;
        let mut content = Vec::new();
        let read = self.input.by_ref().take(length).read_to_end(&mut content)?;
        if read as u64 == length { Ok(content) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

fn damaged(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEAD: &[u8] =
        b"\x1a\x45\xdf\xa3\x82ab\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\x16\x54\xae\x6b\x83xyz";

    fn stream() -> Vec<u8> {
        let clusters: &[&[u8]] = &[
            // Unknown length, one key block at 1 + 1 ms; then a seek table between clusters.
            b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff\xe7\x81\x01\xa3\x86\x81\x00\x01\x80PQ",
            b"\x1c\x53\xbb\x6b\x82zz",
            b"\x1f\x43\xb6\x75\x8b\xe7\x82\x01\x00\xa3\x85\x81\xff\xff\x00R",
        ];
        [HEAD, &clusters.concat()].concat()
    }

    #[test]
    fn packets_have_their_time_and_kind() {
        let bytes = stream();
        let mut packets = MatroskaPackets::new(&bytes[..]);
        let first = packets.read_packet().unwrap().unwrap();
        assert_eq!(first, EncodedPacket { ms: 2, is_key: true, bytes: b"PQ".to_vec() });
        assert_eq!(packets.head(), HEAD);
        let second = packets.read_packet().unwrap().unwrap();
        assert_eq!(second, EncodedPacket { ms: 255, is_key: false, bytes: b"R".to_vec() });
        assert!(packets.read_packet().unwrap().is_none() && packets.head() == HEAD);
    }

    #[test]
    fn a_stream_that_ends_within_an_element_is_an_error() {
        let bytes = stream();
        let mut packets = MatroskaPackets::new(&bytes[..bytes.len() - 1]);
        assert!(packets.read_packet().unwrap().is_some());
        assert_eq!(packets.read_packet().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..64), with_head: bool) {
            let bytes = if with_head { [HEAD, &bytes].concat() } else { bytes };
            let mut packets = MatroskaPackets::new(&bytes[..]);
            while let Ok(Some(_)) = packets.read_packet() {}
        }
    }
}
