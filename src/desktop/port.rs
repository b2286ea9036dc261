//! What the window needs from the rest of the program, and nothing more: plain data and one trait.
//!
//! No method of [`Instrument`] may wait for a disk, a camera, a page or a network. Each starts its work and returns;
//! what comes of it arrives later through [`Instrument::poll`]. So a slow camera never freezes the screen, and a test
//! can play the whole instrument.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use raw_window_handle::RawWindowHandle;

use crate::session::{
    PagePlacement, ParticipantId, Record, SessionNumber, StreamInfo, Study, Timeline, Timestamp, affect,
};

/// The instrument behind the window: the recording line, the library of sessions and the page.
pub trait Instrument {
    /// Everything that happened since the last call, in order. Called once a drawn frame; never waits.
    fn poll(&mut self) -> Vec<Update>;

    /// The clock of the session in progress (or of the rehearsal, whose clock ends with it).
    /// Markers are stamped with it at the key press.
    fn now(&self) -> Timestamp;

    // --- The library -------------------------------------------------------------------------------------------

    /// Answered by [`Update::Library`]. Called at the start; send the same again whenever the library changed.
    fn refresh_library(&mut self);

    /// Deletes a session's folder for good, after the operator typed its name. Answered by [`Update::Library`] or
    /// [`Update::Failed`] with [`Activity::Erase`].
    fn erase_session(&mut self, folder: &Path);

    // --- Rehearsal: everything runs, nothing is stored ---------------------------------------------------------

    /// Opens camera, networks and page for this session. Answered by [`Update::Rehearsing`], then
    /// [`Update::Cameras`], [`Update::Camera`], [`Update::Checks`], [`Update::Page`], [`Update::Preview`] as they
    /// come; or by [`Update::Failed`] with [`Activity::Rehearse`], after which the window goes home.
    fn begin_rehearsal(&mut self, plan: SessionPlan);

    /// Back to the home screen: closes camera and page. Also called where a rehearsal failed.
    fn end_rehearsal(&mut self);

    /// Looks for cameras again. Answered by [`Update::Cameras`].
    fn refresh_cameras(&mut self);

    /// `spec` is [`CameraRow::spec`] or the path of a video file; `mode` is one of that row's modes or `None` for
    /// the study's wish. Answered by [`Update::Camera`].
    fn choose_camera(&mut self, spec: &str, mode: Option<CameraMode>);

    /// `None` gives the control back to the camera's automatic. Answered by [`Update::Camera`].
    fn set_control(&mut self, control: CameraControl, value: Option<i64>);

    /// Answered by [`Update::Page`].
    fn place_page(&mut self, placement: PagePlacement);

    // --- Recording ---------------------------------------------------------------------------------------------

    /// Answered by [`Update::Started`], or by [`Update::Failed`] with [`Activity::Start`]; then the rehearsal goes on.
    fn start_recording(&mut self, order: StartOrder);

    /// Stores a marker. Shown only once it comes back as a committed record.
    fn mark(&mut self, marker: MarkerOrder);

    /// Closes the files. Answered by [`Update::Finished`], or by [`Update::Failed`] with [`Activity::Record`].
    fn stop_recording(&mut self);

    // --- The page ----------------------------------------------------------------------------------------------

    /// Where in the window an embedded page belongs, in physical pixels. Called only when it changed.
    /// Ignored where the page has a window of its own.
    fn page_bounds_px(&mut self, bounds: PixelRect);

    /// An embedded page covers what the window draws, so it is hidden under dialogs, menus and on other screens.
    /// Called only when it changed.
    fn page_visible(&mut self, is_visible: bool);

    /// `false`: the operator pressed outside the page and the window wants the keyboard back. `true`: the page may
    /// have it.
    fn page_focus(&mut self, is_focused: bool);

    fn reload_page(&mut self);

    // --- Review ------------------------------------------------------------------------------------------------

    /// Reads a stored session. Answered by [`Update::Opened`], or by [`Update::Failed`] with [`Activity::Open`].
    /// `path` is a session folder or a file in it. A session opened before gives way to it.
    fn open_session(&mut self, path: &Path);

    /// Review is over; its files may be closed.
    fn close_session(&mut self);

    /// Asks for the stored picture of one frame of the opened session. The newest request wins, older ones may go
    /// unanswered. Answered by [`Update::Picture`], or by [`Update::Failed`] with [`Activity::Picture`].
    fn want_picture(&mut self, frame_number: u64);

    /// Writes something about the opened session. Answered by [`Update::Exporting`] while it runs, then by
    /// [`Update::Exported`], or by [`Update::Failed`] with [`Activity::Export`].
    fn export(&mut self, order: ExportOrder);

