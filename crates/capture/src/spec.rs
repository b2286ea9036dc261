//! Parses the choice of a camera and opens it.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use super::device_id::{Backend, DeviceId};
use super::file_camera::FileCamera;
use super::nokhwa_camera::NokhwaCamera;
use super::phantom::{Phantom, PhantomSettings};
#[cfg(target_os = "linux")]
use super::v4l_camera::V4lCamera;
use super::{Camera, CameraError, Mode};
use session::{CameraSettings, Clock};

const PHANTOM: &str = "phantom";

/// A requested source of frames.
#[derive(Clone, Debug, PartialEq)]
pub enum CameraSpec {
    /// With `mode: None`, the mode nearest to the settings is used.
    Device {
        id: DeviceId,
        backend: Backend,
        mode: Option<Mode>,
    },
    File(PathBuf),
    /// The rendered calibration source, at the settings' size and rate.
    Phantom,
}

impl FromStr for CameraSpec {
    type Err = CameraError;

    fn from_str(s: &str) -> Result<Self, CameraError> {
        let device = |number| CameraSpec::Device { id: DeviceId(number), backend: Backend::default(), mode: None };
        if s == PHANTOM {
            return Ok(CameraSpec::Phantom);
        }
        if let Ok(number) = s.parse() {
            return Ok(device(number));
        }
        if s.starts_with("/dev/") {
            // Udev's stable names (`/dev/v4l/by-id/…`) are links to the device node.
            let node = std::fs::canonicalize(s).unwrap_or_else(|_| PathBuf::from(s));
            let number = node.to_str().and_then(|n| n.strip_prefix("/dev/video")).and_then(|n| n.parse().ok());
            return number.map(device).ok_or_else(|| CameraError::BadSpec(s.to_owned()));
        }
        if s.trim().is_empty() {
            return Err(CameraError::BadSpec(s.to_owned()));
        }
        Ok(CameraSpec::File(PathBuf::from(s)))
    }
}

impl fmt::Display for CameraSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CameraSpec::Device { id, .. } => id.fmt(f),
            CameraSpec::File(path) => path.display().fmt(f),
            CameraSpec::Phantom => f.write_str(PHANTOM),
        }
    }
}

/// Opens a camera and applies the settings. [`super::CameraInfo::notes`] lists what failed.
pub fn open(spec: &CameraSpec, settings: &CameraSettings, clock: &Clock) -> Result<Box<dyn Camera>, CameraError> {
    Ok(match spec {
        #[cfg(target_os = "linux")]
        CameraSpec::Device { id, backend: Backend::V4l, mode } => {
            Box::new(V4lCamera::open(*id, mode.as_ref(), settings, clock)?)
        }
        #[cfg(not(target_os = "linux"))]
        CameraSpec::Device { id, backend: Backend::V4l, .. } => {
            let why = "the V4L2 backend exists only on Linux: use nokhwa".to_owned();
            return Err(CameraError::Device { address: id.to_string(), action: "open", why });
        }
        CameraSpec::Device { id, backend: Backend::Nokhwa, mode } => {
            Box::new(NokhwaCamera::open(*id, mode.as_ref(), settings, clock)?)
        }
        CameraSpec::File(path) => Box::new(FileCamera::open(path, clock)?),
        CameraSpec::Phantom => {
            let CameraSettings { width_px, height_px, rate_hz, .. } = *settings;
            Box::new(Phantom::open(&PhantomSettings { width_px, height_px, rate_hz, duration: None }, clock))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_is_understood_and_written_back() {
        for (written, shown) in
            [("0", "/dev/video0"), ("/dev/video12", "/dev/video12"), ("a b.mp4", "a b.mp4"), ("phantom", "phantom")]
        {
            let spec: CameraSpec = written.parse().unwrap();
            if cfg!(target_os = "linux") {
                assert_eq!(spec.to_string(), shown);
            }
            assert_eq!(spec.to_string().parse::<CameraSpec>().unwrap(), spec);
        }
        for bad in ["/dev/null", "/dev/videoX", "", " "] {
            assert!(bad.parse::<CameraSpec>().unwrap_err().to_string().contains("is not a camera"), "{bad}");
        }
    }
}
