//! Single pictures of a film that a session keeps, at any place and in any order.
//!
//! FFmpeg runs in a process of its own and reads packets from its standard input: Matroska that this file writes, from a key
//! frame on. FFmpeg never opens the film. Its container and its seeking therefore play no role, and each packet was compared
//! with its checksum before. A second process waits with its libraries loaded, because starting one takes longer than
//! decoding some pictures. Pictures that were decoded on the way are kept, up to a bound.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::file_camera::FileCamera;
use super::file_video::FileVideo;
use super::film_reader::FromFile;
use session::{FilmOrder, FilmPacket, Pixels};

/// How FFmpeg decodes the packets of a film.
#[derive(Clone, Debug, PartialEq)]
pub struct FilmDecoding {
    pub(super) video: FileVideo,
    /// Matroska up to the first cluster: codec, its parameters, colour.
    pub(super) head: Vec<u8>,
}

impl FilmDecoding {
    /// The form in which a session stores it, without the head.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&self.video)
    }

    pub fn head(&self) -> &[u8] {
        &self.head
    }

    pub fn from_json(json: &str, head: Vec<u8>) -> serde_json::Result<FilmDecoding> {
        Ok(FilmDecoding { video: serde_json::from_str(json)?, head })
    }

    /// Every decoder must give the same bytes.
    pub fn is_exact(&self) -> bool {
        self.video.is_exact
    }
}

/// Reads a packet and compares it with its checksum. An error is a sentence.
pub type ReadPacket = Arc<dyn Fn(&FilmPacket) -> Result<Vec<u8>, String> + Send + Sync>;

/// Bytes of decoded pictures that are kept.
const CACHE_BYTES: usize = 96 << 20;
/// Going on with the running process is as fast as a new start if the picture is at most this far ahead.
const REACH: usize = 8;
/// A decoder without output for this time has failed.
const DECODER_LIMIT: Duration = Duration::from_secs(20);
/// Pictures are numbered in the order of display. FFmpeg gets these numbers as times with this distance, because it warns of
/// times that are closer than the frame rate of the film.
const MS_PER_RANK: u64 = 100;
const NS_PER_RANK: i64 = MS_PER_RANK as i64 * 1_000_000;

pub struct FilmFrames {
    film: Arc<Film>,
    decoding: Option<Decoder>,
    spare: Option<Decoder>,
    cache: Cache,
}

struct Film {
    decoding: FilmDecoding,
    packets: Arc<[FilmPacket]>,
    order: FilmOrder,
    read: ReadPacket,
}

impl FilmFrames {
    /// `None` if the packets have no clear order.
    pub fn new(decoding: FilmDecoding, packets: Arc<[FilmPacket]>, read: ReadPacket) -> Option<FilmFrames> {
        let order = FilmOrder::of(&packets)?;
        let film = Arc::new(Film { decoding, packets, order, read });
        Some(FilmFrames { film, decoding: None, spare: None, cache: Cache::default() })
    }

    /// The picture of a packet. An error is the end of a sentence about the picture.
    pub fn picture(&mut self, packet: usize) -> Result<Pixels, String> {
        let rank = self.film.order.rank(packet).ok_or("the film's index has no such packet")?;
        if let Some(pixels) = self.cache.get(rank) {
            return Ok(pixels);
        }
        let mut start = self.film.order.start_for(packet);
        let start_rank = self.film.order.rank(start).unwrap_or_default();
        let is_near = |next: usize| next <= rank && (start_rank <= next || rank - next <= REACH);
        if self.decoding.as_ref().is_some_and(|decoder| is_near(decoder.next_rank)) {
            match self.read_until(rank) {
                Ok(Found::Picture(pixels)) => return Ok(pixels),
                Ok(Found::NotShown(_)) => {}
                Err(why) => return Err(why),
            }
        }
        // An earlier start helps if a stream declares a key frame from which not every later picture can be decoded.
        let mut starts = [self.film.order.key_before(start), Some(0)].into_iter().flatten();
        loop {
            self.start(start)?;
            let why = match self.read_until(rank)? {
                Found::Picture(pixels) => return Ok(pixels),
                Found::NotShown(why) => why,
            };
            match starts.find(|earlier| *earlier < start) {
                Some(earlier) => start = earlier,
                None => return Err(why),
            }
        }
    }

