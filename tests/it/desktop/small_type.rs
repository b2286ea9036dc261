//! The smallest window with text of 100, 150 and 200 %: no text covers another one. The test reads what is painted, with
//! the rectangle to which each text is clipped. (The accessibility tree does not know what a scroll area hides.)

use eframe::egui;
use egui::{Key, Modifiers, Rect, Shape};
use egui_kittest::kittest::Queryable;

use super::press;
use super::scenes::{self, Scene};
use super::synthetic::Script;
use affectograph::desktop::App;
use affectograph::desktop::port::{BackendEvent, SessionPart};
use affectograph::session::Timestamp;
use egui_kittest::HarnessBuilder;

/// The smallest window, in physical pixels.
const WIDTH: f32 = 1024.0;
const HEIGHT: f32 = 700.0;
/// Less than this is the free space around letters.
const TOUCHING: f32 = 2.5;

/// A visible line of text.
pub struct Line {
    pub text: String,
    /// Where it would be without its clip.
    whole: Rect,
    /// What its clip leaves.
    seen: Rect,
}

impl Line {
    pub fn seen(&self) -> Rect {
        self.seen
    }
}

/// The visible lines of text.
pub fn lines(scene: &Scene) -> Vec<Line> {
    fn collect(shape: &Shape, clip: Rect, found: &mut Vec<Line>) {
        match shape {
            Shape::Text(text) => {
                for row in &text.galley.rows {
                    let whole = row.rect().translate(text.pos.to_vec2());
                    let seen = whole.intersect(clip);
                    let text: String = row.glyphs.iter().map(|g| g.chr).collect();
                    if seen.is_positive() && !text.trim().is_empty() {
                        found.push(Line { text, whole, seen });
                    }
                }
            }
            Shape::Vec(shapes) => shapes.iter().for_each(|s| collect(s, clip, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for clipped in &scene.window.output().shapes {
        collect(&clipped.shape, clipped.clip_rect, &mut found);
    }
    found
}

fn overlap(a: Rect, b: Rect) -> bool {
    let both = a.shrink(TOUCHING).intersect(b.shrink(TOUCHING));
    both.is_positive()
}

/// Pairs of texts that cover each other.
fn covered(scene: &Scene) -> Vec<String> {
    let lines = lines(scene);
    let mut pairs = Vec::new();
    for (k, a) in lines.iter().enumerate() {
        for b in &lines[k + 1..] {
            if overlap(a.seen, b.seen) {
                pairs.push(format!("“{}” {:?} and “{}” {:?}", a.text, a.seen, b.text, b.seen));
            }
        }
    }
    pairs
}

type Make = fn(HarnessBuilder<App>) -> Scene;

const SCREENS: [(&str, Make); 9] = [
    ("home", scenes::home),
    ("set-up", |b| scenes::set_up(b, true)),
    ("live, window", |b| scenes::live(b, 761.2, false)),
    ("live, embedded", |b| scenes::live(b, 761.2, true)),
    ("review", |b| scenes::review(b, &Script::of(754.0), true)),
    ("live, signals", |b| {
        let mut scene = scenes::live_with_signals(b, 761.2, true);
        scenes::choose_signals(&mut scene, &scenes::THREE_SIGNALS);
        scene
    }),
    ("review, signals", |b| {
        let mut scene = scenes::review_with_signals(b, &Script::of(754.0));
        scenes::choose_signals(&mut scene, &scenes::THREE_SIGNALS);
        scene
    }),
    ("study", scenes::study_screen),
    ("study with averages", scenes::averaged),
];

#[test]
fn no_text_covers_another_one_in_the_smallest_window_at_any_text_size() {
    let mut problems = Vec::new();
    for (name, make) in SCREENS {
        for scale in [1.0, 1.5, 2.0] {
            let mut scene = make(scenes::builder(WIDTH, HEIGHT, true));
            scene.window.set_size(egui::vec2(WIDTH / scale, HEIGHT / scale));
            scene.settle();
            for pair in covered(&scene) {
                problems.push(format!("{name} at {:.0} %: {pair}", scale * 100.0));
            }
        }
    }
    assert!(problems.is_empty(), "{} overlaps:\n{}", problems.len(), problems.join("\n"));
}

/// In a window that needs no scrolling, no word and no button is cut at its side.
#[test]
fn no_text_is_cut_at_its_side() {
    let on_one_monitor: Make = |b| {
        let mut scene = scenes::live(b, 761.2, false);
        scene.say(BackendEvent::ParticipantFront(Some(false)));
        scene
    };
    let mut screens = SCREENS.to_vec();
    screens.push(("live, one monitor", on_one_monitor));
    screens.push(("editor", scenes::editor));
    screens.push(("review, quality", |b| {
        let mut scene = scenes::review(b, &Script::of(754.0), true);
        scene.window.get_by_label("Quality").click();
        scene.settle();
        scene
    }));
    let mut problems = Vec::new();
    for (name, make) in screens {
        for (width, height) in [(1280.0, 800.0), (1920.0, 1080.0)] {
            let scene = make(scenes::builder(width, height, true));
            for Line { text, whole, seen } in lines(&scene) {
                let cut = whole.width() - seen.width();
                if cut > TOUCHING {
                    problems.push(format!("{name}, {width} × {height}: “{text}” lacks {cut:.0} points"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// The last button of a row goes to the next row. It does not make its card wider than the card above.
#[test]
fn a_button_without_room_goes_to_the_next_row() {
    for (width, height) in [(1280.0, 800.0), (1920.0, 1080.0)] {
        let mut scene = scenes::set_up(scenes::builder(width, height, true), false);
        scene.say(BackendEvent::ParticipantFront(Some(false)));
        let right = scene.window.get_by_label("Picture").rect().right();
        let button = scene.window.get_by_label("Load again").rect();
        assert!(button.right() <= right + TOUCHING, "{width} × {height}: {button:?} passes {right}");
    }
}

/// The text in the middle of the study screen is narrower than its place, also where that is narrow.
#[test]
fn a_text_in_the_middle_is_whole_in_the_smallest_place() {
    let mut scene = scenes::study_screen(scenes::builder(WIDTH, HEIGHT, true));
    scene.window.set_size(egui::vec2(WIDTH / 2.0, HEIGHT / 2.0));
    scene.settle();
    let place = scene.window.get_by_label_contains("Choose the events on the left").rect();
    let side = scene.window.get_by_label("Compare with other events").rect();
    assert!(place.left() > side.right(), "the text begins at {place:?}, behind the side, which has {side:?}");
}

/// Buttons of the bars above and below each screen, beside those for help and theme.
fn buttons_of_bars(screen: &str) -> &'static [&'static str] {
    match screen {
        "set-up" => &["Record", "Back to sessions"],
        "live, window" | "live, embedded" | "live, signals" => &["Stop and save …"],
        "review" | "review, signals" => &["Play", "Zoom out", "Sessions"],
        "study" | "study with averages" => &["Sessions"],
        _ => &[],
    }
}

#[test]
fn no_button_of_a_bar_needs_scrolling_at_any_text_size() {
    let mut problems = Vec::new();
    for (name, make) in SCREENS {
        for scale in [1.0, 1.5, 2.0] {
            let mut scene = make(scenes::builder(WIDTH, HEIGHT, true));
            let size = egui::vec2(WIDTH / scale, HEIGHT / scale);
            scene.window.set_size(size);
            scene.settle();
            let window = Rect::from_min_size(egui::Pos2::ZERO, size);
            let mut look = |scene: &Scene, label: &str| {
                let places = scene.window.query_all_by_label(label).map(|button| button.rect());
                let places: Vec<Rect> = places.collect();
                if !places.iter().any(|place| window.contains_rect(*place)) {
                    problems.push(format!("{name} at {:.0} %: “{label}” is at {places:?}", scale * 100.0));
                }
            };
            buttons_of_bars(name).iter().for_each(|label| look(&scene, label));
            if scale == 1.0 {
                look(&scene, "Help");
                continue;
            }
            look(&scene, "Menu");
            scene.window.get_by_label("Menu").click_accesskit();
            scene.settle();
            ["Help", "Theme"].iter().for_each(|label| look(&scene, label));
            if !name.starts_with("live") {
                look(&scene, "Preferences");
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn a_part_and_a_recording_are_ended_without_scrolling_at_any_text_size() {
    for scale in [1.0, 1.5, 2.0] {
        let mut scene = scenes::live(scenes::builder(WIDTH, HEIGHT, true), 30.0, false);
        let size = egui::vec2(WIDTH / scale, HEIGHT / scale);
        scene.window.set_size(size);
        let until = Some(Timestamp::from_secs_f64(95.0));
        let part = SessionPart { number: 3, name: "warm-up".into(), until, is_last: false };
        scene.say(BackendEvent::Part(Some(part)));
        let window = Rect::from_min_size(egui::Pos2::ZERO, size);
        let at = scene.window.get_by_label("Go on").rect();
        assert!(window.contains_rect(at), "“Go on” is at {at:?} in a window of {size:?}");
        let lamp = scene.window.query_all_by_label_contains("keyboard ").map(|lamp| lamp.rect()).next();
        assert!(lamp.is_some_and(|at| window.contains_rect(at)), "the lamp is at {lamp:?} in a window of {size:?}");
        press(&mut scene, Modifiers::COMMAND | Modifiers::SHIFT, Key::S);
        for answer in ["Keep recording", "Stop and save", "Discard …"] {
            let at = scene.window.get_by_label(answer).rect();
            assert!(window.contains_rect(at), "“{answer}” is at {at:?} in a window of {size:?}");
        }
    }
}

#[test]
fn dialogs_fit_into_the_smallest_window_at_any_text_size() {
    let dialogs = [
        (Modifiers::NONE, Key::F1, "Help: keyboard, and below it what the numbers mean"),
        (Modifiers::COMMAND, Key::N, "Who sits at this screen?"),
        (Modifiers::COMMAND | Modifiers::SHIFT, Key::N, "Template"),
    ];
    for scale in [1.0, 1.5, 2.0] {
        for (modifiers, key, text) in dialogs {
            let mut scene = scenes::home(scenes::builder(WIDTH, HEIGHT, true));
            let size = egui::vec2(WIDTH / scale, HEIGHT / scale);
            scene.window.set_size(size);
            scene.settle();
            press(&mut scene, modifiers, key);
            let at = scene.window.get_by_label(text).rect();
            let window = Rect::from_min_size(egui::Pos2::ZERO, size);
            assert!(window.contains_rect(at), "“{text}” is at {at:?} in a window of {size:?}");
            if key == Key::F1 {
                let line = scene.window.get_by_label("show this help").rect();
                assert!(line.height() < 30.0, "one word to a line: {line:?}");
            }
        }
    }
}

#[test]
fn a_covered_text_is_found() {
    let mut window = egui_kittest::Harness::new_ui(|ui| {
        let place = ui.max_rect().left_top();
        for (text, down) in [("first", 10.0), ("second", 14.0), ("third", 60.0)] {
            let font = egui::FontId::proportional(14.0);
            ui.painter().text(place + egui::vec2(5.0, down), egui::Align2::LEFT_TOP, text, font, egui::Color32::RED);
        }
    });
    window.run();
    let mut found = Vec::new();
    for clipped in &window.output().shapes {
        if let Shape::Text(text) = &clipped.shape {
            found.push(text.galley.rect.translate(text.pos.to_vec2()));
        }
    }
    assert!(overlap(found[0], found[1]) && !overlap(found[1], found[2]));
}
