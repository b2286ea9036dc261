//! Receives commands on a TCP port.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError, bounded};
use thiserror::Error;

use super::{BadCommand, Command, LONGEST_LINE};

/// Connections at the same time. Each has a thread.
const CONNECTIONS: usize = 8;
/// How often a thread that waits looks whether the server ends.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long the program may take for a command. A recording starts within seconds, unless an instrument does not answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
const WRITE_WITHIN: Duration = Duration::from_secs(5);

#[derive(Debug, Error)]
pub enum ServerError {
    #[error("the remote control could not listen at {address}: {source}. {}", advice(.address, .source))]
    Bind { address: SocketAddr, source: std::io::Error },
    #[error("the remote control could not start: {0}")]
    Start(#[from] std::io::Error),
}

fn advice(address: &SocketAddr, e: &std::io::Error) -> String {
    match e.kind() {
        ErrorKind::AddrNotAvailable => {
            format!(
                "{} is not an address of this computer: use 127.0.0.1, or 0.0.0.0 for all of its addresses",
                address.ip()
            )
        }
        ErrorKind::PermissionDenied => "Choose a port above 1023".to_owned(),
        _ => "Close the program that uses the port, for example LabRecorder, or choose another port".to_owned(),
    }
}

/// The error is a sentence for the sender.
pub type Answer = Result<(), String>;

/// A command that waits for its answer. Dropped, it is answered with an error.
pub struct Request {
    pub command: Command,
    /// Address and port, or what else asks.
    pub from: String,
    /// The sender's time, if a marker asks. Nobody waits for its answer.
    pub stamp_s: Option<f64>,
    answer: Sender<Answer>,
}

impl Request {
    /// Of a marker of Lab Streaming Layer.
    pub fn of_marker(command: Command, from: String, stamp_s: f64) -> Request {
        let (answer, _) = bounded(1);
        Request { command, from, stamp_s: Some(stamp_s), answer }
    }

    pub fn is_of_marker(&self) -> bool {
        self.stamp_s.is_some()
    }

