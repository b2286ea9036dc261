//! The session in review: its data, the playhead and the visible part of the time axis.

use std::sync::Arc;

use session::{EventData, EventRow, FrameMeta, Playhead, PlayheadMode, Timestamp};

use analysis::{Baseline, PoorStretch};

use super::annotation_state::Annotations;
use super::indexed_timeline::IndexedTimeline;
use super::photo::Photo;
use super::port::{Correction, QualityReport, SessionRow};
use super::rating_state::Ratings;
use super::time_window::TimeWindow;

pub struct Review {
    pub session: SessionRow,
    pub study_title: String,
    pub log: IndexedTimeline,
    pub frames: Arc<[FrameMeta]>,
    pub quality: QualityReport,
    pub facts: Vec<(String, String)>,
    pub playhead: Playhead,
    pub span: TimeWindow,
    /// The part of `span` that the plots show.
    pub window: TimeWindow,
    pub photo: Option<(u64, Photo)>,
    pub wanted_frame: Option<u64>,
    pub picture_problem: Option<String>,
    pub side: Side,
    pub exporting: Option<f32>,
    pub values: Correction,
    pub baseline: Option<Baseline>,
    /// Stretches of poor quality, by time.
    pub poor: Vec<PoorStretch>,
    pub shades_poor: bool,
    pub annotations: Annotations,
    pub ratings: Ratings,
    pub has_page: bool,
    /// Set while the window with the recorded page is open.
    pub page: Option<FollowedPage>,
}

/// The playhead that was last sent to the window with the recorded page, and when.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct FollowedPage {
    sent: Option<(Playhead, f64)>,
}

impl FollowedPage {
    /// Whether the playhead must be sent again. While both windows play, each follows its own clock, and the playhead
    /// is sent about once a second.
    pub fn is_due(&mut self, playhead: Playhead, now_s: f64) -> bool {
        const COMPARED_EVERY_S: f64 = 1.0;
        let is_due = self.sent.is_none_or(|(sent, at_s)| match playhead.mode {
            PlayheadMode::Playing => {
                let foreseen_s = sent.at.as_secs_f64() + (now_s - at_s) * playhead.rate;
                let is_foreseen = (playhead.at.as_secs_f64() - foreseen_s).abs() < 0.1 * playhead.rate;
                (sent.mode, sent.rate) != (playhead.mode, playhead.rate)
                    || now_s - at_s > COMPARED_EVERY_S
                    || !is_foreseen
            }
            _ => (sent.mode, sent.at) != (playhead.mode, playhead.at),
        });
        if is_due {
            self.sent = Some((playhead, now_s));
        }
        is_due
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Events,
    Annotations,
    Rating,
    Quality,
}

impl Side {
    pub const ALL: [Side; 4] = [Side::Events, Side::Annotations, Side::Rating, Side::Quality];

    pub fn label(self) -> &'static str {
        match self {
            Side::Events => "Events",
            Side::Annotations => "Annotate",
            Side::Rating => "Rate",
            Side::Quality => "Quality",
        }
    }
}

/// A narrower window would not be easier to read.
const NARROWEST_S: f64 = 0.2;

impl Review {
    pub fn start(&self) -> Timestamp {
        self.span.from()
    }

    pub fn end(&self) -> Timestamp {
        self.span.until()
    }

    pub fn is_playing(&self) -> bool {
        self.playhead.mode == PlayheadMode::Playing
    }

    /// The frame at the playhead: the last one at or before it.
    pub fn frame_index(&self) -> Option<usize> {
        self.frames.partition_point(|f| f.at <= self.playhead.at).checked_sub(1)
    }

    /// The last shown event at or before the playhead.
    pub fn event_at_playhead(&self) -> Option<&EventRow<EventData>> {
        let row = *self.log.shown().get(self.log.last_shown(self.playhead.at)?)?;
        self.log.timeline().events().get(row as usize)
    }

    pub fn step_frames(&mut self, by: i64) {
        let Some(last) = self.frames.len().checked_sub(1) else { return };
        let here = self.frame_index().map_or(-1, |k| k as i64);
        let to = here.saturating_add(by).clamp(0, last as i64) as usize;
        self.seek(self.frames[to].at);
    }

    /// Moves the playhead and shows its time. Playing continues.
    pub fn seek(&mut self, to: Timestamp) {
        self.playhead.seek(to.clamp(self.start(), self.end()));
        self.follow(0.5);
    }

    /// Shows a time with 10 s on either side.
    pub fn arrive(&mut self, at: Timestamp) {
        const AROUND_S: f64 = 10.0;
        let at_s = at.as_secs_f64();
        self.set_window(TimeWindow { from_s: at_s - AROUND_S, until_s: at_s + AROUND_S });
        self.seek(at);
    }

    /// If the playhead has left the window, moves the window so that the playhead is at `share` of its width.
    pub fn follow(&mut self, share: f64) {
        let at = self.playhead.at.as_secs_f64();
        if at < self.window.from_s || at > self.window.until_s {
            let width = self.window.width_s();
            self.set_window(TimeWindow { from_s: at - width * share, until_s: at + width * (1.0 - share) });
        }
    }

