//! What the window needs from the rest of the program, and nothing more: plain data and one trait.
//!
//! No method of [`Instrument`] may wait for a disk, a camera, a page or a network. Each starts its work and returns;
//! what comes of it arrives later through [`Instrument::poll`]. So a slow camera never freezes the screen, and a test
//! can play the whole instrument.

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

    /// Fetches sessions from a server into the library. Answered by [`Update::Pulling`] while it runs, then by
    /// [`Update::Pulled`], or by [`Update::Failed`] with [`Activity::Pull`].
    fn pull(&mut self, order: PullOrder);

    /// What was fetched stays; answered by [`Update::Pulled`].
    fn cancel_pull(&mut self);

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

    /// Shows the recorded page of the opened session in a window of its own, at the playhead. Trouble is told by
    /// [`Update::Failed`] with [`Activity::PageReplay`], its end by [`Update::PageReplayClosed`].
    fn replay_page(&mut self, order: PageReplay);

    /// Writes something about the opened session. Answered by [`Update::Exporting`] while it runs, then by
    /// [`Update::Exported`], or by [`Update::Failed`] with [`Activity::Export`].
    fn export(&mut self, order: ExportOrder);

    /// Adds records to the opened session. Answered by [`Update::Added`] once they are stored, or by
    /// [`Update::Failed`] with [`Activity::Add`].
    fn add_records(&mut self, addition: Addition);

    /// Compares one self-report of the opened session with the network. Answered by [`Update::Agreement`].
    fn compare_rating(&mut self, pass: u32);

    /// While somebody rates, a gamepad's stick is told as [`Update::Stick`].
    fn listen_to_gamepad(&mut self, is_wanted: bool);

    // --- A study -----------------------------------------------------------------------------------------------

    /// Looks through these sessions' events. Answered by [`Update::Catalogue`], or by [`Update::Failed`] with
    /// [`Activity::Ask`].
    fn look_through(&mut self, sessions: Vec<PathBuf>);

    /// Counts the events that each form means. The newest request wins. Answered by [`Update::Matches`].
    fn count_events(&mut self, forms: Vec<EventForm>, sessions: Vec<PathBuf>);

    /// Answered by [`Update::Asking`] while it runs, then by [`Update::Answered`], by [`Update::Cancelled`], or by
    /// [`Update::Failed`] with [`Activity::Ask`]. A new question takes the place of the one that runs.
    fn ask(&mut self, question: Question);

    fn cancel_question(&mut self);

    /// Writes the newest answer. Answered by [`Update::Exported`], or by [`Update::Failed`] with
    /// [`Activity::Export`].
    fn export_answer(&mut self, order: AnswerExport);

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
    Pulling(PullStep),
    Pulled(PullOutcome),

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
    /// Somebody closed the window, or review asked for it.
    PageReplayClosed,
    /// 0 … 1.
    Exporting {
        done: f32,
    },
    Exported {
        to: PathBuf,
    },
    Added(Added),
    Agreement(Agreement),
    /// −1 … 1 each, right and up are positive.
    Stick {
        x: f32,
        y: f32,
    },
    /// The gamepad's name; `None` where there is none.
    Gamepad(Option<String>),

    Catalogue(Catalogue),
    /// One for each form, in their order.
    Matches(Vec<Matches>),
    /// Sessions read so far.
    Asking {
        done: u64,
        of: u64,
    },
    Answered(Box<Answer>),
    Cancelled,

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
    Pull,
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
    Add,
    Ask,
}
