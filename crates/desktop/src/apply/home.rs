//! Commands of the table of sessions and of its dialogs.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};

use crate::app::App;
use crate::command::HomeCommand;
use crate::file_dialog::FileRequest;
use crate::home_dialogs::confirmation;
use crate::job_state::ReassignDraft;
use crate::port::{DownloadProgress, Erasure, SessionState, StudyRow};
use crate::state::{Dialog, DownloadDraft, Filter, ParticipantView, PlanDraft, Rehearsal, Screen, SortOrder};
use session::Seat;

pub fn apply(app: &mut App, command: HomeCommand) {
    use HomeCommand as C;
    let state = &mut app.state;
    match command {
        C::RefreshLibrary => app.backend.refresh_library(),
        C::SetFilter(text) => {
            state.home.filter.text = text;
            state.home.arrange();
        }
        C::ShowState(kind, is_shown) => {
            show(&mut state.home.filter.hidden_states, kind, is_shown);
            state.home.arrange();
        }
        C::ShowGrade(grade, is_shown) => {
            show(&mut state.home.filter.hidden_grades, grade, is_shown);
            state.home.arrange();
        }
        C::ClearFilters => {
            state.home.filter = Filter::default();
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
        C::MoveSelection(by) => {
            let to = state.home.row_beside(by);
            state.home.select(to);
        }
        C::ExtendSelection(by) => {
            if let Some(to) = state.home.row_beside(by) {
                state.home.select_until(&to);
            }
        }
        C::Select(folder) => state.home.select(Some(folder)),
        C::ToggleSelected(folder) => state.home.toggle(folder),
        C::SelectUntil(folder) => state.home.select_until(&folder),
        C::SelectAll => state.home.select_all(),
        C::ShowNewSessionDialog => show_new_session_dialog(app, None),
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
        C::ShowEraseDialog(folders) => show_erase_dialog(app, &folders),
        C::ShowEraseParticipantDialog(participant) => {
            state.dialog = Some(Dialog::EraseParticipant { participant, typed: String::new() });
        }
        C::EditEraseConfirmation(text) => {
            if let Some(Dialog::Erase { typed, .. } | Dialog::EraseParticipant { typed, .. }) = &mut state.dialog {
                *typed = text;
            }
        }
        C::Erase => erase(app),
        C::ShowReassignDialog(folder) => show_reassign_dialog(app, &folder),
        C::EditReassign(draft) => edit_reassign(app, draft),
        C::Reassign => reassign(app),
        C::OpenFolder(folder) => app.backend.open_folder(&folder),
        C::CopyFigure(folder) => app.backend.draw_figure(&folder),
    }
}

fn show<T: Ord>(hidden: &mut BTreeSet<T>, one: T, is_shown: bool) {
    if is_shown {
        hidden.remove(&one);
    } else {
        hidden.insert(one);
    }
}

/// Does nothing unless the name was typed.
fn erase(app: &mut App) {
    let erasure = match &app.state.dialog {
        Some(Dialog::Erase { sessions, typed }) if *typed == confirmation(sessions) => {
            Erasure::Sessions(sessions.iter().map(|s| s.folder.clone()).collect())
        }
        Some(Dialog::EraseParticipant { participant, typed }) if *typed == participant.as_str() => {
            Erasure::Participant(participant.clone())
        }
        _ => return,
    };
    app.state.dialog = None;
    app.backend.erase(erasure);
}

fn show_reassign_dialog(app: &mut App, folder: &Path) {
    let mut sessions = app.state.home.library.iter().flat_map(|l| &l.sessions);
    let Some(row) = sessions.find(|s| s.folder == folder).cloned() else { return };
    let participant = row.participant.as_ref().map_or_else(String::new, ToString::to_string);
    let session = row.session.map_or_else(String::new, |n| n.to_string());
    let has_export = row.folder.join("export").exists();
    app.state.dialog = Some(Dialog::Reassign(ReassignDraft { row, has_export, participant, session }));
}

/// For another participant, proposes that participant's next session number.
fn edit_reassign(app: &mut App, mut draft: ReassignDraft) {
    if let (Some(Dialog::Reassign(old)), Some(library)) = (&app.state.dialog, &app.state.home.library)
        && old.participant != draft.participant
        && let Ok(participant) = draft.participant.trim().parse()
    {
        draft.session = library.next_session(&participant).to_string();
    }
    app.state.dialog = Some(Dialog::Reassign(draft));
}

fn reassign(app: &mut App) {
    let Some(Dialog::Reassign(draft)) = &app.state.dialog else { return };
    // The dialog shows the error and disables its button.
    let Ok(request) = draft.request(app.state.home.library.as_ref()) else { return };
    app.state.dialog = None;
    app.backend.reassign_session(request);
}

/// Proposes the given study, else the study of the filter, else the study recorded last, else the first one.
pub fn show_new_session_dialog(app: &mut App, file: Option<&Path>) {
    let home = &app.state.home;
    let Some(library) = &home.library else { return };
    let is_usable = |s: &&StudyRow| s.problem.is_none();
    let latest = library.sessions.iter().max_by_key(|s| s.started).map(|s| &s.study);
    let wanted = home.study.as_ref().or(latest);
    let study = library.studies.iter().filter(is_usable).find(|s| Some(s.file.as_path()) == file);
    let study = study.or_else(|| library.studies.iter().filter(is_usable).find(|s| Some(&s.name) == wanted));
    let study = study.or_else(|| library.studies.iter().find(is_usable));
    let seat = study.and_then(|s| s.seat).unwrap_or(Seat::Participant);
    let participant = library.proposed_participant(seat);
    let session = library.next_session(&participant);
    app.state.dialog = Some(Dialog::NewSession(PlanDraft {
        study_file: study.map(|s| s.file.clone()),
        participant: participant.to_string(),
        session: session.to_string(),
        condition: None,
        seat,
    }));
}

/// For another seat, proposes another participant, unless the operator has typed one. For another participant, proposes that
/// participant's next session number.
fn edit_plan(app: &mut App, mut draft: PlanDraft) {
    let mut studies = app.state.home.library.iter().flat_map(|library| &library.studies);
    let fixed = studies.find(|s| Some(&s.file) == draft.study_file.as_ref()).and_then(|s| s.seat);
    draft.seat = fixed.unwrap_or(draft.seat);
    if let (Some(Dialog::NewSession(old)), Some(library)) = (&app.state.dialog, &app.state.home.library)
        && draft.participant == library.proposed_participant(old.seat).as_str()
    {
        draft.participant = library.proposed_participant(draft.seat).to_string();
    }
    if let (Some(Dialog::NewSession(old)), Some(library)) = (&app.state.dialog, &app.state.home.library)
        && old.participant != draft.participant
        && let Ok(participant) = draft.participant.trim().parse()
    {
        draft.session = library.next_session(&participant).to_string();
        draft.condition = None;
    }
    if let Some(Dialog::NewSession(old)) = &app.state.dialog
        && old.study_file != draft.study_file
    {
        draft.condition = None;
    }
    app.state.dialog = Some(Dialog::NewSession(draft));
}

fn begin_rehearsal(app: &mut App) {
    let Some(Dialog::NewSession(draft)) = &app.state.dialog else { return };
    // The dialog shows the error and disables its button.
    let Ok(mut plan) = draft.plan() else { return };
    if let Some(library) = &app.state.home.library {
        if library.is_taken(&plan.participant, plan.session) {
            return;
        }
        let study = library.studies.iter().find(|s| s.file == plan.study_file);
        let proposed = study.and_then(|study| study.conditions.proposed(&plan.participant));
        plan.proposed = proposed.map(str::to_owned);
    }
    app.state.dialog = None;
    app.state.finished = None;
    app.state.past_alarms.clear();
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

fn show_erase_dialog(app: &mut App, folders: &[PathBuf]) {
    let all = app.state.home.library.iter().flat_map(|l| &l.sessions);
    let folders: HashSet<&PathBuf> = folders.iter().collect();
    let chosen = all.filter(|s| folders.contains(&s.folder) && s.state != SessionState::Recording);
    let sessions: Vec<_> = chosen.cloned().collect();
    if !sessions.is_empty() {
        app.state.dialog = Some(Dialog::Erase { sessions, typed: String::new() });
    }
}
