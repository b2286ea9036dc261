//! The page from the participant's side: a real web view in its own process, on its own display, with real clicks and
//! keys.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use affectograph::page::{
    BoundsPx, OperatorKey, PageAddress, PageEvent, PageHost, PageProcess, PageRecord, PageSpec, Placement, Refusal,
    is_fixation,
};
use affectograph::session::{Clock, Timestamp};
use crossbeam_channel::Receiver;
use serde_json::Value;

use super::screen::Display;

const PATIENCE: Duration = Duration::from_secs(40);

/// A page that is recorded, with all events so far.
pub(super) struct Page {
    host: Option<PageHost>,
    /// The session clock.
    pub clock: Clock,
    /// Each event with the time of its arrival.
    events: Receiver<(Timestamp, PageEvent)>,
    pub told: Vec<(Timestamp, PageEvent)>,
}

impl Page {
    fn open(display: &Display, address: PageAddress, mask: &[&str]) -> Page {
        Page::start(PageSpec {
            address,
            placement: Placement::ParticipantWindow {
                monitor: None,
                full_screen: true,
                program: Some(PathBuf::from(env!("CARGO_BIN_EXE_affectograph"))),
                display: Some(display.name.clone()),
            },
            mask: mask.iter().map(|m| (*m).to_owned()).collect(),
            allow: Vec::new(),
            data_dir: None,
            questionnaires: Vec::new(),
            closing: String::new(),
            condition: None,
            waits_after_crash: false,
        })
    }

    pub fn start(spec: PageSpec) -> Page {
        Page::start_behind(None, spec)
    }

    fn start_behind(sentence: Option<&str>, spec: PageSpec) -> Page {
        let clock = Clock::start();
        let (out, events) = crossbeam_channel::bounded(8192);
        let host = PageHost::start_behind(sentence.map(str::to_owned), None, spec, clock, out).unwrap();
        let (stamped, collected) = crossbeam_channel::unbounded();
        std::thread::spawn(move || {
            for event in &events {
                // Fails only if the test has ended.
                stamped.send((clock.now(), event)).ok();
            }
        });
        Page { host: Some(host), clock, events: collected, told: Vec::new() }
    }

    pub fn local(display: &Display, file: &str, mask: &[&str]) -> Page {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
        Page::shown(display, PageAddress::parse(file, &folder).unwrap(), mask)
    }

    /// A page that the participant sees.
    pub fn shown(display: &Display, address: PageAddress, mask: &[&str]) -> Page {
        let mut page = Page::open(display, address, mask);
        page.wait("the page", |e| matches!(e, PageEvent::Loaded { .. }));
        page.wait("the page's clock", |e| matches!(e, PageEvent::ClockMeasured { .. }));
        page.wait_record("the page on the screen", |r| r.kind == "shown");
        page
    }

    /// Waits for a reading of the page's clock with at most this uncertainty. Also a busy computer gives one: the program
    /// measures a coarse clock each second.
    pub fn wait_clock(&mut self, within_ms: f64) {
        let is_fine = |e: &PageEvent| matches!(e, PageEvent::ClockMeasured { uncertainty_ms, .. } if *uncertainty_ms <= within_ms);
        self.wait("a fine reading of the page's clock", is_fine);
    }

    /// The first past or future event for which `is_it` is true.
    pub fn wait(&mut self, what: &str, is_it: impl Fn(&PageEvent) -> bool) -> PageEvent {
        if let Some((_, event)) = self.told.iter().find(|(_, e)| is_it(e)) {
            return event.clone();
        }
        let deadline = Instant::now() + PATIENCE;
        while let Ok((at, event)) = self.events.recv_deadline(deadline) {
            self.told.push((at, event.clone()));
            if is_it(&event) {
                return event;
            }
        }
        panic!("{what} did not arrive; these events arrived: {:#?}", self.told);
    }

