//! A V4L2 device without streaming: its name, its modes, and its errors as messages.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use v4l::control::{Flags, Type, Value};
use v4l::frameinterval::FrameIntervalEnum;
use v4l::framesize::FrameSizeEnum;
use v4l::video::Capture as _;
use v4l::{Device, FourCC, Fraction};

use super::controls::{ControlDoor, Listed};
use super::modes;
use super::{CameraError, DeviceId, Mode, PixelFormat};
use session::CameraSettings;

/// Supported formats by V4L2's code, best first.
pub const FORMATS: [(&[u8; 4], PixelFormat); 6] = [
    (b"MJPG", PixelFormat::Mjpeg),
    (b"JPEG", PixelFormat::Mjpeg),
    (b"YUYV", PixelFormat::Yuyv),
    (b"NV12", PixelFormat::Nv12),
    (b"RGB3", PixelFormat::Rgb),
    (b"GREY", PixelFormat::Grey),
];

/// Sizes that are listed if a camera offers a continuous range.
const USUAL_SIZES: [(u32, u32); 9] =
    [(320, 240), (640, 360), (640, 480), (800, 600), (960, 540), (1280, 720), (1280, 960), (1920, 1080), (3840, 2160)];
/// Rates that are listed if a camera offers a continuous range.
const USUAL_RATES_HZ: [f64; 10] = [5.0, 10.0, 15.0, 20.0, 24.0, 25.0, 30.0, 50.0, 60.0, 120.0];

/// A mode with its V4L2 codes.
#[derive(Clone, Debug)]
pub struct Offer {
    pub mode: Mode,
    pub fourcc: FourCC,
    pub interval: Fraction,
}

/// Converts an error of the driver to a message about the camera.
pub fn explain(id: DeviceId, action: &'static str, error: io::Error) -> CameraError {
    let address = id.to_string();
    match rustix::io::Errno::from_io_error(&error) {
        Some(rustix::io::Errno::NOENT | rustix::io::Errno::NXIO) => CameraError::NotFound { address },
        Some(rustix::io::Errno::BUSY) => CameraError::Busy { address },
        Some(rustix::io::Errno::ACCESS | rustix::io::Errno::PERM) => CameraError::NotAllowed { address },
        Some(rustix::io::Errno::NODEV) => CameraError::Gone { address },
        _ => CameraError::Device { address, action, why: error.to_string() },
    }
}

/// Runs a function and catches panics. The v4l and nokhwa crates panic on names that are not UTF-8 and on steps of 0.
pub fn guarded<T>(
    id: DeviceId,
    action: &'static str,
    what: impl FnOnce() -> Result<T, CameraError>,
) -> Result<T, CameraError> {
    catch_unwind(AssertUnwindSafe(what)).unwrap_or_else(|_| {
        let why = "its driver returned an invalid description".to_owned();
        Err(CameraError::Device { address: id.to_string(), action, why })
    })
}

pub fn open(id: DeviceId) -> Result<Device, CameraError> {
    Device::new(id.0 as usize).map_err(|e| explain(id, "open", e))
}

/// The supported modes of the device, and the codes of its unsupported formats for the error message.
pub fn offers(device: &Device, wanted: &CameraSettings) -> io::Result<(Vec<Offer>, Vec<String>)> {
    let (mut offers, mut unusable) = (Vec::new(), Vec::new());
    for description in device.enum_formats()? {
        let fourcc = description.fourcc;
        let Some((_, format)) = FORMATS.iter().find(|(code, _)| FourCC::new(code) == fourcc) else {
            unusable.push(fourcc.to_string());
            continue;
        };
        for (width_px, height_px) in sizes(device, fourcc, wanted)? {
            for interval in intervals(device, fourcc, width_px, height_px, wanted) {
                let rate_hz = f64::from(interval.denominator) / f64::from(interval.numerator);
                offers.push(Offer { mode: Mode { width_px, height_px, rate_hz, format: *format }, fourcc, interval });
            }
        }
    }
    Ok((offers, unusable))
}

