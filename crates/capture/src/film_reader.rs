//! The threads that read FFmpeg's output of a file: pictures, their times and their faults.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::sync::{Arc, OnceLock};

use crossbeam_channel::{Receiver, Sender};

use super::CameraError;
use super::ffmpeg_messages::{Message, Place};
use super::ffprobe::{self, Packet};
use super::file_video::{DecodedFormat, FileVideo, TimeBase};
use super::film_damage::FilmDamage;
use super::jpeg::JpegCheck;
use super::yuv_colour::to_jpeg_colour;
use session::Pixels;

/// Messages of the reader thread, ordered by time.
pub enum FromFile {
    Frame {
        ns: i64,
        pixels: Pixels,
    },
    /// A frame that may be damaged.
    Damaged {
        ns: i64,
        why: String,
    },
    /// A time without frames. `frames` is the number of missing frames, or 0 if it is unknown.
    Missing {
        from_ns: i64,
        until_ns: i64,
        frames: u64,
        why: String,
    },
    End,
    Failed(CameraError),
}

/// The largest number of frames that are kept back. A file may declare any number of reordered frames.
const MOST_HELD: usize = 16;

/// FFmpeg's messages about one frame, and since the previous one.
pub struct Note {
    ns: Option<i64>,
    is_key: bool,
    in_picture: Option<String>,
    in_file: Option<String>,
}

/// FFmpeg's messages that may explain a failure.
#[derive(Clone, Default)]
pub struct Faults {
    count: u64,
    last: String,
    codec: Option<String>,
    /// Since the previous frame.
    in_picture: Option<String>,
    /// The first fault of the file.
    in_file: Option<String>,
}

/// Reads FFmpeg's messages until they end: times of frames, and faults.
pub fn listen(messages: impl Read, video: &FileVideo, notes: &Sender<Note>, faults: &OnceLock<Faults>) {
    let mut base = TimeBase { numerator: 1, denominator: 1_000_000_000 };
    let mut found = Faults::default();
    let mut in_file_since = None;
    let mut is_looking = true;
    let mut messages = BufReader::new(messages);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A broken pipe means that the child has ended. The reader thread reports why.
        match messages.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {}
        }
        match Message::parse(String::from_utf8_lossy(&line).trim_end(), video) {
            Message::Begins => is_looking = false,
            Message::TimeBase(b) => base = b,
            Message::Frame { ticks, is_key } => {
                let (in_picture, in_file) = (found.in_picture.take(), in_file_since.take());
                let note = Note { ns: ticks.map(|t| base.ns(t)), is_key, in_picture, in_file };
                if notes.send(note).is_err() {
                    break;
                }
            }
            Message::Fault(place, text) => {
                found.count += 1;
                found.codec = found.codec.take().or_else(|| Message::missing_codec(&text));
                found.last.clone_from(&text);
                match place {
                    // While probing the file, FFmpeg decodes some frames, and later decodes them again.
                    Place::Picture if is_looking => {}
                    Place::Picture => drop(found.in_picture.get_or_insert(text)),
                    Place::File => {
                        in_file_since.get_or_insert_with(|| text.clone());
                        found.in_file.get_or_insert(text);
                    }
                }
            }
            Message::Other => {}
        }
    }
    // Set once, here.
    drop(faults.set(found));
}

/// The thread that reads pictures from FFmpeg.
pub struct FilmReader<R> {
    video: FileVideo,
    output: R,
    notes: Receiver<Note>,
    faults: Arc<OnceLock<Faults>>,
    pictures: Sender<FromFile>,
    damage: FilmDamage,
    /// Why the end of the file is missing.
    pub cut: Option<String>,
    /// The file is still growing. Only its beginning was probed.
    pub is_growing: bool,
    /// Number of frames so far, complete or damaged.
    shown: u64,
    lost: u64,
    first_ns: Option<i64>,
    last_ns: Option<i64>,
    /// Times of all packets, ascending. They are read only if something is missing.
    times: Option<Vec<i64>>,
    /// A fault between pictures. It is not yet known whether it cost pictures.
    in_file: Option<String>,
    /// Frames without a known fault. A frame may be decoded from one that is displayed later. Therefore as many frames are
    /// kept back as the decoder may reorder.
    held: VecDeque<(i64, Vec<u8>)>,
}

