//! `[camera]`: the picture that the study asks for.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CameraSettings {
    /// False: the laboratory records no camera. The networks are not loaded then.
    #[serde(skip_serializing_if = "is_true")]
    pub record: bool,
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    /// In the units of the camera's control. `None` leaves the control automatic.
    pub exposure: Option<i64>,
    pub white_balance_k: Option<i64>,
    pub focus: Option<i64>,
}

fn is_true(record: &bool) -> bool {
    *record
}

impl Default for CameraSettings {
    fn default() -> Self {
        CameraSettings {
            record: true,
            width_px: 640,
            height_px: 480,
            rate_hz: 30.0,
            exposure: None,
            white_balance_k: None,
            focus: None,
        }
    }
}
