//! A rendered camera: a head that follows a known script, with a known pulse in its skin and a number in every frame. The
//! recorded values can be compared with the script ([`script::at`]).

mod geometry;
mod grain;
mod math;
mod raster;
mod render;
pub mod script;
mod skin;
mod strip;

use std::time::Duration;

use serde::{Deserialize, Serialize};

pub use render::Renderer;
pub use script::PhantomState;
pub use strip::read_frame_number;

use super::{Camera, CameraError, CameraInfo, CameraKind, Captured, CapturedFrame, Mode, PixelFormat};
use session::{Clock, Pixels, TimeSource, Timestamp};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PhantomSettings {
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    /// The source ends after this time. `None`: it does not end.
    pub duration: Option<Duration>,
}

impl Default for PhantomSettings {
    fn default() -> Self {
        PhantomSettings { width_px: 640, height_px: 480, rate_hz: 30.0, duration: None }
    }
}

/// Frame k is due at `start + k / rate`. It is stamped with this time and rendered for it, even if it is read late. A
/// calibration source delivers every frame.
pub struct Phantom {
    info: CameraInfo,
    renderer: Renderer,
    clock: Clock,
    start: Timestamp,
    next_number: u64,
    frames: Option<u64>,
}

impl Phantom {
    /// Sizes are limited to 16 … 4096 px and rates to 1 … 240 Hz.
    pub fn open(settings: &PhantomSettings, clock: &Clock) -> Phantom {
        let mode = Mode {
            width_px: settings.width_px.clamp(16, 4096),
            height_px: settings.height_px.clamp(16, 4096),
            rate_hz: if settings.rate_hz.is_finite() { settings.rate_hz.clamp(1.0, 240.0) } else { 30.0 },
            format: PixelFormat::Rgb,
        };
        let frames = settings.duration.map(|d| (d.as_secs_f64() * mode.rate_hz).round() as u64);
        let info = CameraInfo {
            name: "Phantom".to_owned(),
            kind: CameraKind::Phantom,
            address: "phantom".to_owned(),
            bus: None,
            mode,
            is_live: true,
            expected_frames: frames,
            controls: Vec::new(),
            notes: Vec::new(),
        };
        let renderer = Renderer::new(mode.width_px, mode.height_px);
        Phantom { info, renderer, clock: *clock, start: clock.now(), next_number: 0, frames }
    }

    /// The due time of frame `number`, without the drift of a sum of rounded intervals.
    fn due(&self, number: u64) -> Timestamp {
        self.start + Duration::from_nanos((number as f64 * 1e9 / self.info.mode.rate_hz).round() as u64)
    }
}

impl Camera for Phantom {
    fn info(&self) -> &CameraInfo {
        &self.info
    }

    fn next(&mut self, timeout: Duration) -> Result<Captured, CameraError> {
        if self.frames.is_some_and(|frames| self.next_number >= frames) {
            return Ok(Captured::End);
        }
        let at = self.due(self.next_number);
        let early_ns = u64::try_from(at.since_ns(self.clock.now())).unwrap_or(0);
        let early = Duration::from_nanos(early_ns);
        if early > timeout {
            std::thread::sleep(timeout);
            return Err(CameraError::Silent { waited: timeout });
        }
        std::thread::sleep(early);
        let number = self.next_number;
        self.next_number += 1;
        let mut rgb = Vec::new();
        self.renderer.render(at, number, &mut rgb);
        Ok(Captured::Frame(CapturedFrame {
            at,
            time_source: TimeSource::Rendered,
            device_sequence: Some(number),
            width_px: self.info.mode.width_px,
            height_px: self.info.mode.height_px,
            pixels: Pixels::Rgb(rgb),
        }))
    }
}