    /// A `factor` above 1 shows less. `around_s` keeps its place on the screen.
    pub fn zoom(&mut self, factor: f64, around_s: f64) {
        let width = (self.window.width_s() / factor).clamp(NARROWEST_S.min(self.span.width_s()), self.span.width_s());
        let share = (around_s - self.window.from_s) / self.window.width_s();
        let from_s = around_s - width * share;
        self.set_window(TimeWindow { from_s, until_s: from_s + width });
    }

    /// Moves the window into the session. Its width stays the same.
    pub fn set_window(&mut self, wanted: TimeWindow) {
        let width = wanted.width_s().min(self.span.width_s());
        let from_s = wanted.from_s.clamp(self.span.from_s, self.span.until_s - width);
        self.window = TimeWindow { from_s, until_s: from_s + width };
    }

    pub fn fit(&mut self) {
        self.window = self.span;
    }
}

#[cfg(test)]
mod tests {
    use super::super::port::{Grade, SessionState};
    use super::*;
    use proptest::prelude::*;
    use session::TimeSource;
    use std::time::Duration;

    fn review(length_s: f64) -> Review {
        let span = TimeWindow { from_s: 0.0, until_s: length_s };
        let frames = (0..(length_s * 30.0) as u64)
            .map(|number| {
                let at = Timestamp::from_secs_f64(number as f64 / 30.0);
                FrameMeta { number, at, time_source: TimeSource::Driver, device_sequence: None }
            })
            .collect();
        Review {
            session: SessionRow {
                folder: "sub-01/ses-01".into(),
                participant: None,
                session: None,
                study: String::new(),
                started: None,
                length: None,
                size_bytes: 0,
                grade: None,
                is_pilot: false,
                state: SessionState::Complete,
            },
            study_title: String::new(),
            log: IndexedTimeline::default(),
            frames,
            quality: QualityReport {
                grade: Grade::B,
                findings: Vec::new(),
                length: Duration::ZERO,
                frames_expected: 0,
                frames_stored: 0,
                frames_scored: 0,
                frames_skipped: 0,
                lost: 0,
                largest_gap: None,
                face_share: None,
                page_clock_uncertainty_ms: None,
                page_busy: None,
                events_by_kind: Vec::new(),
                size_bytes: 0,
            },
            facts: Vec::new(),
            playhead: Playhead::paused_at(Timestamp::ZERO),
            span,
            window: span,
            photo: None,
            wanted_frame: None,
            picture_problem: None,
            side: Side::Events,
            exporting: None,
            values: Correction::Raw,
            baseline: None,
            poor: Vec::new(),
            shades_poor: false,
            annotations: Annotations::default(),
            ratings: Ratings::default(),
            has_page: false,
            page: None,
        }
    }

    #[test]
    fn the_page_is_told_of_moves_and_left_alone_while_it_plays_along() {
        let mut page = FollowedPage::default();
        let mut playhead = Playhead::paused_at(Timestamp::from_secs_f64(1.0));
        assert!(page.is_due(playhead, 10.0) && !page.is_due(playhead, 11.0));
        playhead.mode = PlayheadMode::Playing;
        assert!(page.is_due(playhead, 12.0));
        playhead.at = Timestamp::from_secs_f64(1.5);
        assert!(!page.is_due(playhead, 12.5));
        playhead.at = Timestamp::from_secs_f64(7.0);
        assert!(page.is_due(playhead, 12.6), "somebody jumped");
        playhead.rate = 2.0;
        assert!(page.is_due(playhead, 12.6));
        playhead.at = Timestamp::from_secs_f64(9.4);
        assert!(page.is_due(playhead, 13.8), "compared now and then");
    }

    #[test]
    fn steps_go_from_frame_to_frame_and_stop_at_the_ends() {
        let mut r = review(2.0);
        r.step_frames(1);
        assert_eq!(r.frame_index(), Some(1));
        r.step_frames(-5);
        assert_eq!(r.frame_index(), Some(0));
        r.step_frames(i64::MAX);
        assert_eq!(r.frame_index(), Some(59));
    }

    proptest! {
        #[test]
        fn the_window_never_leaves_the_session(
            moves in prop::collection::vec((0.1f64..10.0, 0.0f64..600.0, -700.0f64..700.0), 0..40)
        ) {
            let mut r = review(600.0);
            for (factor, around, pan) in moves {
                r.zoom(factor, around.clamp(r.window.from_s, r.window.until_s));
                r.set_window(TimeWindow { from_s: r.window.from_s + pan, until_s: r.window.until_s + pan });
                r.seek(Timestamp::from_secs_f64(around));
                prop_assert!(r.window.from_s >= -1e-6 && r.window.until_s <= 600.0 + 1e-6);
                prop_assert!(r.window.width_s() >= NARROWEST_S * 0.999);
                let at = r.playhead.at.as_secs_f64();
                prop_assert!(at >= r.window.from_s - 1e-6 && at <= r.window.until_s + 1e-6);
            }
        }
    }
}
