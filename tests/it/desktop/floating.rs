//! Tooltips and menus: closed by a dialog and by a key, and beside an embedded page.

use affectograph::desktop::Dialog;
use eframe::egui;
use egui::{Key, Modifiers, Order, Pos2, Rect};
use egui_kittest::kittest::Queryable;

use super::scenes::{self, Scene};
use super::small_type::lines;
use super::{plain, press};

/// The pointer rests here until a tooltip would be open.
fn rest(scene: &mut Scene, at: Pos2) {
    scene.window.hover_at(at);
    scene.window.run_steps(8);
}

/// Where tooltips and menus are seen.
fn floating(scene: &Scene) -> Vec<(Order, Rect)> {
    let ctx = &scene.window.ctx;
    let layers = ctx.memory(|m| m.areas().visible_layer_ids());
    let layers = layers.into_iter().filter(|l| matches!(l.order, Order::Foreground | Order::Tooltip));
    let place = |layer: egui::LayerId| {
        let own = ctx.memory(|m| m.area_rect(layer.id))?;
        Some((layer.order, ctx.layer_transform_to_global(layer).map_or(own, |way| way * own)))
    };
    layers.filter_map(place).collect()
}

fn has_tooltip(scene: &Scene) -> bool {
    floating(scene).iter().any(|(order, _)| *order == Order::Tooltip)
}

#[test]
fn a_dialog_that_a_key_opens_closes_the_tooltip() {
    let mut scene = scenes::home(plain());
    let help = scene.window.get_by_label("Help").rect().center();
    rest(&mut scene, help);
    assert!(has_tooltip(&scene), "no tooltip to close");
    scene.window.key_press_modifiers(Modifiers::COMMAND, Key::N);
    scene.window.run_steps(8);
    assert!(matches!(scene.state().dialog, Some(Dialog::NewSession(_))));
    assert!(!has_tooltip(&scene), "it stays above the dialog");
    press(&mut scene, Modifiers::NONE, Key::Escape);
    // The pointer comes back when it moves.
    rest(&mut scene, help + egui::vec2(2.0, 0.0));
    assert!(has_tooltip(&scene));
}

#[test]
fn a_dialog_of_the_program_closes_the_tooltip() {
    let mut scene = scenes::live(plain(), 60.0, false);
    let help = scene.window.get_by_label("Help").rect().center();
    rest(&mut scene, help);
    assert!(has_tooltip(&scene), "no tooltip to close");
    let sentence = "The disk is full.".into();
    scene.handle.say(affectograph::desktop::port::BackendEvent::Failed {
        during: affectograph::desktop::port::Activity::Record,
        sentence,
    });
    scene.window.run_steps(8);
    assert!(scene.state().dialog.is_some() && !has_tooltip(&scene));
}

/// The pointer rests on each control of the recording screen in turn.
#[test]
fn no_tooltip_is_under_an_embedded_page() {
    for (width, height) in [(1280.0, 800.0), (1024.0, 700.0), (1920.0, 1080.0)] {
        let mut scene = scenes::live(scenes::builder(width, height, true), 761.2, true);
        let window = Rect::from_min_size(Pos2::ZERO, egui::vec2(width, height));
        let page = scene.state().embedded_page.expect("an embedded page");
        let places: Vec<Pos2> = scene
            .window
            .query_all(egui_kittest::kittest::by().predicate(|node| node.raw_bounds().is_some()))
            .map(|n| n.rect().center())
            .collect();
        let is_outside = |at: &Pos2| window.contains(*at) && !page.contains(*at);
        let mut shown = 0;
        for at in places.into_iter().filter(is_outside) {
            rest(&mut scene, at);
            for (order, place) in floating(&scene).into_iter().filter(|(order, _)| *order == Order::Tooltip) {
                shown += 1;
                assert!(!place.intersects(page), "{order:?} of {at:?} at {place:?} is under the page {page:?}");
                assert!(window.expand(1.0).contains_rect(place), "{order:?} of {at:?} is at {place:?}");
            }
            scene.window.remove_cursor();
            scene.window.run_steps(2);
        }
        assert!(shown > 15, "{shown} tooltips in {width} × {height}");
    }
}

/// What is painted follows the place.
#[test]
fn the_words_of_a_tooltip_are_beside_the_page() {
    let mut scene = scenes::live(plain(), 761.2, true);
    let page = scene.state().embedded_page.expect("an embedded page");
    let lamp = scene.window.query_all_by_label_contains("keyboard ").next().unwrap().rect().center();
    rest(&mut scene, lamp);
    let words = lines(&scene);
    let line = words.iter().find(|line| line.text.contains("F6 gives the keyboard")).expect("the tooltip");
    assert!(!line.seen().intersects(page), "{:?}", line.seen());
}