    pub fn wait_record(&mut self, what: &str, is_it: impl Fn(&PageRecord) -> bool) -> PageRecord {
        match self.wait(what, |e| matches!(e, PageEvent::Record(r) if is_it(r))) {
            PageEvent::Record(record) => record,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for a mark with this name and returns its data.
    pub fn wait_mark(&mut self, name: &str) -> Value {
        let mark = self.wait_record(name, |r| r.kind == "mark" && has(r, "name", name));
        mark.data.get("data").cloned().unwrap_or_default()
    }

    pub fn host(&self) -> &PageHost {
        self.host.as_ref().unwrap()
    }

    /// Takes the events that have arrived.
    pub fn collect(&mut self) {
        self.told.extend(self.events.try_iter());
    }

    /// Whether such a record has arrived.
    fn has(&mut self, is_it: impl Fn(&PageRecord) -> bool) -> bool {
        self.collect();
        self.records().any(is_it)
    }

    pub fn records(&self) -> impl Iterator<Item = &PageRecord> {
        self.told.iter().filter_map(|(_, e)| match e {
            PageEvent::Record(record) => Some(record),
            _ => None,
        })
    }

    fn refused(&self, reason: Refusal) -> u64 {
        let counts = self.told.iter().map(|(_, e)| match e {
            PageEvent::Refused { count, reason: r, .. } if *r == reason => *count,
            _ => 0,
        });
        counts.sum()
    }

    /// Closes the page and reads all remaining events.
    pub fn close(&mut self) {
        let host = self.host.take().unwrap();
        let closer = std::thread::spawn(move || host.close());
        self.wait("the end", |e| *e == PageEvent::Closed);
        closer.join().unwrap().unwrap();
        assert!(self.events.try_recv().is_err(), "nothing comes after the end");
        // No number is missing, and within a document the numbers have the order of the script's handlers.
        let mut last: std::collections::BTreeMap<u64, f64> = Default::default();
        for (k, record) in self.records().enumerate() {
            assert_eq!(record.page_seq, k as u64);
            let Some(document) = record.data.get("document").and_then(Value::as_u64) else { continue };
            let page_ms = record.data["page_ms"].as_f64().unwrap();
            let handled_ms = record.data.get("handled_ms").map_or(page_ms, |v| v.as_f64().unwrap());
            assert!(page_ms <= handled_ms, "handled before it happened: {record:?}");
            if let Some(ms) = last.insert(document, handled_ms) {
                assert!(handled_ms >= ms - 1.0, "handled before its predecessor: {record:?}");
            }
        }
    }
}

pub(super) fn has(record: &PageRecord, field: &str, value: impl Into<Value>) -> bool {
    record.data.get(field) == Some(&value.into())
}

/// Child processes whose command line contains `text`.
fn descendants(text: &str) -> Vec<i32> {
    let mut parents = std::collections::BTreeMap::new();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse::<i32>().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        let after = stat.rsplit(')').next().unwrap_or_default();
        let parent = after.split_whitespace().nth(1).and_then(|p| p.parse::<i32>().ok()).unwrap_or(0);
        parents.insert(pid, parent);
        let command = std::fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
        if command.contains(text) {
            found.push(pid);
        }
    }
    let own = std::process::id() as i32;
    found.retain(|pid| {
        let mut at = *pid;
        while at > 1 && at != own {
            at = parents.get(&at).copied().unwrap_or(0);
        }
        at == own
    });
    found
}

/// Kills all child processes whose command line contains `text`.
pub(super) fn kill_all(text: &str) {
    for pid in descendants(text) {
        kill_9(pid);
    }
}

fn kill_9(pid: i32) {
    let status = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

/// Clicks, types and scrolls on `form.html`, and waits for the record of each action.
fn use_the_form(display: &Display, page: &mut Page) {
    display.click(100, 40);
    page.wait_record("a click on the button", |r| r.kind == "click" && has(r, "target", "button#buy"));
    page.wait_record("where it led", |r| r.kind == "navigate" && has(r, "how", "push"));

    display.click(100, 100);
    display.xdotool("type --delay 40 hello");
    display.xdotool("key BackSpace BackSpace");
    page.wait_record("the text after two deletions", |r| r.kind == "input" && has(r, "length_after", 3));
    // An edit in the middle of the text, which a simple comparison would place at the end.
    display.xdotool("key Left type l");
    page.wait_record("the text again", |r| r.kind == "input" && has(r, "length_after", 4));

    display.click(100, 160);
    display.xdotool("type --delay 40 Sesam7");
    page.wait_record("six secret characters", |r| has(r, "target", "input#pw") && has(r, "length_after", 6));
    display.click(100, 580);
    page.wait_record("the password shown", |r| r.kind == "click" && has(r, "target", "button#show"));
    display.click(290, 160);
    display.xdotool("type --delay 40 X");
    page.wait_record("a seventh", |r| has(r, "target", "input#pw") && has(r, "length_after", 7));

    display.click(100, 220);
    display.xdotool("type --delay 40 4929");
    page.wait_record("a card number", |r| has(r, "target", "input#card") && has(r, "length_after", 4));
    display.click(100, 280);
    display.xdotool("type --delay 40 dear");
    page.wait_record("a diary", |r| {
        r.kind == "input" && has(r, "target", "input[data-testid=\"entry\"]") && has(r, "length_after", 4)
    });

    display.click(250, 340);
    page.wait_record("the slider", |r| {
        r.kind == "change" && has(r, "target", "input#level") && has(r, "is_final", true)
    });
    display.click(40, 400);
    page.wait_record("the check box", |r| r.kind == "change" && has(r, "target", "input#agree"));
    display.click(100, 520);
    let data = page.wait_mark("trial");
    assert_eq!(data, serde_json::json!({"n": 7, "words": ["a", "\u{fffd}"]}));
    display.xdotool("click 5");
    page.wait_record("scrolling", |r| r.kind == "scroll" && r.data["y_px"].as_f64() > Some(1.0));
    display.screenshot("page_form_filled.png");
}

#[test]
fn a_participant_at_a_form() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "form.html", &[".diary"]);
    display.screenshot("page_form.png");
    use_the_form(&display, &mut page);
    page.close();

