//! Identifies a connected camera and the library that reads it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A camera's number: N of `/dev/videoN` on Linux, the index in the system's list elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub u32);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if cfg!(target_os = "linux") { write!(f, "/dev/video{}", self.0) } else { write!(f, "{}", self.0) }
    }
}

/// The library that reads a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Linux only. It provides sequence numbers, flags of damaged frames and the driver's time.
    V4l,
    /// All systems.
    Nokhwa,
}

impl Default for Backend {
    fn default() -> Self {
        if cfg!(target_os = "linux") { Backend::V4l } else { Backend::Nokhwa }
    }
}
