//! The size of the window. It fits its monitor when the program starts, and is remembered. Its place is the window manager's
//! choice.

use std::time::Duration;

use eframe::egui;
use egui::{Context, Vec2, ViewportCommand, ViewportInfo, vec2};
use serde::{Deserialize, Serialize};

/// The smallest size, in points of normal text.
pub const SMALLEST: [f32; 2] = [800.0, 560.0];
const USUAL: [f32; 2] = [1280.0, 800.0];
/// What bars of the desktop may take of a monitor, in points. The system does not report it.
const DESKTOP_BARS: f32 = 48.0;
/// The window manager adds its frame within this time.
const FRAMED_AFTER_S: f64 = 3.0;
const CHECK: Duration = Duration::from_millis(100);
/// A size that has stood this long is remembered.
const SETTLED_S: f64 = 1.0;

/// The size of the window while it is not maximized, in points of normal text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WindowSize {
    pub width: f32,
    pub height: f32,
    pub is_maximized: bool,
}

impl WindowSize {
    /// For the start of the program.
    pub fn at_start(remembered: Option<WindowSize>) -> WindowSize {
        let [width, height] = USUAL;
        let usual = WindowSize { width, height, is_maximized: false };
        let is_sane = |size: &WindowSize| (size.width >= SMALLEST[0]) && (size.height >= SMALLEST[1]);
        remembered.filter(is_sane).unwrap_or(usual)
    }

    fn now(before: WindowSize, window: &ViewportInfo, text_scale: f32) -> Option<WindowSize> {
        let is_maximized = window.maximized?;
        if window.fullscreen == Some(true) || window.minimized == Some(true) {
            return None;
        }
        let size = window.inner_rect?.size() * text_scale;
        Some(match is_maximized {
            true => WindowSize { is_maximized, ..before },
            false => WindowSize { width: size.x.round(), height: size.y.round(), is_maximized },
        })
    }
}

/// Watches the size.
#[derive(Default)]
pub struct SizeWatch {
    is_fitted: bool,
    /// A size that is not remembered yet, and since when the window has it.
    new: Option<(WindowSize, f64)>,
}

impl SizeWatch {
    /// Maximizes a window that is larger than its monitor, as soon as its frame is known.
    pub fn fit(&mut self, ctx: &Context) {
        if self.is_fitted {
            return;
        }
        let (window, now_s) = ctx.input(|i| (i.viewport().clone(), i.time));
        if let Some(size) = fitting(&window) {
            self.is_fitted = true;
            // Also for the time after the window is not maximized any more.
            ctx.send_viewport_cmd(ViewportCommand::InnerSize(size));
            ctx.send_viewport_cmd(ViewportCommand::Maximized(true));
        } else if now_s > FRAMED_AFTER_S {
            self.is_fitted = true;
        } else if window.monitor_size.is_some() {
            ctx.request_repaint_after(CHECK);
        }
    }

    /// A size that is to be remembered.
    pub fn settled(&mut self, ctx: &Context, remembered: Option<WindowSize>) -> Option<WindowSize> {
        let (window, now_s) = ctx.input(|i| (i.viewport().clone(), i.time));
        let before = WindowSize::at_start(remembered);
        let size = WindowSize::now(before, &window, ctx.zoom_factor()).filter(|size| *size != before)?;
        match self.new {
            Some((new, since_s)) if new == size => {
                if now_s - since_s >= SETTLED_S {
                    self.new = None;
                    return Some(size);
                }
            }
            _ => self.new = Some((size, now_s)),
        }
        ctx.request_repaint_after(Duration::from_secs_f64(SETTLED_S));
        None
    }
}

/// The size with which the window would fit its monitor. `None`: it fits, or fills it on purpose, or the system does not tell.
fn fitting(window: &ViewportInfo) -> Option<Vec2> {
    let (inner, outer, monitor) = (window.inner_rect?.size(), window.outer_rect?.size(), window.monitor_size?);
    let is_filling = window.maximized == Some(true) || window.fullscreen == Some(true);
    let frame = (outer - inner).max(Vec2::ZERO);
    // Without a window manager there is no frame, and no bars.
    if is_filling || frame == Vec2::ZERO {
        return None;
    }
    let space = monitor - vec2(0.0, DESKTOP_BARS);
    let is_too_large = outer.x > space.x || outer.y > space.y;
    is_too_large.then(|| inner.min(space - frame))
}

#[cfg(test)]
mod tests {
    use super::*;
    use egui::{Rect, pos2};

    fn window(inner: Vec2, frame: Vec2, monitor: Vec2) -> ViewportInfo {
        let inner_rect = Rect::from_min_size(pos2(0.0, frame.y), inner);
        let outer_rect = Rect::from_min_size(pos2(0.0, 0.0), inner + frame);
        ViewportInfo {
            inner_rect: Some(inner_rect),
            outer_rect: Some(outer_rect),
            monitor_size: Some(monitor),
            maximized: Some(false),
            fullscreen: Some(false),
            ..ViewportInfo::default()
        }
    }

    #[test]
    fn only_a_window_that_is_larger_than_its_monitor_is_changed() {
        let frame = vec2(2.0, 24.0);
        assert_eq!(fitting(&window(vec2(1280.0, 800.0), frame, vec2(1920.0, 1080.0))), None);
        let small = vec2(1280.0, 800.0);
        assert_eq!(fitting(&window(vec2(1280.0, 800.0), frame, small)), Some(vec2(1278.0, 728.0)));
        assert_eq!(fitting(&window(vec2(1000.0, 600.0), frame, small)), None);
        assert_eq!(fitting(&window(vec2(1280.0, 800.0), Vec2::ZERO, small)), None, "no window manager");
        let filled = ViewportInfo { maximized: Some(true), ..window(vec2(1280.0, 776.0), frame, small) };
        assert_eq!(fitting(&filled), None);
    }

    #[test]
    fn a_maximized_window_keeps_the_size_that_it_had_before() {
        let before = WindowSize { width: 1000.0, height: 700.0, is_maximized: false };
        let filled = ViewportInfo {
            maximized: Some(true),
            ..window(vec2(1920.0, 1056.0), vec2(0.0, 24.0), vec2(1920.0, 1080.0))
        };
        assert_eq!(WindowSize::now(before, &filled, 1.0), Some(WindowSize { is_maximized: true, ..before }));
        // The size of the window does not depend on the size of the text.
        let half = window(vec2(640.0, 400.0), vec2(0.0, 12.0), vec2(960.0, 540.0));
        assert_eq!(WindowSize::now(before, &half, 2.0), Some(WindowSize::at_start(None)));
        let torn = WindowSize { width: 3.0, height: f32::NAN, is_maximized: true };
        assert_eq!(WindowSize::at_start(Some(torn)), WindowSize::at_start(None));
        assert_eq!(WindowSize::at_start(Some(before)), before);
    }
}