    let records: Vec<_> = page.records().cloned().collect();
    let typed: Vec<_> = records.iter().filter(|r| r.kind == "input" && has(r, "target", "input#comment")).collect();
    let text = |r: &PageRecord, f: &str| r.data[f].as_str().unwrap().to_owned();
    let inserted: String = typed.iter().map(|r| text(r, "inserted")).collect();
    assert_eq!(inserted, "hellol");
    let deleted: Vec<_> = typed.iter().map(|r| text(r, "deleted")).filter(|d| !d.is_empty()).collect();
    assert_eq!(deleted, ["o", "l"]);
    let last = typed.last().unwrap();
    assert_eq!((&last.data["position"], &last.data["caret"]), (&2.into(), &3.into()));

    // No event contains text that was typed into a masked field.
    for target in ["input#pw", "input#card", "input[data-testid=\"entry\"]"] {
        let there: Vec<_> = records.iter().filter(|r| r.data.get("target").is_some_and(|t| t == target)).collect();
        assert!(there.iter().any(|r| r.kind == "keydown"), "that something was typed is known: {target}");
        for record in there {
            for field in ["key", "code", "inserted", "deleted", "caret", "position", "value", "label"] {
                assert!(!record.data.contains_key(field), "{record:?}");
            }
        }
    }
    let keys: Vec<_> = records.iter().filter_map(|r| r.data.get("key").and_then(Value::as_str)).collect();
    assert!(!keys.iter().any(|k| ["S", "7", "X", "4", "9", "d"].contains(k)), "{keys:?}");

    let agree = records.iter().find(|r| r.kind == "change" && has(r, "target", "input#agree")).unwrap();
    assert_eq!(agree.data["is_checked"], true);
    let buy = records.iter().find(|r| r.kind == "click").unwrap();
    assert_eq!(buy.data["label"], "Buy now");
    assert!(!buy.data.contains_key("synthetic"));
    for reason in Refusal::ALL {
        assert_eq!(page.refused(reason), 0, "{reason}");
    }

    let mut latencies: Vec<f64> = page
        .told
        .iter()
        .filter_map(|(seen, e)| match e {
            PageEvent::Record(r) if r.data.contains_key("page_ms") => Some(seen.since_ns(r.at) as f64 * 1e-6),
            _ => None,
        })
        .collect();
    latencies.sort_by(f64::total_cmp);
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize];
    println!("page to session: p50 {:.1} ms, p99 {:.1} ms of {} events", at(0.5), at(0.99), latencies.len());
    for (_, event) in &page.told {
        if let PageEvent::ClockMeasured { offset_ms, uncertainty_ms, document, .. } = event {
            println!("clock of document {document}: offset {offset_ms:.3} ms ± {uncertainty_ms:.3} ms");
        }
    }
}

