//! Colours of skin from films, photographs, patches and the phantom.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Duration;

use capture::phantom::Renderer;
use capture::{CameraError, CameraSpec, Captured, Decoder};
use pulse::{Patch, SkinRow};
use session::{CameraSettings, Clock, Frame, FrameMeta, Pixels, TimeSource, Timestamp};
use vision::{Models, SkinReader, Vision, decode_picture};

use super::skin_table;

type Fallible<T> = Result<T, Box<dyn Error>>;

const RATE_HZ: f64 = 30.0;
/// Of photographs and of the phantom: its script repeats every 20 s.
const FRAMES: u64 = 1_200;
const JPEG_QUALITY: i32 = 90;

pub struct Films<'a> {
    cache: &'a Path,
    models: &'a Path,
}

/// What happens to a photograph. There is no pulse in any of them.
#[derive(Clone, Copy)]
pub enum PhotoChange {
    Still,
    Swaying,
    Flickering,
}

impl PhotoChange {
    pub const ALL: [PhotoChange; 3] = [PhotoChange::Still, PhotoChange::Swaying, PhotoChange::Flickering];

    pub fn group(self) -> &'static str {
        match self {
            PhotoChange::Still => "photographs, still",
            PhotoChange::Swaying => "photographs, swaying",
            PhotoChange::Flickering => "photographs, flickering",
        }
    }
}

impl<'a> Films<'a> {
    pub fn new(cache: &'a Path, models: &'a Path) -> Films<'a> {
        Films { cache, models }
    }

    fn cached(&self, name: &str, read: impl FnOnce(&mut Reader) -> Fallible<()>) -> Fallible<Vec<SkinRow>> {
        let path = self.cache.join(name.replace([' ', ',', '%'], "_")).with_extension("txt");
        if !path.exists() {
            let mut reader = Reader {
                vision: Vision::new(Models::load(self.models, "affect")?),
                skin: SkinReader::default(),
                decoder: Decoder::default(),
                values: Vec::new(),
            };
            read(&mut reader)?;
            skin_table::write(&path, &reader.values)?;
        }
        skin_table::read(&path)
    }

    pub fn film(&self, name: &str, path: &Path) -> Fallible<Vec<SkinRow>> {
        self.cached(name, |reader| {
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

    /// The photographs in `CACHE/photos`.
    pub fn photos(&self) -> Fallible<Vec<PathBuf>> {
        let folder = self.cache.join("photos");
        if !folder.exists() {
            println!("{} does not exist: no photographs are measured", folder.display());
            return Ok(Vec::new());
        }
        sorted(&folder)
    }

    pub fn photo(&self, path: &Path, change: PhotoChange) -> Fallible<(String, Vec<SkinRow>)> {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{}, {stem}", change.group());
        let rows = self.cached(&name, |reader| {
            let jpeg = std::fs::read(path)?;
            let photo = turbojpeg::decompress(&jpeg, turbojpeg::PixelFormat::RGB)?;
            for k in 0..FRAMES / 2 {
                let t = k as f64 / RATE_HZ;
                let pixels = changed(&photo, change, t, k);
                let picture = turbojpeg::Image { pixels: pixels.as_slice(), ..photo.as_deref() };
                reader.take_compressed(Timestamp::from_secs_f64(t), k, picture)?;
            }
            Ok(())
        })?;
        Ok((name, rows))
    }

    pub fn phantom(&self, name: &str, strength: f64) -> Fallible<Vec<SkinRow>> {
        self.cached(name, |reader| {
            let (width, height) = (640u32, 480u32);
            let mut renderer = Renderer::new(width, height).with_pulse_strength(strength);
            let mut rgb = Vec::new();
            for k in 0..FRAMES {
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
    values: Vec<skin_table::Values>,
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
            self.values.push((at, self.skin.read(&frame, &face.points)?));
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

pub fn folders(parent: &Path) -> Fallible<Vec<PathBuf>> {
    Ok(sorted(parent)?.into_iter().filter(|p| p.is_dir()).collect())
}

fn sorted(folder: &Path) -> Fallible<Vec<PathBuf>> {
    let mut paths = std::fs::read_dir(folder)?.map(|e| e.map(|e| e.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

/// Clips of patches of skin. Their colours are tables; there is no face to follow.
pub fn patches(folder: &Path) -> Fallible<Vec<SkinRow>> {
    let tables = ["forehead_rgb.csv", "leftcheek_rgb.csv", "rightcheek_rgb.csv"].map(|name| {
        let path = folder.join(name);
        path.exists().then(|| super::reference::columns(&path))
    });
    let [forehead, left, right] = tables.map(Option::transpose);
    let tables = [forehead?, left?, right?];
    let times = tables.iter().flatten().next().ok_or("no table of colours")?.iter().map(|row| row[0]).collect::<Vec<_>>();
    let patch = |table: &Option<Vec<Vec<f64>>>, k: usize| match table.as_ref().and_then(|t| t.get(k)) {
        Some(row) => Patch { rgb: [row[1], row[2], row[3]], pixels: 600.0, clipped_share: 0.0 },
        None => Patch::MISSING,
    };
    let row = |(k, t): (usize, &f64)| SkinRow {
        at: Timestamp::from_secs_f64(*t),
        skin: tables.each_ref().map(|table| patch(table, k)),
        background: Patch::MISSING,
        face_px: [0.0; 2],
        inter_ocular_px: 100.0,
        mouth_openness: 0.0,
    };
    Ok(times.iter().enumerate().map(row).collect())
}
