//! Commands, carried out on the state and the backend. Nothing here waits: system dialogs have a thread of their
//! own, everything slow is the backend's.

pub(super) mod added;
mod review;
mod study;

use std::path::PathBuf;

use eframe::egui;

use super::app::App;
use super::command::{Command, RateCommand};
use super::pick::{Pick, Picked};
use super::port::{DownloadProgress, NewMarker, PixelRect, RecordingRequest};
use super::state::{
    Dialog, ExportDraft, NoteDraft, Order, PlanDraft, PullDraft, Readiness, Rehearsal, Screen, Stop, StudyExportDraft,
};
use session::CheckId;

pub fn apply(app: &mut App, command: Command, ctx: &egui::Context) {
    let state = &mut app.state;
    match command {
        Command::GoHome => go_home(app),
        Command::SetLook(look) => {
            state.preferences.look = look;
            ctx.set_theme(look.theme());
            app.store_preferences();
        }
        Command::ShowKeys => state.dialog = Some(Dialog::Keys),
        Command::CloseDialog => state.dialog = None,
        Command::DismissNotice(sentence) => state.notices.retain(|n| *n != sentence),
        Command::Quit => {
            app.is_quitting = true;
            ctx.send_viewport_cmd(egui::ViewportCommand::Close);
        }
        Command::RefreshLibrary => app.backend.refresh_library(),
        Command::SetFilter(text) => {
            state.home.filter = text;
            state.home.arrange();
        }
        Command::SetStudy(study) => {
            state.home.study = study;
            state.home.arrange();
        }
        Command::SortBy(column) => {
            let is_descending = state.home.order.by == column && !state.home.order.is_descending;
            state.home.order = Order { by: column, is_descending };
            state.home.arrange();
        }
        Command::MoveSelection(by) => {
            let home = &mut state.home;
            let folders: Vec<PathBuf> = home.listed().map(|s| s.folder.clone()).collect();
            let here = home.selected.as_ref().and_then(|f| folders.iter().position(|other| other == f));
            let to = match here {
                Some(k) => k.saturating_add_signed(by).min(folders.len().saturating_sub(1)),
                None => 0,
            };
            home.selected = folders.into_iter().nth(to);
        }
        Command::Select(folder) => state.home.selected = Some(folder),
        Command::AskNewSession => ask_new_session(app),
        Command::EditPlan(draft) => edit_plan(app, draft),
        Command::BeginRehearsal => begin_rehearsal(app),
        Command::AskOpen => state.dialog = Some(Dialog::Open { path: String::new() }),
        Command::EditOpenPath(path) => state.dialog = Some(Dialog::Open { path }),
        Command::BrowseSession => app.pick(Pick::Session),
        Command::OpenSession(path) => open(app, path),
        Command::AskPull => ask_pull(app),
        Command::EditPull(draft) => {
            state.pull_token.clone_from(&draft.token);
            state.dialog = Some(Dialog::Pull(draft));
        }
        Command::Pull => begin_pull(app),
        Command::CancelPull => app.backend.cancel_download(),
        Command::AskErase(folder) => {
            let session = state.home.library.iter().flat_map(|l| &l.sessions).find(|s| s.folder == folder).cloned();
            state.dialog = session.map(|session| Dialog::Erase { session, typed: String::new() });
        }
        Command::TypeErase(text) => {
            if let Some(Dialog::Erase { typed, .. }) = &mut state.dialog {
                *typed = text;
            }
        }
        Command::Erase => {
            if let Some(Dialog::Erase { session, typed }) = &state.dialog
                && *typed == session.title()
            {
                app.backend.erase_session(&session.folder);
                state.dialog = None;
            }
        }
        Command::RefreshCameras => {
            if let Some(rehearsal) = &mut state.rehearsal {
                rehearsal.cameras = None;
                app.backend.refresh_cameras();
            }
        }
        Command::ChooseCamera { spec, mode } => app.backend.choose_camera(&spec, mode),
        Command::BrowseVideo => app.pick(Pick::Video),
        Command::SetControl { control, value } => app.backend.set_control(control, value),
        Command::PlacePage(placement) => app.backend.place_page(placement),
        Command::ReloadPage => app.backend.reload_page(),
        Command::ConfirmConsent(has_consent) => {
            if let Some(rehearsal) = &mut state.rehearsal {
                rehearsal.has_consent = has_consent;
            }
        }
        Command::Record => record(app),
        Command::RecordAnyway => record_anyway(app),
        Command::Mark(key) => mark(app, key),
        Command::BeginNote => {
            let now = app.backend.now();
            if let Some(recording) = &mut state.recording
                && recording.stop == Stop::No
                && recording.note.is_none()
            {
                recording.note = Some(NoteDraft { at: now, text: String::new() });
            }
        }
        Command::TypeNote(text) => {
            if let Some(note) = state.recording.as_mut().and_then(|r| r.note.as_mut()) {
                note.text = text;
            }
        }
        Command::StoreNote => {
            if let Some(note) = state.recording.as_mut().and_then(|r| r.note.take())
                && !note.text.trim().is_empty()
            {
                let order = NewMarker { at: note.at, key: None, label: "note".into(), note: note.text.trim().into() };
                app.backend.mark(order);
            }
        }
        Command::DropNote => {
            if let Some(recording) = &mut state.recording {
                recording.note = None;
            }
        }
        Command::AskStop => {
            if let Some(recording) = &mut state.recording
                && recording.stop == Stop::No
            {
                recording.note = None;
                recording.stop = Stop::Asked;
            }
        }
        Command::KeepRecording => {
            if let Some(recording) = &mut state.recording
                && recording.stop == Stop::Asked
            {
                recording.stop = Stop::No;
            }
        }
        Command::Stop => {
            if let Some(recording) = &mut state.recording
                && recording.stop == Stop::Asked
            {
                recording.stop = Stop::Stopping;
                app.backend.stop_recording();
            }
        }
        Command::FocusPage => app.backend.page_focus(true),
        Command::PageAt(rect) => place_page(app, rect, ctx.pixels_per_point()),
        Command::Annotate(command) => added::annotate(app, command),
        Command::Rate(command) => added::rate(app, command),
        Command::Study(command) => study::apply(app, command),
        other => review::apply(app, other),
    }
}