#[test]
fn a_hostile_page_can_only_be_refused() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "hostile.html", &[]);
    assert_eq!(page.wait_mark("stolen"), "", "the page has seen a message or the token");
    assert_eq!(page.wait_mark("stolen later"), "");
    display.click(100, 40);
    let click = page.wait_record("a real click", |r| r.kind == "click" && !r.data.contains_key("synthetic"));
    assert_eq!(click.data["target"], "button#ok");
    page.close();
    assert_eq!(page.refused(Refusal::Foreign), 6);
    let kinds: Vec<_> = page.records().map(|r| r.kind.as_str()).collect();
    assert!(page.records().all(|r| r.data.get("target").is_none_or(|t| t != "forged")), "{kinds:?}");
    let synthetic: Vec<_> = page.records().filter(|r| r.data.contains_key("synthetic")).map(|r| &r.kind).collect();
    assert_eq!(synthetic, ["click"], "a click by script says so");
    let circular = page.records().find(|r| r.data.get("name").is_some_and(|n| n == "circular")).unwrap();
    assert_eq!(circular.data["data_is_refused"], true);
    assert_eq!(page.refused(Refusal::Malformed) + page.refused(Refusal::Lost), 0);
}

#[test]
fn a_page_that_floods_is_limited_and_the_participant_is_not() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "flood.html", &[]);
    page.wait("the flood", |e| matches!(e, PageEvent::Refused { reason: Refusal::Flood, .. }));
    display.click(100, 40);
    page.wait_record("a click in the flood", |r| r.kind == "click" && has(r, "target", "button#ok"));
    std::thread::sleep(Duration::from_secs(4));
    page.close();
    let sent = page.records().filter(|r| r.kind == "mark").count() as u64;
    let flood = page.refused(Refusal::Flood);
    println!("{sent} marks stored, {flood} refused, {} pieces of junk", page.refused(Refusal::Foreign));
    assert!(flood > 1000 && page.refused(Refusal::Foreign) > 2000);
    assert!(sent <= 1000 + 200 * 15, "{sent}");
    assert_eq!(page.refused(Refusal::Lost), 0, "what was refused is not counted as lost once more");
}

#[test]
fn a_page_goes_and_loads_nowhere_else() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "astray.html", &[]);
    page.wait_mark("done");
    display.click(60, 40);
    page.wait_record("a refused window", |r| r.kind == "window_refused");
    display.click(60, 100);
    page.wait_record("a refused download", |r| r.kind == "download_refused");
    display.click(60, 160);
    page.wait_record("a click that rewrites", |r| r.kind == "click" && has(r, "target", "button#rewrite"));
    // `document.open()` removes all listeners. The next ping adds them again.
    std::thread::sleep(Duration::from_secs(6));
    display.click(60, 300);
    page.wait_record("a click after document.open()", |r| {
        r.kind == "click" && (has(r, "target", "html") || has(r, "target", "body"))
    });
    page.close();
    let refused = |kind: &str| page.records().find(|r| r.kind == kind).map(|r| r.data["detail"].clone());
    assert_eq!(refused("navigation_refused").unwrap(), "https://example.org/elsewhere");
    assert_eq!(refused("window_refused").unwrap(), "https://example.org/window");
    assert_eq!(refused("download_refused").unwrap(), "study://localhost/form.html");
    assert_eq!(refused("permission_refused").unwrap(), "GeolocationPermissionRequest");
    assert_eq!(refused("close_refused").unwrap(), "the page tried to close its window");
    let mark = |name: &str| {
        page.records()
            .find(|r| r.kind == "mark" && has(r, "name", name))
            .map(|r| r.data.get("data").cloned().unwrap_or_default())
    };
    assert_eq!(mark("own file"), Some(200.into()));
    assert_eq!(mark("outside"), Some(404.into()));
    assert_eq!(mark("outside encoded"), Some(404.into()));
    assert!(mark("fetch refused").is_some());
    let says = |kind: &str, text: &str| {
        page.records().any(|r| r.kind == kind && r.data["message"].as_str().is_some_and(|m| m.contains(text)))
    };
    assert!(says("error", "a mistake of the page"));
    assert!(says("error", "blocked"));
    assert!(says("rejection", "an unhandled promise"));
}

