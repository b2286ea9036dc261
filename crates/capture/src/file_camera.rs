//! A video file as a camera: every frame of it once, at its own time laid onto the session's clock, and everything that
//! is missing from it said.
//!
//! It delivers as fast as it is asked; who wants it at its own pace waits ([`super::Pace`]).

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::container_end::missing_end;
use super::ffmpeg::{self, Call};
use super::ffprobe::{self, FileVideo, Packet};
use super::film_reader::{FilmReader, FromFile, listen};
use super::{Camera, CameraError, CameraInfo, CameraKind, Captured, CapturedFrame, Mode, PixelFormat};
use session::{Clock, TimeSource, Timestamp};

pub struct FileCamera {
    info: CameraInfo,
    clock: Clock,
    /// The session's time of the file's first frame, and that frame's own time.
    start: Option<(Timestamp, i64)>,
    /// Handed on so far.
    frames: u64,
    /// The first frame is fetched at opening: whether a file can be decoded is known only then.
    first: Option<FromFile>,
    pictures: Option<Receiver<FromFile>>,
    child: Child,
    threads: Vec<JoinHandle<()>>,
}

/// Decoded ahead, so that FFmpeg's work and ours overlap.
const AHEAD: usize = 4;
/// From a slow disk, over a long start without pictures; a file made to keep FFmpeg busy is given up behind it.
const FIRST_PICTURE: Duration = Duration::from_secs(30);
/// FFmpeg names a frame before it writes it and is at most some dozens ahead.
const TIMES_AHEAD: usize = 4096;

/// Where the pictures come from.
struct Source {
    video: FileVideo,
    call: Call,
    /// The file's JPEGs are taken as they are, and this is how long each is.
    packets: Option<Vec<Packet>>,
    /// What a growing file is read from; `None` for one that is whole.
    feed: Option<Box<dyn Read + Send>>,
    cut: Option<String>,
}

impl FileCamera {
    pub fn open(path: &Path, clock: &Clock) -> Result<Self, CameraError> {
        let video = ffprobe::probe(path)?;
        let cut = missing_end(path).map_err(|source| CameraError::FileUnreadable { path: path.into(), source })?;
        if video.is_plain_mjpeg {
            let packets = Some(ffprobe::packets(&video)?);
            let call = ffmpeg::copier(&video);
            let source = Source { video: video.clone(), call, packets, feed: None, cut: cut.clone() };
            let copied = Self::start(source, clock)?;
            // Some files call other things MJPEG; those are decoded as every other codec.
            if matches!(copied.first, Some(FromFile::Frame { .. })) {
                return Ok(copied);
            }
        }
        let call = ffmpeg::decoder(&video)?;
        let mut camera = Self::start(Source { video, call, packets: None, feed: None, cut }, clock)?;
        match camera.first.take() {
            Some(FromFile::Failed(e)) => Err(e),
            Some(FromFile::End) => {
                Err(CameraError::NotAVideo { path: path.into(), why: "it holds no picture that can be decoded".into() })
            }
            first => {
                camera.first = first;
                Ok(camera)
            }
        }
    }

    /// A file that is still growing: `head` holds its beginning, `bytes` gives all of it and waits for what is still
    /// to come. Whoever drops the camera makes `bytes` end first.
    pub fn follow(head: &Path, bytes: impl Read + Send + 'static, clock: &Clock) -> Result<Self, CameraError> {
        // What the beginning says of the whole was written before there was one.
        let video = FileVideo { declared_s: None, ..ffprobe::probe(head)? };
        let call = ffmpeg::pipe_decoder(&video)?;
        Self::start(Source { video, call, packets: None, feed: Some(Box::new(bytes)), cut: None }, clock)
    }

