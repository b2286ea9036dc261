//! The area of the plots: what it shows, and where a time and a lane lie in it.

use eframe::egui;
use egui::{Rect, pos2};

use session::Timestamp;

use super::annotations;
use super::decimate::Shift;
use super::indexed_timeline::{IndexedTimeline, Stretch};
use super::port::Correction;
use super::shown_lane::ShownLane;
use super::state::{Review, Side};
use super::time_window::TimeWindow;

/// Height of the event marks below the curves.
pub const EVENTS_PX: f32 = 38.0;
/// Width of the figures to the left of the curves.
pub const SCALE_PX: f32 = 42.0;
/// Height of the time axis below the area.
pub const AXIS_PX: f32 = 20.0;
/// Valence and arousal are not lower than this together.
const LOWEST_CURVES_PX: f32 = 104.0;
/// The height of a lane.
const LOWEST_LANE_PX: f32 = 48.0;
const HIGHEST_LANE_PX: f32 = 84.0;
/// What the lanes get of the space that is left. Valence and arousal get the rest.
const LANES_SHARE: f32 = 0.7;
/// Ends of the scale of z-scored values, in standard deviations.
const Z_REACH: f64 = 5.0;

pub struct PlotData<'a> {
    pub log: &'a IndexedTimeline,
    pub window: TimeWindow,
    /// The time of the playhead line. `None` while recording.
    pub playhead: Option<Timestamp>,
    /// The session in review. Only in review, the plots can be clicked, dragged and zoomed.
    pub review: Option<&'a Review>,
    /// The lanes below valence and arousal.
    pub lanes: Vec<ShownLane<'a>>,
}

/// The height that the plots need with this number of lanes.
pub fn smallest_px(lanes: usize) -> f32 {
    LOWEST_CURVES_PX + lanes as f32 * LOWEST_LANE_PX + EVENTS_PX + AXIS_PX
}

/// The places of the lanes at the bottom of the space for curves and lanes, from top to bottom. Valence and arousal have
/// what is left.
pub fn lane_places(space: Rect, lanes: usize) -> Vec<Rect> {
    let height = ((space.height() - LOWEST_CURVES_PX) * LANES_SHARE / lanes.max(1) as f32)
        .clamp(LOWEST_LANE_PX, HIGHEST_LANE_PX);
    let top = space.bottom() - height * lanes as f32;
    let place = |k: usize| {
        let top = top + height * k as f32;
        Rect::from_min_max(pos2(space.left(), top), pos2(space.right(), top + height))
    };
    (0..lanes).map(place).collect()
}

/// Stretches as `[from, until]` in seconds. Stretches on the same pixels are joined.
pub fn merged(stretches: &[Stretch], window: TimeWindow, width_px: f32) -> Vec<[f64; 2]> {
    let pixel_s = window.width_s() / f64::from(width_px.max(1.0));
    let mut out: Vec<[f64; 2]> = Vec::new();
    let mut k = 0;
    while let Some(stretch) = stretches.get(k) {
        let from_s = stretch.from.as_secs_f64().max(window.from_s);
        let until_s = stretch.until.as_secs_f64().min(window.until_s).max(from_s + pixel_s);
        match out.last_mut() {
            Some(last) if from_s <= last[1] => last[1] = last[1].max(until_s),
            _ => out.push([from_s, until_s]),
        }
        // Skips the stretches that end within this pixel.
        let drawn = Timestamp::from_secs_f64(until_s);
        k += 1 + stretches[k + 1..].partition_point(|s| s.until <= drawn);
    }
    out
}

impl PlotData<'_> {
    /// Height of the annotations above the curves. 0 if there are none and none is being made.
    pub fn annotations_px(&self) -> f32 {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_of_gaps_become_a_few_shapes() {
        let at = |ms: i64| Timestamp::from_ns(ms * 1_000_000);
        let stretches: Vec<Stretch> =
            (0..100_000).map(|k| Stretch { from: at(k * 100), until: at(k * 100 + 30) }).collect();
        let window = TimeWindow { from_s: 0.0, until_s: 10_000.0 };
        assert!(merged(&stretches, window, 1000.0).len() <= 1000);
        let near = TimeWindow { from_s: 0.0, until_s: 1.0 };
        assert_eq!(merged(&stretches[..10], near, 1000.0).len(), 10);
    }

    #[test]
    fn lanes_leave_room_for_valence_and_arousal_where_the_plots_have_the_smallest_height() {
        for lanes in 0..=crate::lane_choice::MOST_LANES {
            for height in [smallest_px(lanes), 600.0, 1200.0] {
                let space = Rect::from_min_max(pos2(0.0, 0.0), pos2(500.0, height - EVENTS_PX - AXIS_PX));
                let places = lane_places(space, lanes);
                let top = places.first().map_or(space.bottom(), |lane| lane.top());
                assert!(top - space.top() >= LOWEST_CURVES_PX - 0.01, "{lanes} {height}");
                assert!(places.windows(2).all(|pair| (pair[0].bottom() - pair[1].top()).abs() < 0.01));
                assert!(
                    places.iter().all(|lane| lane.height() >= LOWEST_LANE_PX && lane.bottom() < space.bottom() + 0.01)
                );
            }
        }
    }
}
