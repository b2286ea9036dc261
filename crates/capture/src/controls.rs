//! Exposure, white balance and focus: finds them among a camera's controls, reads them and fixes them.

use super::{Control, ControlKind};
use session::CameraSettings;

/// V4L2's control numbers. They are passed to nokhwa, too, because its own number for exposure is the old one.
struct Numbers {
    kind: ControlKind,
    value: u32,
    automatic: u32,
    /// The values of the automatic control.
    automatic_on: &'static [i64],
    automatic_off: i64,
}

const NUMBERS: [Numbers; 3] = [
    // A menu: 0 automatic, 1 manual, 2 shutter priority, 3 aperture priority (what webcams call automatic).
    Numbers {
        kind: ControlKind::Exposure,
        value: 0x9a0902,
        automatic: 0x9a0901,
        automatic_on: &[3, 0],
        automatic_off: 1,
    },
    Numbers {
        kind: ControlKind::WhiteBalance,
        value: 0x98091a,
        automatic: 0x98090c,
        automatic_on: &[1],
        automatic_off: 0,
    },
    Numbers { kind: ControlKind::Focus, value: 0x9a090a, automatic: 0x9a090c, automatic_on: &[1], automatic_off: 0 },
];

/// One control as the driver lists it.
#[derive(Clone, Debug)]
pub struct Listed {
    pub number: u32,
    pub name: String,
    pub minimum: i64,
    pub maximum: i64,
    pub step: i64,
    pub default: i64,
    pub value: i64,
    /// A switch, not a number.
    pub is_switch: bool,
}

/// Access to a camera's controls, independent of the library.
pub trait ControlDoor {
    fn list(&self) -> Result<Vec<Listed>, String>;
    fn set(&mut self, control: &Listed, value: i64) -> Result<(), String>;
}

/// The supported controls with their current values.
pub fn read(door: &dyn ControlDoor) -> Result<Vec<Control>, String> {
    let listed = door.list()?;
    Ok(NUMBERS
        .iter()
        .filter_map(|n| {
            let value = find(&listed, n.value)?;
            Some(Control {
                kind: n.kind,
                name: value.name.clone(),
                minimum: value.minimum,
                maximum: value.maximum,
                step: value.step,
                default: value.default,
                value: value.value,
                is_automatic: find(&listed, n.automatic).map(|a| a.value != n.automatic_off),
            })
        })
        .collect())
}

/// Fixes the controls that the settings contain. The others stay automatic. Returns one message per failure.
pub fn apply(door: &mut dyn ControlDoor, settings: &CameraSettings) -> Vec<String> {
    let listed = match door.list() {
        Ok(listed) => listed,
        Err(why) => return vec![format!("the camera's controls could not be listed: {why}")],
    };
    NUMBERS.iter().filter_map(|n| apply_one(door, &listed, n, n.kind.wanted(settings)).err()).collect()
}

fn apply_one(door: &mut dyn ControlDoor, listed: &[Listed], n: &Numbers, wanted: Option<i64>) -> Result<(), String> {
    let kind = n.kind;
    let automatic = find(listed, n.automatic);
    let Some(wanted) = wanted else {
        let Some(automatic) = automatic.filter(|a| a.value == n.automatic_off) else { return Ok(()) };
        // Cameras differ in their automatic modes. The first accepted one is used.
        let mut tried = n.automatic_on.iter().map(|on| door.set(automatic, *on));
        return match tried.find_map(Result::ok) {
            Some(()) => Ok(()),
            None => Err(format!("{kind} could not be set to automatic")),
        };
    };
    let Some(value) = find(listed, n.value) else {
        return Err(format!("{kind} cannot be fixed: this camera has no such control"));
    };
    if !(value.minimum..=value.maximum).contains(&wanted) {
        return Err(format!("{kind} {wanted} is outside this camera's {} to {}", value.minimum, value.maximum));
    }
    let failed = |why| format!("{kind} could not be fixed at {wanted}: {why}");
    if let Some(automatic) = automatic.filter(|a| a.value != n.automatic_off) {
        door.set(automatic, n.automatic_off).map_err(failed)?;
    }
    door.set(value, wanted).map_err(failed)
}

fn find(listed: &[Listed], number: u32) -> Option<&Listed> {
    listed.iter().find(|l| l.number == number)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Webcam(Vec<Listed>);

    impl Webcam {
        fn new() -> Self {
            let listed = |number, maximum, value, is_switch| Listed {
                number,
                name: format!("{number:x}"),
                minimum: 0,
                maximum,
                step: 1,
                default: 0,
                value,
                is_switch,
            };
            Webcam(vec![
                listed(0x9a0901, 3, 3, false),
                listed(0x9a0902, 5000, 250, false),
                listed(0x98090c, 1, 1, true),
                listed(0x98091a, 7500, 4000, false),
            ])
        }
    }

    impl ControlDoor for Webcam {
        fn list(&self) -> Result<Vec<Listed>, String> {
            Ok(self.0.clone())
        }
        fn set(&mut self, control: &Listed, value: i64) -> Result<(), String> {
            // As uvcvideo: a value is refused in automatic mode, and there is no fully automatic exposure.
            let automatic = self.0.iter().any(|l| l.number + 1 == control.number && l.value == 3);
            if automatic || (control.number == 0x9a0901 && value == 0) {
                return Err("Permission denied".into());
            }
            self.0.iter_mut().filter(|l| l.number == control.number).for_each(|l| l.value = value);
            Ok(())
        }
    }

    #[test]
    fn fixing_switches_the_automatic_off_first_and_leaving_switches_it_on() {
        let mut webcam = Webcam::new();
        let fixed = CameraSettings { exposure: Some(120), white_balance_k: Some(5000), ..Default::default() };
        assert_eq!(apply(&mut webcam, &fixed), Vec::<String>::new());
        let state = |w: &Webcam| read(w).unwrap().iter().map(|c| (c.kind, c.value, c.is_automatic)).collect::<Vec<_>>();
        assert_eq!(
            state(&webcam),
            [(ControlKind::Exposure, 120, Some(false)), (ControlKind::WhiteBalance, 5000, Some(false))]
        );
        assert_eq!(apply(&mut webcam, &CameraSettings::default()), Vec::<String>::new());
        assert!(state(&webcam).iter().all(|c| c.2 == Some(true)));
    }

    #[test]
    fn what_cannot_be_done_is_said() {
        let wishes = CameraSettings { exposure: Some(9999), focus: Some(3), ..Default::default() };
        let notes = apply(&mut Webcam::new(), &wishes);
        assert_eq!(
            notes,
            [
                "exposure 9999 is outside this camera's 0 to 5000",
                "focus cannot be fixed: this camera has no such control"
            ]
        );
    }
}
