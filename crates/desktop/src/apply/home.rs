//! Commands of the table of sessions and of its dialogs.

use std::path::{Path, PathBuf};

use crate::app::App;
use crate::command::HomeCommand;
use crate::file_dialog::FileRequest;
use crate::port::{DownloadProgress, StudyRow};
use crate::state::{Dialog, DownloadDraft, Home, ParticipantView, PlanDraft, Rehearsal, Screen, SortOrder};
use session::Seat;

pub fn apply(app: &mut App, command: HomeCommand) {
    use HomeCommand as C;
    let state = &mut app.state;
    match command {
        C::RefreshLibrary => app.backend.refresh_library(),
        C::SetFilter(text) => {
            state.home.filter = text;
            state.home.arrange();
        }
        C::SetStudy(study) => {
            state.home.study = study;
            state.home.arrange();
        }
        C::SortBy(column) => {
            let is_descending = state.home.order.by == column && !state.home.order.is_descending;
            state.home.order = SortOrder { by: column, is_descending };
            state.home.arrange();
        }
        C::MoveSelection(by) => move_selection(&mut state.home, by),
        C::Select(folder) => state.home.selected = Some(folder),
        C::ShowNewSessionDialog => show_new_session_dialog(app),
        C::EditPlan(draft) => edit_plan(app, draft),
        C::BeginRehearsal => begin_rehearsal(app),
        C::ShowOpenDialog => state.dialog = Some(Dialog::Open { path: String::new() }),
        C::EditOpenPath(path) => state.dialog = Some(Dialog::Open { path }),
        C::BrowseSession => app.open_file_dialog(FileRequest::Session),
        C::ShowDownloadDialog => show_download_dialog(app),
        C::EditDownload(draft) => {
            state.api_token.clone_from(&draft.token);
            state.dialog = Some(Dialog::Download(draft));
        }
        C::Download => begin_download(app),
        C::CancelDownload => app.backend.cancel_download(),
        C::ShowEraseDialog(folder) => show_erase_dialog(app, &folder),
        C::EditEraseConfirmation(text) => {
            if let Some(Dialog::Erase { typed, .. }) = &mut state.dialog {
                *typed = text;
            }
        }
        C::Erase => {
            if let Some(Dialog::Erase { session, typed }) = &state.dialog
                && *typed == session.title()
            {
                app.backend.erase_session(&session.folder);
                state.dialog = None;
            }
        }
    }
}

fn move_selection(home: &mut Home, by: isize) {
    let folders: Vec<PathBuf> = home.listed().map(|s| s.folder.clone()).collect();
    let here = home.selected.as_ref().and_then(|f| folders.iter().position(|other| other == f));
    let to = match here {
        Some(k) => k.saturating_add_signed(by).min(folders.len().saturating_sub(1)),
        None => 0,
    };
    home.selected = folders.into_iter().nth(to);
}

/// Proposes the study of the filter, else the study recorded last, else the first one.
fn show_new_session_dialog(app: &mut App) {
    let home = &app.state.home;
    let Some(library) = &home.library else { return };
    let is_usable = |s: &&StudyRow| s.problem.is_none();
    let latest = library.sessions.iter().max_by_key(|s| s.started).map(|s| &s.study);
    let wanted = home.study.as_ref().or(latest);
    let study = library.studies.iter().filter(is_usable).find(|s| Some(&s.name) == wanted);
    let study = study.or_else(|| library.studies.iter().find(is_usable));
    let participant = library.next_participant();
    let session = library.next_session(&participant);
    app.state.dialog = Some(Dialog::NewSession(PlanDraft {
        study_file: study.map(|s| s.file.clone()),
        participant: participant.to_string(),
        session: session.to_string(),
        seat: study.and_then(|s| s.seat).unwrap_or(Seat::Participant),
    }));
}

/// For another participant, proposes that participant's next session number.
fn edit_plan(app: &mut App, mut draft: PlanDraft) {
    if let (Some(Dialog::NewSession(old)), Some(library)) = (&app.state.dialog, &app.state.home.library)
        && old.participant != draft.participant
        && let Ok(participant) = draft.participant.trim().parse()
    {
        draft.session = library.next_session(&participant).to_string();
    }
    let mut studies = app.state.home.library.iter().flat_map(|library| &library.studies);
    let fixed = studies.find(|s| Some(&s.file) == draft.study_file.as_ref()).and_then(|s| s.seat);
    draft.seat = fixed.unwrap_or(draft.seat);
    app.state.dialog = Some(Dialog::NewSession(draft));
}

fn begin_rehearsal(app: &mut App) {
    let Some(Dialog::NewSession(draft)) = &app.state.dialog else { return };
    // The dialog shows the error and disables its button.
    let Ok(plan) = draft.plan() else { return };
    app.state.dialog = None;
    app.state.participant = ParticipantView::default();
    app.state.rehearsal = Some(Rehearsal::new(plan.clone()));
    app.state.screen = Screen::SetUp;
    app.backend.begin_rehearsal(plan);
}

fn show_download_dialog(app: &mut App) {
    let state = &mut app.state;
    let (server, token) = (state.preferences.server.clone(), state.api_token.clone());
    state.dialog = Some(Dialog::Download(DownloadDraft { server, token, ..DownloadDraft::default() }));
}

fn begin_download(app: &mut App) {
    let state = &mut app.state;
    let Some(Dialog::Download(draft)) = &mut state.dialog else { return };
    // The dialog disables its button while a field is missing.
    let Some(request) = draft.request().filter(|_| state.download.is_none()) else { return };
    draft.problem = None;
    state.download = Some(DownloadProgress::default());
    if state.preferences.server != request.server {
        state.preferences.server.clone_from(&request.server);
        app.store_preferences();
    }
    app.backend.download_sessions(request);
}

fn show_erase_dialog(app: &mut App, folder: &Path) {
    let mut sessions = app.state.home.library.iter().flat_map(|l| &l.sessions);
    let session = sessions.find(|s| s.folder == folder).cloned();
    app.state.dialog = session.map(|session| Dialog::Erase { session, typed: String::new() });
}
