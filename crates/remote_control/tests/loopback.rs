//! Commands over a connection of this computer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking, also in its helpers")]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use remote_control::{Answer, Command, Request, SendError, Server, ServerError, send};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A server that answers `answer` to everything, and what it received.
fn served(answer: Answer) -> (Server, Arc<Mutex<Vec<Command>>>) {
    let received = Arc::new(Mutex::new(Vec::new()));
    let list = received.clone();
    let take = move |request: Request| {
        list.lock().unwrap().push(request.command.clone());
        request.answer(answer.clone());
        true
    };
    (Server::start(ANY_PORT, take).unwrap(), received)
}

fn connected(server: &Server) -> TcpStream {
    let stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

fn read_some(stream: &mut TcpStream) -> String {
    let mut buffer = [0; 1024];
    let count = stream.read(&mut buffer).unwrap();
    String::from_utf8_lossy(&buffer[..count]).into_owned()
}

#[test]
fn a_connection_that_stays_open_carries_out_one_command_after_another() {
    let (server, received) = served(Ok(()));
    let mut stream = connected(&server);
    // A line in pieces, as a slow program writes it.
    stream.write_all(b"sta").unwrap();
    std::thread::sleep(Duration::from_millis(250));
    stream.write_all(b"rt\n").unwrap();
    assert_eq!(read_some(&mut stream), "OK");
    stream.write_all(b"stop\r\n").unwrap();
    assert_eq!(read_some(&mut stream), "OK");
    assert_eq!(*received.lock().unwrap(), [Command::Start, Command::Stop]);
}

#[test]
fn a_refusal_is_a_sentence_and_nobody_listening_is_one_too() {
    let (server, _) = served(Err("no session is set up".to_owned()));
    let address = server.address();
    assert!(matches!(send(address, &Command::Start), Err(SendError::Refused(why)) if why == "no session is set up"));
    assert!(matches!(Server::start(address, |_| true), Err(ServerError::Bind { .. })), "the port is taken");
    drop(server);
    assert!(matches!(send(address, &Command::Start), Err(SendError::Connect { .. })));
}

#[test]
fn a_browser_that_is_made_to_send_a_command_is_refused() {
    let (server, received) = served(Ok(()));
    let mut stream = connected(&server);
    stream.write_all(b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nstop\nstop\n").unwrap();
    let mut answer = String::new();
    // The rest of the request is not read, so that the connection may end with an error.
    stream.read_to_string(&mut answer).ok();
    assert!(answer.is_empty() || answer.starts_with("ERROR `POST / HTTP/1.1` is no command"), "{answer}");
    assert!(received.lock().unwrap().is_empty());
}

#[test]
fn long_lines_wrong_bytes_and_too_many_connections_end_with_an_error() {
    let (server, received) = served(Ok(()));
    for bad in [vec![b'x'; 5_000], b"\xff\xfe\n".to_vec()] {
        let mut stream = connected(&server);
        stream.write_all(&bad).unwrap();
        assert!(read_some(&mut stream).starts_with("ERROR the line is longer than 4096 bytes"));
    }
    std::thread::sleep(Duration::from_millis(300));
    let mut open: Vec<TcpStream> = (0..8).map(|_| connected(&server)).collect();
    open.iter_mut().for_each(|stream| stream.write_all(b"update\n").unwrap());
    open.iter_mut().for_each(|stream| assert_eq!(read_some(stream), "OK"));
    assert!(read_some(&mut connected(&server)).starts_with("ERROR too many connections"));
    drop(open);
    std::thread::sleep(Duration::from_millis(300));
    send(server.address(), &Command::SelectAll).unwrap();
    assert_eq!(received.lock().unwrap().len(), 9);
}

#[test]
fn a_program_without_room_and_one_that_forgets_the_request_are_reported() {
    let full = Server::start(ANY_PORT, |_| false).unwrap();
    assert!(matches!(send(full.address(), &Command::Stop), Err(SendError::Refused(why)) if why.contains("busy")));
    let forgetful = Server::start(ANY_PORT, |request| {
        drop(request);
        true
    });
    let address = forgetful.as_ref().unwrap().address();
    assert!(matches!(send(address, &Command::Stop), Err(SendError::Refused(why)) if why.contains("did not carry out")));
}
