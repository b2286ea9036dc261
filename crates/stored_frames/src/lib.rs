//! Reads the stored frames of a session: JPEGs from `video.mkv`, or pictures of the film that the session keeps.
//!
//! All readers of pictures use [`FrameReader`]: review, scoring, colours of the skin, the server. It returns the picture that was
//! stored, or an error. It never returns another picture.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

use capture::{FilmDecoding, FilmFrames, ReadPacket};
use session::{Frame, FrameMeta, Pixels, Timestamp};
use store::{CompressError, FilmFile, FrameRow, JpegEncoder, SessionFile, StoreError, checksum_of};

#[derive(Debug, Error)]
pub enum FrameError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Compress(#[from] CompressError),
    #[error("the index of the film {0} is damaged: `affectograph verify` lists what is still readable")]
    Index(PathBuf),
    #[error("the picture of frame {number} ({at}) of the film {path} cannot be shown: {why}")]
    Film { number: u64, at: Timestamp, path: PathBuf, why: String },
}

/// Reads frames in any order. Frames in their order are faster.
pub struct FrameReader {
    size_px: (u32, u32),
    source: Source,
}

enum Source {
    Jpegs,
    Film(Box<FilmSource>),
}

struct FilmSource {
    path: PathBuf,
    /// The packet at each place.
    packets: HashMap<u64, usize>,
    frames: FilmFrames,
}

impl FrameReader {
    pub fn open(file: &SessionFile) -> Result<FrameReader, FrameError> {
        let camera = &file.header().camera;
        let size_px = (camera.width_px, camera.height_px);
        let Some(film) = file.film()? else { return Ok(FrameReader { size_px, source: Source::Jpegs }) };
        let Some(decoding) = film.decoding.as_deref() else {
            return Ok(FrameReader { size_px, source: Source::Jpegs });
        };
        let path = film.path(file.folder());
        let decoding = FilmDecoding::from_json(decoding, film.head.clone()).ok();
        let packets = file.film_packets()?;
        let places = packets.iter().enumerate().map(|(k, packet)| (packet.offset, k)).collect();
        let bytes = FilmFile::new(&film, file.folder());
        let read: ReadPacket = Arc::new(move |packet| bytes.packet(packet).map_err(|e| e.to_string()));
        let frames = decoding.and_then(|decoding| FilmFrames::new(decoding, packets.into(), read));
        let frames = frames.ok_or_else(|| FrameError::Index(path.clone()))?;
        Ok(FrameReader { size_px, source: Source::Film(Box::new(FilmSource { path, packets: places, frames })) })
    }

    pub fn frame(&mut self, file: &SessionFile, number: u64) -> Result<Frame, FrameError> {
        let row = file.frames()?.get(number).copied();
        let row = row.ok_or_else(|| StoreError::NoFrame { number, path: file.folder().to_owned() })?;
        self.frame_of(file, &row)
    }

    /// The same for a row that the caller has.
    pub fn frame_of(&mut self, file: &SessionFile, row: &FrameRow) -> Result<Frame, FrameError> {
        let pixels = match &mut self.source {
            Source::Jpegs => Pixels::Jpeg(file.picture_of(row)?),
            Source::Film(film) => film.picture(row)?,
        };
        let (width_px, height_px) = self.size_px;
        Ok(Frame { meta: row.meta, width_px, height_px, pixels })
    }

    /// The frame as a JPEG.
    pub fn jpeg_of(&mut self, file: &SessionFile, row: &FrameRow) -> Result<Vec<u8>, FrameError> {
        let frame = self.frame_of(file, row)?;
        Ok(match frame.pixels {
            Pixels::Jpeg(bytes) => bytes,
            _ => JpegEncoder::new()?.encode(&frame)?.to_vec(),
        })
    }
}

impl FilmSource {
    fn picture(&mut self, row: &FrameRow) -> Result<Pixels, FrameError> {
        let packet = self.packets.get(&row.offset).copied().ok_or_else(|| FrameError::Index(self.path.clone()))?;
        let pixels = self.frames.picture(packet).map_err(|why| self.cannot(row.meta, why))?;
        if row.checksum.is_some_and(|sum| sum != picture_checksum(&pixels)) {
            let why = "FFmpeg decodes another picture than at the import".to_owned();
            return Err(self.cannot(row.meta, why));
        }
        Ok(pixels)
    }

    fn cannot(&self, meta: FrameMeta, why: String) -> FrameError {
        FrameError::Film { number: meta.number, at: meta.at, path: self.path.clone(), why }
    }
}

/// The checksum of a frame in a film: of its decoded picture, or of its JPEG.
pub fn picture_checksum(pixels: &Pixels) -> u32 {
    checksum_of(pixels.bytes())
}
