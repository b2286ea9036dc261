//! The window as a screen reader sees it: the real program under Xvfb, read through AT-SPI. And a session by keyboard alone.

use std::path::Path;
use std::process::Command;

use affectograph::session::ConsentBy;
use affectograph::store::{Condition, Library, SessionFile, SessionState, verify};
use serde_json::Value;

use crate::need::{need, need_program};

use super::screen::{self, Display};
use super::{app, vision_support};

/// The system's Python, because the bindings of AT-SPI come with the system (python3-gi, gir1.2-atspi-2.0).
const PYTHON: &str = "/usr/bin/python3";

/// What `script` prints in a session of its own with an accessibility bus, as JSON. `None`: this machine cannot do it. The
/// reason is printed.
fn read_by(script: &str, display: &Display, sessions: &Path, shot: &str) -> Option<Value> {
    need_program("dbus-run-session")?;
    let has_bindings = Command::new(PYTHON)
        .args(["-c", "import gi; gi.require_version('Atspi', '2.0'); from gi.repository import Atspi"])
        .output()
        .is_ok_and(|out| out.status.success());
    let why = "/usr/bin/python3 has no AT-SPI bindings (python3-gi, gir1.2-atspi-2.0, at-spi2-core)";
    need("AT-SPI", has_bindings.then_some(()).ok_or(why))?;
    let shot = screen::file(shot);
    let out = Command::new("dbus-run-session")
        .args(["--", PYTHON, script, env!("CARGO_BIN_EXE_affectograph")])
        .arg(sessions)
        .arg(&shot)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("DISPLAY", &display.name)
        .env("AFFECTOGRAPH_SESSIONS", sessions)
        .env("XDG_CONFIG_HOME", sessions.join("config"))
        .env("XDG_RUNTIME_DIR", sessions)
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("AT_SPI_BUS_ADDRESS")
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    println!("screenshot: {}", shot.display());
    let picture = image::open(&shot).unwrap().to_rgb8();
    let drawn = picture.pixels().filter(|pixel| pixel.0 != [0; 3]).count();
    assert!(drawn > picture.pixels().len() / 2, "the picture was taken without the window: {}", shot.display());
    // The programs of the accessibility bus may write to the same output.
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with('{')).unwrap_or_default();
    let found: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {text}"));
    println!("{found:#}");
    Some(found)
}

#[test]
fn a_screen_reader_finds_a_name_for_every_control_and_can_press_it() {
    let Some(display) = Display::open() else { return };
    let sessions = tempfile::tempdir().unwrap();
    let script = "tests/python/atspi_names.py";
    let Some(found) = read_by(script, &display, sessions.path(), "atspi_new_session.png") else { return };
    for screen in ["home", "dialog"] {
        assert_eq!(found[screen]["unnamed"].as_array().unwrap().len(), 0, "{screen}: {}", found[screen]);
    }
    let names: Vec<&str> = found["home"]["names"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|names| names.as_array().unwrap())
        .filter_map(Value::as_str)
        .collect();
    for name in ["New session", "Open session …", "Download from server …", "Preferences", "Help"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
}

/// From *New session* to the review: set-up, consent, page, markers, note, pause and end, with real key presses only.
#[test]
fn a_session_is_led_by_keyboard_alone() {
    if vision_support::models().is_none() {
        return;
    }
    let Some(display) = Display::open() else { return };
    let sessions = app::demo_study(|study| {
        // The operator tries the study, so that the page is in the window.
        study.insert("participant".into(), toml::toml! { screen = "pilot" }.into());
        study.insert("consent".into(), toml::toml! { required = true text = "A camera records your face." }.into());
    });
    let script = "tests/python/atspi_keyboard.py";
    let Some(tabs) = read_by(script, &display, sessions.path(), "atspi_keyboard.png") else { return };
    // Every control of a screen is a few presses of Tab away.
    for (name, pressed) in tabs.as_object().unwrap() {
        assert!(pressed.as_u64().unwrap() <= 20, "{name}: {pressed} presses of Tab");
    }
    let session = Library::open(sessions.path()).unwrap().sessions().unwrap().remove(0);
    assert_eq!(session.condition, Condition::Opens(SessionState::Closed));
    let file = SessionFile::open(&session.folder).unwrap();
    assert_eq!(file.header().consent.as_ref().and_then(|consent| consent.by), Some(ConsentBy::Operator));
    let timeline = file.timeline().unwrap();
    let count = |stream: &str, kind: &str| {
        timeline.events().iter().filter(|e| e.stream.as_str() == stream && e.what.kind == kind).count()
    };
    let of_operator = [("marker", "marker"), ("marker", "note"), ("health", "paused"), ("health", "resumed")];
    assert_eq!(of_operator.map(|(stream, kind)| count(stream, kind)), [1; 4]);
    let note = timeline.events().iter().find(|e| e.what.kind == "note").unwrap();
    assert_eq!(note.what.data["note"], "calm");
    assert!(count("page", "mark") > 0 && count("page", "keydown") > 0, "the participant began the task by keyboard");
    assert!(verify(&session.folder).unwrap().is_intact);
}

/// The page of set-up is a picture for the operator. A screen reader would read it aloud before the participant has agreed.
#[test]
fn a_screen_reader_finds_the_page_in_the_recording_and_not_in_set_up() {
    if vision_support::models().is_none() {
        return;
    }
    let Some(display) = Display::open() else { return };
    let sessions = app::demo_study(|study| {
        study.insert("participant".into(), toml::toml! { screen = "participant" }.into());
        study["page"]["address"] = "task.html".into();
    });
    let page = "<!doctype html><html lang='en'><title>Task</title><h1>Heading of the page</h1>";
    std::fs::write(sessions.path().join("studies/demo/task.html"), page).unwrap();
    let script = "tests/python/atspi_preview.py";
    let Some(found) = read_by(script, &display, sessions.path(), "atspi_preview.png") else { return };
    assert_eq!(found["in_set_up"], false);
    assert_eq!(found["in_recording"], true);
}
