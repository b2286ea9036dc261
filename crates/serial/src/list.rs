//! The serial ports of this computer.

use serialport::SerialPortType;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPort {
    pub path: String,
    /// What is connected, as far as it is known: `Arduino Uno of Arduino (USB 2341:0043)`.
    pub about: String,
}

/// Sorted by path.
pub fn list() -> std::io::Result<Vec<ListedPort>> {
    let ports = serialport::available_ports()?;
    let mut listed: Vec<ListedPort> =
        ports.into_iter().map(|port| ListedPort { about: about(&port.port_type), path: port.port_name }).collect();
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(listed)
}

fn about(kind: &SerialPortType) -> String {
    match kind {
        SerialPortType::UsbPort(usb) => {
            let ids = format!("USB {:04x}:{:04x}", usb.vid, usb.pid);
            match (&usb.product, &usb.manufacturer) {
                (Some(product), Some(maker)) => format!("{product} of {maker} ({ids})"),
                (Some(name), None) | (None, Some(name)) => format!("{name} ({ids})"),
                (None, None) => ids,
            }
        }
        SerialPortType::PciPort => "built in or PCI".to_owned(),
        SerialPortType::BluetoothPort => "Bluetooth".to_owned(),
        SerialPortType::Unknown => "unknown".to_owned(),
    }
}
