//! Scores the frames of one video file on several threads, and compresses them if the session does not keep the film.
//!
//! The tracker follows the face from frame to frame. It sees all frames in order, on the thread `film tracker`. The other networks and
//! the JPEG or the checksum of a frame depend on no other frame. The threads `film face 0` … take them in turn. They also read the colours of
//! the skin, which compression changes. The results are collected in the order of the file. They therefore do not depend on the
//! number of threads.

use std::sync::Arc;
use std::thread::{Builder, scope};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::RigError;
use super::affect_sink::uncompressed_skin;
use capture::Decoder;
use session::{Frame, Pixels, SharedFrame, Timestamp, skin};
use store::{JpegEncoder, StoreError};
use stored_frames::picture_checksum;
use vision::{FaceNetworks, OwnedPicture, Reading, Scored, SkinReader, Tracked, Vision, VisionError, decode_picture};

/// Raw frames that may wait for one thread `film face`. A 4K frame has 12 to 25 MB.
const RAW_AHEAD: usize = 1;
/// Compressed frames of one thread that may wait for their turn.
const COMPRESSED_AHEAD: usize = 4;
/// Frames and losses between the tracker and the collector.
const ITEMS_AHEAD: usize = 64;

/// An item of a video file, in its order.
pub(super) enum FilmItem<F> {
    Frame(F),
    /// Lost frames; 0 if their number is unknown.
    Lost {
        at: Timestamp,
        until: Timestamp,
        frames: u64,
        why: String,
    },
}

/// The networks for one video file at a time.
pub(super) struct FilmNetworks {
    pub(super) vision: Vision,
    /// One for each thread `film face`, at least one.
    pub(super) face: Vec<FaceNetworks>,
    pub(super) decoder: Decoder,
}

/// What becomes of the pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pictures {
    /// They are compressed for `video.mkv`.
    Compressed,
    /// The session keeps the film. Only their checksums are needed.
    InFilm,
}

/// A scored frame, and the colours of its skin before compression.
pub(super) struct FilmScored {
    pub(super) scored: Scored,
    pub(super) skin: Option<[f32; skin::FIELDS]>,
    /// If the film is kept. The frame then has no pixels any more.
    pub(super) in_film: Option<InFilm>,
}

/// How the picture of a frame is recognised in the film.
#[derive(Clone, Copy, Debug)]
pub(super) struct InFilm {
    pub(super) checksum: u32,
    /// `None`: the picture was decoded.
    pub(super) jpeg_bytes: Option<u64>,
}

impl InFilm {
    fn of(pixels: &Pixels) -> InFilm {
        let jpeg_bytes = if let Pixels::Jpeg(jpeg) = pixels { Some(jpeg.len() as u64) } else { None };
        InFilm { checksum: picture_checksum(pixels), jpeg_bytes }
    }
}

/// A frame whose face is found.
struct TrackedFrame {
    frame: SharedFrame,
    /// The picture that the networks read, and the face in it.
    tracked: Result<(OwnedPicture, Tracked), VisionError>,
}

