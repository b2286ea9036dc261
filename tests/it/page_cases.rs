//! Pages on which other recorders lose or misplace events, in the laboratory's web view, with real keys and clicks at
//! known times. `client/test/e2e/page_cases.test.ts` uses the same pages in Chromium.

use std::ffi::CString;
use std::time::Duration;

use affectograph::page::{PageEvent, PageRecord};
use affectograph::session::{Clock, Timestamp};
use serde_json::{Value, json};
use x11_dl::{xlib, xtest};

use super::page::{Page, has};
use super::screen::Display;

/// Presses keys and buttons through the X server. Each call returns the times before and after the press.
struct Hand {
    xlib: xlib::Xlib,
    xtest: xtest::Xf86vmode,
    display: *mut xlib::Display,
    clock: Clock,
}

type Span = (Timestamp, Timestamp);

impl Hand {
    fn new(display: &Display, clock: Clock) -> Hand {
        let (xlib, xtest) = (xlib::Xlib::open().unwrap(), xtest::Xf86vmode::open().unwrap());
        let name = CString::new(display.name.as_str()).unwrap();
        // SAFETY: the name ends with a zero. The display is closed in `drop` and used by this thread only.
        let display = unsafe { (xlib.XOpenDisplay)(name.as_ptr()) };
        assert!(!display.is_null());
        Hand { xlib, xtest, display, clock }
    }

    fn timed(&self, act: impl FnOnce()) -> Span {
        let before = self.clock.now();
        act();
        // SAFETY: the display is open. The response arrives after the server has carried out the request.
        unsafe { (self.xlib.XSync)(self.display, 0) };
        (before, self.clock.now())
    }

    fn key(&self, key: char, is_down: bool) -> Span {
        // SAFETY: the display is open.
        let code = unsafe { (self.xlib.XKeysymToKeycode)(self.display, key as u64) };
        // SAFETY: the display is open.
        self.timed(|| unsafe {
            (self.xtest.XTestFakeKeyEvent)(self.display, code.into(), is_down.into(), 0);
        })
    }

    fn button(&self, is_down: bool) -> Span {
        // SAFETY: the display is open.
        self.timed(|| unsafe {
            (self.xtest.XTestFakeButtonEvent)(self.display, 1, is_down.into(), 0);
        })
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        // SAFETY: opened in `new`, closed once.
        unsafe { (self.xlib.XCloseDisplay)(self.display) };
    }
}

fn ms(from: Timestamp, until: Timestamp) -> f64 {
    until.since_ns(from) as f64 * 1e-6
}

/// The distance of a stored time from the span.
fn wrong_ms(stored: Timestamp, span: Span) -> f64 {
    ms(stored, span.0).max(ms(span.1, stored)).max(0.0)
}