    pub fn answer(self, answer: Answer) {
        // The receiver is gone if the sender has closed the connection.
        self.answer.try_send(answer).ok();
    }
}

/// A listening server. Dropping it closes the port and all connections.
pub struct Server {
    address: SocketAddr,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Takes a request, and must not wait. `false`: there is no room for it.
type Take = Arc<dyn Fn(Request) -> bool + Send + Sync>;

impl Server {
    /// Listens at `address`. Port 0 is any free port: [`Server::address`] has it.
    pub fn start(
        address: SocketAddr,
        take: impl Fn(Request) -> bool + Send + Sync + 'static,
    ) -> Result<Server, ServerError> {
        let listener = TcpListener::bind(address).map_err(|source| ServerError::Bind { address, source })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = bounded(0);
        let take: Take = Arc::new(take);
        let thread = std::thread::Builder::new()
            .name("remote control".into())
            .spawn(move || accept_all(&listener, &stopped, &take))?;
        Ok(Server { address, stop: Some(stop), thread: Some(thread) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread of the remote control failed");
        }
    }
}

fn accept_all(listener: &TcpListener, stopped: &Receiver<()>, take: &Take) {
    let open = Arc::new(AtomicUsize::new(0));
    loop {
        match listener.accept() {
            Ok((stream, from)) => {
                if open.load(Ordering::Relaxed) >= CONNECTIONS {
                    refuse(stream, "too many connections are open");
                    continue;
                }
                open.fetch_add(1, Ordering::Relaxed);
                let (stopped, take, counted) = (stopped.clone(), take.clone(), open.clone());
                let started = std::thread::Builder::new().name("remote sender".into()).spawn(move || {
                    if let Err(e) = serve(stream, from, &stopped, &take) {
                        tracing::debug!("the connection of {from} ended: {e}");
                    }
                    counted.fetch_sub(1, Ordering::Relaxed);
                });
                if let Err(e) = started {
                    open.fetch_sub(1, Ordering::Relaxed);
                    tracing::error!("a connection of the remote control was closed: {e}");
                }
            }
            Err(e) => {
                if e.kind() != ErrorKind::WouldBlock {
                    tracing::warn!("a connection of the remote control failed: {e}");
                }
                if !matches!(stopped.recv_timeout(LOOK_EVERY), Err(crossbeam_channel::RecvTimeoutError::Timeout)) {
                    return;
                }
            }
        }
    }
}

fn refuse(mut stream: TcpStream, why: &str) {
    // The sender is gone already, or does not listen.
    stream.set_write_timeout(Some(WRITE_WITHIN)).ok();
    write_answer(&mut stream, &Err(why.to_owned())).ok();
}

/// Carries out the commands of one connection, one after another. A line that is no command ends it: what follows could be a
/// web page's text that a browser was made to send here.
fn serve(mut stream: TcpStream, from: SocketAddr, stopped: &Receiver<()>, take: &Take) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(LOOK_EVERY))?;
    stream.set_write_timeout(Some(WRITE_WITHIN))?;
    let mut lines = Lines::default();
    loop {
        let line = match lines.next(&mut stream)? {
            Next::Line(line) => line,
            Next::Nothing if !matches!(stopped.try_recv(), Err(TryRecvError::Empty)) => return Ok(()),
            Next::Nothing => continue,
            Next::End => return Ok(()),
            Next::TooLong => return write_answer(&mut stream, &Err(BadCommand::NoText.to_string())),
        };
        let command = String::from_utf8(line).map_err(|_| BadCommand::NoText).and_then(|line| line.parse());
        match command {
            Ok(command) => {
                let answer = ask(command, from, stopped, take);
                write_answer(&mut stream, &answer)?;
            }
            Err(e) => return write_answer(&mut stream, &Err(e.to_string())),
        }
    }
}

fn ask(command: Command, from: SocketAddr, stopped: &Receiver<()>, take: &Take) -> Answer {
    let (answer, answered) = bounded(1);
    if !take(Request { command, from: from.to_string(), stamp_s: None, answer }) {
        return Err("the program is busy. Send the command again".to_owned());
    }
    let late = crossbeam_channel::after(ANSWER_WITHIN);
    crossbeam_channel::select! {
        recv(answered) -> answer => answer.unwrap_or_else(|_| Err("the program did not carry out the command".to_owned())),
        // The command may have ended the remote control.
        recv(stopped) -> _ => answered.try_recv().unwrap_or_else(|_| Err("the program ended its remote control".to_owned())),
        recv(late) -> _ => Err(format!("the program has not answered for {} s. Look at its window", ANSWER_WITHIN.as_secs())),
    }
}

fn write_answer(stream: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
    match answer {
        Ok(()) => stream.write_all(b"OK"),
        Err(why) => stream.write_all(format!("ERROR {}\n", why.replace(['\n', '\r'], " ")).as_bytes()),
    }
}

/// Splits what arrives into lines.
#[derive(Default)]
struct Lines {
    bytes: VecDeque<u8>,
}

enum Next {
    Line(Vec<u8>),
    /// Nothing arrived for a moment.
    Nothing,
    /// The sender has closed the connection.
    End,
    TooLong,
}

impl Lines {
    fn next(&mut self, from: &mut impl Read) -> std::io::Result<Next> {
        loop {
            if let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
                return Ok(Next::Line(self.bytes.drain(..=end).collect()));
            }
            if self.bytes.len() > LONGEST_LINE {
                return Ok(Next::TooLong);
            }
            let mut buffer = [0; 512];
            match from.read(&mut buffer) {
                // A last line may have no end.
                Ok(0) if self.bytes.is_empty() => return Ok(Next::End),
                Ok(0) => return Ok(Next::Line(self.bytes.drain(..).collect())),
                Ok(count) => self.bytes.extend(&buffer[..count]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return Ok(Next::Nothing),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_why_it_cannot_listen_has_its_own_advice() {
        let error = |address: &str| Server::start(address.parse().unwrap(), |_| true).err().unwrap().to_string();
        let elsewhere = error("192.0.2.1:22345");
        assert!(elsewhere.contains("192.0.2.1 is not an address of this computer"), "{elsewhere}");
        let first = Server::start("127.0.0.1:0".parse().unwrap(), |_| true).unwrap();
        let taken = error(&first.address().to_string());
        assert!(taken.contains("Close the program that uses the port"), "{taken}");
    }
}
