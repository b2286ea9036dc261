//! Other programs start and stop recordings: the command line, and the window's backend with a phantom camera.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use affectograph::desktop::port::{BackendEvent, CheckState};
use affectograph::remote_control::{Command, SendError, send};
use affectograph::session::{CheckId, HEALTH};
use affectograph::store::SessionFile;
use serde_json::Value;

use super::backend_window::BackendWindow;
use super::program;
use super::vision_support::models;

const STUDY: &str = "name = \"lab\"\ntitle = \"Lab\"\n[camera]\nwidth_px = 320\nheight_px = 240\nrate_hz = 15.0\n\
    [remote_control]\nport = 0\n[[phases]]\nname = \"task\"\nseconds = 600.0\n";

/// Command and refusal of each stored command, in order.
fn commands(folder: &Path) -> Vec<(String, Option<String>)> {
    let timeline = SessionFile::open(folder).unwrap().timeline().unwrap();
    let text = |data: &Value| data.as_str().map(str::to_owned);
    let of_remote = timeline.events().iter().filter(|e| e.stream.as_str() == HEALTH && e.what.kind == "remote_command");
    of_remote
        .map(|e| {
            let data = &e.what.data;
            assert!(data["from"].as_str().unwrap().starts_with("127.0.0.1:") && data["received_utc"].is_string());
            (text(&data["command"]).unwrap(), data.get("refused").and_then(text))
        })
        .collect()
}

fn remote(words: &[&str], to: &str, folder: &Path) -> (Option<i32>, String) {
    let output = program::run(&[&["remote"], words, &["--to", to]].concat(), folder);
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    (output.status.code(), said.into_owned())
}

#[test]
fn a_recording_without_a_window_is_named_started_and_stopped() {
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let study = tmp.path().join("study.toml");
    std::fs::write(&study, STUDY).unwrap();
    let arguments = ["record", "--study", &study.to_string_lossy(), "--participant", "sub-01", "--camera", "phantom"];
    let arguments = [&arguments[..], &["--json", "--remote-control", "127.0.0.1:0"]].concat();
    let mut command = program::command(&arguments, tmp.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let waits = lines.find(|line| line.starts_with("Waiting for `start` at ")).unwrap();
    let to = waits.split(' ').nth(4).unwrap();
    let keep_reading = std::thread::spawn(move || lines.count());

    let says = |words: &[&str], part: &str, code: i32| {
        let (found, said) = remote(words, to, tmp.path());
        assert!(found == Some(code) && said.contains(part), "{words:?}: {found:?}, {said}");
    };
    says(&["stop"], "no recording runs", 1);
    says(&["filename", "{participant:sub-07}", "{session:3}"], "OK", 0);
    says(&["select", "none"], "decides which sources", 1);
    says(&["start"], "OK", 0);
    says(&["start"], "a recording runs already", 1);
    says(&["nonsense"], "is no command", 1);
    std::thread::sleep(Duration::from_secs(1));
    says(&["stop"], "OK", 0);
    let output = child.wait_with_output().unwrap();
    keep_reading.join().unwrap();
    assert!(output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder = PathBuf::from(told["session"].as_str().unwrap());
    let shown = folder.display().to_string();
    assert!(shown.contains("/sub-07/ses-03_"), "{shown}");
    let stored = commands(&folder);
    let texts: Vec<&str> = stored.iter().map(|(text, _)| text.as_str()).collect();
    let filename = "filename {participant:sub-07} {session:3}";
    assert_eq!(texts, ["stop", filename, "select none", "start", "start", "stop"]);
    let refused: Vec<bool> = stored.iter().map(|(_, why)| why.is_some()).collect();
    assert_eq!(refused, [true, false, true, false, true, false]);
    assert!(remote(&["stop"], to, tmp.path()).1.contains("no program with remote control"), "the port is closed");
}

/// The address that the set-up shows.
fn address(window: &mut BackendWindow) -> SocketAddr {
    window.wait("the address", |window, _| {
        let check = window.checks.iter().find(|check| check.id == CheckId::RemoteControl)?;
        assert_eq!(check.state, CheckState::Ok);
        check.sentence.rsplit(' ').next().and_then(|word| word.trim_end_matches('.').parse().ok())
    })
}

fn sent(to: SocketAddr, command: Command) -> std::thread::JoinHandle<Result<(), SendError>> {
    std::thread::spawn(move || send(to, &command))
}

#[test]
fn the_window_is_asked_to_start_and_stops_at_once() {
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let mut window = BackendWindow::set_up(tmp.path(), STUDY);
    let to = address(&mut window);
    send(to, &"filename {participant:sub-01} {session:1}".parse().unwrap()).unwrap();
    let other = send(to, &"filename {participant:sub-02}".parse().unwrap());
    assert!(matches!(&other, Err(SendError::Refused(why)) if why.contains("sub-01 ses-01")), "{other:?}");

    let asked = sent(to, Command::Start);
    window.wait("the question", |_, event| matches!(event, BackendEvent::RemoteStart).then_some(()));
    window.backend.refuse_remote_start("the consent is missing".to_owned());
    let refused = asked.join().unwrap();
    assert!(matches!(&refused, Err(SendError::Refused(why)) if why == "the consent is missing"), "{refused:?}");

    let asked = sent(to, Command::Start);
    window.wait("the question", |_, event| matches!(event, BackendEvent::RemoteStart).then_some(()));
    window.record(vec![CheckId::FaceLight]);
    asked.join().unwrap().unwrap();

    let asked = sent(to, Command::Stop);
    let folder = window.finished();
    asked.join().unwrap().unwrap();
    assert!(matches!(send(to, &Command::Start), Err(SendError::Connect { .. })), "the port is closed");
    window.backend.close();
    let stored = commands(&folder);
    assert_eq!(stored.len(), 5, "{stored:?}");
    assert_eq!(stored[2], ("start".to_owned(), Some("the consent is missing".to_owned())));
}
