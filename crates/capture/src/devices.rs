//! Lists the cameras of this computer, for the set-up screen and for finding a lost camera.

use super::{CameraError, Control, DeviceId, Mode};

/// One camera. A camera that cannot be used is listed with the reason.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceInfo {
    pub id: DeviceId,
    pub name: String,
    /// Its port. It distinguishes two cameras of the same model.
    pub bus: Option<String>,
    pub modes: Vec<Mode>,
    pub controls: Vec<Control>,
    /// Why it cannot be used at present.
    pub trouble: Option<String>,
}

/// Lists cameras by number. Nodes that are not cameras are left out. A webcam's second node has only metadata.
pub fn list_devices() -> Result<Vec<DeviceInfo>, CameraError> {
    system::list()
}

/// Finds a lost camera, possibly with another number: the camera at the same port, otherwise the only one of that name.
pub fn find_again(name: &str, bus: Option<&str>) -> Result<Option<DeviceId>, CameraError> {
    Ok(pick(&system::identify()?, name, bus))
}

fn pick(present: &[(DeviceId, String, Option<String>)], name: &str, bus: Option<&str>) -> Option<DeviceId> {
    let of_that_name = || present.iter().filter(|(_, n, _)| n == name);
    let same_place = of_that_name().find(|(_, _, b)| bus.is_some() && b.as_deref() == bus);
    let mut rest = of_that_name();
    let only = match (rest.next(), rest.next()) {
        (Some(only), None) => Some(only),
        _ => None,
    };
    same_place.or(only).map(|(id, ..)| *id)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;

    use v4l::capability::Flags;

    use super::super::v4l_device::{self, V4lControls, explain, guarded, modes_of, offers};
    use super::super::{CameraError, DeviceId, controls};
    use super::DeviceInfo;
    use session::CameraSettings;

    pub fn list() -> Result<Vec<DeviceInfo>, CameraError> {
        let describe = |id: DeviceId| match guarded(id, "list its modes", || describe(id)) {
            Ok(info) => info,
            Err(e) => Some(DeviceInfo {
                id,
                name: name_from_sysfs(id).unwrap_or_else(|| id.to_string()),
                bus: None,
                modes: Vec::new(),
                controls: Vec::new(),
                trouble: Some(e.to_string()),
            }),
        };
        Ok(nodes()?.into_iter().filter_map(describe).collect())
    }

    pub fn identify() -> Result<Vec<(DeviceId, String, Option<String>)>, CameraError> {
        let identity = |id: DeviceId| {
            // A node that disappears or cannot be opened is tried again at the next attempt.
            let found = guarded(id, "report its capabilities", || {
                let device = v4l_device::open(id)?;
                device.query_caps().map_err(|e| explain(id, "report its capabilities", e))
            });
            found.ok().filter(is_camera).map(|c| (id, c.card, Some(c.bus)))
        };
        Ok(nodes()?.into_iter().filter_map(identity).collect())
    }

    /// `/dev/videoN` by number, without the second and further nodes of a device according to sysfs.
    fn nodes() -> Result<Vec<DeviceId>, CameraError> {
        let entries = fs::read_dir("/dev").map_err(|e| CameraError::List { why: e.to_string() })?;
        let number = |name: std::ffi::OsString| name.to_str()?.strip_prefix("video")?.parse().ok().map(DeviceId);
        let mut nodes: Vec<DeviceId> = entries.filter_map(|e| number(e.ok()?.file_name())).collect();
        // If sysfs is hidden (in containers), the capabilities of the device decide.
        nodes.retain(|id| sysfs(*id, "index").is_none_or(|index| index == "0"));
        nodes.sort_unstable();
        nodes.dedup();
        Ok(nodes)
    }

    fn sysfs(id: DeviceId, attribute: &str) -> Option<String> {
        let text = fs::read_to_string(format!("/sys/class/video4linux/video{}/{attribute}", id.0)).ok()?;
        Some(text.trim().to_owned())
    }

    fn name_from_sysfs(id: DeviceId) -> Option<String> {
        sysfs(id, "name").filter(|n| !n.is_empty())
    }

    fn is_camera(caps: &v4l::Capabilities) -> bool {
        caps.capabilities.contains(Flags::VIDEO_CAPTURE | Flags::STREAMING)
    }

    fn describe(id: DeviceId) -> Result<Option<DeviceInfo>, CameraError> {
        let device = v4l_device::open(id)?;
        let caps = device.query_caps().map_err(|e| explain(id, "report its capabilities", e))?;
        if !is_camera(&caps) {
            return Ok(None);
        }
        let (offers, unusable) =
            offers(&device, &CameraSettings::default()).map_err(|e| explain(id, "list its modes", e))?;
        let mut trouble = offers
            .is_empty()
            .then(|| CameraError::NoUsableMode { address: id.to_string(), offered: unusable.join(", ") }.to_string());
        let controls = controls::read(&V4lControls(&device)).unwrap_or_else(|why| {
            trouble.get_or_insert(format!("the controls of {id} cannot be read: {why}"));
            Vec::new()
        });
        Ok(Some(DeviceInfo { id, name: caps.card, bus: Some(caps.bus), modes: modes_of(&offers), controls, trouble }))
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use super::super::{CameraError, DeviceId, nokhwa_camera};
    use super::DeviceInfo;

    pub fn list() -> Result<Vec<DeviceInfo>, CameraError> {
        let describe = |(id, name, bus): (DeviceId, String, Option<String>)| {
            let (modes, controls, trouble) = match nokhwa_camera::describe(id) {
                Ok((modes, controls)) => (modes, controls, None),
                Err(e) => (Vec::new(), Vec::new(), Some(e.to_string())),
            };
            DeviceInfo { id, name, bus, modes, controls, trouble }
        };
        Ok(identify()?.into_iter().map(describe).collect())
    }

    pub fn identify() -> Result<Vec<(DeviceId, String, Option<String>)>, CameraError> {
        nokhwa_camera::identify()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_camera_is_found_by_its_place_and_never_confused_with_its_twin() {
        let camera = |n, name: &str, bus: &str| (DeviceId(n), name.to_owned(), Some(bus.to_owned()));
        let twins = [camera(0, "C920", "usb-1"), camera(2, "C920", "usb-2"), camera(4, "Brio", "usb-3")];
        assert_eq!(pick(&twins, "C920", Some("usb-2")), Some(DeviceId(2)));
        assert_eq!(pick(&twins, "C920", Some("usb-9")), None);
        assert_eq!(pick(&twins, "Brio", Some("usb-9")), Some(DeviceId(4)));
        assert_eq!(pick(&twins[..1], "Brio", Some("usb-1")), None);
    }
}
