//! Commands that views and keys push. `apply` executes them. A view changes nothing itself.

use std::path::PathBuf;

use eframe::egui;

use session::{PagePlacement, Timestamp};

use super::indexed_timeline::EventFilter;
use super::port::{CameraControl, CameraMode, Correction, ExportFormat, ParticipantCommand, StudyExportFormat};
use super::preferences::ThemeChoice;
use super::rating_state::RatingInput;
use super::state::{Column, DownloadDraft, ExportDraft, PlanDraft, Side, StudyExportDraft, StudyForm, StudySide};
use super::time_window::TimeWindow;

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    GoHome,
    OpenSession(PathBuf),
    SetTheme(ThemeChoice),
    ShowShortcuts,
    CloseDialog,
    DismissNotice(String),
    /// Closes the window while a recording runs. The operator has confirmed it.
    CloseWindow,
    Home(HomeCommand),
    SetUp(SetUpCommand),
    Live(LiveCommand),
    Review(ReviewCommand),
    Annotate(AnnotateCommand),
    Rate(RateCommand),
    Study(StudyCommand),
    Participant(ParticipantCommand),
}

/// The table of sessions and the dialogs that it opens.
#[derive(Clone, Debug, PartialEq)]
pub enum HomeCommand {
    RefreshLibrary,
    SetFilter(String),
    SetStudy(Option<String>),
    SortBy(Column),
    /// Moves the selection by this many rows; positive is down.
    MoveSelection(isize),
    Select(PathBuf),
    ShowNewSessionDialog,
    EditPlan(PlanDraft),
    BeginRehearsal,
    ShowOpenDialog,
    EditOpenPath(String),
    BrowseSession,
    ShowDownloadDialog,
    EditDownload(DownloadDraft),
    Download,
    CancelDownload,
    ShowEraseDialog(PathBuf),
    EditEraseConfirmation(String),
    Erase,
}

/// The set-up before a recording.
#[derive(Clone, Debug, PartialEq)]
pub enum SetUpCommand {
    RefreshCameras,
    ChooseCamera {
        spec: String,
        mode: Option<CameraMode>,
    },
    BrowseVideo,
    SetControl {
        control: CameraControl,
        value: Option<i64>,
    },
    PlacePage(PagePlacement),
    /// While recording, asks first.
    ReloadPage,
    /// Loads the page again while recording. The operator has confirmed it.
    ReloadPageNow,
    ConfirmConsent(bool),
    Record,
    /// Records although checks fail. The operator has confirmed it.
    RecordAnyway,
}

/// A recording in progress.
#[derive(Clone, Debug, PartialEq)]
pub enum LiveCommand {
    Mark(char),
    BeginNote,
    EditNote(String),
    StoreNote,
    DiscardNote,
    /// Shows the confirmation. [`LiveCommand::Stop`] stops.
    RequestStop,
    KeepRecording,
    Stop,
    FocusPage,
    /// The rectangle of the embedded page in the window, in points.
    SetPageBounds(egui::Rect),
}

/// The session in review.
#[derive(Clone, Debug, PartialEq)]
pub enum ReviewCommand {
    TogglePlay,
    Seek(Timestamp),
    StepFrames(i64),
    /// Infinity is the end of the session, negative infinity its start.
    StepSeconds(f64),
    SetRate(f64),
    Zoom {
        factor: f64,
        around_s: f64,
    },
    ZoomAtPlayhead(f64),
    ShowWindow(TimeWindow),
    Fit,
    NextEvent,
    PreviousEvent,
    SetEventFilter(EventFilter),
    ShowSide(Side),
    /// Opens or closes the window with the recorded page.
    TogglePage,
    ShowExportDialog(ExportFormat),
    EditExport(ExportDraft),
    BrowseExport,
    Export,
    SetValues(Correction),
    /// Whether stretches of poor quality are shaded.
    ShadePoor(bool),
}

/// Annotations of the session in review.
#[derive(Clone, Debug, PartialEq)]
pub enum AnnotateCommand {
    SetAuthor(String),
    /// Annotates the playhead's time with the label of this index.
    Point(usize),
    /// Begins or ends a range with the label of this index.
    Range(usize),
    CancelRange,
    EditNewLabel(String),
    AddLabel,
    /// Selects the annotation with this number and moves the playhead to it.
    Select(u64),
    RemoveSelected,
    Undo,
    Redo,
}

/// A continuous rating of the session in review.
#[derive(Clone, Debug, PartialEq)]
pub enum RateCommand {
    Begin,
    End,
    /// Valence and arousal, −1 … 1 each.
    SetPosition([f32; 2], RatingInput),
    /// Steps of valence and of arousal.
    MovePosition(f32, f32),
    /// Computes the agreement of this pass and the network.
    Compare(u32),
}

/// Queries over all sessions of a study.
#[derive(Clone, Debug, PartialEq)]
pub enum StudyCommand {
    Open(String),
    /// Takes the event at the playhead in review as an example: events like it become the first or the second
    /// condition.
    SelectSimilarEvents {
        condition: usize,
    },
    ReloadEvents,
    SetForm(Box<StudyForm>),
    Include {
        session: PathBuf,
        is_included: bool,
    },
    IncludeAll(bool),
    /// Includes the sessions that the operator recorded to try the study, or leaves them out.
    IncludePilots(bool),
    RunQuery,
    CancelQuery,
    ShowSide(StudySide),
    /// Condition, and position in its epochs.
    SelectEpoch(usize, usize),
    MoveEpoch(isize),
    /// Opens the session of the selected epoch at the epoch's time.
    OpenEpoch,
    ShowExportDialog(StudyExportFormat),
    EditExport(StudyExportDraft),
    BrowseExport,
    Export,
}
