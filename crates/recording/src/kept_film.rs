//! The film that a session keeps in place of a video of its own: where each of its frames is, and whether it is found there.

use std::collections::HashMap;
use std::path::Path;

use super::RigError;
use super::film_pipeline::InFilm;
use capture::index_film;
use session::{FilmPacket, FrameMeta};
use store::{Film, FilmKeeping, FrameRow, SessionFile, StoreError, discard_session, keep_film};
use stored_frames::{FrameReader, picture_checksum};

/// The pictures that are read again at the end of an import.
const CHECKED_PICTURES: usize = 4;

/// A film in the session's folder, or one to which the session refers.
pub(super) struct KeptFilm {
    film: Film,
    packets: Vec<FilmPacket>,
    is_exact: bool,
}

impl KeptFilm {
    /// The inner error is why its pictures cannot be found by their place. It continues a sentence.
    pub(super) fn place(
        path: &Path,
        folder: &Path,
        keeping: FilmKeeping,
        is_jpeg: bool,
    ) -> Result<Result<KeptFilm, String>, RigError> {
        let index = match index_film(path, is_jpeg) {
            Ok(index) => index,
            Err(why) => return Ok(Err(why.to_string())),
        };
        let is_exact = index.decoding.as_ref().is_none_or(|decoding| decoding.is_exact());
        let decoding = match index.decoding {
            Some(decoding) => {
                let json = decoding.to_json().map_err(std::io::Error::other)?;
                (Some(json), decoding.head().to_vec())
            }
            None => (None, Vec::new()),
        };
        match keep_film(folder, path, keeping, decoding, index.packets) {
            Ok((film, packets)) => Ok(Ok(KeptFilm { film, packets, is_exact })),
            Err(why @ StoreError::FilmPackets(_)) => {
                // The film was placed before its packets were looked up.
                discard_session(folder)?;
                Ok(Err(why.to_string()))
            }
            Err(other) => Err(other.into()),
        }
    }

    pub(super) fn rows(&self) -> (&Film, &[FilmPacket]) {
        (&self.film, &self.packets)
    }

    /// For the event `film`.
    pub(super) fn how(&self) -> &'static str {
        if self.film.file.is_some() { "in_the_session" } else { "by_reference" }
    }

    /// `first_ns`: the film's own time at the session's zero.
    pub(super) fn places(self, first_ns: Option<i64>) -> FramePlaces {
        let packets = self.packets.into_iter().map(|packet| (packet.film_ns, packet)).collect();
        FramePlaces { packets, first_ns: first_ns.unwrap_or_default(), is_exact: self.is_exact }
    }
}

/// Finds the packet of a frame by its time.
pub(super) struct FramePlaces {
    packets: HashMap<i64, FilmPacket>,
    first_ns: i64,
    is_exact: bool,
}

impl FramePlaces {
    pub(super) fn row_of(&self, meta: FrameMeta, picture: InFilm) -> Option<FrameRow> {
        let packet = self.packets.get(&meta.at.as_ns().saturating_add(self.first_ns))?;
        Some(FrameRow {
            meta,
            offset: packet.offset,
            length: picture.jpeg_bytes.unwrap_or(packet.length),
            checksum: self.is_exact.then_some(picture.checksum),
        })
    }
}

/// Reads some pictures of the finished session again, in an order that jumps, and compares them with those that were scored.
/// `checksums`: of each picture, by the number of its frame; none if the session has a video of its own. An error continues a
/// sentence.
pub(super) fn check_pictures(folder: &Path, checksums: &[u32]) -> Result<(), String> {
    if checksums.is_empty() {
        return Ok(());
    }
    let file = SessionFile::open(folder).map_err(|e| e.to_string())?;
    let mut frames = FrameReader::open(&file).map_err(|e| e.to_string())?;
    let last = checksums.len() - 1;
    for k in (0..CHECKED_PICTURES).rev() {
        let number = last * k / (CHECKED_PICTURES - 1);
        let frame = frames.frame(&file, number as u64).map_err(|e| e.to_string())?;
        if picture_checksum(&frame.pixels) != checksums[number] {
            return Err(format!("frame {number} is another picture when it is decoded from its key frame"));
        }
    }
    Ok(())
}
