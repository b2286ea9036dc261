//! An embedded page while it appears: nothing but the window, grey and the page is seen.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use affectograph::page::{BoundsPx, PageAddress, PageEvent, PageSpec, Placement};

use super::page::{PLAIN, Page, PlainWindow};
use super::participant_screen::{ScreenRecording, is_grey, is_of_page};
use super::screen::Display;

/// GTK uses one display per process, so the page is shown in a process of its own.
#[test]
fn an_embedded_page_is_grey_until_it_is_drawn() {
    let Some(display) = Display::open() else { return };
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["page_embedded::appearing_page", "--exact", "--ignored", "--nocapture"])
        .env("DISPLAY", &display.name)
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    println!("{}", String::from_utf8_lossy(&out.stdout));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

fn is_of_window([r, g, b]: [u8; 3]) -> bool {
    u32::from_be_bytes([0, r, g, b]) == PLAIN
}

#[test]
#[ignore = "run by `an_embedded_page_is_grey_until_it_is_drawn`, with a display of its own"]
fn appearing_page() {
    let parent = PlainWindow::open();
    let shown = Command::new("xdotool").args("search --sync --onlyvisible --name plain".split(' ')).status().unwrap();
    assert!(shown.success());
    std::thread::sleep(Duration::from_millis(500));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    let bounds = |width, height| BoundsPx { left: 10, top: 10, width, height };
    let spec = PageSpec {
        address: PageAddress::parse("calm.html", &folder).unwrap(),
        placement: Placement::Embedded { parent_xid: parent.window, bounds: bounds(500, 400), zoom: 1.0 },
        mask: Vec::new(),
        allow: Vec::new(),
        data_dir: None,
        questionnaires: Vec::new(),
        closing: String::new(),
        condition: None,
        waits_after_crash: false,
    };
    // A part of the screen that is inside the window wherever the window manager has placed it.
    let part = format!("{}+300,200", std::env::var("DISPLAY").unwrap());
    let Some(recording) = ScreenRecording::start_of(&part, "640x400", "embedded.rgb") else { return };
    for _ in 0..3 {
        let mut page = Page::start(spec.clone());
        page.wait("the page", |e| matches!(e, PageEvent::Loaded { .. }));
        std::thread::sleep(Duration::from_millis(500));
        // The window grows, and the page with it.
        page.host().set_bounds(bounds(900, 650), 1.0);
        std::thread::sleep(Duration::from_millis(500));
        page.close();
    }
    let frames = recording.stop();
    let mut of_page = 0;
    for (k, frame) in frames.iter().enumerate() {
        let other = frame.iter().find(|p| !is_of_window(**p) && !is_grey(**p) && !is_of_page(**p));
        assert_eq!(other, None, "frame {k} of {} has a pixel of another colour", frames.len());
        of_page += usize::from(frame.iter().filter(|p| is_of_page(**p)).count() * 2 > frame.len());
    }
    println!("{} frames, {of_page} of the page", frames.len());
    assert!(of_page > 60, "{of_page} of {} frames show the page", frames.len());
}
