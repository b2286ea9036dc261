//! The index of a film that a session keeps: each packet with its place, time and checksum, and the head for the decoder.

use std::path::Path;
use std::process::{Command, Stdio};

use thiserror::Error;

use super::CameraError;
use super::container_end::ebml_size;
use super::ffmpeg::{head_copier, input, not_run};
use super::ffprobe;
use super::file_video::{FileVideo, Turn};
use super::film_frames::FilmDecoding;
use session::{FilmOrder, FilmPacket};

/// What a session needs to find the pictures of its film.
pub struct FilmIndex {
    /// `None`: each packet is a JPEG.
    pub decoding: Option<FilmDecoding>,
    pub packets: Vec<FilmPacket>,
}

/// Why pictures of a film cannot be found by their place. The text continues a sentence.
#[derive(Debug, Error)]
pub enum FilmNotIndexed {
    #[error(transparent)]
    Camera(#[from] CameraError),
    #[error("its container (`{0}`) does not store the data of a picture in one place")]
    Container(String),
    #[error("its pictures are turned by an angle that is no multiple of 90°")]
    Turned,
    #[error("a packet of it has no time or no place")]
    Packet,
    #[error("two of its pictures have the same time, or it does not begin with a key frame")]
    Order,
    #[error("FFmpeg does not describe its track as Matroska: {0}")]
    Head(String),
}

/// Containers with all data of a picture in one place, and with the same data as in Matroska.
const CONTAINERS: [&str; 2] = ["mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm"];

/// `is_jpeg`: the JPEGs of the film are used unchanged.
pub fn index_film(path: &Path, is_jpeg: bool) -> Result<FilmIndex, FilmNotIndexed> {
    let video = ffprobe::probe(path)?;
    if is_jpeg {
        return Ok(FilmIndex { decoding: None, packets: packets(&video)? });
    }
    if !CONTAINERS.contains(&video.container.as_str()) {
        return Err(FilmNotIndexed::Container(video.container));
    }
    if video.turn == Turn::Odd {
        return Err(FilmNotIndexed::Turned);
    }
    let packets = packets(&video)?;
    FilmOrder::of(&packets).ok_or(FilmNotIndexed::Order)?;
    Ok(FilmIndex { decoding: Some(decoding(video)?), packets })
}

/// A film that this program wrote, as FFmpeg finds it. Its times may step back where the clock of the camera did.
pub fn describe_film(path: &Path) -> Result<(FilmDecoding, Vec<FilmPacket>), FilmNotIndexed> {
    let video = ffprobe::probe(path)?;
    let packets = packets(&video)?;
    Ok((decoding(video)?, packets))
}

fn decoding(video: FileVideo) -> Result<FilmDecoding, FilmNotIndexed> {
    let copied = head_copier(&video).output().map_err(|e| not_run("ffmpeg", e))?;
    let head = matroska_head(&copied.stdout).ok_or_else(|| {
        FilmNotIndexed::Head(String::from_utf8_lossy(&copied.stderr).lines().next().unwrap_or("no output").to_owned())
    })?;
    Ok(FilmDecoding { head: head.to_vec(), video })
}

/// The packets of the track, in the order of decoding.
fn packets(video: &FileVideo) -> Result<Vec<FilmPacket>, FilmNotIndexed> {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-protocol_whitelist", "file", "-select_streams", &video.stream_index.to_string()])
        .args([
            "-show_entries",
            "packet=pts,size,pos,flags,data_hash",
            "-show_data_hash",
            "crc32",
            "-of",
            "compact=p=0",
        ])
        .arg(input(&video.path))
        .stdin(Stdio::null())
        .output()
        .map_err(|e| not_run("ffprobe", e))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| packet(line, video)).collect::<Option<_>>().ok_or(FilmNotIndexed::Packet)
}

/// `pts=2048|size=4325|pos=9853|flags=__|data_hash=CRC32:cefe7edd`
fn packet(line: &str, video: &FileVideo) -> Option<FilmPacket> {
    let value = |name: &str| line.trim().split('|').find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='));
    Some(FilmPacket {
        offset: value("pos")?.parse().ok()?,
        length: value("size")?.parse().ok()?,
        checksum: u32::from_str_radix(value("data_hash")?.strip_prefix("CRC32:")?, 16).ok()?,
        film_ns: video.time_base.ns(value("pts")?.parse().ok()?),
        is_key: value("flags")?.contains('K'),
    })
}

const SEGMENT: [u8; 4] = [0x18, 0x53, 0x80, 0x67];
const CLUSTER: [u8; 4] = [0x1f, 0x43, 0xb6, 0x75];

/// The bytes before the first cluster. `None` if there is none.
fn matroska_head(file: &[u8]) -> Option<&[u8]> {
    let mut at = 0;
    loop {
        let element = file.get(at..)?;
        if element.starts_with(&CLUSTER) {
            return Some(&file[..at]);
        }
        let id_bytes = element.first()?.leading_zeros() as usize + 1;
        let (size, size_bytes) = ebml_size(element.get(id_bytes..)?)?;
        at += id_bytes + size_bytes;
        // The segment contains everything that follows.
        if !element.starts_with(&SEGMENT) {
            at = at.checked_add(usize::try_from(size?).ok()?)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_have_place_time_and_checksum() {
        let read = |line| packet(line, &FileVideo::small_h264());
        assert_eq!(
            read("pts=50|size=4325|pos=9853|flags=K__|data_hash=CRC32:cefe7edd"),
            Some(FilmPacket {
                offset: 9853,
                length: 4325,
                checksum: 0xcefe_7edd,
                film_ns: 2_000_000_000,
                is_key: true
            })
        );
        for gap in [
            "pts=N/A|size=4325|pos=9853|flags=K_|data_hash=CRC32:cefe7edd",
            "pts=50|size=4325|pos=N/A|flags=K_|data_hash=CRC32:cefe7edd",
            "pts=50|size=4325|pos=9853|flags=K_",
        ] {
            assert_eq!(read(gap), None, "{gap}");
        }
    }

    #[test]
    fn the_head_ends_before_the_first_cluster() {
        // EBML head of 2 bytes, a segment of unknown size, a Void of 3 bytes that contains the cluster's id by chance.
        let head = b"\x1a\x45\xdf\xa3\x82ab\x18\x53\x80\x67\x01\xff\xff\xff\xff\xff\xff\xff\xec\x84\x1f\x43\xb6\x75";
        let file = [head.as_slice(), b"\x1f\x43\xb6\x75\x80"].concat();
        assert_eq!(matroska_head(&file), Some(head.as_slice()));
        for cut in 0..file.len() - 1 {
            assert!(matroska_head(&file[..cut]).is_none_or(|h| h == head), "{cut}");
        }
        assert_eq!(matroska_head(b"\0\0\0"), None);
    }
}
