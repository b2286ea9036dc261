//! What the window needs from the rest of the program: plain data, one trait and its events.
//!
//! No method of [`Backend`] may wait for a disk, a camera, a page or a network. A method starts its work and returns.
//! The result arrives later through [`Backend::poll`]. A slow camera therefore never blocks the window, and a test can
//! replace the whole backend.

mod library;
mod participant;
mod recording;
mod rehearsal;
mod review;
mod study;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use raw_window_handle::RawWindowHandle;

use session::{PagePlacement, Record, StreamInfo, Timestamp};

pub use library::*;
pub use participant::*;
pub use recording::*;
pub use rehearsal::*;
pub use review::*;
pub use study::*;

/// Executes the window's commands: recording, page, library, review and study queries.
pub trait Backend {
    /// The events since the last call, oldest first. Called once for each frame. Never waits.
    fn poll(&mut self) -> Vec<BackendEvent>;

    /// The clock of the session in progress, or of the rehearsal. A rehearsal's clock ends with the rehearsal. Markers
    /// are stamped with this clock at the key press.
    fn now(&self) -> Timestamp;

    // --- The library -------------------------------------------------------------------------------------------

    /// Answered by [`BackendEvent::Library`]. Called once at the start. The backend sends the event again after each
    /// change of the library.
    fn refresh_library(&mut self);

    /// Downloads sessions from a server into the library. Answered by [`BackendEvent::DownloadProgress`] while it runs,
    /// then by [`BackendEvent::SessionsDownloaded`], or by [`BackendEvent::Failed`] with [`Activity::Download`].
    fn download_sessions(&mut self, request: DownloadRequest);

    /// Downloaded sessions are kept. Answered by [`BackendEvent::SessionsDownloaded`].
    fn cancel_download(&mut self);

    /// Deletes a session's folder. The operator has confirmed it by typing the session's name. Answered by
    /// [`BackendEvent::Library`] or [`BackendEvent::Failed`] with [`Activity::Erase`].
    fn erase_session(&mut self, folder: &Path);

    // --- Rehearsal: everything runs, nothing is stored ---------------------------------------------------------

    /// Opens camera, networks and page for this session. Answered by [`BackendEvent::RehearsalOpened`], then by
    /// [`BackendEvent::Cameras`], [`BackendEvent::Camera`], [`BackendEvent::Checks`], [`BackendEvent::Page`] and
    /// [`BackendEvent::Preview`] in any order; or by [`BackendEvent::Failed`] with [`Activity::Rehearse`], which
    /// returns the window to the home screen.
    fn begin_rehearsal(&mut self, plan: SessionPlan);

    /// Closes camera and page. Also called after a rehearsal has failed.
    fn end_rehearsal(&mut self);

    /// Searches for cameras again. Answered by [`BackendEvent::Cameras`].
    fn refresh_cameras(&mut self);

    /// `spec` is [`CameraRow::spec`] or the path of a video file. `mode` is one of that row's modes, or `None` for the
    /// mode that the study requests. Answered by [`BackendEvent::Camera`].
    fn choose_camera(&mut self, spec: &str, mode: Option<CameraMode>);

    /// `None` switches the control to automatic. Answered by [`BackendEvent::Camera`].
    fn set_control(&mut self, control: CameraControl, value: Option<i64>);

    /// Answered by [`BackendEvent::Page`].
    fn place_page(&mut self, placement: PagePlacement);

    // --- Recording ---------------------------------------------------------------------------------------------

    /// Answered by [`BackendEvent::RecordingStarted`], or by [`BackendEvent::Failed`] with [`Activity::Start`], after
    /// which the rehearsal continues.
    fn start_recording(&mut self, request: RecordingRequest);

    /// Stores a marker. It is shown when it returns as a committed record.
    fn mark(&mut self, marker: NewMarker);

    /// Stops the recording and closes its files. Answered by [`BackendEvent::RecordingFinished`], or by
    /// [`BackendEvent::Failed`] with [`Activity::Record`].
    fn stop_recording(&mut self);

    // --- The page ----------------------------------------------------------------------------------------------

    /// The rectangle of an embedded page in the window, in physical pixels. Called only after a change. Ignored if the
    /// page has its own window.
    fn page_bounds_px(&mut self, bounds: PixelRect);

    /// An embedded page covers what the window draws. It is hidden while a dialog, a menu or another screen is shown.
    /// Called only after a change.
    fn page_visible(&mut self, is_visible: bool);

    /// `true` gives the keyboard to the page. `false` returns it to the window, after the operator pressed outside the
    /// page.
    fn page_focus(&mut self, is_focused: bool);

    fn reload_page(&mut self);

    /// Changes what the participant window shows. Answered by [`BackendEvent::ParticipantFront`].
    fn participant(&mut self, command: ParticipantCommand);

    // --- Review ------------------------------------------------------------------------------------------------

    /// Reads a stored session. `path` is a session folder or a file in it. A session that is already open is closed.
    /// Answered by [`BackendEvent::SessionOpened`], or by [`BackendEvent::Failed`] with [`Activity::Open`].
    fn open_session(&mut self, path: &Path);

    /// Closes the session in review.
    fn close_session(&mut self);

    /// Reads the stored picture of one frame of the opened session. A newer request can replace one that waits.
    /// Answered by [`BackendEvent::Picture`], or by [`BackendEvent::Failed`] with [`Activity::Picture`].
    fn load_picture(&mut self, frame_number: u64);

    /// Shows the recorded page of the opened session in its own window, at the playhead. Errors arrive as
    /// [`BackendEvent::Failed`] with [`Activity::PageReplay`], the end as [`BackendEvent::PageReplayClosed`].
    fn replay_page(&mut self, request: PageReplayCommand);

