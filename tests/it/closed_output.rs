//! Commands whose output nobody reads any more, and commands that print on a full disk.

use std::fs::File;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use affectograph::store::{Condition, Library, SessionState, verify};

use crate::{program, vision_support};

/// An output whose reader has gone, as after `| head -2`.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The command with an output that nobody reads.
fn unread(arguments: &[&str], sessions: &Path) -> Output {
    program::command(arguments, sessions).stdout(closed()).output().unwrap()
}

/// A folder of recordings with one session, and that session.
fn one_session() -> (tempfile::TempDir, String) {
    let sessions = tempfile::tempdir().unwrap();
    let folder = sessions.path().join("sub-01/ses-01_20260101T000000Z_demo");
    std::fs::create_dir_all(&folder).unwrap();
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/session_v6");
    for file in ["session.sqlite", "video.mkv"] {
        std::fs::copy(fixture.join(file), folder.join(file)).unwrap();
    }
    let session = folder.display().to_string();
    (sessions, session)
}

#[test]
fn a_command_that_reads_ends_quietly_when_nobody_reads_it() {
    let (sessions, session) = one_session();
    let commands: [&[&str]; 6] = [
        &["--version"],
        &["list"],
        &["list", "--json"],
        &["show", &session],
        &["show", "--json", &session],
        &["models"],
    ];
    for arguments in commands {
        let read = program::run(arguments, sessions.path());
        assert!(read.status.success() && !read.stdout.is_empty(), "{arguments:?}: {}", text(&read.stderr));
        let out = unread(arguments, sessions.path());
        assert_eq!(out.status.code(), Some(0), "{arguments:?}: {}", text(&out.stderr));
        assert_eq!(out.stderr, read.stderr, "{arguments:?}: {}", text(&out.stderr));
    }
}

/// A token or a key that nobody can read is not created.
#[test]
#[cfg(all(unix, feature = "server"))]
fn a_secret_that_cannot_be_printed_is_not_stored() {
    let sessions = tempfile::tempdir().unwrap();
    let key = ["serve", "key", "--study", "demo", "--origin", "https://example.org"];
    for arguments in [&["serve", "token", "analyst"][..], &key] {
        let out = program::command(arguments, sessions.path()).stdout(closed()).output().unwrap();
        let message = text(&out.stderr);
        assert_eq!(out.status.code(), Some(1), "{arguments:?}: {message}");
        assert!(message.contains("could not be printed") && message.contains("It was not created"), "{message}");
    }
    let run = |arguments: &[&str]| text(&program::run(arguments, sessions.path()).stdout);
    assert_eq!(run(&["serve", "keys"]), "");
    assert!(run(&["serve", "revoke-token", "analyst"]).contains("no such token"));
    assert!(run(&key).starts_with("agk_"));
}

/// `verify` goes on: its exit code is its answer.
#[test]
fn the_exit_code_of_verify_does_not_depend_on_its_reader() {
    let (sessions, session) = one_session();
    std::fs::write(Path::new(&session).join("video.mkv"), "damaged").unwrap();
    let read = program::run(&["verify", &session], sessions.path());
    assert!(!read.status.success(), "{}", text(&read.stdout));
    assert_eq!(unread(&["verify", &session], sessions.path()).status.code(), read.status.code());
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_does_not_fit_on_the_disk_is_a_failure() {
    let (sessions, session) = one_session();
    for arguments in [&["show", &session][..], &["verify", &session]] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let out = program::command(arguments, sessions.path()).stdout(full).output().unwrap();
        assert_eq!(out.status.code(), Some(1), "{arguments:?}: {}", text(&out.stderr));
        let message = text(&out.stderr);
        assert!(message.starts_with("affectograph: standard output could not be written: "), "{message}");
    }
}

/// Diagnostics of every thread go to standard error, too.
#[test]
fn a_recording_goes_on_when_nobody_reads_what_it_prints() {
    if vision_support::models().is_none() {
        return;
    }
    let sessions = tempfile::tempdir().unwrap();
    let arguments = ["record", "--participant", "sub-01", "--camera", "phantom", "--duration", "2s"];
    let mut record = program::command(&arguments, sessions.path());
    let status = record.env("AFFECTOGRAPH_LOG", "trace").stdout(closed()).stderr(closed()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    let session = Library::open(sessions.path()).unwrap().sessions().unwrap().remove(0);
    assert_eq!(session.condition, Condition::Opens(SessionState::Closed));
    assert!(verify(&session.folder).unwrap().is_intact);
    assert!(session.length.is_some_and(|length| length >= Duration::from_secs(2)), "{:?}", session.length);
}

#[test]
#[cfg(all(unix, feature = "server"))]
fn a_server_goes_on_when_nobody_reads_its_address() {
    let sessions = tempfile::tempdir().unwrap();
    // Free a moment ago. A server that finds it taken ends, and the test fails.
    let address: SocketAddr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let arguments = ["serve", "--address", &address.to_string()];
    let mut server: Command = program::command(&arguments, sessions.path());
    let mut server = server.stdout(closed()).stderr(closed()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(40);
    while TcpStream::connect(address).is_err() {
        assert_eq!(server.try_wait().unwrap(), None, "the server has ended");
        assert!(Instant::now() < deadline, "the server does not listen");
        std::thread::sleep(Duration::from_millis(50));
    }
    // It prints its address after it has begun to listen.
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(server.try_wait().unwrap(), None, "the server has ended");
    program::signal(&server, "TERM");
    assert_eq!(server.wait().unwrap().code(), Some(0));
}
