//! What the window needs from the rest of the program, and nothing more: plain data and one trait.
//!
//! No method of [`Backend`] may wait for a disk, a camera, a page or a network. Each starts its work and returns;
//! what comes of it arrives later through [`Backend::poll`]. So a slow camera never freezes the screen, and a test
//! can play the whole backend.

mod library;
mod recording;
mod rehearsal;
mod review;
mod study;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use raw_window_handle::RawWindowHandle;

use session::{PagePlacement, Record, StreamInfo, Timestamp};

pub use library::*;
pub use recording::*;
pub use rehearsal::*;
pub use review::*;
pub use study::*;

/// The backend behind the window: the recording line, the library of sessions and the page.
pub trait Backend {
    /// Everything that happened since the last call, in order. Called once a drawn frame; never waits.
    fn poll(&mut self) -> Vec<BackendEvent>;

    /// The clock of the session in progress (or of the rehearsal, whose clock ends with it).
    /// Markers are stamped with it at the key press.
    fn now(&self) -> Timestamp;

    // --- The library -------------------------------------------------------------------------------------------

    /// Answered by [`BackendEvent::Library`]. Called at the start; send the same again whenever the library changed.
    fn refresh_library(&mut self);

    /// Fetches sessions from a server into the library. Answered by [`BackendEvent::DownloadProgress`] while it runs, then by
    /// [`BackendEvent::SessionsDownloaded`], or by [`BackendEvent::Failed`] with [`Activity::Download`].
    fn download_sessions(&mut self, request: DownloadRequest);

    /// What was fetched stays; answered by [`BackendEvent::SessionsDownloaded`].
    fn cancel_download(&mut self);

    /// Deletes a session's folder for good, after the operator typed its name. Answered by [`BackendEvent::Library`] or
    /// [`BackendEvent::Failed`] with [`Activity::Erase`].
    fn erase_session(&mut self, folder: &Path);

    // --- Rehearsal: everything runs, nothing is stored ---------------------------------------------------------

    /// Opens camera, networks and page for this session. Answered by [`BackendEvent::RehearsalOpened`], then
    /// [`BackendEvent::Cameras`], [`BackendEvent::Camera`], [`BackendEvent::Checks`], [`BackendEvent::Page`], [`BackendEvent::Preview`] as they
    /// come; or by [`BackendEvent::Failed`] with [`Activity::Rehearse`], after which the window goes home.
    fn begin_rehearsal(&mut self, plan: SessionPlan);

    /// Back to the home screen: closes camera and page. Also called where a rehearsal failed.
    fn end_rehearsal(&mut self);

    /// Looks for cameras again. Answered by [`BackendEvent::Cameras`].
    fn refresh_cameras(&mut self);

    /// `spec` is [`CameraRow::spec`] or the path of a video file; `mode` is one of that row's modes or `None` for
    /// the study's wish. Answered by [`BackendEvent::Camera`].
    fn choose_camera(&mut self, spec: &str, mode: Option<CameraMode>);

    /// `None` gives the control back to the camera's automatic. Answered by [`BackendEvent::Camera`].
    fn set_control(&mut self, control: CameraControl, value: Option<i64>);

    /// Answered by [`BackendEvent::Page`].
    fn place_page(&mut self, placement: PagePlacement);

    // --- Recording ---------------------------------------------------------------------------------------------

    /// Answered by [`BackendEvent::RecordingStarted`], or by [`BackendEvent::Failed`] with [`Activity::Start`]; then the rehearsal goes on.
    fn start_recording(&mut self, request: RecordingRequest);

    /// Stores a marker. Shown only once it comes back as a committed record.
    fn mark(&mut self, marker: NewMarker);

    /// Closes the files. Answered by [`BackendEvent::RecordingFinished`], or by [`BackendEvent::Failed`] with [`Activity::Record`].
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

    /// Reads a stored session. Answered by [`BackendEvent::SessionOpened`], or by [`BackendEvent::Failed`] with [`Activity::Open`].
    /// `path` is a session folder or a file in it. A session opened before gives way to it.
    fn open_session(&mut self, path: &Path);

    /// Review is over; its files may be closed.
    fn close_session(&mut self);

    /// Asks for the stored picture of one frame of the opened session. The newest request wins, older ones may go
    /// unanswered. Answered by [`BackendEvent::Picture`], or by [`BackendEvent::Failed`] with [`Activity::Picture`].
    fn load_picture(&mut self, frame_number: u64);

    /// Shows the recorded page of the opened session in a window of its own, at the playhead. Trouble is told by
    /// [`BackendEvent::Failed`] with [`Activity::PageReplay`], its end by [`BackendEvent::PageReplayClosed`].
    fn replay_page(&mut self, request: PageReplayCommand);

