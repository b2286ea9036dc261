//! Commands that views and keys push. `apply` executes them. A view changes nothing itself.

use std::path::PathBuf;

use eframe::egui;

use analysis::SignalId;
use session::{CheckId, PagePlacement, ParticipantId, Study, Timestamp};

use super::indexed_timeline::EventFilter;
use super::job_state::{ImportDraft, ReassignDraft, SessionsExportDraft};
use super::lane_choice::{LaneScale, Smoothing};
use super::port::{
    CameraControl, CameraMode, Correction, ExportFormat, Grade, MarkerVia, ParticipantCommand, StudyExportFormat,
};
use super::preferences::{Preferences, ThemeChoice};
use super::rating_state::RatingInput;
use super::state::{
    AfterSave, Column, DownloadDraft, EditorTab, ExportDraft, NewStudyDraft, PlanDraft, Side, StateKind,
    StudyExportDraft, StudyForm, StudySide,
};
use super::time_window::TimeWindow;

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    GoHome,
    OpenSession(PathBuf),
    SetTheme(ThemeChoice),
    ShowShortcuts,
    OpenManual,
    Preferences(PreferencesCommand),
    CloseDialog,
    DismissNotice(String),
    /// Closes the window while a recording runs. The operator has confirmed it.
    CloseWindow,
    Home(HomeCommand),
    SetUp(SetUpCommand),
    Live(LiveCommand),
    Review(ReviewCommand),
    Signals(SignalsCommand),
    Annotate(AnnotateCommand),
    Rate(RateCommand),
    Study(StudyCommand),
    Job(JobCommand),
    Report(ReportCommand),
    Editor(EditorCommand),
    Participant(ParticipantCommand),
}

/// The dialog of the preferences.
#[derive(Clone, Debug, PartialEq)]
pub enum PreferencesCommand {
    Show,
    Edit(Box<Preferences>),
    BrowseRecordings,
    Save,
}

/// The table of sessions and the dialogs that it opens.
#[derive(Clone, Debug, PartialEq)]
pub enum HomeCommand {
    RefreshLibrary,
    SetFilter(String),
    /// Shows or hides the sessions of a state.
    ShowState(StateKind, bool),
    /// Shows or hides the sessions of a grade. `None`: without a grade.
    ShowGrade(Option<Grade>, bool),
    ClearFilters,
    SetStudy(Option<String>),
    SortBy(Column),
    /// Moves the selection by this many rows; positive is down.
    MoveSelection(isize),
    /// Moves the end of a range of rows.
    ExtendSelection(isize),
    Select(PathBuf),
    /// Adds a row to the selection, or removes it.
    ToggleSelected(PathBuf),
    /// Selects all rows from the last selected one to this one.
    SelectUntil(PathBuf),
    SelectAll,
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
    ShowEraseDialog(Vec<PathBuf>),
    ShowEraseParticipantDialog(ParticipantId),
    EditEraseConfirmation(String),
    Erase,
    ShowReassignDialog(PathBuf),
    EditReassign(ReassignDraft),
    Reassign,
    OpenFolder(PathBuf),
    CopyFigure(PathBuf),
}

/// Export and import of sessions.
#[derive(Clone, Debug, PartialEq)]
pub enum JobCommand {
    ShowExport(Vec<PathBuf>),
    EditExport(SessionsExportDraft),
    BrowseExport,
    Export,
    ShowImport,
    EditImport(ImportDraft),
    BrowseFilms,
    Import,
    Cancel,
}

/// The report after a recording.
#[derive(Clone, Debug, PartialEq)]
pub enum ReportCommand {
    EditNote(String),
    StoreNote,
    NextParticipant,
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
    /// The typed path of a video file, where the system has no file dialogs.
    EditVideoPath(String),
    UseVideo(PathBuf),
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
    /// Records as another program asked, if everything is ready.
    RecordRemotely,
    /// Records although these checks fail, which were shown to the operator.
    RecordAnyway(Vec<CheckId>),
}

/// A recording in progress.
#[derive(Clone, Debug, PartialEq)]
pub enum LiveCommand {
    Mark(char, MarkerVia),
    /// Takes the newest marker back, if it is not too late.
    TakeMarkerBack,
    Pause(bool),
    ShowPad(bool),
    /// Switches the phone pad on or off.
    SwitchPhone(bool),
    ShowPhoneWindow(bool),
    BeginNote,
    EditNote(String),
    StoreNote,
    DiscardNote,
    /// Shows the confirmation. [`LiveCommand::Stop`] stops.
    RequestStop,
    KeepRecording,
    Stop,
    /// Shows the confirmation. [`LiveCommand::Discard`] stops and removes the session.
    RequestDiscard,
    Discard,
    FocusPage,
    /// Ends the current part of the session.
    /// Ends the part of the session with this number.
    GoOn(usize),
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

/// The signals below valence and arousal, of the recording or of the session in review.
#[derive(Clone, Debug, PartialEq)]
pub enum SignalsCommand {
    /// Shows the list of the session's signals.
    Show,
    Search(String),
    Add(SignalId),
    Remove(SignalId),
    /// Moves a lane to the place of another one.
    Move {
        signal: SignalId,
        place_of: SignalId,
    },
    SetSmoothing(SignalId, Smoothing),
    SetScale(SignalId, LaneScale),
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

/// Studies as files: the dialog for a new one, and the editor.
#[derive(Clone, Debug, PartialEq)]
pub enum EditorCommand {
    /// The dialog for a new study. The path is the file of a study to copy.
    ShowNewStudyDialog(Option<PathBuf>),
    EditNewStudy(NewStudyDraft),
    BrowseMedia,
    Create,
    /// The file of the study. A study that came with the program is copied first.
    Edit(PathBuf),
    ShowTab(EditorTab),
    SetStudy(Box<Study>),
    SetText(String),
    /// Lets the backend look for what the text alone does not show.
    Check,
    BrowsePage,
    Save(AfterSave),
    /// The dialog for a session of the study in this file.
    SetUp(PathBuf),
    /// Asks once if there are changes.
    Leave,
    KeepEditing,
    LeaveUnsaved,
    OpenFolder(PathBuf),
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