#[test]
fn on_a_busy_page_every_press_has_its_own_time() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "busy.html", &[]);
    page.wait_clock(4.0);
    display.click(100, 40);
    page.wait_record("the field", |r| r.kind == "click" && has(r, "target", "input#i"));
    display.xdotool("mousemove_relative 40 200");
    std::thread::sleep(Duration::from_millis(500));

    let hand = Hand::new(&display, page.clock);
    let pause = |ms| std::thread::sleep(Duration::from_millis(ms));
    let mut keys = Vec::new();
    let mut press = |key: char| {
        let down = hand.key(key, true);
        pause(30);
        keys.push((key, down, hand.key(key, false)));
    };
    press('b');
    pause(900);
    press('x');
    pause(700);
    let buttons = (hand.button(true), {
        pause(30);
        hand.button(false)
    });
    press('y');
    pause(2_500);
    press('z');
    page.wait_record("the last key", |r| r.kind == "keyup" && has(r, "key", "z"));
    pause(1_200);
    page.close();

    let records: Vec<PageRecord> = page.records().cloned().collect();
    let one = |kind: &str, key: Option<char>| {
        let is_it = |r: &&PageRecord| r.kind == kind && key.is_none_or(|k| has(r, "key", k.to_string()));
        records.iter().rfind(is_it).unwrap_or_else(|| panic!("no {kind} of {key:?}"))
    };
    let mut worst: f64 = 0.0;
    let mut latest_ms: f64 = 0.0;
    let mut check = |record: &PageRecord, span: Span| {
        let wrong = wrong_ms(record.at, span);
        worst = worst.max(wrong);
        let handled = record.data.get("handled_ms").and_then(Value::as_f64);
        latest_ms = latest_ms.max(handled.unwrap_or(0.0) - record.data["page_ms"].as_f64().unwrap());
        println!("{} {:?}: {wrong:.2} ms from when it was done", record.kind, record.data.get("key"));
        assert!(wrong <= 5.0, "{record:?} was done between {span:?}");
    };
    for (key, down, up) in keys {
        check(one("keydown", Some(key)), down);
        check(one("keyup", Some(key)), up);
    }
    check(one("pointerdown", None), buttons.0);
    check(one("pointerup", None), buttons.1);
    check(one("click", None), buttons.1);
    println!("at most {worst:.2} ms from when it was done; handled up to {latest_ms:.0} ms later");
    assert!(latest_ms > 1_500.0, "the page was busy");
    let longest = |r: &&PageRecord| (r.data["length_ms"].as_f64().unwrap() * 1e3) as i64;
    let still = records.iter().filter(|r| r.kind == "busy").max_by_key(longest).unwrap();
    let length_ms = still.data["length_ms"].as_f64().unwrap();
    assert!((2_900.0..4_000.0).contains(&length_ms), "{still:?}");
    assert!(ms(one("keydown", Some('b')).at, still.at).abs() < 150.0, "{still:?}");
}

/// `[position, deleted, inserted, length]` of each edit of one field.
fn edits(page: &Page, target: &str) -> Vec<Value> {
    let of = page.records().filter(|r| r.kind == "input" && has(r, "target", target));
    of.map(|r| json!([r.data["position"], r.data["deleted"], r.data["inserted"], r.data["length_after"]])).collect()
}

#[test]
fn line_breaks_and_equal_letters_in_editable_elements_are_where_they_are() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "editable.html", &[]);
    display.click(100, 60);
    display.xdotool("type --delay 40 one");
    display.xdotool("key Return");
    display.xdotool("type --delay 40 two");
    display.xdotool("key shift+Return");
    display.xdotool("type --delay 40 aaa");
    display.xdotool("key --delay 40 Left BackSpace");
    page.wait_record("the middle letter", |r| has(r, "target", "div#rich") && has(r, "deleted", "a"));
    display.click(100, 260);
    display.xdotool("key --delay 40 x Return y y Home Delete");
    page.wait_record("a letter after the break", |r| has(r, "target", "div#plain") && has(r, "deleted", "y"));
    page.close();
    let mut rich = vec![];
    for (k, letter) in ["o", "n", "e", "\n", "t", "w", "o", "\n", "a", "a", "a"].iter().enumerate() {
        rich.push(json!([k, "", letter, k + 1]));
    }
    rich.push(json!([9, "a", "", 10]));
    assert_eq!(edits(&page, "div#rich"), rich);
    let plain = [
        json!([0, "", "x", 1]),
        json!([1, "", "\n", 2]),
        json!([2, "", "y", 3]),
        json!([3, "", "y", 4]),
        json!([2, "y", "", 3]),
    ];
    assert_eq!(edits(&page, "div#plain"), plain);
}

#[test]
fn a_list_of_several_tells_all_that_are_chosen() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "several.html", &[]);
    display.click(60, 95);
    page.wait_record("one choice", |r| r.kind == "change" && has(r, "chosen", 1));
    display.xdotool("keydown ctrl");
    display.click(60, 130);
    display.xdotool("keyup ctrl");
    let both = page.wait_record("two choices", |r| r.kind == "change" && has(r, "chosen", 2));
    assert_eq!((&both.data["values"], &both.data["indices"]), (&json!(["sad", "calm"]), &json!([0, 3])));
    page.close();
}