    /// The window closes: a recording in progress is stopped properly, the page is gone before the window is, every
    /// thread is joined. The one method that may take its time, and the last one called.
    fn close(&mut self);
}

/// What the window offers to the instrument when it is built.
pub struct Host {
    /// Call it when [`Instrument::poll`] has something new while nothing moves on the screen (idle home screen,
    /// opened session). While live the window polls by itself, 30 times a second.
    pub wake: Wake,
    /// The parent for an embedded page, where the system gives one.
    pub window: Option<RawWindowHandle>,
}

/// Asks the window to draw, and so to poll, soon. May be called from any thread.
#[derive(Clone)]
pub struct Wake(Arc<dyn Fn() + Send + Sync>);

impl Wake {
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Wake(Arc::new(wake))
    }

    pub fn wake(&self) {
        (self.0)();
    }
}

/// Builds the instrument on the window's thread, once the window exists. An `Err` is a sentence for the operator.
pub type InstrumentBuilder = Box<dyn FnOnce(Host) -> Result<Box<dyn Instrument>, String>>;

/// What happened, told to the window.
pub enum Update {
    Library(Library),

    Rehearsing(Box<RehearsalInfo>),
    Cameras(Vec<CameraRow>),
    /// The camera now in use, or trying to be.
    Camera(CameraState),
    /// All checks, each time one of them changes. While recording they are the lamps below the camera picture.
    Checks(Vec<Check>),
    Page(PageState),
    Preview(Preview),

    /// Recording runs; the session's timeline begins empty.
    Started(StartedInfo),
    /// A stream of the session in progress; before its first record.
    Declared(StreamInfo),
    /// Committed records of the session in progress.
    Records(Arc<[Record]>),
    Health(HealthFigures),
    /// Something is being lost. The same key again replaces the sentence.
    Alarm(Alarm),
    AlarmCleared {
        key: String,
    },
    /// The camera's file has ended or the planned time is over: the session is being closed without the operator.
    Stopping,
    Finished(Box<FinishedSession>),

    Opened(Box<OpenedSession>),
    Picture {
        frame_number: u64,
        picture: Arc<Picture>,
    },
    /// 0 … 1.
    Exporting {
        done: f32,
    },
    Exported {
        to: PathBuf,
    },

    /// Something did not work. `sentence` says what failed, where, and what to do now.
    Failed {
        during: Activity,
        sentence: String,
    },
    /// Something worth knowing that is no failure: "sub-03 ses-01 was left open by a crash and has been closed".
    Notice(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Library,
    Erase,
    /// The rehearsal as a whole; trouble of one part is a [`Check`].
    Rehearse,
    Start,
    /// The recording ended or could not be closed properly.
    Record,
    Page,
    Open,
    Picture,
    Export,
}

// --- The library -----------------------------------------------------------------------------------------------

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Library {
    /// Where it lies, for the operator to read.
    pub root: PathBuf,
    pub studies: Vec<StudyRow>,
    /// All that are known, with or without a session.
    pub participants: Vec<ParticipantId>,
    pub sessions: Vec<SessionRow>,
}

impl Library {
    /// The number after the highest one in use, so that no pseudonym is given twice.
    pub fn next_participant(&self) -> ParticipantId {
        let of_sessions = self.sessions.iter().filter_map(|s| s.participant.as_ref());
        let highest = self.participants.iter().chain(of_sessions).filter_map(ParticipantId::number).max();
        ParticipantId::numbered(highest.unwrap_or(0).saturating_add(1))
    }

