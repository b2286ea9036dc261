//! A serial port without hardware: two ends of a pseudo terminal. For tests, and to measure what the system itself takes.

use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serialport::{SerialPort, TTYPort};

/// The device's end, and the path of the end that a program opens. Dropping it disconnects the port.
pub struct PseudoPort {
    device: Device,
    /// Keeps the settings of the program's end, and that end alive while no program has it open.
    _cable: TTYPort,
    path: String,
}

/// What a device does.
pub struct Device(TTYPort);

impl PseudoPort {
    pub fn open() -> std::io::Result<PseudoPort> {
        let (master, slave) = TTYPort::pair()?;
        let path = slave.name().ok_or_else(|| std::io::Error::other("the pseudo terminal has no name"))?;
        Ok(PseudoPort { device: Device(master), _cable: slave, path })
    }

    pub fn path(&self) -> &str {
        &self.path
    }

    pub fn device(&mut self) -> &mut Device {
        &mut self.device
    }

    /// A device that answers with what it gets. It ends, and is disconnected, when the returned value is dropped.
    pub fn echoing(self) -> std::io::Result<Echo> {
        let path = self.path.clone();
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = is_over.clone();
        let mut port = self;
        let thread = std::thread::Builder::new().name("pseudo device".into()).spawn(move || {
            while !seen.load(Ordering::Relaxed) {
                for byte in port.device().read_within(Duration::from_millis(20)) {
                    if port.device().write(&[byte]).is_err() {
                        return;
                    }
                }
            }
        })?;
        Ok(Echo { path, is_over, thread: Some(thread) })
    }
}

pub struct Echo {
    path: String,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Echo {
    pub fn path(&self) -> &str {
        &self.path
    }
}

impl Drop for Echo {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the pseudo device failed");
        }
    }
}

impl Device {
    pub fn write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.write_all(bytes)
    }

    /// What came until there were at least `count` bytes, or until this time was over.
    pub fn read_at_least(&mut self, count: usize, wait: Duration) -> Vec<u8> {
        let (mut all, until) = (Vec::new(), Instant::now() + wait);
        while all.len() < count && Instant::now() < until {
            all.extend(self.read_within(Duration::from_millis(50)));
        }
        all
    }

    /// What came first within this time. Empty: nothing.
    pub fn read_within(&mut self, wait: Duration) -> Vec<u8> {
        let mut buffer = [0; 512];
        if self.0.set_timeout(wait).is_err() {
            return Vec::new();
        }
        match self.0.read(&mut buffer) {
            Ok(count) => buffer[..count].to_vec(),
            Err(e) => {
                if !matches!(e.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) {
                    tracing::debug!("the pseudo device: {e}");
                }
                Vec::new()
            }
        }
    }
}
