//! Identifies a connected camera and the library that reads it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A camera's number: `/dev/video<N>` on Linux, its place in the system's list elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeviceId(pub u32);

impl fmt::Display for DeviceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if cfg!(target_os = "linux") { write!(f, "/dev/video{}", self.0) } else { write!(f, "{}", self.0) }
    }
}

/// Which code speaks to a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Backend {
    /// Linux only. Knows sequence numbers, damaged frames and the driver's time.
    V4l,
    /// Every system.
    Nokhwa,
}

impl Default for Backend {
    fn default() -> Self {
        if cfg!(target_os = "linux") { Backend::V4l } else { Backend::Nokhwa }
    }
}