#[test]
fn after_document_open_each_event_is_recorded_once() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "rewrite.html", &[]);
    display.click(100, 40);
    page.wait_record("the button that writes", |r| r.kind == "click" && has(r, "target", "button#w"));
    std::thread::sleep(Duration::from_millis(300));
    display.click(100, 40);
    display.click(100, 100);
    display.xdotool("type --delay 40 ab");
    page.wait_record("the second letter", |r| r.kind == "input" && has(r, "length_after", 2));
    // Each ping adds the listeners again.
    std::thread::sleep(Duration::from_secs(6));
    display.xdotool("type --delay 40 c");
    page.wait_record("the third letter", |r| r.kind == "input" && has(r, "length_after", 3));
    page.close();
    let clicks: Vec<_> = page.records().filter(|r| r.kind == "click").map(|r| r.data["target"].clone()).collect();
    assert_eq!(clicks, ["button#w", "button#after", "input#afterinput"]);
    let keys: Vec<_> = page.records().filter(|r| r.kind == "keydown").map(|r| r.data["key"].clone()).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    assert_eq!(edits(&page, "input#afterinput").len(), 3);
    assert_eq!(page.records().filter(|r| r.kind == "document").count(), 1);
}

#[test]
fn what_happens_in_frames_of_the_same_origin_is_recorded_like_the_page() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "frames.html", &[]);
    page.wait_record("all frames", |r| r.kind == "frames" && has(r, "count", 3) && has(r, "unseen", 1));
    display.click(100, 50);
    let click = page.wait_record("a click in a frame", |r| {
        r.kind == "click" && has(r, "target", "iframe#a >> button#in") && has(r, "label", "In frame")
    });
    assert_eq!((click.data["x_px"].as_f64(), click.data["y_px"].as_f64()), (Some(100.0), Some(50.0)));
    display.click(100, 90);
    display.xdotool("type --delay 40 hi");
    page.wait_record("a word in a frame", |r| has(r, "target", "iframe#a >> input#txt") && has(r, "length_after", 2));
    display.click(100, 125);
    display.xdotool("type --delay 40 Zq7");
    page.wait_record("a password in a frame", |r| {
        has(r, "target", "iframe#a >> input#pw") && has(r, "length_after", 3)
    });
    display.click(100, 190);
    page.wait_record("a click in a frame made later", |r| {
        r.kind == "click" && has(r, "target", "iframe#b >> button#dyn")
    });
    display.click(100, 230);
    display.xdotool("type --delay 40 x");
    page.wait_record("a letter there", |r| has(r, "target", "iframe#b >> input#dyntxt") && has(r, "length_after", 1));
    page.close();
    for record in page.records().filter(|r| has(r, "target", "iframe#a >> input#pw")) {
        for field in ["key", "code", "inserted", "deleted", "caret", "position", "label"] {
            assert!(!record.data.contains_key(field), "{record:?}");
        }
    }
    let clicks: Vec<_> = page.records().filter(|r| r.kind == "click").collect();
    assert_eq!(clicks.len(), 5, "each once: {clicks:?}");
    assert!(clicks.windows(2).all(|w| w[0].at < w[1].at), "one clock: {clicks:?}");
    for event in page.records().filter(|r| r.data.contains_key("handled_ms")) {
        let late_ms = event.data["handled_ms"].as_f64().unwrap() - event.data["page_ms"].as_f64().unwrap();
        assert!(late_ms < 1_000.0, "{event:?}");
    }
    assert!(page.told.iter().all(|(_, e)| !matches!(e, PageEvent::Refused { .. })), "{:?}", page.told);
}
