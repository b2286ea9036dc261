//! The film of a session that was made from a video file: its place, its rows in the session file, and its packets.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};

use super::frame_index::checksum_of;
use super::mkv_scan::read_at;
use super::{StoreError, schema};
use session::{FilmPacket, hex, path_text};

/// How a session keeps its film.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FilmKeeping {
    /// A hard link. If the film is on another file system, a copy; the file system may let a copy share the space.
    #[default]
    Inside,
    /// Only the path, the size and the checksum.
    ByReference,
}

/// A film whose packets are found by their place.
#[derive(Clone, Debug, PartialEq)]
pub struct Film {
    /// Its name in the folder of the session. `None`: the film is at `origin` and not in the folder.
    pub file: Option<String>,
    /// Absolute path at the import.
    pub origin: PathBuf,
    pub bytes: u64,
    /// Hexadecimal.
    pub sha256: String,
    /// How the packets are decoded, as JSON. `None`: each packet is a JPEG.
    pub decoding: Option<String>,
    /// The head of a Matroska file for the decoder.
    pub head: Vec<u8>,
}

impl Film {
    /// A name of a hostile session file does not lead out of the folder.
    pub fn path(&self, session_folder: &Path) -> PathBuf {
        let Some(name) = &self.file else { return self.origin.clone() };
        session_folder.join(Path::new(name).file_name().unwrap_or_default())
    }

    /// Name of the file for messages.
    pub(super) fn shown(&self) -> String {
        self.file.clone().unwrap_or_else(|| path_text(&self.origin))
    }
}

/// Places the film in the folder, or refers to it. Returns it and its packets with their true places.
pub fn keep_film(
    folder: &Path,
    source: &Path,
    keeping: FilmKeeping,
    (decoding, head): (Option<String>, Vec<u8>),
    packets: Vec<FilmPacket>,
) -> Result<(Film, Vec<FilmPacket>), StoreError> {
    let origin = source.canonicalize().map_err(StoreError::io("read", source))?;
    let file = match keeping {
        FilmKeeping::ByReference if origin.to_str().is_none() => return Err(StoreError::FilmPath(origin)),
        FilmKeeping::ByReference => None,
        FilmKeeping::Inside => Some(link_or_copy(folder, &origin)?),
    };
    let path = file.as_ref().map_or_else(|| origin.clone(), |name| folder.join(name));
    let (bytes, sha256) = sum_of(&path).map_err(StoreError::io("read", &path))?;
    let mut opened = open_film(&path).map_err(StoreError::io("open", &path))?;
    let placed = |packet| placed(&mut opened, packet).map_err(StoreError::io("read", &path));
    let packets = packets.into_iter().map(placed).collect::<Result<Option<Vec<_>>, _>>()?;
    let packets = packets.ok_or_else(|| StoreError::FilmPackets(path.clone()))?;
    Ok((Film { file, origin, bytes, sha256, decoding, head }, packets))
}

/// Removes the folder of a session that was not finished, with its film. A film outside of it stays.
pub fn discard_session(folder: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(folder) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(StoreError::io("remove", folder)(e)),
        _ => Ok(()),
    }
}

fn link_or_copy(folder: &Path, origin: &Path) -> Result<String, StoreError> {
    std::fs::create_dir_all(folder).map_err(StoreError::io("create the folder", folder))?;
    let ending = origin.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let is_plain = (1..=8).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    let name = if is_plain { format!("film.{ending}") } else { "film".to_owned() };
    let path = folder.join(&name);
    if std::fs::hard_link(origin, &path).is_err() {
        // On Linux, this shares the space where the file system can.
        std::fs::copy(origin, &path).map_err(StoreError::io("copy the film to", &path))?;
        File::open(&path).and_then(|file| file.sync_all()).map_err(StoreError::io("copy the film to", &path))?;
    }
    Ok(name)
}

/// A hostile session file may name a pipe or a device, which would be read without an end.
fn open_film(path: &Path) -> io::Result<File> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    File::open(path)
}

