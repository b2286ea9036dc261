//! Pictures of films that sessions keep: any picture, steps, a scrub, play. Beside them: FFmpeg started for each picture.
//!
//! `cargo bench --bench review`. Needs FFmpeg with libx264 and libx265.

#![allow(clippy::print_stdout, reason = "a bench prints its results")]

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use affectograph::capture::{FilmFrames, ReadPacket, index_film};
use affectograph::session::FilmOrder;
use affectograph::store::{FilmFile, FilmKeeping, keep_film};

const FRAMES: usize = 600;
/// Pictures of one series.
const SERIES: usize = 60;
/// A person does not jump faster than this. The process for the next jump starts meanwhile.
const BETWEEN_JUMPS: Duration = Duration::from_millis(200);
/// Key frames each second, as telephones and `h264` recordings have them.
const FILMS: [(&str, &str); 2] = [
    ("H.264", "-c:v libx264 -preset medium -g 30 -bf 2"),
    ("HEVC", "-c:v libx265 -preset fast -x265-params keyint=30:log-level=none"),
];

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    println!("640 × 480 at 30 Hz, a key frame each second; ms a picture: median, 95 %, longest");
    for (name, codec) in FILMS {
        let film = dir.path().join(format!("{name}.mp4"));
        make(&film, codec)?;
        let mut pictures = Pictures::open(&film, &dir.path().join(name))?;
        let jumps: Vec<usize> = (0..SERIES).map(|k| (k * 7919 + 311) % FRAMES).collect();
        report(&format!("{name}, any picture, {} ms apart", BETWEEN_JUMPS.as_millis()), || {
            jumps
                .iter()
                .map(|k| {
                    std::thread::sleep(BETWEEN_JUMPS);
                    pictures.timed(*k)
                })
                .collect()
        })?;
        report(&format!("{name}, any picture, without a pause"), || {
            jumps.iter().map(|k| pictures.timed(*k)).collect()
        })?;
        pictures.timed(200)?;
        report(&format!("{name}, steps forward"), || (201..201 + SERIES).map(|k| pictures.timed(k)).collect())?;
        report(&format!("{name}, steps back"), || (201 - SERIES..201).rev().map(|k| pictures.timed(k)).collect())?;
        report(&format!("{name}, scrub, every fifth picture"), || {
            (0..SERIES).map(|k| pictures.timed(5 * k)).collect()
        })?;
        report(&format!("{name}, play"), || (0..SERIES).map(|k| pictures.timed(k)).collect())?;
        report(&format!("{name}, any picture, beside it: `ffmpeg -ss` for each"), || {
            jumps.iter().take(20).map(|k| seek(&film, *k)).collect()
        })?;
    }
    Ok(())
}

fn make(film: &Path, codec: &str) -> Result<(), Failure> {
    let source = "testsrc2=size=640x480:rate=30,noise=alls=6:allf=t,format=yuv420p";
    let made = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-f", "lavfi", "-i", source, "-frames:v", &FRAMES.to_string()])
        .args(codec.split_whitespace())
        .arg(film)
        .status()?;
    if made.success() { Ok(()) } else { Err(format!("FFmpeg could not make {}", film.display()).into()) }
}

/// The pictures of a film in their order of display.
struct Pictures {
    frames: FilmFrames,
    shown: Vec<usize>,
}

impl Pictures {
    fn open(film: &Path, folder: &Path) -> Result<Pictures, Failure> {
        let index = index_film(film, false)?;
        let decoding = index.decoding.ok_or("the film is no sequence of JPEGs")?;
        let json = Some(decoding.to_json()?);
        let (kept, packets) =
            keep_film(folder, film, FilmKeeping::Inside, (json, decoding.head().to_vec()), index.packets)?;
        let order = FilmOrder::of(&packets).ok_or("the film has no order")?;
        let mut shown: Vec<usize> = (0..packets.len()).collect();
        shown.sort_by_key(|k| order.rank(*k));
        let file = FilmFile::new(&kept, folder);
        let read: ReadPacket = Arc::new(move |packet| file.packet(packet).map_err(|e| e.to_string()));
        let frames = FilmFrames::new(decoding, packets.into(), read).ok_or("the film has no order")?;
        Ok(Pictures { frames, shown })
    }

    fn timed(&mut self, number: usize) -> Result<f64, Failure> {
        let start = Instant::now();
        self.frames.picture(self.shown[number])?;
        Ok(start.elapsed().as_secs_f64() * 1e3)
    }
}

fn seek(film: &Path, number: usize) -> Result<f64, Failure> {
    let start = Instant::now();
    let at_s = format!("{:.4}", number as f64 / 30.0);
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-threads", "1", "-ss", &at_s, "-i"])
        .arg(film)
        .args(["-frames:v", "1", "-f", "rawvideo", "pipe:1"])
        .output()?;
    if output.stdout.is_empty() {
        return Err("FFmpeg gave no picture".into());
    }
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

fn report(what: &str, run: impl FnOnce() -> Result<Vec<f64>, Failure>) -> Result<(), Failure> {
    let mut ms = run()?;
    ms.sort_by(f64::total_cmp);
    let at = |share: f64| ms[((ms.len() - 1) as f64 * share).round() as usize];
    println!("{what}: {:.1}, {:.1}, {:.1}", at(0.5), at(0.95), at(1.0));
    Ok(())
}
