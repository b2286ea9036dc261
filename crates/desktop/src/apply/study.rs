//! Commands of the study screen.

use std::path::PathBuf;

use crate::app::App;
use crate::command::StudyCommand;
use crate::pick::Pick;
use crate::port::{EventForm, StudyExport, StudyExportFormat};
use crate::state::{Dialog, Screen, Studied, StudyExportDraft, StudyQueryProgress, StudySide};

pub fn apply(app: &mut App, command: StudyCommand) {
    use StudyCommand as S;
    match command {
        S::Open(name) => open(app, name),
        S::AllLikeThis { condition } => all_like_this(app, condition),
        S::LookAgain => look_again(app),
        S::SetForm(form) => {
            let Some(studied) = &mut app.state.studied else { return };
            let is_other = studied.form.events != form.events || studied.form.is_comparing != form.is_comparing;
            studied.form = *form;
            if is_other {
                count(app);
            }
        }
        S::Include { session, is_included } => {
            let Some(studied) = &mut app.state.studied else { return };
            if is_included {
                studied.excluded.remove(&session);
            } else {
                studied.excluded.insert(session);
            }
            count(app);
        }
        S::IncludeAll(is_included) => {
            let Some(studied) = &mut app.state.studied else { return };
            studied.excluded.clear();
            if !is_included {
                studied.excluded.extend(studied.sessions.iter().map(|s| s.folder.clone()));
            }
            count(app);
        }
        S::Ask => ask(app),
        S::Cancel => {
            if let Some(asking) = app.state.studied.as_mut().and_then(|s| s.asking.as_mut()) {
                asking.is_cancelled = true;
                app.backend.cancel_study_query();
            }
        }
        S::ShowSide(side) => {
            if let Some(studied) = &mut app.state.studied {
                studied.side = side;
            }
        }
        S::SelectEpoch(condition, position) => {
            if let Some(studied) = &mut app.state.studied {
                studied.epoch = Some((condition, position));
            }
        }
        S::MoveEpoch(by) => move_epoch(app, by),
        S::OpenEpoch => open_epoch(app),
        S::AskExport(format) => {
            let Some(studied) = &app.state.studied else { return };
            if studied.answer.is_some() && !studied.is_exporting {
                let to = proposed_path(app, format).to_string_lossy().into_owned();
                let draft = StudyExportDraft { format, to, exists: false };
                app.state.dialog = Some(Dialog::ExportStudy(draft.checked()));
            }
        }
        S::EditExport(draft) => edit_export(app, draft),
        S::BrowseExport => {
            if let Some(Dialog::ExportStudy(draft)) = &app.state.dialog {
                let pick = Pick::StudyExport { format: draft.format, proposed: PathBuf::from(&draft.to) };
                app.pick(pick);
            }
        }
        S::Export => export(app),
    }
}

fn open(app: &mut App, name: String) {
    app.state.studied = Some(Studied::new(name, app.state.home.library.as_ref()));
    app.state.screen = Screen::Study;
    look_again(app);
}

fn look_again(app: &mut App) {
    let Some(studied) = &app.state.studied else { return };
    let folders = studied.sessions.iter().map(|s| s.folder.clone()).collect();
    app.backend.list_events(folders);
    count(app);
}

fn all_like_this(app: &mut App, condition: usize) {
    let Some(review) = &app.state.review else { return };
    let Some(event) = review.event_at_playhead() else { return };
    let form = EventForm::like(event);
    let session = review.session.clone();
    super::leave_review(app);
    let is_open = app.state.studied.as_ref().is_some_and(|s| s.name == session.study);
    if !is_open {
        app.state.studied = Some(Studied::new(session.study.clone(), app.state.home.library.as_ref()));
    }
    if let Some(studied) = &mut app.state.studied {
        studied.include(session);
        let condition = condition.min(1);
        studied.form.is_comparing |= condition == 1;
        studied.form.events[condition] = form;
        studied.side = StudySide::Sessions;
    }
    app.state.screen = Screen::Study;
    if is_open {
        count(app);
    } else {
        look_again(app);
    }
}

fn count(app: &mut App) {
    let Some(studied) = &mut app.state.studied else { return };
    studied.matches = [None, None];
    let forms = studied.form.events[..if studied.form.is_comparing { 2 } else { 1 }].to_vec();
    if forms.iter().any(|form| !form.is_empty()) {
        app.backend.count_events(forms, studied.included());
    }
}

fn ask(app: &mut App) {
    let Some(studied) = &mut app.state.studied else { return };
    // The form says what is missing and offers no button for it.
    let Ok(question) = studied.question() else { return };
    studied.asking = Some(StudyQueryProgress { done: 0, of: question.sessions.len() as u64, is_cancelled: false });
    app.backend.run_study_query(question);
}

fn move_epoch(app: &mut App, by: isize) {
    let Some(studied) = &mut app.state.studied else { return };
    let Some(answer) = &studied.answer else { return };
    let rows: Vec<(usize, usize)> = answer
        .conditions
        .iter()
        .enumerate()
        .flat_map(|(condition, c)| (0..c.epochs.len()).map(move |position| (condition, position)))
        .collect();
    let here = studied.epoch.and_then(|epoch| rows.iter().position(|row| *row == epoch));
    let to = here.map_or(0, |k| k.saturating_add_signed(by).min(rows.len().saturating_sub(1)));
    studied.epoch = rows.get(to).copied();
    studied.side = StudySide::Epochs;
}

fn open_epoch(app: &mut App) {
    let Some(studied) = &app.state.studied else { return };
    let epoch = studied.selected_epoch().map(|epoch| (epoch.session.clone(), epoch.at));
    if let Some((session, at)) = epoch {
        super::open(app, session);
        app.state.arriving_at = Some(at);
    }
}

/// In the library's own folder, because what is exported comes from many sessions.
fn proposed_path(app: &App, format: StudyExportFormat) -> PathBuf {
    let root = app.state.home.library.as_ref().map(|l| l.root.clone()).unwrap_or_default();
    let study = app.state.studied.as_ref().map(|s| s.name.clone()).unwrap_or_default();
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
    app.state.dialog = None;
    if let Some(studied) = &mut app.state.studied {
        studied.is_exporting = true;
    }
    app.backend.export_study(order);
}
