//! Sends one command.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use thiserror::Error;

use super::{Command, LONGEST_LINE};

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// A recording may take some time to start.
const ANSWER_WITHIN: Duration = Duration::from_secs(70);

#[derive(Debug, Error)]
pub enum SendError {
    #[error(
        "no program with remote control could be reached at {address}: {source}. Open the set-up of a session whose study has `[remote_control]`, or start `affectograph record --remote-control`"
    )]
    Connect { address: SocketAddr, source: std::io::Error },
    #[error("the connection with {address} failed: {source}. The command may have been carried out")]
    Lost { address: SocketAddr, source: std::io::Error },
    #[error("{0}")]
    Refused(String),
}

/// Sends the command and waits for its answer.
pub fn send(address: SocketAddr, command: &Command) -> Result<(), SendError> {
    let mut stream = TcpStream::connect_timeout(&address, CONNECT_WITHIN)
        .map_err(|source| SendError::Connect { address, source })?;
    let answer = exchange(&mut stream, command).map_err(|source| SendError::Lost { address, source })?;
    match answer.trim() {
        "OK" => Ok(()),
        "" => Err(SendError::Lost { address, source: std::io::ErrorKind::UnexpectedEof.into() }),
        other => Err(SendError::Refused(other.strip_prefix("ERROR ").unwrap_or(other).to_owned())),
    }
}

fn exchange(stream: &mut TcpStream, command: &Command) -> std::io::Result<String> {
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.set_write_timeout(Some(CONNECT_WITHIN))?;
    stream.write_all(format!("{command}\n").as_bytes())?;
    stream.shutdown(Shutdown::Write)?;
    let mut answer = Vec::new();
    stream.take(LONGEST_LINE as u64).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
