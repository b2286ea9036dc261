//! Triggers over serial ports, which are pseudo terminals here: window, recording, commands.

use std::path::Path;
use std::time::Duration;

use affectograph::desktop::port::{CheckState, MarkerVia, NewMarker};
use affectograph::serial::{Port, PseudoPort};
use affectograph::session::{CheckId, EventData, EventRow, GapReason, HEALTH, MARKER, Timeline};
use affectograph::store::{SessionFile, verify};
use serde_json::Value;

use super::backend_window::BackendWindow;
use super::program;
use super::vision_support::models;

const PATIENCE: Duration = Duration::from_secs(30);
const STUDY: &str = "name = \"lab\"\ntitle = \"Lab\"\n[camera]\nwidth_px = 320\nheight_px = 240\nrate_hz = 15.0\n\
    [[markers]]\nkey = \"1\"\nlabel = \"smile\"\n[[markers]]\nkey = \"2\"\nlabel = \"other\"\n";

/// A study with this port, which sends `smile` as 7.
fn study(port: &Path, more: &str) -> String {
    let port = port.display();
    format!(
        "{STUDY}[[sources]]\nkind = \"serial\"\nname = \"box\"\nport = \"{port}\"\nbaud_rate = 115200\npulse_ms = 20\n\
         send = {{ smile = 7 }}\n{more}"
    )
}

fn link(port: &PseudoPort, at: &Path) {
    std::fs::remove_file(at).ok();
    std::os::unix::fs::symlink(port.path(), at).unwrap();
}

fn mark(window: &mut BackendWindow, key: char, label: &str) {
    let at = window.backend.now();
    let (label, note) = (label.to_owned(), String::new());
    window.backend.mark(NewMarker { at, key: Some(key), label, note, via: MarkerVia::Window });
}

fn events<'a>(timeline: &'a Timeline, stream: &str, kind: &str) -> Vec<&'a EventRow<EventData>> {
    timeline.events().iter().filter(|e| e.stream.as_str() == stream && e.what.kind == kind).collect()
}

fn values(events: &[&EventRow<EventData>]) -> Vec<(u64, Option<bool>)> {
    let value = |e: &&EventRow<EventData>| {
        (e.what.data["value"].as_u64().unwrap(), e.what.data.get("is_written").and_then(Value::as_bool))
    };
    events.iter().map(value).collect()
}

#[test]
fn bytes_come_and_go_and_an_unplugged_port_is_seen_stored_and_found_again() {
    if models().is_none() {
        return;
    }
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("port");
    let mut port = PseudoPort::open().unwrap();
    link(&port, &path);
    let absent =
        "[[sources]]\nkind = \"serial\"\nport = \"/dev/affectograph-none\"\nbaud_rate = 9600\nrequired = false\n";
    let mut window = BackendWindow::set_up(tmp.path(), &study(&path, absent));
    window.wait_for_source(0, CheckState::Ok, "is open. No byte has come yet. One label is sent as a byte.");
    window.wait_for_source(1, CheckState::Warning, "/dev/affectograph-none is not there");
    port.device().write(&[9]).unwrap();
    window.wait_for_source(0, CheckState::Ok, "The last byte that came is 9");

    window.record(vec![CheckId::FaceLight]);
    window.wait_for_source(0, CheckState::Ok, "is recorded");
    for byte in [1, 2, 255] {
        port.device().write(&[byte]).unwrap();
        std::thread::sleep(Duration::from_millis(5));
    }
    mark(&mut window, '1', "smile");
    mark(&mut window, '2', "other");
    assert_eq!(port.device().read_at_least(2, PATIENCE), [7, 0]);
    // Another test may get the number of a pseudo terminal that is closed.
    std::fs::remove_file(&path).unwrap();
    drop(port);
    window.wait("the alarm", |window, _| {
        window
            .alarms
            .iter()
            .any(|alarm| alarm.losing.contains("serial_box was lost: it was disconnected"))
            .then_some(())
    });
    window.wait_for_source(0, CheckState::Failed, "was lost");
    mark(&mut window, '1', "smile");
    // Each of the thread's messages has its turn.
    std::thread::sleep(Duration::from_millis(300));
    let mut port = PseudoPort::open().unwrap();
    link(&port, &path);
    window.wait_for_source(0, CheckState::Ok, "is recorded");
    port.device().write(&[4]).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let folder = window.stop();

    assert!(verify(&folder).unwrap().is_intact);
    let timeline = SessionFile::open(&folder).unwrap().timeline().unwrap();
    let received = events(&timeline, "serial_box", "received");
    let numbers: Vec<u64> = values(&received).into_iter().map(|(value, _)| value).collect();
    assert_eq!(numbers, [1, 2, 255, 4]);
    assert!(received.iter().all(|e| e.what.data["uncertainty_ns"].as_i64().is_some_and(|ns| ns >= 0)));
    let sent = events(&timeline, "serial_box", "sent");
    assert_eq!(values(&sent), [(7, Some(true)), (7, Some(false))]);
    assert_eq!(sent[1].what.data["why"], "the port is not there");
    assert_eq!(values(&events(&timeline, "serial_box", "reset")), [(0, Some(true))]);
    let markers = events(&timeline, MARKER, "marker");
    assert_eq!(markers.len(), 3);
    assert_eq!(sent[0].what.data["event_ns"].as_i64(), Some(markers[0].at.as_ns()));
    assert!(sent[0].at >= markers[0].at);

    let gaps: Vec<_> = timeline.gaps().iter().filter(|gap| gap.what.reason == GapReason::SourceLost).collect();
    let [whole, unplugged] = ["serial_affectograph_none", "serial_box"]
        .map(|name| *gaps.iter().find(|gap| gap.stream.as_str() == name).unwrap());
    assert!(gaps.len() == 2 && whole.what.note.contains("is not there"), "{gaps:?}");
    assert!(unplugged.what.until > unplugged.at && unplugged.what.note.contains("disconnected"));
    for (kind, count) in [("source_missing", 1), ("source_lost", 1), ("source_back", 1), ("trigger_not_sent", 0)] {
        assert_eq!(events(&timeline, HEALTH, kind).len(), count, "{kind}");
    }
    is_shown_and_exported(&folder, tmp.path());
}

