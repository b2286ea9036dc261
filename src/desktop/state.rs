//! Everything the views draw. They read it and push [`Command`](super::command::Command)s; only `apply` and `receive`
//! change it.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use eframe::egui;

use crate::session::{ParticipantId, Playhead, PlayheadMode, SessionNumber, Study, Timestamp};

use super::indexed::Indexed;
use super::port::{
    Alarm, CameraRow, CameraState, Check, CheckState, ExportFormat, FaceOverlay, FinishedSession, HealthFigures,
    Library, PageState, Picture, QualityReport, SessionPlan, SessionRow, StartedInfo, StoredFrame,
};
use super::preferences::Preferences;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Screen {
    Home,
    SetUp,
    Live,
    Report,
    Review,
}

pub struct State {
    pub screen: Screen,
    pub preferences: Preferences,
    pub home: Home,
    pub rehearsal: Option<Rehearsal>,
    pub recording: Option<Recording>,
    pub finished: Option<FinishedSession>,
    pub review: Option<Review>,
    /// A session is being read.
    pub opening: Option<PathBuf>,
    pub dialog: Option<Dialog>,
    /// Worth knowing, newest last; dismissed by hand.
    pub notices: VecDeque<String>,
    /// A system dialog for files is open.
    pub is_picking: bool,
}

impl State {
    pub fn new(preferences: Preferences) -> Self {
        State {
            screen: Screen::Home,
            preferences,
            home: Home::default(),
            rehearsal: None,
            recording: None,
            finished: None,
            review: None,
            opening: None,
            dialog: None,
            notices: VecDeque::new(),
            is_picking: false,
        }
    }

    pub fn notice(&mut self, sentence: String) {
        const KEPT: usize = 3;
        if self.notices.contains(&sentence) {
            return;
        }
        if self.notices.len() == KEPT {
            self.notices.pop_front();
        }
        self.notices.push_back(sentence);
    }
}

// --- Home ------------------------------------------------------------------------------------------------------

#[derive(Default)]
pub struct Home {
    /// `None` until it was read for the first time.
    pub library: Option<Library>,
    pub filter: String,
    /// A study's name, to show its sessions alone.
    pub study: Option<String>,
    pub order: Order,
    /// Folder of the selected session.
    pub selected: Option<PathBuf>,
    /// Positions in `library.sessions`, filtered and sorted.
    pub rows: Vec<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    Participant,
    Session,
    Study,
    Date,
    Length,
    Quality,
    Size,
    State,
}

impl Column {
    pub const ALL: [Column; 8] = [
        Column::Participant,
        Column::Session,
        Column::Study,
        Column::Date,
        Column::Length,
        Column::Quality,
        Column::Size,
        Column::State,
    ];

    pub fn label(self) -> &'static str {
        match self {
            Column::Participant => "Participant",
            Column::Session => "Session",
            Column::Study => "Study",
            Column::Date => "Date",
            Column::Length => "Length",
            Column::Quality => "Quality",
            Column::Size => "Size",
            Column::State => "State",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    pub by: Column,
    pub is_descending: bool,
}

impl Default for Order {
    /// The newest first.
    fn default() -> Self {
        Order { by: Column::Date, is_descending: true }
    }
}

impl Home {
    pub fn selected_row(&self) -> Option<&SessionRow> {
        let folder = self.selected.as_ref()?;
        self.library.as_ref()?.sessions.iter().find(|s| s.folder == *folder)
    }

    /// The rows in the order of the table.
    pub fn listed(&self) -> impl ExactSizeIterator<Item = &SessionRow> {
        let sessions = self.library.as_ref().map_or(&[][..], |l| &l.sessions);
        self.rows.iter().map(|k| &sessions[*k])
    }

