//! Compresses the video of a finished session again, with pictures that depend on each other or without loss.
//!
//! The new video is written beside the old one. Its stamps, its packets and its pictures are compared with the session before one
//! transaction makes it the session's video. The old video is removed after that. A kill or a cancellation leaves one of both.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, scope};
use std::time::{Duration, Instant};

use chrono::Utc;
use serde_json::json;

use super::compact_error::CompactError;
use super::picture_quality::{PictureQuality, QualityOfVideo, SMALLEST_SSIM, SMALLEST_SSIM_OF_A_PICTURE, likeness};
use capture::{
    Decoder, EncoderInput, FilmDecoding, FilmFrames, PacketReader, PictureWriter, ReadPacket, SampledPlanes, Sampling,
    VideoEncoder, describe_film, encoder_options, encoder_program, planes_of_jpeg, to_grey,
};
use session::{
    Body, COMPACTED_KIND, COMPACTION, EncodedVideo, FilmPacket, Frame, Pixels, Timestamp, VideoCodec, compaction_stream,
};
use store::{
    AddedStreams, AdditionLock, Film, FilmFile, FilmWriter, Finding, FrameRow, SessionFile, compare_film, place_film,
    recorded_video, remove_recorded_video, remove_unfinished, unfinished_file, verify,
};
use stored_frames::picture_checksum;