#[test]
fn pages_that_do_not_load_say_why() {
    let Some(display) = Display::open() else { return };
    // A port without a listener, and a port that browsers refuse.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut page = Page::open(&display, PageAddress::Url(format!("http://127.0.0.1:{port}/task?x=1")), &[]);
    let PageEvent::LoadFailed { why, .. } = page.wait("a failure", |e| matches!(e, PageEvent::LoadFailed { .. }))
    else {
        unreachable!()
    };
    println!("unreachable: {why}");
    assert!(why.contains(&format!("127.0.0.1:{port}/task could not")), "{why}");
    page.close();
    let mut page = Page::open(&display, PageAddress::Url("http://127.0.0.1:9/".into()), &[]);
    page.wait("a failure", |e| matches!(e, PageEvent::LoadFailed { why, .. } if why.contains("empty")));
    page.close();

    let folder = tempfile::tempdir().unwrap();
    let gone = PageAddress::Folder { folder: folder.path().to_owned(), entry: "gone.html".into() };
    let mut page = Page::open(&display, gone, &[]);
    let PageEvent::LoadFailed { why, .. } = page.wait("a failure", |e| matches!(e, PageEvent::LoadFailed { .. }))
    else {
        unreachable!()
    };
    println!("missing: {why}");
    assert!(why.contains("404"), "{why}");
    assert!(!page.told.iter().any(|(_, e)| matches!(e, PageEvent::Loaded { .. })));
    page.close();
}

#[test]
fn processes_that_die_are_replaced() {
    let Some(display) = Display::open() else { return };
    let mut page = Page::local(&display, "form.html", &[]);
    let loads = |page: &Page| page.told.iter().filter(|(_, e)| matches!(e, PageEvent::Loaded { .. })).count();
    let until_loaded = |page: &mut Page, n: usize| {
        let deadline = Instant::now() + PATIENCE;
        while loads(page) < n {
            let event = page.events.recv_deadline(deadline).expect("the page comes back");
            page.told.push(event);
        }
        // A page is seen a moment after it is loaded.
        std::thread::sleep(Duration::from_millis(500));
    };
    for pid in descendants("WebKitWebProcess") {
        kill_9(pid);
    }
    page.wait("the page's death", |e| {
        matches!(e, PageEvent::ProcessDied { what: PageProcess::Web, is_restarted: true, .. })
    });
    until_loaded(&mut page, 2);
    display.click(100, 40);
    page.wait_record("a click after the page's death", |r| r.kind == "click" && has(r, "document", 2));

    for pid in descendants("participant-window") {
        kill_9(pid);
    }
    let died =
        page.wait("the window's death", |e| matches!(e, PageEvent::ProcessDied { what: PageProcess::Window, .. }));
    assert!(matches!(&died, PageEvent::ProcessDied { is_restarted: true, why, .. } if why.contains('9')), "{died:?}");
    until_loaded(&mut page, 3);
    display.click(100, 40);
    page.wait_record("a click in the new window", |r| r.kind == "click" && has(r, "document", 3));
    page.close();
    assert_eq!(descendants("participant-window"), [0; 0], "nothing is left behind");
}

#[test]
fn the_chosen_monitor_is_filled() {
    let Some(display) = Display::open() else { return };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    let address = PageAddress::parse("form.html", &folder).unwrap();
    let mut page = Page::start(PageSpec {
        address,
        placement: Placement::ParticipantWindow {
            monitor: Some(0),
            full_screen: true,
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_affectograph"))),
            display: Some(display.name.clone()),
        },
        mask: Vec::new(),
        allow: Vec::new(),
        data_dir: None,
        questionnaires: Vec::new(),
        closing: String::new(),
        condition: None,
        waits_after_crash: false,
    });
    page.wait_record("the page", |r| r.kind == "load");
    std::thread::sleep(Duration::from_secs(1));
    display.screenshot("page_full_screen.png");
    display.xdotool("mousemove 100 40 sleep 0.1 click 1");
    let click = page.wait_record("a click", |r| r.kind == "click");
    assert!(has(&click, "target", "button#buy"), "{click:?}");
    assert_eq!((click.data["x_px"].as_f64(), click.data["y_px"].as_f64()), (Some(100.0), Some(40.0)));
    display.xdotool("key alt+F4");
    page.wait_record("that it does not close", |r| r.kind == "close_refused");
    page.close();
}

#[test]
fn the_second_monitor_is_the_participants() {
    let Some(display) = Display::with_two_monitors() else { return };
    let mut page = Page::local(&display, "form.html", &[]);
    std::thread::sleep(Duration::from_secs(1));
    display.screenshot("page_two_monitors.png");
    display.xdotool("mousemove 1380 40 sleep 0.1 click 1");
    let click = page.wait_record("a click on the second monitor", |r| r.kind == "click");
    assert!(has(&click, "target", "button#buy"), "{click:?}");
    assert_eq!((click.data["x_px"].as_f64(), click.data["y_px"].as_f64()), (Some(100.0), Some(40.0)));
    page.close();
}

