//! Commands of the study screen.

use std::path::PathBuf;

use crate::app::App;
use crate::command::StudyCommand;
use crate::file_dialog::FileRequest;
use crate::port::{EventForm, StudyExport, StudyExportFormat};
use crate::state::{Dialog, Screen, StudyExportDraft, StudyForm, StudyQueryProgress, StudySide, StudyState};

use super::navigation;

pub fn apply(app: &mut App, command: StudyCommand) {
    use StudyCommand as S;
    match command {
        S::Open(name) => open(app, name),
        S::SelectSimilarEvents { condition } => select_similar_events(app, condition),
        S::ReloadEvents => reload_events(app),
        S::SetForm(form) => set_form(app, *form),
        S::Include { session, is_included } => include(app, session, is_included),
        S::IncludeAll(is_included) => include_all(app, is_included),
        S::IncludePilots(with_pilots) => {
            if let Some(study) = &mut app.state.study {
                study.with_pilots = with_pilots;
            }
            count(app);
        }
        S::RunQuery => run_query(app),
        S::CancelQuery => {
            if let Some(progress) = app.state.study.as_mut().and_then(|s| s.progress.as_mut()) {
                progress.is_cancelled = true;
                app.backend.cancel_study_query();
            }
        }
        S::ShowSide(side) => {
            if let Some(study) = &mut app.state.study {
                study.side = side;
            }
        }
        S::SelectEpoch(condition, position) => {
            if let Some(study) = &mut app.state.study {
                study.epoch = Some((condition, position));
            }
        }
        S::MoveEpoch(by) => move_epoch(app, by),
        S::OpenEpoch => open_epoch(app),
        S::ShowExportDialog(format) => show_export_dialog(app, format),
        S::EditExport(draft) => edit_export(app, draft),
        S::BrowseExport => {
            if let Some(Dialog::ExportStudy(draft)) = &app.state.dialog {
                let request = FileRequest::StudyExport { format: draft.format, proposed: PathBuf::from(&draft.to) };
                app.open_file_dialog(request);
            }
        }
        S::Export => export(app),
    }
}

fn set_form(app: &mut App, form: StudyForm) {
    let Some(study) = &mut app.state.study else { return };
    let is_other = study.form.events != form.events || study.form.is_comparing != form.is_comparing;
    study.form = form;
    if is_other {
        count(app);
    }
}

fn include(app: &mut App, session: PathBuf, is_included: bool) {
    let Some(study) = &mut app.state.study else { return };
    if is_included {
        study.excluded.remove(&session);
    } else {
        study.excluded.insert(session);
    }
    count(app);
}

fn include_all(app: &mut App, is_included: bool) {
    let Some(study) = &mut app.state.study else { return };
    study.excluded.clear();
    if !is_included {
        study.excluded.extend(study.sessions.iter().map(|s| s.folder.clone()));
    }
    count(app);
}

fn open(app: &mut App, name: String) {
    app.state.study = Some(StudyState::new(name, app.state.home.library.as_ref()));
    app.state.screen = Screen::Study;
    reload_events(app);
}

fn reload_events(app: &mut App) {
    let Some(study) = &app.state.study else { return };
    let folders = study.sessions.iter().map(|s| s.folder.clone()).collect();
    app.backend.list_events(folders);
    count(app);
}

fn select_similar_events(app: &mut App, condition: usize) {
    let Some(review) = &app.state.review else { return };
    let Some(event) = review.event_at_playhead() else { return };
    let form = EventForm::like(event);
    let session = review.session.clone();
    navigation::leave_review(app);
    let is_open = app.state.study.as_ref().is_some_and(|s| s.name == session.study);
    if !is_open {
        app.state.study = Some(StudyState::new(session.study.clone(), app.state.home.library.as_ref()));
    }
    if let Some(study) = &mut app.state.study {
        study.include(session);
        let condition = condition.min(1);
        study.form.is_comparing |= condition == 1;
        study.form.events[condition] = form;
        study.side = StudySide::Sessions;
    }
    app.state.screen = Screen::Study;
    if is_open {
        count(app);
    } else {
        reload_events(app);
    }
}

fn count(app: &mut App) {
    let Some(study) = &mut app.state.study else { return };
    study.event_counts = [None, None];
    let forms = study.form.events[..if study.form.is_comparing { 2 } else { 1 }].to_vec();
    if forms.iter().any(|form| !form.is_empty()) {
        app.backend.count_events(forms, study.included());
    }
}

fn run_query(app: &mut App) {
    let Some(study) = &mut app.state.study else { return };
    // The form shows what is missing and disables its button.
    let Ok(query) = study.query() else { return };
    study.progress = Some(StudyQueryProgress { done: 0, of: query.sessions.len() as u64, is_cancelled: false });
    app.backend.run_study_query(query);
}

fn move_epoch(app: &mut App, by: isize) {
    let Some(study) = &mut app.state.study else { return };
    let Some(result) = &study.result else { return };
    let rows: Vec<(usize, usize)> = result
        .conditions
        .iter()
        .enumerate()
        .flat_map(|(condition, c)| (0..c.epochs.len()).map(move |position| (condition, position)))
        .collect();
    let here = study.epoch.and_then(|epoch| rows.iter().position(|row| *row == epoch));
    let to = here.map_or(0, |k| k.saturating_add_signed(by).min(rows.len().saturating_sub(1)));
    study.epoch = rows.get(to).copied();
    study.side = StudySide::Epochs;
}

fn open_epoch(app: &mut App) {
    let Some(study) = &app.state.study else { return };
    let epoch = study.selected_epoch().map(|epoch| (epoch.session.clone(), epoch.at));
    if let Some((session, at)) = epoch {
        navigation::open_session(app, session);
        app.state.arriving_at = Some(at);
    }
}

fn show_export_dialog(app: &mut App, format: StudyExportFormat) {
    let Some(study) = &app.state.study else { return };
    if study.result.is_some() && !study.is_exporting {
        let to = proposed_path(app, format).to_string_lossy().into_owned();
        let draft = StudyExportDraft { format, to, exists: false, problem: None };
        app.state.dialog = Some(Dialog::ExportStudy(draft.checked()));
    }
}

/// In the library's folder, because the export comes from many sessions.
fn proposed_path(app: &App, format: StudyExportFormat) -> PathBuf {
    let root = app.state.home.library.as_ref().map(|l| l.root.clone()).unwrap_or_default();
    let study = app.state.study.as_ref().map(|s| s.name.clone()).unwrap_or_default();
    root.join("export").join(study).join(format.file_name())
}

fn edit_export(app: &mut App, mut draft: StudyExportDraft) {
    if let Some(Dialog::ExportStudy(old)) = &app.state.dialog
        && old.format != draft.format
    {
        draft.to = proposed_path(app, draft.format).to_string_lossy().into_owned();
    }
    app.state.dialog = Some(Dialog::ExportStudy(draft.checked()));
}

fn export(app: &mut App) {
    let Some(Dialog::ExportStudy(draft)) = &app.state.dialog else { return };
    if draft.to.trim().is_empty() {
        return;
    }
    let order = StudyExport { format: draft.format, to: PathBuf::from(draft.to.trim()) };
    app.state.exporting = app.state.dialog.take();
    if let Some(study) = &mut app.state.study {
        study.is_exporting = true;
    }
    app.backend.export_study(order);
}