    /// Starts to decode at a key packet, with the process that waits.
    fn start(&mut self, key: usize) -> Result<(), String> {
        self.decoding = None;
        let mut decoder = match self.spare.take() {
            Some(spare) => spare,
            None => Decoder::launch(&self.film)?,
        };
        decoder.start(key);
        decoder.next_rank = self.film.order.rank(key).unwrap_or_default();
        self.decoding = Some(decoder);
        self.spare = Some(Decoder::launch(&self.film)?);
        Ok(())
    }

    /// Reads pictures up to the one with `rank`, and keeps them.
    fn read_until(&mut self, rank: usize) -> Result<Found, String> {
        let Some(decoder) = &mut self.decoding else { return Ok(Found::NotShown("FFmpeg does not run".to_owned())) };
        let read = loop {
            let (shown, pixels) = match decoder.read()? {
                FromFile::Frame { ns, pixels } => (rank_of(ns), pixels),
                FromFile::Damaged { ns, why } if rank_of(ns) == rank => break Found::NotShown(why),
                FromFile::Damaged { .. } | FromFile::Missing { .. } => continue,
                FromFile::End => break Found::NotShown("FFmpeg decoded no picture of it".to_owned()),
                FromFile::Failed(e) => break Found::NotShown(e.to_string()),
            };
            decoder.next_rank = shown + 1;
            if shown > rank {
                self.cache.keep(shown, pixels);
                break Found::NotShown("FFmpeg decoded no picture of it".to_owned());
            }
            self.cache.keep(shown, pixels);
            if shown == rank {
                break self.cache.get(rank).map_or(Found::NotShown("it is too large".to_owned()), Found::Picture);
            }
        };
        if let Found::NotShown(_) = read {
            let failed = decoder.failed.get().cloned();
            self.decoding = None;
            // A packet that is not the stored one explains everything that follows.
            if let Some(why) = failed {
                return Err(why);
            }
        }
        Ok(read)
    }
}

/// The result of reading up to a picture.
enum Found {
    Picture(Pixels),
    NotShown(String),
}

fn rank_of(ns: i64) -> usize {
    usize::try_from(ns / NS_PER_RANK).unwrap_or(usize::MAX)
}

/// A process of FFmpeg. The fields are dropped in this order: the bytes must end before the camera.
struct Decoder {
    start: Option<Sender<usize>>,
    /// Why a packet could not be read.
    failed: Arc<OnceLock<String>>,
    camera: FileCamera,
    /// The picture that is expected next.
    next_rank: usize,
}

impl Decoder {
    /// The process gets the head of the stream and waits.
    fn launch(film: &Arc<Film>) -> Result<Decoder, String> {
        let (start, started) = bounded(1);
        let failed = Arc::new(OnceLock::new());
        let feed = PacketFeed {
            film: film.clone(),
            started,
            failed: failed.clone(),
            next: None,
            waiting: film.decoding.head.clone(),
            taken: 0,
        };
        let camera = FileCamera::of_packets(&film.decoding.video, feed).map_err(|e| e.to_string())?;
        Ok(Decoder { start: Some(start), failed, camera, next_rank: 0 })
    }

    fn start(&mut self, key: usize) {
        if let Some(start) = self.start.take() {
            // If the process has ended, reading its pictures reports that.
            start.send(key).ok();
        }
    }

    fn read(&mut self) -> Result<FromFile, String> {
        let asked = Instant::now();
        self.camera
            .read(DECODER_LIMIT)
            .ok_or_else(|| format!("FFmpeg delivered no picture for {} s", asked.elapsed().as_secs()))
    }
}

