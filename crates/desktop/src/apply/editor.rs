//! Commands of the study editor and of the dialog for a new study, and the backend's answers to them.

use std::path::{Path, PathBuf};

use super::home;
use crate::app::App;
use crate::command::{Command, EditorCommand};
use crate::file_dialog::FileRequest;
use crate::port::{StudyDocument, StudySave};
use crate::state::{AfterSave, Dialog, NewStudyDraft, Screen, State, StudyEditor};
use session::{PageSettings, Study};

pub fn apply(app: &mut App, command: EditorCommand) {
    use EditorCommand as C;
    match command {
        C::ShowNewStudyDialog(copied) => show_new_study_dialog(&mut app.state, copied),
        C::EditNewStudy(mut draft) => {
            draft.follow_title();
            app.state.dialog = Some(Dialog::NewStudy(draft));
        }
        C::BrowseMedia => app.open_file_dialog(FileRequest::Media),
        C::Create => create(app),
        C::Edit(file) => edit(app, file),
        C::ShowTab(tab) => on(&mut app.state, |editor| editor.tab = tab),
        C::SetStudy(study) => change(app, |editor| set_study(editor, &study)),
        C::SetText(text) => change(app, |editor| editor.set_text(text)),
        C::Check => change(app, |_| {}),
        C::BrowsePage => app.open_file_dialog(FileRequest::Page),
        C::Save(after) => save(app, after),
        C::SetUp(file) => home::show_new_session_dialog(app, Some(file.as_path())),
        C::Leave => leave(app),
        C::KeepEditing => on(&mut app.state, |editor| editor.is_leaving = false),
        C::LeaveUnsaved => super::navigation::go_home(app),
        C::OpenFolder(folder) => app.backend.open_folder(&folder),
    }
}

fn on(state: &mut State, change: impl FnOnce(&mut StudyEditor)) {
    if let Some(editor) = &mut state.editor {
        change(editor);
    }
}

fn set_study(editor: &mut StudyEditor, study: &Study) {
    if let Err(e) = editor.set_study(study) {
        editor.problem = Some(e.to_string());
    }
}

/// Changes the study and lets the backend check what the text alone does not show.
fn change(app: &mut App, change: impl FnOnce(&mut StudyEditor)) {
    let Some(editor) = &mut app.state.editor else { return };
    change(editor);
    let document = StudyDocument { file: editor.file.clone(), text: editor.text.clone() };
    app.backend.check_study(document);
}

fn show_new_study_dialog(state: &mut State, copied: Option<PathBuf>) {
    let first = state.home.library.iter().flat_map(|l| &l.templates).next().map(|t| t.folder.clone());
    let template = copied.or(first);
    state.dialog = Some(Dialog::NewStudy(NewStudyDraft { template, ..NewStudyDraft::default() }));
}

fn create(app: &mut App) {
    let Some(Dialog::NewStudy(draft)) = &mut app.state.dialog else { return };
    // The dialog shows the error and disables its button.
    let Ok(request) = draft.request() else { return };
    if !draft.is_creating {
        (draft.is_creating, draft.problem) = (true, None);
        app.backend.create_study(request);
    }
}

fn edit(app: &mut App, file: PathBuf) {
    let is_shipped = |file: &Path| {
        let mut studies = app.state.home.library.iter().flat_map(|l| &l.studies);
        studies.any(|s| s.file == file && s.is_shipped)
    };
    if is_shipped(&file) {
        show_new_study_dialog(&mut app.state, Some(file));
    } else {
        app.backend.read_study(&file);
    }
}

fn save(app: &mut App, after: AfterSave) {
    let Some(editor) = &mut app.state.editor else { return };
    let is_complete = editor.problems().next().is_none();
    if editor.saving.is_some() || after == AfterSave::SetUp && !is_complete {
        return;
    }
    if let Some(study) = editor.study.as_ref().map(without_blanks) {
        set_study(editor, &study);
    }
    editor.saving = Some(after);
    let (file, text, was) = (editor.file.clone(), editor.text.clone(), editor.saved.clone());
    app.backend.save_study(StudySave { file, text, was });
}

/// Without the empty entries of lists that a person was about to write.
fn without_blanks(study: &Study) -> Study {
    let mut study = study.clone();
    if let Some(page) = &mut study.page {
        for list in [&mut page.mask, &mut page.content, &mut page.allow] {
            list.retain(|entry| !entry.trim().is_empty());
        }
    }
    study.questionnaire_texts.remove_blanks();
    study.annotation_labels.retain(|label| !label.trim().is_empty());
    study
}

fn leave(app: &mut App) {
    let Some(editor) = &mut app.state.editor else { return };
    if editor.is_changed() && !editor.is_leaving {
        editor.is_leaving = true;
    } else if !editor.is_changed() {
        super::navigation::go_home(app);
    }
}

/// Takes a folder from the file dialog into the draft of a new study.
pub fn use_media(app: &mut App, path: &Path) {
    if let Some(Dialog::NewStudy(draft)) = &mut app.state.dialog {
        draft.media = path.to_string_lossy().into_owned();
        draft.problem = None;
    }
}

/// Takes a page from the file dialog. A file beside the study is written relative to it, so that the folder can be copied.
pub fn use_page(app: &mut App, path: &Path) {
    change(app, |editor| {
        let Some(mut study) = editor.study.clone() else { return };
        let beside = editor.file.parent().unwrap_or(Path::new("."));
        let address = path.strip_prefix(beside).unwrap_or(path).to_string_lossy().into_owned();
        let page = study.page.or_else(|| editor.last_page().cloned());
        study.page = Some(PageSettings { address, ..page.unwrap_or_default() });
        set_study(editor, &study);
    });
}

// --- Answers of the backend ---

/// Does nothing if the operator has gone elsewhere meanwhile. Pushes the check of the study.
pub fn open(state: &mut State, document: StudyDocument, commands: &mut Vec<Command>) {
    let is_expected = matches!(state.screen, Screen::Home | Screen::Editor);
    if !is_expected {
        return;
    }
    if matches!(state.dialog, Some(Dialog::NewStudy(_))) {
        state.dialog = None;
    }
    state.editor = Some(StudyEditor::new(document));
    state.screen = Screen::Editor;
    commands.push(Command::Editor(EditorCommand::Check));
}

pub fn take_check(state: &mut State, file: &Path, problems: Vec<String>) {
    on(state, |editor| {
        if editor.file == file {
            editor.outside = problems;
        }
    });
}

/// Pushes the dialog for a session if the operator wanted to set one up.
pub fn take_saved(state: &mut State, document: StudyDocument, commands: &mut Vec<Command>) {
    let Some(editor) = state.editor.as_mut().filter(|editor| editor.file == document.file) else { return };
    editor.set_saved(document.text);
    let after = editor.saving.take();
    if after == Some(AfterSave::SetUp) && !editor.is_changed() {
        state.editor = None;
        state.screen = Screen::Home;
        commands.push(Command::Editor(EditorCommand::SetUp(document.file)));
    }
}

/// The message belongs to the dialog or to the editor, which keep what was typed.
pub fn fail(state: &mut State, sentence: String) {
    if let Some(Dialog::NewStudy(draft)) = &mut state.dialog {
        (draft.is_creating, draft.problem) = (false, Some(sentence));
        return;
    }
    on(state, |editor| editor.saving = None);
    state.dialog = Some(Dialog::Failure { title: "The study was not saved", sentence });
}
