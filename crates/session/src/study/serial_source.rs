//! `[[sources]]` of `kind = "serial"`: a serial port that receives triggers and sends them.

use std::collections::BTreeMap;
use std::time::Duration;

use super::sources::{SourceKind, SourceSettings};
use crate::{StreamName, serial_stream_name};

const LONGEST_PULSE_MS: i64 = 1_000;
/// The longest name of a mark, in bytes.
const LONGEST_LABEL: usize = 400;

/// A serial port as a study describes it. It was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SerialPortSettings {
    pub path: String,
    pub baud_rate: u32,
    /// `None`: no byte follows.
    pub pulse: Option<Duration>,
    /// Of the labels of marks and markers.
    pub bytes: BTreeMap<String, u8>,
    /// Its stream in the session.
    pub stream: StreamName,
}

impl SourceSettings {
    /// `None`: the source is no serial port, or does not pass the check of a study.
    pub fn serial_port(&self) -> Option<SerialPortSettings> {
        check(self).ok().filter(|()| self.kind == SourceKind::Serial)?;
        let bytes = self.send.iter().map(|(label, byte)| Some((label.clone(), u8::try_from(*byte).ok()?)));
        Some(SerialPortSettings {
            path: self.port.clone(),
            baud_rate: u32::try_from(self.baud_rate?).ok()?,
            pulse: self.pulse_ms.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis),
            bytes: bytes.collect::<Option<_>>()?,
            stream: serial_stream_name(if self.name.is_empty() { &self.port } else { &self.name }),
        })
    }
}

/// The error is a message for the author of the study.
pub(super) fn check(source: &SourceSettings) -> Result<(), String> {
    if !source.content_type.is_empty() || !source.source_id.is_empty() {
        return Err("`type` and `source_id` belong to a source of `kind = \"lsl\"`".to_owned());
    }
    if !source.start_marker.is_empty() || !source.stop_marker.is_empty() {
        return Err("`start_marker` and `stop_marker` belong to a source of `kind = \"lsl\"`".to_owned());
    }
    if source.port.trim().is_empty() {
        return Err("a serial source needs `port`, its path: `affectograph triggers` lists the ports".to_owned());
    }
    match source.baud_rate {
        None => return Err("a serial source needs `baud_rate`, as its device states it, for example 115200".to_owned()),
        Some(1..=4_000_000) => {}
        Some(other) => return Err(format!("`baud_rate` is {other}: it must be 1 to 4000000")),
    }
    if let Some(ms) = source.pulse_ms.filter(|ms| !(1..=LONGEST_PULSE_MS).contains(ms)) {
        return Err(format!(
            "`pulse_ms` is {ms}: it must be 1 to {LONGEST_PULSE_MS}. Remove it if no 0 is to follow a byte"
        ));
    }
    for (label, byte) in &source.send {
        if label.trim().is_empty() || label.len() > LONGEST_LABEL {
            return Err(format!("a label of `send` must have 1 to {LONGEST_LABEL} bytes"));
        }
        if !(0..=255).contains(byte) {
            return Err(format!("the byte of `{label}` is {byte}: it must be 0 to 255"));
        }
        if *byte == 0 && source.pulse_ms.is_some() {
            return Err(format!(
                "the byte of `{label}` is 0, which ends each pulse: use 1 to 255, or remove `pulse_ms`"
            ));
        }
    }
    if source.send.is_empty() && source.pulse_ms.is_some() {
        return Err("`pulse_ms` has no effect without `send`, the table of labels and bytes".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Study;

    const PORT: &str =
        "name = \"a\"\ntitle = \"A\"\n[[sources]]\nkind = \"serial\"\nport = \"/dev/ttyUSB0\"\nbaud_rate = 115200\n";

    fn study(more: &str) -> Result<Study, String> {
        Study::parse(&format!("{PORT}{more}")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_port_is_read_with_its_table() {
        let study = study("pulse_ms = 10\nsend = { smile = 1, \"stimulus on\" = 255 }\n").unwrap();
        let port = study.sources[0].serial_port().unwrap();
        assert_eq!(
            (port.path.as_str(), port.baud_rate, port.pulse),
            ("/dev/ttyUSB0", 115_200, Some(Duration::from_millis(10)))
        );
        assert_eq!(port.bytes, BTreeMap::from([("smile".to_owned(), 1), ("stimulus on".to_owned(), 255)]));
        assert_eq!((port.stream.as_str(), study.sources[0].required), ("serial_ttyusb0", true));
        assert_eq!(study.sources[0].to_string(), "port=/dev/ttyUSB0");
        let named =
            Study::parse(&format!("{PORT}name = \"Button box\"\nrequired = false\n[sources.send]\nx = 0\n")).unwrap();
        let port = named.sources[0].serial_port().unwrap();
        assert_eq!((port.stream.as_str(), port.bytes["x"], port.pulse), ("serial_button_box", 0, None));
        assert_eq!(
            toml::to_string(&named).unwrap().parse::<toml::Table>().unwrap()["sources"][0]["send"]["x"].as_integer(),
            Some(0)
        );
    }

    #[test]
    fn a_wrong_port_is_told_in_one_sentence() {
        for (more, told) in [
            ("send = { a = 256 }\n", "the byte of `a` is 256"),
            ("send = { a = -1 }\n", "the byte of `a` is -1"),
            ("pulse_ms = 5\nsend = { a = 0 }\n", "which ends each pulse"),
            ("pulse_ms = 0\nsend = { a = 1 }\n", "`pulse_ms` is 0"),
            ("pulse_ms = 1001\nsend = { a = 1 }\n", "`pulse_ms` is 1001"),
            ("pulse_ms = 5\n", "no effect without `send`"),
            ("send = { a = 1, a = 2 }\n", "duplicate key"),
            ("send = { \" \" = 1 }\n", "a label of `send`"),
            ("type = \"EEG\"\n", "belong to a source of `kind = \"lsl\"`"),
        ] {
            let said = study(more).unwrap_err();
            assert!(said.contains(told), "{more}: {said}");
        }
        let said = |from: &str, to: &str| Study::parse(&PORT.replace(from, to)).unwrap_err().to_string();
        assert!(said("port = \"/dev/ttyUSB0\"\n", "").contains("needs `port`"));
        assert!(said("baud_rate = 115200\n", "").contains("needs `baud_rate`"));
        assert!(said("115200", "0").contains("`baud_rate` is 0"));
        assert!(said("\"serial\"", "\"lsl\"").contains("belong to a source of `kind = \"serial\"`"));
    }

    #[test]
    fn two_ports_have_two_streams() {
        let again = PORT.split_once("[[sources]]").unwrap().1;
        let other = again.replace("/dev/", "/dev/serial/");
        let both = |second: &str| Study::parse(&format!("{PORT}[[sources]]{second}"));
        assert!(both(again).unwrap_err().message.contains("listed twice"));
        assert!(both(&other).unwrap_err().message.contains("the stream `serial_ttyusb0`"));
        assert!(both(&format!("{other}name = \"second\"\n")).is_ok());
    }
}