    /// After the library, the filter or the order changed.
    pub fn arrange(&mut self) {
        self.rows.clear();
        let Some(library) = &self.library else { return };
        let words: Vec<String> = self.filter.split_whitespace().map(str::to_lowercase).collect();
        let passes = |row: &SessionRow| {
            let text = format!("{} {} {}", row.title(), row.study, date(row)).to_lowercase();
            self.study.as_ref().is_none_or(|s| *s == row.study) && words.iter().all(|w| text.contains(w))
        };
        self.rows.extend((0..library.sessions.len()).filter(|k| passes(&library.sessions[*k])));
        let sessions = &library.sessions;
        self.rows.sort_by(|a, b| {
            let (a, b) = (&sessions[*a], &sessions[*b]);
            let by_column = match self.order.by {
                Column::Participant => {
                    let key = |r: &SessionRow| {
                        let id = r.participant.as_ref();
                        (id.and_then(ParticipantId::number), id.map(|p| p.to_string()))
                    };
                    key(a).cmp(&key(b))
                }
                Column::Session => a.session.cmp(&b.session),
                Column::Study => a.study.cmp(&b.study),
                Column::Date => a.started.cmp(&b.started),
                Column::Length => a.length.cmp(&b.length),
                Column::Quality => a.grade.cmp(&b.grade),
                Column::Size => a.size_bytes.cmp(&b.size_bytes),
                Column::State => state_word(a).cmp(state_word(b)),
            };
            let by_column = if self.order.is_descending { by_column.reverse() } else { by_column };
            by_column.then_with(|| b.started.cmp(&a.started)).then_with(|| a.folder.cmp(&b.folder))
        });
    }
}

/// The local date and time of a session, as the table shows it.
pub fn date(row: &SessionRow) -> String {
    row.started.map_or_else(String::new, |at| at.with_timezone(&chrono::Local).format("%Y-%m-%d %H:%M").to_string())
}

pub fn state_word(row: &SessionRow) -> &'static str {
    use super::port::SessionState;
    match row.state {
        SessionState::Complete => "complete",
        SessionState::Recovered(_) => "recovered",
        SessionState::Recording => "recording",
        SessionState::Damaged(_) => "damaged",
    }
}

// --- Rehearsal -------------------------------------------------------------------------------------------------

pub struct Rehearsal {
    pub plan: SessionPlan,
    /// `None` while it is being opened.
    pub study: Option<Study>,
    pub cameras: Option<Vec<CameraRow>>,
    pub camera: Option<CameraState>,
    pub checks: Vec<Check>,
    pub page: Option<PageState>,
    pub preview: Option<ShownPreview>,
    pub has_consent: bool,
    /// Record was pressed.
    pub is_starting: bool,
}

impl Rehearsal {
    pub fn new(plan: SessionPlan) -> Self {
        Rehearsal {
            plan,
            study: None,
            cameras: None,
            camera: None,
            checks: Vec::new(),
            page: None,
            preview: None,
            has_consent: false,
            is_starting: false,
        }
    }

