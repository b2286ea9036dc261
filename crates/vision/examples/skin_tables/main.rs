//! Writes the stream `skin` of films, photographs and the phantom as tables, for `cargo run --release -p pulse --example evaluate`.
//!
//! `cargo run --release -p vision --example skin_tables -- SHARED FOLDER [BEGINNING]`
//!
//! `SHARED` holds `pulse/clips`. `FOLDER/photos` may hold photographs of faces. A table that exists is kept, so only the
//! tables whose names have the given beginning may be made by each of several processes. No picture is written.

#![allow(clippy::print_stdout, reason = "a developer reads its output")]

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use capture::phantom::Renderer;
use capture::{CameraError, CameraSpec, Captured, Decoder};
use session::{CameraSettings, Clock, Frame, FrameMeta, Pixels, TimeSource, Timestamp, skin};
use vision::{Models, SkinReader, Vision, decode_picture};

type Fallible<T> = Result<T, Box<dyn Error>>;

const RATE_HZ: f64 = 30.0;
/// The phantom's script repeats after 20 s.
const PHANTOM_FRAMES: u64 = 600;
/// 11 s: two windows.
const PHOTO_FRAMES: u64 = 330;
const JPEG_QUALITY: i32 = 90;

struct Films<'a> {
    folder: &'a Path,
    beginning: String,
}

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [shared, folder, rest @ ..] = arguments.as_slice() else {
        println!("usage: skin_tables SHARED FOLDER [BEGINNING]");
        return ExitCode::FAILURE;
    };
    let beginning = rest.first().map(|b| b.to_string_lossy().into_owned()).unwrap_or_default();
    let films = Films { folder, beginning };
    match films.write_all(shared) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            println!("{e}");
            ExitCode::FAILURE
        }
    }
}

/// What happens to a photograph. There is no pulse in any of them.
#[derive(Clone, Copy)]
enum PhotoChange {
    Still,
    Swaying,
    Flickering,
}

impl PhotoChange {
    const ALL: [PhotoChange; 3] = [PhotoChange::Still, PhotoChange::Swaying, PhotoChange::Flickering];

    fn name(self) -> &'static str {
        match self {
            PhotoChange::Still => "photo_still",
            PhotoChange::Swaying => "photo_swaying",
            PhotoChange::Flickering => "photo_flickering",
        }
    }
}

impl Films<'_> {
    fn write_all(&self, shared: &Path) -> Fallible<()> {
        for clip in sorted(&shared.join("pulse/clips"))? {
            self.film(&clip.file_name().unwrap_or_default().to_string_lossy(), &clip.join("video.mp4"))?;
        }
        for (name, strength) in [("phantom_06", 1.0), ("phantom_02", 1.0 / 3.0), ("phantom_none", 0.0)] {
            self.phantom(name, strength)?;
        }
        let photos = self.folder.join("photos");
        for photo in if photos.exists() { sorted(&photos)? } else { Vec::new() } {
            PhotoChange::ALL.into_iter().try_for_each(|change| self.photo(&photo, change))?;
        }
        Ok(())
    }

    fn table(&self, name: &str, read: impl FnOnce(&mut Reader) -> Fallible<()>) -> Fallible<()> {
        let path = self.folder.join(name).with_extension("txt");
        if path.exists() || !name.starts_with(&self.beginning) {
            return Ok(());
        }
        let mut reader = Reader {
            vision: Vision::new(Models::load(Path::new("models"), "affect")?),
            skin: SkinReader::default(),
            decoder: Decoder::default(),
            table: String::new(),
            frames: 0,
            skin_time: Duration::ZERO,
        };
        read(&mut reader)?;
        let ms = reader.skin_time.as_secs_f64() * 1e3 / f64::from(reader.frames.max(1));
        println!("{name}: {} frames with a face, {ms:.3} ms a frame for the colours", reader.frames);
        Ok(std::fs::write(path, reader.table)?)
    }

    fn film(&self, name: &str, path: &Path) -> Fallible<()> {
        self.table(name, |reader| {
            let spec = CameraSpec::File(path.to_owned());
            let mut camera = capture::open(&spec, &CameraSettings::default(), &Clock::start())?;
            let (mut number, mut first_at) = (0, None);
            loop {
                match camera.next(Duration::from_secs(1)) {
                    Ok(Captured::End) => return Ok(()),
                    Ok(Captured::Frame(frame)) => {
                        let at = Timestamp::from_ns(frame.at.since_ns(*first_at.get_or_insert(frame.at)));
                        reader.take(at, frame.width_px, frame.height_px, number, frame.pixels)?;
                        number += 1;
                    }
                    Ok(_) | Err(CameraError::Silent { .. }) => {}
                    Err(e) => return Err(e.into()),
                }
            }
        })
    }

    fn photo(&self, path: &Path, change: PhotoChange) -> Fallible<()> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        self.table(&format!("{}_{stem}", change.name()), |reader| {
            let jpeg = std::fs::read(path)?;
            let photo = turbojpeg::decompress(&jpeg, turbojpeg::PixelFormat::RGB)?;
            for k in 0..PHOTO_FRAMES {
                let t = k as f64 / RATE_HZ;
                let pixels = changed(&photo, change, t, k);
                let picture = turbojpeg::Image { pixels: pixels.as_slice(), ..photo.as_deref() };
                reader.take_compressed(Timestamp::from_secs_f64(t), k, picture)?;
            }
            Ok(())
        })
    }

    fn phantom(&self, name: &str, strength: f64) -> Fallible<()> {
        self.table(name, |reader| {
            let (width, height) = (640u32, 480u32);
            let mut renderer = Renderer::new(width, height).with_pulse_strength(strength);
            let mut rgb = Vec::new();
            for k in 0..PHANTOM_FRAMES {
                let at = Timestamp::from_secs_f64(k as f64 / RATE_HZ);
                renderer.render(at, k, &mut rgb);
                let (width, height) = (width as usize, height as usize);
                let format = turbojpeg::PixelFormat::RGB;
                let picture = turbojpeg::Image { pixels: rgb.as_slice(), width, pitch: 3 * width, height, format };
                reader.take_compressed(at, k, picture)?;
            }
            Ok(())
        })
    }
}