#[test]
fn a_window_without_a_display_says_so() {
    let (out, events) = crossbeam_channel::bounded(100);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    let spec = PageSpec {
        address: PageAddress::parse("form.html", &folder).unwrap(),
        placement: Placement::ParticipantWindow {
            monitor: None,
            full_screen: true,
            program: Some(PathBuf::from(env!("CARGO_BIN_EXE_affectograph"))),
            display: Some(":9999".into()),
        },
        mask: Vec::new(),
        allow: Vec::new(),
        data_dir: None,
        questionnaires: Vec::new(),
        closing: String::new(),
        condition: None,
        waits_after_crash: false,
    };
    let host = PageHost::start(spec, Clock::start(), out).unwrap();
    let first = events.recv_timeout(PATIENCE).unwrap();
    assert!(matches!(&first, PageEvent::LoadFailed { why, .. } if why.contains("display")), "{first:?}");
    host.close().unwrap();
    let rest: Vec<_> = events.iter().collect();
    assert_eq!(rest.last(), Some(&PageEvent::Closed), "{rest:?}");
}

/// GTK uses one display per process, so the embedded page is tested in its own process.
#[test]
fn an_embedded_page_shares_the_keyboard() {
    let Some(display) = Display::open() else { return };
    let out = Command::new(std::env::current_exe().unwrap())
        .args(["page::embedded_page", "--exact", "--ignored", "--nocapture"])
        .env("DISPLAY", &display.name)
        .env_remove("WAYLAND_DISPLAY")
        .output()
        .unwrap();
    display.screenshot("page_after_embedding.png");
    println!("{}", String::from_utf8_lossy(&out.stdout));
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// The colour of [`PlainWindow`], as `0xRRGGBB`.
pub(super) const PLAIN: u32 = 0x0033_5577;

/// An X window that counts its key events.
pub(super) struct PlainWindow {
    xlib: x11_dl::xlib::Xlib,
    display: *mut x11_dl::xlib::Display,
    pub window: u64,
}

impl PlainWindow {
    pub fn open() -> PlainWindow {
        use x11_dl::xlib::{KeyPressMask, Xlib};
        let xlib = Xlib::open().unwrap();
        // SAFETY: Xlib calls on a display that only this thread uses.
        unsafe {
            let display = (xlib.XOpenDisplay)(std::ptr::null());
            assert!(!display.is_null());
            let root = (xlib.XDefaultRootWindow)(display);
            let window = (xlib.XCreateSimpleWindow)(display, root, 0, 0, 1000, 700, 0, 0, PLAIN.into());
            (xlib.XStoreName)(display, window, c"plain".as_ptr());
            (xlib.XSelectInput)(display, window, KeyPressMask);
            (xlib.XMapRaised)(display, window);
            (xlib.XSync)(display, 0);
            PlainWindow { xlib, display, window }
        }
    }

    fn keys(&self) -> u32 {
        let mut keys = 0;
        // SAFETY: as above. Xlib writes the event before it is read.
        unsafe {
            (self.xlib.XSync)(self.display, 0);
            while (self.xlib.XPending)(self.display) > 0 {
                let mut event: x11_dl::xlib::XEvent = std::mem::zeroed();
                (self.xlib.XNextEvent)(self.display, &mut event);
                keys += u32::from(event.get_type() == x11_dl::xlib::KeyPress);
            }
        }
        keys
    }
}

#[test]
#[ignore = "run by `an_embedded_page_shares_the_keyboard`, with a display of its own"]
#[expect(clippy::too_many_lines, reason = "the steps of one participant, in their order")]
fn embedded_page() {
    let xdotool = |line: &str| {
        let out = Command::new("xdotool").args(line.split(' ')).output().unwrap();
        assert!(out.status.success(), "xdotool {line}: {}", String::from_utf8_lossy(&out.stderr));
    };
    let parent = PlainWindow::open();
    xdotool("search --sync --onlyvisible --name plain windowfocus");
    let kept = tempfile::tempdir().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pages");
    // Twice, because the GTK thread continues after a page was closed.
    let spec = || PageSpec {
        address: PageAddress::parse("form.html", &folder).unwrap(),
        placement: Placement::Embedded {
            parent_xid: parent.window,
            bounds: BoundsPx { left: 10, top: 10, width: 50, height: 50 },
            zoom: 1.0,
        },
        mask: Vec::new(),
        allow: Vec::new(),
        data_dir: Some(kept.path().to_owned()),
        questionnaires: Vec::new(),
        closing: String::new(),
        condition: None,
        waits_after_crash: false,
    };
    for round in 1..=2 {
        let mut page = Page::start(spec());
        page.host().set_bounds(BoundsPx { left: 300, top: 100, width: 600, height: 500 }, 1.0);
        page.wait("the page", |e| matches!(e, PageEvent::Loaded { .. }));
        page.wait("its clock", |e| matches!(e, PageEvent::ClockMeasured { .. }));
        let at = |x: i32, y: i32| format!("mousemove --window {} {x} {y} sleep 0.1 click 1 sleep 0.3", parent.window);

        // The page does not receive keys only because the pointer is over it.
        xdotool(&format!("mousemove --window {} {} {} sleep 0.3 key a sleep 0.3", parent.window, 420, 300));
        assert!(!page.has(|r| r.kind == "keydown" || r.kind == "keyup"), "round {round}: keys follow the pointer");
        assert!(parent.keys() >= 1, "round {round}: a key over the page was lost");

        xdotool(&at(400, 200));
        page.wait_record("a click in the text box", |r| r.kind == "click" && has(r, "target", "input#comment"));
        parent.keys();
        xdotool("type --delay 60 abc");
        page.wait_record("what was typed", |r| r.kind == "input" && has(r, "length_after", 3));
        assert_eq!(parent.keys(), 0, "round {round}: keys for the page reach the window");

        // The operator's keys: a marker does not reach the page, and F6 gives the keyboard to the window.
        page.wait("the lamp", |e| *e == PageEvent::Keyboard { has_page: true });
        xdotool("key ctrl+2 sleep 0.3");
        page.wait("a marker", |e| matches!(e, PageEvent::OperatorKey { key: OperatorKey::Digit(2), .. }));
        assert!(!page.has(|r| r.kind == "keydown" && has(r, "key", "2")), "round {round}: the page got the marker");
        assert!(!page.has(|r| r.kind == "keyup" && has(r, "key", "2")), "round {round}: the page got its release");
        parent.keys();
        xdotool("key F6 sleep 0.5 key x sleep 0.3");
        page.wait("the lamp", |e| *e == PageEvent::Keyboard { has_page: false });
        assert_eq!(parent.keys(), 1, "round {round}: F6 did not give the keyboard to the window");
        page.host().focus(true);
        std::thread::sleep(Duration::from_millis(500));
        xdotool("type --delay 60 d");
        page.wait_record("what was typed", |r| r.kind == "input" && has(r, "length_after", 4));

        // After a press outside of the page, the window has the keyboard again.
        xdotool(&at(100, 400));
        page.host().focus(false);
        std::thread::sleep(Duration::from_millis(500));
        xdotool("type --delay 60 xyz");
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(parent.keys(), 3, "round {round}: the window did not get the keyboard back");
        assert!(!page.has(|r| r.kind == "input" && has(r, "inserted", "x")));

        page.host().set_visible(false);
        std::thread::sleep(Duration::from_millis(300));
        page.host().set_visible(true);
        page.host().set_bounds(BoundsPx { left: 200, top: 50, width: 700, height: 600 }, 1.0);
        std::thread::sleep(Duration::from_millis(500));
        xdotool(&at(300, 90));
        page.wait_record("a click after it was hidden and moved", |r| {
            r.kind == "click" && has(r, "target", "button#buy")
        });
        let shot = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("screenshots/page_embedded.png");
        assert!(Command::new("import").args(["-window", "root"]).arg(shot).status().unwrap().success());

        for pid in descendants("WebKitWebProcess") {
            kill_9(pid);
        }
        page.wait("its death", |e| {
            matches!(e, PageEvent::ProcessDied { what: PageProcess::Web, is_restarted: true, .. })
        });
        page.wait_record("a new document", |r| r.kind == "load" && has(r, "document", 2));
        page.close();
        println!("round {round} done");
    }

    // After the cross, the page is shown on request.
    let mut page = Page::start_behind(Some("Please rest."), spec());
    page.wait("the cross", |e| matches!(e, PageEvent::Loaded { url, .. } if is_fixation(url)));
    page.host().stage().unwrap().begin();
    page.wait("the page", |e| matches!(e, PageEvent::Loaded { url, .. } if url.ends_with("form.html")));
    page.close();
}