/// The receiver is closed.
struct Gone;

impl<R: Read> FilmReader<R> {
    pub fn new(
        video: FileVideo,
        output: R,
        notes: Receiver<Note>,
        faults: Arc<OnceLock<Faults>>,
        pictures: Sender<FromFile>,
        max_lead_frames: u64,
    ) -> Self {
        let damage = FilmDamage::new(max_lead_frames);
        let (cut, is_growing, shown, lost, first_ns, last_ns) = (None, false, 0, 0, None, None);
        let (times, in_file, held) = (None, None, VecDeque::new());
        FilmReader {
            video,
            output,
            notes,
            faults,
            pictures,
            damage,
            cut,
            is_growing,
            shown,
            lost,
            first_ns,
            last_ns,
            times,
            in_file,
            held,
        }
    }

    pub fn decode(mut self) {
        let size = self.video.picture_bytes();
        loop {
            let mut pixels = vec![0; size];
            match read_whole(&mut self.output, &mut pixels) {
                Whole::Yes => {}
                Whole::Ended => return self.end(),
                Whole::Cut(why) => return self.fail(why),
            }
            let Ok(note) = self.notes.recv() else {
                return self.fail("FFmpeg wrote a picture without its time".into());
            };
            if self.picture(note, pixels).is_err() {
                return;
            }
        }
    }

    fn picture(&mut self, note: Note, pixels: Vec<u8>) -> Result<(), Gone> {
        let ns = note.ns.unwrap_or_else(|| self.made_up_ns());
        if note.in_file.is_some() {
            self.in_file = self.in_file.take().or(note.in_file);
        }
        let before = self.damage.why().map(str::to_owned);
        let why = self.damage.frame(note.is_key, note.in_picture).map(str::to_owned);
        if let Some(doubt) = before.as_ref().or(why.as_ref()).or(self.in_file.clone().as_ref()) {
            match &why {
                Some(why) => self.spoil_held(why)?,
                None => self.release(0)?,
            }
            self.missing_before(ns, doubt)?;
        }
        self.step(ns);
        let Some(why) = why else {
            self.held.push_back((ns, pixels));
            return self.release(usize::try_from(self.video.reordered_frames).unwrap_or(0).min(MOST_HELD));
        };
        self.damaged(ns, &why)
    }

    fn damaged(&mut self, ns: i64, why: &str) -> Result<(), Gone> {
        self.lost += 1;
        let why = format!("FFmpeg reports for this frame or for one that it depends on: {why}");
        self.send(FromFile::Damaged { ns, why })
    }

    /// Sends all frames except the newest `keep`.
    fn release(&mut self, keep: usize) -> Result<(), Gone> {
        while self.held.len() > keep {
            let Some((ns, mut pixels)) = self.held.pop_front() else { break };
            let pixels = match self.video.decoded {
                DecodedFormat::Planes(colour) => {
                    let (width, height) = (self.video.width_px as usize, self.video.height_px as usize);
                    to_jpeg_colour(&mut pixels, width, height, colour);
                    Pixels::I420(pixels)
                }
                DecodedFormat::HalfPlanes => Pixels::I422(pixels),
                DecodedFormat::Rgb => Pixels::Rgb(pixels),
            };
            self.send(FromFile::Frame { ns, pixels })?;
        }
        Ok(())
    }

    fn spoil_held(&mut self, why: &str) -> Result<(), Gone> {
        for (ns, _) in std::mem::take(&mut self.held) {
            self.damaged(ns, why)?;
        }
        Ok(())
    }