    /// Exports records or a figure of the opened session. Answered by [`BackendEvent::ExportProgress`] while it runs,
    /// then by [`BackendEvent::ExportFinished`], or by [`BackendEvent::Failed`] with [`Activity::Export`].
    fn export(&mut self, request: SessionExport);

    /// Adds records to the opened session. Answered by [`BackendEvent::RecordsAdded`] after they are stored, or by
    /// [`BackendEvent::Failed`] with [`Activity::AddRecords`].
    fn add_records(&mut self, records: NewRecords);

    /// Computes the agreement of one self-report and the network. Answered by [`BackendEvent::Agreement`].
    fn compare_rating(&mut self, pass: u32);

    /// Starts or stops sending the position of a gamepad's stick as [`BackendEvent::GamepadStick`]. Used during a
    /// rating.
    fn listen_to_gamepad(&mut self, is_wanted: bool);

    // --- A study -----------------------------------------------------------------------------------------------

    /// Lists the kinds of events in these sessions. Answered by [`BackendEvent::EventCatalogue`], or by
    /// [`BackendEvent::Failed`] with [`Activity::StudyQuery`].
    fn list_events(&mut self, sessions: Vec<PathBuf>);

    /// Counts the events that match each form. A newer request replaces an older one. Answered by
    /// [`BackendEvent::EventCounts`].
    fn count_events(&mut self, forms: Vec<EventForm>, sessions: Vec<PathBuf>);

    /// A new query replaces the running one. Answered by [`BackendEvent::StudyQueryProgress`] while it runs, then by
    /// [`BackendEvent::StudyQueryFinished`], by [`BackendEvent::StudyQueryCancelled`], or by [`BackendEvent::Failed`]
    /// with [`Activity::StudyQuery`].
    fn run_study_query(&mut self, query: StudyQuery);

    fn cancel_study_query(&mut self);

    /// Exports the newest result. Answered by [`BackendEvent::ExportFinished`], or by [`BackendEvent::Failed`] with
    /// [`Activity::Export`].
    fn export_study(&mut self, request: StudyExport);

    /// Called last, when the window closes. Stops a recording in progress, closes the page before the window and joins
    /// all threads. The only method that may wait.
    fn close(&mut self);
}

/// What the backend gets from the window.
pub struct Host {
    /// The backend calls it when [`Backend::poll`] has a new event. Without it, an idle window does not poll. While
    /// recording, the window polls 30 times a second anyway.
    pub wake: Wake,
    /// The parent of an embedded page, if the system provides one.
    pub window: Option<RawWindowHandle>,
}

/// Makes the window draw, and therefore poll, soon. May be called from any thread.
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

/// Builds the backend on the window's thread after the window is open. The error is a message for the operator.
pub type BackendBuilder = Box<dyn FnOnce(Host) -> Result<Box<dyn Backend>, String>>;

/// An event from the backend to the window.
pub enum BackendEvent {
    Library(Library),
    DownloadProgress(DownloadProgress),
    SessionsDownloaded(DownloadResult),

    RehearsalOpened(Box<RehearsalInfo>),
    Cameras(Vec<CameraRow>),
    /// The camera in use, or the camera that is being opened.
    Camera(CameraState),
    /// All checks, after each change of one of them. While recording, they are shown below the camera picture.
    Checks(Vec<Check>),
    Page(PageState),
    Preview(Preview),
    /// Whether the participant window covers this window now. `None`: it is beside it, or there is none.
    ParticipantFront(Option<bool>),
    /// A picture of what the participant sees; in set-up, of the page that follows. About one each second.
    ParticipantPicture(Arc<Picture>),
    /// The participant agreed on their own screen.
    ConsentGiven(GivenConsent),

    /// The recording runs. Its timeline is empty.
    RecordingStarted(StartedInfo),
    /// A stream of the session in progress. Arrives before the stream's first record.
    StreamDeclared(StreamInfo),
    /// Committed records of the session in progress.
    Records(Arc<[Record]>),
    Health(HealthFigures),
    /// Data is being lost. An alarm replaces an older one with the same key.
    Alarm(Alarm),
    AlarmCleared {
        key: String,
    },
    /// The recording ends without the operator, because the camera's video file has ended or the planned time is over.
    RecordingStopping,
    RecordingFinished(Box<FinishedSession>),

    SessionOpened(Box<OpenedSession>),
    Picture {
        frame_number: u64,
        picture: Arc<Picture>,
    },
    /// The window with the recorded page was closed, by a person or by a command.
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
    /// −1 … 1 each. Right and up are positive.
    GamepadStick {
        x: f32,
        y: f32,
    },
    /// The gamepad's name. `None` if no gamepad is connected.
    Gamepad(Option<String>),

    EventCatalogue(EventCatalogue),
    /// One entry for each form, in the same order.
    EventCounts(Vec<EventCounts>),
    /// Sessions that have been read, and all sessions of the query.
    StudyQueryProgress {
        done: u64,
        of: u64,
    },
    StudyQueryFinished(Box<StudyQueryResult>),
    StudyQueryCancelled,

    /// An activity failed. `sentence` contains what failed, where, and what to do.
    Failed {
        during: Activity,
        sentence: String,
    },
    /// Information that is not an error: "sub-03 ses-01 was left open by a crash and has been closed".
    Notice(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    Library,
    Download,
    Erase,
    /// The rehearsal as a whole. An error of one part is a [`Check`].
    Rehearse,
    Start,
    /// The recording ended, or could not be closed.
    Record,
    Page,
    Open,
    Picture,
    PageReplay,
    Export,
    AddRecords,
    StudyQuery,
}
