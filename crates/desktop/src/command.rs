//! What views ask for. A view never does it itself.

use std::path::PathBuf;

use eframe::egui;

use session::{PagePlacement, Timestamp};

use super::indexed::EventFilter;
use super::port::{CameraControl, CameraMode, Correction, ExportFormat, StudyExportFormat};
use super::preferences::Look;
use super::rated::Hand;
use super::state::{Column, ExportDraft, Form, PlanDraft, PullDraft, Side, StudyExportDraft, StudySide, Window};

#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    // Everywhere
    GoHome,
    SetLook(Look),
    ShowKeys,
    CloseDialog,
    DismissNotice(String),
    /// Close the window in spite of a running recording.
    Quit,

    // Home
    RefreshLibrary,
    SetFilter(String),
    SetStudy(Option<String>),
    SortBy(Column),
    /// Rows up or down in the table.
    MoveSelection(isize),
    Select(PathBuf),
    AskNewSession,
    EditPlan(PlanDraft),
    BeginRehearsal,
    AskOpen,
    EditOpenPath(String),
    BrowseSession,
    OpenSession(PathBuf),
    AskPull,
    EditPull(PullDraft),
    Pull,
    CancelPull,
    AskErase(PathBuf),
    TypeErase(String),
    Erase,

    // Set-up
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
    ReloadPage,
    ConfirmConsent(bool),
    Record,
    RecordAnyway,

    // Live
    Mark(char),
    BeginNote,
    TypeNote(String),
    StoreNote,
    DropNote,
    AskStop,
    KeepRecording,
    Stop,
    FocusPage,
    /// Where the page belongs in the window, in points.
    PageAt(egui::Rect),

    // Review
    TogglePlay,
    Seek(Timestamp),
    StepFrames(i64),
    StepSeconds(f64),
    SetRate(f64),
    Zoom {
        factor: f64,
        around_s: f64,
    },
    ZoomAtPlayhead(f64),
    ShowWindow(Window),
    Fit,
    NextEvent,
    PreviousEvent,
    SetEventFilter(EventFilter),
    ShowSide(Side),
    /// Opens or closes the window with the recorded page.
    TogglePage,
    AskExport(ExportFormat),
    EditExport(ExportDraft),
    BrowseExport,
    Export,
    SetValues(Correction),
    /// Whether stretches of poor quality are shaded.
    ShadePoor(bool),
    Annotate(AnnotateCommand),
    Rate(RateCommand),

    Study(StudyCommand),
}

/// Annotations of the session in review.
#[derive(Clone, Debug, PartialEq)]
pub enum AnnotateCommand {
    SetAuthor(String),
    /// With the label at this position, at the playhead.
    Point(usize),
    /// Begins or ends a range with the label at this position.
    Range(usize),
    DropRange,
    WriteLabel(String),
    AddLabel,
    /// And goes there.
    Select(u64),
    TakeBack,
    Undo,
    Redo,
}

/// Rating while watching.
#[derive(Clone, Debug, PartialEq)]
pub enum RateCommand {
    Begin,
    End,
    Hold([f32; 2], Hand),
    /// Steps of valence and arousal.
    Nudge(f32, f32),
    /// Measures how far this pass and the network agree.
    Compare(u32),
}

/// Queries over all sessions of a study.
#[derive(Clone, Debug, PartialEq)]
pub enum StudyCommand {
    Open(String),
    /// The events like the one at the playhead in review become the first or the second condition.
    AllLikeThis {
        condition: usize,
    },
    LookAgain,
    SetForm(Box<Form>),
    Include {
        session: PathBuf,
        is_included: bool,
    },
    IncludeAll(bool),
    Ask,
    Cancel,
    ShowSide(StudySide),
    /// Condition and position.
    SelectEpoch(usize, usize),
    MoveEpoch(isize),
    /// Shows the selected epoch's moment on video.
    OpenEpoch,
    AskExport(StudyExportFormat),
    EditExport(StudyExportDraft),
    BrowseExport,
    Export,
}