    /// Frames of the file before the one at `ns` that were not decoded.
    fn missing_before(&mut self, ns: i64, why: &str) -> Result<(), Gone> {
        let Some(last_ns) = self.last_ns else { return Ok(()) };
        let (interval, tolerance) = (self.interval_ns(), self.interval_ns() / 4);
        let lost: Vec<i64> = {
            let (from, until) = (last_ns.saturating_add(tolerance), ns.saturating_sub(tolerance));
            self.times().iter().copied().filter(|t| (from..until).contains(t)).collect()
        };
        for ns in &lost {
            self.lost += 1;
            self.send(FromFile::Damaged { ns: *ns, why: format!("FFmpeg could not decode it: {why}") })?;
        }
        let hole = ns.saturating_sub(lost.last().copied().unwrap_or(last_ns));
        if self.in_file.is_none() && self.cut.is_none() && !self.times().is_empty()
            || hole < interval + 3 * interval / 4
        {
            return Ok(());
        }
        self.in_file = None;
        let frames = ((hole as f64 / interval as f64).round() as u64).saturating_sub(1).max(1);
        self.lost += frames;
        self.send(FromFile::Missing {
            from_ns: ns.saturating_sub(hole).saturating_add(interval),
            until_ns: ns,
            frames,
            why: why.to_owned(),
        })
    }

    pub fn copy(mut self, packets: &[Packet]) {
        let size = (self.video.width_px as usize, self.video.height_px as usize);
        let mut check = JpegCheck::default();
        self.times = Some(times_of(packets, self.video.time_base));
        for packet in packets {
            let mut jpeg = vec![0; packet.bytes];
            match read_whole(&mut self.output, &mut jpeg) {
                Whole::Yes => {}
                Whole::Ended if self.cut.is_some() => return self.end(),
                Whole::Ended => return self.fail("FFmpeg wrote fewer pictures than the file lists".into()),
                Whole::Cut(_) if self.cut.is_some() => return self.end(),
                Whole::Cut(why) => return self.fail(why),
            }
            let ns = packet.ticks.map_or_else(|| self.made_up_ns(), |t| self.video.time_base.ns(t));
            self.step(ns);
            let read = match check.whole_len(&jpeg, Some(size)) {
                Ok(len) => {
                    jpeg.truncate(len);
                    FromFile::Frame { ns, pixels: Pixels::Jpeg(jpeg) }
                }
                Err(why) => {
                    self.lost += 1;
                    FromFile::Damaged { ns, why: format!("a JPEG of {} bytes in the file {why}", packet.bytes) }
                }
            };
            if self.send(read).is_err() {
                return;
            }
        }
        self.end();
    }

    fn send(&self, read: FromFile) -> Result<(), Gone> {
        self.pictures.send(read).map_err(|_| Gone)
    }

    fn step(&mut self, ns: i64) {
        self.shown += 1;
        self.first_ns.get_or_insert(ns);
        self.last_ns = Some(ns);
    }

    fn interval_ns(&self) -> i64 {
        (1e9 / if self.video.rate_hz > 0.0 { self.video.rate_hz } else { 25.0 }) as i64
    }

    /// The time of a frame in a file without times, from its rate.
    fn made_up_ns(&self) -> i64 {
        self.last_ns.map_or(0, |ns| ns.saturating_add(self.interval_ns()))
    }

    /// Empty if it is unknown.
    fn times(&mut self) -> &[i64] {
        let (video, is_growing) = (&self.video, self.is_growing);
        self.times.get_or_insert_with(|| {
            // If the packets cannot be listed, the faults were already reported.
            let packets = if is_growing { Vec::new() } else { ffprobe::packets(video).unwrap_or_default() };
            times_of(&packets, video.time_base)
        })
    }

    fn end(mut self) {
        let faults = self.wait_for_faults();
        if self.shown == 0 {
            return self.fail_with(&faults);
        }
        // This fails if the receiver is closed. Then nothing has to be reported.
        let held = match &faults.in_picture {
            Some(why) => self.spoil_held(why),
            None => self.release(0),
        };
        if held.is_ok() && self.tail(&faults).is_ok() {
            drop(self.send(FromFile::End));
        }
    }

