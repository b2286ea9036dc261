//! What the window needs from the rest of the program: plain data, one trait and its events.
//!
//! No method of [`Backend`] may wait for a disk, a camera, a page or a network. A method starts its work and returns.
//! The result arrives later through [`Backend::poll`]. A slow camera therefore never blocks the window, and a test can
//! replace the whole backend.

mod editor;
mod jobs;
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

pub use super::preferences::{ParticipantScreen, Preferences};
pub use editor::*;
pub use jobs::*;
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

    /// Stores the preferences in this file. A failure arrives as [`BackendEvent::Notice`].
    fn store_preferences(&mut self, preferences: &Preferences, file: &Path);

    // --- The library -------------------------------------------------------------------------------------------

    /// Answered by [`BackendEvent::Library`]. Called once at the start. The backend sends the event again after each
    /// change of the library.
    fn refresh_library(&mut self);

    /// Downloads sessions from a server into the library. Answered by [`BackendEvent::DownloadProgress`] while it runs,
    /// then by [`BackendEvent::SessionsDownloaded`], or by [`BackendEvent::Failed`] with [`Activity::Download`].
    fn download_sessions(&mut self, request: DownloadRequest);

    /// Downloaded sessions are kept. Answered by [`BackendEvent::SessionsDownloaded`].
    fn cancel_download(&mut self);

    /// Deletes sessions or a participant. The operator has confirmed it by typing the name. Answered by
    /// [`BackendEvent::Library`] or [`BackendEvent::Failed`] with [`Activity::Erase`].
    fn erase(&mut self, erasure: Erasure);

    /// Gives a session another participant or number. Answered by [`BackendEvent::Reassigned`] and
    /// [`BackendEvent::Library`], or by [`BackendEvent::Failed`] with [`Activity::Reassign`].
    fn reassign_session(&mut self, request: Reassignment);

    /// Stores a note in a closed session. Answered by [`BackendEvent::NoteStored`], or by [`BackendEvent::Failed`] with
    /// [`Activity::Note`].
    fn add_note(&mut self, note: SessionNote);

    /// Draws a session's figure for the clipboard. Answered by [`BackendEvent::FigureDrawn`], or by
    /// [`BackendEvent::Failed`] with [`Activity::Figure`].
    fn draw_figure(&mut self, folder: &Path);

    /// Shows a folder in the system's file manager. A failure arrives as [`BackendEvent::Notice`].
    fn open_folder(&mut self, folder: &Path);

    /// Shows the manual in the system's browser. A failure arrives as [`BackendEvent::Notice`].
    fn open_manual(&mut self);

    /// Exports sessions. Answered by [`BackendEvent::JobProgress`] while it runs, then by [`BackendEvent::JobFinished`], or
    /// by [`BackendEvent::Failed`] with [`Activity::Job`].
    fn export_sessions(&mut self, request: SessionsExport);

    /// Makes sessions from video files. Answered as [`Backend::export_sessions`].
    fn import_films(&mut self, request: FilmImport);

    /// Stops the export or import. A session in work is not kept. Answered by [`BackendEvent::JobFinished`].
    fn cancel_job(&mut self);

    // --- Studies as files --------------------------------------------------------------------------------------

    /// Copies a template, or another study, into the folder of studies. Answered by [`BackendEvent::StudyOpened`] and
    /// [`BackendEvent::Library`], or by [`BackendEvent::Failed`] with [`Activity::EditStudy`].
    fn create_study(&mut self, study: NewStudy);

    /// Answered by [`BackendEvent::StudyOpened`], or by [`BackendEvent::Failed`] with [`Activity::EditStudy`].
    fn read_study(&mut self, file: &Path);

    /// Checks what the text alone does not show: pages, tables and networks that it names. A newer request replaces an
    /// older one. Answered by [`BackendEvent::StudyChecked`].
    fn check_study(&mut self, document: StudyDocument);

    /// Answered by [`BackendEvent::StudySaved`] and [`BackendEvent::Library`], or by [`BackendEvent::Failed`] with
    /// [`Activity::EditStudy`].
    fn save_study(&mut self, save: StudySave);

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

    /// Where a page with its own window is shown the next time. Called at the start and after a change.
    fn set_participant_screen(&mut self, screen: ParticipantScreen);

    /// Answered by [`BackendEvent::Page`].
    fn place_page(&mut self, placement: PagePlacement);

    // --- Recording ---------------------------------------------------------------------------------------------

    /// Answered by [`BackendEvent::RecordingStarted`], or by [`BackendEvent::Failed`] with [`Activity::Start`], after
    /// which the rehearsal continues.
    fn start_recording(&mut self, request: RecordingRequest);

    /// Answers [`BackendEvent::RemoteStart`] if the recording does not start. `why` is a sentence for the other program.
    fn refuse_remote_start(&mut self, why: String);

    /// Stores a marker. It is shown when it returns as a committed record.
    fn mark(&mut self, marker: NewMarker);

    /// Ends the phase, questionnaire or page with this number, and goes on with the next part of the session.
    fn go_on(&mut self, part: usize);
    /// Takes back the marker that was set at `at`. It stays in the file, with an event that it was taken back. Too late:
    /// [`BackendEvent::Notice`].
    fn take_marker_back(&mut self, at: Timestamp);

    /// Stores that a pause begins or ends. Camera and page are still recorded. The pause is shown when it returns as a
    /// committed record.
    fn pause(&mut self, is_paused: bool);

    /// Switches the phone pad of the recording on or off. It is off at the start and ends with the recording. Answered by
    /// [`BackendEvent::PhonePad`], or by [`BackendEvent::Notice`] if it did not start.
    fn switch_phone(&mut self, is_on: bool);

    /// Stops the recording and closes its files. Answered by [`BackendEvent::RecordingFinished`], or by
    /// [`BackendEvent::Failed`] with [`Activity::Record`].
    fn stop_recording(&mut self);

    /// Stops the recording and removes its session. The operator has confirmed it. Answered by
    /// [`BackendEvent::RecordingDiscarded`], or by [`BackendEvent::Failed`] with [`Activity::Record`].
    fn discard_recording(&mut self);

    // --- The page ----------------------------------------------------------------------------------------------

    /// The rectangle of an embedded page in the window, in physical pixels. Called only after a change. Ignored if the
    /// page has its own window.
    fn page_bounds_px(&mut self, bounds: PixelRect);

    /// An embedded page covers what the window draws. It is hidden while a dialog or another screen is shown. Menus and
    /// tooltips are placed beside it. Called only after a change.
    fn page_visible(&mut self, is_visible: bool);

    /// `true` gives the keyboard to the page, also if it has its own window. `false` returns it from an embedded page to
    /// the window, after the operator pressed outside the page. Answered by [`BackendEvent::PageKeyboard`].
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
    JobProgress(JobProgress),
    JobFinished(JobResult),
    /// The session's new folder, and what was done.
    Reassigned {
        folder: PathBuf,
        sentence: String,
    },
    NoteStored {
        folder: PathBuf,
    },
    FigureDrawn(Arc<Picture>),

    StudyOpened(StudyDocument),
    /// What is wrong outside of the text. Empty: nothing.
    StudyChecked {
        file: PathBuf,
        problems: Vec<String>,
    },
    StudySaved(StudyDocument),

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

    /// Another program asks to start the recording. Answered by [`Backend::start_recording`] or
    /// [`Backend::refuse_remote_start`].
    RemoteStart,
    /// The recording runs. Its timeline is empty.
    RecordingStarted(StartedInfo),
    /// A stream of the session in progress. Arrives before the stream's first record.
    StreamDeclared(StreamInfo),
    /// Committed records of the session in progress.
    Records(Arc<[Record]>),
    Health(HealthFigures),
    /// The part of the session that runs now. `None`: no part is timed or awaited.
    Part(Option<SessionPart>),
    /// The address of the phone pad. `None` after it was switched off.
    PhonePad(Option<String>),
    /// Whether the page has the keyboard. Sent after each change.
    PageKeyboard(bool),
    /// The operator pressed the key that returns the keyboard to the window. The window takes the focus.
    KeyboardReturned,
    /// Data is being lost. An alarm replaces an older one with the same key.
    Alarm(Alarm),
    AlarmCleared {
        key: String,
    },
    /// The recording ends without the operator, because the camera's video file has ended or the planned time is over.
    RecordingStopping,
    RecordingFinished(Box<FinishedSession>),
    /// The recording was stopped and its session removed.
    RecordingDiscarded,
    /// The system asks the program to end (Ctrl-C, SIGTERM, log-off). A recording in progress is stopped and saved.
    Terminate,

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
    Reassign,
    Note,
    Figure,
    /// Export or import of sessions.
    Job,
    EditStudy,
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
