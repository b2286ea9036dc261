//! A video file as a camera. Each frame is delivered once, with its time on the session clock. Missing frames are reported.
//!
//! Frames are delivered as fast as they are read. [`super::Pace`] sets the speed.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

use super::container_end::missing_end;
use super::ffmpeg::{self, Call};
use super::ffprobe::{self, Packet};
use super::file_video::{DecodedFormat, FileVideo};
use super::film_reader::{FilmReader, FromFile, listen};
use super::{Camera, CameraError, CameraInfo, CameraKind, Captured, CapturedFrame, Mode, PixelFormat};
use session::{Clock, TimeSource, Timestamp};

pub struct FileCamera {
    info: CameraInfo,
    clock: Clock,
    /// The time of the file's first frame on the session clock and in the file.
    start: Option<(Timestamp, i64)>,
    /// Number of frames delivered so far.
    frames: u64,
    /// The first frame is read at opening. Only this shows whether the file can be decoded.
    first: Option<FromFile>,
    pictures: Option<Receiver<FromFile>>,
    child: Child,
    threads: Vec<JoinHandle<()>>,
}

/// The number of frames that are decoded in advance, so that FFmpeg and this program work in parallel.
const AHEAD: usize = 4;
/// The longest wait for the first picture, sufficient for a slow disk and a long start without pictures. It limits the time
/// for a file that is made to keep FFmpeg busy.
const FIRST_PICTURE: Duration = Duration::from_secs(30);
/// FFmpeg reports a frame before it writes it, at most some dozens in advance.
const TIMES_AHEAD: usize = 4096;