fn sizes(device: &Device, fourcc: FourCC, wanted: &CameraSettings) -> io::Result<Vec<(u32, u32)>> {
    let mut sizes = Vec::new();
    for listed in device.enum_framesizes(fourcc)? {
        match listed.size {
            FrameSizeEnum::Discrete(d) => sizes.push((d.width, d.height)),
            FrameSizeEnum::Stepwise(s) => {
                let fits = |value: u32, min: u32, max: u32, step: u32| {
                    (min..=max).contains(&value) && (value - min).is_multiple_of(step.max(1))
                };
                let usual = USUAL_SIZES.into_iter().chain([(wanted.width_px, wanted.height_px)]);
                sizes.extend(usual.filter(|(w, h)| {
                    fits(*w, s.min_width, s.max_width, s.step_width)
                        && fits(*h, s.min_height, s.max_height, s.step_height)
                }));
                sizes.push((s.max_width, s.max_height));
            }
        }
    }
    // Larger sizes are errors of the driver. Four buffers of them would need a gigabyte.
    sizes.retain(|(w, h)| (16..=8192).contains(w) && (16..=8192).contains(h));
    sizes.sort_unstable();
    sizes.dedup();
    Ok(sizes)
}

fn intervals(device: &Device, fourcc: FourCC, width_px: u32, height_px: u32, wanted: &CameraSettings) -> Vec<Fraction> {
    // A driver without this list (some capture cards) keeps its rate.
    let listed = device.enum_frameintervals(fourcc, width_px, height_px).unwrap_or_default();
    let mut intervals = Vec::new();
    for listed in listed {
        match listed.interval {
            FrameIntervalEnum::Discrete(f) => intervals.push(f),
            FrameIntervalEnum::Stepwise(s) => {
                let seconds = |f: &Fraction| f64::from(f.numerator) / f64::from(f.denominator.max(1));
                let range = seconds(&s.min)..=seconds(&s.max);
                let usual = USUAL_RATES_HZ.into_iter().chain([wanted.rate_hz]);
                intervals.extend(usual.filter(|hz| range.contains(&(1.0 / hz))).map(interval_of));
                intervals.push(s.min);
            }
        }
    }
    if intervals.is_empty() {
        intervals.extend(device.params().ok().map(|p| p.interval));
    }
    intervals.retain(|f| f.numerator > 0 && f.denominator > 0);
    intervals
}

fn interval_of(rate_hz: f64) -> Fraction {
    let whole = rate_hz.round();
    if (rate_hz - whole).abs() < 1e-6 && whole >= 1.0 {
        Fraction::new(1, whole as u32)
    } else {
        Fraction::new(1000, (rate_hz * 1000.0).round().max(1.0) as u32)
    }
}

/// The modes of a list of offers, for the user to choose from.
pub fn modes_of(offers: &[Offer]) -> Vec<Mode> {
    let mut modes: Vec<Mode> = offers.iter().map(|o| o.mode).collect();
    modes::sort(&mut modes);
    modes
}

/// A device's controls through the v4l crate.
pub struct V4lControls<'a>(pub &'a Device);

impl ControlDoor for V4lControls<'_> {
    fn list(&self) -> Result<Vec<Listed>, String> {
        let descriptions = match self.0.query_controls() {
            Ok(d) => d,
            // A driver without controls returns this error.
            Err(e) if matches!(e.raw_os_error(), Some(22 | 25)) => Vec::new(),
            Err(e) => return Err(e.to_string()),
        };
        Ok(descriptions
            .into_iter()
            .filter(|d| !d.flags.intersects(Flags::DISABLED | Flags::READ_ONLY | Flags::WRITE_ONLY))
            .filter(|d| matches!(d.typ, Type::Integer | Type::Boolean | Type::Menu))
            .filter_map(|d| {
                let value = match self.0.control(d.id).ok()?.value {
                    Value::Integer(v) => v,
                    Value::Boolean(v) => i64::from(v),
                    _ => return None,
                };
                Some(Listed {
                    number: d.id,
                    name: d.name,
                    minimum: d.minimum,
                    maximum: d.maximum,
                    step: i64::try_from(d.step).unwrap_or(1),
                    default: d.default,
                    value,
                    is_switch: d.typ == Type::Boolean,
                })
            })
            .collect())
    }

    fn set(&mut self, control: &Listed, value: i64) -> Result<(), String> {
        let value = if control.is_switch { Value::Boolean(value != 0) } else { Value::Integer(value) };
        self.0.set_control(v4l::Control { id: control.number, value }).map_err(|e| e.to_string())
    }
}