    /// What stands between now and recording, where nothing overrides it.
    pub fn readiness(&self) -> Readiness {
        let Some(study) = &self.study else { return Readiness::NotYet("Opening camera, networks and page …") };
        if self.is_starting {
            return Readiness::NotYet("Starting …");
        }
        if self.checks.is_empty() {
            return Readiness::NotYet("Checking …");
        }
        if study.consent.required && !self.has_consent {
            return Readiness::NotYet("The participant's consent is not confirmed yet.");
        }
        let failing = self.checks.iter().filter(|c| matches!(c.state, CheckState::Failed | CheckState::Waiting));
        let failing: Vec<String> = failing.map(|c| c.name.clone()).collect();
        if failing.is_empty() { Readiness::Ready } else { Readiness::Failing(failing) }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Readiness {
    /// Cannot be overridden.
    NotYet(&'static str),
    /// Names of the checks that a deliberate confirmation overrides.
    Failing(Vec<String>),
    Ready,
}

/// A picture on the graphics card.
#[derive(Clone)]
pub struct Photo {
    pub texture: egui::TextureHandle,
    pub width_px: u32,
    pub height_px: u32,
}

impl Photo {
    /// Replaces what `old` shows, so that its memory is used again.
    pub fn upload(ctx: &egui::Context, name: &str, picture: &Picture, old: Option<Photo>) -> Option<Photo> {
        let (width_px, height_px) = (picture.width_px, picture.height_px);
        let size = [width_px as usize, height_px as usize];
        // A picture of another size than it says would end the program in the upload.
        if picture.rgb.len() != size[0] * size[1] * 3 || picture.rgb.is_empty() {
            return None;
        }
        let image = egui::ColorImage::from_rgb(size, &picture.rgb);
        let texture = match old {
            Some(mut photo) => {
                photo.texture.set(image, egui::TextureOptions::LINEAR);
                photo.texture
            }
            None => ctx.load_texture(name, image, egui::TextureOptions::LINEAR),
        };
        Some(Photo { texture, width_px, height_px })
    }
}

pub struct ShownPreview {
    pub photo: Photo,
    pub face: Option<FaceOverlay>,
    pub faces: u32,
    pub affect: Option<[f32; crate::session::affect::FIELDS]>,
}

// --- Recording -------------------------------------------------------------------------------------------------

pub struct Recording {
    pub plan: SessionPlan,
    pub study: Study,
    pub started: StartedInfo,
    pub log: Indexed,
    /// The session clock at this drawing.
    pub now: Timestamp,
    pub health: HealthFigures,
    pub alarms: Vec<Alarm>,
    pub checks: Vec<Check>,
    pub preview: Option<ShownPreview>,
    pub page: Option<PageState>,
    pub note: Option<NoteDraft>,
    pub stop: Stop,
}

impl Recording {
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.now.since_ns(self.started.at).max(0).unsigned_abs())
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct NoteDraft {
    /// When the operator began to write.
    pub at: Timestamp,
    pub text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    No,
    /// One more press, elsewhere, stops.
    Asked,
    Stopping,
}

// --- Review ----------------------------------------------------------------------------------------------------

pub struct Review {
    pub session: SessionRow,
    pub study_title: String,
    pub log: Indexed,
    pub frames: Arc<[StoredFrame]>,
    pub quality: QualityReport,
    pub facts: Vec<(String, String)>,
    pub playhead: Playhead,
    pub span: Window,
    /// What the plots show of it.
    pub window: Window,
    pub photo: Option<(u64, Photo)>,
    pub wanted_frame: Option<u64>,
    pub picture_problem: Option<String>,
    pub side: Side,
    pub exporting: Option<f32>,
}

/// A part of the time axis, in seconds of the session clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Window {
    pub from_s: f64,
    pub until_s: f64,
}

impl Window {
    pub fn width_s(&self) -> f64 {
        self.until_s - self.from_s
    }

    pub fn from(&self) -> Timestamp {
        Timestamp::from_secs_f64(self.from_s)
    }

    pub fn until(&self) -> Timestamp {
        Timestamp::from_secs_f64(self.until_s)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Events,
    Quality,
}

/// Nothing is easier to read in less.
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

    /// The frame that was on the camera at the playhead: the last one at or before it.
    pub fn frame_index(&self) -> Option<usize> {
        self.frames.partition_point(|f| f.at <= self.playhead.at).checked_sub(1)
    }

    pub fn step_frames(&mut self, by: i64) {
        let Some(last) = self.frames.len().checked_sub(1) else { return };
        let here = self.frame_index().map_or(-1, |k| k as i64);
        let to = here.saturating_add(by).clamp(0, last as i64) as usize;
        self.seek(self.frames[to].at);
    }

    /// Looking somewhere else pauses nothing, and shows that place.
    pub fn seek(&mut self, to: Timestamp) {
        self.playhead.seek(to.clamp(self.start(), self.end()));
        self.follow(0.5);
    }

    /// Moves the window so that the playhead stands at `share` of it, where it has left the window.
    pub fn follow(&mut self, share: f64) {
        let at = self.playhead.at.as_secs_f64();
        if at < self.window.from_s || at > self.window.until_s {
            let width = self.window.width_s();
            self.set_window(Window { from_s: at - width * share, until_s: at + width * (1.0 - share) });
        }
    }

    /// `factor` above 1 shows less; `around_s` stays where it is on the screen.
    pub fn zoom(&mut self, factor: f64, around_s: f64) {
        let width = (self.window.width_s() / factor).clamp(NARROWEST_S.min(self.span.width_s()), self.span.width_s());
        let share = (around_s - self.window.from_s) / self.window.width_s();
        let from_s = around_s - width * share;
        self.set_window(Window { from_s, until_s: from_s + width });
    }

    /// Keeps the window within the session and its width as it is.
    pub fn set_window(&mut self, wanted: Window) {
        let width = wanted.width_s().min(self.span.width_s());
        let from_s = wanted.from_s.clamp(self.span.from_s, self.span.until_s - width);
        self.window = Window { from_s, until_s: from_s + width };
    }

    pub fn fit(&mut self) {
        self.window = self.span;
    }
}

// --- Dialogs ---------------------------------------------------------------------------------------------------

/// At most one at a time; it has the keyboard, and the page is hidden under it.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    NewSession(PlanDraft),
    Open {
        path: String,
    },
    Erase {
        session: SessionRow,
        typed: String,
    },
    /// Record in spite of these checks?
    Override {
        checks: Vec<String>,
    },
    Export(ExportDraft),
    Keys,
    /// The window shall close while recording.
    Quit,
    Failure {
        title: &'static str,
        sentence: String,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct PlanDraft {
    pub study_file: Option<PathBuf>,
    pub participant: String,
    pub session: String,
}

impl PlanDraft {
    /// What is wrong with it is a sentence.
    pub fn plan(&self) -> Result<SessionPlan, String> {
        let study_file = self.study_file.clone().ok_or("Choose a study.")?;
        let participant = self.participant.trim().parse::<ParticipantId>()?;
        let session = self.session.trim().parse::<SessionNumber>()?;
        Ok(SessionPlan { study_file, participant, session })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExportDraft {
    pub format: ExportFormat,
    pub to: String,
    /// Something is there already and would be replaced.
    pub exists: bool,
}

#[cfg(test)]
mod tests {
    use super::super::port::{Grade, SessionState};
    use super::*;
    use proptest::prelude::*;

    fn row(participant: &str, session: u32, minutes: u64) -> SessionRow {
        SessionRow {
            folder: PathBuf::from(format!("{participant}/{session}")),
            participant: participant.parse().ok(),
            session: Some(SessionNumber(session)),
            study: if session == 1 { "demo".into() } else { "shop".into() },
            started: chrono::DateTime::from_timestamp(1_700_000_000 + minutes as i64, 0),
            length: Some(Duration::from_secs(minutes * 60)),
            size_bytes: minutes,
            grade: Some(Grade::Good),
            state: SessionState::Complete,
        }
    }

    #[test]
    fn the_table_sorts_numbers_as_numbers_and_filters_by_every_word() {
        let sessions = vec![row("sub-10", 1, 3), row("sub-9", 1, 5), row("sub-9", 2, 4)];
        let mut home = Home { library: Some(Library { sessions, ..Library::default() }), ..Home::default() };
        home.order = Order { by: Column::Participant, is_descending: false };
        home.arrange();
        assert_eq!(
            home.listed().map(|r| r.title()).collect::<Vec<_>>(),
            ["sub-9 ses-01", "sub-9 ses-02", "sub-10 ses-01"]
        );
        home.order = Order { by: Column::Length, is_descending: true };
        home.filter = "SUB-9 demo".into();
        home.arrange();
        assert_eq!(home.listed().map(|r| r.title()).collect::<Vec<_>>(), ["sub-9 ses-01"]);
        home.filter.clear();
        home.study = Some("shop".into());
        home.arrange();
        assert_eq!(home.rows.len(), 1);
    }

    #[test]
    fn a_plan_is_checked_in_words() {
        let mut draft = PlanDraft { study_file: None, participant: "Anna".into(), session: "1".into() };
        assert!(draft.plan().unwrap_err().contains("study"));
        draft.study_file = Some("study.toml".into());
        assert!(draft.plan().unwrap_err().contains("pseudonym"));
        draft.participant = " sub-04 ".into();
        assert_eq!(draft.plan().unwrap().session, SessionNumber(1));
    }

    fn review(length_s: f64) -> Review {
        let span = Window { from_s: 0.0, until_s: length_s };
        let frames = (0..(length_s * 30.0) as u64)
            .map(|k| StoredFrame { number: k, at: Timestamp::from_secs_f64(k as f64 / 30.0) })
            .collect();
        Review {
            session: row("sub-01", 1, 1),
            study_title: String::new(),
            log: Indexed::default(),
            frames,
            quality: QualityReport {
                grade: Grade::Good,
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
        }
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
                r.set_window(Window { from_s: r.window.from_s + pan, until_s: r.window.until_s + pan });
                r.seek(Timestamp::from_secs_f64(around));
                prop_assert!(r.window.from_s >= -1e-6 && r.window.until_s <= 600.0 + 1e-6);
                prop_assert!(r.window.width_s() >= NARROWEST_S * 0.999);
                let at = r.playhead.at.as_secs_f64();
                prop_assert!(at >= r.window.from_s - 1e-6 && at <= r.window.until_s + 1e-6);
            }
        }
    }
}
