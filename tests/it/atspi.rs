//! The window as a screen reader sees it: the real program under Xvfb, read through AT-SPI.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::need::{need, need_program};

use super::screen::Display;

/// The system's Python, because the bindings of AT-SPI come with the system (python3-gi, gir1.2-atspi-2.0).
const PYTHON: &str = "/usr/bin/python3";

#[test]
fn a_screen_reader_finds_a_name_for_every_control_and_can_press_it() {
    if need_program("dbus-run-session").is_none() {
        return;
    }
    let has_bindings = Command::new(PYTHON)
        .args(["-c", "import gi; gi.require_version('Atspi', '2.0'); from gi.repository import Atspi"])
        .output()
        .is_ok_and(|out| out.status.success());
    let why = "/usr/bin/python3 has no AT-SPI bindings (python3-gi, gir1.2-atspi-2.0, at-spi2-core)";
    if need("AT-SPI", has_bindings.then_some(()).ok_or(why)).is_none() {
        return;
    }
    let Some(display) = Display::open() else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sessions = tempfile::tempdir().unwrap();
    let out = Command::new("dbus-run-session")
        .args(["--", PYTHON, "tests/python/atspi_names.py", env!("CARGO_BIN_EXE_affectograph")])
        .current_dir(root)
        .env("DISPLAY", &display.name)
        .env("AFFECTOGRAPH_SESSIONS", sessions.path())
        .env("XDG_CONFIG_HOME", sessions.path().join("config"))
        .env("XDG_RUNTIME_DIR", sessions.path())
        .env_remove("WAYLAND_DISPLAY")
        .env_remove("AT_SPI_BUS_ADDRESS")
        .output()
        .unwrap();
    display.screenshot("atspi_new_session.png");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    // The programs of the accessibility bus may write to the same output.
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with('{')).unwrap_or_default();
    let found: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {text}"));
    println!("{found:#}");
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