/// The stream for one process: the head, and the packets from a key frame on.
struct PacketFeed {
    film: Arc<Film>,
    started: Receiver<usize>,
    failed: Arc<OnceLock<String>>,
    next: Option<usize>,
    waiting: Vec<u8>,
    taken: usize,
}

impl PacketFeed {
    /// Puts the next packet into `waiting`. `None` at the end.
    fn packet(&mut self) -> Option<()> {
        let next = match self.next {
            Some(next) => next,
            // An error means that nobody wants pictures of this process any more.
            None => self.started.recv().ok()?,
        };
        self.next = Some(next + 1);
        let packet = self.film.packets.get(next)?;
        let bytes = match (self.film.read)(packet) {
            Ok(bytes) => bytes,
            Err(why) => {
                self.failed.set(why).ok();
                return None;
            }
        };
        let rank = self.film.order.rank(next)? as u64;
        self.waiting.clear();
        put_cluster(&mut self.waiting, rank, packet.is_key, &bytes);
        self.taken = 0;
        Some(())
    }
}

impl Read for PacketFeed {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.taken == self.waiting.len() && self.packet().is_none() {
            return Ok(0);
        }
        let n = to.len().min(self.waiting.len() - self.taken);
        to[..n].copy_from_slice(&self.waiting[self.taken..self.taken + n]);
        self.taken += n;
        Ok(n)
    }
}

/// A cluster of Matroska with one packet of track 1, in ticks of 1 ms.
fn put_cluster(to: &mut Vec<u8>, rank: u64, is_key: bool, packet: &[u8]) {
    const TIME_BYTES: u64 = 2 + 8;
    const BLOCK_HEAD_BYTES: u64 = 1 + 8 + 4;
    let size = |bytes: u64| (bytes | 1 << 56).to_be_bytes();
    to.extend(0x1f43_b675_u32.to_be_bytes());
    to.extend(size(TIME_BYTES + BLOCK_HEAD_BYTES + packet.len() as u64));
    to.extend([0xe7, 0x88]);
    to.extend((rank * MS_PER_RANK).to_be_bytes());
    to.push(0xa3);
    to.extend(size(4 + packet.len() as u64));
    to.extend([0x81, 0, 0, if is_key { 0x80 } else { 0 }]);
    to.extend(packet);
}

/// The newest decoded pictures.
#[derive(Default)]
struct Cache {
    pictures: VecDeque<(usize, Pixels)>,
    bytes: usize,
}

impl Cache {
    fn get(&self, rank: usize) -> Option<Pixels> {
        self.pictures.iter().find(|(kept, _)| *kept == rank).map(|(_, pixels)| pixels.clone())
    }

    /// The newest picture is kept, whatever its size.
    fn keep(&mut self, rank: usize, pixels: Pixels) {
        if self.pictures.iter().any(|(kept, _)| *kept == rank) {
            return;
        }
        self.bytes += pixels.bytes().len();
        self.pictures.push_back((rank, pixels));
        while self.bytes > CACHE_BYTES && self.pictures.len() > 1 {
            if let Some((_, oldest)) = self.pictures.pop_front() {
                self.bytes -= oldest.bytes().len();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cache_is_bounded_and_keeps_the_newest() {
        let mut cache = Cache::default();
        for rank in 0..5 {
            cache.keep(rank, Pixels::Grey(vec![rank as u8; CACHE_BYTES / 2]));
        }
        assert!(cache.get(2).is_none() && cache.bytes <= CACHE_BYTES);
        let Some(Pixels::Grey(bytes)) = cache.get(4) else { panic!("the newest is kept") };
        assert_eq!(bytes[0], 4);
        cache.keep(9, Pixels::Grey(vec![0; CACHE_BYTES + 1]));
        assert!(cache.get(9).is_some() && cache.pictures.len() == 1);
    }
}
