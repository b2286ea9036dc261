//! Studies without a camera: physiology, triggers and page alone. Nothing is missing, so nothing is blamed.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use affectograph::analysis::{FaceRecord, Grade};
use affectograph::desktop::port::{BackendEvent, CheckState};
use affectograph::serial::PseudoPort;
use affectograph::session::CheckId;
use affectograph::store::{SessionFile, verify};
use affectograph::study_query::StoredSession;
use serde_json::Value;

use super::backend_window::BackendWindow;
use super::program;

fn study(port: &str) -> String {
    format!(
        "name = \"lab\"\ntitle = \"Lab\"\n[camera]\nrecord = false\n[[markers]]\nkey = \"1\"\nlabel = \"a\"\n\
         [[sources]]\nkind = \"serial\"\nname = \"box\"\nport = \"{port}\"\nbaud_rate = 9600\n"
    )
}

/// Intact, graded by what was asked for, and exported in each form.
fn is_complete(folder: &Path, tmp: &Path) {
    assert!(verify(folder).unwrap().is_intact);
    let file = SessionFile::open(folder).unwrap();
    let names: Vec<String> = file.timeline().unwrap().streams().map(|s| s.name.to_string()).collect();
    assert!(names.contains(&"serial_box".to_owned()) && !names.contains(&"affect".to_owned()), "{names:?}");
    assert!(file.header().camera.is_none() && file.header().models.is_empty());
    assert!(!folder.join("video.mkv").exists());
    let stored = StoredSession::open_and_store_quality(folder).unwrap();
    let quality = &stored.quality;
    assert_eq!((quality.grade, quality.face_record, quality.findings()), (Grade::A, FaceRecord::Nothing, Vec::new()));
    assert!(quality.seconds > 0.5, "{quality:?}");
    for format in ["csv", "bids", "xdf"] {
        let to = tmp.join(format);
        let output =
            program::run(&["export", folder.to_str().unwrap(), "--format", format, "--to", to.to_str().unwrap()], tmp);
        assert!(output.status.success(), "{format}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let shown = program::run(&["show", folder.to_str().unwrap()], tmp);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("no camera") && shown.contains("serial_box"), "{shown}");
}

#[test]
fn the_command_line_records_a_source_alone() {
    let tmp = tempfile::tempdir().unwrap();
    let mut port = PseudoPort::open().unwrap();
    std::fs::write(tmp.path().join("study.toml"), study(port.path())).unwrap();
    let study = tmp.path().join("study.toml");
    let arguments =
        ["record", "--participant", "sub-01", "--duration", "3s", "--json", "--study", study.to_str().unwrap()];
    let mut command = program::command(&arguments, tmp.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let first: Vec<String> = lines.by_ref().take(2).collect();
    assert_eq!(first[0], "The study records no camera.");
    assert!(first[1].contains("source `serial_box` is recorded"), "{first:?}");
    port.device().write(&[3, 4]).unwrap();
    let rest = std::thread::spawn(move || lines.collect::<Vec<_>>());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", rest.join().unwrap());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let folder = PathBuf::from(told["session"].as_str().unwrap());
    let timeline = SessionFile::open(&folder).unwrap().timeline().unwrap();
    let received = timeline.events().iter().filter(|e| e.what.kind == "received");
    assert_eq!(received.map(|e| e.what.data["value"].as_u64().unwrap()).collect::<Vec<_>>(), [3, 4]);
    is_complete(&folder, tmp.path());
}

#[test]
fn the_window_asks_for_no_camera_and_raises_no_alarm() {
    let tmp = tempfile::tempdir().unwrap();
    let mut port = PseudoPort::open().unwrap();
    let mut window = BackendWindow::set_up(tmp.path(), &study(port.path()));
    window.wait_for_source(0, CheckState::Ok, "is open");
    window.wait("the disk", |window, _| {
        window.checks.iter().any(|c| c.id == CheckId::DiskSpace && c.state == CheckState::Ok).then_some(())
    });
    let ids: Vec<CheckId> = window.checks.iter().map(|check| check.id.clone()).collect();
    assert_eq!(ids, [CheckId::DiskSpace, CheckId::Source]);
    window.record(Vec::new());
    window.wait_for_source(0, CheckState::Ok, "is recorded");
    port.device().write(&[7]).unwrap();
    let health = window.wait("the figures", |_, event| match event {
        BackendEvent::Health(health) if health.disk_left.is_some() => Some(health.clone()),
        _ => None,
    });
    assert_eq!((health.asked_hz, health.lost), (0.0, 0));
    window.wait("more figures", |_, event| matches!(event, BackendEvent::Health(_)).then_some(()));
    assert!(window.alarms.is_empty(), "{:?}", window.alarms);
    let folder = window.stop();
    is_complete(&folder, tmp.path());
}