    fn start(source: Source, clock: &Clock) -> Result<Self, CameraError> {
        let Source { video, mut call, packets, feed, cut } = source;
        let format = if packets.is_some() { PixelFormat::Mjpeg } else { PixelFormat::Rgb };
        let expected = packets.as_ref().map(|p| p.len() as u64).or(video.expected_frames);
        let is_growing = feed.is_some();
        call.command.stdin(if is_growing { Stdio::piped() } else { Stdio::null() });
        call.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = call.command.spawn().map_err(|e| ffmpeg::not_run("ffmpeg", e))?;
        let to_child = child.stdin.take();
        let (Some(output), Some(messages)) = (child.stdout.take(), child.stderr.take()) else {
            // Both were asked for above.
            return Err(CameraError::NoFfmpeg { program: "ffmpeg" });
        };
        let (notes_in, notes) = bounded(TIMES_AHEAD);
        let faults = Arc::new(OnceLock::new());
        let (pictures_in, pictures) = bounded(AHEAD);
        let mut camera = FileCamera {
            info: info(&video, format, expected),
            clock: *clock,
            start: None,
            frames: 0,
            first: None,
            pictures: Some(pictures),
            child,
            threads: Vec::new(),
        };
        // From here on dropping `camera` ends the child and with it the threads.
        if let (Some(mut feed), Some(mut to_child)) = (feed, to_child) {
            // A child that is gone, or a file that cannot be read on, shows itself as the end of the pictures.
            camera.spawn("file bytes", move || drop(std::io::copy(&mut feed, &mut to_child)))?;
        }
        let (listened, listened_to) = (faults.clone(), video.clone());
        camera.spawn("file messages", move || listen(messages, &listened_to, &notes_in, &listened))?;
        let path = video.path.clone();
        let mut reader = FilmReader::new(video, output, notes, faults, pictures_in, call.told_ahead);
        (reader.cut, reader.is_growing) = (cut, is_growing);
        camera.spawn("file pictures", move || match packets {
            Some(packets) => reader.copy(&packets),
            None => reader.decode(),
        })?;
        camera.first = camera.pictures.as_ref().and_then(|p| p.recv_timeout(FIRST_PICTURE).ok());
        if camera.first.is_none() {
            let why = format!("FFmpeg found no picture in it within {} s", FIRST_PICTURE.as_secs());
            return Err(CameraError::NotAVideo { path, why });
        }
        Ok(camera)
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), CameraError> {
        self.threads.push(thread::Builder::new().name(name.into()).spawn(work).map_err(CameraError::Thread)?);
        Ok(())
    }

    /// All pictures came; whether they were all there are, FFmpeg's way of ending tells.
    fn end(&mut self) -> Result<Captured, CameraError> {
        let path = PathBuf::from(&self.info.address);
        match self.child.wait() {
            Ok(status) if status.success() => Ok(Captured::End),
            Ok(status) => {
                Err(CameraError::FileBroken { path, frames: self.frames, why: format!("FFmpeg ended with {status}") })
            }
            Err(e) => Err(CameraError::FileBroken { path, frames: self.frames, why: e.to_string() }),
        }
    }

    /// A file's own time on the session's clock: its first frame is now.
    fn lay(&mut self, ns: i64) -> Timestamp {
        let clock = self.clock;
        let (start, first_ns) = *self.start.get_or_insert_with(|| (clock.now(), ns));
        Timestamp::from_ns(start.as_ns().saturating_add(ns.saturating_sub(first_ns)))
    }
}

fn info(video: &FileVideo, format: PixelFormat, expected_frames: Option<u64>) -> CameraInfo {
    let name = video.path.file_name().unwrap_or(video.path.as_os_str()).to_string_lossy().into_owned();
    CameraInfo {
        name,
        kind: CameraKind::File,
        address: video.path.display().to_string(),
        bus: None,
        mode: Mode { width_px: video.width_px, height_px: video.height_px, rate_hz: video.rate_hz, format },
        is_live: false,
        expected_frames,
        controls: Vec::new(),
        notes: video.notes.clone(),
    }
}

impl Camera for FileCamera {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn next(&mut self, timeout: Duration) -> Result<Captured, CameraError> {
        let read = match self.first.take() {
            Some(first) => first,
            None => match self.pictures.as_ref().map_or(Ok(FromFile::End), |p| p.recv_timeout(timeout)) {
                Ok(read) => read,
                Err(RecvTimeoutError::Timeout) => return Err(CameraError::Silent { waited: timeout }),
                // The reading thread says how it ended before it ends.
                Err(RecvTimeoutError::Disconnected) => FromFile::End,
            },
        };
        match read {
            FromFile::Frame { ns, pixels } => {
                self.frames += 1;
                Ok(Captured::Frame(CapturedFrame {
                    at: self.lay(ns),
                    time_source: TimeSource::File,
                    device_sequence: None,
                    width_px: self.info.mode.width_px,
                    height_px: self.info.mode.height_px,
                    pixels,
                }))
            }
            FromFile::Damaged { ns, why } => Ok(Captured::Corrupt { at: self.lay(ns), device_sequence: None, why }),
            FromFile::Missing { from_ns, until_ns, frames, why } => {
                Ok(Captured::Missing { from: self.lay(from_ns), until: self.lay(until_ns), frames, why })
            }
            FromFile::End => self.end(),
            FromFile::Failed(e) => Err(e),
        }
    }
}

impl Drop for FileCamera {
    fn drop(&mut self) {
        // Unblocks the reading thread wherever it waits: for us, or for the child.
        self.pictures = None;
        // Fails only where the child has ended already.
        drop(self.child.kill());
        for thread in self.threads.drain(..) {
            // A panic there has shown itself as the pictures' end without an end.
            drop(thread.join());
        }
        drop(self.child.wait());
    }
}