    /// Reports what is missing after the last frame.
    fn tail(&mut self, faults: &Faults) -> Result<(), Gone> {
        let Some(last_ns) = self.last_ns else { return Ok(()) };
        let reported = faults.in_picture.clone().or(self.damage.why().map(str::to_owned)).or(faults.in_file.clone());
        let Some(why) = self.cut.clone().or(reported) else { return Ok(()) };
        let interval = self.interval_ns();
        let undecoded: Vec<i64> =
            self.times().iter().copied().filter(|t| *t > last_ns.saturating_add(interval / 4)).collect();
        let mut end_ns = last_ns;
        if let [first, .., last] | [first @ last] = undecoded[..] {
            let frames = undecoded.len() as u64;
            self.lost += frames;
            end_ns = last;
            let why = format!("FFmpeg could not decode it: {why}");
            self.send(FromFile::Missing { from_ns: first, until_ns: last.saturating_add(interval), frames, why })?;
        }
        end_ns = end_ns.saturating_add(interval);
        // FFmpeg may stop reading at a fault in the middle of the file.
        let is_cut = self.cut.is_some() || faults.in_file.is_some();
        let declared_ns =
            self.video.declared_s.zip(self.first_ns).map(|(s, first)| first.saturating_add((s * 1e9) as i64));
        match declared_ns.filter(|declared| is_cut && *declared > end_ns.saturating_add(interval / 2)) {
            Some(declared) => {
                let frames = ((declared - end_ns) as f64 / interval as f64).round() as u64;
                self.lost += frames;
                self.send(FromFile::Missing { from_ns: end_ns, until_ns: declared, frames, why })
            }
            // The fault of the file is the reason.
            None if self.cut.is_some() || self.lost == 0 => {
                self.send(FromFile::Missing { from_ns: end_ns, until_ns: end_ns, frames: 0, why })
            }
            None => Ok(()),
        }
    }

    fn fail(mut self, why: String) {
        if self.release(0).is_err() {
            return;
        }
        let mut faults = self.wait_for_faults();
        if faults.count == 0 {
            (faults.count, faults.last) = (1, why);
        }
        self.fail_with(&faults);
    }

    fn fail_with(&self, faults: &Faults) {
        let (path, frames) = (self.video.path.clone(), self.shown);
        let error = match &faults.codec {
            Some(codec) => CameraError::UnknownCodec { path, codec: codec.clone() },
            None if frames == 0 && faults.count == 0 => {
                CameraError::NotAVideo { path, why: "it has no picture".to_owned() }
            }
            None if frames == 0 => CameraError::NotAVideo { path, why: faults.last.clone() },
            None => CameraError::FileBroken { path, frames, why: faults.last.clone() },
        };
        // This fails if the receiver is closed. Then nothing has to be reported.
        drop(self.send(FromFile::Failed(error)));
    }

    /// FFmpeg's output has ended. Its messages end, too, and the channel closes after the last one.
    fn wait_for_faults(&mut self) -> Faults {
        // Reads on, so that FFmpeg does not block while this thread waits for its last messages.
        if let Err(e) = std::io::copy(&mut self.output, &mut std::io::sink()) {
            let in_file = Some(e.to_string());
            return Faults { count: 1, last: e.to_string(), in_file, ..Faults::default() };
        }
        while self.notes.recv().is_ok() {}
        self.faults.get().cloned().unwrap_or_default()
    }
}

/// Times of displayed packets, ascending. Empty if one has no time.
fn times_of(packets: &[Packet], base: TimeBase) -> Vec<i64> {
    let shown = packets.iter().filter(|p| !p.is_hidden && p.bytes > 0);
    let times: Option<Vec<i64>> = shown.map(|p| p.ticks.map(|t| base.ns(t))).collect();
    let mut times = times.unwrap_or_default();
    times.sort_unstable();
    times
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
            Ok(0) => return Whole::Cut(format!("a picture has only {filled} of {} bytes", buffer.len())),
            Ok(n) => filled += n,
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Whole::Cut(e.to_string()),
        }
    }
    Whole::Yes
}