/// Follows the face and reads the skin, frame by frame.
struct Reader {
    vision: Vision,
    skin: SkinReader,
    decoder: Decoder,
    /// Nanoseconds and the fields of the stream, one line for each frame.
    table: String,
    frames: u32,
    skin_time: Duration,
}

impl Reader {
    fn take_compressed(&mut self, at: Timestamp, number: u64, picture: turbojpeg::Image<&[u8]>) -> Fallible<()> {
        let (width_px, height_px) = (picture.width as u32, picture.height as u32);
        let jpeg = turbojpeg::compress(picture, JPEG_QUALITY, turbojpeg::Subsamp::Sub2x2)?;
        self.take(at, width_px, height_px, number, Pixels::Jpeg(jpeg.to_vec()))
    }

    fn take(&mut self, at: Timestamp, width_px: u32, height_px: u32, number: u64, pixels: Pixels) -> Fallible<()> {
        let meta = FrameMeta { number, at, time_source: TimeSource::File, device_sequence: None };
        let frame = Frame { meta, width_px, height_px, pixels };
        let picture = decode_picture(&frame, self.vision.colour(), &mut self.decoder)?;
        let reading = self.vision.step(picture.as_picture()?, at)?;
        self.decoder.reuse(picture.pixels);
        if let Some(face) = reading.face {
            let started = Instant::now();
            let values: [f32; skin::FIELDS] = self.skin.read(&frame, &face.points)?;
            self.skin_time += started.elapsed();
            self.frames += 1;
            write!(self.table, "{}", at.as_ns())?;
            values.iter().try_for_each(|v| write!(self.table, " {v}"))?;
            self.table.push('\n');
        }
        Ok(())
    }
}

/// The photograph as a camera would see it, with its noise of about one level.
fn changed(photo: &turbojpeg::Image<Vec<u8>>, change: PhotoChange, t: f64, k: u64) -> Vec<u8> {
    let turn = std::f64::consts::TAU * 1.1 * t;
    let (shift_px, gain) = match change {
        PhotoChange::Still => (0.0, 1.0),
        PhotoChange::Swaying => (4.0 + 3.0 * turn.sin(), 1.0),
        PhotoChange::Flickering => (0.0, 1.0 + 0.01 * turn.sin()),
    };
    let (whole, share) = (shift_px as usize, shift_px.fract());
    let mut noise = k.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut changed = Vec::with_capacity(photo.pixels.len());
    for row in photo.pixels.chunks_exact(photo.pitch) {
        for at in 0..row.len() {
            let value = |by: usize| f64::from(row[(at + 3 * by).min(row.len() - 3 + at % 3)]);
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            // The sum of four bytes is nearly normal.
            let sum: u32 = noise.to_le_bytes()[..4].iter().map(|b| u32::from(*b)).sum();
            let grain = (f64::from(sum) - 510.0) / 148.0;
            let level = (value(whole) * (1.0 - share) + value(whole + 1) * share) * gain + grain;
            changed.push(level.round().clamp(0.0, 255.0) as u8);
        }
    }
    changed
}

fn sorted(folder: &Path) -> Fallible<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}
