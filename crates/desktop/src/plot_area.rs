//! The area of the plots: what it shows, and where a time lies in it.

use eframe::egui;
use egui::Rect;

use session::Timestamp;

use super::annotations;
use super::decimate::Shift;
use super::indexed_timeline::IndexedTimeline;
use super::port::Correction;
use super::state::{Review, Side};
use super::time_window::TimeWindow;

/// Height of the event marks below the curves.
pub const EVENTS_PX: f32 = 38.0;
/// Width of the figures to the left of the curves.
pub const SCALE_PX: f32 = 42.0;
/// Ends of the scale of z-scored values, in standard deviations.
const Z_REACH: f64 = 5.0;

pub struct PlotData<'a> {
    pub log: &'a IndexedTimeline,
    pub window: TimeWindow,
    /// The time of the playhead line. `None` while recording.
    pub playhead: Option<Timestamp>,
    /// The session in review. Only in review, the plots can be clicked, dragged and zoomed.
    pub review: Option<&'a Review>,
}

impl PlotData<'_> {
    /// Height of the annotations above the curves. 0 if there are none and none is being made.
    pub fn lane_px(&self) -> f32 {
        let has_lane = self.review.is_some_and(|r| {
            r.side == Side::Annotations || !r.annotations.current().is_empty() || r.annotations.open_range.is_some()
        });
        match self.review {
            Some(review) if has_lane => annotations::LANE_PX * annotations::lines(review) as f32,
            _ => 0.0,
        }
    }

    /// The shift of valence and of arousal.
    pub fn shifts(&self) -> [Shift; 2] {
        let Some((review, baseline)) = self.review.and_then(|r| Some((r, r.baseline.as_ref()?))) else {
            return [Shift::RAW; 2];
        };
        [&baseline.valence, &baseline.arousal].map(|of| match (review.values, of.spread) {
            (Correction::Raw, _) => Shift::RAW,
            (Correction::ZScored, Some(spread)) => Shift { zero: of.zero, per: 1.0 / (spread * Z_REACH) },
            (Correction::Corrected | Correction::ZScored, _) => Shift { zero: of.zero, per: 1.0 },
        })
    }

    /// The label at the ends of the two scales.
    pub fn reach(&self) -> &'static str {
        let is_z = self.review.is_some_and(|r| r.baseline.is_some() && r.values == Correction::ZScored);
        if is_z { "5" } else { "1" }
    }
}

pub fn x_of(area: Rect, window: TimeWindow, at_s: f64) -> f32 {
    area.left() + area.width() * ((at_s - window.from_s) / window.width_s()) as f32
}

pub fn seconds_at(area: Rect, window: TimeWindow, x: f32) -> f64 {
    window.from_s + window.width_s() * f64::from((x - area.left()) / area.width())
}
