//! What the tests of this room share: finding runtime, networks and recordings, and saying why a test cannot run.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use affectograph::vision::{CARD_FILE, Colour, Models, OwnedPicture, Runtime, models_folder};

use crate::need::{need, need_program};

pub fn project_root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn runtime() -> Option<Runtime> {
    need("ONNX Runtime", Runtime::get())
}

/// The folder of a shipped network, or `None` with a printed reason where it is absent.
pub fn network_folder(name: &str) -> Option<PathBuf> {
    let folder = need("the networks", models_folder())?.join(name);
    let is_there = folder.join(CARD_FILE).is_file();
    need(&format!("the network `{name}`"), is_there.then_some(()).ok_or(format!("{} has no card", folder.display())))?;
    Some(folder)
}

/// The shipped networks, or `None` with a printed reason where they or the runtime are absent.
pub fn models() -> Option<Models> {
    runtime()?;
    let folders = ["detector", "landmarks", "affect"].map(network_folder);
    let [_, _, Some(affect)] = folders.each_ref() else { return None };
    if folders.iter().any(Option::is_none) {
        return None;
    }
    Some(Models::load(affect.parent()?, "affect").unwrap())
}

/// Every frame of a recording as grey pictures with its rate in Hz, through the program `ffmpeg`.
pub fn grey_frames(path: &Path) -> Option<(Vec<OwnedPicture>, f64)> {
    need_program("ffprobe")?;
    let probe = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height,avg_frame_rate"])
        .args(["-of", "csv=p=0"])
        .arg(path)
        .output()
        .unwrap();
    let line = String::from_utf8(probe.stdout).unwrap();
    let fields: Vec<&str> = line.trim().trim_end_matches(',').split(',').collect();
    let (width_px, height_px): (u32, u32) = (fields[0].parse().unwrap(), fields[1].parse().unwrap());
    let (over, under) = fields[2].split_once('/').unwrap();
    let rate_hz = over.parse::<f64>().unwrap() / under.parse::<f64>().unwrap();
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-i"])
        .arg(path)
        .args(["-f", "rawvideo", "-pix_fmt", "gray", "-fps_mode", "passthrough", "-"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let size = (width_px * height_px) as usize;
    let frames = output.stdout.chunks_exact(size);
    let picture = |p: &[u8]| OwnedPicture { width_px, height_px, colour: Colour::Grey, pixels: p.to_vec() };
    Some((frames.map(picture).collect(), rate_hz))
}
