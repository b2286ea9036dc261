//! The operator's keys while the page has the keyboard, with a real web view and real key presses.

use affectograph::page::{OperatorKey, PageEvent};

use super::page::Page;
use super::screen::Display;

/// The operator's keys so far.
fn keys(page: &mut Page) -> Vec<OperatorKey> {
    page.collect();
    let keys = page.told.iter().filter_map(|(_, e)| match e {
        PageEvent::OperatorKey { key, .. } => Some(*key),
        _ => None,
    });
    keys.collect()
}

fn press(display: &Display, keys: &str) {
    display.xdotool(&format!("key {keys}"));
    std::thread::sleep(std::time::Duration::from_millis(500));
}

#[test]
fn markers_by_key_while_the_page_has_the_keyboard() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "form.html", &[]);
    page.wait("the keyboard", |e| *e == PageEvent::Keyboard { has_page: true });

    // In a text field, a plain key is the participant's and Ctrl with a digit the operator's.
    display.click(150, 100);
    page.wait_record("a click", |r| r.kind == "click" && r.data["target"] == "input#comment");
    press(&display, "2");
    page.wait_record("a digit", |r| r.kind == "input" && r.data["inserted"] == "2");
    press(&display, "ctrl+1");
    page.wait("a marker", |e| matches!(e, PageEvent::OperatorKey { key: OperatorKey::Digit(1), .. }));
    assert_eq!(keys(&mut page), [OperatorKey::Digit(1)]);
    assert!(!page.records().any(|r| r.kind == "keydown" && r.data.get("key").is_some_and(|k| k == "1")));

    // Beside all fields, no script listens and WebKit does not use the key.
    display.click(600, 400);
    press(&display, "3");
    press(&display, "e");
    page.wait("a marker", |e| matches!(e, PageEvent::OperatorKey { key: OperatorKey::Unused('e'), .. }));
    assert_eq!(keys(&mut page)[1..], [OperatorKey::Unused('3'), OperatorKey::Unused('e')]);

    // A key that is held down sets one marker.
    display.xdotool("keydown ctrl keydown 2 sleep 1.5 keyup 2 keyup ctrl");
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert_eq!(keys(&mut page)[3..], [OperatorKey::Digit(2)]);

    press(&display, "F6");
    page.wait("the keyboard back", |e| matches!(e, PageEvent::OperatorKey { key: OperatorKey::Return, .. }));
    display.screenshot("page_keys.png");
    page.close();
}

#[test]
fn a_page_that_listens_for_keys_keeps_the_plain_ones() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "keys.html", &[]);
    display.click(300, 300);
    press(&display, "2");
    page.wait_record("the page's own answer", |r| r.kind == "mark" && r.data["data"]["key"] == "2");
    press(&display, "ctrl+3");
    page.wait("a marker", |e| matches!(e, PageEvent::OperatorKey { key: OperatorKey::Digit(3), .. }));
    assert_eq!(keys(&mut page), [OperatorKey::Digit(3)]);
    let answers = page.records().filter(|r| r.kind == "mark").map(|r| r.data["data"]["key"].clone());
    let answers: Vec<_> = answers.filter(|key| key != "Control" && key != "Control_L").collect();
    assert_eq!(answers, ["2"], "Ctrl with a digit does not reach the page");
    page.close();
}