    /// The number after this participant's highest.
    pub fn next_session(&self, participant: &ParticipantId) -> SessionNumber {
        let own = self.sessions.iter().filter(|s| s.participant.as_ref() == Some(participant));
        SessionNumber(own.filter_map(|s| s.session).map(|n| n.0).max().unwrap_or(0).saturating_add(1))
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct StudyRow {
    /// The label in `study.toml`, or the folder's name where the file cannot be read.
    pub name: String,
    pub title: String,
    pub description: String,
    pub file: PathBuf,
    pub planned_minutes: f64,
    /// Why no session of it can be recorded: a typo with its line and column.
    pub problem: Option<String>,
}

/// One stored session. What a damaged one does not tell is `None`.
#[derive(Clone, Debug, PartialEq)]
pub struct SessionRow {
    /// Its identity.
    pub folder: PathBuf,
    pub participant: Option<ParticipantId>,
    pub session: Option<SessionNumber>,
    pub study: String,
    pub started: Option<DateTime<Utc>>,
    pub length: Option<Duration>,
    pub size_bytes: u64,
    pub grade: Option<Grade>,
    pub state: SessionState,
}

impl SessionRow {
    /// `sub-07 ses-02`, or the folder's name.
    pub fn title(&self) -> String {
        match (&self.participant, self.session) {
            (Some(participant), Some(session)) => format!("{participant} {session}"),
            _ => self.folder.file_name().unwrap_or(self.folder.as_os_str()).to_string_lossy().into_owned(),
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum SessionState {
    /// Closed properly.
    Complete,
    /// Ended by a crash and closed afterwards; opens like any other.
    Recovered(String),
    /// Being recorded, here or by another program.
    Recording,
    /// Does not open; the sentence says why and what to do.
    Damaged(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    Poor,
    Fair,
    Good,
}

// --- Rehearsal -------------------------------------------------------------------------------------------------

#[derive(Clone, Debug, PartialEq)]
pub struct SessionPlan {
    /// [`StudyRow::file`]
    pub study_file: PathBuf,
    pub participant: ParticipantId,
    pub session: SessionNumber,
}

#[derive(Clone, Debug, PartialEq)]
pub struct RehearsalInfo {
    pub plan: SessionPlan,
    pub study: Study,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CameraRow {
    /// What [`Instrument::choose_camera`] takes and `--camera` would: `/dev/video0`, `phantom`.
    pub spec: String,
    pub name: String,
    pub modes: Vec<CameraMode>,
    /// "in use by another program", "may not be read by this user: …".
    pub problem: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CameraMode {
    pub width_px: u32,
    pub height_px: u32,
    pub rate_hz: f64,
    /// `MJPEG`, `YUYV`: as people read it.
    pub format: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CameraState {
    pub spec: String,
    pub name: String,
    /// As it really runs, which may differ from what was asked.
    pub mode: Option<CameraMode>,
    pub controls: Vec<ControlState>,
    pub problem: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CameraControl {
    Exposure,
    WhiteBalance,
    Focus,
}

/// A control that the camera has; those it lacks are not listed.
#[derive(Clone, Debug, PartialEq)]
pub struct ControlState {
    pub control: CameraControl,
    pub min: i64,
    pub max: i64,
    pub step: i64,
    pub default: i64,
    /// `K`, `× 0.1 ms`; empty for raw units of the camera's own.
    pub unit: String,
    /// `None` while the camera decides by itself.
    pub value: Option<i64>,
    pub has_automatic: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Two or three words, unique and stable: `Camera running`. Stored where it is overridden.
    pub name: String,
    pub state: CheckState,
    /// The finding with its figures, and where it is not [`CheckState::Ok`], what to do.
    pub sentence: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckState {
    Waiting,
    Ok,
    /// Recording may start without a question.
    Warning,
    /// Recording starts only after the operator confirms that it shall, which is stored.
    Failed,
}

#[derive(Clone, Debug, PartialEq)]
pub struct PageState {
    pub address: String,
    pub place: PagePlace,
    pub status: PageStatus,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PagePlace {
    Embedded,
    /// In a window of its own; `screen` as people call it: `screen 2 (1920 × 1080)`.
    ParticipantWindow {
        screen: String,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PageStatus {
    Loading,
    /// The participant looks at a cross; the page comes after it.
    Guided {
        phase: String,
        until: Timestamp,
    },
    Loaded {
        title: String,
    },
    /// Did not load, or its process died; the sentence says what happens next.
    Failed(String),
}

/// The newest camera picture with what the networks see in it.
#[derive(Clone, Debug)]
pub struct Preview {
    pub at: Timestamp,
    pub picture: Arc<Picture>,
    pub face: Option<FaceOverlay>,
    /// Faces in the picture, the participant's included.
    pub faces: u32,
    /// As the `affect` stream's fields. For the rehearsal, where nothing is stored yet.
    pub affect: Option<[f32; affect::FIELDS]>,
}

/// 8-bit RGB, row by row without padding.
#[derive(Clone, PartialEq)]
pub struct Picture {
    pub width_px: u32,
    pub height_px: u32,
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Picture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Picture({} × {})", self.width_px, self.height_px)
    }
}

/// In picture pixels.
#[derive(Clone, Debug, PartialEq)]
pub struct FaceOverlay {
    pub left_px: f32,
    pub top_px: f32,
    pub width_px: f32,
    pub height_px: f32,
    /// 68 points in iBUG 300-W order, or none.
    pub landmarks_px: Vec<[f32; 2]>,
    /// 0 … 1.
    pub score: f32,
    /// Mean grey level of the face, 0 … 1.
    pub brightness: f32,
    /// Distance of the outer eye corners.
    pub inter_ocular_px: f32,
}

// --- Recording -------------------------------------------------------------------------------------------------

#[derive(Clone, Debug, PartialEq)]
pub struct StartOrder {
    /// Names of the checks that were not [`CheckState::Ok`] or [`CheckState::Warning`] and that the operator
    /// overrode on purpose. Stored.
    pub overridden_checks: Vec<String>,
    /// The consent text as it was shown, where the operator confirmed the participant's consent. Its hash is stored.
    pub consent_text: Option<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct StartedInfo {
    pub folder: PathBuf,
    /// Elapsed time counts from here.
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MarkerOrder {
    /// The key press, or for a note the moment at which the operator began to write.
    pub at: Timestamp,
    /// The study's hot key; `None` for a note.
    pub key: Option<char>,
    pub label: String,
    /// May be empty.
    pub note: String,
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct HealthFigures {
    /// Over the last second.
    pub camera_hz: f64,
    pub asked_hz: f64,
    pub frames_stored: u64,
    pub frames_scored: u64,
    /// Not scored live, still in the video.
    pub frames_skipped: u64,
    /// Captured or announced and gone for good: frames and records.
    pub lost: u64,
    /// Mean of the last second; `None` while nothing is scored.
    pub inference_ms: Option<f64>,
    /// The fullest of the record and frame queues, 0 … 1.
    pub queue_fill: f64,
    pub disk_left_bytes: u64,
    /// How long the disk lasts at the present rate.
    pub disk_left: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// `camera`, `disk`, `queue`: one alarm each.
    pub key: String,
    /// What is being lost: "No pictures since 00:12:41: the camera is silent."
    pub losing: String,
    /// What to do: "Check its cable. Recording goes on and it reconnects by itself."
    pub remedy: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct FinishedSession {
    pub session: SessionRow,
    pub quality: QualityReport,
}

/// How good a session is, in figures. Also shown in review.
#[derive(Clone, Debug, PartialEq)]
pub struct QualityReport {
    pub grade: Grade,
    /// Why that grade, most important first; empty for a flawless session.
    pub findings: Vec<String>,
    pub length: Duration,
    pub frames_expected: u64,
    pub frames_stored: u64,
    pub frames_scored: u64,
    pub frames_skipped: u64,
    /// Frames and records.
    pub lost: u64,
    pub largest_gap: Option<LargestGap>,
    /// 0 … 1; `None` where nothing was scored.
    pub face_share: Option<f64>,
    pub page_clock_uncertainty_ms: Option<f64>,
    /// Most frequent first.
    pub events_by_kind: Vec<(String, u64)>,
    pub size_bytes: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct LargestGap {
    pub at: Timestamp,
    pub lasted: Duration,
    pub stream: String,
    pub reason: String,
}

/// A rectangle in physical pixels of the window, from its top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PixelRect {
    pub left_px: i32,
    pub top_px: i32,
    pub width_px: u32,
    pub height_px: u32,
}

// --- Review ----------------------------------------------------------------------------------------------------

pub struct OpenedSession {
    pub session: SessionRow,
    pub study_title: String,
    pub timeline: Timeline,
    /// Every stored frame, by time.
    pub frames: Arc<[StoredFrame]>,
    pub quality: QualityReport,
    /// More for a person to read, in order: camera, networks, software, consent, overridden checks.
    pub facts: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredFrame {
    pub number: u64,
    pub at: Timestamp,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ExportOrder {
    pub format: ExportFormat,
    /// A folder for [`ExportFormat::Csv`], a file for the figures. The operator chose it and agreed to overwrite.
    pub to: PathBuf,
    /// What is on the screen, for the figures.
    pub from: Timestamp,
    pub until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportFormat {
    /// One file a stream, the whole session.
    Csv,
    FigurePng,
    FigureSvg,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(participant: &str, session: u32) -> SessionRow {
        SessionRow {
            folder: PathBuf::from(format!("{participant}/{session}")),
            participant: participant.parse().ok(),
            session: Some(SessionNumber(session)),
            study: "demo".into(),
            started: None,
            length: None,
            size_bytes: 0,
            grade: None,
            state: SessionState::Complete,
        }
    }

    #[test]
    fn proposals_follow_the_highest_number_in_use() {
        let mut library = Library::default();
        assert_eq!(library.next_participant().as_str(), "sub-01");
        library.sessions = vec![row("sub-03", 1), row("sub-03", 4), row("sub-pilot", 9)];
        library.participants = vec![ParticipantId::numbered(7)];
        assert_eq!(library.next_participant().as_str(), "sub-08");
        assert_eq!(library.next_session(&ParticipantId::numbered(3)), SessionNumber(5));
        assert_eq!(library.next_session(&ParticipantId::numbered(1)), SessionNumber(1));
    }
}
