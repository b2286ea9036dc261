//! Commands of long work on sessions.

use std::collections::HashSet;
use std::path::PathBuf;

use crate::app::App;
use crate::command::JobCommand;
use crate::figures;
use crate::file_dialog::FileRequest;
use crate::job_state::{ImportDraft, Job, JobDraft, SessionsExportDraft};
use crate::port::{DatasetFormat, JobProgress, SessionRow};
use crate::session_menu::can_be_read;
use crate::state::{Dialog, State};

pub fn apply(app: &mut App, command: JobCommand) {
    use JobCommand as C;
    match command {
        C::ShowExport(sessions) => show_export(&mut app.state, sessions),
        C::EditExport(draft) => edit_export(&mut app.state, draft),
        C::BrowseExport => {
            if let Some(Dialog::ExportSessions(draft)) = &app.state.dialog {
                let proposed = PathBuf::from(draft.to.trim());
                app.open_file_dialog(FileRequest::NewFolder { proposed });
            }
        }
        C::Export => export(app),
        C::ShowImport => {
            let study = app.state.home.study.clone().unwrap_or_default();
            app.state.dialog = Some(Dialog::ImportFilms(ImportDraft { study, ..ImportDraft::default() }));
        }
        C::EditImport(draft) => app.state.dialog = Some(Dialog::ImportFilms(draft)),
        C::BrowseFilms => app.open_file_dialog(FileRequest::Films),
        C::Import => import(app),
        C::Cancel => {
            if let Some(job) = &mut app.state.job {
                job.is_cancelled = true;
                app.backend.cancel_job();
            }
        }
    }
}

/// The sessions of the table with these folders that can be exported.
fn show_export(state: &mut State, folders: Vec<PathBuf>) {
    let all = state.home.library.iter().flat_map(|l| &l.sessions);
    let folders: HashSet<PathBuf> = folders.into_iter().collect();
    let rows: Vec<&SessionRow> = all.filter(|s| folders.contains(&s.folder) && can_be_read(s)).collect();
    if rows.is_empty() {
        state.warn("None of these sessions can be exported: they are damaged or being recorded.".to_owned());
        return;
    }
    let names = rows.iter().map(|s| s.title()).collect::<Vec<_>>().join(", ");
    let sessions = rows.iter().map(|s| s.folder.clone()).collect();
    let format = DatasetFormat::Csv;
    let to = proposed(state, &rows_name(&rows), format);
    let draft = SessionsExportDraft { sessions, names, format, to, exists: false, problem: None };
    state.dialog = Some(Dialog::ExportSessions(draft.checked()));
}

/// `sub-01_ses-02`, or the study of several sessions.
fn rows_name(rows: &[&SessionRow]) -> String {
    match rows {
        [only] => only.title().replace(' ', "_"),
        [first, rest @ ..] if rest.iter().all(|s| s.study == first.study) && !first.study.is_empty() => {
            first.study.clone()
        }
        several => figures::sessions(several.len()).replace(' ', "_"),
    }
}

/// A new folder in the library's folder of exports.
fn proposed(state: &State, name: &str, format: DatasetFormat) -> String {
    let root = state.home.library.as_ref().map(|l| l.root.clone()).unwrap_or_default();
    root.join("export").join(format!("{name}_{}", format.as_str())).to_string_lossy().into_owned()
}

/// Another format gets another proposed folder.
fn edit_export(state: &mut State, mut draft: SessionsExportDraft) {
    if let Some(Dialog::ExportSessions(old)) = &state.dialog
        && old.format != draft.format
        && let Some(name) = old.to.strip_suffix(old.format.as_str())
    {
        draft.to = format!("{name}{}", draft.format.as_str());
    }
    state.dialog = Some(Dialog::ExportSessions(draft.checked()));
}

fn export(app: &mut App) {
    let Some(Dialog::ExportSessions(draft)) = &app.state.dialog else { return };
    let draft = draft.clone().checked();
    let Some(request) = draft.request().filter(|_| app.state.job.is_none()) else { return };
    begin(app, JobDraft::Export(draft));
    app.backend.export_sessions(request);
}

fn import(app: &mut App) {
    let Some(Dialog::ImportFilms(draft)) = &app.state.dialog else { return };
    let draft = draft.clone();
    let Some(request) = draft.request().ok().filter(|_| app.state.job.is_none()) else { return };
    begin(app, JobDraft::Import(draft));
    app.backend.import_films(request);
}

fn begin(app: &mut App, draft: JobDraft) {
    app.state.dialog = None;
    app.state.job = Some(Job { draft, progress: JobProgress::default(), is_cancelled: false });
}
