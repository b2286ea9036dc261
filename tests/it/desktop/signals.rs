//! Signals below valence and arousal: chosen from the list, moved, smoothed and removed, live and in review.

use affectograph::desktop::App;
use affectograph::desktop::port::*;
use affectograph::session::Timestamp;
use eframe::egui;
use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;

use super::fake::{Asked, Handle};
use super::scenes::{self, Scene, THREE_SIGNALS, choose_signals};
use super::synthetic::Script;
use super::{click, field_type, plain, press, says, small_type};

const LENGTH_S: f64 = 300.0;

fn review() -> Scene {
    scenes::review_with_signals(plain(), &Script::of(LENGTH_S))
}

fn chosen(scene: &Scene, is_live: bool) -> Vec<String> {
    let lanes = &scene.state().preferences.lanes;
    let list = if is_live { &lanes.live } else { &lanes.review };
    list.iter().map(|lane| lane.signal.to_string()).collect()
}

/// Where the name of a lane is.
fn lane(scene: &Scene, title: &str) -> egui::Rect {
    scene
        .window
        .get_by(|node| {
            node.role() == Role::Label && node.value().or(node.label()).is_some_and(|t| t.starts_with(title))
        })
        .rect()
}

fn is_painted(scene: &Scene, part: &str) -> bool {
    small_type::lines(scene).iter().any(|line| line.text.contains(part))
}

#[test]
fn the_list_is_searched_and_signals_become_lanes() {
    let mut scene = review();
    click(&mut scene, "Signals");
    assert!(says(&scene, "0 of 6 chosen"));
    scene.window.get_by_role_and_label(Role::TextInput, "Search").focus();
    scene.settle();
    field_type(&mut scene, "skin con");
    let box_of = |scene: &Scene, title: &str| scene.window.query_by_role_and_label(Role::CheckBox, title).is_some();
    assert!(box_of(&scene, "lsl_eda · EDA") && !box_of(&scene, "pulse · rate_bpm"));
    scene.window.get_by_role_and_label(Role::CheckBox, "lsl_eda · EDA").click();
    scene.settle();
    assert_eq!(chosen(&scene, false), ["lsl_eda.EDA"]);
    assert!(says(&scene, "1 of 6 chosen"));
    press(&mut scene, Modifiers::NONE, Key::Escape);
    assert!(says(&scene, "lsl_eda · EDA") && says(&scene, "µS"));
    choose_signals(&mut scene, &["lsl_eda · EDA"]);
    assert!(chosen(&scene, false).is_empty() && chosen(&scene, true).is_empty());
}

#[test]
fn live_and_review_have_their_own_lanes_and_the_recording_shows_the_newest_value() {
    let mut scene = scenes::live_with_signals(plain(), LENGTH_S, false);
    choose_signals(&mut scene, &THREE_SIGNALS);
    assert_eq!(chosen(&scene, true), ["pulse.rate_bpm", "lsl_eda.EDA", "action.au12"]);
    assert!(chosen(&scene, false).is_empty());
    let value = |scene: &Scene| says(scene, "/min");
    assert!(value(&scene));
    // The pulse has not come for a while.
    scene.handle.set_now(LENGTH_S + 10.0);
    scene.settle();
    assert!(!value(&scene) && says(&scene, "pulse · rate_bpm no value"));
}

#[test]
fn lanes_are_moved_and_removed_by_buttons_and_by_dragging() {
    let mut scene = review();
    choose_signals(&mut scene, &THREE_SIGNALS);
    click(&mut scene, "Move pulse · rate_bpm down");
    assert_eq!(chosen(&scene, false), ["lsl_eda.EDA", "pulse.rate_bpm", "action.au12"]);
    assert!(scene.window.query_by_label("Move lsl_eda · EDA up").is_none(), "it is the first one");
    let (from, to) = (lane(&scene, "action · au12").center(), lane(&scene, "lsl_eda · EDA").center());
    scene.window.hover_at(from);
    scene.settle();
    scene.window.drag_at(from);
    scene.settle();
    for share in [0.2, 0.5, 1.0] {
        scene.window.hover_at(from + share * (to - from));
        scene.settle();
    }
    scene.window.drop_at(to);
    scene.settle();
    assert_eq!(chosen(&scene, false), ["action.au12", "lsl_eda.EDA", "pulse.rate_bpm"]);
    click(&mut scene, "Remove lsl_eda · EDA");
    assert_eq!(chosen(&scene, false), ["action.au12", "pulse.rate_bpm"]);
}

#[test]
fn lanes_are_reached_by_keyboard() {
    let mut scene = review();
    choose_signals(&mut scene, &THREE_SIGNALS);
    for name in ["Move lsl_eda · EDA down", "Remove pulse · rate_bpm"] {
        super::keyboard::press_by_key(&mut scene, name);
    }
    assert_eq!(chosen(&scene, false), ["action.au12", "lsl_eda.EDA"]);
}

#[test]
fn a_lane_is_smoothed_on_the_screen_only_and_says_so() {
    let mut scene = review();
    choose_signals(&mut scene, &["lsl_eda · EDA"]);
    let names = ["as stored", "mean 0.5 s · display only", "mean 2 s · display only", "as stored"];
    (0..2).for_each(|_| press(&mut scene, Modifiers::NONE, Key::Plus));
    for pair in names.windows(2) {
        click(&mut scene, &format!("Smoothing of lsl_eda · EDA: {}", pair[0]));
        assert!(is_painted(&scene, pair[1]), "{}", pair[1]);
    }
    // One pixel of the whole session is longer than half a second in a longer session.
    let mut scene = scenes::review_with_signals(plain(), &Script::of(3600.0));
    choose_signals(&mut scene, &["lsl_eda · EDA"]);
    click(&mut scene, "Smoothing of lsl_eda · EDA: as stored");
    assert!(!is_painted(&scene, "mean 0.5 s") && is_painted(&scene, "s · display only"));
}