impl FilmNetworks {
    /// Calls `next` on the thread `film tracker` until it returns `None`, and `collect` on this thread for each item, in order.
    /// The pixels of a compressed frame are raw if the compressor failed. An error of `collect` ends both.
    pub(super) fn run(
        &mut self,
        pictures: Pictures,
        mut next: impl FnMut() -> Option<FilmItem<SharedFrame>> + Send,
        mut collect: impl FnMut(FilmItem<FilmScored>) -> Result<(), RigError>,
    ) -> Result<(), RigError> {
        let FilmNetworks { vision, face, decoder } = self;
        vision.reset();
        scope(|scope| {
            let (mut to_face, mut from_face) = (Vec::new(), Vec::new());
            let mut threads = Vec::new();
            for (k, networks) in face.iter_mut().enumerate() {
                let (tracked_in, tracked) = bounded(RAW_AHEAD);
                let (scored_in, scored) = bounded(COMPRESSED_AHEAD);
                let encoder = (pictures == Pictures::Compressed).then(JpegEncoder::new).transpose();
                let encoder = encoder.map_err(|e| StoreError::Compressor(e.to_string()))?;
                let work = move || score_and_pack(&tracked, networks, encoder, &scored_in);
                threads.push(Builder::new().name(format!("film face {k}")).spawn_scoped(scope, work)?);
                to_face.push(tracked_in);
                from_face.push(scored);
            }
            let (order_in, order) = bounded(ITEMS_AHEAD);
            let track = move || {
                let mut turn = (0..to_face.len()).cycle();
                while let Some(item) = next() {
                    let is_taken = match item {
                        FilmItem::Lost { at, until, frames, why } => {
                            order_in.send(FilmItem::Lost { at, until, frames, why }).is_ok()
                        }
                        FilmItem::Frame(frame) => turn.next().is_some_and(|k| {
                            let tracked = track_frame(vision, decoder, &frame);
                            to_face[k].send(TrackedFrame { frame, tracked }).is_ok()
                                && order_in.send(FilmItem::Frame(k)).is_ok()
                        }),
                    };
                    if !is_taken {
                        return;
                    }
                }
            };
            threads.push(Builder::new().name("film tracker".into()).spawn_scoped(scope, track)?);
            let collected = order.iter().try_for_each(|item| match item {
                FilmItem::Lost { at, until, frames, why } => collect(FilmItem::Lost { at, until, frames, why }),
                FilmItem::Frame(k) => {
                    let scored = from_face[k].recv().map_err(|_| StoreError::ThreadDied("film face"))?;
                    collect(FilmItem::Frame(scored))
                }
            });
            // A thread that waits for room fails to send, and ends.
            drop((order, from_face));
            let ends: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
            collected?;
            if ends.iter().all(Result::is_ok) { Ok(()) } else { Err(StoreError::ThreadDied("film tracker").into()) }
        })
    }
}

fn track_frame(
    vision: &mut Vision,
    decoder: &mut Decoder,
    frame: &Frame,
) -> Result<(OwnedPicture, Tracked), VisionError> {
    let picture = decode_picture(frame, vision.colour(), decoder)
        .map_err(|why| VisionError::Decode { frame: frame.meta.number, why })?;
    let tracked = vision.track(picture.as_picture()?, frame.meta.at)?;
    Ok((picture, tracked))
}

/// `encoder`: `None` if the film is kept.
fn score_and_pack(
    frames: &Receiver<TrackedFrame>,
    networks: &mut FaceNetworks,
    mut encoder: Option<JpegEncoder>,
    to: &Sender<FilmScored>,
) {
    let mut skin_reader = SkinReader::default();
    for TrackedFrame { frame, tracked } in frames {
        let reading = tracked.and_then(|(picture, tracked)| read(picture, tracked, networks));
        let skin = reading.as_ref().ok().and_then(|reading| uncompressed_skin(&mut skin_reader, &frame, reading));
        let (frame, in_film) = match &mut encoder {
            Some(encoder) => (compressed(frame, encoder), None),
            None => (Arc::new(frame.with_pixels(Pixels::Grey(Vec::new()))), Some(InFilm::of(&frame.pixels))),
        };
        let scored = Scored { frame, reading, skipped_before: 0 };
        if to.send(FilmScored { scored, skin, in_film }).is_err() {
            return;
        }
    }
}

fn read(picture: OwnedPicture, tracked: Tracked, networks: &mut FaceNetworks) -> Result<Reading, VisionError> {
    tracked.read(networks, picture.as_picture()?)
}

fn compressed(frame: SharedFrame, encoder: &mut JpegEncoder) -> SharedFrame {
    match (&frame.pixels, encoder.encode(&frame)) {
        (Pixels::Jpeg(_), _) => frame,
        (_, Ok(jpeg)) => Arc::new(frame.with_pixels(Pixels::Jpeg(jpeg.to_vec()))),
        // The video thread gets the same error, counts the frame and stores the gap.
        (_, Err(_)) => frame,
    }
}
