//! `affectograph analyze` on a video of 640 × 480 at 30 frames per second, including decoding, networks, JPEG and storing,
//! compared with a Python script that does the same with OpenCV and ONNX Runtime.
//!
//! `cargo bench --bench analyze`; needs FFmpeg, ONNX Runtime, the shipped networks and ../shared/media. For the script:
//! `python3 -m venv build/bench-venv && build/bench-venv/bin/pip install -r benches/requirements.txt`. Prints
//! what is missing. Criterion is not used: one run takes seconds and varies little.

#![allow(clippy::print_stderr, clippy::print_stdout, reason = "a bench prints its results and what it did not measure")]

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use affectograph::recording::{Guided, ImportedFile, SessionPlan, VideoImporter};
use affectograph::session::{AFFECT, ParticipantId, SessionNumber, Study, affect};
use affectograph::store::{SessionFile, StoredStudy};
use affectograph::vision::models_folder;
use serde_json::Value;

const FILM_S: u32 = 60;
const STUDY: &str = "name = \"bench\"\ntitle = \"Bench\"\n[page]\naddress = \"none\"\n";

/// The result of one run.
struct Measured {
    seconds: f64,
    frames: u64,
    mean_valence: f64,
}

impl Measured {
    fn times_real_time(&self) -> f64 {
        f64::from(FILM_S) / self.seconds
    }
}

fn main() {
    match film().and_then(|film| measure(&film)) {
        Ok(()) => {}
        Err(why) => eprintln!("not measured: {why}"),
    }
}

fn measure(film: &Path) -> Result<(), String> {
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    println!("a film of {FILM_S} s, 640 × 480, 30 frames a second, H.264, on {cores} cores");
    let with_one = analyzed(film, NonZeroUsize::MIN)?;
    report("affectograph analyze, one thread reads affect and compresses", &with_one);
    let ours = analyzed(film, cores)?;
    report(&format!("affectograph analyze, {cores} threads"), &ours);
    println!("ratio of times, {cores} threads to one: {:.2}", ours.seconds / with_one.seconds);
    println!(
        "aim: at least 5 × real time on two cores: {}",
        if ours.times_real_time() >= 5.0 { "met" } else { "MISSED" }
    );
    match by_script(film) {
        Ok(script) => {
            report("the Python script", &script);
            println!("ratio of times, ours to the script's: {:.2}", ours.seconds / script.seconds);
            let apart = (ours.mean_valence - script.mean_valence).abs();
            println!("mean valence: ours {:.3}, the script's {:.3}", ours.mean_valence, script.mean_valence);
            if ours.frames != script.frames || apart > 0.05 {
                return Err("the two did not do the same".to_owned());
            }
        }
        Err(why) => println!("the Python script was not measured: {why}"),
    }
    Ok(())
}

fn report(who: &str, m: &Measured) {
    let ms = 1e3 * m.seconds / m.frames as f64;
    println!("{who}: {:.2} s, {ms:.2} ms a frame, {:.1} × real time", m.seconds, m.times_real_time());
}

/// A longer version of the recording of one face. It is kept, so that all runs use the same file.
fn film() -> Result<PathBuf, String> {
    let shared = std::env::var_os("AFFECTOGRAPH_SHARED").map(PathBuf::from);
    let shared = shared.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"));
    let source = shared.join("media/single_face.mp4");
    let film = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench-film-640x480.mp4");
    if !source.is_file() {
        return Err(format!("{} is not there", source.display()));
    }
    if !film.is_file() {
        let whole = "scale=640:480:force_original_aspect_ratio=increase,crop=640:480,fps=30";
        let made = Command::new("ffmpeg")
            .args(["-v", "error", "-y", "-stream_loop", "-1", "-i"])
            .arg(&source)
            .args(["-t", &FILM_S.to_string(), "-an", "-vf", whole, "-c:v", "libx264", "-crf", "20"])
            .args(["-pix_fmt", "yuv420p"])
            .arg(&film)
            .status();
        let is_made = made.map_err(|e| format!("ffmpeg could not be started: {e}"))?.success();
        if !is_made {
            return Err("ffmpeg could not make the film".to_owned());
        }
    }
    Ok(film)
}

fn analyzed(film: &Path, threads: NonZeroUsize) -> Result<Measured, String> {
    let sentence = |e: &dyn std::fmt::Display| e.to_string();
    let models = models_folder().map_err(|e| sentence(&e))?;
    let mut films = VideoImporter::load(&models, "affect", threads).map_err(|e| sentence(&e))?;
    let tmp = tempfile::tempdir().map_err(|e| sentence(&e))?;
    let study = Study::parse(STUDY).map_err(|e| sentence(&e))?;
    let plan = SessionPlan {
        folder: tmp.path().join("session"),
        participant: ParticipantId::numbered(1),
        session: SessionNumber(1),
        study: StoredStudy::new(&study, STUDY),
        guided: Guided::default(),
        pilot: false,
        consent: None,
        revision: None,
        overridden_checks: Vec::new(),
        condition: None,
        planned: None,
    };
    let file = ImportedFile::of(film).map_err(|e| sentence(&e))?;
    let started = Instant::now();
    let outcome = films.record(film, &file, &plan, &AtomicBool::new(false), |_| {}).map_err(|e| sentence(&e))?;
    let seconds = started.elapsed().as_secs_f64();
    let frames = outcome.ok_or("it was cancelled")?.frames;
    let timeline = SessionFile::open(&plan.folder).and_then(|s| s.timeline()).map_err(|e| sentence(&e))?;
    let valence = timeline.series(AFFECT).ok_or("there are no scores")?.column(affect::VALENCE);
    let mean_valence = valence.iter().map(|v| f64::from(*v)).sum::<f64>() / valence.len().max(1) as f64;
    Ok(Measured { seconds, frames, mean_valence })
}

fn by_script(film: &Path) -> Result<Measured, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = root.join("build/bench-venv/bin/python");
    let python = std::env::var_os("AFFECTOGRAPH_BENCH_PYTHON").map_or(own, PathBuf::from);
    let tmp = tempfile::tempdir().map_err(|e| e.to_string())?;
    let models = models_folder().map_err(|e| e.to_string())?;
    let output = Command::new(&python)
        .arg(root.join("benches/analyze.py"))
        .args([film, models.as_path(), tmp.path()])
        .output()
        .map_err(|e| format!("{}: {e}", python.display()))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or("it failed").to_owned());
    }
    let told: Value = serde_json::from_slice(&output.stdout).map_err(|e| e.to_string())?;
    let number = |name: &str| told[name].as_f64().ok_or(format!("it did not say `{name}`"));
    Ok(Measured {
        seconds: number("seconds")?,
        frames: number("frames")? as u64,
        mean_valence: number("mean_valence")?,
    })
}
