//! A serial port in a rehearsal: open, so that the set-up shows whether it is there and what comes. Nothing is stored or sent.

use serial::{InputEvent, InputSink, OutputSink, Port, PortThreads};
use session::{Clock, Latest, SerialPortSettings, capitalised};

use super::serial_ports::described;
use super::source_health::{Finding, SourceLevel};

pub(super) struct WatchedPort {
    findings: Latest<Finding>,
    _threads: PortThreads,
}

impl WatchedPort {
    pub(super) fn open(settings: SerialPortSettings, clock: Clock) -> std::io::Result<WatchedPort> {
        let findings = Latest::default();
        let opened = Port::open(&settings.path, settings.baud_rate);
        let address = (settings.path.clone(), settings.baud_rate);
        findings.put(match &opened {
            Ok(_) => is_open(&settings, None),
            Err(e) => is_missing(&e.to_string()),
        });
        let to = findings.clone();
        let input: InputSink = Box::new(move |event: InputEvent<'_>| {
            to.put(match event {
                InputEvent::Received { bytes, .. } => is_open(&settings, bytes.last()),
                InputEvent::Back { .. } => is_open(&settings, None),
                InputEvent::Lost { why, .. } => is_missing(&format!("{} was lost: {why}", described(&settings))),
                InputEvent::NotThere { error, .. } => is_missing(&error.to_string()),
                InputEvent::Ended { .. } => return,
            });
        });
        // Nothing is sent.
        let output: OutputSink = Box::new(|_| {});
        let threads = PortThreads::start((address.0.as_str(), address.1), opened.ok(), None, clock, (input, output))?;
        Ok(WatchedPort { findings, _threads: threads })
    }

    pub(super) fn new_finding(&self) -> Option<Finding> {
        self.findings.try_take()
    }
}

/// Its silence is no trouble.
fn is_open(settings: &SerialPortSettings, last: Option<&u8>) -> Finding {
    let came = match last {
        Some(byte) => format!("The last byte that came is {byte}"),
        None => "No byte has come yet".to_owned(),
    };
    let sent = match settings.bytes.len() {
        0 => String::new(),
        1 => " One label is sent as a byte.".to_owned(),
        several => format!(" {several} labels are sent as bytes."),
    };
    (SourceLevel::Sound, format!("{} is open. {came}.{sent}", described(settings)))
}

fn is_missing(why: &str) -> Finding {
    (SourceLevel::Failed, format!("{}.", capitalised(why)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_set_up_says_what_comes_and_how_many_labels_go_out() {
        let settings = |bytes: &[(&str, u8)]| SerialPortSettings {
            path: "/dev/ttyUSB0".to_owned(),
            baud_rate: 9_600,
            pulse: None,
            bytes: bytes.iter().map(|(label, byte)| ((*label).to_owned(), *byte)).collect(),
            stream: "serial_ttyusb0".parse().unwrap(),
        };
        let (level, sentence) = is_open(&settings(&[]), None);
        assert_eq!(level, SourceLevel::Sound);
        assert_eq!(sentence, "Serial port /dev/ttyUSB0 at 9600 baud is open. No byte has come yet.");
        let (_, sentence) = is_open(&settings(&[("a", 1), ("b", 2)]), Some(&255));
        assert!(sentence.ends_with("The last byte that came is 255. 2 labels are sent as bytes."), "{sentence}");
    }
}