/// The answer of a system dialog.
pub fn picked(app: &mut App, picked: Picked) {
    app.state.is_picking = false;
    match picked {
        Picked::Nothing => {}
        Picked::Session(path) => open(app, path),
        Picked::Video(path) => app.backend.choose_camera(&path.to_string_lossy(), None),
        Picked::Export(path) => {
            let to = path.to_string_lossy().into_owned();
            app.state.dialog = match app.state.dialog.take() {
                Some(Dialog::Export(draft)) => Some(Dialog::Export(ExportDraft { to, ..draft }.checked())),
                Some(Dialog::ExportStudy(draft)) => {
                    Some(Dialog::ExportStudy(StudyExportDraft { to, ..draft }.checked()))
                }
                other => other,
            };
        }
    }
}

fn go_home(app: &mut App) {
    match app.state.screen {
        // A recording ends only through its own way.
        Screen::Live if app.state.recording.is_some() => return,
        Screen::SetUp => {
            app.state.rehearsal = None;
            app.backend.end_rehearsal();
        }
        Screen::Review => {
            leave_review(app);
            if app.state.studied.is_some() {
                app.state.screen = Screen::Study;
                return;
            }
        }
        Screen::Report => app.state.finished = None,
        Screen::Study => {
            app.backend.cancel_study_query();
            app.state.studied = None;
        }
        Screen::Home | Screen::Live => {}
    }
    app.state.screen = Screen::Home;
    app.backend.refresh_library();
}

fn leave_review(app: &mut App) {
    added::rate(app, RateCommand::End);
    app.state.review = None;
    app.backend.close_session();
}

fn ask_new_session(app: &mut App) {
    let home = &app.state.home;
    let Some(library) = &home.library else { return };
    let usable = |s: &&super::port::StudyRow| s.problem.is_none();
    // The study one looks at, or the one recorded last, or the first.
    let latest = library.sessions.iter().max_by_key(|s| s.started).map(|s| &s.study);
    let wanted = home.study.as_ref().or(latest);
    let study = library.studies.iter().filter(usable).find(|s| Some(&s.name) == wanted);
    let study = study.or_else(|| library.studies.iter().find(usable));
    let participant = library.next_participant();
    let session = library.next_session(&participant);
    app.state.dialog = Some(Dialog::NewSession(PlanDraft {
        study_file: study.map(|s| s.file.clone()),
        participant: participant.to_string(),
        session: session.to_string(),
    }));
}