/// The source of the pictures.
struct Source {
    video: FileVideo,
    call: Call,
    /// The file's JPEGs are used unchanged. These are their lengths.
    packets: Option<Vec<Packet>>,
    /// The source of a growing file. `None` for a complete file.
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
            // Some files declare other data as MJPEG. They are decoded like any other codec.
            if matches!(copied.first, Some(FromFile::Frame { .. })) {
                return Ok(copied);
            }
        }
        let call = ffmpeg::decoder(&video)?;
        let mut camera = Self::start(Source { video, call, packets: None, feed: None, cut }, clock)?;
        match camera.first.take() {
            Some(FromFile::Failed(e)) => Err(e),
            Some(FromFile::End) => {
                Err(CameraError::NotAVideo { path: path.into(), why: "no picture in it can be decoded".into() })
            }
            first => {
                camera.first = first;
                Ok(camera)
            }
        }
    }

    /// Opens a file that is still growing. `head` contains its beginning. `bytes` returns the whole file and waits for data
    /// that is still to come. `bytes` must end before the camera is dropped.
    pub fn follow(head: &Path, bytes: impl Read + Send + 'static, clock: &Clock) -> Result<Self, CameraError> {
        // The duration in the beginning of a growing file is not valid.
        let video = FileVideo { declared_s: None, ..ffprobe::probe(head)? };
        let call = ffmpeg::pipe_decoder(&video)?;
        Self::start(Source { video, call, packets: None, feed: Some(Box::new(bytes)), cut: None }, clock)
    }

    /// Starts to decode packets of a film, which `bytes` returns as Matroska. Does not wait for the first picture. `bytes` must
    /// end before the camera is dropped.
    pub(super) fn of_packets(video: &FileVideo, bytes: impl Read + Send + 'static) -> Result<Self, CameraError> {
        let call = ffmpeg::packet_decoder(video)?;
        let feed: Option<Box<dyn Read + Send>> = Some(Box::new(bytes));
        Self::launch(Source { video: video.clone(), call, packets: None, feed, cut: None }, &Clock::start())
    }

    fn start(source: Source, clock: &Clock) -> Result<Self, CameraError> {
        let path = source.video.path.clone();
        let mut camera = Self::launch(source, clock)?;
        camera.first = camera.pictures.as_ref().and_then(|p| p.recv_timeout(FIRST_PICTURE).ok());
        if camera.first.is_none() {
            let why = format!("FFmpeg decoded no picture of it within {} s", FIRST_PICTURE.as_secs());
            return Err(CameraError::NotAVideo { path, why });
        }
        Ok(camera)
    }

    fn launch(source: Source, clock: &Clock) -> Result<Self, CameraError> {
        let Source { video, mut call, packets, feed, cut } = source;
        let format = match (&packets, video.decoded) {
            (Some(_), _) => PixelFormat::Mjpeg,
            (None, DecodedFormat::Planes(_) | DecodedFormat::HalfPlanes) => PixelFormat::I420,
            (None, DecodedFormat::Rgb) => PixelFormat::Rgb,
        };
        let expected = packets.as_ref().map(|p| p.len() as u64).or(video.expected_frames);
        let is_growing = feed.is_some();
        call.command.stdin(if is_growing { Stdio::piped() } else { Stdio::null() });
        call.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = call.command.spawn().map_err(|e| ffmpeg::not_run("ffmpeg", e))?;
        let to_child = child.stdin.take();
        let (Some(output), Some(messages)) = (child.stdout.take(), child.stderr.take()) else {
            // Both pipes were requested above.
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
        // From here on, dropping `camera` ends the child and its threads.
        if let (Some(mut feed), Some(mut to_child)) = (feed, to_child) {
            // If the child has ended or the file cannot be read, the pictures end.
            camera.spawn("file bytes", move || drop(std::io::copy(&mut feed, &mut to_child)))?;
        }
        let (listened, listened_to) = (faults.clone(), video.clone());
        camera.spawn("file messages", move || listen(messages, &listened_to, &notes_in, &listened))?;
        let mut reader = FilmReader::new(video, output, notes, faults, pictures_in, call.max_lead_frames);
        (reader.cut, reader.is_growing) = (cut, is_growing);
        camera.spawn("file pictures", move || match packets {
            Some(packets) => reader.copy(&packets),
            None => reader.decode(),
        })?;
        Ok(camera)
    }

    /// The file's own time of the moment that [`Camera::next`] reports first.
    pub fn first_ns(&self) -> Option<i64> {
        let waiting = self.first.as_ref().and_then(|first| match first {
            FromFile::Frame { ns, .. } | FromFile::Damaged { ns, .. } => Some(*ns),
            FromFile::Missing { from_ns, .. } => Some(*from_ns),
            FromFile::End | FromFile::Failed(_) => None,
        });
        self.start.map(|(_, ns)| ns).or(waiting)
    }

    /// The next message with the file's own times. `None`: nothing came within `timeout`.
    pub(super) fn read(&mut self, timeout: Duration) -> Option<FromFile> {
        match self.first.take() {
            Some(first) => Some(first),
            None => match self.pictures.as_ref().map_or(Ok(FromFile::End), |p| p.recv_timeout(timeout)) {
                Ok(read) => Some(read),
                Err(RecvTimeoutError::Timeout) => None,
                // The reader thread sends its result before it ends.
                Err(RecvTimeoutError::Disconnected) => Some(FromFile::End),
            },
        }
    }

    fn spawn(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), CameraError> {
        self.threads.push(thread::Builder::new().name(name.into()).spawn(work).map_err(CameraError::Thread)?);
        Ok(())
    }

    /// The pictures ended. FFmpeg's exit status shows whether the file was complete.
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

    /// The first call maps its time to now. Later times keep their distance to it.
    fn on_session_clock(&mut self, ns: i64) -> Timestamp {
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
        let read = self.read(timeout).ok_or(CameraError::Silent { waited: timeout })?;
        match read {
            FromFile::Frame { ns, pixels } => {
                self.frames += 1;
                Ok(Captured::Frame(CapturedFrame {
                    at: self.on_session_clock(ns),
                    time_source: TimeSource::File,
                    device_sequence: None,
                    width_px: self.info.mode.width_px,
                    height_px: self.info.mode.height_px,
                    pixels,
                }))
            }
            FromFile::Damaged { ns, why } => {
                Ok(Captured::Corrupt { at: self.on_session_clock(ns), device_sequence: None, why })
            }
            FromFile::Missing { from_ns, until_ns, frames, why } => Ok(Captured::Missing {
                from: self.on_session_clock(from_ns),
                until: self.on_session_clock(until_ns),
                frames,
                why,
            }),
            FromFile::End => self.end(),
            FromFile::Failed(e) => Err(e),
        }
    }
}

impl Drop for FileCamera {
    fn drop(&mut self) {
        // Unblocks the reader thread, which waits for this thread or for the child.
        self.pictures = None;
        // This fails only if the child has already ended.
        drop(self.child.kill());
        for thread in self.threads.drain(..) {
            // A panic there was reported as an unexpected end of the pictures.
            drop(thread.join());
        }
        drop(self.child.wait());
    }
}
