//! Films and pictures as people have them: cut, overwritten, with pixels that are not square, in the wrong place of a
//! file, under any name. What is lost is said, and what is said to be whole is whole.

mod damage;
mod kept;
mod names;
mod pictures;
mod shape;
mod threads;

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use affectograph::session::Timeline;
use affectograph::store::SessionFile;
use serde_json::Value;

use crate::need::{need_program, need_shared};
use crate::vision_support::models;

/// FFmpeg, the networks, and a recording of `../shared`.
fn source() -> Option<PathBuf> {
    need_program("ffmpeg")?;
    need_program("ffprobe")?;
    models()?;
    need_shared("media/single_face.mp4")
}

fn ffmpeg(arguments: &[&OsStr]) {
    let made = Command::new("ffmpeg").args(["-v", "error", "-y"]).args(arguments).status().unwrap();
    assert!(made.success(), "{arguments:?}");
}

/// `how` stands between input and output, in words.
fn made(from: &Path, how: &str, to: &Path) {
    let words: Vec<&OsStr> = how.split_whitespace().map(OsStr::new).collect();
    let around = [[OsStr::new("-i"), from.as_os_str()].as_slice(), &words, &[to.as_os_str()]].concat();
    ffmpeg(&around);
}

fn run(command: &str, files: &[&Path], options: &[&str], sessions: &Path) -> Output {
    Command::new(env!("CARGO_BIN_EXE_affectograph"))
        .arg(command)
        .args(options)
        .arg("--")
        .args(files)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("AFFECTOGRAPH_SESSIONS", sessions)
        .output()
        .unwrap()
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"))).collect()
}

/// Exit code and JSON lines; several files end in any order, so they are put into that of `files`.
fn analyze(files: &[&Path], sessions: &Path) -> (i32, Vec<Value>) {
    let output = run("analyze", files, &["--participant", "sub-01", "--json"], sessions);
    let told = lines(&output);
    let ended = |file: &Path| {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let line = told.iter().find(|line| line["file"].as_str().is_some_and(|f| f.ends_with(&name)));
        line.unwrap_or_else(|| panic!("{name}: {told:?}, {}", String::from_utf8_lossy(&output.stderr))).clone()
    };
    let in_order = files.iter().map(|file| ended(file)).collect();
    (output.status.code().unwrap(), in_order)
}

fn timeline(told: &Value) -> Timeline {
    let folder = told["session"].as_str().unwrap_or_else(|| panic!("{told}"));
    SessionFile::open(Path::new(folder)).unwrap().timeline().unwrap()
}

fn mean(told: &Value, column: &str) -> f64 {
    let timeline = timeline(told);
    let series = timeline.series("affect").unwrap();
    let field = series.info.fields.iter().position(|f| f.name == column).unwrap();
    let values = series.column(field);
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64
}
