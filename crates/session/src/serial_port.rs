//! Streams of serial ports in a session: triggers that came, and bytes that were sent.

use super::{StreamInfo, StreamKind, StreamName, program};

/// Prefix of the names of the streams of serial ports.
pub const SERIAL: &str = "serial_";

/// Kinds of the events of a serial port's stream. The names are stored in files.
pub mod serial {
    /// A byte came. `value` is its number.
    pub const RECEIVED: &str = "received";
    /// A byte was sent for a mark or a marker.
    pub const SENT: &str = "sent";
    /// The 0 that ends a pulse.
    pub const RESET: &str = "reset";
}

/// What the stream of a port is called: `serial_` and the last part of its path, or its name, in lower case. Characters other than
/// letters and digits become `_`.
pub fn serial_stream_name(port: &str) -> StreamName {
    let last = port.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let name: String = SERIAL.chars().chain(last.chars().map(kept)).take(32).collect();
    // The name of a stream begins with a letter and has these characters only.
    name.parse().expect("a name of letters, digits and `_`")
}

pub fn serial_stream(name: StreamName, path: &str, baud_rate: u32) -> StreamInfo {
    StreamInfo {
        name,
        kind: StreamKind::Events,
        description: format!(
            "serial port {path} at {baud_rate} baud. `received`: a byte (`value`) at the time when it was read; it came at most \
             `uncertainty_ns` earlier. `sent`: a byte for the mark or marker `label` of the stream `of`, which happened at \
             `event_ns`; the time is when the system took the byte, and `uncertainty_ns` is how long that took. `is_written` is \
             false, with the reason in `why`, if it was not sent. `reset`: the 0 that ends a pulse"
        ),
        fields: Vec::new(),
        nominal_rate_hz: None,
        software: program(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_a_name() {
        let name = |path: &str| serial_stream_name(path).to_string();
        assert_eq!(name("/dev/ttyUSB0"), "serial_ttyusb0");
        assert_eq!(name("\\\\.\\COM12"), "serial_com12");
        assert_eq!(name("Button box"), "serial_button_box");
        assert_eq!(name("/dev/serial/by-id/usb-1a86_USB2.0-Serial-if00-port0"), "serial_usb_1a86_usb2_0_serial_if");
        assert_eq!(name("/"), "serial_");
    }
}
