//! What the camera tests stand on: the virtual camera, compiled here, and the pictures that it plays.
//!
//! `LD_PRELOAD` works only from a program's start, so each test runs itself again as a child that has it, once for each
//! backend.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use affectograph::capture::{
    Backend, CameraSpec, Capture, CaptureEvent, Decoder, DeviceId, Mode, Pace, PixelFormat, Sinks, to_grey,
};
use affectograph::session::{CameraSettings, Clock, Latest, SharedFrame};
use crossbeam_channel::{Receiver, bounded};

use crate::need::need;

/// How many different pictures each mode has before it begins again.
pub const PICTURES: u64 = 64;
pub const MJPEG: Mode = Mode { width_px: 640, height_px: 480, rate_hz: 30.0, format: PixelFormat::Mjpeg };
pub const YUYV: Mode = Mode { width_px: 320, height_px: 240, rate_hz: 30.0, format: PixelFormat::Yuyv };
const BACKEND: &str = "AFFECTOGRAPH_TEST_BACKEND";

/// Runs `body` on a virtual camera with these knobs (see `tests/vcam/vcam.c`), once with each backend.
pub fn on_the_virtual_camera(test: &str, knobs: &[(&str, &str)], body: fn(Backend)) {
    match std::env::var(BACKEND).as_deref() {
        Ok("v4l") => return body(Backend::V4l),
        Ok(_) => return body(Backend::Nokhwa),
        Err(_) => {}
    }
    let Some(library) = library() else { return };
    for backend in ["v4l", "nokhwa"] {
        let output = Command::new(std::env::current_exe().unwrap())
            .args([&format!("camera::{test}"), "--exact", "--nocapture", "--test-threads=1"])
            .env(BACKEND, backend)
            .env("LD_PRELOAD", &library.shim)
            .env("VCAM_MODES", &library.modes)
            .envs(knobs.iter().copied())
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "with the {backend} backend:\n{text}");
    }
}

struct Library {
    shim: PathBuf,
    modes: String,
}

fn library() -> Option<&'static Library> {
    static LIBRARY: OnceLock<Option<Library>> = OnceLock::new();
    LIBRARY.get_or_init(build).as_ref()
}

fn build() -> Option<Library> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("vcam");
    std::fs::create_dir_all(&folder).unwrap();
    let own = |name: &str| folder.join(format!("{name}.{}", std::process::id()));
    let shim = folder.join("vcam.so");
    let built = Command::new("cc")
        .args(["-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-O1", "-o"])
        .arg(own("so"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vcam/vcam.c"))
        .args(["-ldl", "-lpthread"])
        .status();
    let status = need("the C compiler `cc`", built)?;
    assert!(status.success(), "the virtual camera does not compile");
    // Renamed, so that another run of the tests never loads half a file.
    std::fs::rename(own("so"), &shim).unwrap();
    let mut modes = Vec::new();
    for (code, mode, interval) in
        [("MJPG", MJPEG, "1/30"), ("YUYV", YUYV, "1/30"), ("YUYV", YUYV, "1001/30000"), ("MJPG", MJPEG, "1/15")]
    {
        let (w, h) = (mode.width_px, mode.height_px);
        let path = folder.join(format!("{w}x{h}.{code}"));
        if interval == "1/30" {
            let bytes: Vec<u8> = (0..PICTURES).flat_map(|k| framed(&picture(mode, k))).collect();
            std::fs::write(own(code), bytes).unwrap();
            std::fs::rename(own(code), &path).unwrap();
        }
        modes.push(format!("{code}:{w}x{h}:{interval}:{}", path.display()));
    }
    Some(Library { shim, modes: modes.join(",") })
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut framed = (bytes.len() as u32).to_le_bytes().to_vec();
    framed.extend_from_slice(bytes);
    framed
}

/// Sensor noise over a slope, with the picture's number as black and white blocks along the top.
fn picture(mode: Mode, number: u64) -> Vec<u8> {
    let (w, h) = (mode.width_px as usize, mode.height_px as usize);
    let mut noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut luma = |x: usize, y: usize| {
        noise ^= noise << 13;
        noise ^= noise >> 7;
        noise ^= noise << 17;
        if y < h / 8 {
            let is_set = number >> (x * BITS / w) & 1 == 1;
            return if is_set { 235 } else { 16 };
        }
        (40 + 150 * (x + y) / (w + h) + (noise >> 60) as usize) as u8
    };
    let grey: Vec<u8> = (0..w * h).map(|i| luma(i % w, i / w)).collect();
    match mode.format {
        PixelFormat::Yuyv => grey.iter().flat_map(|y| [*y, 128]).collect(),
        _ => {
            let rgb: Vec<u8> = grey.iter().flat_map(|y| [*y, *y, y / 2]).collect();
            let format = turbojpeg::PixelFormat::RGB;
            let image = turbojpeg::Image { pixels: rgb.as_slice(), width: w, pitch: 3 * w, height: h, format };
            turbojpeg::compress(image, 80, turbojpeg::Subsamp::Sub2x1).unwrap().to_vec()
        }
    }
}

const BITS: usize = 8;

/// The number that stands in a frame's picture.
pub fn number_in(frame: &SharedFrame) -> u64 {
    let grey = to_grey(frame, &mut Decoder::default()).unwrap();
    let (w, h) = (grey.width_px as usize, grey.height_px as usize);
    let bit = |b: usize| u64::from(grey.pixels[h / 16 * w + (2 * b + 1) * w / (2 * BITS)] > 128) << b;
    (0..BITS).map(bit).sum()
}

pub fn device(backend: Backend, mode: Mode) -> CameraSpec {
    CameraSpec::Device { id: DeviceId(0), backend, mode: Some(mode) }
}

/// A running capture with all its ends.
pub struct Rig {
    pub capture: Capture,
    pub store: Receiver<SharedFrame>,
    pub events: Receiver<CaptureEvent>,
    pub clock: Clock,
}

impl Rig {
    pub fn start(spec: CameraSpec, store_len: usize, pace: Pace) -> Rig {
        let clock = Clock::start();
        let (to_store, store) = bounded(store_len);
        let (to_events, events) = bounded(256);
        let (vision, preview) = (Latest::default(), Latest::default());
        let sinks = Sinks { store: Some(to_store), vision, preview, events: to_events, pace };
        let capture = Capture::start(spec, CameraSettings::default(), clock, sinks).unwrap();
        Rig { capture, store, events, clock }
    }

    pub fn frames(&self, count: usize) -> Vec<SharedFrame> {
        let frame = |k| match self.store.recv_timeout(Duration::from_secs(20)) {
            Ok(frame) => frame,
            Err(e) => panic!("frame {k} of {count}: {e}; {:?}", self.events.try_iter().collect::<Vec<_>>()),
        };
        (0..count).map(frame).collect()
    }

    /// Waits for the first event that `wanted` knows, and returns what it makes of it.
    pub fn event<T>(&self, wanted: impl Fn(&CaptureEvent) -> Option<T>) -> T {
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut seen = Vec::new();
        loop {
            match self.events.recv_deadline(deadline) {
                Ok(event) => match wanted(&event) {
                    Some(found) => return found,
                    None => seen.push(event),
                },
                Err(e) => panic!("the event did not come ({e}), but {seen:#?}"),
            }
        }
    }
}
