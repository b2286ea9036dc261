//! A small picture of what the participant sees, for the operator: once a second, as JPEG.
//!
//! It is a copy of the window's pixels, scaled down by the X server. The page's own process does not take part, so that
//! the picture does not disturb the page. Only the preview in set-up, which nobody uses, is drawn by the page's process.

use gtk::cairo::{self, Content, Context, Filter};
use gtk::gdk::{self, prelude::*};
use gtk::gdk_pixbuf::Pixbuf;

/// The picture is at most this wide.
const WIDTH_PX: f64 = 640.0;
const QUALITY: &str = "80";

/// The contents of a visible window.
pub(super) fn of_window(window: &gdk::Window) -> Option<Vec<u8>> {
    let (scale, width, height) = shrink(f64::from(window.width()), f64::from(window.height()))?;
    let small = window.create_similar_surface(Content::Color, width, height)?;
    let context = Context::new(&small).ok()?;
    context.scale(scale, scale);
    context.set_source_window(window, 0.0, 0.0);
    // The X server itself can do this one.
    context.source().set_filter(Filter::Bilinear);
    context.paint().ok()?;
    jpeg(&small, width, height)
}

/// A drawing of a web view.
pub(super) fn of_surface(surface: &cairo::Surface) -> Option<Vec<u8>> {
    let image = cairo::ImageSurface::try_from(surface.clone()).ok()?;
    let (scale, width, height) = shrink(f64::from(image.width()), f64::from(image.height()))?;
    let small = cairo::ImageSurface::create(cairo::Format::Rgb24, width, height).ok()?;
    let context = Context::new(&small).ok()?;
    // A page without a background is drawn on white.
    context.set_source_rgb(1.0, 1.0, 1.0);
    context.paint().ok()?;
    context.scale(scale, scale);
    context.set_source_surface(&image, 0.0, 0.0).ok()?;
    context.source().set_filter(Filter::Good);
    context.paint().ok()?;
    jpeg(&small, width, height)
}

/// The scale, and width and height in pixels of the picture. `None`: there is nothing to see.
fn shrink(width: f64, height: f64) -> Option<(f64, i32, i32)> {
    if width < 2.0 || height < 2.0 {
        return None;
    }
    let scale = (WIDTH_PX / width).min(1.0);
    Some((scale, (width * scale).round().max(1.0) as i32, (height * scale).round().max(1.0) as i32))
}

fn jpeg(surface: &cairo::Surface, width: i32, height: i32) -> Option<Vec<u8>> {
    let pixels: Pixbuf = gdk::pixbuf_get_from_surface(surface, 0, 0, width, height)?;
    pixels.save_to_bufferv("jpeg", &[("quality", QUALITY)]).ok()
}
