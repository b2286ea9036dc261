//! The place of an embedded page in the window.

use desktop::port::PixelRect;
use page::BoundsPx;

/// Kept while the window is open, because a new page gets the same place.
#[derive(Clone, Copy, Debug, Default)]
pub struct EmbeddedPlace {
    pub bounds: Option<PixelRect>,
    pub is_visible: bool,
}

pub fn bounds_px(b: PixelRect) -> BoundsPx {
    BoundsPx { left: b.left_px, top: b.top_px, width: b.width_px, height: b.height_px }
}
