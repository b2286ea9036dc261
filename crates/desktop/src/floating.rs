//! Tooltips and menus, which float above the window. A dialog or a key closes a tooltip. An embedded page covers everything
//! that the window draws, so what floats is moved beside it.

use eframe::egui;
use egui::emath::TSTransform;
use egui::{Context, Event, LayerId, Order, Plugin, RawInput, Rect, Vec2, vec2};

/// The space between the page and what floats beside it.
const GAP: f32 = 4.0;

#[derive(Default)]
pub struct Floating {
    /// A dialog was opened.
    closes_tooltips: bool,
    /// The layers that stand beside the page instead of their own place.
    moved: Vec<LayerId>,
}

impl Floating {
    /// With the next frame.
    pub fn close_tooltips(&mut self) {
        self.closes_tooltips = true;
    }

    /// Called after drawing. `page`: the embedded page, if it is visible.
    pub fn keep_off(&mut self, ctx: &Context, page: Option<Rect>) {
        for layer in self.moved.drain(..) {
            ctx.set_transform_layer(layer, TSTransform::IDENTITY);
        }
        let Some(page) = page else { return };
        let window = ctx.content_rect();
        for layer in floating(ctx) {
            let place = ctx.memory(|m| m.area_rect(layer.id)).filter(|place| place.is_positive());
            let Some(way) = place.and_then(|place| way_off(place, page, window)) else { continue };
            ctx.set_transform_layer(layer, TSTransform::from_translation(way));
            self.moved.push(layer);
        }
    }
}

impl Plugin for Floating {
    fn debug_name(&self) -> &'static str {
        "floating"
    }

    /// egui keeps a tooltip open while the pointer rests on its control, whatever happens. So the pointer is gone until it
    /// moves.
    fn input_hook(&mut self, ctx: &Context, input: &mut RawInput) {
        let has_key = input.events.iter().any(|e| matches!(e, Event::Key { pressed: true, repeat: false, .. }));
        let closes = std::mem::take(&mut self.closes_tooltips) || has_key;
        if closes && floating(ctx).any(|layer| layer.order == Order::Tooltip) {
            input.events.push(Event::PointerGone);
        }
    }
}

fn floating(ctx: &Context) -> impl Iterator<Item = LayerId> {
    let visible = ctx.memory(|m| m.areas().visible_layer_ids());
    visible.into_iter().filter(|layer| matches!(layer.order, Order::Foreground | Order::Tooltip))
}

/// The shortest way from `place` to where the page is not. `None`: it is there already.
fn way_off(place: Rect, page: Rect, window: Rect) -> Option<Vec2> {
    if !place.intersects(page) {
        return None;
    }
    let ways = [
        vec2(0.0, page.bottom() + GAP - place.top()),
        vec2(0.0, page.top() - GAP - place.bottom()),
        vec2(page.right() + GAP - place.left(), 0.0),
        vec2(page.left() - GAP - place.right(), 0.0),
    ];
    let fits = |way: &Vec2| window.contains_rect(place.translate(*way));
    let shortest = ways.into_iter().filter(fits).min_by(|a, b| a.length().total_cmp(&b.length()));
    // Where it fits nowhere, its beginning is seen below the page.
    Some(shortest.unwrap_or(ways[0]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::pos2;

    fn rect(left: f32, top: f32, width: f32, height: f32) -> Rect {
        Rect::from_min_size(pos2(left, top), vec2(width, height))
    }

    #[test]
    fn what_floats_goes_the_shortest_way_off_the_page_and_stays_in_the_window() {
        let (window, page) = (rect(0.0, 0.0, 1000.0, 700.0), rect(10.0, 60.0, 700.0, 400.0));
        let moved = |place: Rect| place.translate(way_off(place, page, window).unwrap_or_default());
        let beside = rect(720.0, 70.0, 200.0, 50.0);
        assert_eq!(moved(beside), beside);
        assert_eq!(moved(rect(100.0, 440.0, 200.0, 50.0)).top(), 464.0, "below");
        assert_eq!(moved(rect(600.0, 200.0, 200.0, 50.0)).left(), 714.0, "to the right");
        for place in [rect(20.0, 61.0, 300.0, 200.0), rect(300.0, 200.0, 340.0, 90.0), rect(0.0, 0.0, 900.0, 100.0)] {
            assert!(
                !moved(place).intersects(page) && window.contains_rect(moved(place)),
                "{place:?} is {:?}",
                moved(place)
            );
        }
    }
}