/// A changed participant gets the session number that comes next.
fn edit_plan(app: &mut App, mut draft: PlanDraft) {
    if let (Some(Dialog::NewSession(old)), Some(library)) = (&app.state.dialog, &app.state.home.library)
        && old.participant != draft.participant
        && let Ok(participant) = draft.participant.trim().parse()
    {
        draft.session = library.next_session(&participant).to_string();
    }
    app.state.dialog = Some(Dialog::NewSession(draft));
}

fn ask_pull(app: &mut App) {
    let state = &mut app.state;
    let (server, token) = (state.preferences.server.clone(), state.pull_token.clone());
    state.dialog = Some(Dialog::Pull(PullDraft { server, token, ..PullDraft::default() }));
}

fn begin_pull(app: &mut App) {
    let state = &mut app.state;
    let Some(Dialog::Pull(draft)) = &mut state.dialog else { return };
    // The dialog offers no button while something is missing.
    let Some(order) = draft.order().filter(|_| state.pulling.is_none()) else { return };
    draft.problem = None;
    state.pulling = Some(DownloadProgress::default());
    if state.preferences.server != order.server {
        state.preferences.server.clone_from(&order.server);
        app.store_preferences();
    }
    app.backend.download_sessions(order);
}

fn begin_rehearsal(app: &mut App) {
    let Some(Dialog::NewSession(draft)) = &app.state.dialog else { return };
    // The dialog says what is wrong and offers no button for it.
    let Ok(plan) = draft.plan() else { return };
    app.state.dialog = None;
    app.state.rehearsal = Some(Rehearsal::new(plan.clone()));
    app.state.screen = Screen::SetUp;
    app.backend.begin_rehearsal(plan);
}

fn open(app: &mut App, path: PathBuf) {
    let is_idle = matches!(app.state.screen, Screen::Home | Screen::Report | Screen::Review | Screen::Study);
    if !is_idle || app.state.opening.is_some() {
        return;
    }
    app.state.dialog = None;
    added::rate(app, RateCommand::End);
    app.state.opening = Some(path.clone());
    app.backend.open_session(&path);
}

fn record(app: &mut App) {
    let Some(rehearsal) = &app.state.rehearsal else { return };
    match rehearsal.readiness() {
        Readiness::NotYet(_) => {}
        Readiness::Ready => start(app, Vec::new()),
        Readiness::Failing(checks) => app.state.dialog = Some(Dialog::Override { checks }),
    }
}

/// Overrides what still fails; what began to fail since the question was put is asked for first.
fn record_anyway(app: &mut App) {
    let Some(Dialog::Override { checks: agreed }) = app.state.dialog.take() else { return };
    let Some(rehearsal) = &app.state.rehearsal else { return };
    match rehearsal.readiness() {
        Readiness::NotYet(_) => {}
        Readiness::Ready => start(app, Vec::new()),
        Readiness::Failing(checks) if checks.iter().all(|c| agreed.contains(c)) => start(app, checks),
        Readiness::Failing(checks) => app.state.dialog = Some(Dialog::Override { checks }),
    }
}

fn start(app: &mut App, overridden_checks: Vec<CheckId>) {
    let Some(rehearsal) = &mut app.state.rehearsal else { return };
    let consent = rehearsal.study.as_ref().map(|s| &s.consent);
    let consent_text = consent.filter(|_| rehearsal.has_consent).map(|c| c.text.clone());
    rehearsal.is_starting = true;
    app.backend.start_recording(RecordingRequest { overridden_checks, consent_text });
}

fn mark(app: &mut App, key: char) {
    let at = app.backend.now();
    let Some(recording) = &app.state.recording else { return };
    if let Some(marker) = recording.study.markers.iter().find(|m| m.key == key) {
        let order = NewMarker { at, key: Some(key), label: marker.label.clone(), note: String::new() };
        app.backend.mark(order);
    }
}

fn place_page(app: &mut App, rect: egui::Rect, pixels_per_point: f32) {
    let px = |points: f32| (points * pixels_per_point).round();
    let bounds = PixelRect {
        left_px: px(rect.left()) as i32,
        top_px: px(rect.top()) as i32,
        width_px: (px(rect.right()) - px(rect.left())).max(1.0) as u32,
        height_px: (px(rect.bottom()) - px(rect.top())).max(1.0) as u32,
    };
    if app.page_bounds != Some(bounds) {
        app.page_bounds = Some(bounds);
        app.backend.page_bounds_px(bounds);
    }
}
