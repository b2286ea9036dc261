//! Exposure, white balance and focus through nokhwa.

use nokhwa::utils::{ControlValueDescription, ControlValueSetter, KnownCameraControl};

use super::controls::{ControlDoor, Listed};

/// A camera's controls through nokhwa.
pub struct NokhwaControls<'a>(pub &'a mut nokhwa::Camera);

const WHITE_BALANCE: u32 = 0x98091a;
const EXPOSURE: u32 = 0x9a0902;
const FOCUS: u32 = 0x9a090a;

/// V4L2's number of a nokhwa control. On Linux, nokhwa passes unknown numbers through.
fn number_of(control: KnownCameraControl) -> Option<u32> {
    match control {
        KnownCameraControl::WhiteBalance => Some(WHITE_BALANCE),
        KnownCameraControl::Exposure if cfg!(not(target_os = "linux")) => Some(EXPOSURE),
        KnownCameraControl::Focus if cfg!(not(target_os = "linux")) => Some(FOCUS),
        KnownCameraControl::Other(n) if cfg!(target_os = "linux") => u32::try_from(n).ok(),
        _ => None,
    }
}

fn control_of(number: u32) -> KnownCameraControl {
    match number {
        WHITE_BALANCE => KnownCameraControl::WhiteBalance,
        EXPOSURE if cfg!(not(target_os = "linux")) => KnownCameraControl::Exposure,
        FOCUS if cfg!(not(target_os = "linux")) => KnownCameraControl::Focus,
        n => KnownCameraControl::Other(u128::from(n)),
    }
}

impl ControlDoor for NokhwaControls<'_> {
    fn list(&self) -> Result<Vec<Listed>, String> {
        // nokhwa returns an error for a camera without controls.
        let controls = self.0.camera_controls().unwrap_or_default();
        Ok(controls
            .into_iter()
            .filter_map(|c| {
                let number = number_of(c.control())?;
                let (minimum, maximum, step, default, value, is_switch) = match *c.description() {
                    ControlValueDescription::Integer { value, default, step } => {
                        (i64::MIN, i64::MAX, step, default, value, false)
                    }
                    ControlValueDescription::IntegerRange { min, max, value, step, default } => {
                        (min, max, step, default, value, false)
                    }
                    ControlValueDescription::Boolean { value, default } => {
                        (0, 1, 1, i64::from(default), i64::from(value), true)
                    }
                    _ => return None,
                };
                Some(Listed { number, name: c.name().to_owned(), minimum, maximum, step, default, value, is_switch })
            })
            .collect())
    }

    fn set(&mut self, control: &Listed, value: i64) -> Result<(), String> {
        let wanted = if control.is_switch {
            ControlValueSetter::Boolean(value != 0)
        } else {
            ControlValueSetter::Integer(value)
        };
        self.0.set_camera_control(control_of(control.number), wanted).map_err(|e| e.to_string())
    }
}
