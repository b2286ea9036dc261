//! What views ask for. A view never does it itself.

use std::path::PathBuf;

use eframe::egui;

use crate::session::{PagePlacement, Timestamp};

use super::indexed::EventFilter;
use super::port::{CameraControl, CameraMode, ExportFormat};
use super::preferences::Look;
use super::state::{Column, ExportDraft, PlanDraft, Side, Window};

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
    AskExport(ExportFormat),
    EditExport(ExportDraft),
    BrowseExport,
    Export,
}
