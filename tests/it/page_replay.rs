//! The replay of a recorded page: the screen follows the playhead, no request is sent, and no script runs.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use affectograph::page::{ReplayEvent, ReplayMoment, ReplaySpec, ReplayWindow};
use affectograph::session::Timestamp;
use crossbeam_channel::Receiver;
use serde_json::{Map, Value, json};

use super::screen::Display;

const PATIENCE: Duration = Duration::from_secs(40);

/// A page that is red from 10 s and green from 11 s. It also tries to load from `spy` and to run scripts.
fn recorded(spy: &str) -> Vec<(Timestamp, Map<String, Value>)> {
    let element = |id: u32, tag: &str, attributes: Value, children: Vec<Value>| json!({"type": 2, "id": id, "tagName": tag, "attributes": attributes, "childNodes": children});
    let script = element(6, "script", json!({"src": format!("{spy}/script.js")}), Vec::new());
    let run = element(
        7,
        "script",
        json!({}),
        vec![json!({"type": 3, "id": 8, "textContent": "document.body.style.background = 'blue'"})],
    );
    let style = element(9, "link", json!({"rel": "stylesheet", "href": format!("{spy}/style.css")}), Vec::new());
    let picture = element(
        10,
        "img",
        json!({"src": format!("{spy}/picture.png"), "onerror": "document.body.style.background = 'blue'"}),
        Vec::new(),
    );
    let frame = element(11, "iframe", json!({"src": format!("{spy}/frame.html")}), Vec::new());
    let body = element(
        5,
        "body",
        json!({"style": "margin: 0; height: 300px; background: rgb(255, 0, 0)"}),
        vec![picture, frame, script, run],
    );
    let html = element(3, "html", json!({}), vec![element(4, "head", json!({}), vec![style]), body]);
    let document = json!({"type": 0, "id": 1, "childNodes": [{"type": 1, "id": 2, "name": "html", "publicId": "", "systemId": ""}, html]});
    let change = json!({"source": 0, "texts": [], "removes": [], "adds": [],
        "attributes": [{"id": 5, "attributes": {"style": "margin: 0; height: 300px; background: rgb(0, 255, 0)"}}]});
    [
        (10.0, json!({"type": 4, "data": {"href": "https://shop.example/", "width": 400, "height": 300}})),
        (10.0, json!({"type": 2, "data": {"node": document, "initialOffset": {"left": 0, "top": 0}}})),
        (11.0, json!({"type": 3, "data": change})),
        (12.0, json!({"type": 3, "data": {"source": 3, "id": 1, "x": 0, "y": 0}})),
    ]
    .into_iter()
    .map(|(at_s, event)| (Timestamp::from_secs_f64(at_s), event.as_object().unwrap().clone()))
    .collect()
}

/// The numbers of red, green and blue pixels on the screen.
fn colours(display: &Display, name: &str) -> [usize; 3] {
    let file = std::fs::File::open(display.screenshot(name)).unwrap();
    let mut decoder = png::Decoder::new(std::io::BufReader::new(file));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    let samples = info.color_type.samples();
    let mut counted = [0; 3];
    for pixel in pixels[..info.buffer_size()].chunks_exact(samples).filter(|_| samples >= 3) {
        for (k, count) in counted.iter_mut().enumerate() {
            *count += usize::from((0..3).all(|c| if c == k { pixel[c] > 200 } else { pixel[c] < 60 }));
        }
    }
    counted
}

fn wait(events: &Receiver<ReplayEvent>, what: &str, is_it: impl Fn(&ReplayEvent) -> bool) {
    loop {
        let event = events.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("{what} never came"));
        assert!(!matches!(event, ReplayEvent::Problem(_)), "{event:?}");
        if is_it(&event) {
            return;
        }
    }
}

#[test]
fn the_recorded_page_follows_the_playhead_and_fetches_nothing() {
    let Some(display) = Display::open() else { return };
    let spy = TcpListener::bind("127.0.0.1:0").unwrap();
    let events = recorded(&format!("http://{}", spy.local_addr().unwrap()));
    let (sender, replay_events) = crossbeam_channel::unbounded();
    let mut window = ReplayWindow::start(
        Path::new(env!("CARGO_BIN_EXE_affectograph")),
        Some(&display.name),
        &ReplaySpec { title: "sub-01 ses-01".into() },
        events.iter().map(|(at, event)| (*at, event)),
        move |event| {
            sender.send(event).ok();
        },
    )
    .unwrap();
    wait(&replay_events, "the player", |n| *n == ReplayEvent::Ready(4));
    let mut at = |at_ms: f64, is_playing: bool| {
        window.show(ReplayMoment { at_ms, is_playing, rate: 1.0 });
        wait(&replay_events, "the moment", |n| *n == ReplayEvent::Shown { at_ms });
        std::thread::sleep(Duration::from_millis(500)); // until it is on the screen
    };
    at(10_500.0, false);
    let [red, green, blue] = colours(&display, "replay_10500.png");
    assert!(red > 20_000 && green == 0 && blue == 0, "{red} {green} {blue}");
    at(11_500.0, false);
    let [red, green, blue] = colours(&display, "replay_11500.png");
    assert!(red == 0 && green > 20_000 && blue == 0, "{red} {green} {blue}");
    at(9_000.0, false);
    assert_eq!(colours(&display, "replay_9000.png"), [0; 3], "before the page");
    // While it plays, the page changes by itself.
    at(10_700.0, true);
    std::thread::sleep(Duration::from_millis(800));
    let [red, green, _] = colours(&display, "replay_played.png");
    assert!(red == 0 && green > 20_000, "{red} {green}");
    assert!(display.xdotool("search --name sub-01").lines().count() >= 1);
    spy.set_nonblocking(true).unwrap();
    assert!(spy.accept().is_err(), "the recorded site was told that it is being watched");
    display.xdotool("search --onlyvisible --name sub-01 windowclose");
    wait(&replay_events, "the end", |n| *n == ReplayEvent::Closed);
    window.show(ReplayMoment { at_ms: 1.0, is_playing: false, rate: 1.0 }); // the window is closed
    window.end();
}

#[test]
fn a_page_of_which_nothing_was_recorded_says_so() {
    let Some(display) = Display::open() else { return };
    let (sender, replay_events) = crossbeam_channel::unbounded();
    let program = Path::new(env!("CARGO_BIN_EXE_affectograph"));
    let spec = ReplaySpec { title: "sub-02 ses-01".into() };
    let send = move |event| {
        sender.send(event).ok();
    };
    let window = ReplayWindow::start(program, Some(&display.name), &spec, std::iter::empty(), send).unwrap();
    wait(&replay_events, "the player", |n| *n == ReplayEvent::Ready(0));
    std::thread::sleep(Duration::from_millis(500));
    display.screenshot("replay_empty.png");
    window.end();
    wait(&replay_events, "the end", |n| *n == ReplayEvent::Closed);
}