/// As other streams of events.
fn is_shown_and_exported(folder: &Path, tmp: &Path) {
    let folder = folder.to_str().unwrap();
    let run = |arguments: &[&str]| {
        let output = program::run(arguments, tmp);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert!(run(&["show", folder]).contains("serial_box"));
    let to = tmp.join("bids");
    run(&["export", folder, "--format", "bids", "--to", to.to_str().unwrap()]);
    let mut files = vec![to];
    let mut tables = String::new();
    while let Some(file) = files.pop() {
        if file.is_dir() {
            files.extend(std::fs::read_dir(&file).unwrap().map(|entry| entry.unwrap().path()));
        } else if file.to_string_lossy().ends_with("_events.tsv") {
            tables.push_str(&std::fs::read_to_string(file).unwrap());
        }
    }
    assert_eq!(tables.matches("serial_box/received").count(), 4, "{tables}");
    let to = tmp.join("xdf");
    run(&["export", folder, "--format", "xdf", "--to", to.to_str().unwrap()]);
    let xdf = std::fs::read_dir(&to)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|p| p.extension().is_some_and(|e| e == "xdf"));
    let bytes = std::fs::read(xdf.unwrap()).unwrap();
    assert!(bytes.windows(10).any(|part| part == b"serial_box"));
}

#[test]
fn a_recording_does_not_start_without_a_required_port_and_a_wrong_study_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let port = PseudoPort::open().unwrap();
    let says = |text: &str, part: &str| {
        std::fs::write(tmp.path().join("study.toml"), text).unwrap();
        let study = tmp.path().join("study.toml");
        let fixed = ["record", "--participant", "sub-01", "--camera", "phantom", "--duration", "1s", "--study"];
        let output = program::run(&[&fixed[..], &[study.to_str().unwrap()]].concat(), tmp.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(1) && said.contains(part), "{part}: {said}");
        assert!(!tmp.path().join("sub-01").exists(), "no empty session is left");
    };
    says(&study(Path::new("/dev/affectograph-none"), ""), "the serial port /dev/affectograph-none is not there");
    says(&study(Path::new("/etc/hostname"), ""), "/etc/hostname is no serial port");
    let used = Port::open(port.path(), 115_200).unwrap();
    says(&study(Path::new(port.path()), ""), "another program uses the serial port");
    drop(used);
    says(&study(Path::new(port.path()), "").replace("= 7", "= 256"), "the byte of `smile` is 256");
    says(&study(Path::new(port.path()), "").replace("= 20", "= 0"), "`pulse_ms` is 0");
    says(&study(Path::new(port.path()), "").replace("= 7", "= 7, smile = 8"), "duplicate key");
}

#[test]
fn ports_are_listed_and_the_latency_is_measured() {
    let tmp = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        let output = program::run(&[&["triggers"], arguments].concat(), tmp.path());
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        (output.status.code(), said.into_owned())
    };
    let (code, listed) = run(&["--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert!(code == Some(0) && listed["ports"].is_array());
    let (code, told) = run(&["test", "--without-device", "--count", "30", "--json"]);
    let told: Value = serde_json::from_str(&told).unwrap();
    println!("{told}");
    assert_eq!((code, &told["sent"], &told["lost"]), (Some(0), &Value::from(30), &Value::from(0)));
    assert!(told["median_ms"].as_f64().unwrap() > 0.0 && told["longest_ms"].as_f64() >= told["median_ms"].as_f64());
    let (code, said) = run(&["test", "--without-device", "--count", "5"]);
    assert!(code == Some(0) && said.contains("a pseudo terminal: there and back in"), "{said}");
    let silent = PseudoPort::open().unwrap();
    let (code, said) = run(&["test", silent.path(), "--count", "1"]);
    assert!(code == Some(1) && said.contains("none of 1 bytes came back. Connect pins 2 and 3"), "{said}");
    let (code, said) = run(&["test", "/dev/affectograph-none"]);
    assert!(code == Some(1) && said.contains("is not there"), "{said}");
}
