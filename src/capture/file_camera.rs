//! A video file as a camera: every frame of it once, at its own time laid onto the session's clock.
//!
//! It delivers as fast as it is asked; who wants it at its own pace waits ([`super::Pace`]).

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};

use super::ffmpeg::{self, FileVideo, Message, TimeBase};
use super::jpeg::jpeg_len;
use super::{Camera, CameraError, CameraInfo, CameraKind, Captured, Mode, PixelFormat, Pixels, TimeSource};
use crate::session::{Clock, Timestamp};

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

/// What comes from the reading thread.
enum FromFile {
    Frame { ns: i64, pixels: Pixels },
    Damaged { ns: i64, why: String },
    End,
    Failed(CameraError),
}

/// Decoded ahead, so that FFmpeg's work and ours overlap.
const AHEAD: usize = 4;
/// From a slow disk, over a long start without pictures; a file made to keep FFmpeg busy is given up behind it.
const FIRST_PICTURE: Duration = Duration::from_secs(30);
/// FFmpeg names a frame before it writes it and is at most some dozens ahead.
const TIMES_AHEAD: usize = 4096;

impl FileCamera {
    pub fn open(path: &Path, clock: &Clock) -> Result<Self, CameraError> {
        let video = ffmpeg::probe(path)?;
        if video.is_plain_mjpeg {
            let packets = ffmpeg::packets(&video)?;
            let copied = Self::start(&video, ffmpeg::copier(&video), clock, Some(packets))?;
            // Some files call other things MJPEG; those are decoded as every other codec.
            if matches!(copied.first, Some(FromFile::Frame { .. })) {
                return Ok(copied);
            }
        }
        let mut camera = Self::start(&video, ffmpeg::decoder(&video)?, clock, None)?;
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
        let video = ffmpeg::probe(head)?;
        let decoder = ffmpeg::pipe_decoder(&video)?;
        Self::start_with(&video, decoder, clock, None, Some(Box::new(bytes)))
    }

    fn start(
        video: &FileVideo,
        command: Command,
        clock: &Clock,
        packets: Option<Vec<(Option<i64>, usize)>>,
    ) -> Result<Self, CameraError> {
        Self::start_with(video, command, clock, packets, None)
    }

