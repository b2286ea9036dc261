//! Why a port could not be opened, as one sentence that says what to do.

use std::io::ErrorKind as Io;

use serialport::ErrorKind;
use thiserror::Error;

use super::list::list;

/// Why a byte was not sent.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotSent {
    #[error("the port is not there")]
    Gone,
    #[error("the device takes no bytes")]
    Blocked,
    #[error("the port refused it ({0})")]
    Refused(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PortError {
    #[error("the serial port {path} is not there. Connect its device, or correct the study{hint}")]
    NotThere { path: String, hint: String },
    #[error("another program uses the serial port {path}. Close that program")]
    Busy { path: String },
    #[error(
        "this user may not open the serial port {path}. Add the user to the group that owns it (usually `dialout`), and log in again"
    )]
    Forbidden { path: String },
    #[error("{path} is no serial port. `affectograph triggers` lists the serial ports")]
    NotASerialPort { path: String },
    #[error("the serial port {path} could not be opened: {why}")]
    Other { path: String, why: String },
}

impl PortError {
    pub(crate) fn of(path: &str, e: &serialport::Error) -> PortError {
        let path = path.to_owned();
        match e.kind() {
            ErrorKind::Io(Io::NotFound) => PortError::not_there(path),
            ErrorKind::Io(Io::PermissionDenied) => PortError::Forbidden { path },
            // On Windows, this also means that there is no such port.
            ErrorKind::NoDevice if cfg!(unix) || list().is_ok_and(|ports| ports.iter().any(|p| p.path == path)) => {
                PortError::Busy { path }
            }
            ErrorKind::NoDevice => PortError::not_there(path),
            _ if std::fs::metadata(&path).is_ok_and(|m| m.is_file() || m.is_dir()) => {
                PortError::NotASerialPort { path }
            }
            _ => PortError::Other { path, why: e.to_string() },
        }
    }

    fn not_there(path: String) -> PortError {
        // The list is a help only. Without it, the sentence is shorter.
        let names: Vec<String> = list().unwrap_or_default().into_iter().map(|port| port.path).collect();
        let hint = if names.is_empty() {
            ". This computer has no serial port now".to_owned()
        } else {
            format!(". Ports of this computer: {}", names.join(", "))
        };
        PortError::NotThere { path, hint }
    }
}