    /// Writes something about the opened session. Answered by [`BackendEvent::ExportProgress`] while it runs, then by
    /// [`BackendEvent::ExportFinished`], or by [`BackendEvent::Failed`] with [`Activity::Export`].
    fn export(&mut self, request: SessionExport);

    /// Adds records to the opened session. Answered by [`BackendEvent::RecordsAdded`] once they are stored, or by
    /// [`BackendEvent::Failed`] with [`Activity::AddRecords`].
    fn add_records(&mut self, records: NewRecords);

    /// Compares one self-report of the opened session with the network. Answered by [`BackendEvent::Agreement`].
    fn compare_rating(&mut self, pass: u32);

    /// While somebody rates, a gamepad's stick is told as [`BackendEvent::GamepadStick`].
    fn listen_to_gamepad(&mut self, is_wanted: bool);

    // --- A study -----------------------------------------------------------------------------------------------

    /// Looks through these sessions' events. Answered by [`BackendEvent::EventCatalogue`], or by [`BackendEvent::Failed`] with
    /// [`Activity::StudyQuery`].
    fn list_events(&mut self, sessions: Vec<PathBuf>);

    /// Counts the events that each form means. The newest request wins. Answered by [`BackendEvent::EventCounts`].
    fn count_events(&mut self, forms: Vec<EventForm>, sessions: Vec<PathBuf>);

    /// Answered by [`BackendEvent::StudyQueryProgress`] while it runs, then by [`BackendEvent::StudyQueryFinished`], by [`BackendEvent::StudyQueryCancelled`], or by
    /// [`BackendEvent::Failed`] with [`Activity::StudyQuery`]. A new question takes the place of the one that runs.
    fn run_study_query(&mut self, query: StudyQuery);

    fn cancel_study_query(&mut self);

    /// Writes the newest answer. Answered by [`BackendEvent::ExportFinished`], or by [`BackendEvent::Failed`] with
    /// [`Activity::Export`].
    fn export_study(&mut self, request: StudyExport);

    /// The window closes: a recording in progress is stopped properly, the page is gone before the window is, every
    /// thread is joined. The one method that may take its time, and the last one called.
    fn close(&mut self);
}

/// What the window offers to the backend when it is built.
pub struct Host {
    /// Call it when [`Backend::poll`] has something new while nothing moves on the screen (idle home screen,
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

/// Builds the backend on the window's thread, once the window exists. An `Err` is a sentence for the operator.
pub type BackendBuilder = Box<dyn FnOnce(Host) -> Result<Box<dyn Backend>, String>>;

/// What happened, told to the window.
pub enum BackendEvent {
    Library(Library),
    DownloadProgress(DownloadProgress),
    SessionsDownloaded(DownloadResult),

    RehearsalOpened(Box<RehearsalInfo>),
    Cameras(Vec<CameraRow>),
    /// The camera now in use, or trying to be.
    Camera(CameraState),
    /// All checks, each time one of them changes. While recording they are the lamps below the camera picture.
    Checks(Vec<Check>),
    Page(PageState),
    Preview(Preview),

    /// Recording runs; the session's timeline begins empty.
    RecordingStarted(StartedInfo),
    /// A stream of the session in progress; before its first record.
    StreamDeclared(StreamInfo),
    /// Committed records of the session in progress.
    Records(Arc<[Record]>),
    Health(HealthFigures),
    /// Something is being lost. The same key again replaces the sentence.
    Alarm(Alarm),
    AlarmCleared {
        key: String,
    },
    /// The camera's file has ended or the planned time is over: the session is being closed without the operator.
    RecordingStopping,
    RecordingFinished(Box<FinishedSession>),

    SessionOpened(Box<OpenedSession>),
    Picture {
        frame_number: u64,
        picture: Arc<Picture>,
    },
    /// Somebody closed the window, or review asked for it.
    PageReplayClosed,
    /// 0 … 1.
    ExportProgress {
        done: f32,
    },
    ExportFinished {
        to: PathBuf,
    },
    RecordsAdded(AddedRecords),
    Agreement(Agreement),
    /// −1 … 1 each, right and up are positive.
    GamepadStick {
        x: f32,
        y: f32,
    },
    /// The gamepad's name; `None` where there is none.
    Gamepad(Option<String>),

    EventCatalogue(EventCatalogue),
    /// One for each form, in their order.
    EventCounts(Vec<EventCounts>),
    /// Sessions read so far.
    StudyQueryProgress {
        done: u64,
        of: u64,
    },
    StudyQueryFinished(Box<StudyQueryResult>),
    StudyQueryCancelled,

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
    Download,
    Erase,
    /// The rehearsal as a whole; trouble of one part is a [`Check`].
    Rehearse,
    Start,
    /// The recording ended or could not be closed properly.
    Record,
    Page,
    Open,
    Picture,
    PageReplay,
    Export,
    AddRecords,
    StudyQuery,
}
