//! One open port.

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use serialport::SerialPort;

use super::PortError;
use session::{Clock, Timestamp, monotonic_ns};

/// A read waits this long. It is also how uncertain the time of a byte is at most, while the computer is not busy.
pub(crate) const READ_WAIT: Duration = Duration::from_millis(1);
/// A device that takes no byte for this long is blocked.
pub(crate) const WRITE_WAIT: Duration = Duration::from_millis(50);
/// While the device is blocked, so that waiting bytes do not add up to seconds.
const BLOCKED_WAIT: Duration = Duration::from_millis(1);

/// Which port is opened again when it was gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub path: String,
    pub baud_rate: u32,
}

/// An open serial port, 8 data bits, no parity, one stop bit. No other program can use it.
pub struct Port {
    port: Box<dyn SerialPort>,
    /// By the system's monotonic clock. What has come before the first read came after it.
    opened_ns: i64,
}

impl Port {
    pub fn open(path: &str, baud_rate: u32) -> Result<Port, PortError> {
        let opened_ns = monotonic_ns();
        let port = serialport::new(path, baud_rate).timeout(READ_WAIT).open();
        Ok(Port { port: port.map_err(|e| PortError::of(path, &e))?, opened_ns })
    }

    /// For a second thread.
    pub(crate) fn second(&self) -> std::io::Result<Port> {
        let mut port = self.port.try_clone()?;
        port.set_timeout(WRITE_WAIT)?;
        Ok(Port { port, opened_ns: self.opened_ns })
    }

    pub(crate) fn opened_at(&self, clock: Clock) -> Timestamp {
        clock.from_monotonic_ns(self.opened_ns)
    }

    /// What came within [`READ_WAIT`]: 0 if nothing did. The error: the port is gone.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        loop {
            match self.port.read(buffer) {
                // A terminal whose other side was closed.
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                // It does not tell whether something has come.
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) if matches!(e.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => return Ok(0),
                read => return read,
            }
        }
    }

    /// Hands the byte to the system. The error `TimedOut`: the device takes no bytes.
    pub(crate) fn write(&mut self, byte: u8) -> std::io::Result<()> {
        match self.port.write(&[byte]) {
            Ok(1) => {
                self.wait_for_write(WRITE_WAIT);
                Ok(())
            }
            Ok(_) => Err(ErrorKind::WriteZero.into()),
            Err(e) => {
                self.wait_for_write(BLOCKED_WAIT);
                Err(e)
            }
        }
    }

    fn wait_for_write(&mut self, wait: Duration) {
        if self.port.timeout() != wait
            && let Err(e) = self.port.set_timeout(wait)
        {
            tracing::debug!("the time limit of a serial port was not changed: {e}");
        }
    }

    pub(crate) fn set_read_wait(&mut self, wait: Duration) -> std::io::Result<()> {
        Ok(self.port.set_timeout(wait)?)
    }
}
