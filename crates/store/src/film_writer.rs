//! Writes compressed pictures into a film of a session: the same file as `video.mkv`, with a track of another encoder.
//!
//! Each packet is one complete cluster and one write, with the stamp of its frame: time in nanoseconds, number, driver's count and
//! checksum of the packet.

use std::path::{Path, PathBuf};

use super::frame_index::checksum_of;
use super::mkv::{FrameStamp, MkvWriter};
use super::mkv_scan::{scan, tracks_of};
use super::{FrameRow, StoreError};
use session::{FilmPacket, FrameMeta};

pub struct FilmWriter {
    path: PathBuf,
    file: MkvWriter,
    packets: Vec<FilmPacket>,
}

impl FilmWriter {
    /// The file must not exist. `head`: what an encoder wrote as Matroska before its first packet.
    pub fn create(path: &Path, head: &[u8]) -> Result<FilmWriter, StoreError> {
        let foreign = || StoreError::ForeignVideo { path: path.to_owned(), problem: "the encoder described no track" };
        let tracks = tracks_of(head).ok_or_else(foreign)?;
        let file = MkvWriter::create_for_track(path, tracks).map_err(StoreError::io("create", path))?;
        Ok(FilmWriter { path: path.to_owned(), file, packets: Vec::new() })
    }

    /// Packets come in the order of their frames.
    pub fn append(&mut self, meta: FrameMeta, packet: &[u8], is_key: bool) -> Result<(), StoreError> {
        let checksum = checksum_of(packet);
        let stamp = FrameStamp { meta, checksum: Some(checksum) };
        let offset =
            self.file.append_packet(stamp, packet, is_key).map_err(StoreError::io("write into", &self.path))?;
        // Packets are shown in this order. The clock of a camera may step back.
        let after_last = self.packets.last().map_or(i64::MIN, |last| last.film_ns.saturating_add(1));
        let film_ns = meta.at.as_ns().max(after_last);
        self.packets.push(FilmPacket { offset, length: packet.len() as u64, checksum, film_ns, is_key });
        Ok(())
    }

    pub fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// Forces the file to the disk.
    pub fn finish(self) -> Result<Vec<FilmPacket>, StoreError> {
        self.file.finish().map_err(StoreError::io("close", &self.path))?;
        Ok(self.packets)
    }
}

/// Reads the film from the disk and compares the stamp of each packet with its frame: number, time, source of the time and driver's
/// count, place and checksum. The inner error is the first difference, as a sentence.
pub fn compare_film(
    path: &Path,
    frames: &[FrameRow],
    packets: &[FilmPacket],
) -> Result<Result<(), String>, StoreError> {
    let found = scan(path)?;
    let counts = [frames.len(), packets.len(), found.frames.len()];
    if counts != [frames.len(); 3] {
        let [frames, packets, stored] = counts;
        return Ok(Err(format!(
            "the new video has {stored} pictures of {packets} packets, and the session has {frames} frames"
        )));
    }
    let stored = found.frames.iter().zip(&found.keys);
    for ((frame, packet), (stored, is_key)) in frames.iter().zip(packets).zip(stored) {
        let is_same = stored.meta == frame.meta
            && (stored.offset, stored.length, stored.checksum) == (packet.offset, packet.length, Some(packet.checksum))
            && *is_key == packet.is_key;
        if !is_same {
            let (number, at) = (frame.meta.number, frame.meta.at);
            return Ok(Err(format!("frame {number} ({at}) has other data in the new video")));
        }
    }
    Ok(if found.is_finished { Ok(()) } else { Err("the new video has no end".to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mkv::head;
    use session::{TimeSource, Timestamp};

    fn meta(number: u64, ns: i64) -> FrameMeta {
        let at = Timestamp::from_ns(ns);
        FrameMeta { number, at, time_source: TimeSource::Driver, device_sequence: Some(number + 7) }
    }

    #[test]
    fn packets_keep_numbers_times_and_places() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("film.mkv");
        let mut writer = FilmWriter::create(&path, &head(64, 48, "another muxer").0).unwrap();
        // The clock steps back once, and frame 2 was lost.
        let metas = [meta(0, -5), meta(1, 33_000_001), meta(3, 33_000_000), meta(4, 99_000_123)];
        let packets: Vec<Vec<u8>> = (0..4u8).map(|k| vec![k; 9 + usize::from(k)]).collect();
        for (k, (meta, packet)) in metas.iter().zip(&packets).enumerate() {
            writer.append(*meta, packet, k % 2 == 0).unwrap();
        }
        let listed = writer.finish().unwrap();
        assert!(listed.is_sorted_by(|a, b| a.film_ns < b.film_ns));
        let file = std::fs::read(&path).unwrap();
        for (packet, expected) in listed.iter().zip(&packets) {
            assert_eq!(&file[packet.offset as usize..(packet.offset + packet.length) as usize], expected);
        }
        let rows: Vec<FrameRow> =
            metas.iter().map(|meta| FrameRow { meta: *meta, offset: 1, length: 1, checksum: None }).collect();
        assert_eq!(compare_film(&path, &rows, &listed).unwrap(), Ok(()));

        let mut other = rows.clone();
        other[2].meta = meta(3, 33_000_001);
        assert!(compare_film(&path, &other, &listed).unwrap().unwrap_err().starts_with("frame 3 "));
        let mut keys = listed.clone();
        keys[1].is_key = true;
        assert!(compare_film(&path, &rows, &keys).unwrap().unwrap_err().starts_with("frame 1 "));
        assert!(compare_film(&path, &rows[..3], &listed[..3]).unwrap().unwrap_err().contains("4 pictures"));
        std::fs::write(&path, &file[..file.len() - 1]).unwrap();
        assert!(compare_film(&path, &rows, &listed).unwrap().unwrap_err().contains("no end"));
    }

    #[test]
    fn a_head_without_a_track_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("film.mkv");
        for head in [&b""[..], b"\x1a\x45\xdf\xa3\x80", b"not matroska"] {
            assert!(FilmWriter::create(&path, head).is_err());
            assert!(!path.exists());
        }
    }
}