/// Bytes and SHA-256.
pub(super) fn sum_of(path: &Path) -> io::Result<(u64, String)> {
    let mut file = open_film(path)?;
    let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok((bytes, hex(&hash.finalize()))),
            Ok(n) => {
                hash.update(&buffer[..n]);
                bytes += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// FFmpeg reports the place of the packet, or of the head before it: none in MP4, 4 bytes in Matroska, 8 bytes in AVI.
const HEADS_BYTES: [u64; 3] = [0, 4, 8];

/// The packet with the place that has its checksum. `None` if there is none.
fn placed(file: &mut File, packet: FilmPacket) -> io::Result<Option<FilmPacket>> {
    for head in HEADS_BYTES {
        let packet = FilmPacket { offset: packet.offset.saturating_add(head), ..packet };
        if read_packet(file, &packet)?.is_some() {
            return Ok(Some(packet));
        }
    }
    Ok(None)
}

/// Larger than any compressed picture. A damaged row may have any length.
const LARGEST_PACKET_BYTES: u64 = 256 << 20;

/// `None` if the bytes are not those of the checksum.
fn read_packet(file: &mut File, packet: &FilmPacket) -> io::Result<Option<Vec<u8>>> {
    if packet.length > LARGEST_PACKET_BYTES {
        return Ok(None);
    }
    let mut bytes = vec![0; packet.length as usize];
    let read = read_at(file, packet.offset, &mut bytes)?;
    Ok((read == bytes.len() && checksum_of(&bytes) == packet.checksum).then_some(bytes))
}

/// Opens a film for its packets. The file is looked up by its path each time, so that a film that was moved is noticed.
#[derive(Clone, Debug)]
pub struct FilmFile {
    path: PathBuf,
    bytes: u64,
}

impl FilmFile {
    pub fn new(film: &Film, session_folder: &Path) -> FilmFile {
        FilmFile { path: film.path(session_folder), bytes: film.bytes }
    }

    /// A film that no session refers to yet.
    pub fn at(path: &Path) -> FilmFile {
        let bytes = std::fs::metadata(path).map_or(0, |meta| meta.len());
        FilmFile { path: path.to_owned(), bytes }
    }

    /// Fails if the film is not there, or if its bytes at this place are not those of the import.
    pub fn packet(&self, packet: &FilmPacket) -> Result<Vec<u8>, StoreError> {
        let path = &self.path;
        let mut file = match open_film(path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(StoreError::FilmGone(path.clone())),
            Err(e) => return Err(StoreError::io("open", path)(e)),
        };
        let read = read_packet(&mut file, packet).map_err(StoreError::io("read", path))?;
        read.ok_or_else(|| {
            let found = file.metadata().map_or(0, |meta| meta.len());
            let (path, expected) = (path.clone(), self.bytes);
            if found == expected {
                StoreError::FilmChanged { path, from: packet.offset, until: packet.offset + packet.length }
            } else {
                StoreError::FilmOtherSize { path, found, expected }
            }
        })
    }
}

/// Within the transaction that creates the session file.
pub(super) fn put(conn: &Connection, film: &Film, packets: &[FilmPacket]) -> rusqlite::Result<()> {
    conn.execute(
        "INSERT INTO film (id, file, path, bytes, sha256, decoding, head) VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
        params![film.file, path_text(&film.origin), film.bytes as i64, film.sha256, film.decoding, film.head],
    )?;
    let mut insert = conn.prepare(
        "INSERT INTO film_packet (number, offset, length, checksum, film_ns, is_key) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    for (number, packet) in packets.iter().enumerate() {
        insert.execute(params![
            number as i64,
            packet.offset as i64,
            packet.length as i64,
            packet.checksum,
            packet.film_ns,
            packet.is_key
        ])?;
    }
    Ok(())
}

/// `None` if the pictures are in `video.mkv`.
pub(super) fn get(conn: &Connection) -> rusqlite::Result<Option<Film>> {
    if schema::version(conn)? < schema::VERSION_WITH_FILMS {
        return Ok(None);
    }
    let columns = "SELECT file, path, bytes, sha256, decoding, head FROM film";
    let film = conn.query_row(columns, [], |r| {
        Ok(Film {
            file: r.get(0)?,
            origin: PathBuf::from(r.get::<_, String>(1)?),
            bytes: r.get::<_, i64>(2)? as u64,
            sha256: r.get(3)?,
            decoding: r.get(4)?,
            head: r.get::<_, Option<Vec<u8>>>(5)?.unwrap_or_default(),
        })
    });
    film.optional()
}

pub(super) fn get_packets(conn: &Connection) -> rusqlite::Result<Vec<FilmPacket>> {
    let mut rows = conn.prepare("SELECT offset, length, checksum, film_ns, is_key FROM film_packet ORDER BY number")?;
    let rows = rows.query_map([], |r| {
        Ok(FilmPacket {
            offset: r.get::<_, i64>(0)? as u64,
            length: r.get::<_, i64>(1)? as u64,
            // An invalid value becomes 0, which hardly any packet has.
            checksum: u32::try_from(r.get::<_, i64>(2)?).unwrap_or_default(),
            film_ns: r.get(3)?,
            is_key: r.get(4)?,
        })
    })?;
    rows.collect()
}

/// The packets that are not what they were, as far as the file can be read.
pub(super) fn damaged_packets(path: &Path, packets: &[FilmPacket]) -> io::Result<Vec<bool>> {
    let mut file = open_film(path)?;
    packets.iter().map(|packet| Ok(read_packet(&mut file, packet)?.is_none())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(file: Option<&str>, origin: &str) -> Film {
        let file = file.map(str::to_owned);
        Film { file, origin: origin.into(), bytes: 0, sha256: String::new(), decoding: None, head: Vec::new() }
    }

    #[test]
    fn a_hostile_name_stays_in_the_folder() {
        let folder = Path::new("/lab/sessions/a");
        for name in ["film.mp4", "../film.mp4", "/etc/film.mp4", "b/../../film.mp4"] {
            assert_eq!(film(Some(name), "").path(folder), folder.join("film.mp4"), "{name}");
        }
        assert_eq!(film(Some(".."), "").path(folder), folder.join(""));
    }

    #[cfg(unix)]
    #[test]
    fn devices_and_pipes_are_no_films() {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        for path in [Path::new("/dev/zero"), &pipe, dir.path()] {
            let problem = sum_of(path).unwrap_err().to_string();
            assert!(problem.contains("not a regular file"), "{problem}");
            assert!(damaged_packets(path, &[]).is_err());
            let packet = FilmPacket { offset: 0, length: 1, checksum: 0, film_ns: 0, is_key: true };
            let named = film(None, path.to_str().unwrap());
            assert!(FilmFile::new(&named, dir.path()).packet(&packet).is_err());
        }
    }
}