/// What to compress, and how.
#[derive(Clone, Debug)]
pub struct Compaction {
    pub folder: PathBuf,
    pub video: EncodedVideo,
    /// Keeps `video.mkv` beside the new video. Running again without it removes the old one.
    pub keeps_original: bool,
    /// Takes pictures of any quality.
    pub accepts_quality: bool,
    /// Stored with the added stream.
    pub author: String,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Compacted {
    Done(CompactedVideo),
    /// The session was compacted before. `removed`: a kept `video.mkv` was removed now.
    Before {
        removed: bool,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct CompactedVideo {
    pub frames: u64,
    pub bytes_before: u64,
    pub bytes_after: u64,
    pub quality: PictureQuality,
    /// Its name in the session's folder.
    pub file: String,
}

/// A moment of the work, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompactStep {
    /// Pictures that were compressed, and all.
    Compressing(u64, u64),
    /// Pictures that were compared with the old ones, and all.
    Comparing(u64, u64),
    /// The new video has its name. The session still has the old one.
    Placed,
    /// The session has the new video. The old one is still there.
    Replaced,
}

/// The new video, compared with the old one.
struct NewVideo {
    decoding: FilmDecoding,
    packets: Vec<FilmPacket>,
    /// The frames with their new places.
    frames: Vec<FrameRow>,
    quality: PictureQuality,
    options: String,
}

impl Compaction {
    /// An error or a cancellation leaves the session as it was.
    pub fn run(&self, cancelled: &AtomicBool, mut step: impl FnMut(CompactStep)) -> Result<Compacted, CompactError> {
        // The lock is held from the start, so that the session does not change. Its file is opened for writing when the new video is
        // ready.
        let lock = AdditionLock::take(&self.folder, Duration::ZERO)?;
        let done = self.locked(lock, cancelled, &mut step);
        // A terminal sends Ctrl-C to FFmpeg, too, which may end first.
        match done {
            Err(_) if cancelled.load(Ordering::Relaxed) => Err(CompactError::Cancelled),
            done => done,
        }
    }

    fn locked(
        &self,
        lock: AdditionLock,
        cancelled: &AtomicBool,
        step: &mut impl FnMut(CompactStep),
    ) -> Result<Compacted, CompactError> {
        let file = SessionFile::open(&self.folder)?;
        if file.film()?.is_some() {
            let is_compacted = file.streams().iter().any(|stream| stream.name.as_str() == COMPACTION);
            if !is_compacted {
                return Err(CompactError::KeepsFilm);
            }
            drop(file);
            // A killed run may have left its changes in the write-ahead log. Closing merges them.
            let added = lock.added_streams()?;
            let removed = if self.keeps_original { Ok(false) } else { remove_recorded_video(&self.folder) };
            added.close()?;
            let removed = removed?;
            return Ok(Compacted::Before { removed });
        }
        remove_unfinished(&self.folder)?;
        let mut lock = Some(lock);
        let done = self.compact(file, &mut lock, cancelled, step);
        if done.is_err() && lock.is_some() {
            // The reason of the failure is worth more than that of the cleaning.
            remove_unfinished(&self.folder).ok();
        }
        done.map(Compacted::Done)
    }

    fn compact(
        &self,
        file: SessionFile,
        lock: &mut Option<AdditionLock>,
        cancelled: &AtomicBool,
        step: &mut impl FnMut(CompactStep),
    ) -> Result<CompactedVideo, CompactError> {
        self.check_session(&file)?;
        let started = Instant::now();
        let new = self.new_video(&file, cancelled, step)?;
        let before = recorded_video(&self.folder);
        let bytes_before = std::fs::metadata(&before).map_err(CompactError::io("look at", &before))?.len();
        let taken = lock.take().ok_or(CompactError::ThreadDied)?;
        let mut added = taken.added_streams()?;
        let replaced = self.replace(&mut added, &file, &new, (bytes_before, started), step);
        drop(file);
        let cleaned = match &replaced {
            Err(_) => remove_unfinished(&self.folder),
            Ok(_) => {
                step(CompactStep::Replaced);
                if self.keeps_original { Ok(()) } else { remove_recorded_video(&self.folder).map(drop) }
            }
        };
        added.close()?;
        let film = replaced?;
        cleaned?;
        let (frames, quality) = (new.frames.len() as u64, new.quality);
        let name = film.file.clone().unwrap_or_default();
        Ok(CompactedVideo { frames, bytes_before, bytes_after: film.bytes, quality, file: name })
    }

    fn check_session(&self, file: &SessionFile) -> Result<(), CompactError> {
        let frames = file.frames()?.rows();
        if frames.is_empty() {
            return Err(CompactError::NoVideo);
        }
        let camera = &file.header().camera;
        let (width_px, height_px) = (camera.width_px, camera.height_px);
        if !width_px.is_multiple_of(2) || !height_px.is_multiple_of(2) {
            return Err(CompactError::OddSize { width_px, height_px });
        }
        let findings = verify(&self.folder)?.findings;
        match findings.iter().find(|finding| Finding::is_damage(finding)) {
            Some(finding) => Err(CompactError::Damaged(finding.to_string())),
            None => Ok(()),
        }
    }

    fn new_video(
        &self,
        file: &SessionFile,
        cancelled: &AtomicBool,
        step: &mut impl FnMut(CompactStep),
    ) -> Result<NewVideo, CompactError> {
        let rows = file.frames()?.rows();
        let path = unfinished_file(&self.folder, self.video.codec);
        let (packets, options) = self.compress(file, &path, cancelled, step)?;
        compare_film(&path, rows, &packets)?.map_err(CompactError::Differs)?;
        let (decoding, listed) = describe_film(&path)?;
        // FFmpeg finds the same packets in the same order.
        let same =
            |(a, b): (&FilmPacket, &FilmPacket)| (a.length, a.checksum, a.is_key) == (b.length, b.checksum, b.is_key);
        if listed.len() != packets.len() || !listed.iter().zip(&packets).all(same) {
            let why = format!("FFmpeg lists {} packets of it, and {} were written", listed.len(), packets.len());
            return Err(CompactError::Differs(why));
        }
        let (frames, quality) = compare_pictures(file, &path, (&decoding, &packets), cancelled, step)?;
        let is_good = quality.ssim_mean >= SMALLEST_SSIM && quality.ssim_worst >= SMALLEST_SSIM_OF_A_PICTURE;
        if !is_good && !self.accepts_quality {
            return Err(CompactError::Quality(quality));
        }
        Ok(NewVideo { decoding, packets, frames, quality, options })
    }

    /// Writes the new video. Returns its packets and the settings of the encoder.
    fn compress(
        &self,
        file: &SessionFile,
        path: &Path,
        cancelled: &AtomicBool,
        step: &mut impl FnMut(CompactStep),
    ) -> Result<(Vec<FilmPacket>, String), CompactError> {
        let rows = file.frames()?.rows();
        let camera = &file.header().camera;
        let codec = self.video.codec;
        let mut decoder = Decoder::default();
        let sampling = planes(file, &rows[0], codec, &mut decoder)?.sampling;
        let input =
            EncoderInput { width_px: camera.width_px, height_px: camera.height_px, sampling, rate_hz: camera.rate_hz };
        let VideoEncoder { pictures, packets } = VideoEncoder::start(&self.video, input)?;
        let written = scope(|threads| {
            let folder = &self.folder;
            let feed = move || feed(folder, (codec, sampling), pictures, cancelled);
            let fed = Builder::new().name("compact pictures".into()).spawn_scoped(threads, feed);
            let fed = fed.map_err(|e| CompactError::io("start the thread", Path::new("compact pictures"))(e))?;
            let written = write_packets(path, rows, packets, step);
            match fed.join() {
                Err(_) => Err(CompactError::ThreadDied),
                // FFmpeg's reason explains why it takes no more pictures.
                Ok(Err(CompactError::EncoderEnded)) => Err(written.err().unwrap_or(CompactError::EncoderEnded)),
                Ok(Err(why)) => Err(why),
                Ok(Ok(())) => written,
            }
        })?;
        Ok((written, encoder_options(&self.video, input.rate_hz).join(" ")))
    }

    fn replace(
        &self,
        added: &mut AddedStreams,
        file: &SessionFile,
        new: &NewVideo,
        (bytes_before, started): (u64, Instant),
        step: &mut impl FnMut(CompactStep),
    ) -> Result<Film, CompactError> {
        let json = new.decoding.to_json().map_err(std::io::Error::other);
        let json = json.map_err(CompactError::io("describe", &self.folder))?;
        let film = place_film(&self.folder, self.video.codec, (json, new.decoding.head().to_vec()))?;
        step(CompactStep::Placed);
        let q = &new.quality;
        let data = json!({
            "format": self.video.codec, "file": film.file, "encoder": encoder_program()?, "options": new.options,
            "bytes_before": bytes_before, "bytes_after": film.bytes, "frames": new.frames.len(),
            "psnr_mean_db": rounded(q.psnr_mean_db), "psnr_worst_db": rounded(q.psnr_worst_db),
            "ssim_mean": rounded(q.ssim_mean), "ssim_worst": rounded(q.ssim_worst), "worst_frame": q.worst_frame,
            "made_utc": Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
            "seconds": rounded(started.elapsed().as_secs_f64()),
        });
        let end = file.frames()?.times().last().copied().unwrap_or(Timestamp::ZERO);
        added.force_commits()?;
        let mut draft = added.draft()?;
        draft.add_stream(&compaction_stream(), &self.author)?;
        draft.append(COMPACTION, vec![(end, Body::event(COMPACTED_KIND, data))])?;
        draft.replace_video(&film, &new.packets, &new.frames)?;
        draft.commit()?;
        Ok(film)
    }
}

fn rounded(value: f64) -> f64 {
    (value * 1e5).round() / 1e5
}

/// The planes of a stored picture for the encoder.
fn planes(
    file: &SessionFile,
    row: &FrameRow,
    codec: VideoCodec,
    decoder: &mut Decoder,
) -> Result<SampledPlanes, CompactError> {
    let planes = planes_of_jpeg(&jpeg_frame(file, row)?, decoder)?;
    Ok(match codec {
        // Every decoder reads 4:2:0.
        VideoCodec::H264 => planes.into_quarter(),
        // The reader of the session's pictures keeps 4:2:0 and 4:2:2.
        VideoCodec::Ffv1 if matches!(planes.sampling, Sampling::Quarter | Sampling::Half) => planes,
        VideoCodec::Ffv1 => return Err(CompactError::Sampling),
    })
}

fn jpeg_frame(file: &SessionFile, row: &FrameRow) -> Result<Frame, CompactError> {
    let camera = &file.header().camera;
    let pixels = Pixels::Jpeg(file.picture_of(row)?);
    Ok(Frame { meta: row.meta, width_px: camera.width_px, height_px: camera.height_px, pixels })
}

/// Gives all pictures to FFmpeg. Runs on its own thread, which needs a connection to the session of its own.
fn feed(
    folder: &Path,
    (codec, sampling): (VideoCodec, Sampling),
    mut pictures: PictureWriter,
    cancelled: &AtomicBool,
) -> Result<(), CompactError> {
    let file = SessionFile::open(folder)?;
    let mut decoder = Decoder::default();
    for row in file.frames()?.rows() {
        if cancelled.load(Ordering::Relaxed) {
            return Err(CompactError::Cancelled);
        }
        let planes = planes(&file, row, codec, &mut decoder)?;
        if planes.sampling != sampling {
            return Err(CompactError::Sampling);
        }
        pictures.write(&planes.bytes).map_err(|_| CompactError::EncoderEnded)?;
    }
    Ok(())
}

fn write_packets(
    path: &Path,
    rows: &[FrameRow],
    mut packets: PacketReader,
    step: &mut impl FnMut(CompactStep),
) -> Result<Vec<FilmPacket>, CompactError> {
    let all = rows.len() as u64;
    let mut writer = None;
    let mut rows = rows.iter();
    let mut done = 0;
    while let Some(packet) = packets.read().map_err(CompactError::Encoder)? {
        let row =
            rows.next().ok_or_else(|| CompactError::Encoder("FFmpeg wrote more packets than pictures".to_owned()))?;
        let writer = match &mut writer {
            Some(writer) => writer,
            none => none.insert(FilmWriter::create(path, packets.head())?),
        };
        writer.append(row.meta, &packet.bytes, packet.is_key)?;
        done += 1;
        step(CompactStep::Compressing(done, all));
    }
    let writer = writer.ok_or_else(|| CompactError::Encoder("FFmpeg wrote no packet".to_owned()))?;
    Ok(writer.finish()?)
}

/// Decodes every new picture and compares its luma with that of the old one. Returns the frames with their new places.
fn compare_pictures(
    file: &SessionFile,
    path: &Path,
    (decoding, packets): (&FilmDecoding, &[FilmPacket]),
    cancelled: &AtomicBool,
    step: &mut impl FnMut(CompactStep),
) -> Result<(Vec<FrameRow>, PictureQuality), CompactError> {
    let film = FilmFile::at(path);
    let read: ReadPacket = Arc::new(move |packet| film.packet(packet).map_err(|e| e.to_string()));
    let frames = FilmFrames::new(decoding.clone(), packets.into(), read);
    let mut frames = frames.ok_or_else(|| CompactError::Differs("it does not begin with a key frame".to_owned()))?;
    let rows = file.frames()?.rows();
    let (mut decoder, mut quality) = (Decoder::default(), QualityOfVideo::default());
    let mut placed = Vec::with_capacity(rows.len());
    for (k, (row, packet)) in rows.iter().zip(packets).enumerate() {
        if cancelled.load(Ordering::Relaxed) {
            return Err(CompactError::Cancelled);
        }
        let before = jpeg_frame(file, row)?;
        let pixels = frames.picture(k).map_err(|why| CompactError::Picture { number: row.meta.number, why })?;
        let checksum = decoding.is_exact().then(|| picture_checksum(&pixels));
        let after = before.with_pixels(pixels);
        let luma = [&before, &after].map(|frame| to_grey(frame, &mut decoder));
        let [before, after] = luma;
        let (before, after) = (before?, after?);
        quality.add(row.meta.number, likeness(&before.pixels, &after.pixels, before.width_px as usize));
        decoder.reuse(before.pixels);
        decoder.reuse(after.pixels);
        placed.push(FrameRow { offset: packet.offset, length: packet.length, checksum, ..*row });
        step(CompactStep::Comparing(k as u64 + 1, rows.len() as u64));
    }
    let quality = quality.quality().ok_or(CompactError::NoVideo)?;
    Ok((placed, quality))
}