    fn start_with(
        video: &FileVideo,
        mut command: Command,
        clock: &Clock,
        packets: Option<Vec<(Option<i64>, usize)>>,
        feed: Option<Box<dyn Read + Send>>,
    ) -> Result<Self, CameraError> {
        let format = if packets.is_some() { PixelFormat::Mjpeg } else { PixelFormat::Rgb };
        let expected = packets.as_ref().map(|p| p.len() as u64).or(video.expected_frames);
        command.stdin(if feed.is_some() { Stdio::piped() } else { Stdio::null() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|e| ffmpeg::not_run("ffmpeg", e))?;
        let to_child = child.stdin.take();
        let (Some(output), Some(messages)) = (child.stdout.take(), child.stderr.take()) else {
            // Both were asked for above.
            return Err(CameraError::NoFfmpeg { program: "ffmpeg" });
        };
        let (times_in, times) = bounded(TIMES_AHEAD);
        let errors = Arc::new(OnceLock::new());
        let (pictures_in, pictures) = bounded(AHEAD);
        let mut camera = FileCamera {
            info: info(video, format, expected),
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
        let listened = errors.clone();
        camera.spawn("file messages", move || listen(messages, &times_in, &listened))?;
        let reader = Reader { video: video.clone(), output, times, errors, pictures: pictures_in };
        camera.spawn("file pictures", move || match packets {
            Some(packets) => reader.copy(&packets),
            None => reader.decode(),
        })?;
        camera.first = camera.pictures.as_ref().and_then(|p| p.recv_timeout(FIRST_PICTURE).ok());
        if camera.first.is_none() {
            let why = format!("FFmpeg found no picture in it within {} s", FIRST_PICTURE.as_secs());
            return Err(CameraError::NotAVideo { path: video.path.clone(), why });
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
        notes: Vec::new(),
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
                Ok(Captured::Frame {
                    at: self.lay(ns),
                    time_source: TimeSource::File,
                    device_sequence: None,
                    width_px: self.info.mode.width_px,
                    height_px: self.info.mode.height_px,
                    pixels,
                })
            }
            FromFile::Damaged { ns, why } => Ok(Captured::Corrupt { at: self.lay(ns), device_sequence: None, why }),
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

/// Everything FFmpeg said that may explain a failure.
#[derive(Default)]
struct Errors {
    count: u64,
    first: String,
    last: String,
    codec: Option<String>,
}

/// Reads FFmpeg's messages until it ends: times of frames, and errors.
fn listen(messages: impl Read, times: &Sender<Option<i64>>, errors: &OnceLock<Errors>) {
    let mut base = TimeBase { numerator: 1, denominator: 1_000_000_000 };
    let mut found = Errors::default();
    let mut messages = BufReader::new(messages);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A broken pipe is the child's end, which the reading thread explains.
        match messages.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        match Message::parse(String::from_utf8_lossy(&line).trim_end()) {
            Message::TimeBase(b) => base = b,
            Message::Frame { ticks } => {
                if times.send(ticks.map(|t| base.ns(t))).is_err() {
                    break;
                }
            }
            Message::Error(text) => {
                found.count += 1;
                found.codec = found.codec.take().or_else(|| Message::missing_codec(&text));
                if found.count == 1 {
                    found.first.clone_from(&text);
                }
                found.last = text;
            }
            Message::Other => {}
        }
    }
    // Set once, here.
    drop(errors.set(found));
}

/// The thread that reads pictures from FFmpeg.
struct Reader<R> {
    video: FileVideo,
    output: R,
    times: Receiver<Option<i64>>,
    errors: Arc<OnceLock<Errors>>,
    pictures: Sender<FromFile>,
}

impl<R: Read> Reader<R> {
    fn decode(mut self) {
        let size = 3 * self.video.width_px as usize * self.video.height_px as usize;
        let (mut frames, mut last_ns) = (0, None);
        loop {
            let mut pixels = vec![0; size];
            match read_whole(&mut self.output, &mut pixels) {
                Whole::Yes => {}
                Whole::Ended => return self.end(frames, last_ns),
                Whole::Cut(why) => return self.fail(frames, why),
            }
            let Ok(time) = self.times.recv() else {
                return self.fail(frames, "FFmpeg gave a picture without its time".into());
            };
            let ns = time.unwrap_or_else(|| self.made_up_ns(last_ns));
            last_ns = Some(ns);
            frames += 1;
            if self.pictures.send(FromFile::Frame { ns, pixels: Pixels::Rgb(pixels) }).is_err() {
                return;
            }
        }
    }

    fn copy(mut self, packets: &[(Option<i64>, usize)]) {
        let (mut frames, mut last_ns) = (0, None);
        for (ticks, size) in packets {
            let mut jpeg = vec![0; *size];
            match read_whole(&mut self.output, &mut jpeg) {
                Whole::Yes => {}
                Whole::Ended => return self.fail(frames, "FFmpeg gave fewer pictures than the file lists".into()),
                Whole::Cut(why) => return self.fail(frames, why),
            }
            let ns = ticks.map_or_else(|| self.made_up_ns(last_ns), |t| self.video.time_base.ns(t));
            last_ns = Some(ns);
            frames += 1;
            let read = match jpeg_len(&jpeg) {
                Some(len) => {
                    jpeg.truncate(len);
                    FromFile::Frame { ns, pixels: Pixels::Jpeg(jpeg) }
                }
                None => FromFile::Damaged { ns, why: format!("a JPEG of {size} bytes in the file has no end") },
            };
            if self.pictures.send(read).is_err() {
                return;
            }
        }
        self.end(frames, last_ns);
    }

    /// For files that carry no times: at the file's rate.
    fn made_up_ns(&self, last_ns: Option<i64>) -> i64 {
        let rate_hz = if self.video.rate_hz > 0.0 { self.video.rate_hz } else { 25.0 };
        last_ns.map_or(0, |ns| ns + (1e9 / rate_hz) as i64)
    }

    fn end(mut self, frames: u64, last_ns: Option<i64>) {
        let errors = self.wait_for_errors();
        if frames == 0 {
            return self.fail_with(0, errors);
        }
        let damaged = errors.filter(|e| e.count > 0).map(|e| FromFile::Damaged {
            ns: last_ns.unwrap_or(0),
            why: format!("FFmpeg found {} faults in the file, the first: {}", e.count, e.first),
        });
        // Nobody there means nobody to tell.
        drop(damaged.into_iter().chain([FromFile::End]).try_for_each(|r| self.pictures.send(r)));
    }

    fn fail(mut self, frames: u64, why: String) {
        let errors = self.wait_for_errors().filter(|e| e.count > 0);
        let errors = errors.unwrap_or(Errors { count: 1, first: why.clone(), last: why, codec: None });
        self.fail_with(frames, Some(errors));
    }

    fn fail_with(&self, frames: u64, errors: Option<Errors>) {
        let path = self.video.path.clone();
        let errors = errors.unwrap_or_default();
        let error = match errors.codec {
            Some(codec) => CameraError::UnknownCodec { path, codec },
            None if frames == 0 && errors.count == 0 => {
                CameraError::NotAVideo { path, why: "it holds no picture".to_owned() }
            }
            None if frames == 0 => CameraError::NotAVideo { path, why: errors.last },
            None => CameraError::FileBroken { path, frames, why: errors.last },
        };
        // Nobody there means nobody to tell.
        drop(self.pictures.send(FromFile::Failed(error)));
    }

    /// FFmpeg's output has ended, so its messages end, too: the channel closes behind the last one.
    fn wait_for_errors(&mut self) -> Option<Errors> {
        // FFmpeg must not wait for us to read on while we wait for its last words.
        if let Err(e) = std::io::copy(&mut self.output, &mut std::io::sink()) {
            return Some(Errors { count: 1, first: e.to_string(), last: e.to_string(), codec: None });
        }
        while self.times.recv().is_ok() {}
        self.errors.get().map(|e| Errors {
            count: e.count,
            first: e.first.clone(),
            last: e.last.clone(),
            codec: e.codec.clone(),
        })
    }
}

enum Whole {
    Yes,
    Ended,
    Cut(String),
}

fn read_whole(from: &mut impl Read, buffer: &mut [u8]) -> Whole {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) if filled == 0 => return Whole::Ended,
            Ok(0) => return Whole::Cut(format!("a picture ended after {filled} of {} bytes", buffer.len())),
            Ok(n) => filled += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Whole::Cut(e.to_string()),
        }
    }
    Whole::Yes
}