#[test]
fn a_field_from_0_to_1_has_that_scale_or_the_one_of_its_values() {
    let mut scene = review();
    choose_signals(&mut scene, &["action · au01", "pulse · rate_bpm"]);
    assert!(scene.window.query_by_label_contains("Scale of pulse").is_none());
    click(&mut scene, "Scale of action · au01: 0 … 1");
    assert!(is_painted(&scene, "0.1") && says(&scene, "Scale of action · au01: fitted"));
}

#[test]
fn a_seventh_signal_is_refused_with_a_sentence() {
    let mut scene = review();
    let six = ["action · au01", "action · au02", "action · au04", "action · au05", "action · au06", "action · au07"];
    choose_signals(&mut scene, &six);
    choose_signals(&mut scene, &["action · au09"]);
    assert_eq!(chosen(&scene, false).len(), 6);
    assert!(says(&scene, "action · au09 was not added: at most 6 signals are shown."));
    // Six lanes are whole in the smallest window, which is scrolled.
    scene.window.set_size(egui::vec2(1024.0, 700.0));
    scene.settle();
    let tops: Vec<f32> = six.iter().map(|title| lane(&scene, title).top()).collect();
    assert!(tops.windows(2).all(|pair| pair[1] - pair[0] >= 47.9), "{tops:?}");
}

#[test]
fn a_signal_that_the_session_lacks_is_in_the_list_only() {
    let mut scene = review();
    choose_signals(&mut scene, &["lsl_eda · EDA", "pulse · rate_bpm"]);
    let row = super::synthetic::session_row(14, 1, "demo", 0, 1.0);
    let ctx = scene.window.ctx.clone();
    scene.window.state_mut().open(&ctx, row.folder.clone());
    let other = super::synthetic::opened(&Script::of(60.0), row, false);
    scene.say(BackendEvent::SessionOpened(Box::new(other)));
    assert!(!says(&scene, "lsl_eda"));
    click(&mut scene, "Signals");
    assert!(says(&scene, "lsl_eda · EDA is not in this session."));
    click(&mut scene, "Remove lsl_eda · EDA");
    assert_eq!(chosen(&scene, false), ["pulse.rate_bpm"]);
}

#[test]
fn the_values_under_the_pointer_are_listed_and_a_gap_has_none() {
    let mut scene = review();
    choose_signals(&mut scene, &THREE_SIGNALS);
    let plot = scene.window.get_by_label_contains("Valence and arousal from").rect();
    let mut hover = |share: f32| {
        scene.window.hover_at(egui::pos2(plot.left() + plot.width() * share, plot.top() + 60.0));
        scene.settle();
        let line = small_type::lines(&scene).into_iter().find(|line| line.text.starts_with("pulse · rate_bpm  "));
        line.unwrap().text
    };
    assert!(hover(0.2).contains("/min"));
    // The stream states that there is no reliable rate.
    assert_eq!(hover(0.42), "pulse · rate_bpm  no value");
}

#[test]
fn the_choice_is_stored_with_the_preferences() {
    let handle = Handle::default();
    let instrument = handle.instrument();
    let file = std::env::temp_dir().join("affectograph-no-preferences").join("window.toml");
    let window = plain().build_eframe(move |creation| App::new(&creation.egui_ctx, instrument, Some(file)));
    let mut scene = Scene { window, handle };
    let row = super::synthetic::session_row(14, 1, "demo", 0, 1.0);
    let ctx = scene.window.ctx.clone();
    scene.window.state_mut().open(&ctx, row.folder.clone());
    let opened = super::synthetic::opened(&Script::of(60.0), row, false);
    scene.say(BackendEvent::SessionOpened(Box::new(opened)));
    scene.handle.asked();
    choose_signals(&mut scene, &["face · yaw"]);
    let asked = scene.handle.asked();
    let stored = asked.iter().rev().find_map(|asked| match asked {
        Asked::Preferences(preferences) => Some(preferences),
        _ => None,
    });
    let lanes = &stored.unwrap().lanes;
    assert_eq!(lanes.review.iter().map(|lane| lane.signal.to_string()).collect::<Vec<_>>(), ["face.yaw"]);
    assert_eq!(lanes.live.len(), 0);
}

#[test]
fn blinks_are_in_the_list_of_events_only_if_they_are_wanted() {
    let mut scene = review();
    // The first blink is at 0.94 s, after the first event of the page.
    let blink = Timestamp::from_secs_f64(0.94);
    let stop = |scene: &mut Scene| {
        press(scene, Modifiers::NONE, Key::Home);
        (0..2).for_each(|_| press(scene, Modifiers::NONE, Key::N));
        scene.state().review.as_ref().unwrap().playhead.at
    };
    assert!(stop(&mut scene) > blink);
    assert!(!says(&scene, "duration_ms"));
    click(&mut scene, "Blinks");
    scene.window.ctx.memory_mut(|m| m.focused().into_iter().for_each(|id| m.surrender_focus(id)));
    assert_eq!(stop(&mut scene), blink);
    assert!(says(&scene, "duration_ms"));
    // A session without blinks has no choice.
    let mut scene = scenes::review(plain(), &Script::of(60.0), false);
    scene.settle();
    assert!(scene.window.query_by_label("Blinks").is_none());
}
